package backtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/feeds/archive"
	"kentongan/geo/moment"
	"kentongan/server/ingest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func program(t *testing.T) *rules.Program {
	t.Helper()
	p, err := rules.Compile([]rules.Rule{{ID: "high", When: `obs.property == "level" && obs.value >= 3.0`, Samples: 1,
		Alert: rules.AlertBlock{Event: "X", Category: "Met", Severity: "Severe", Urgency: "Immediate", Certainty: "Observed"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// delivered is a source of levels, one a minute from noon.
func delivered(levels []float64, each func(i int) error) Source {
	return Source{"levels", func(_ context.Context, p *ingest.Player, since, until time.Time, take func(time.Time, []rules.Decision) error) error {
		for i, x := range levels {
			at := noon.Add(time.Duration(i) * time.Minute)
			if at.Before(since) {
				continue
			}
			if each != nil {
				if err := each(i); err != nil {
					return err
				}
			}
			b := feeds.Batch{Observations: []feeds.Observation{{Thing: "a", Property: "level", Value: feeds.Value{Num: x}, At: moment.Of(at)}}}
			if err := take(at, p.Delivery(b, feeds.Meta{Feed: "awlr", ReceivedAt: at}, time.Time{})); err != nil {
				return err
			}
		}
		return nil
	}}
}

// waves is so many levels, of which every tenth is high.
func waves(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		if out[i] = 1; i%10 == 5 {
			out[i] = 4
		}
	}
	return out
}

func TestBounds(t *testing.T) {
	ask := Ask{Program: program(t), From: noon.Add(20 * time.Minute), To: noon.Add(40 * time.Minute), Now: noon.Add(24 * time.Hour), Span: time.Minute}
	got, err := Run(t.Context(), ask, delivered(waves(100), nil))
	if err != nil || got.Fired != 2 || len(got.Alerts) != 2 || !got.Complete {
		t.Fatalf("%+v %v", got, err)
	}
	if a := got.Alerts[0]; !a.At.Equal(noon.Add(25*time.Minute)) || a.Until == nil || !a.Until.Equal(noon.Add(26*time.Minute)) || a.Key != "awlr:a" || len(a.Inputs) != 1 {
		t.Errorf("%+v", a)
	}
	if got.ByThing["awlr:a"] != 2 || got.ByHour["2026-03-01T12Z"] != 2 {
		t.Errorf("%v %v", got.ByThing, got.ByHour)
	}
	// What is read before, so that a rule knows its samples, is not counted; nothing is read long before that, nor long after the end.
	if first := ask.From.Add(-lateness); got.Readings != int(ask.To.Add(lateness).Sub(first).Minutes())+2 {
		t.Errorf("%d readings from %s on", got.Readings, first)
	}
	ask.From, ask.To = time.Time{}, time.Time{}
	if got, err = Run(t.Context(), ask, delivered(waves(100), nil)); err != nil || got.Fired != 10 || !got.To.Equal(noon.Add(99*time.Minute)) {
		t.Errorf("without an end: %+v %v", got, err)
	}
	ask.Now = noon.Add(30 * time.Minute)
	if got, err = Run(t.Context(), ask, delivered(waves(100), nil)); err != nil || got.Fired != 3 {
		t.Errorf("of what lies ahead: %d fired, %v", got.Fired, err)
	}
	ask.Rule, ask.Now = "another", noon.Add(time.Hour)
	if got, err = Run(t.Context(), ask, delivered(waves(100), nil)); err != nil || got.Fired != 0 {
		t.Errorf("of another rule: %d fired, %v", got.Fired, err)
	}
}

func TestOnlyTheFirstAreListed(t *testing.T) {
	got, err := Run(t.Context(), Ask{Program: program(t), Now: noon.AddDate(1, 0, 0), Span: time.Minute}, delivered(waves(10*(MostAlerts+5)), nil))
	if err != nil || got.Fired != MostAlerts+5 || len(got.Alerts) != MostAlerts || !strings.Contains(fmt.Sprint(got.Warnings), "the first 1000 are listed") {
		t.Errorf("%d fired, %d listed, %v %v", got.Fired, len(got.Alerts), got.Warnings, err)
	}
}

// Whoever asks has no more time: what was found until then is told, and how far it came. An error of the source is one.
func TestCancelAndErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	got, err := Run(ctx, Ask{Program: program(t), From: noon, To: noon.Add(90 * time.Hour), Now: noon.AddDate(1, 0, 0), Span: time.Minute}, delivered(waves(5000), func(i int) error {
		if i == 1500 {
			cancel()
		}
		return nil
	}))
	end := noon.Add(2047*time.Minute - lateness) // looked at with every 1,024th
	if err != nil || got.Complete || got.Fired < 150 || got.Fired > 210 || got.To.After(end) || got.To.Before(noon.Add(1400*time.Minute)) || len(got.Warnings) == 0 {
		t.Errorf("fired %d, to %s, %v %v", got.Fired, got.To, got.Warnings, err)
	}
	broken := errors.New("the disk")
	if _, err := Run(t.Context(), Ask{Program: program(t), Now: noon.Add(time.Hour)}, delivered(waves(10), func(i int) error {
		if i == 5 {
			return broken
		}
		return nil
	})); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// A record that nobody can read is passed over, as live does, and told.
func TestUnreadableRecordsArePassedOver(t *testing.T) {
	levels := delivered(waves(30), nil)
	src := Source{SourceHistory, func(ctx context.Context, p *ingest.Player, since, until time.Time, take func(time.Time, []rules.Decision) error) error {
		if err := take(noon, p.Record([]byte{0xff, 0xff})); err != nil {
			return err
		}
		return levels.Give(ctx, p, since, until, take)
	}}
	got, err := Run(t.Context(), Ask{Program: program(t), Now: noon.Add(time.Hour), Span: time.Minute}, src)
	if err != nil || got.Fired != 3 || !strings.Contains(fmt.Sprint(got.Warnings), "1 records could not be read") {
		t.Errorf("%d fired, %v %v", got.Fired, got.Warnings, err)
	}
}

// Files of several feeds are one recording, by when things were received; one whose end is torn gives what it has.
func TestFilesAreMerged(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for _, name := range []string{"2026-03-01T12.a.jsonl", "2026-03-01T12.b.jsonl", "2026-03-01T11.a.jsonl"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	groups := hours(paths)
	if len(groups) != 2 || len(groups[0]) != 1 || len(groups[1]) != 2 || filepath.Base(groups[0][0]) != "2026-03-01T11.a.jsonl" {
		t.Errorf("%v", groups)
	}
	if err := merged(t.Context(), []string{filepath.Join(dir, "none")}, func(archive.Delivery) error { return nil }); err == nil {
		t.Error("a file that is not there is read")
	}
	if _, _, err := Only("a", nil)(t.Context(), archive.Delivery{Feed: "b"}); !errors.Is(err, feeds.ErrPermanent) {
		t.Errorf("of another feed: %v", err)
	}
}
