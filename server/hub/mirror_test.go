package hub

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"google.golang.org/protobuf/proto"

	"kentongan/geo/moment"
	"kentongan/server/wire"
	"kentongan/server/wire/live"
)

// mirror is a screen: it holds what the messages of one form, read in order, say is there.
type mirror struct {
	t      testing.TB
	conn   *websocket.Conn
	things map[string]string // id -> place and state, as text
	cells  map[string]string // cell and layer -> what it shows, as text
	kind   string            // of the last message: snapshot, things, cells, or another
	// Of the binary form.
	names    map[uint32]*live.Announcement
	places   map[uint32]string
	values   map[uint32]map[string]string
	outlines map[uint32]string
	hexes    map[string]string // slot and layer
	columns  int               // of the last message
	announce int               // in the last message
}

func newMirror(t testing.TB, conn *websocket.Conn) *mirror {
	m := &mirror{t: t, conn: conn}
	m.clear()
	return m
}

func (m *mirror) clear() {
	m.things, m.cells = map[string]string{}, map[string]string{}
	m.names, m.places, m.values = map[uint32]*live.Announcement{}, map[uint32]string{}, map[uint32]map[string]string{}
	m.outlines, m.hexes = map[uint32]string{}, map[string]string{}
}

func (m *mirror) say(text string) {
	m.t.Helper()
	if err := m.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		m.t.Fatal(err)
	}
}

// read takes in one message.
func (m *mirror) read() {
	m.t.Helper()
	_ = m.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	kind, b, err := m.conn.ReadMessage()
	if err != nil {
		m.t.Fatalf("read: %v", err)
	}
	if kind == websocket.BinaryMessage {
		m.binary(b)
	} else {
		m.json(b)
	}
}

// until reads until something is so.
func (m *mirror) until(what string, is func() bool) {
	m.t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); m.read() {
		if time.Now().After(end) {
			m.t.Fatalf("not so: %s", what)
		}
	}
}

// shows reads until the screen shows what is wanted, and tells what it does not show.
func (m *mirror) shows(what func() map[string]string, want map[string]string) {
	m.t.Helper()
	for end := time.Now().Add(10 * time.Second); !maps.Equal(what(), want); m.read() {
		if time.Now().Before(end) {
			continue
		}
		for k := range want {
			if what()[k] != want[k] {
				m.t.Errorf("%s: shown %q, want %q", k, what()[k], want[k])
			}
		}
		for k := range what() {
			if want[k] == "" {
				m.t.Errorf("%s: shown %q, want nothing", k, what()[k])
			}
		}
		m.t.FailNow()
	}
}

// hear reads until a message of the kind.
func (m *mirror) hear(kind string) {
	m.t.Helper()
	for m.kind = ""; m.kind != kind; {
		m.read()
	}
}

func (m *mirror) json(b []byte) {
	var s struct {
		Type    string
		Things  []wire.Thing
		Removed []string
		Cells   []wire.Cell
	}
	if err := json.Unmarshal(b, &s); err != nil {
		m.t.Fatal(err)
	}
	last := m.kind
	if s.Type == "snapshot" || s.Type == "things" && len(m.cells) > 0 || s.Type == "cells" && len(m.things) > 0 {
		m.clear()
	}
	m.kind = s.Type
	for _, th := range s.Things {
		state := map[string]string{}
		for k, r := range th.State {
			state[k] = fmt.Sprint(r.Value)
		}
		m.things[th.ID] = textOf(th.Name, *th.Lng, *th.Lat, state)
	}
	for _, id := range s.Removed {
		delete(m.things, id)
	}
	for _, c := range s.Cells {
		if c.Count == 0 {
			delete(m.cells, c.Cell.String()+c.Layer)
			continue
		}
		v := math.NaN()
		if c.Value != nil {
			v = *c.Value
		}
		m.cells[c.Cell.String()+c.Layer] = cellText(c.Count, v, c.Severity, c.Observers, c.Unobserved, c.ObservedAt.Milli(), c.StaleAfter.Milli())
	}
	if s.Type != "snapshot" && s.Type != "things" && s.Type != "cells" {
		m.kind = last
	}
}

func textOf(name string, lng, lat float64, state map[string]string) string {
	return fmt.Sprintf("%s %.5f %.5f %v", name, lng, lat, state)
}

func cellText(n int, v float64, severity string, observers []string, unobserved bool, seen, until int64) string {
	return fmt.Sprint(n, v, severity, observers, unobserved, moment.OfMilli(seen), moment.OfMilli(until))
}

// frames is what snapshots and later messages have in common.
func (m *mirror) binary(b []byte) {
	var msg live.ServerMessage
	if err := proto.Unmarshal(b, &msg); err != nil {
		m.t.Fatal(err)
	}
	m.columns, m.announce = 0, 0
	switch v := msg.Message.(type) {
	case *live.ServerMessage_Snapshot:
		m.clear()
		m.kind = "snapshot"
		m.frames(v.Snapshot.Things, nil)
		m.cellFrames(v.Snapshot.Cells)
	case *live.ServerMessage_Things:
		if len(m.hexes) > 0 {
			m.clear()
		}
		m.kind = "things"
		m.frames(v.Things.Frames, v.Things.Removed)
	case *live.ServerMessage_Cells:
		if len(m.names) > 0 {
			m.clear()
		}
		m.kind = "cells"
		m.cellFrames(v.Cells.Frames)
	}
}

func u32(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }

func (m *mirror) frames(frames []*live.ThingFrame, removed []byte) {
	for i := range len(removed) / 4 {
		slot := u32(removed, i)
		if a := m.names[slot]; a != nil {
			delete(m.things, a.Id)
		}
		delete(m.names, slot)
		delete(m.places, slot)
		delete(m.values, slot)
	}
	for _, f := range frames {
		touched := map[uint32]bool{}
		for _, a := range f.Announced {
			if old := m.names[a.Slot]; old != nil && old.Id != a.Id {
				delete(m.things, old.Id)
			}
			m.names[a.Slot] = a
			m.announce++
		}
		for i := range len(f.Slot) / 4 {
			slot := u32(f.Slot, i)
			touched[slot] = true
			if m.names[slot] == nil {
				m.t.Fatalf("slot %d of %s was never announced", slot, f.Kind)
			}
			m.places[slot] = fmt.Sprintf("%.5f %.5f", float64(int32(u32(f.Lng, i)))/1e6, float64(int32(u32(f.Lat, i)))/1e6)
			if m.values[slot] == nil {
				m.values[slot] = map[string]string{}
			}
			if len(f.Speed) > 0 {
				if v := binary.LittleEndian.Uint16(f.Speed[2*i:]); v != 0xffff {
					m.values[slot]["speed"] = fmt.Sprint(float64(v) / 100)
				}
			}
		}
		for _, c := range f.Columns {
			m.columns++
			for i := range len(c.Slot) / 4 {
				v := ""
				if len(c.Text) > 0 {
					v = c.Text[i]
				} else {
					v = fmt.Sprint(math.Float64frombits(binary.LittleEndian.Uint64(c.Value[8*i:])))
				}
				m.values[u32(c.Slot, i)][c.Property] = v
			}
		}
		for slot := range touched {
			m.things[m.names[slot].Id] = fmt.Sprintf("%s %s %v", m.names[slot].Name, m.places[slot], m.values[slot])
		}
	}
}

func (m *mirror) cellFrames(frames []*live.CellFrame) {
	for _, f := range frames {
		for _, o := range f.Outlines {
			m.outlines[o.Slot] = o.Cell
		}
		for i := range len(f.Slot) / 4 {
			slot := u32(f.Slot, i)
			key := fmt.Sprint(slot, f.Layer)
			if u32(f.Count, i) == 0 {
				delete(m.hexes, key)
				delete(m.cells, m.outlines[slot]+f.Layer)
				continue
			}
			if m.outlines[slot] == "" {
				m.t.Fatalf("cell %d of %s has no outline", slot, f.Layer)
			}
			var seen, until int64
			if ago := u32(f.ObservedAgo, i); ago != 0xffffffff {
				seen = f.BaseMs - int64(ago)
			}
			if in := int32(u32(f.StaleIn, i)); in != math.MaxInt32 {
				until = f.BaseMs + int64(in)
			}
			severity := []string{"", "Extreme", "Severe", "Moderate", "Minor", "Unknown"}[f.Severity[i]]
			observers := f.Sets[binary.LittleEndian.Uint16(f.Observers[2*i:])].Feeds
			if observers == nil {
				observers = []string{}
			}
			m.hexes[key] = ""
			m.cells[m.outlines[slot]+f.Layer] = cellText(int(u32(f.Count, i)), math.Float64frombits(binary.LittleEndian.Uint64(f.Value[8*i:])), severity, observers, f.Unobserved[i] != 0, seen, until)
		}
	}
}

// screen opens a mirror.
func (r *room) screen(t testing.TB, form string) *mirror {
	t.Helper()
	c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(r.server.URL, "http")+"?format="+form, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return newMirror(t, c)
}
