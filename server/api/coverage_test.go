package api

import (
	"context"
	"testing"

	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/wire"
)

func TestCoverageTellsTheBlindCells(t *testing.T) {
	h := build(t)
	at := geo.Position{Lat: -0.8, Lng: 100.6}
	cell, err := geo.CellAt(at, 7)
	if err != nil {
		t.Fatal(err)
	}
	far, err := geo.CellAt(geo.Position{Lat: -0.95, Lng: 100.7}, 7)
	if err != nil {
		t.Fatal(err)
	}
	var layers []string
	h.cells = func(_ context.Context, _ geo.Bound, res geo.Resolution, l []string, _ bool) ([]wire.Cell, error) {
		layers = l
		if res != 7 {
			t.Errorf("res %d", res)
		}
		return []wire.Cell{
			{Cell: cell, Layer: "bus", Count: 1, ObservedAt: moment.OfMilli(2000), Observers: []string{"angkot"}},
			{Cell: cell, Layer: "river_gauge", Count: 1, ObservedAt: moment.OfMilli(1000), Observers: []string{"awlr"}, Unobserved: true},
			{Cell: far, Layer: "bus", Count: 1, ObservedAt: moment.OfMilli(3000), Observers: []string{"simulator"}},
			{Cell: far, Layer: "river_gauge", Count: 1, ObservedAt: moment.OfMilli(1000), Observers: []string{"awlr"}, Unobserved: true},
		}, nil
	}
	got := h.want(h.admin("GET", "/api/v1/coverage", ""), 200)
	all, observed, stale, never := got["cells"].(float64), got["observed"].(float64), got["stale"].(float64), got["never"].(float64)
	if observed < 4 || observed > 7 || stale < 1 || stale > 7 || observed+stale+never != all || len(got["items"].([]any)) != int(all-observed) {
		t.Errorf("%v cells, %v observed, %v stale, %v never, %d told", all, observed, stale, never, len(got["items"].([]any)))
	}
	sum := 0.0
	for _, a := range got["areas"].([]any) {
		sum += a.(map[string]any)["cells"].(float64)
	}
	if sum != all {
		t.Errorf("the areas have %v cells, all have %v", sum, all)
	}
	got = h.want(h.admin("GET", "/api/v1/coverage?reach=0&all=true&layer=bus,river_gauge", ""), 200)
	if len(layers) != 2 || got["observed"] != 1.0 || len(got["items"].([]any)) != int(all) {
		t.Errorf("reach 0: %v observed, layers %v", got["observed"], layers)
	}
	for _, one := range got["items"].([]any) {
		c := one.(map[string]any)
		if c["cell"] == cell.String() && (c["state"] != "observed" || c["observed_at"] != "1970-01-01T00:00:02.000Z" || len(c["observers"].([]any)) != 2 || c["area"] == "") {
			t.Errorf("%v", c)
		}
	}
	h.want(h.admin("GET", "/api/v1/coverage?res=10", ""), 422)
	h.want(h.ask("GET", "/api/v1/coverage", ""), 401)
}
