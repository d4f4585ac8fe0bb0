package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/contract"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// shelf is a Keeper in memory.
type shelf struct {
	mu   sync.Mutex
	doc  map[string][]byte
	rev  map[string]int64
	held map[string]contract.Held // by fingerprint
	body map[string][]byte        // by id
	asks int
	err  error
}

func newShelf() *shelf {
	return &shelf{doc: map[string][]byte{}, rev: map[string]int64{}, held: map[string]contract.Held{}, body: map[string][]byte{}}
}

func (s *shelf) Contract(_ context.Context, feed string) ([]byte, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doc[feed], s.rev[feed], s.err
}

func (s *shelf) SaveContract(_ context.Context, feed string, doc []byte, rev int64, decided bool) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rev < s.rev[feed] {
		return 0, ErrNewer
	}
	if decided {
		rev++
	}
	s.doc[feed], s.rev[feed] = doc, rev
	return rev, s.err
}

func (s *shelf) Hold(_ context.Context, h contract.Held, body []byte) (contract.Held, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return h, s.err
	}
	s.asks++
	if old, ok := s.held[h.Fingerprint]; ok {
		h.ID, h.Times = old.ID, old.Times+h.Times
	} else {
		h.ID = fmt.Sprint("held-", len(s.held)+1)
	}
	s.held[h.Fingerprint], s.body[h.ID] = h, body
	return h, nil
}

func (s *shelf) Kept(_ context.Context, feed string) (int64, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, h := range s.held {
		if h.State == contract.StateHeld {
			n++
		}
	}
	return s.rev[feed], n, s.err
}

// gauges is a format for tests: "m" or "km" gives six gauges with that unit, "alert" an alert besides, "bad" a refused item.
type gauges struct{}

func (gauges) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	b := feeds.Batch{AllAlerts: true}
	for i, w := range strings.Fields(string(body)) {
		switch w {
		case "alert":
			b.Alerts = append(b.Alerts, feeds.Alert{Index: 100, Message: cap.Message{Sent: moment.Of(meta.ReceivedAt), Infos: []cap.Info{{Event: "Banjir", Severity: cap.Severe}}}})
		case "bad":
			b.Rejected = append(b.Rejected, feeds.Refusal{Index: 200 + i, Reason: fmt.Sprintf("line %d: %q is no level", i, w)})
		default:
			for n := range 12 {
				b.Observations = append(b.Observations, feeds.Observation{Index: n, Thing: fmt.Sprint("g-", n), Kind: "river_gauge", Property: "water_level", Unit: w, At: moment.Of(meta.ReceivedAt.Add(-2 * time.Second)),
					Value: feeds.Value{Num: 1 + float64(n)/10}, Placed: true, Position: geo.Position{Lat: -0.8, Lng: 100.6}})
			}
		}
	}
	return b, nil
}

// house is a runner of one feed with a contract.
func house(t *testing.T, k Keeper, clock *hand) (*Runner, *store) {
	t.Helper()
	s := &store{}
	r, err := New([]FeedConfig{entry("awlr", nil)}, s, Options{Now: clock.now, Keeper: k, Formats: func(string, map[string]any) (feeds.Format, error) { return gauges{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range r.inlets {
		in.health.start()
	}
	return r, s
}

func tell(t *testing.T, r *Runner, clock *hand, body string) feeds.Outcome {
	t.Helper()
	clock.move(time.Minute)
	out, err := r.Deliver(t.Context(), "awlr", []byte(body), feeds.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDriftIsHeldAndDecided(t *testing.T) {
	k, clock := newShelf(), &hand{t: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)}
	r, s := house(t, k, clock)
	for range 8 {
		tell(t, r, clock, "m")
	}
	out := tell(t, r, clock, "km alert")
	if out.Accepted != 1 || len(out.Ignored) != 12 || !strings.HasPrefix(out.Ignored[0].Reason, "held in quarantine held-1: unit of water_level: m became km") {
		t.Fatalf("%+v", out)
	}
	if last := s.batches[len(s.batches)-1]; len(last.Alerts) != 1 || len(last.Observations) != 0 || last.AllAlerts {
		t.Errorf("the alert did not pass, or the readings did, or it ends other alerts: %+v", last)
	}
	if st := r.Status()[0]; st.State != feeds.FeedFailing || st.Reason != "drift: unit of water_level: m became km" || !strings.Contains(st.ReasonID, "menjadi") || st.Quarantined != 1 {
		t.Errorf("%+v", st)
	}
	for range 360 { // flapping: one note
		clock.move(10 * time.Second)
		tell(t, r, clock, "km")
	}
	if len(k.held) != 1 {
		t.Errorf("%d notes of one cause", len(k.held))
	}
	if out := tell(t, r, clock, "m"); out.Accepted != 12 {
		t.Errorf("the truth is not believed: %+v", out)
	}
	other, _ := house(t, k, clock) // another server, which knows only what is kept
	r.inlets["awlr"].attend(t.Context(), true)
	if out := tell(t, other, clock, "km"); len(out.Ignored) != 12 {
		t.Errorf("another server does not know the contract: %+v", out)
	}
	var h contract.Held
	for _, h = range k.held {
	}
	if out, err := r.Accept(t.Context(), h, k.body[h.ID]); err != nil || out.Accepted != 12 {
		t.Fatalf("%+v %v", out, err)
	}
	if s.batches[len(s.batches)-1].AllAlerts {
		t.Error("what was held ends alerts that came since")
	}
	if out := tell(t, r, clock, "km"); out.Accepted != 12 || len(out.Ignored) != 0 {
		t.Errorf("the new shape is not believed: %+v", out)
	}
	clock.move(attendEvery)
	other.inlets["awlr"].attend(t.Context(), false)
	if out := tell(t, other, clock, "km"); out.Accepted != 12 {
		t.Errorf("another server has not heard of the decision: %+v", out)
	}
}

// Within a second a cause is only counted; where nothing can be kept, nothing is acknowledged.
func TestHoldingIsDurableAndCheap(t *testing.T) {
	k, clock := newShelf(), &hand{t: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)}
	r, s := house(t, k, clock)
	for range 8 {
		tell(t, r, clock, "m")
	}
	stored := len(s.batches)
	k.err = errors.New("no store")
	clock.move(time.Minute)
	if _, err := r.Deliver(t.Context(), "awlr", []byte("km"), feeds.Meta{}); !errors.Is(err, feeds.ErrBusy) || len(s.batches) != stored {
		t.Fatalf("held without a store: %v", err)
	}
	k.err = nil
	tell(t, r, clock, "km")
	asks := k.asks
	for range 100 {
		if _, err := r.Deliver(t.Context(), "awlr", []byte("km"), feeds.Meta{}); err != nil {
			t.Fatal(err)
		}
	}
	if k.asks != asks {
		t.Errorf("%d writes within a second", k.asks-asks)
	}
	tell(t, r, clock, "km")
	for _, h := range k.held {
		if h.Times != 102 {
			t.Errorf("%d deliveries are counted, want 102", h.Times)
		}
	}
	if out, err := r.Deliver(t.Context(), "awlr", []byte("km"), feeds.Meta{Dry: true}); err != nil || len(out.Ignored) != 0 {
		t.Errorf("a dry run is judged: %+v %v", out, err)
	}
}

func TestRejectsAreCountedByReason(t *testing.T) {
	r, _ := house(t, nil, &hand{t: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)})
	in := r.inlets["awlr"]
	for i := range 50 {
		in.health.reject([]feeds.Refusal{{Index: i, Reason: fmt.Sprintf("line %d: %q is no level", i, "x")}})
	}
	if got := in.status().RejectsByReason; len(got) != 1 || got["line …: … is no level"] != 50 {
		t.Errorf("%v", got)
	}
	for i := range 100 {
		in.health.reject([]feeds.Refusal{{Reason: strings.Repeat("x", i)}})
	}
	if got := in.status().RejectsByReason; len(got) > mostReasons+1 || got[otherReason] == 0 {
		t.Errorf("%d reasons: %v", len(got), got)
	}
}

// What names people is not kept with a note, as it is not in the archive; the note can be accepted all the same.
func TestNotesOnReportsKeepNoNames(t *testing.T) {
	k, clock, s := newShelf(), &hand{t: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)}, &store{}
	named := entry("awlr", func(c *FeedConfig) { c.Format = "open311" })
	r, err := New([]FeedConfig{named}, s, Options{Now: clock.now, Keeper: k, Formats: func(string, map[string]any) (feeds.Format, error) { return gauges{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		tell(t, r, clock, "m")
	}
	partly := "m" + strings.Repeat(" bad", 8)
	if out := tell(t, r, clock, partly); out.Accepted != 12 || len(k.held) != 1 {
		t.Fatalf("%+v, %d notes", out, len(k.held))
	}
	for _, h := range k.held {
		if k.body[h.ID] != nil || !h.Passed {
			t.Errorf("kept of it: %q, passed %t", k.body[h.ID], h.Passed)
		}
		stored := len(s.batches)
		if _, err := r.Accept(t.Context(), h, nil); err != nil || len(s.batches) != stored {
			t.Errorf("accepted without its bytes: %v", err)
		}
	}
	clear(k.held)
	if tell(t, r, clock, partly); len(k.held) != 0 {
		t.Errorf("what was accepted is noted again: %+v", k.held)
	}
}
