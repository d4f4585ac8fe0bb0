//go:build !race

// Millions of records in one goroutine: the race detector would find nothing here and take six times as long (make go-test-plain).

package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
	"kentongan/feeds/formats"
	"kentongan/geo"
)

// producer is one recorded moment of a feed.
type producer struct {
	name, format, file string
	options            map[string]any
}

// shippedMap is the map of a feed in deploy/feeds, with its other options.
func shippedMap(t testing.TB, file, feed string) map[string]any {
	var all struct {
		Feeds []struct {
			Name    string         `yaml:"name"`
			Map     string         `yaml:"map"`
			Options map[string]any `yaml:"options"`
		} `yaml:"feeds"`
	}
	text, err := os.ReadFile(filepath.Join(feedtest.Root(t), "deploy", "feeds", file))
	if err == nil {
		err = yaml.Unmarshal(text, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all.Feeds {
		if f.Name == feed {
			out := map[string]any{"map": f.Map}
			for k, v := range f.Options {
				out[k] = v
			}
			return out
		}
	}
	t.Fatalf("%s: no feed %s", file, feed)
	return nil
}

func producers(t testing.TB) []producer {
	return []producer{
		{"mbta", "gtfsrt", "gtfs-rt/mbta-vehicle-positions-2024.pb", nil},
		{"raba", "gtfsrt", "gtfs-rt/raba-vehicle-positions.pb", nil},
		{"oslo-status", "gbfs", "gbfs/oslo-lillestrom/station_status.json", nil},
		{"oslo-info", "gbfs", "gbfs/oslo-lillestrom/station_information.json", nil},
		{"tier", "gbfs", "gbfs/tier-wolfsburg-2023/free_bike_status.json", nil},
		{"bgs", "sensorthings", "sensorthings/bgs-observations-response.json", nil},
		{"bgs-min", "sensorthings", "sensorthings/bgs-observations-min.json", nil},
		{"bgs-streams", "sensorthings", "sensorthings/bgs-datastreams-by-feature.json", nil},
		{"air", "ngsi", "ngsi/AirQualityObserved-keyvalues.json", nil},
		{"bods", "siri", "siri/bods-england-siri-vm-2020.xml", nil},
		{"ea", "json", "river/uk-ea-latest-reading-2026.json", shippedMap(t, "river.yaml", "ea-level")},
		{"nwis", "json", "river/usgs-nwis-iv.json", shippedMap(t, "river.yaml", "nwis")},
		{"openaq", "json", "airquality/openaq-v1-latest-world-2020.json", shippedMap(t, "airquality.yaml", "openaq-v1")},
		{"purpleair", "json", "airquality/purpleair-sensors.json", shippedMap(t, "airquality.yaml", "purpleair")},
		{"airrohr", "json", "airquality/sensor-community-airrohr-push.json", shippedMap(t, "airquality.yaml", "airrohr")},
		{"bikes", "csv", "replay-other/lille-bike-share-minutely-2023-09-27T07-09.csv.gz", map[string]any{"map": bikeMap}},
		{"ttn-dust", "ttn", "lorawan/ttn-v3-particulate.json", nil},
		{"ttn-level", "ttn", "lorawan/ttn-v3-ultrasonic-level.json", nil},
		{"chirp-dust", "chirpstack", "lorawan/chirpstack-particulate.json", nil},
		{"chirp-rain", "chirpstack", "lorawan/chirpstack-raingauge.json", nil},
		{"floods", "petabencana", "petabencana/jakarta-floods-2017-02-21T1300+0700.geojson.gz", nil},
		{"reports", "petabencana", "petabencana/jabodetabek-reports-2017-02-20.geojson", nil},
		{"usgs", "usgs", "earthquake/usgs-all-day-a.geojson", nil},
		{"bmkg", "bmkg", "earthquake/bmkg-gempaterkini-2021-flores-m7.json", nil},
		{"london", "adsb", "adsb/tar1090-london-2026.json", nil},
		{"ships", "ais", "ais/nmea-sample.txt", nil},
		{"phone", "owntracks", "owntracks/iphone-2024-03.rec", nil},
		{"chicago", "open311", "open311/chicago-requests-2014.json", nil},
		{"osmand", "traccar", "traccar/osmand-json-location.json", nil},
		{"alerts", "alertmanager", "alertmanager/v4-webhook-firing.json", nil},
		{"works", "wzdx", "wzdx/scenario1_simple_linestring_example.geojson", nil},
		{"boundaries", "geojson", "boundaries/kab-solok-kecamatan-kemendagri2025.geojson", nil},
	}
}

// mutation is one way in which a producer lies. It changes the bytes, or the batch where the bytes are not ours to write (protobuf, radio).
type mutation struct {
	producer, name string
	bytes          func([]byte) []byte
	batch          func(*feeds.Batch)
}

// renamed gives a key of JSON, a column of a table or an element of XML another name.
func renamed(from, to string) func([]byte) []byte {
	return func(b []byte) []byte {
		for _, form := range []string{`"%s"`, "<%s>", "</%s>", "<%s/>", "%s,", ",%s\n"} {
			b = bytes.ReplaceAll(b, fmt.Appendf(nil, form, from), fmt.Appendf(nil, form, to))
		}
		return b
	}
}

// exchanged gives two of them each other's names.
func exchanged(a, b string) func([]byte) []byte {
	return func(body []byte) []byte {
		return renamed("\x00", b)(renamed(b, a)(renamed(a, "\x00")(body)))
	}
}

// values changes every number that stands under a key of JSON; n counts them.
func values(key string, change func(n int, v float64) any) func([]byte) []byte {
	return func(body []byte) []byte {
		var doc any
		if json.Unmarshal(body, &doc) != nil {
			return body
		}
		n := 0
		var walk func(any)
		walk = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				for _, k := range sortedKeys(v) {
					if f, ok := v[k].(float64); ok && (k == key || key == "*") {
						v[k] = change(n, f)
						n++
					} else {
						walk(v[k])
					}
				}
			case []any:
				for _, e := range v {
					walk(e)
				}
			}
		}
		walk(doc)
		out, _ := json.Marshal(doc)
		return out
	}
}

func times(factor float64) func(int, float64) any {
	return func(_ int, v float64) any { return v * factor }
}
func texts(_ int, v float64) any { return fmt.Sprintf("~%g", v) }
func nulls(n int, v float64) any {
	if n%10 < 3 {
		return nil
	}
	return v
}

// column changes a column of a table.
func column(i int, change func(row int, cell string) string) func([]byte) []byte {
	return func(body []byte) []byte {
		lines := strings.Split(string(body), "\n")
		for n, l := range lines[1:] {
			if cells := strings.Split(l, ","); len(cells) > i {
				cells[i] = change(n, cells[i])
				lines[n+1] = strings.Join(cells, ",")
			}
		}
		return []byte(strings.Join(lines, "\n"))
	}
}

func scaled(property string, factor float64) func(*feeds.Batch) {
	return func(b *feeds.Batch) {
		for i := range b.Observations {
			if o := &b.Observations[i]; o.Property == property {
				o.Value.Num *= factor
			}
		}
		for i := range b.Positions {
			if p := &b.Positions[i]; property == "speed" && p.SpeedMps != nil {
				v := *p.SpeedMps * factor
				p.SpeedMps = &v
			}
		}
	}
}

func spelled(b *feeds.Batch) {
	for i := range b.Observations {
		if o := &b.Observations[i]; o.Value.Type == feeds.Number {
			o.Value = feeds.Value{Type: feeds.Text, Text: fmt.Sprint(o.Value.Num)}
		}
	}
}

func property(from, to string) func(*feeds.Batch) {
	return func(b *feeds.Batch) {
		for i := range b.Observations {
			if b.Observations[i].Property == from {
				b.Observations[i].Property = to
			}
		}
	}
}

func unitOf(prop, unit string) func(*feeds.Batch) {
	return func(b *feeds.Batch) {
		for i := range b.Observations {
			if b.Observations[i].Property == prop {
				b.Observations[i].Unit = unit
			}
		}
	}
}

func without(prop string) func(*feeds.Batch) {
	return func(b *feeds.Batch) {
		n := 0
		b.Observations = slices.DeleteFunc(b.Observations, func(o feeds.Observation) bool {
			if o.Property != prop {
				return false
			}
			n++
			return n%10 < 3
		})
	}
}

func swapped(b *feeds.Batch) {
	turn := func(p *geo.Position) { p.Lat, p.Lng = p.Lng, p.Lat }
	for i := range b.Observations {
		turn(&b.Observations[i].Position)
	}
	for i := range b.Positions {
		turn(&b.Positions[i].Position)
	}
	for i := range b.Reports {
		turn(&b.Reports[i].Position)
	}
}

func anHourOn(b *feeds.Batch) { shift(b, time.Hour) }

func tenth(b *feeds.Batch) {
	b.Observations = b.Observations[:len(b.Observations)/10]
	b.Positions = b.Positions[:len(b.Positions)/10]
}

// mutations are the lies of the drift test.
func mutations() []mutation {
	bikes, lat, lng := 2, 4, 5
	multiplied := func(by int) func(int, string) string {
		return func(_ int, s string) string {
			n, _ := strconv.Atoi(s)
			return strconv.Itoa(n * by)
		}
	}
	emptied := func(n int, s string) string {
		if n%10 < 3 {
			return ""
		}
		return s
	}
	return []mutation{
		{"mbta", "route renamed", nil, property("route", "line")},
		{"mbta", "30 % without route", nil, without("route")},
		{"mbta", "occupancy x 10", nil, scaled("occupancy", 10)},
		{"mbta", "occupancy in another unit", nil, unitOf("occupancy", "1")},
		{"mbta", "numbers become text", nil, spelled},
		{"mbta", "axes swapped", nil, swapped},
		{"mbta", "an hour ahead", nil, anHourOn},
		{"mbta", "90 % dropped", nil, tenth},
		{"raba", "axes swapped", nil, swapped},
		{"raba", "an hour ahead", nil, anHourOn},
		{"raba", "90 % dropped", nil, tenth},
		{"oslo-status", "num_bikes_available renamed", renamed("num_bikes_available", "bikes"), nil},
		{"oslo-status", "num_docks_available null", values("num_docks_available", func(int, float64) any { return nil }), nil},
		{"oslo-status", "numbers become text", values("num_bikes_available", texts), nil},
		{"oslo-status", "an hour ahead", nil, anHourOn},
		{"oslo-status", "docks in another unit", nil, unitOf("docks", "km")},
		{"oslo-info", "axes swapped", exchanged("lat", "lon"), nil},
		{"oslo-info", "capacity x 10", values("capacity", times(10)), nil},
		{"tier", "axes swapped", exchanged("lat", "lon"), nil},
		{"tier", "range m told in km", values("current_range_meters", times(0.001)), nil},
		{"tier", "range renamed", renamed("current_range_meters", "range_m"), nil},
		{"tier", "range 30 % null", values("current_range_meters", nulls), nil},
		{"tier", "range becomes text", values("current_range_meters", texts), nil},
		{"tier", "90 % dropped", nil, tenth},
		{"tier", "an hour ahead", nil, anHourOn},
		{"bgs", "result renamed", renamed("result", "value"), nil},
		{"bgs", "an hour ahead", nil, anHourOn},
		{"bgs", "another unit", nil, unitOf("result", "km")},
		{"air", "temperature renamed", renamed("temperature", "temp_out"), nil},
		{"air", "all values x 1000", values("*", times(1000)), nil},
		{"air", "numbers become text", values("*", texts), nil},
		{"bods", "axes swapped", exchanged("Longitude", "Latitude"), nil},
		{"bods", "an hour ahead", nil, anHourOn},
		{"bods", "90 % dropped", nil, tenth},
		{"bods", "vehicle renamed", renamed("VehicleRef", "Vehicle"), nil},
		{"ea", "value renamed", renamed("value", "level"), nil},
		{"ea", "an hour ahead", nil, anHourOn},
		{"ea", "m told in km", nil, unitOf("water_level", "km")},
		{"ea", "m told in mm, unit untold", nil, scaled("water_level", 1000)},
		{"nwis", "value renamed", renamed("value", "reading"), nil},
		{"nwis", "an hour ahead", nil, anHourOn},
		{"openaq", "value renamed", renamed("value", "v"), nil},
		{"openaq", "30 % null", values("value", nulls), nil},
		{"openaq", "ug/m3 told in mg/m3", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\u00b5g/m\u00b3"), []byte("mg/m\u00b3")) }, nil},
		{"openaq", "values x 0.001, unit untold", values("value", times(0.001)), nil},
		{"openaq", "values x 10", values("value", times(10)), nil},
		{"openaq", "axes swapped", exchanged("latitude", "longitude"), nil},
		{"openaq", "90 % dropped", nil, tenth},
		{"openaq", "an hour ahead", nil, anHourOn},
		{"airrohr", "values x 10", nil, func(b *feeds.Batch) {
			for _, p := range []string{"humidity", "pm10", "pm25", "pressure", "signal", "temperature"} {
				scaled(p, 10)(b)
			}
		}},
		{"bikes", "bikes renamed", renamed("nb_velos_dispo", "bikes_now"), nil},
		{"bikes", "bikes x 10", column(bikes, multiplied(10)), nil},
		{"bikes", "bikes 30 % null", column(bikes, emptied), nil},
		{"bikes", "axes swapped", exchanged("latitude", "longitude"), nil},
		{"bikes", "places 30 % null", column(lat, emptied), nil},
		{"bikes", "longitude all one", column(lng, func(int, string) string { return "0" }), nil},
		{"bikes", "90 % dropped", nil, tenth},
		{"usgs", "mag renamed", renamed("mag", "magnitude"), nil},
		{"usgs", "mag becomes text", values("mag", texts), nil},
		{"usgs", "an hour ahead", nil, anHourOn},
		{"bmkg", "Magnitude renamed", renamed("Magnitude", "Mag"), nil},
		{"bmkg", "an hour ahead", nil, anHourOn},
		{"reports", "axes swapped", nil, swapped},
		{"reports", "an hour ahead", nil, anHourOn},
		{"reports", "text renamed", renamed("text", "message"), nil},
		{"london", "altitude renamed", renamed("alt_baro", "alt_b"), nil},
		{"london", "altitude m told in ft", nil, scaled("altitude", 3.28084)},
		{"london", "axes swapped", exchanged("lat", "lon"), nil},
		{"london", "an hour ahead", nil, anHourOn},
		{"london", "90 % dropped", nil, tenth},
		{"ships", "axes swapped", nil, swapped},
		{"ships", "speed x 10", nil, scaled("speed", 10)},
		{"ships", "90 % dropped", nil, tenth},
		{"phone", "axes swapped", exchanged("lat", "lon"), nil},
		{"phone", "an hour ahead", nil, anHourOn},
		{"boundaries", "nama renamed", renamed("nama", "name_id"), nil},
		{"boundaries", "90 % dropped", nil, tenth},
	}
}

// learned is a producer that was heard for a while.
type learned struct {
	producer
	decode func([]byte) (feeds.Batch, error)
	body   []byte
	newest time.Time
	watch  *Watch
	now    time.Time
}

func learn(t testing.TB, p producer) *learned {
	format, err := formats.New(p.format, p.options)
	if err != nil {
		t.Fatal(err)
	}
	l := &learned{producer: p, now: time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)}
	l.watch = NewWatch(Config{}, l.now)
	l.body = record(t, feedtest.Recorded(t, p.file)[0])
	if p.name == "bikes" {
		l.body = minutes(t, feedtest.Recorded(t, p.file)[0])[0]
	}
	l.decode = func(body []byte) (feeds.Batch, error) {
		return format.Decode(body, feeds.Meta{Feed: p.name, Kind: "thing", ReceivedAt: l.now})
	}
	b, err := l.decode(l.body)
	if err != nil {
		t.Fatal(err)
	}
	l.newest = newest(&b)
	for range max(8, 2*ripeItems/max(1, b.Records())) { // 60 and more where an item comes alone
		if v := l.hear(t, l.body, nil); len(v.Findings) > 0 {
			t.Errorf("%s: the original is taken for a lie: %+v", p.name, v.Findings)
		}
	}
	return l
}

// hear lets the watch hear bytes as if they came now; values waver a little, as they do.
func (l *learned) hear(t testing.TB, body []byte, change func(*feeds.Batch)) Verdict {
	l.now = l.now.Add(2 * time.Minute)
	b, err := l.decode(body)
	if err != nil {
		return Verdict{Findings: []Finding{{What: "format", TextEN: err.Error()}}}
	}
	for i := range b.Observations {
		o := &b.Observations[i]
		if v := o.Value.Num; o.Value.Type == feeds.Number && v != math.Trunc(v) {
			o.Value.Num *= 1 + 0.01*math.Sin(float64(i)+float64(l.now.Unix()))
		}
	}
	shift(&b, l.now.Sub(l.newest)-10*time.Second)
	if change != nil {
		change(&b)
	}
	if b.Records() == 0 && len(b.Rejected) > 0 {
		return Verdict{Findings: []Finding{{What: "format", TextEN: "every item refused: " + b.Rejected[0].Reason}}}
	}
	return l.watch.Check(&b, feeds.Meta{Feed: l.name, ReceivedAt: l.now})
}

// Every lie is flagged with the delivery that brings it, or refused by the format; and the truth after it is not.
func TestEveryLieIsFlagged(t *testing.T) {
	known := map[string]producer{}
	for _, p := range producers(t) {
		known[p.name] = p
	}
	var missed []string
	for i, m := range mutations() {
		l := learn(t, known[m.producer])
		body := l.body
		if m.bytes != nil {
			if body = m.bytes(body); bytes.Equal(body, l.body) {
				t.Errorf("%s, %s: the bytes stayed as they were", m.producer, m.name)
			}
		}
		v := l.hear(t, body, m.batch)
		said := "MISSED"
		if len(v.Findings) > 0 {
			said = v.Findings[0].What + ": " + v.Findings[0].TextEN
			if len(said) > 110 {
				said = said[:110]
			}
		} else {
			missed = append(missed, m.producer+": "+m.name)
		}
		held := "passes"
		if v.Readings || v.Positions {
			held = "held"
		}
		t.Logf("%2d %-12s %-12s %-30s %-6s %s", i+1, m.producer, l.format, m.name, held, said)
		if after := l.hear(t, l.body, nil); len(after.Findings) > 0 && said != "MISSED" {
			t.Errorf("%s, %s: the truth after it is taken for a lie: %s", m.producer, m.name, after.Findings[0].TextEN)
		}
	}
	for _, m := range missed {
		t.Errorf("not flagged: %s", m)
	}
}
