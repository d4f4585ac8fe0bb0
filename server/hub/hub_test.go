package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"kentongan/alerts"
	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/wire"
)

// fakeStream is a case stream in memory.
type fakeStream struct {
	mu   sync.Mutex
	list []store.Change
	wake chan struct{}
	base int64 // offsets up to it are forgotten
}

func newStream() *fakeStream { return &fakeStream{wake: make(chan struct{})} }

func (f *fakeStream) put(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	off := f.base + int64(len(f.list)) + 1
	doc := fmt.Sprintf(`{"id":"I%d","type":"flood","status":"new","n":%d,"title":"%s"}`, off%7, off, strings.Repeat("x", n))
	f.list = append(f.list, store.Change{Offset: off, Type: "incident", ID: fmt.Sprint("I", off%7), Doc: json.RawMessage(doc)})
	close(f.wake)
	f.wake = make(chan struct{})
}

// cut forgets all that there is and n more, and goes on with one that is remembered.
func (f *fakeStream) cut(n int64) {
	f.mu.Lock()
	f.base += int64(len(f.list)) + n
	f.list = nil
	f.mu.Unlock()
	f.put(1)
}

func (f *fakeStream) Snapshot(context.Context) (store.Open, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := store.Open{Offset: f.base + int64(len(f.list)), Alerts: []alerts.Alert{{ID: "A1", State: alerts.Active}}}
	for i := range min(7, len(f.list)) {
		o.Incidents = append(o.Incidents, incident.Incident{ID: f.list[len(f.list)-1-i].ID, Type: "flood", Status: incident.New})
	}
	return o, nil
}

func (f *fakeStream) Since(_ context.Context, offset int64, most int) ([]store.Change, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if offset < f.base || offset > f.base+int64(len(f.list)) {
		return nil, false, nil
	}
	return slices.Clone(f.list[offset-f.base:]), true, nil
}

func (f *fakeStream) Tail(ctx context.Context, from int64, fn func(store.Change) error) error {
	for {
		f.mu.Lock()
		if from < f.base {
			f.mu.Unlock()
			return store.ErrCut
		}
		rest, wake := slices.Clone(f.list[from-f.base:]), f.wake
		f.mu.Unlock()
		for _, c := range rest {
			if err := fn(c); err != nil {
				return err
			}
			from = c.Offset
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		}
	}
}

var _ Cases = (*store.Store)(nil)

func entryOf(t *feeds.Thing) *index.Entry {
	return &index.Entry{ID: t.ID, Kind: t.Kind, Position: t.Position, Placed: t.Placed, Cell: t.Cell, Payload: t}
}

// room is a hub behind a real HTTP server.
type room struct {
	*Hub
	stream *fakeStream
	server *httptest.Server
	stop   func()
	pic    *index.Picture
}

// changed puts a Thing into the picture and gives what the pipeline tells of it.
func (r *room) changed(old, t *feeds.Thing) Change {
	c := Change{Thing: t, Entry: entryOf(t)}
	if old != nil {
		c.Old = entryOf(old)
	}
	r.pic.Put(c.Entry)
	return c
}

func newRoom(t testing.TB, s *fakeStream, epoch string, cfg Config, things ...*feeds.Thing) *room {
	t.Helper()
	return newRoomAt(t, s, epoch, cfg, time.Now, things...)
}

func newRoomAt(t testing.TB, s *fakeStream, epoch string, cfg Config, now func() time.Time, things ...*feeds.Thing) *room {
	t.Helper()
	pic := index.NewPicture()
	for _, th := range things {
		pic.Put(entryOf(th))
	}
	h := New(Deps{Picture: pic, Cases: s, Version: "0.1.0", Epoch: epoch, Log: zerolog.Nop(), Config: cfg, Now: now,
		Feeds: func() []feeds.FeedStatus { return []feeds.FeedStatus{{Name: "awlr", State: feeds.FeedOK}} }})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { _ = h.Run(ctx); close(ended) }()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := auth.Admin()
		who.Session = r.URL.Query().Get("session")
		who.SessionEnds, _ = time.Parse(time.RFC3339Nano, r.URL.Query().Get("ends"))
		h.Serve(w, r, who, r.URL.Query().Get("format") != "binary")
	}))
	var once sync.Once
	r := &room{h, s, srv, func() { once.Do(func() { cancel(); <-ended; srv.Close() }) }, pic}
	t.Cleanup(r.stop)
	return r
}

func quick() Config {
	c := DefaultConfig()
	c.Tick = 20 * time.Millisecond
	return c
}

// seat is a client.
type seat struct {
	t testing.TB
	*websocket.Conn
}

func (r *room) sit(t testing.TB) *seat {
	t.Helper()
	return r.sitBy(t, "")
}

// sitBy takes a seat with a session.
func (r *room) sitBy(t testing.TB, session string) *seat {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	c, _, err := d.Dial("ws"+strings.TrimPrefix(r.server.URL, "http")+"?session="+session, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &seat{t, c}
}

func (s *seat) say(text string) {
	s.t.Helper()
	if err := s.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

type message struct {
	Type     string
	Cursor   string
	Resumed  bool
	Code     string
	Things   []wire.Thing
	Removed  []string
	Alerts   []alerts.Alert
	Feeds    []feeds.FeedStatus
	Incident struct{ N int64 }
	Rights   []string
}

// hear gives the next message of one of the types; others are passed over.
func (s *seat) hear(types ...string) message {
	s.t.Helper()
	for {
		m := s.next()
		if len(types) == 0 || slices.Contains(types, m.Type) {
			return m
		}
	}
}

func (s *seat) next() message {
	s.t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, b, err := s.ReadMessage()
	if err != nil {
		s.t.Fatalf("read: %v", err)
	}
	if !strings.HasPrefix(string(b), `{"type":"`) {
		s.t.Fatalf("type is not first: %.80s", b)
	}
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		s.t.Fatalf("%v: %.200s", err, b)
	}
	return m
}

const here = `{"op":"view","bbox":[100.5,-0.9,100.7,-0.7],"zoom":11,"layers":["*"]}`

func thing(id, kind string, lat, lng, v float64) *feeds.Thing {
	p := geo.Position{Lat: lat, Lng: lng}
	c, _ := geo.CellAt(p, geo.ResThing)
	now := moment.Of(time.Now())
	return &feeds.Thing{ID: id, Feed: "awlr", Kind: kind, Name: id, Position: p, Placed: true, Cell: c, At: now, ReceivedAt: now,
		State: map[string]feeds.Reading{"level": {Value: feeds.Value{Num: v}, At: now, ReceivedAt: now, Quality: feeds.Good}}}
}

func (r *room) change(old, new *feeds.Thing) { r.ThingsChanged([]Change{r.changed(old, new)}) }

func TestHelloThenSnapshotThenChanges(t *testing.T) {
	a, far := thing("awlr:a", "river_gauge", -0.8, 100.6, 1), thing("awlr:far", "river_gauge", -2, 102, 1)
	r := newRoom(t, newStream(), "e1", quick(), a, far)
	s := r.sit(t)
	if m := s.next(); m.Type != "hello" || !slices.Contains(m.Rights, "incident.read") {
		t.Fatalf("first message %+v", m)
	}
	r.stream.put(1) // before the first view: in the snapshot's cursor, not on the wire
	s.say(`{"op":"ping"}`)
	if m := s.next(); m.Type != "pong" {
		t.Fatalf("before the first view came %q", m.Type)
	}
	s.say(here)
	m := s.next()
	if m.Type != "snapshot" || m.Resumed || len(m.Things) != 1 || m.Things[0].ID != "awlr:a" || len(m.Alerts) != 1 || len(m.Feeds) != 1 || !strings.HasPrefix(m.Cursor, "e1:") {
		t.Fatalf("after the view came %+v", m)
	}
	b := thing("awlr:a", "river_gauge", -0.8, 100.6, 2)
	r.change(a, b)
	if m := s.hear("things"); len(m.Things) != 1 || m.Things[0].State["level"].Value.(float64) != 2 || len(m.Removed) != 0 {
		t.Fatalf("change: %+v", m)
	}
	c := thing("awlr:a", "river_gauge", -0.85, 100.55, 3) // another bucket of the same view
	r.change(b, c)
	if m := s.hear("things"); len(m.Things) != 1 || len(m.Removed) != 0 {
		t.Fatalf("moved within the view: %+v", m)
	}
	r.change(c, thing("awlr:a", "river_gauge", -2, 102, 4))
	if m := s.hear("things"); len(m.Things) != 0 || len(m.Removed) != 1 || m.Removed[0] != "awlr:a" {
		t.Fatalf("moved out of the view: %+v", m)
	}
	if m := s.hear("feed", "stats"); m.Type != "feed" && m.Type != "stats" {
		t.Fatal(m)
	}
}

func TestNewestWinsWithinATick(t *testing.T) {
	cfg := quick()
	cfg.Tick = 300 * time.Millisecond
	r := newRoom(t, newStream(), "e1", cfg)
	s := r.sit(t)
	s.say(here)
	s.hear("snapshot")
	old := (*feeds.Thing)(nil)
	for i := 1; i <= 100; i++ {
		next := thing("awlr:a", "bus", -0.8, 100.6, float64(i))
		r.change(old, next)
		old = next
	}
	messages, last := 0, 0.0
	for last != 100 {
		m := s.hear("things")
		messages++
		last = m.Things[len(m.Things)-1].State["level"].Value.(float64)
	}
	if messages > 3 {
		t.Errorf("100 changes came in %d messages", messages)
	}
}

func TestLayersAndViewChange(t *testing.T) {
	bus, gauge := thing("f:bus", "bus", -0.8, 100.6, 1), thing("f:gauge", "river_gauge", -0.8, 100.6, 1)
	r := newRoom(t, newStream(), "e1", quick(), bus, gauge)
	s := r.sit(t)
	ids := func(m message) (out []string) {
		for _, th := range m.Things {
			out = append(out, th.ID)
		}
		return out
	}
	for _, c := range []struct {
		view string
		want []string
	}{
		{strings.Replace(here, `"*"`, `"bus"`, 1), []string{"f:bus"}},
		{strings.Replace(here, `"*"`, ``, 1), nil},
		{`{"op":"view","bbox":[10,10,11,11],"layers":["*"]}`, nil},
		{strings.Replace(here, `"*"`, `"river_gauge","tram"`, 1), []string{"f:gauge"}},
	} {
		s.say(c.view)
		if m := s.hear("snapshot"); !slices.Equal(ids(m), c.want) {
			t.Errorf("%s: %v, want %v", c.view, ids(m), c.want)
		}
	}
	r.ThingsChanged([]Change{r.changed(bus, thing("f:bus", "bus", -0.8, 100.6, 2)), r.changed(gauge, thing("f:gauge", "river_gauge", -0.8, 100.6, 2))})
	if m := s.hear("things"); !slices.Equal(ids(m), []string{"f:gauge"}) {
		t.Errorf("a layer not asked for: %v", ids(m))
	}
	r.change(gauge, thing("f:gauge", "bus", -0.8, 100.6, 3)) // its kind changes: it leaves the layer
	if m := s.hear("things"); !slices.Equal(m.Removed, []string{"f:gauge"}) {
		t.Errorf("left the layer: %+v", m)
	}
}

func TestResumeWithoutGapOrDuplicate(t *testing.T) {
	for _, c := range []struct {
		name   string
		forget bool // the hub remembers nothing: the store is asked
	}{{"from the hub's memory", false}, {"from the store", true}} {
		t.Run(c.name, func(t *testing.T) {
			stream := newStream()
			for range 50 {
				stream.put(1)
			}
			var r *room
			if c.forget {
				r = newRoom(t, stream, "e1", quick())
			} else {
				empty := newStream()
				r = newRoom(t, empty, "e1", quick())
				stream = empty
				for range 50 {
					stream.put(1)
				}
			}
			stop := make(chan struct{})
			var wg sync.WaitGroup
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
						stream.put(1)
						if i%50 == 0 {
							time.Sleep(time.Millisecond) // traffic, not a wait for anything
						}
					}
				}
			}()
			defer wg.Wait()
			defer close(stop)
			s := r.sit(t)
			at, snapshots := int64(10), 0
			for lives := 0; lives < 5; lives++ {
				s.say(fmt.Sprintf(`{"op":"view","bbox":[0,0,1,1],"cursor":"e1:%d"}`, at))
				for n := snapshots + 1; snapshots < n || at%100 != 0; {
					switch m := s.hear("incident", "snapshot"); m.Type {
					case "snapshot":
						snapshots++
						_, off, _ := wire.ParseCursor(m.Cursor)
						if !m.Resumed || off != at {
							t.Fatalf("snapshot resumed=%v at %d, after %d", m.Resumed, off, at)
						}
					default:
						if m.Incident.N != at+1 || m.Cursor != fmt.Sprintf("e1:%d", at+1) {
							t.Fatalf("after %d came %d (%s)", at, m.Incident.N, m.Cursor)
						}
						at++
					}
				}
				_ = s.Close()
				s = r.sit(t)
			}
			if snapshots != 5 {
				t.Errorf("%d snapshots of 5 views", snapshots)
			}
		})
	}
}

func TestUnknownCursorGetsSnapshotOnly(t *testing.T) {
	stream := newStream()
	stream.base = 100
	stream.put(1)
	r := newRoom(t, stream, "e2", quick())
	for _, cursor := range []string{"e1:101", "e2:5000", "e2:3", "nonsense", "e2:-1"} {
		s := r.sit(t)
		s.say(fmt.Sprintf(`{"op":"view","bbox":[0,0,1,1],"cursor":%q}`, cursor))
		s.hear("hello")
		if m := s.next(); m.Type != "snapshot" || m.Resumed || m.Cursor != "e2:101" {
			t.Errorf("cursor %s: %+v", cursor, m)
		}
	}
}

func TestMoreMissedThanMayWaitGetsSnapshotOnly(t *testing.T) {
	stream := newStream()
	r := newRoom(t, stream, "e1", quick())
	for range 60 {
		stream.put(100_000)
	}
	s := r.sit(t)
	s.say(`{"op":"view","bbox":[0,0,1,1]}`)
	for _, off, _ := wire.ParseCursor(s.hear("snapshot", "incident").Cursor); off < 60; {
		_, off, _ = wire.ParseCursor(s.hear("incident").Cursor)
	}
	back := r.sit(t)
	back.say(`{"op":"view","bbox":[0,0,1,1],"cursor":"e1:0"}`)
	back.hear("hello")
	if m := back.next(); m.Type != "snapshot" || m.Resumed {
		t.Errorf("6 MB missed: %s, resumed %v", m.Type, m.Resumed)
	}
	blind := r.sitAs(t, grant(access.Admin, "")) // sees none of it, so missed nothing
	blind.say(`{"op":"view","bbox":[0,0,1,1],"cursor":"e1:0"}`)
	blind.hear("hello")
	if m := blind.next(); m.Type != "snapshot" || !m.Resumed {
		t.Errorf("6 MB that are not for it: %s, resumed %v", m.Type, m.Resumed)
	}
}

// A server that stood still for longer than the case stream is long begins anew, and so do its screens.
func TestAStreamThatWasCutIsBegunAnew(t *testing.T) {
	stream := newStream()
	stream.put(1)
	r := newRoom(t, stream, "e1", quick())
	s := r.sit(t)
	s.say(`{"op":"view","bbox":[0,0,1,1]}`)
	s.hear("hello", "snapshot")
	stream.cut(40)
	_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		if _, _, err := s.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, wire.CloseSlow) {
				t.Fatalf("ended by %v, want %d", err, wire.CloseSlow)
			}
			break
		}
	}
	back := r.sit(t)
	back.say(`{"op":"view","bbox":[0,0,1,1],"cursor":"e1:1"}`)
	back.hear("hello")
	if m := back.next(); m.Type != "snapshot" || m.Resumed || m.Cursor != "e1:42" {
		t.Errorf("back: %s at %s, resumed %v", m.Type, m.Cursor, m.Resumed)
	}
}

func TestFaultyMessageSaysWhatAndWhere(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                         "want an object, found array",
		`{"op":"view","zoom":"x"}`:   "zoom: found string",
		`{"op":"view","zoom":1e99}]`: "something follows the document at line 1 column 26",
	} {
		var op struct {
			Zoom *float64 `json:"zoom"`
		}
		if got := plain(bounded.UnmarshalJSON([]byte(text), &op)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestFaultyMessages(t *testing.T) {
	r := newRoom(t, newStream(), "e1", quick())
	s := r.sit(t)
	s.hear("hello")
	for _, c := range []struct{ text, code string }{
		{`{"op":"dance"}`, wire.ErrorUnknownOp}, {`{`, wire.ErrorBadMessage}, {`[]`, wire.ErrorBadMessage}, {`{"op":"view"}`, wire.ErrorBadView},
		{"{\"op\":\"\xff\"}", wire.ErrorBadMessage}, {`{"op":"view","bbox":[1,2,3,91]}`, wire.ErrorBadView}, {`{"op":"view","bbox":"x"}`, wire.ErrorBadMessage},
	} {
		s.say(c.text)
		if m := s.next(); m.Type != "error" || m.Code != c.code {
			t.Errorf("%s: %+v, want %s", c.text, m, c.code)
		}
	}
	for range 20 {
		_ = s.WriteMessage(websocket.TextMessage, []byte("garbage"))
	}
	for {
		_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, _, err := s.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, wire.ClosePolicy) {
				t.Errorf("ended by %v, want 1008", err)
			}
			return
		}
	}
}

func TestSlowReaderIsClosedAndOthersAreNot(t *testing.T) {
	cfg := quick()
	cfg.Patience, cfg.Grace = 1500*time.Millisecond, 30*time.Second // the hub looks once a second, and a write may take twice the patience
	stream := newStream()
	r := newRoom(t, stream, "e1", cfg)
	slow, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(r.server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if err := slow.WriteMessage(websocket.TextMessage, []byte(here)); err != nil {
		t.Fatal(err)
	}
	var first *client
	until := time.Now().Add(10 * time.Second)
	for got := make(chan *client, 1); first == nil && time.Now().Before(until); {
		r.call(func() {
			var one *client
			for c := range r.clients {
				one = c
			}
			got <- one
		})
		first = <-got
	}
	good := r.sit(t)
	good.say(here)
	good.hear("snapshot")
	var worst time.Duration
	closed := func() bool {
		n := make(chan int, 1)
		r.call(func() { n <- len(r.clients) })
		return <-n == 1
	}
	for end := time.Now().Add(20 * time.Second); !closed(); {
		if time.Now().After(end) {
			t.Fatal("the slow client was not closed")
		}
		began := time.Now()
		stream.put(100_000)
		good.hear("incident")
		worst = max(worst, time.Since(began))
	}
	if worst > time.Second {
		t.Errorf("beside a slow client a case took %s", worst)
	}
	first.out.mu.Lock()
	defer first.out.mu.Unlock()
	if first.out.code != wire.CloseSlow { // how soon the peer reads it is the kernel's affair: its window was shut
		t.Errorf("closed with %d, want 1013", first.out.code)
	}
}

func TestLaggingClientGetsTheNewest(t *testing.T) {
	cfg := quick()
	cfg.Silence = 5 * time.Minute // it reads nothing for long
	r := newRoom(t, newStream(), "e1", cfg)
	s := r.sit(t)
	s.say(here)
	s.hear("snapshot")
	var old *feeds.Thing
	name := strings.Repeat("n", 200)
	for i := range 3000 { // more than the socket's buffers hold, read by nobody
		list := make([]Change, 0, 50)
		for k := range 50 {
			th := thing(fmt.Sprint("f:", k), "bus", -0.8, 100.6, float64(i))
			th.Name = name
			list = append(list, r.changed(old, th))
		}
		r.ThingsChanged(list)
		if i%100 == 0 {
			done := make(chan struct{})
			r.call(func() { r.tick(); close(done) })
			<-done
		}
	}
	newest := map[string]float64{}
	for count := 0; count < 50; {
		for _, th := range s.hear("things").Things {
			v := th.State["level"].Value.(float64)
			if v < newest[th.ID] {
				t.Fatalf("%s went back from %v to %v", th.ID, newest[th.ID], v)
			}
			if v == 2999 && newest[th.ID] != 2999 {
				count++
			}
			newest[th.ID] = v
		}
	}
}

func TestCloseSaysGoingAway(t *testing.T) {
	r := newRoom(t, newStream(), "e1", quick())
	s := r.sit(t)
	s.hear("hello")
	gone := make(chan error, 1)
	go func() {
		_, _, err := s.ReadMessage()
		gone <- err
	}()
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-gone; !websocket.IsCloseError(err, wire.CloseGoingAway) {
		t.Errorf("ended by %v, want 1001", err)
	}
}

func TestSocketsEndWithTheirSession(t *testing.T) {
	r := newRoom(t, newStream(), "e1", quick())
	gone, other, token := r.sitBy(t, "one"), r.sitBy(t, "two"), r.sit(t)
	for _, s := range []*seat{gone, other, token} {
		s.hear(wire.TypeHello)
	}
	r.EndSession("one")
	r.EndSession("")
	_ = gone.SetReadDeadline(time.Now().Add(10 * time.Second))
	var err error
	for err == nil {
		_, _, err = gone.ReadMessage()
	}
	if !websocket.IsCloseError(err, wire.ClosePolicy) {
		t.Errorf("the socket of the session that ended: %v, want close %d", err, wire.ClosePolicy)
	}
	for _, s := range []*seat{other, token} {
		s.say(`{"op":"ping"}`)
		s.hear("pong")
	}
}

// TestTLS: a connection below which no plain socket is to be had is written to by a goroutine that may wait.
func TestTLS(t *testing.T) {
	r := newRoom(t, newStream(), "e1", quick(), buses(3000)...)
	srv := httptest.NewTLSServer(r.server.Config.Handler)
	defer srv.Close()
	d := websocket.Dialer{TLSClientConfig: srv.Client().Transport.(*http.Transport).TLSClientConfig}
	c, _, err := d.Dial("wss"+strings.TrimPrefix(srv.URL, "https"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := &seat{t, c}
	s.say(here)
	s.hear("snapshot")
	for i := range 5 {
		r.change(nil, thing("f:0", "bus", -0.8, 100.6, float64(i)))
		s.hear("things")
	}
}

// TestControlFramesAreAnswered: a ping of the client's by a pong with its payload, a close by a close with its code.
func TestControlFramesAreAnswered(t *testing.T) {
	r := newRoom(t, newStream(), "e1", quick())
	s := r.sit(t)
	got := make(chan string, 1)
	s.SetPongHandler(func(payload string) error {
		got <- payload
		return nil
	})
	if err := s.WriteControl(websocket.PingMessage, []byte("here?"), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		for {
			if _, _, err := s.ReadMessage(); err != nil {
				ended <- err
				return
			}
		}
	}()
	if p := <-got; p != "here?" {
		t.Errorf("pong %q", p)
	}
	if err := s.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4711, ""), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !websocket.IsCloseError(err, 4711) {
		t.Errorf("ended by %v", err)
	}
}
