package report

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/geo"
)

func TestFactsOfAReportHoldNoWords(t *testing.T) {
	lng, lat := 100.63456, -0.83123
	cell, err := geo.CellAt(geo.Position{Lng: lng, Lat: lat}, geo.ResThing)
	if err != nil {
		t.Fatal(err)
	}
	r := Report{Lng: &lng, Lat: &lat, Cell: cell, Revision: 1, External: []feeds.ReportRef{{Agency: "canary", ID: "canary"}}}
	for v, i := reflect.ValueOf(&r).Elem(), 0; i < v.NumField(); i++ {
		if f := v.Field(i); f.Kind() == reflect.String && f.CanSet() {
			f.SetString("canary of " + v.Type().Field(i).Name)
		}
	}
	b, err := json.Marshal(r.Facts())
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for part := range strings.SplitSeq(string(b), "canary of ") {
		name, _, _ := strings.Cut(part, `"`)
		shown = append(shown, name)
	}
	shown = shown[1:]
	slices.Sort(shown)
	want := []string{"Agency", "AreaName", "Attribution", "Channel", "Code", "Feed", "ID", "RequestID", "State", "Status"}
	if !slices.Equal(shown, want) {
		t.Errorf("facts show the texts %v, want %v", shown, want)
	}
	if strings.Contains(string(b), "canary\"") || strings.Contains(string(b), "0.83123") {
		t.Errorf("a partner's number or the place itself is in %s", b)
	}
}
