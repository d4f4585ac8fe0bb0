package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"kentongan/feeds/bounded"
	"kentongan/geo/moment"
	"kentongan/server/wire"
)

// Bounds of what a client may say.
const (
	mostBurst   = 60 // messages at once
	mostSecond  = 20 // messages a second, on the long run
	mostFaulty  = 16 // faulty messages, then the connection is closed
	mostLayers  = 256
	longestKind = 256
	longestWall = 64
)

// read takes the client's messages until the connection ends.
func (h *Hub) read(c *client) {
	c.conn.SetReadLimit(wire.ReadLimit)
	alive := func(string) error { return c.conn.SetReadDeadline(time.Now().Add(h.cfg.Silence)) }
	c.conn.SetPongHandler(alive)
	_ = alive("")
	h.answerControl(c, alive)
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
		m := heard{c: c, kind: kind, bytes: b, faulty: faulty, tooMany: tokens < 1}
		if !m.tooMany {
			tokens--
		}
		faulty = h.apart(m)
	}
}

// heard is one message of a client, and how many faulty ones came before.
type heard struct {
	c       *client
	kind    int
	bytes   []byte
	faulty  int
	tooMany bool
}

// apart judges a message in a goroutine of its own and waits for it. Reading JSON needs a deeper stack than waiting for bytes does, and a
// reader would keep it as long as its client is there: 4 KB for each.
func (h *Hub) apart(m heard) (faulty int) {
	done := make(chan int, 1)
	go func() { done <- h.judge(m) }()
	return <-done
}

// judge takes a message, or answers what is wrong with it.
func (h *Hub) judge(m heard) (faulty int) {
	code, message := wire.ErrorTooMany, ""
	if m.tooMany {
		message = fmt.Sprintf("more than %d messages a second", mostSecond)
	} else {
		code, message = h.take(m.c, m.kind, m.bytes)
	}
	if code == "" {
		return m.faulty
	}
	switch m.faulty++; {
	case m.faulty < mostFaulty:
		h.reply(m.c, wire.Error{Type: wire.TypeError, Code: code, Message: message})
	case m.faulty == mostFaulty:
		h.call(func() { h.end(m.c, wire.ClosePolicy, "too many faulty messages") })
	} // from then on nothing, until the connection is closed
	return m.faulty
}

// answerControl answers control frames through the outbox, since nobody else may write between the parts of a message.
func (h *Hub) answerControl(c *client, alive func(string) error) {
	c.conn.SetPingHandler(func(payload string) error {
		if _, start := c.out.push(asIs, pongFrame(payload), h.d.Now()); start {
			h.writers.give(c)
		}
		return alive("")
	})
	c.conn.SetCloseHandler(func(code int, _ string) error {
		if c.out.close(code, "") {
			h.writers.give(c)
		}
		wait := time.AfterFunc(time.Second, func() { _ = c.conn.Close() })
		c.out.done.Wait() // the answer is written, or the connection lost
		wait.Stop()
		return nil
	})
}

// take handles one message; a code tells that it is faulty.
func (h *Hub) take(c *client, kind int, b []byte) (code, message string) {
	if kind != websocket.TextMessage || !utf8.Valid(b) {
		return wire.ErrorBadMessage, "want text in UTF-8"
	}
	var op struct {
		Op     string    `json:"op"`
		Bbox   []float64 `json:"bbox"`
		Zoom   *float64  `json:"zoom"`
		Layers *[]string `json:"layers"`
		Cursor string    `json:"cursor"`
		Alarms []string  `json:"alarms"`
		Wall   string    `json:"wall"`
	}
	if err := bounded.UnmarshalJSON(b, &op); err != nil {
		return wire.ErrorBadMessage, "not a message: " + plain(err)
	}
	switch op.Op {
	case "ping":
		h.reply(c, wire.Pong{Type: wire.TypePong, ServerTime: moment.Of(h.d.Now())})
		return "", ""
	case "painted":
		return h.painted(c, op.Alarms)
	case "view":
	default:
		return wire.ErrorUnknownOp, fmt.Sprintf("op %.40q: want view, painted or ping", op.Op)
	}
	if len(op.Wall) > longestWall {
		return wire.ErrorBadView, fmt.Sprintf("wall: %d bytes, at most %d", len(op.Wall), longestWall)
	}
	v := &view{zoom: nearestZoom, layers: "*", cursor: op.Cursor, wall: op.Wall, asked: time.Now()}
	if len(op.Bbox) != 4 {
		return wire.ErrorBadView, fmt.Sprintf("bbox: %d numbers, want west, south, east, north", len(op.Bbox))
	}
	v.bound = boundOf([4]float64(op.Bbox))
	if err := v.bound.Validate(); err != nil {
		return wire.ErrorBadView, err.Error()
	}
	if op.Zoom != nil {
		v.zoom = *op.Zoom
	}
	if op.Layers != nil {
		if code, message := checkLayers(*op.Layers); code != "" {
			return code, message
		}
		v.layers = layersOf(*op.Layers)
	}
	h.call(func() { h.ask(c, v) })
	return "", ""
}

func checkLayers(list []string) (code, message string) {
	if len(list) > mostLayers {
		return wire.ErrorBadView, fmt.Sprintf("layers: %d, at most %d", len(list), mostLayers)
	}
	for i, l := range list {
		if len(l) > longestKind {
			return wire.ErrorBadView, fmt.Sprintf("layers[%d]: %d bytes, at most %d", i, len(l), longestKind)
		}
	}
	return "", ""
}

// plain tells a JSON error without Go's words.
func plain(err error) string {
	var strict *bounded.JSONError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &strict):
		return strict.Error()
	case errors.As(err, &wrong) && wrong.Field == "":
		return "want an object, found " + wrong.Value
	case errors.As(err, &wrong):
		return fmt.Sprintf("%s: found %s", wrong.Field, wrong.Value)
	}
	return "not JSON"
}

func (h *Hub) reply(c *client, v any) {
	b, err := c.form.control(sheet(256), v)
	if err != nil {
		return
	}
	b = framed(b, c.form.opcode())
	h.call(func() {
		if _, ok := h.clients[c]; ok {
			h.push(c, asIs, b)
		}
	})
}
