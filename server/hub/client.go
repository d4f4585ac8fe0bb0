package hub

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/alerts/store"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/wire"
)

// client is one connection. All but conn, raw, form, patience and out belongs to the hub's goroutine.
type client struct {
	conn     *websocket.Conn
	raw      syscall.RawConn // nil: writes may wait, so each gets a goroutine (TLS)
	form     form
	patience time.Duration // of one write
	out      outbox

	audience *audience
	session  string
	via      auth.Via
	ends     time.Time
	who      *auth.Identity // of a person or the first link, as they were when they came; nil: a machine

	wall     string // id of the wall whose settings it is told, or "*"; empty: none
	next     *view  // asked for, not yet answered; the newest counts
	scope    *scope
	place    int    // in the scope's members
	lagging  uint32 // since which tick; 0: it does not lag
	live     bool   // its snapshot is queued: changes may follow
	catching bool   // the store is asked what it missed
	pinged   int64  // nanoseconds since 1970
}

var buffers sync.Pool // of gorilla, which writes nothing after the handshake: no connection holds one

var upgrader = websocket.Upgrader{
	Subprotocols: []string{wire.Subprotocol}, ReadBufferSize: 512, WriteBufferSize: 4096, WriteBufferPool: &buffers,
	HandshakeTimeout: 10 * time.Second,
	// server/api has judged the Origin before it comes here (auth.OriginAllowed).
	CheckOrigin: func(*http.Request) bool { return true },
}

// Serve upgrades the request and returns; the connection lives on. Who is asking, and whether its Origin may, has been judged before.
// The form is JSON, or else binary.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, who auth.Identity, json bool) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // gorilla has answered
	}
	c := &client{conn: conn, raw: rawOf(conn.NetConn()), form: formOf(json), patience: 2 * h.cfg.Patience, session: who.Session, ends: who.SessionEnds, via: who.Via, pinged: h.d.Now().UnixNano()}
	if who.Person != "" || who.Setup {
		c.who = &who
	}
	first, err := h.hello(c.form, who.Rights)
	if err != nil {
		_ = conn.Close()
		return
	}
	h.conns.Add(1)
	joined := h.call(func() {
		if h.closing {
			h.shut(c, wire.CloseGoingAway, "the server is stopping")
			return
		}
		c.audience = h.audienceOf(who.Who)
		c.audience.clients++
		h.clients[c] = struct{}{}
		h.push(c, asIs, first)
	})
	if !joined {
		_ = conn.Close()
		h.conns.Add(-1)
		return
	}
	go func() {
		defer h.conns.Add(-1)
		h.read(c)
		_ = conn.Close()
		c.out.end()
		h.call(func() { h.leave(c) })
		c.out.done.Wait()
	}()
}

func (h *Hub) hello(f form, rights []access.Action) ([]byte, error) {
	hello := wire.Hello{Type: wire.TypeHello, ServerTime: moment.Of(h.d.Now()), Version: h.d.Version, Storage: "durable", Rights: []string{}}
	for _, a := range rights {
		hello.Rights = append(hello.Rights, string(a))
	}
	if h.d.Storage != nil {
		hello.Storage = h.d.Storage()
	}
	b, err := f.control(sheet(512), hello)
	if err != nil {
		return nil, err
	}
	return framed(b, f.opcode()), nil
}

// leave forgets a client.
func (h *Hub) leave(c *client) {
	h.part(c)
	if _, here := h.clients[c]; here {
		h.release(c.audience)
	}
	delete(h.clients, c)
	c.next = nil
}

// end asks a connection to end with a code, and ends it after the grace.
func (h *Hub) end(c *client, code int, reason string) {
	h.leave(c)
	c.live = false
	h.shut(c, code, reason)
	time.AfterFunc(h.cfg.Grace, func() { _ = c.conn.Close() })
}

// shut queues the close frame.
func (h *Hub) shut(c *client, code int, reason string) {
	if c.out.close(code, reason) {
		h.ready = append(h.ready, c)
	}
}

// EndSession closes every connection of a session that has ended; the hash is auth.Identity.Session.
func (h *Hub) EndSession(session string) {
	if session == "" {
		return // connections by token have none
	}
	h.call(func() {
		for c := range h.clients {
			if c.session == session {
				h.end(c, wire.ClosePolicy, "signed out")
			}
		}
	})
}

// RenewSession closes every connection of a session that goes on under another secret: the screens come back.
func (h *Hub) RenewSession(session string) {
	if session == "" {
		return
	}
	h.call(func() {
		for c := range h.clients {
			if c.session == session {
				h.end(c, wire.CloseChanged, "signed in anew")
			}
		}
	})
}

// Review shows everyone who is connected to judge, which must not wait: a code closes the connection, 0 keeps it. It returns once all
// are judged. Of a machine nothing is known but its session and, without its id and feed, what it may do.
func (h *Hub) Review(judge func(who auth.Identity) (code int, reason string)) {
	done := make(chan struct{})
	asked := h.call(func() {
		defer close(done)
		for c := range h.clients {
			who := auth.Identity{Session: c.session, Via: c.via}
			if c.audience != nil {
				who.Who = c.audience.who
			}
			if c.who != nil {
				who = *c.who
			}
			if code, reason := judge(who); code != 0 {
				h.end(c, code, reason)
			}
		}
	})
	if !asked {
		return
	}
	select {
	case <-done:
	case <-h.ended:
	}
}

// Close sends 1001 to everyone and returns once they have gone, or when ctx ends. Run is ended after it.
func (h *Hub) Close(ctx context.Context) error {
	ok := h.call(func() {
		h.closing = true
		for c := range h.clients {
			h.end(c, wire.CloseGoingAway, "the server is stopping")
		}
	})
	if !ok {
		return nil
	}
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-poll.C:
			if h.conns.Load() == 0 {
				return nil
			}
		case <-h.ended:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("hub: close: %d connections are still open: %w", h.conns.Load(), context.Cause(ctx))
		}
	}
}

func changesOf(list []store.Change) []change {
	out := make([]change, len(list))
	for i, c := range list {
		out[i] = change{offset: c.Offset, noun: c.Type, id: c.ID, doc: c.Doc}
	}
	return out
}
