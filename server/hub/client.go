package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"kentongan/alerts/store"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/auth"
	"kentongan/server/wire"
)

// client is one connection. All but conn, out and form belongs to the hub's goroutine.
type client struct {
	conn *websocket.Conn
	out  *outbox
	form form

	things, incidents, alerts, seesFeeds bool // rights
	session                              string

	next     *wire.View // asked for, not yet answered; the newest counts
	viewed   bool
	live     bool // its snapshot is queued: changes may follow
	catching bool // the store is asked what it missed
	bound    geo.Bound
	all      bool
	kinds    map[string]struct{}
	frames   map[geo.Cell]struct{}
	dirty    map[string]struct{} // Things to be sent once there is room
	pinged   time.Time
}

func (c *client) wants(kind string) bool {
	if c.all {
		return true
	}
	_, ok := c.kinds[kind]
	return ok
}

func (c *client) may(noun string) bool {
	switch noun {
	case wire.TypeIncident:
		return c.incidents
	case wire.TypeAlert:
		return c.alerts
	}
	return false
}

var buffers sync.Pool // of gorilla, shared by all connections: an idle one holds none

var upgrader = websocket.Upgrader{
	Subprotocols: []string{wire.Subprotocol}, ReadBufferSize: 512, WriteBufferSize: 4096, WriteBufferPool: &buffers,
	HandshakeTimeout: 10 * time.Second,
	// server/api has judged the Origin before it comes here (auth.OriginAllowed).
	CheckOrigin: func(*http.Request) bool { return true },
}

// Serve upgrades the request and returns; the connection lives on. Who is asking, and whether its Origin may, has been judged before.
// There is one form yet: json false is served as JSON too.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, who auth.Identity, json bool) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // gorilla has answered
	}
	c := &client{conn: conn, form: jsonForm{}, things: who.Can(auth.ReadThings), incidents: who.Can(auth.ReadIncidents), alerts: who.Can(auth.ReadAlerts),
		seesFeeds: who.Can(auth.ReadFeeds), session: who.Session, frames: map[geo.Cell]struct{}{}, dirty: map[string]struct{}{}, pinged: h.d.Now()}
	c.out = &outbox{conn: conn, kind: c.form.messageType(), patience: 2 * h.cfg.Patience, now: h.d.Now, onEnd: func() { _ = conn.Close() }}
	hello := wire.Hello{Type: wire.TypeHello, ServerTime: moment.Of(h.d.Now()), Version: h.d.Version, Storage: "durable", Rights: who.Rights}
	if h.d.Storage != nil {
		hello.Storage = h.d.Storage()
	}
	if hello.Rights == nil {
		hello.Rights = []string{}
	}
	first, err := c.form.control(hello)
	if err != nil {
		_ = conn.Close()
		return
	}
	h.conns.Add(1)
	joined := h.call(func() {
		if h.closing {
			c.out.close(wire.CloseGoingAway, "the server is stopping")
			return
		}
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

// leave forgets a client.
func (h *Hub) leave(c *client) {
	h.unwatch(c)
	delete(h.clients, c)
	delete(h.lagging, c)
	delete(h.viewing, c)
}

// end asks a connection to end with a code, and ends it after the grace.
func (h *Hub) end(c *client, code int, reason string) {
	h.leave(c)
	c.live = false
	c.out.close(code, reason)
	time.AfterFunc(h.cfg.Grace, func() { _ = c.conn.Close() })
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

// Bounds of what a client may say.
const (
	mostBurst   = 60 // messages at once
	mostSecond  = 20 // messages a second, on the long run
	mostFaulty  = 16 // faulty messages, then the connection is closed
	mostLayers  = 256
	longestKind = 256
)

// read takes the client's messages until the connection ends.
func (h *Hub) read(c *client) {
	c.conn.SetReadLimit(wire.ReadLimit)
	alive := func(string) error { return c.conn.SetReadDeadline(time.Now().Add(h.cfg.Silence)) }
	c.conn.SetPongHandler(alive)
	_ = alive("")
	tokens, last, faulty := float64(mostBurst), time.Now(), 0
	for {
		kind, b, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		_ = alive("")
		now := time.Now()
		tokens = min(mostBurst, tokens+now.Sub(last).Seconds()*mostSecond)
		last = now
		code, message := wire.ErrorTooMany, fmt.Sprintf("more than %d messages a second", mostSecond)
		if tokens >= 1 {
			tokens--
			code, message = h.take(c, kind, b)
		}
		if code == "" {
			continue
		}
		if faulty++; faulty >= mostFaulty {
			h.call(func() { h.end(c, wire.ClosePolicy, "too many faulty messages") })
			continue // until the connection is closed
		}
		if faulty < mostFaulty {
			h.reply(c, wire.Error{Type: wire.TypeError, Code: code, Message: message})
		}
	}
}

// take handles one message; a code tells that it is faulty.
func (h *Hub) take(c *client, kind int, b []byte) (code, message string) {
	if kind != websocket.TextMessage || !utf8.Valid(b) {
		return wire.ErrorBadMessage, "want text in UTF-8"
	}
	var op struct {
		Op     string    `json:"op"`
		Bbox   []float64 `json:"bbox"`
		Zoom   float64   `json:"zoom"`
		Layers *[]string `json:"layers"`
		Cursor string    `json:"cursor"`
	}
	if err := json.Unmarshal(b, &op); err != nil {
		return wire.ErrorBadMessage, "not a message: " + plain(err)
	}
	switch op.Op {
	case "ping":
		h.reply(c, wire.Pong{Type: wire.TypePong, ServerTime: moment.Of(h.d.Now())})
		return "", ""
	case "view":
	default:
		return wire.ErrorUnknownOp, fmt.Sprintf("op %.40q: want view or ping", op.Op)
	}
	v := &wire.View{Op: op.Op, Zoom: op.Zoom, Layers: []string{"*"}, Cursor: op.Cursor}
	if len(op.Bbox) != 4 {
		return wire.ErrorBadView, fmt.Sprintf("bbox: %d numbers, want west, south, east, north", len(op.Bbox))
	}
	v.Bbox = [4]float64(op.Bbox)
	if err := boundOf(v.Bbox).Validate(); err != nil {
		return wire.ErrorBadView, err.Error()
	}
	if op.Layers != nil {
		v.Layers = *op.Layers
	}
	if len(v.Layers) > mostLayers {
		return wire.ErrorBadView, fmt.Sprintf("layers: %d, at most %d", len(v.Layers), mostLayers)
	}
	for i, l := range v.Layers {
		if len(l) > longestKind {
			return wire.ErrorBadView, fmt.Sprintf("layers[%d]: %d bytes, at most %d", i, len(l), longestKind)
		}
	}
	h.call(func() {
		if _, ok := h.clients[c]; ok {
			c.next = v
			h.viewing[c] = struct{}{}
		}
	})
	return "", ""
}

// plain tells a JSON error without Go's words.
func plain(err error) string {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("JSON breaks off or is faulty at byte %d", syntax.Offset)
	case errors.As(err, &wrong):
		return fmt.Sprintf("%q is a %s", wrong.Field, wrong.Value)
	}
	return "not JSON"
}

func (h *Hub) reply(c *client, v any) {
	b, err := c.form.control(v)
	if err != nil {
		return
	}
	h.call(func() {
		if _, ok := h.clients[c]; ok {
			h.push(c, asIs, b)
		}
	})
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
		out[i] = change{c.Offset, c.Type, c.ID, c.Doc}
	}
	return out
}
