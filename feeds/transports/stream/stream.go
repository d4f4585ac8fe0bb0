// Package stream is bytes without bodies: TCP connections that senders open to us or that we open, and UDP datagrams.
//
// What ends a message is the format's to say (feeds.Framing). Messages that come within 200 ms of each other become one delivery, at most
// 500 of them or 256 KB, so that thousands of lines a second are few commits.
//
// A plain stream knows no acknowledgement. What we have read from a TCP connection is delivered until it is stored or refused, and
// nothing more is read meanwhile, so that TCP holds the sender back; on an orderly stop what was read whole is delivered once more. What
// lies in the buffers of the two kernels when either side dies is lost, and nobody learns of it. Datagrams that come faster than they
// are stored wait in a bounded queue; beyond it they are dropped, counted and told.
package stream

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/patient"
)

// Config of one stream. Watch is required, and either Listen or Address.
type Config struct {
	Listen         string                                                            // host:port at which senders reach us; for UDP also that of a multicast group
	Address        string                                                            // host:port that we dial; TCP only
	TLS            func() (*tls.Config, error)                                       // asked at each dial, what it gives may be nil; itself nil: plain
	From           []netip.Prefix                                                    // networks whose senders are heard; empty: loopback alone
	Framing        feeds.Framing                                                     // of the format
	MaxFrame       int                                                               // bytes of one message
	MaxConnections int                                                               // at one time
	Idle           time.Duration                                                     // a connection that brings nothing for so long is ended
	Dial           func(ctx context.Context, network, addr string) (net.Conn, error) // default: bounded.Dialer
	Watch          patient.Watch
	Bound          func(net.Addr) // told the address at which we listen; may be nil
	Now            func() time.Time
	Log            zerolog.Logger
}

// The bounds of a stream where its Config says none.
const (
	DefaultMaxFrame       = 128 << 10
	DefaultMaxConnections = 1000
	DefaultIdle           = time.Minute      // of a connection that we open
	DefaultIdleListening  = 10 * time.Minute // of one that a sender opens: closing it could cost what he sends next
)

// The bounds of one delivery, and of a message that begins and does not end.
const (
	together   = 200 * time.Millisecond
	maxFrames  = 500
	maxBytes   = 256 << 10
	frameLimit = 30 * time.Second
)

func (c Config) withDefaults() Config {
	if c.MaxFrame <= 0 {
		c.MaxFrame = DefaultMaxFrame
	}
	if c.MaxConnections <= 0 {
		c.MaxConnections = DefaultMaxConnections
	}
	if c.Idle <= 0 {
		c.Idle = DefaultIdle
		if c.Listen != "" {
			c.Idle = DefaultIdleListening
		}
	}
	if c.Dial == nil {
		c.Dial = bounded.Dialer(false)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// heard tells whether a sender's network is among those that are.
func (c Config) heard(ip netip.Addr) bool {
	if len(c.From) == 0 {
		return ip.IsLoopback()
	}
	for _, p := range c.From {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// plain is an address as networks are written: IPv4 as such, without a zone.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// fault is a reason with a code of the house.
func fault(code, text string, err error) *bounded.Fault {
	return &bounded.Fault{Code: code, Text: text, Err: err}
}
