package api

import (
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
)

func TestSearchFindsIncidentsAreasAndThings(t *testing.T) {
	h := build(t)
	for _, th := range []*feeds.Thing{
		{ID: "awlr:kubung-1", Feed: "awlr", Kind: "river_gauge", Name: "AWLR Batang Lembang", Position: geo.Position{Lat: -0.83, Lng: 100.63}, Placed: true},
		{ID: "awlr:7", Feed: "awlr", Kind: "rain_gauge", Name: "Hujan Surian"},
	} {
		h.picture.Put(entryOf(t, th))
	}
	h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flash_flood","title":"Galodo, Batang Lembang","lng":100.63,"lat":-0.83}`), 201)
	h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","title":"Banjir Selayo","lng":100.63,"lat":-0.83}`), 201)
	found := func(query string) string {
		var out []string
		for _, i := range h.want(h.admin("GET", "/api/v1/search?q="+query, ""), 200)["items"].([]any) {
			hit := i.(map[string]any)
			out = append(out, hit["noun"].(string)+" "+hit["name"].(string))
		}
		return strings.Join(out, "; ")
	}
	for query, want := range map[string]string{
		"1":              "incident Galodo, Batang Lembang; thing AWLR Batang Lembang",
		"LEMBANG":        "incident Galodo, Batang Lembang; area Lembang Jaya; thing AWLR Batang Lembang",
		"debris":         "incident Galodo, Batang Lembang",
		"kubung":         "incident Banjir Selayo; incident Galodo, Batang Lembang; area Kubung; thing AWLR Batang Lembang",
		"awlr:7":         "thing Hujan Surian",
		"no%20such%20it": "",
	} {
		if got := found(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, bad := range []string{"", "?q=", "?q=%20", "?q=" + strings.Repeat("x", 101), "?q=a&limit=51"} {
		h.want(h.admin("GET", "/api/v1/search"+bad, ""), 422)
	}
	area := h.want(h.admin("GET", "/api/v1/search?q=kubung&limit=1", ""), 200)["items"].([]any)[1].(map[string]any)
	if len(area["bbox"].([]any)) != 4 {
		t.Errorf("an area without its bounds: %v", area)
	}
}

func entryOf(t *testing.T, th *feeds.Thing) *index.Entry {
	t.Helper()
	e := &index.Entry{ID: th.ID, Kind: th.Kind, Position: th.Position, Placed: th.Placed, Payload: th}
	if th.Placed {
		c, err := geo.CellAt(th.Position, geo.ResThing)
		if err != nil {
			t.Fatal(err)
		}
		e.Cell = c
	}
	return e
}
