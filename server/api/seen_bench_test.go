package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
)

// crowded is a house with many Things, a tenth of them units, and some incidents.
func crowded(tb testing.TB, things, incidents int) *house {
	h := build(tb)
	for i := range things {
		kind, id := "river_gauge", fmt.Sprintf("awlr:%05d", i)
		if i%10 == 0 {
			kind, id = "unit", fmt.Sprintf("city:%s/trc-%d", []string{"bpbd", "damkar"}[i/10%2], i)
		}
		h.put(id, kind, -0.8-float64(i%100)/1000, 100.6+float64(i/100)/10000, true)
	}
	for i := range incidents {
		lng, lat := 100.63, -0.83
		if _, err := h.cases.Create(tb.Context(), incident.Draft{Type: []string{"flood", "fire_building"}[i%2], Title: fmt.Sprint("insiden ", i), Lng: &lng, Lat: &lat, Note: "catatan"},
			audit.Actor{Subject: "user:ani"}); err != nil {
			tb.Fatal(err)
		}
	}
	return h
}

// What somebody who may see everything waits for.
func BenchmarkLists(b *testing.B) {
	h := crowded(b, 20_000, 200)
	for _, path := range []string{"/api/v1/incidents", "/api/v1/things", "/api/v1/things?near=100.63,-0.83&k=100", "/api/v1/things?bbox=100.6,-0.9,100.7,-0.8"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest("GET", "http://127.0.0.1:8080"+path, nil)
				r.Header.Set("Authorization", "Bearer "+token)
				w := httptest.NewRecorder()
				h.handler.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
