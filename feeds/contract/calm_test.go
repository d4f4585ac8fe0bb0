//go:build !race

// Millions of records in one goroutine: the race detector would find nothing here and take six times as long (make go-test-plain).

package contract

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
	"kentongan/feeds/formats"
	"kentongan/feeds/simulator"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// record reads a recorded file, inflated.
func record(t testing.TB, path string) []byte {
	t.Helper()
	body := feedtest.Read(t, path)
	if !strings.HasSuffix(path, ".gz") {
		return body
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return body
}

// newest event time of a batch.
func newest(b *feeds.Batch) (at time.Time) {
	see := func(t moment.Time) {
		if t.After(at) {
			at = t.Time
		}
	}
	for i := range b.Observations {
		see(b.Observations[i].At)
	}
	for i := range b.Positions {
		see(b.Positions[i].At)
	}
	for i := range b.Reports {
		see(b.Reports[i].At)
	}
	for i := range b.Alerts {
		see(b.Alerts[i].Message.Sent)
	}
	return at
}

// series is one recorded producer over time.
type series struct {
	name, format string
	options      map[string]any
	bodies       func(t *testing.T) [][]byte
}

// rows cuts a table or a file of lines into deliveries of n lines, each with the table's head.
func rows(t testing.TB, path string, head bool, n int) (out [][]byte) {
	lines := bytes.SplitAfter(record(t, path), []byte("\n"))
	var first []byte
	if head {
		first, lines = lines[0], lines[1:]
	}
	for len(lines) > 0 {
		k := min(n, len(lines))
		out = append(out, append(bytes.Clone(first), bytes.Join(lines[:k], nil)...))
		lines = lines[k:]
	}
	return out
}

func files(t testing.TB, pattern string) (out [][]byte) {
	list := feedtest.Recorded(t, pattern)
	slices.Sort(list)
	for _, f := range list {
		out = append(out, record(t, f))
	}
	return out
}

// minutes cuts the bicycle table by its first column, a minute.
func minutes(t testing.TB, path string) (out [][]byte) {
	lines := strings.SplitAfter(string(record(t, path)), "\n")
	by := map[string][]string{}
	for _, l := range lines[1:] {
		if m, _, ok := strings.Cut(l, ","); ok {
			by[m] = append(by[m], l)
		}
	}
	keys := sortedKeys(by)
	sort.Strings(keys)
	for _, k := range keys {
		out = append(out, []byte(lines[0]+strings.Join(by[k], "")))
	}
	return out
}

const bikeMap = `[{thing: .station_id, property: "bikes", value: (.nb_velos_dispo|num), lat: (.latitude|num), lng: (.longitude|num), at: "2023-09-27T\(.time_index[0:2]):\(.time_index[2:4]):00Z"},
 {thing: .station_id, property: "places", value: (.nb_places_dispo|num), lat: (.latitude|num), lng: (.longitude|num), at: "2023-09-27T\(.time_index[0:2]):\(.time_index[2:4]):00Z"}]`

const busMap = `{record: "position", unit: .vehicle_id, at: (.timestamp | zoned("Europe/London")), lat: (.latitude | num), lng: (.longitude | num), heading: (.bearing | num)}`

const wmataMap = `{record: "position", unit: .vehicleId, at: (.time | zoned("America/New_York")), lat: (.latitude | num), lng: (.longitude | num)}`

// recordedSeries are the producers of whom more than one moment was recorded.
func recordedSeries() []series {
	data := func(t *testing.T, pattern string) string { return feedtest.Recorded(t, pattern)[0] }
	return []series{
		{"nyct-subway", "gtfsrt", nil, func(t *testing.T) [][]byte { return files(t, "gtfs-rt/nyct-subway-series/*.pb") }},
		{"petabencana-floods", "petabencana", nil, func(t *testing.T) [][]byte { return files(t, "petabencana/jakarta-floods-*") }},
		{"petabencana-reports", "petabencana", nil, func(t *testing.T) [][]byte { return files(t, "petabencana/jabodetabek-reports-*") }},
		{"lille-bikes", "csv", map[string]any{"map": bikeMap}, func(t *testing.T) [][]byte { return minutes(t, data(t, "replay-other/lille-*")) }},
		{"liverpool-bus, a row each", "csv", map[string]any{"map": busMap}, func(t *testing.T) [][]byte { return rows(t, data(t, "replay-gps/liverpool-*"), true, 1) }},
		{"liverpool-bus, 20 rows", "csv", map[string]any{"map": busMap}, func(t *testing.T) [][]byte { return rows(t, data(t, "replay-gps/liverpool-*"), true, 20) }},
		{"wmata-bus, 30 rows", "csv", map[string]any{"map": wmataMap}, func(t *testing.T) [][]byte { return rows(t, data(t, "replay-gps/wmata-bus-avl-*"), true, 30) }},
		{"wmata-bus-8062, 5 rows", "csv", map[string]any{"map": wmataMap}, func(t *testing.T) [][]byte { return rows(t, data(t, "replay-gps/wmata-bus-8062-*"), true, 5) }},
		{"nmea, 30 lines", "nmea", nil, func(t *testing.T) [][]byte { return rows(t, data(t, "nmea/*.txt"), false, 30) }},
		{"ais, 20 lines", "ais", nil, func(t *testing.T) [][]byte { return rows(t, data(t, "ais/nmea-sample.txt"), false, 20) }},
		{"ais, a line each", "ais", nil, func(t *testing.T) [][]byte { return rows(t, data(t, "ais/nmea-sample.txt"), false, 1) }},
		{"owntracks, a line each", "owntracks", nil, func(t *testing.T) [][]byte { return rows(t, data(t, "owntracks/demo-iphone.rec"), false, 1) }},
		{"rega, 10 records", "adsb", nil, func(t *testing.T) [][]byte { return files(t, "adsb/ambulance-*") }},
		{"usgs-usual", "usgs", nil, func(t *testing.T) [][]byte { return files(t, "earthquake/usgs-*") }},
	}
}

// play lets a watch hear the series as if it happened now, and gives every verdict that is no good.
func (s series) play(t *testing.T) (deliveries, items int, bad []string) {
	format, err := formats.New(s.format, s.options)
	if err != nil {
		t.Fatal(err)
	}
	bodies := s.bodies(t)
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	w := NewWatch(Config{}, now)
	var last time.Time
	for round := range max(1, 12/len(bodies)) { // few files are played again, an hour on
		for i, body := range bodies {
			b, err := format.Decode(body, feeds.Meta{Feed: s.name, ReceivedAt: now})
			if err != nil { // an empty last line
				continue
			}
			at := newest(&b)
			switch {
			case at.IsZero():
				at, now = last, now.Add(time.Minute)
			case last.IsZero() || at.Before(last):
				now = now.Add(time.Minute)
			default:
				now = now.Add(max(at.Sub(last), time.Second))
			}
			last = at
			shift(&b, now.Sub(at)-5*time.Second)
			v := w.Check(&b, feeds.Meta{ReceivedAt: now})
			deliveries, items = deliveries+1, items+b.Records()
			for _, f := range v.Findings {
				bad = append(bad, fmt.Sprintf("round %d delivery %d of %d: %s %s: %s", round, i, len(bodies), f.Kind, f.Field, f.TextEN))
			}
		}
	}
	return deliveries, items, bad
}

// shift moves every time of a batch.
func shift(b *feeds.Batch, by time.Duration) {
	move := func(t *moment.Time) {
		if !t.IsZero() {
			*t = moment.Of(t.Add(by))
		}
	}
	for i := range b.Observations {
		move(&b.Observations[i].At)
	}
	for i := range b.Positions {
		move(&b.Positions[i].At)
	}
	for i := range b.Reports {
		move(&b.Reports[i].At)
	}
	for i := range b.Alerts {
		move(&b.Alerts[i].Message.Sent)
	}
}

// What was recorded from real producers one after the other is no drift.
func TestRecordedSeriesAreNoDrift(t *testing.T) {
	for _, s := range recordedSeries() {
		deliveries, items, bad := s.play(t)
		t.Logf("%-28s %5d deliveries %7d records, %d false alarms", s.name, deliveries, items, len(bad))
		for _, b := range bad {
			t.Errorf("%s: %s", s.name, b)
		}
	}
}

func solok() simulator.Place {
	return simulator.Place{Slug: "solok", Name: "Kabupaten Solok", Bound: geo.Bound{West: 100.426, South: -1.33, East: 101.263, North: -0.532}, Center: geo.Position{Lat: -0.96, Lng: 100.75},
		Zone: time.FixedZone("WIB", 7*3600)}
}

// A day of a simulated city with each of its disasters: nothing of what comes may be held back, for a feed that is quarantined in a flood is
// worse than one that is not judged. KENTONGAN_DAY=1 plays a whole day of a larger city; else it is four hours.
func TestADayOfDisastersIsNoDrift(t *testing.T) {
	hours, things := 4, 200
	if os.Getenv("KENTONGAN_DAY") != "" {
		hours, things = 24, 400
	}
	format, err := formats.New("native", nil)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var runs []simulator.Run
		for i, scenario := range []string{"galodo", "ashfall", "quake", "truck", "galodo"} {
			r, err := simulator.NewRun(fmt.Sprint("run-", i), scenario, "test", began.Add(time.Duration(i)*time.Duration(hours)*time.Hour/6+20*time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			runs = append(runs, r)
		}
		city := simulator.NewTransport(simulator.Config{Place: solok(), Things: things, Runs: func(context.Context) ([]simulator.Run, error) { return runs, nil }})
		w := NewWatch(Config{}, began)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(hours)*time.Hour)
		defer cancel()
		deliveries, records, bad := make(chan int, 1), make(chan int, 1), make(chan []string, 1)
		deliveries <- 0
		records <- 0
		bad <- nil
		err := city.Run(ctx, func(_ context.Context, body []byte, m feeds.Meta) (feeds.Outcome, error) {
			b, err := format.Decode(body, m)
			if err != nil {
				return feeds.Outcome{}, err
			}
			v := w.Check(&b, m)
			deliveries <- <-deliveries + 1
			records <- <-records + b.Records()
			for _, f := range v.Findings {
				bad <- append(<-bad, fmt.Sprintf("%s: %s %s: %s", time.Since(began).Round(time.Second), f.Kind, f.Field, f.TextEN))
			}
			return feeds.Outcome{}, nil
		})
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		list := <-bad
		t.Logf("%d h, %d Things, %d deliveries, %d records: %d false alarms", hours, things, <-deliveries, <-records, len(list))
		for i, b := range list {
			if i == 40 {
				break
			}
			t.Error(b)
		}
	})
}
