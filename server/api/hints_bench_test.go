package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// BenchmarkHints asks what a call may be of, over HTTP and a real redis, while somebody types: on a bad night of 200 open incidents and 1,000
// reports of which nobody has said anything, all within the town of whoever calls.
func BenchmarkHints(b *testing.B) {
	h := build(b)
	kinds := []string{"flood", "fire_building", "landslide", "traffic_injury"}
	at := func(i int) (lng, lat float64) {
		return 100.60 + float64(i%37)*.002, -0.86 + float64(i%29)*.002
	}
	for i := range 200 {
		lng, lat := at(i)
		if _, err := h.cases.Create(b.Context(), incident.Draft{Type: kinds[i%4], Title: fmt.Sprint("insiden ", i), Lng: &lng, Lat: &lat}, audit.Actor{Subject: "user:ani"}); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 1000 {
		lng, lat := at(i * 7)
		told := feeds.Report{Channel: "call", Text: fmt.Sprint("Ada asap di dekat pasar ", i), Position: geo.Position{Lng: lng, Lat: lat}, Placed: true, At: moment.Of(time.Now()), ReceivedAt: moment.Of(time.Now())}
		if _, _, err := h.cases.EnterReport(b.Context(), told, "", audit.Actor{Subject: "user:ct"}); err != nil {
			b.Fatal(err)
		}
	}
	body := `{"text":"kebakaran rumah di simpang","lng":100.6305,"lat":-0.8303}`
	answer, asked := "", 0
	for b.Loop() {
		if asked++; asked%actBurst == 0 { // nobody may ask faster for long
			b.StopTimer()
			time.Sleep(actBurst / actRate * time.Second)
			b.StartTimer()
		}
		r := httptest.NewRequest("POST", "http://127.0.0.1:8080/api/v1/reports/hints", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
		answer = w.Body.String()
	}
	if !strings.Contains(answer, "incident") {
		b.Errorf("no hint: %s", answer)
	}
}
