package simulator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/formats/native"
)

var update = flag.Bool("update", false, "rewrite golden files; a person reads the difference")

// heard is what a house that keeps everything was told.
type heard struct {
	mu         sync.Mutex
	deliveries int
	readings   int
	intervals  map[string]map[time.Duration]int // by kind
	seen       map[string]bool                  // readings by thing, property and time
	last       map[string]time.Time             // of a Thing's property
	gaps       map[string]time.Duration         // by kind, the longest
	doubled    int
	words      map[string]int
	behind     time.Duration // the oldest that was told
	sum        []byte
}

func (h *heard) take(t *testing.T, body []byte, m feeds.Meta) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen == nil {
		h.seen, h.last, h.gaps, h.words, h.intervals = map[string]bool{}, map[string]time.Time{}, map[string]time.Duration{}, map[string]int{}, map[string]map[time.Duration]int{}
	}
	h.deliveries++
	sum := sha256.Sum256(append(h.sum, body...))
	h.sum = sum[:]
	if !m.Simulated || m.ContentType != "application/x-ndjson" {
		t.Errorf("meta %+v", m)
	}
	b, err := native.Format{}.Decode(body, m)
	if err != nil || len(b.Rejected)+len(b.Ignored) > 0 {
		t.Errorf("%v %v %v", err, b.Rejected, b.Ignored)
	}
	for _, o := range b.Observations {
		h.reading(t, o.Kind, o.Thing, o.Property, o.At.Time, m)
	}
	for _, u := range b.Positions {
		h.reading(t, u.Kind, u.Unit, "position", u.At.Time, m)
	}
	for _, a := range b.Alerts {
		h.words["alert "+a.Message.Identifier]++
	}
	for _, r := range b.Reports {
		h.words["report "+r.ID]++
	}
}

func (h *heard) reading(t *testing.T, kind, thing, property string, at time.Time, m feeds.Meta) {
	h.readings++
	if at.After(m.ReceivedAt) {
		t.Errorf("%s speaks of %v ahead of now", thing, at.Sub(m.ReceivedAt))
	}
	h.behind = max(h.behind, m.ReceivedAt.Sub(at))
	name := thing + " " + property
	if key := name + at.String(); h.seen[key] {
		h.doubled++
	} else {
		h.seen[key] = true
	}
	if l, ok := h.last[name]; ok && property != "brake_temperature" {
		if !at.After(l) {
			t.Errorf("%s goes back from %s to %s", name, l, at)
		}
		h.gaps[kind] = max(h.gaps[kind], at.Sub(l))
	}
	h.last[name] = at
	if h.intervals[kind] == nil {
		h.intervals[kind] = map[time.Duration]int{}
	}
	h.intervals[kind][m.Interval]++
}

// Every Thing keeps its declared interval, and the deliveries are few.
func TestTheScheduleIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		ctx, cancel := context.WithTimeout(t.Context(), 11*time.Minute)
		defer cancel()
		err := NewTransport(Config{Place: home(), Things: 1000}).Run(ctx, func(_ context.Context, body []byte, m feeds.Meta) (feeds.Outcome, error) {
			h.take(t, body, m)
			return feeds.Outcome{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if rate := float64(h.deliveries) / 660; rate < 2 || rate > 12 {
			t.Errorf("%.1f deliveries a second", rate)
		}
		t.Logf("%.1f deliveries and %.0f readings a second, the oldest %v late", float64(h.deliveries)/660, float64(h.readings)/660, h.behind)
		for k := range kinds {
			s := specs[k]
			if len(h.intervals[s.name]) != 1 || h.intervals[s.name][s.interval] == 0 {
				t.Errorf("%s declares %v", s.name, h.intervals[s.name])
			}
			if gap := h.gaps[s.name]; gap > s.interval*12/10+2*time.Second {
				t.Errorf("%s, expected every %v, is silent for %v", s.name, s.interval, gap)
			}
		}
		if h.doubled > 0 || h.behind > 4*time.Second {
			t.Errorf("%d readings doubled, %v behind", h.doubled, h.behind)
		}
	})
}

// What is not acknowledged is kept and sent again, bounded; nothing is told twice to a house that took it, alerts and reports are never lost.
func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		began := time.Now()
		run := order(t, "quake", began.Add(time.Second))
		most, refused := 0, 0
		var mu sync.Mutex
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
		defer cancel()
		err := NewTransport(Config{Place: home(), Things: 1500, Runs: func(context.Context) ([]Run, error) { return []Run{run}, nil }}).Run(ctx, func(_ context.Context, body []byte, m feeds.Meta) (feeds.Outcome, error) {
			time.Sleep(30 * time.Millisecond)
			if age := time.Since(began); age > 20*time.Second && age < 8*time.Minute { // the store takes nothing for a while
				mu.Lock()
				refused++
				mu.Unlock()
				return feeds.Outcome{}, feeds.ErrBusy
			}
			mu.Lock()
			most = max(most, bytes.Count(body, []byte("\n")))
			mu.Unlock()
			h.take(t, body, m)
			return feeds.Outcome{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if h.doubled > 0 || most > mostLines+100 || refused == 0 {
			t.Errorf("%d doubled, %d lines in one delivery, %d refused", h.doubled, most, refused)
		}
		s, err := scenario("quake")
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, a := range s.Alerts {
			if a.At < 11*time.Minute {
				want++
			}
		}
		for _, r := range s.Reports {
			if r.At < 11*time.Minute {
				want++
			}
		}
		if len(h.words) != want {
			t.Errorf("%d of %d alerts and reports came: %v", len(h.words), want, h.words)
		}
		for id, n := range h.words {
			if n != 1 {
				t.Errorf("%s came %d times", id, n)
			}
		}
	})
}

// It ends with its context, also while a delivery hangs or is refused, and leaves nothing behind (synctest holds that no goroutine stays).
func TestItStops(t *testing.T) {
	for name, deliver := range map[string]feeds.Deliver{
		"taken": func(context.Context, []byte, feeds.Meta) (feeds.Outcome, error) { return feeds.Outcome{}, nil },
		"refused": func(context.Context, []byte, feeds.Meta) (feeds.Outcome, error) {
			return feeds.Outcome{}, errors.New("no")
		},
		"permanent": func(context.Context, []byte, feeds.Meta) (feeds.Outcome, error) {
			return feeds.Outcome{}, feeds.Permanent(errors.New("never"))
		},
		"hanging": func(ctx context.Context, _ []byte, _ feeds.Meta) (feeds.Outcome, error) {
			<-ctx.Done()
			return feeds.Outcome{}, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() {
					ended <- NewTransport(Config{Place: elsewhere(), Things: 300, Runs: func(ctx context.Context) ([]Run, error) { return nil, errors.New("down") }}).Run(ctx, deliver)
				}()
				time.Sleep(10 * time.Second)
				cancel()
				began := time.Now()
				if err := <-ended; err != nil || time.Since(began) > time.Second {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		})
	}
	if err := NewTransport(Config{Place: home(), Things: 3}).Run(t.Context(), nil); err == nil {
		t.Error("a city of three Things")
	}
}

// A run is stopped by whoever orders it: its causes end, also where another server took the order.
func TestStop(t *testing.T) {
	c := city(t, home(), 500)
	began := midnight.Add(11 * time.Hour)
	run := order(t, "galodo", began)
	stopped := run
	stopped.StoppedAt.Time = began.Add(5 * time.Minute)
	gauge := &c.things[c.first[riverGauge]]
	for _, x := range []struct {
		run  Run
		high bool
	}{{run, true}, {stopped, false}} {
		if err := c.SetRuns([]Run{x.run}, began); err != nil {
			t.Fatal(err)
		}
		at := began.Add(6 * time.Minute).UnixMilli()
		if rain := c.rain(c.land.rivers[0].line.points[0], at); (rain > 100) != x.high {
			t.Errorf("%s: %.0f mm/h", x.run.State(began.Add(6*time.Minute)), rain)
		}
		before := c.level(gauge, began.Add(3*time.Minute).UnixMilli())
		if before < 3 {
			t.Errorf("%.2f m while it ran", before)
		}
	}
	if s := stopped.State(began.Add(6 * time.Minute)); s != "stopped" {
		t.Error(s)
	}
	if s := run.State(began.Add(3 * time.Hour)); s != "ended" {
		t.Error(s)
	}
}

// Equal seeds tell the same to the byte; another seed does not.
func TestDeterminism(t *testing.T) {
	tell := func(place Place, seed uint64) string {
		c, err := New(place, 600, seed)
		if err != nil {
			t.Fatal(err)
		}
		began := midnight.Add(7 * time.Hour)
		if err := c.SetRuns([]Run{order(t, "galodo", began), order(t, "truck", began)}, began); err != nil {
			t.Fatal(err)
		}
		list, of := rhythmsOf()
		a := c.open(began.UnixMilli())
		sum := sha256.New()
		for s := range int64(300) {
			a.run(c, began.UnixMilli()+s*1000, &of)
			for _, r := range list {
				sum.Write(r.writer.b)
				r.writer = writer{b: r.writer.b[:0]}
			}
		}
		return hex.EncodeToString(sum.Sum(nil))
	}
	for name, place := range places {
		if a, b, other := tell(place(), 7), tell(place(), 7), tell(place(), 8); a != b || a == other {
			t.Errorf("%s: %s %s %s", name, a, b, other)
		}
	}
}

// The truth of every scenario, at home and elsewhere, in absolute time; a person reads the difference when a scenario changes.
func TestTruth(t *testing.T) {
	for name, place := range places {
		c := city(t, place(), 2000)
		for _, s := range Scenarios() {
			if s.Names["id"] == "" || s.Names["en"] == "" || s.About["id"] == "" || s.About["en"] == "" || s.Duration < 10*time.Minute {
				t.Errorf("%s: %+v", s.ID, s)
			}
			truth, err := c.Truth(order(t, s.ID, midnight))
			if err != nil {
				t.Fatalf("%s, %s: %v", name, s.ID, err)
			}
			if len(truth.Happens) == 0 || len(truth.Expect) == 0 {
				t.Errorf("%s, %s: nothing happens", name, s.ID)
			}
			for _, h := range truth.Happens {
				if h.What["id"] == "" || h.What["en"] == "" || h.Place == "" || math.Abs(h.Lat) > 7 || h.At.Before(midnight) {
					t.Errorf("%s, %s: %+v", name, s.ID, h)
				}
			}
			for _, x := range truth.Expect {
				if x.OpensBefore.Before(x.OpensAfter.Time) || x.RadiusM <= 0 {
					t.Errorf("%s, %s: %+v", name, s.ID, x)
				}
			}
			got, err := json.MarshalIndent(truth, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+"-"+s.ID+".json")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || !bytes.Equal(bytes.TrimSpace(want), got) {
				t.Errorf("%s is not what the model says (%v); read the difference after go test -update", golden, err)
			}
		}
	}
	if _, err := NewRun("x", "godzilla", "test", midnight); err == nil {
		t.Error("godzilla")
	}
}
