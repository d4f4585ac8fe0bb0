//go:build !race

// Hours of a city, one step after the other: the race detector would find nothing here and take six times as long. The simulator and the
// rules meet it in their own tests (make go-test-plain).

package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/feeds/formats"
	"kentongan/feeds/formats/native"
	"kentongan/feeds/simulator"
	"kentongan/geo"
	"kentongan/server/config"
	"kentongan/server/profile"
)

// demo is the configuration of make run.
func demo(t *testing.T) config.Config {
	t.Helper()
	cfg, faults := config.Load(config.Source{File: "../../deploy/demo.yaml", Formats: formats.Names()})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return cfg
}

// judged is what a run brought about: when each rule first fired, on how many Things and where.
type judged struct {
	after map[string]time.Duration
	on    map[string][]string
	first map[string]geo.Position
	words int // alerts and reports of the scenario
	lines int
}

// judge plays a scenario against the demo's rules, in the time of a synctest bubble.
func judge(t *testing.T, city, scenario string, things int, lasts time.Duration) judged {
	cfg := demo(t)
	program, err := rules.Compile(cfg.Rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	engine := rules.NewEngine(program)
	place, err := profile.Load(city)
	if err != nil {
		t.Fatal(err)
	}
	out := judged{map[string]time.Duration{}, map[string][]string{}, map[string]geo.Position{}, 0, 0}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(24*366*26*time.Hour + 20*time.Minute) // past 2026, an ordinary hour
		began := time.Now().Add(2 * time.Minute)
		var runs []simulator.Run
		if scenario != "" {
			r, err := simulator.NewRun("01TEST", scenario, "test", began)
			if err != nil {
				t.Fatal(err)
			}
			runs = append(runs, r)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute+lasts)
		defer cancel()
		state := map[string]*feeds.Thing{}
		deliveries := make(chan []byte, 1)
		deliveries <- nil
		deliver := func(_ context.Context, body []byte, m feeds.Meta) (feeds.Outcome, error) {
			<-deliveries // one at a time
			defer func() { deliveries <- nil }()
			b, err := native.Format{}.Decode(body, m)
			if err != nil || len(b.Rejected) > 0 {
				t.Errorf("%v %v", err, b.Rejected)
			}
			out.words += len(b.Alerts) + len(b.Reports)
			out.lines += len(b.Observations) + len(b.Positions)
			for _, o := range b.Observations {
				x := state[o.Thing]
				if x == nil {
					x = &feeds.Thing{ID: "simulator:" + o.Thing, Name: o.Name, Kind: o.Kind, State: map[string]feeds.Reading{}}
					state[o.Thing] = x
				}
				x.State[o.Property], x.Position = feeds.Reading{Value: o.Value, At: o.At}, o.Position
				out.take(engine.Reading(x, o, time.Now()), began)
			}
			out.take(engine.Tick(time.Now()), began)
			return feeds.Outcome{}, nil
		}
		transport := simulator.NewTransport(simulator.Config{Place: placeOf(place), Things: things, Runs: func(context.Context) ([]simulator.Run, error) { return runs, nil }})
		if err := transport.Run(ctx, deliver); err != nil {
			t.Fatal(err)
		}
	})
	return out
}

func (j *judged) take(ds []rules.Decision, began time.Time) {
	for _, d := range ds {
		if !d.Fire {
			continue
		}
		if _, known := j.after[d.Rule.ID]; !known {
			j.after[d.Rule.ID], j.first[d.Rule.ID] = d.At.Sub(began), d.Thing.Position
		}
		if !slices.Contains(j.on[d.Rule.ID], d.Thing.Name) {
			j.on[d.Rule.ID] = append(j.on[d.Rule.ID], d.Thing.Name)
		}
	}
}

// Each scenario raises what its truth expects of instruments, soon, and nothing that belongs to another.
func TestScenariosRaiseWhatTheyShould(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scenario string
		lasts    time.Duration
		want     map[string]time.Duration // rule -> at the latest after the beginning
		may      string                   // what may fire besides
	}{
		{"", 30 * time.Minute, nil, ""},
		{"galodo", 45 * time.Minute, map[string]time.Duration{"galodo": 80 * time.Second, "muka-air-awas": 100 * time.Second, "hujan-ekstrem": time.Minute, "jalan-tergenang": 3 * time.Minute}, "muka-air-siaga listrik-pju-padam"},
		{"ashfall", 85 * time.Minute, map[string]time.Duration{"hujan-abu": 12 * time.Minute, "pm25-berbahaya": 20 * time.Minute, "harga-cabai": 84 * time.Minute}, ""},
		{"quake", 30 * time.Minute, map[string]time.Duration{"gempa-terasa": 20 * time.Second, "listrik-pju-padam": 16 * time.Minute}, ""},
		{"truck", 20 * time.Minute, map[string]time.Duration{"rem-blong": 40 * time.Second, "kecelakaan-truk": 75 * time.Second}, ""},
	} {
		t.Run("scenario "+c.scenario, func(t *testing.T) {
			got := judge(t, "solok", c.scenario, 2000, c.lasts)
			for rule, by := range c.want {
				if after, ok := got.after[rule]; !ok || after > by || after < 0 {
					t.Errorf("%s fired %v after the beginning (%v); want within %v", rule, after, ok, by)
				}
			}
			for rule, things := range got.on {
				t.Log(rule, got.after[rule], len(things), things[:min(4, len(things))])
				if _, wanted := c.want[rule]; !wanted && !strings.Contains(c.may, rule) {
					t.Errorf("%s fires on %v after %v", rule, things, got.after[rule])
				}
			}
			if (got.words > 0) != (c.scenario != "") {
				t.Errorf("%d alerts and reports", got.words)
			}
			t.Log(fmt.Sprint(got.lines, " readings"))
		})
	}
}

// The same scenarios play in a city that the simulator knows only by its profile.
func TestScenariosPlayElsewhere(t *testing.T) {
	t.Parallel()
	for scenario, rule := range map[string]string{"galodo": "galodo", "ashfall": "hujan-abu", "quake": "gempa-terasa", "truck": "kecelakaan-truk", "": ""} {
		t.Run("scenario "+scenario, func(t *testing.T) {
			got := judge(t, "bandung", scenario, 1000, 20*time.Minute)
			for fired, after := range got.after {
				t.Log(fired, after, got.on[fired])
			}
			if rule == "" && len(got.after) > 0 {
				t.Errorf("a calm city alarms: %v", got.on)
			}
			if _, ok := got.after[rule]; rule != "" && !ok {
				t.Errorf("%s did not fire; what fired: %v", rule, got.on)
			}
		})
	}
}
