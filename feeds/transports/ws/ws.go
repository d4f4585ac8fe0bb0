// Package ws is messages of a WebSocket server that we connect to.
//
// One message is one delivery (RFC 6455). Nothing more is read until it is stored or refused; a server that cannot wait ends the
// connection, and we come back. A message of text that is not UTF-8 is refused and counted. A redirect is not followed, and the address
// is checked at the moment it is dialled.
package ws

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/patient"
)

// Config of one WebSocket. URL and Watch are required.
type Config struct {
	URL        string                      // ws:// or wss://
	Authorize  func(*http.Request) error   // puts headers and credentials on the request; may be nil
	TLS        func() (*tls.Config, error) // asked at each connection; nil: as the system does
	Subscribe  func() (string, error)      // gives the text that is sent once connected, may hold a secret; nil or "": none
	MaxMessage int64                       // bytes
	Idle       time.Duration               // no message for so long ends the connection; 0: only a server that does not answer pings does
	UserAgent  string
	Dial       func(ctx context.Context, network, addr string) (net.Conn, error) // default: bounded.Dialer
	Watch      patient.Watch
	Now        func() time.Time
	Log        zerolog.Logger
}

// Deadlines of one connection.
const (
	handshakeLimit = 15 * time.Second
	writeLimit     = 10 * time.Second
	pingEvery      = 20 * time.Second
	pongLimit      = 60 * time.Second
	maxRefused     = 50 // messages in a row: whoever speaks another language is not heard on
)

// Transport hears one WebSocket.
type Transport struct{ config Config }

// New gives a transport that has not connected.
func New(c Config) *Transport {
	if c.MaxMessage <= 0 {
		c.MaxMessage = 1 << 20
	}
	if c.Dial == nil {
		c.Dial = bounded.Dialer(false)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Transport{c}
}

// Run connects, and connects again, until ctx ends.
func (t *Transport) Run(ctx context.Context, deliver feeds.Deliver) error {
	patient.Keep(ctx, t.config.Watch, t.config.Log, func(ctx context.Context) error {
		conn, err := t.connect(ctx)
		if err != nil {
			return err
		}
		return t.hear(ctx, conn, deliver)
	})
	return nil
}

// connect shakes hands and subscribes. Its errors repeat neither the address nor a secret.
func (t *Transport) connect(ctx context.Context) (*websocket.Conn, error) {
	dialer := &websocket.Dialer{NetDialContext: t.config.Dial, HandshakeTimeout: handshakeLimit} // no Proxy: it would dial for us, past our check of the address
	if t.config.TLS != nil {
		config, err := t.config.TLS()
		if err != nil {
			return nil, &bounded.Fault{Code: "tls", Text: err.Error(), Err: err}
		}
		dialer.TLSClientConfig = config
	}
	req := &http.Request{Header: http.Header{}}
	if t.config.UserAgent != "" {
		req.Header.Set("User-Agent", t.config.UserAgent)
	}
	if t.config.Authorize != nil {
		if err := t.config.Authorize(req); err != nil {
			return nil, noSecret(err)
		}
	}
	conn, res, err := dialer.DialContext(ctx, t.config.URL, req.Header)
	switch {
	case err == nil:
	case errors.Is(err, websocket.ErrBadHandshake) && res != nil && res.StatusCode != http.StatusSwitchingProtocols:
		return nil, &bounded.Fault{Code: "http", Text: answered(res.StatusCode), Err: err}
	case errors.Is(err, websocket.ErrBadHandshake):
		return nil, &bounded.Fault{Code: "http", Text: "it answers, but not as a WebSocket does", Err: err}
	default:
		return nil, bounded.Explain(err)
	}
	if err := t.subscribe(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// subscribe sends the text that a server waits for before it speaks.
func (t *Transport) subscribe(conn *websocket.Conn) error {
	if t.config.Subscribe == nil {
		return nil
	}
	text, err := t.config.Subscribe()
	if err != nil {
		return noSecret(err)
	}
	if text == "" {
		return nil
	}
	_ = conn.SetWriteDeadline(time.Now().Add(writeLimit))
	if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		return bounded.Explain(err)
	}
	return nil
}

func noSecret(err error) *bounded.Fault {
	return &bounded.Fault{Code: "auth", Text: "our secret cannot be read", Err: err}
}

func answered(status int) string {
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	if status >= 300 && status < 400 {
		text += ", a redirect, which is not followed"
	}
	return text
}

// hear reads messages until the connection or ctx ends, and says why. It closes the connection.
func (t *Transport) hear(ctx context.Context, conn *websocket.Conn, deliver feeds.Deliver) error {
	ctx, cancel := context.WithCancel(ctx)
	var pinger sync.WaitGroup
	defer pinger.Wait()
	defer cancel()
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	pinger.Go(func() { ping(ctx, conn) })

	t.config.Watch.Well()
	t.config.Log.Debug().Msg("connected")
	conn.SetReadLimit(t.config.MaxMessage)
	r := reader{transport: t, conn: conn, deliver: deliver, heard: time.Now()}
	conn.SetPongHandler(func(string) error { return r.wait() })
	answer := conn.PingHandler()
	conn.SetPingHandler(func(text string) error {
		if err := r.wait(); err != nil {
			return err
		}
		return answer(text)
	})
	for {
		if err := r.next(ctx); err != nil {
			return err
		}
	}
}

// ping asks for a sign of life now and then.
func ping(ctx context.Context, conn *websocket.Conn) {
	for patient.Wait(ctx, pingEvery) {
		if err := conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeLimit)); err != nil {
			return // the reader finds out as well
		}
	}
}

// reader takes the messages of one connection.
type reader struct {
	transport *Transport
	conn      *websocket.Conn
	deliver   feeds.Deliver
	heard     time.Time // when the last message came
	refused   int       // in a row
}

// wait sets until when the server must give a sign of life, and a message where Idle says so.
func (r *reader) wait() error {
	until := time.Now().Add(pongLimit)
	if idle := r.transport.config.Idle; idle > 0 && r.heard.Add(idle).Before(until) {
		until = r.heard.Add(idle)
	}
	return r.conn.SetReadDeadline(until)
}

// next reads one message and delivers it.
func (r *reader) next(ctx context.Context) error {
	if err := r.wait(); err != nil {
		return bounded.Explain(err)
	}
	kind, body, err := r.conn.ReadMessage()
	if err != nil {
		return r.ended(ctx, err)
	}
	r.heard = time.Now()
	if kind == websocket.TextMessage && !utf8.Valid(body) { // the library leaves this to us
		r.transport.config.Watch.Reject(1, &bounded.Fault{Code: "format", Text: "a text message that is not UTF-8"})
		return r.refuse("a text message that is not UTF-8")
	}
	meta := feeds.Meta{ReceivedAt: r.transport.config.Now()}
	_, err = patient.Deliver(ctx, r.deliver, body, meta)
	r.heard = time.Now()
	switch {
	case err == nil:
		r.refused = 0
		return nil
	case errors.Is(err, feeds.ErrPermanent):
		return r.refuse(err.Error())
	}
	_ = patient.DeliverLast(context.WithoutCancel(ctx), r.deliver, body, meta) // a message is not told to have come: once more, and no more
	return err
}

func (r *reader) refuse(why string) error {
	if r.refused++; r.refused >= maxRefused {
		return &bounded.Fault{Code: "format", Text: fmt.Sprintf("%d messages in a row were refused, the last: %.200s", r.refused, why)}
	}
	return nil
}

// ended says why no message comes.
func (r *reader) ended(ctx context.Context, err error) error {
	var closed *websocket.CloseError
	var slow net.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, websocket.ErrReadLimit):
		fault := &bounded.Fault{Code: "size", Text: fmt.Sprintf("a message of more than %d bytes", r.transport.config.MaxMessage), Err: err}
		r.transport.config.Watch.Reject(1, fault)
		return fault
	case errors.As(err, &closed):
		return &bounded.Fault{Code: "broken", Text: fmt.Sprintf("the source ended the connection, code %d", closed.Code), Err: err}
	case errors.As(err, &slow) && slow.Timeout():
		text := fmt.Sprintf("no sign of life for %s", pongLimit)
		if idle := r.transport.config.Idle; idle > 0 && time.Since(r.heard) >= idle {
			text = fmt.Sprintf("no message for %s", idle)
		}
		return &bounded.Fault{Code: "timeout", Text: text, Err: err}
	}
	return bounded.Explain(err)
}
