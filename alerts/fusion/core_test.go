package fusion_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(east, north float64) geo.Position {
	return geo.Position{Lat: -0.96 + north/111_200, Lng: 100.75 + east/111_200}
}

func call(id, text string, p geo.Position, when time.Time, simulated bool) report.Report {
	return report.From(feeds.Report{ID: id, Channel: "call", Text: text, At: moment.Of(when), Position: p, Placed: true},
		feeds.Meta{Feed: "lapor", ReceivedAt: when, Simulated: simulated}, func(*geo.Position) string { return "" })
}

func opened(t interface{ Fatal(...any) }, id, code string, p geo.Position, when time.Time) *incident.Incident {
	in, err := incident.Open(incident.Opening{ID: id, Number: id, Type: code, Title: code, Position: &p, At: when, EventAt: moment.Of(when), Actor: "user:anna",
		Evidence: []incident.Evidence{{Kind: "note", Ref: "note/" + id, At: moment.Of(when)}}})
	if err != nil {
		t.Fatal(err)
	}
	return &in
}

var texts = map[string]string{"flood": "Banjir, air masuk rumah", "fire_building": "Kebakaran rumah", "landslide": "Longsor menimpa rumah", "traffic_injury": "Kecelakaan ada korban luka"}

// In whatever order incidents and accounts come, however often, the same accounts lie with the same incidents.
func TestOrderMakesNoDifference(t *testing.T) {
	codes := slices.Sorted(maps.Keys(texts))
	rapid.Check(t, func(r *rapid.T) {
		var tell []func(*fusion.Core)
		calls := 0
		for i := range rapid.IntRange(1, 4).Draw(r, "incidents") {
			code := rapid.SampledFrom(codes).Draw(r, "type")
			x, when := float64(i)*6000, noon.Add(time.Duration(rapid.IntRange(0, 10).Draw(r, "minute"))*time.Minute)
			in := opened(r, fmt.Sprint("in", i), code, at(x, 0), when)
			tell = append(tell, func(c *fusion.Core) { c.Incident(in) })
			for n := range rapid.IntRange(0, 6).Draw(r, "calls") {
				p := at(x+rapid.Float64Range(-80, 80).Draw(r, "east"), rapid.Float64Range(-80, 80).Draw(r, "north"))
				one := call(fmt.Sprint(i, "-", n), texts[code], p, when.Add(time.Duration(rapid.IntRange(-3, 8).Draw(r, "after"))*time.Minute), false)
				tell = append(tell, func(c *fusion.Core) { c.Report(&one) })
				calls++
			}
		}
		became := func(order []int) map[string]string {
			c := fusion.NewCore(fusion.Options{Table: fusion.DefaultTable(), Attach: func(string) bool { return true }})
			out := map[string]string{}
			for _, i := range order {
				tell[i](c)
				for _, j := range c.Flush().Joins {
					if before, twice := out[j.Signal.Ref]; twice {
						r.Fatalf("%s joined %s, then %s", j.Signal.Ref, before, j.Incident)
					}
					out[j.Signal.Ref] = j.Incident
				}
			}
			return out
		}
		clean := make([]int, len(tell))
		for i := range clean {
			clean[i] = i
		}
		want := became(clean)
		if calls > 0 && len(want) == 0 {
			r.Fatal("nothing joined")
		}
		mixed := rapid.Permutation(append(slices.Clone(clean), rapid.SliceOfN(rapid.SampledFrom(clean), 0, 6).Draw(r, "copies")...)).Draw(r, "order")
		if got := became(mixed); !reflect.DeepEqual(got, want) {
			r.Fatalf("in order %v: %v, want %v", mixed, got, want)
		}
	})
}

func TestClassify(t *testing.T) {
	for text, want := range map[string]string{
		"Banjir di Selayo, air masuk rumah setinggi lutut": "flood", "GALODO! air bercampur batu": "flash_flood", "bukik taban, jalan tatutuik": "landslide",
		"rumah tabaka di Cupak tolong damkar": "fire_building", "ada kecelakaan, korban luka": "traffic_injury", "kecelakaan ringan tanpa korban": "traffic_damage",
		"Kebakarn rumah": "fire_building", "mati lampu sejak tadi": "power_out", "Tree down across the road": "tree_down", "flash flood in the valley": "flash_flood",
		"jam berapa kantor buka": "",
	} {
		got, restricted := fusion.Classify(fusion.Words{Text: text})
		if restricted || want == "" && len(got) > 0 || want != "" && (len(got) == 0 || got[0].Type != want) {
			t.Errorf("%q: %v (restricted: %t), want %q", text, got, restricted, want)
		}
	}
	if got, _ := fusion.Classify(fusion.Words{Codes: []string{"streetlight"}, Text: "Listrik padam"}); len(got) != 2 || got[0].Type != "streetlight" {
		t.Errorf("code and words: %v", got)
	}
	if _, restricted := fusion.Classify(fusion.Words{Text: "banjir, dan ada KDRT di sini"}); !restricted {
		t.Error("a text about violence at home is not kept from others")
	}
}

// A crash in a flood is a crash; the far and the late is no evidence; what is simulated stays among itself.
func TestWhatDoesNotJoin(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		p    geo.Position
		when time.Time
		sim  bool
		join bool
	}{
		"near":      {"Banjir, air masuk rumah", at(150, 0), noon.Add(5 * time.Minute), false, true},
		"other":     {"Kecelakaan ada korban luka", at(50, 0), noon, false, false},
		"far":       {"Banjir, air masuk rumah", at(3000, 0), noon, false, false},
		"late":      {"Banjir, air masuk rumah", at(50, 0), noon.Add(4 * time.Hour), false, false},
		"simulated": {"Banjir, air masuk rumah", at(50, 0), noon, true, false},
	} {
		core := fusion.NewCore(fusion.Options{Table: fusion.DefaultTable(), Attach: func(string) bool { return true }})
		core.Incident(opened(t, "in", "flood", at(0, 0), noon))
		one := call("1", c.text, c.p, c.when, c.sim)
		core.Report(&one)
		if got := core.Flush().Joins; (len(got) == 1) != c.join {
			t.Errorf("%s: joined %+v", name, got)
		}
	}
}

// Beyond our border the neighbour is named with its number.
func TestHandOver(t *testing.T) {
	core := fusion.NewCore(fusion.Options{Table: fusion.DefaultTable(), Where: func(geo.Position) (string, string) { return "Kota Solok", "kota-solok" },
		Contact: func(slug string) string { return slug + ", 112" }})
	one := call("1", "Kebakaran rumah", at(0, 0), noon, false)
	core.Report(&one)
	core.Incident(opened(t, "in", "flood", at(9000, 0), noon))
	got := core.Flush().Suggestions
	if len(got) != 2 || got[0].Kind != fusion.HandOver || got[1].Kind != fusion.HandOver || got[0].Contact != "kota-solok, 112" || got[1].Incident != "in" {
		t.Fatalf("%+v", got)
	}
	core.Gone("lapor:1")
	if got = core.Flush().Suggestions; len(got) != 1 || got[0].State != fusion.Withdrawn {
		t.Errorf("%+v", got)
	}
}

// 1,000 open incidents and 20,000 accounts.
func BenchmarkFlood(b *testing.B) {
	codes := slices.Sorted(maps.Keys(texts))
	var all []report.Report
	for i := range 20_000 {
		k := i % 1000
		all = append(all, call(fmt.Sprint(i), texts[codes[k%4]], at(float64(k%32)*2000+float64(i/1000)*10, float64(k/32)*2000), noon.Add(time.Duration(i/40)*time.Second), false))
	}
	for b.Loop() {
		core := fusion.NewCore(fusion.Options{Table: fusion.DefaultTable(), Attach: func(string) bool { return true }})
		for k := range 1000 {
			core.Incident(opened(b, fmt.Sprint("in", k), codes[k%4], at(float64(k%32)*2000, float64(k/32)*2000), noon))
		}
		for i := range all {
			core.Report(&all[i])
		}
		if n := len(core.Flush().Joins); n < 19_000 {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/20_000, "us/account")
}
