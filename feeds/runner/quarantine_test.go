package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/contract"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// shelf is a Keeper in memory.
type shelf struct {
	mu    sync.Mutex
	doc   map[string][]byte
	rev   map[string]int64
	held  map[string]contract.Held // by fingerprint
	body  map[string][]contract.Delivery
	asks  int
	ended int // how often what has expired was forgotten
	ends  time.Time
	err   error
}

func newShelf() *shelf {
	return &shelf{doc: map[string][]byte{}, rev: map[string]int64{}, held: map[string]contract.Held{}, body: map[string][]contract.Delivery{}}
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
	d := h.Delivery()
	d.Body = body
	if old, ok := s.held[h.Fingerprint]; ok {
		h.ID, h.Times, h.State = old.ID, old.Times+h.Times, old.State
	} else {
		h.ID = fmt.Sprint("held-", len(s.held)+1)
	}
	s.held[h.Fingerprint] = h
	switch {
	case body != nil && h.Passed:
		s.body[h.ID] = []contract.Delivery{d}
	case body != nil:
		s.body[h.ID] = append(s.body[h.ID], d)
	}
	return h, nil
}

func (s *shelf) Kept(_ context.Context, feed string) (Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, h := range s.held {
		if h.State == contract.StateHeld {
			n += max(1, len(s.body[h.ID]))
		}
	}
	return Kept{Rev: s.rev[feed], Held: n, Expires: s.ends}, s.err
}

func (s *shelf) Expire(context.Context, string) error { s.ended++; return nil }

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
	list := k.body[h.ID]
	if len(list) != 362 {
		t.Fatalf("%d deliveries are held of 362", len(list))
	}
	if err := r.Learn(t.Context(), h, &list[361]); err != nil {
		t.Fatal(err)
	}
	stored := len(s.batches)
	if unread, err := r.Accept(t.Context(), "awlr", list); err != nil || len(unread) != 0 {
		t.Fatalf("%+v %v", unread, err)
	}
	n, last := 0, moment.Time{}
	for _, b := range s.batches[stored:] {
		items := map[int]bool{}
		for _, o := range b.Observations {
			if o.ReceivedAt.Before(last.Time) {
				t.Fatal("not in the order in which they came")
			}
			last = o.ReceivedAt
			items[o.Index] = true
			n++
		}
		if len(items) != len(b.Observations) || b.AllAlerts {
			t.Errorf("%d places for %d readings, all alerts: %t", len(items), len(b.Observations), b.AllAlerts)
		}
	}
	if n != 362*12 || !last.Equal(list[361].At.Time) {
		t.Errorf("%d readings are stored, the last of %v", n, last)
	}
	for fingerprint, h := range k.held {
		h.State = contract.StateAccepted
		k.held[fingerprint] = h
	}
	r.Decided(t.Context(), "awlr")
	if st := r.Status()[0]; st.Quarantined != 0 || strings.HasPrefix(st.Reason, "drift") {
		t.Errorf("%+v", st)
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

// Each delivery of which something is withheld is held before it is acknowledged; where it cannot be, nothing is acknowledged.
func TestEachWithheldDeliveryIsHeld(t *testing.T) {
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
	for range 100 { // in one moment
		if _, err := r.Deliver(t.Context(), "awlr", []byte("km"), feeds.Meta{Topic: "a"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range k.held {
		if list := k.body[h.ID]; h.Times != 100 || len(list) != 100 || list[0].Readings != 12 || list[0].Topic != "a" {
			t.Errorf("%d deliveries are counted and %d held of 100: %+v", h.Times, len(list), h)
		}
	}
	if st := r.Status()[0]; st.Quarantined != 100 {
		t.Errorf("%d are shown of 100", st.Quarantined)
	}
	if out, err := r.Deliver(t.Context(), "awlr", []byte("km"), feeds.Meta{Dry: true}); err != nil || len(out.Ignored) != 0 {
		t.Errorf("a dry run is judged: %+v %v", out, err)
	}
}

// Where there is no room the sender is told so, and what may pass has passed all the same.
func TestFullOrTooLargeIsNotAcknowledged(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want error
		code string
	}{{"full", contract.ErrFull, feeds.ErrBusy, "full: "}, {"too large", contract.ErrLarge, feeds.ErrPermanent, "size: "}} {
		t.Run(c.name, func(t *testing.T) {
			k, clock := newShelf(), &hand{t: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)}
			r, s := house(t, k, clock)
			for range 8 {
				tell(t, r, clock, "m")
			}
			k.err = fmt.Errorf("quarantine: %w", c.err)
			out, err := r.Deliver(t.Context(), "awlr", []byte("km alert"), feeds.Meta{})
			if !errors.Is(err, c.want) || errors.Is(err, feeds.ErrBusy) && errors.Is(err, feeds.ErrPermanent) || out.Accepted+len(out.Ignored) != 0 {
				t.Errorf("acknowledged: %+v %v", out, err)
			}
			if last := s.batches[len(s.batches)-1]; len(last.Alerts) != 1 || len(last.Observations) != 0 || last.AllAlerts {
				t.Errorf("the alert did not pass, or the readings did: %+v", last)
			}
			if st := r.Status()[0]; st.State != feeds.FeedFailing || !strings.HasPrefix(st.Reason, c.code) {
				t.Errorf("%+v", st)
			}
			k.err = nil
			if out := tell(t, r, clock, "m"); out.Accepted != 12 {
				t.Errorf("what is as usual does not pass: %+v", out)
			}
		})
	}
}

// What withholds nothing is only counted within a second: the newest is its sample.
func TestNotesAreCheap(t *testing.T) {
	k, clock := newShelf(), &hand{t: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)}
	r, _ := house(t, k, clock)
	for range 8 {
		tell(t, r, clock, "m")
	}
	partly := "m" + strings.Repeat(" bad", 8)
	tell(t, r, clock, partly)
	asks := k.asks
	for range 100 {
		if _, err := r.Deliver(t.Context(), "awlr", []byte(partly), feeds.Meta{}); err != nil {
			t.Fatal(err)
		}
	}
	if k.asks != asks {
		t.Errorf("%d writes within a second", k.asks-asks)
	}
	tell(t, r, clock, partly)
	for _, h := range k.held {
		if h.Times != 102 || len(k.body[h.ID]) != 1 {
			t.Errorf("%d deliveries are counted, want 102; %d lie there", h.Times, len(k.body[h.ID]))
		}
	}
}

// Who may decide is warned before what is held is forgotten, and not every second.
func TestWhatWillBeForgottenIsSaid(t *testing.T) {
	k, clock, said := newShelf(), &hand{t: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)}, &bytes.Buffer{}
	r, err := New([]FeedConfig{entry("awlr", nil)}, &store{}, Options{Now: clock.now, Keeper: k, Log: zerolog.New(said), Formats: func(string, map[string]any) (feeds.Format, error) { return gauges{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	look := func(moved time.Duration) int {
		clock.move(moved)
		r.inlets["awlr"].attend(t.Context(), false)
		return strings.Count(said.String(), "will be forgotten soon")
	}
	k.ends = clock.now().Add(5 * 24 * time.Hour)
	for _, c := range []struct {
		move time.Duration
		want int
	}{{attendEvery, 0}, {48*time.Hour + time.Second, 1}, {time.Hour, 1}, {12 * time.Hour, 2}} {
		if n := look(c.move); n != c.want {
			t.Errorf("%d warnings after %v more, want %d: %s", n, c.move, c.want, said)
		}
	}
	if look(59*time.Hour + time.Minute); k.ended == 0 {
		t.Error("what has expired is not forgotten")
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
			t.Errorf("kept of it: %+v, passed %t", k.body[h.ID], h.Passed)
		}
		stored := len(s.batches)
		if err := r.Learn(t.Context(), h, nil); err != nil || len(s.batches) != stored {
			t.Errorf("accepted without its bytes: %v", err)
		}
	}
	clear(k.held)
	if tell(t, r, clock, partly); len(k.held) != 0 {
		t.Errorf("what was accepted is noted again: %+v", k.held)
	}
}
