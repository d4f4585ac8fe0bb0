package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/patient"
)

// keepAlive finds a peer that is gone without a word, within a minute.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

// TCP is connections that senders open to us, or one that we open.
type TCP struct{ config Config }

// NewTCP gives a transport that has not begun.
func NewTCP(c Config) *TCP { return &TCP{c.withDefaults()} }

// Run listens, or dials and dials again, until ctx ends.
func (t *TCP) Run(ctx context.Context, deliver feeds.Deliver) error {
	connect := t.dial
	if t.config.Listen != "" {
		connect = t.listen
	}
	patient.Keep(ctx, t.config.Watch, t.config.Log, func(ctx context.Context) error { return connect(ctx, deliver) })
	return nil
}

// handshakeLimit is how long TLS may take.
const handshakeLimit = 10 * time.Second

// dial opens one connection and reads it to its end.
func (t *TCP) dial(ctx context.Context, deliver feeds.Deliver) error {
	conn, err := t.config.Dial(ctx, "tcp", t.config.Address)
	if err != nil {
		return bounded.Explain(err)
	}
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetKeepAliveConfig(keepAlive) // without it the read deadline still finds a dead peer
	}
	if t.config.TLS != nil {
		if conn, err = t.secure(ctx, conn); err != nil {
			return bounded.Explain(err)
		}
	}
	t.config.Watch.Well()
	t.config.Log.Debug().Msg("connected")
	if err := newSession(&t.config, conn, "", deliver).run(ctx); err != nil {
		return err
	}
	return fault("broken", "the source ended the connection", nil)
}

// secure shakes hands; a connection that fails to is closed.
func (t *TCP) secure(ctx context.Context, conn net.Conn) (net.Conn, error) {
	config, err := t.config.TLS()
	if err != nil {
		conn.Close()
		return nil, fault("tls", err.Error(), err)
	}
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(t.config.Address)
	}
	secured := tls.Client(conn, config)
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// listen takes connections until ctx ends or the listener breaks, and returns when all have ended.
func (t *TCP) listen(ctx context.Context, deliver feeds.Deliver) error {
	l, err := (&net.ListenConfig{KeepAliveConfig: keepAlive}).Listen(ctx, "tcp", t.config.Listen)
	if err != nil {
		return listenFault(t.config.Listen, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	d := &door{config: &t.config, deliver: deliver}
	defer d.all.Wait()
	defer cancel()
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	t.config.bound(l.Addr())
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			d.enter(ctx, conn)
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ECONNABORTED):
			t.config.Watch.Reject(1, fault("connections", "no connection can be taken: "+err.Error(), err))
			patient.Wait(ctx, 100*time.Millisecond)
		default:
			return fault("listen", "the listener has ended: "+err.Error(), err)
		}
	}
}

// bound tells that we listen.
func (c Config) bound(at net.Addr) {
	c.Watch.Well()
	c.Log.Info().Str("address", at.String()).Msg("listening")
	if c.Bound != nil {
		c.Bound(at)
	}
}

// listenFault says why we cannot listen.
func listenFault(address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fault("listen", address+" is taken by another program", err)
	case errors.Is(err, syscall.EACCES):
		return fault("listen", address+" may not be listened at by this user", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fault("listen", address+" is no address of this machine", err)
	}
	return fault("listen", fmt.Sprintf("%s: %v", address, err), err)
}

// door lets connections in, and counts them.
type door struct {
	config  *Config
	deliver feeds.Deliver
	all     sync.WaitGroup
	mu      sync.Mutex
	inside  int
	foreign patient.Seldom
	full    patient.Seldom
}

// enter serves a connection, or closes it.
func (d *door) enter(ctx context.Context, conn net.Conn) {
	from, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok || !d.config.heard(plain(from.AddrPort().Addr())) {
		d.refuse(conn, &d.foreign, fault("peer", "a sender outside the networks that are heard", nil))
		return
	}
	d.mu.Lock()
	full := d.inside >= d.config.MaxConnections
	if !full {
		d.inside++
	}
	d.mu.Unlock()
	if full {
		d.refuse(conn, &d.full, fault("connections", fmt.Sprintf("more than %d connections", d.config.MaxConnections), nil))
		return
	}
	d.all.Go(func() {
		peer := plain(from.AddrPort().Addr()).String()
		err := newSession(d.config, conn, peer, d.deliver).run(ctx)
		d.mu.Lock()
		d.inside--
		d.mu.Unlock()
		d.config.Log.Debug().Str("peer", peer).AnErr("why", err).Msg("connection ended")
	})
}

// refuse closes a connection and counts it; it is told once a minute.
func (d *door) refuse(conn net.Conn, seldom *patient.Seldom, why error) {
	conn.Close()
	d.config.Watch.Reject(1, why)
	if n, ok := seldom.Count(1); ok {
		d.config.Log.Warn().Err(why).Str("peer", conn.RemoteAddr().String()).Int("times", n).Msg("connection refused")
	}
}
