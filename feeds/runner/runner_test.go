package runner

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// words is a format for tests: one observation a word; "bad" is refused, "panic" panics, "link:x" is a link, "<" is no document.
type words struct{}

func (words) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	b := feeds.Batch{Snapshot: strings.HasPrefix(meta.Feed, "snap"), AllAlerts: strings.HasPrefix(meta.Feed, "snap")}
	for i, w := range strings.Fields(string(body)) {
		link, isLink := strings.CutPrefix(w, "link:")
		switch {
		case w == "panic":
			panic("words: a decoder that dies")
		case strings.HasPrefix(w, "<"):
			return feeds.Batch{}, errors.New("words: not words at line 1 column 1")
		case w == "bad":
			b.Rejected = append(b.Rejected, feeds.Refusal{Index: i, Reason: "bad word"})
		case isLink:
			b.Follow = append(b.Follow, link)
		default:
			b.Observations = append(b.Observations, feeds.Observation{Index: i, ID: w, Thing: w, Property: "p", At: moment.Of(meta.ReceivedAt.Add(-2 * time.Second))})
		}
	}
	return b, nil
}

func formatsForTests(name string, _ map[string]any) (feeds.Format, error) {
	if name != "native" {
		return nil, fmt.Errorf("format %q is not known", name)
	}
	return words{}, nil
}

// store is a sink that keeps what it is given.
type store struct {
	mu      sync.Mutex
	batches []feeds.Batch
	metas   []feeds.Meta
	err     error
}

func (s *store) Store(_ context.Context, b feeds.Batch, m feeds.Meta) (feeds.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return feeds.Receipt{}, s.err
	}
	s.batches, s.metas = append(s.batches, b), append(s.metas, m)
	return feeds.Receipt{Accepted: b.Records(), Rejected: b.Rejected}, nil
}

// hand is a clock that is moved by hand.
type hand struct {
	mu sync.Mutex
	t  time.Time
}

func (h *hand) now() time.Time       { h.mu.Lock(); defer h.mu.Unlock(); return h.t }
func (h *hand) move(d time.Duration) { h.mu.Lock(); h.t = h.t.Add(d); h.mu.Unlock() }

func entry(name string, change func(*FeedConfig)) FeedConfig {
	c := DefaultConfig()
	c.Name, c.Format = name, "native"
	if change != nil {
		change(&c)
	}
	return c
}

// build makes a runner whose feeds count as running, with a clock moved by hand.
func build(t *testing.T, configs ...FeedConfig) (*Runner, *store, *hand) {
	t.Helper()
	s, clock := &store{}, &hand{t: time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)}
	r, err := New(configs, s, Options{Now: clock.now, Formats: formatsForTests, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range r.inlets {
		in.health.start()
	}
	return r, s, clock
}

func TestDeliverAnswersAsTheContractSays(t *testing.T) {
	r, s, _ := build(t, entry("push", func(c *FeedConfig) { c.Kind, c.Agency, c.Simulated, c.Attribution = "gauge", "bpbd", true, "BPBD" }), entry("file", func(c *FeedConfig) { c.Transport, c.Path = File, "x" }))
	out, err := r.Deliver(t.Context(), "push", []byte("a bad b link:http://x"), feeds.Meta{ContentType: "text/plain"})
	if err != nil || out.Accepted != 2 || len(out.Rejected) != 1 || len(out.Ignored) != 1 || !strings.HasPrefix(out.Ignored[0].Reason, "link only") || len(out.Follow) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	m := s.metas[0]
	if m.Feed != "push" || m.Kind != "gauge" || m.Agency != "bpbd" || !m.Simulated || m.Attribution != "BPBD" || m.ContentType != "text/plain" || m.ReceivedAt.IsZero() {
		t.Errorf("meta %+v", m)
	}
	if out, err := r.Deliver(t.Context(), "push", nil, feeds.Meta{}); err != nil || out.Accepted != 0 || out.Ignored == nil || out.Rejected == nil || len(s.batches) != 1 {
		t.Errorf("empty body: %+v, %v", out, err)
	}
	if _, err := r.Deliver(t.Context(), "nobody", nil, feeds.Meta{}); !errors.Is(err, ErrUnknownFeed) {
		t.Error(err)
	}
	if _, err := r.Deliver(t.Context(), "file", nil, feeds.Meta{}); !errors.Is(err, ErrNotPush) {
		t.Error(err)
	}
	if _, err := r.Deliver(t.Context(), "push", []byte("a <html>"), feeds.Meta{}); !errors.Is(err, feeds.ErrPermanent) || !strings.Contains(err.Error(), "line 1 column 1") {
		t.Error(err)
	}
	s.err = feeds.ErrBusy
	if _, err := r.Deliver(t.Context(), "push", []byte("a"), feeds.Meta{}); !errors.Is(err, feeds.ErrBusy) || errors.Is(err, feeds.ErrPermanent) {
		t.Error(err)
	}
}

func TestPoisonCostsItsMessageOnly(t *testing.T) {
	r, s, _ := build(t, entry("push", nil))
	if _, err := r.Deliver(t.Context(), "push", []byte("a panic"), feeds.Meta{}); !errors.Is(err, feeds.ErrPermanent) || errors.Is(err, bounded.ErrTooLarge) {
		t.Errorf("a panic gives %v", err)
	}
	if len(s.batches) != 0 {
		t.Error("something of it was stored")
	}
	if out, err := r.Deliver(t.Context(), "push", []byte("a"), feeds.Meta{}); err != nil || out.Accepted != 1 {
		t.Errorf("the feed does not go on: %+v, %v", out, err)
	}
	if st := r.Status()[0]; st.Rejects != 1 || st.LastError == "" {
		t.Errorf("status %+v", st)
	}
}

func TestDryRunLeavesNoTrace(t *testing.T) {
	r, s, _ := build(t, entry("snap", nil))
	out, err := r.Deliver(t.Context(), "snap", []byte("a"), feeds.Meta{Dry: true})
	if err != nil || !out.DryRun || !s.metas[0].Dry {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := r.Deliver(t.Context(), "snap", []byte("<"), feeds.Meta{Dry: true}); err == nil {
		t.Error("no error")
	}
	if st := r.Status()[0]; !st.LastSuccess.IsZero() || st.Rejects != 0 || st.State != feeds.FeedOK {
		t.Errorf("status %+v", st)
	}
}

func TestEmptyAnswerAfterAFullOneIsNotBelieved(t *testing.T) {
	r, s, clock := build(t, entry("snap", nil))
	send := func(body string) error {
		_, err := r.Deliver(t.Context(), "snap", []byte(body), feeds.Meta{})
		return err
	}
	if err := errors.Join(send(""), send("a b")); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		clock.move(time.Minute)
		if err := send(""); err == nil {
			t.Fatal("an empty answer was taken at once")
		}
	}
	if st := r.Status()[0]; st.State != feeds.FeedFailing || !strings.HasPrefix(st.Reason, "empty: ") || len(s.batches) != 2 {
		t.Errorf("%d stored, status %+v", len(s.batches), st)
	}
	clock.move(time.Hour)
	if err := send(""); err != nil || len(s.batches) != 3 {
		t.Errorf("after an hour: %v, %d stored", err, len(s.batches))
	}
}

func TestDriftIsTold(t *testing.T) {
	r, _, _ := build(t, entry("push", nil))
	r.Deliver(t.Context(), "push", []byte("a b c bad bad"), feeds.Meta{})
	if st := r.Status()[0]; st.State != feeds.FeedFailing || !strings.HasPrefix(st.Reason, "drift: 2 of 5 items refused") || st.Rejects != 2 {
		t.Errorf("status %+v", st)
	}
}

func TestStatesByAge(t *testing.T) {
	r, _, clock := build(t, entry("declared", func(c *FeedConfig) { c.Interval = time.Minute }), entry("learned", nil))
	state := func(i int) string {
		s := r.Status()[i]
		return string(s.State) + " " + strings.SplitN(s.Reason, ":", 2)[0]
	}
	if got := state(0); got != "ok waiting" {
		t.Errorf("at first %q", got)
	}
	send := func(feed string) {
		if _, err := r.Deliver(t.Context(), feed, []byte("a"), feeds.Meta{}); err != nil {
			t.Fatal(err)
		}
	}
	send("declared")
	for _, c := range []struct {
		move time.Duration
		want string
	}{{74 * time.Second, "ok "}, {time.Second, "late silence"}, {105 * time.Second, "late silence"}, {time.Second, "failing silence"}} {
		if clock.move(c.move); state(0) != c.want {
			t.Errorf("after %v more: %q, want %q", c.move, state(0), c.want)
		}
	}
	send("declared")
	if got := state(0); got != "failing unstable" {
		t.Errorf("just back: %q", got)
	}
	if clock.move(16 * time.Second); state(0) != "ok " {
		t.Errorf("well for a while: %q", state(0))
	}
	for _, gap := range []time.Duration{10, 10, 300, 10, 10} {
		send("learned")
		clock.move(gap * time.Second)
	}
	if s := r.Status()[1]; s.IntervalS != 10 || s.LagMS == nil || *s.LagMS != 2000 || s.ItemsPerMinute != 2 {
		t.Errorf("learned %+v", s)
	}
	if clock.move(25 * time.Second); state(1) != "failing silence" {
		t.Errorf("by the learned interval: %q", state(1))
	}
}

func TestFlappingIsOneChange(t *testing.T) {
	var changes []string
	clock := &hand{t: time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)}
	h := newHealth(clock.now, 5*time.Second, func(s feeds.FeedState, _ string) { changes = append(changes, string(s)) })
	h.start()
	h.success(1, nil)
	for second := range 3600 {
		clock.move(time.Second)
		if second%20 < 10 {
			h.Fault(errors.New("refused: nobody listens at this address"))
		} else {
			h.success(1, nil)
		}
		h.judge()
	}
	if got := strings.Join(changes, " "); got != "ok failing" {
		t.Errorf("an hour of flapping changed the state: %s", got)
	}
	if h.success(1, nil); !strings.HasPrefix(h.status().Reason, "unstable: ") || !strings.Contains(h.status().Reason, "refused") {
		t.Errorf("reason %q", h.status().Reason)
	}
	for range 61 {
		clock.move(time.Second)
		h.success(1, nil)
	}
	if got := strings.Join(changes, " "); got != "ok failing ok" {
		t.Errorf("after a quiet minute: %s", got)
	}
	h.stop("off: the house is closing")
	if s := h.status(); s.State != feeds.FeedOff {
		t.Errorf("stopped but %s", s.State)
	}
}

func TestShiftMakesARecordingHappenNow(t *testing.T) {
	at := func(s string) moment.Time { p, _ := time.Parse(time.RFC3339, s); return moment.Of(p) }
	now := time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)
	s := &shifter{speed: 1}
	batch := func() feeds.Batch {
		return feeds.Batch{
			Observations: []feeds.Observation{{ID: "x", At: at("2021-05-01T00:00:00Z")}, {}},
			Alerts: []feeds.Alert{{Message: cap.Message{Sent: at("2021-05-01T00:10:00Z"), References: []cap.Reference{{Sent: at("2021-04-30T23:10:00Z")}},
				Infos: []cap.Info{{Onset: at("2021-05-01T00:20:00Z"), Expires: at("2021-05-01T03:10:00Z")}}}, Quake: &feeds.Quake{OriginAt: at("2021-05-01T00:05:00Z")}}},
		}
	}
	b := batch()
	s.apply(&b, now)
	a := b.Alerts[0].Message
	if a.Sent.Time != now || a.Infos[0].Expires.Sub(now) != 3*time.Hour || a.Infos[0].Onset.Sub(now) != 10*time.Minute || now.Sub(a.References[0].Sent.Time) != time.Hour ||
		now.Sub(b.Alerts[0].Quake.OriginAt.Time) != 5*time.Minute || now.Sub(b.Observations[0].At.Time) != 10*time.Minute || b.Observations[0].ID != "" || !b.Observations[1].At.IsZero() {
		t.Errorf("moved to %+v", b)
	}
	again := batch()
	s.apply(&again, now.Add(time.Minute))
	if again.Alerts[0].Message.Sent != a.Sent {
		t.Error("the same record came out with another time")
	}
	s.reset()
	s.apply(&again, now.Add(time.Hour))
	if again.Alerts[0].Message.Sent.Time != now.Add(time.Hour) {
		t.Error("a new pass does not happen now")
	}
	fast := &shifter{speed: 60}
	for i, want := range []time.Duration{0, time.Second} {
		o := feeds.Batch{Observations: []feeds.Observation{{At: moment.Of(at("2021-05-01T00:00:00Z").Add(time.Duration(i) * time.Minute))}}}
		fast.apply(&o, now.Add(want))
		if o.Observations[0].At.Time != now.Add(want) {
			t.Errorf("at 60 times: %v, want %v", o.Observations[0].At, now.Add(want))
		}
	}
}

func TestFileFeedRunsAndStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(path, []byte("a b"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := &store{err: feeds.ErrBusy}
		r, err := New([]FeedConfig{entry("file", func(c *FeedConfig) { c.Transport, c.Path, c.Loop, c.Shift, c.Simulated = File, path, true, true, true }),
			entry("gone", func(c *FeedConfig) { c.Transport, c.Path = File, path+".gone" }),
			entry("once", func(c *FeedConfig) { c.Transport, c.Path = File, path })}, s, Options{Formats: formatsForTests})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(5 * time.Second) // a bubble's time
		if st := r.Status(); st[0].State != feeds.FeedFailing || !strings.HasPrefix(st[0].Reason, "store: ") || !strings.HasPrefix(st[1].Reason, "transport: ") {
			t.Errorf("busy: %+v", st)
		}
		s.mu.Lock()
		s.err = nil
		s.mu.Unlock()
		time.Sleep(5 * time.Minute)
		s.mu.Lock()
		passes := 0
		for _, m := range s.metas {
			if m.Feed == "file" && m.Simulated {
				passes++
			}
		}
		if passes < 3 {
			t.Errorf("stored in %d passes", passes)
		}
		s.mu.Unlock()
		if st := r.Status()[0]; st.State != feeds.FeedOK {
			t.Errorf("well again: %+v", st)
		}
		if st := r.Status()[2]; st.State != feeds.FeedOff || st.Reason != "off: the recording has been played to its end" || st.LastSuccess.IsZero() {
			t.Errorf("played to its end: %+v", st)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if st := r.Status()[0]; st.State != feeds.FeedOff {
			t.Errorf("closed: %+v", st)
		}
	})
}

func TestPolledHTMLKeepsTheLastGood(t *testing.T) {
	var mu sync.Mutex
	body := "a b"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasPrefix(r.Header.Get("User-Agent"), "Kentongan/1.2 (city feed reader; ") {
			t.Errorf("User-Agent %q", r.Header.Get("User-Agent"))
		}
		fmt.Fprint(w, body)
	}))
	defer srv.Close()
	s := &store{}
	r, err := New([]FeedConfig{entry("web", func(c *FeedConfig) { c.Transport, c.URL, c.Every, c.AllowPrivate = Poll, srv.URL, time.Second, true })},
		s, Options{Formats: formatsForTests, Version: "1.2", Contact: "ops@solok.go.id"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	until := func(what string, ok func(feeds.FeedStatus) bool) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !ok(r.Status()[0]); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: never; status %+v", what, r.Status()[0])
			}
		}
	}
	until("first answer stored", func(st feeds.FeedStatus) bool { return st.State == feeds.FeedOK && !st.LastSuccess.IsZero() })
	mu.Lock()
	body = "<html>"
	mu.Unlock()
	until("HTML makes it fail", func(st feeds.FeedStatus) bool {
		return st.State == feeds.FeedFailing && strings.HasPrefix(st.Reason, "format: words: not words")
	})
	for _, b := range s.batches {
		if len(b.Observations) != 2 {
			t.Errorf("stored %+v", b)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestConfigFaultsNameTheirKeys(t *testing.T) {
	for _, c := range []struct {
		change func(*FeedConfig)
		keys   string
	}{
		{func(c *FeedConfig) {}, ""},
		{func(c *FeedConfig) { c.Name, c.Format, c.Transport = "A b", "", "pigeon" }, "name format transport"},
		{func(c *FeedConfig) { c.Shift, c.Loop, c.Path, c.URL = true, true, "x", "http://x" }, "url path loop shift shift"},
		{func(c *FeedConfig) { c.Transport = Poll }, "url"},
		{func(c *FeedConfig) {
			c.Transport, c.URL, c.Every, c.Timeout, c.MaxBody, c.Hosts = Poll, "ftp://x", 0, 0, 0, []string{"http://x"}
		}, "url every timeout max_body hosts"},
		{func(c *FeedConfig) { c.Transport, c.Speed, c.Every = File, 0, 0 }, "path speed every"},
		{func(c *FeedConfig) { c.Transport, c.Path, c.Shift = File, "x", true }, "shift"},
		{func(c *FeedConfig) { c.Agency, c.Interval = "A", -1 }, "agency interval"},
	} {
		var keys []string
		for _, err := range entry("ok", c.change).Validate() {
			var f *ConfigError
			if !errors.As(err, &f) || f.Reason == "" {
				t.Errorf("%v names no key", err)
				continue
			}
			keys = append(keys, f.Key)
		}
		if got := strings.Join(keys, " "); got != c.keys {
			t.Errorf("faults in %q, want %q", got, c.keys)
		}
	}
	_, err := New([]FeedConfig{entry("a", nil), entry("a", nil), entry("b", func(c *FeedConfig) { c.Format = "morse" })}, &store{}, Options{Formats: formatsForTests})
	if err == nil || !strings.Contains(err.Error(), `feed "a": name: "a" is given to two feeds`) || !strings.Contains(err.Error(), `feed "b": format: "morse" is none of `) {
		t.Error(err)
	}
}

func TestMetricsCountWhatBecameOfItems(t *testing.T) {
	reg := prometheus.NewRegistry()
	r, err := New([]FeedConfig{entry("push", nil)}, &store{}, Options{Formats: formatsForTests, Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	r.Deliver(t.Context(), "push", []byte("a b bad"), feeds.Meta{})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key := f.GetName()
			for _, l := range m.GetLabel() {
				if l.GetName() != "feed" {
					key += " " + l.GetValue()
				}
			}
			got[key] = m.GetCounter().GetValue()
		}
	}
	for key, want := range map[string]float64{"kentongan_feed_items_total accepted": 2, "kentongan_feed_items_total rejected": 1, "kentongan_feed_deliveries_total stored": 1, "kentongan_feed_bytes_total": 7} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
}
