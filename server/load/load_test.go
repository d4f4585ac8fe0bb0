package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/wire"
)

// stub is a server small enough to know what must be measured: it acknowledges after a delay, tells every viewer each reading at once,
// and opens an incident for each gauge.
type stub struct {
	*httptest.Server
	mu      sync.Mutex
	seats   map[*websocket.Conn]bool // true: JSON
	stalled atomic.Bool
	lines   atomic.Int64
	views   atomic.Int64
}

type line struct {
	Thing, Property, At string
	Kind                string
	Lat, Lng            float64
}

func newStub(t *testing.T) *stub {
	s := &stub{seats: map[*websocket.Conn]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/ingest/load", s.ingest)
	mux.HandleFunc("GET /api/v1/live", s.live)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Server.Close)
	return s
}

func (s *stub) ingest(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer geheim" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.stalled.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	body, _ := io.ReadAll(r.Body)
	var things []wire.Row
	for _, l := range bytes.Split(bytes.TrimSpace(body), []byte("\n")) {
		var rec line
		if err := json.Unmarshal(l, &rec); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.lines.Add(1)
		at, _ := time.Parse(time.RFC3339, rec.At)
		var slot uint32
		_, _ = fmt.Sscanf(strings.TrimLeft(rec.Thing, "tx"), "%d", &slot)
		th := &feeds.Thing{ID: "load:" + rec.Thing, Kind: rec.Kind, Position: geo.Position{Lat: rec.Lat, Lng: rec.Lng}, Placed: true, At: moment.Of(at)}
		if rec.Property == "water_level" {
			s.tell(nil, nil, []byte(`{"why":{"inputs":[{"thing":"load:`+rec.Thing+`"}]}}`))
			continue
		}
		things = append(things, wire.Row{Slot: slot, Thing: th})
	}
	text := []byte{}
	for i, row := range things {
		if i > 0 {
			text = append(text, ',')
		}
		text = wire.AppendThing(text, row.Thing)
	}
	s.tell(things, text, nil)
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"accepted":1,"rejected":[]}`)
}

func (s *stub) tell(things []wire.Row, text, incident []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, json := range s.seats {
		switch {
		case incident != nil && json:
			_ = c.WriteMessage(websocket.TextMessage, wire.AppendCase(nil, wire.TypeIncident, "e:1", incident))
		case incident != nil:
			_ = c.WriteMessage(websocket.BinaryMessage, wire.AppendBinaryCase(nil, wire.TypeIncident, "e:1", incident))
		case json:
			_ = c.WriteMessage(websocket.TextMessage, wire.AppendThings(nil, [][]byte{text}, nil))
		default:
			_ = c.WriteMessage(websocket.BinaryMessage, wire.AppendThingsMessage(nil, [][]byte{wire.AppendThingFrame(nil, time.Now().UnixMilli(), "unit", things)}, nil))
		}
	}
}

func (s *stub) live(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	text := r.URL.Query().Get("format") == "json"
	s.mu.Lock()
	s.seats[c] = text
	s.mu.Unlock()
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			s.mu.Lock()
			delete(s.seats, c)
			s.mu.Unlock()
			return
		}
		s.views.Add(1)
		var b []byte
		kind := websocket.BinaryMessage
		if text {
			kind = websocket.TextMessage
			b, _ = wire.AppendSnapshot(nil, wire.RawSnapshot{})
		} else {
			b, _ = wire.AppendBinarySnapshot(nil, wire.BinarySnapshot{})
		}
		s.mu.Lock()
		_ = c.WriteMessage(kind, b)
		s.mu.Unlock()
	}
}

func (s *stub) config() Config {
	c := DefaultConfig()
	c.URL, c.Token, c.Rate, c.Things, c.Viewers, c.Duration, c.IncidentShare, c.Crossing.Samples = s.URL, "geheim", 500, 50, 3, time.Second, .01, 1
	return c
}

func TestARunMeasuresWhatTheServerDid(t *testing.T) {
	for _, json := range []bool{false, true} {
		s := newStub(t)
		c := s.config()
		c.JSON, c.Pan = json, 10
		r, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if r.Sent < 450 || r.Acked != r.Sent || r.Refused+r.Failed+r.Unsent > 0 || len(r.Faults) > 0 || len(r.Closed) > 0 {
			t.Errorf("%+v", r)
		}
		if r.Crossed < 4 || r.Seen != r.Crossed || r.Cross.At(99) > 10*time.Second {
			t.Errorf("%d crossed, %d seen", r.Crossed, r.Seen)
		}
		if n := r.Socket.N(); n < 3*400 || n > 3*r.Sent || r.Socket.At(50) > 5*time.Second { // what a loaded machine needs; how fast a server is, is measured elsewhere
			t.Errorf("JSON %v: %d readings on the sockets, p50 %v", json, n, r.Socket.At(50))
		}
		if r.View.N() < 8 || r.Ack.N() != r.Acked || r.Rows < 1200 || r.Bytes == 0 {
			t.Errorf("views %d, acks %d, rows %d", r.View.N(), r.Ack.N(), r.Rows)
		}
		var b strings.Builder
		if err := r.Write(&b); err != nil || !strings.Contains(b.String(), "crossing to incident on the socket") {
			t.Error(err, b.String())
		}
	}
}

// A stall is felt by everything that was due meanwhile, not only by the one that stood at the counter.
func TestAStallIsNotLeftOut(t *testing.T) {
	var stall sync.Once
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		stall.Do(func() { time.Sleep(600 * time.Millisecond) })
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{}`)
	}))
	defer h.Close()
	c := DefaultConfig()
	c.URL, c.Viewers, c.Rate, c.Batch, c.Connections, c.Duration = h.URL, 0, 100, 1, 1, time.Second
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if p := r.Ack.At(50); p < 100*time.Millisecond {
		t.Errorf("half of the readings waited %v or less; the server stood still for 0.6 of 1 s", p)
	}
	if r.Acked < 95 {
		t.Errorf("%d acknowledged: the load slowed down with the server", r.Acked)
	}
}

func TestRefusalsAreCounted(t *testing.T) {
	s := newStub(t)
	s.stalled.Store(true)
	c := s.config()
	c.Duration = 300 * time.Millisecond
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if r.Refused == 0 || r.Refused != r.Sent || r.Acked > 0 {
		t.Errorf("%+v", r)
	}
	c.Token = "falsch"
	if r, err = Run(t.Context(), c); err != nil || r.Failed != r.Sent || r.Faults["ingest answered 401"] == 0 {
		t.Errorf("%v %+v", err, r)
	}
}

func TestOnlyThisMachineUnlessOwned(t *testing.T) {
	for _, c := range []struct {
		url   string
		owned bool
		ok    bool
	}{
		{"http://127.0.0.1:8080", false, true}, {"http://localhost:8080", false, true}, {"http://[::1]:8080", false, true}, {"http://127.9.9.9", false, true},
		{"http://example.org", false, false}, {"http://10.0.0.1:8080", false, false}, {"http://localhost.example.org", false, false}, {"http://127.0.0.1.example.org", false, false},
		{"http://127.0.0.1@example.org", false, false}, {"http://example.org", true, true}, {"ftp://localhost", true, false}, {"", true, false}, {"localhost:8080", false, false},
	} {
		cfg := DefaultConfig()
		cfg.URL, cfg.OwnIt = c.url, c.owned
		if err := cfg.Validate(); (err == nil) != c.ok {
			t.Errorf("%q owned %v: %v", c.url, c.owned, err)
		}
	}
}

func TestFaultsOfTheConfigurationComeAtOnce(t *testing.T) {
	c := DefaultConfig()
	c.Things, c.Rate, c.Viewers, c.Duration, c.Window = 0, -1, 100_000, 0, 2
	err := c.Validate()
	for _, word := range []string{"things", "rate", "viewers", "duration", "window"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s is not named: %v", word, err)
		}
	}
}

func TestARunEndsWhenItIsStopped(t *testing.T) {
	s := newStub(t)
	c := s.config()
	c.Duration = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	r, err := Run(ctx, c)
	if err != nil || time.Since(began) > 10*time.Second || r.Acked == 0 {
		t.Errorf("%v after %v: %+v", err, time.Since(began), r)
	}
}
