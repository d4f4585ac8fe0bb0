package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/ingest"
)

// A crew tells where it is; what is older than the last place is history.
func TestAUnitTellsItsPlace(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	var h *house
	h = build(t, func(_ *house, d *Deps) {
		d.Place = func(_ context.Context, b feeds.Batch, m feeds.Meta) (feeds.Receipt, error) { // as the pipeline does, which has tests of its own
			p := b.Positions[0]
			id := m.Feed + ":" + p.Unit
			if e := h.picture.Get(id); e == nil || thingOf(e).At.Before(p.At.Time) {
				h.placed(id, p.Name, p.Position, p.At.Time)
			}
			return feeds.Receipt{Accepted: 1}, nil
		}
	})
	h.rostered(t, "bpbd", "trc-1", "trc")
	crew, other := h.person("crew", "bpbd/trc-1", access.Grant{Role: access.Field, Agency: "bpbd"}), h.person("fire", "damkar/damkar-1", access.Grant{Role: access.Field, Agency: "damkar"})
	const path = "/api/v1/units/bpbd/trc-1"
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	h.want(other("POST", path+"/position", `{"lng":100.6,"lat":-0.9}`), http.StatusNotFound)
	for name, body := range map[string]string{"beyond earth": `{"lng":200,"lat":0}`, "no lat": `{"lng":100}`, "not come yet": `{"lng":100,"lat":0,"at":"` + at(time.Hour) + `"}`, "a hole in the error": `{"lng":100,"lat":0,"accuracy_m":-1}`} {
		if w := crew("POST", path+"/position", body); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	u := h.want(crew("POST", path+"/position", `{"lng":100.61,"lat":-0.91,"at":"`+at(-90*time.Second)+`","accuracy_m":8}`), http.StatusOK)
	if u["kept"] != "last" || u["lng"] != 100.61 || u["position_age_s"].(float64) < 85 {
		t.Errorf("%v", u)
	}
	if u := h.want(crew("POST", path+"/position", `{"lng":100.7,"lat":-0.7,"at":"`+at(-time.Hour)+`"}`), http.StatusOK); u["kept"] != "history" || u["lng"] != 100.61 {
		t.Errorf("%v", u)
	}
	list := h.want(crew("GET", "/api/v1/units", ""), http.StatusOK)["items"].([]any)
	if u := list[0].(map[string]any); u["lat"] != -0.91 || u["position_age_s"] == nil {
		t.Errorf("%v", u)
	}
	if u := h.want(crew("POST", path+"/rollcall", ""), http.StatusOK); u["heard_at"] == nil || u["roll_call_at"] != nil {
		t.Errorf("%v", u)
	}
}

func (h *house) placed(id, name string, at geo.Position, when time.Time) {
	cell, err := geo.CellAt(at, geo.ResThing)
	if err != nil {
		h.t.Fatal(err)
	}
	th := &feeds.Thing{ID: id, Kind: "unit", Name: name, Position: at, Placed: true, Cell: cell, At: moment.Of(when), State: map[string]feeds.Reading{}}
	h.picture.Put(&index.Entry{ID: id, Kind: "unit", Position: at, Placed: true, Cell: cell, Payload: th})
}

// Places are found by name, by tracker and by the call sign that a feed of the agency shows; the newest is the last.
func TestWhoseThingItIs(t *testing.T) {
	h := &house{t: t, picture: index.NewPicture()}
	now := time.Now()
	agency := func(feed string) string { return map[string]string{"tak": "bpbd", "lain": "damkar"}[feed] }
	put := func(id, name string, lat float64, ago time.Duration) {
		h.placed(id, name, geo.Position{Lat: lat, Lng: 100.6}, now.Add(-ago))
	}
	put("hp:bpbd/trc-1", "hp", -0.1, time.Minute)
	put("ponsel:bpbd/trc-1", "hp", -0.2, 2*time.Minute)
	put("tak:ANDROID-1", "TRC-2", -0.3, time.Minute)
	put("lain:ANDROID-2", "TRC-2", -0.4, 0)
	put("traccar:860123", "Mobil", -0.5, time.Minute)
	roster := func() []unit.Unit {
		return []unit.Unit{{ID: "bpbd/trc-1", Agency: "bpbd", CallSign: "trc-1"}, {ID: "bpbd/trc-2", Agency: "bpbd", CallSign: "trc-2"}, {ID: "bpbd/trc-3", Trackers: []string{"traccar:860123", "nosuch:1"}}, {ID: "bpbd/trc-4"}}
	}
	p := NewUnitPlaces(h.picture, agency)
	check := func(want string) {
		t.Helper()
		got := ""
		for _, u := range p.Fill(roster(), now) {
			if u.Lat == nil {
				got += "- "
				continue
			}
			got += fmt.Sprintf("%.1f@%.0f ", *u.Lat, *u.PositionAgeS)
		}
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	check("-0.1@60 -0.3@60 -0.5@60 - ")
	p.Note([]ingest.ThingChange{{Entry: h.picture.Get("hp:bpbd/trc-1")}})
	put("field:bpbd/trc-4", "hp", -0.6, 0)
	check("-0.1@60 -0.3@60 -0.5@60 - ")
	p.Note([]ingest.ThingChange{{Entry: h.picture.Get("field:bpbd/trc-4")}})
	check("-0.1@60 -0.3@60 -0.5@60 -0.6@0 ")
	h.picture.Remove("field:bpbd/trc-4")
	check("-0.1@60 -0.3@60 -0.5@60 - ")
}

// A recommendation over 2,000 units in a picture of 200,000 Things: places, workload and ranking.
func BenchmarkRecommend2000(b *testing.B) {
	h := &house{picture: index.NewPicture()}
	now := time.Now()
	for i := range 200_000 {
		at := geo.Position{Lat: -0.83 + float64(i%1000)/2000, Lng: 100.63 + float64(i/1000)/2000}
		cell, _ := geo.CellAt(at, geo.ResThing)
		id, kind := fmt.Sprintf("awlr:%d", i), "river_gauge"
		if i%100 == 0 {
			id, kind = fmt.Sprintf("hp:bpbd/u-%d", i/100), "unit"
		}
		h.picture.Put(&index.Entry{ID: id, Kind: kind, Position: at, Placed: true, Cell: cell, Payload: &feeds.Thing{ID: id, Kind: kind, At: moment.Of(now), Position: at, Placed: true, Cell: cell}})
	}
	p := NewUnitPlaces(h.picture, func(string) string { return "" })
	p.Note(nil)
	units := make([]unit.Unit, 2000)
	for i := range units {
		units[i] = unit.Unit{ID: fmt.Sprintf("bpbd/u-%d", i), Agency: "bpbd", Status: unit.Available, Capabilities: []string{"trc"}, Recent: []moment.Time{moment.Of(now)}}
	}
	in := incident.Incident{Type: "flood", Location: &incident.Location{Lng: 100.63, Lat: -0.83}}
	for b.Loop() {
		if got, err := Recommend(&in, p.Fill(slices.Clone(units), now), nil, now, nil); err != nil || len(got.Items) == 0 {
			b.Fatal(err, len(got.Items))
		}
	}
}
