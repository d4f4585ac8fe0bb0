package api

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

func TestReports(t *testing.T) {
	h := build(t)
	at := geo.Position{Lat: -0.83, Lng: 100.63}
	list := []feeds.Report{
		{ID: "14/01", Channel: "open311", Text: "Lubang di jalan", Type: "Jalan rusak", At: moment.Of(time.Now()), Position: at, Placed: true},
		{ID: "14-02", Channel: "open311", Text: "Lampu mati", Status: "closed", Address: "Jl. Lembang"},
	}
	if _, err := h.cases.PutReports(t.Context(), list, feeds.Meta{Feed: "lapor", Agency: "pupr", ReceivedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	call := h.want(h.admin("POST", "/api/v1/reports", `{"channel":"call","text":"Air naik di Lembang","type":"banjir","lng":100.6,"lat":-0.8}`, "Idempotency-Key", "k-1"), 201)
	if call["feed"] != "desk" || call["state"] != "new" || call["status"] != "open" || call["lng"] != 100.6 || call["area_name"] == "" {
		t.Errorf("entered as %v", call)
	}
	again := h.want(h.admin("POST", "/api/v1/reports", `{"channel":"call","text":"Air naik di Lembang","type":"banjir","lng":100.6,"lat":-0.8}`, "Idempotency-Key", "k-1"), 201)
	if again["id"] != call["id"] || again["received_at"] != call["received_at"] {
		t.Errorf("the same key answers %v", again)
	}
	h.want(h.admin("POST", "/api/v1/reports", `{"channel":"call","text":"Air surut"}`, "Idempotency-Key", "k-1"), 422)
	for _, c := range []struct {
		query string
		want  int
	}{
		{"", 3}, {"status=open", 2}, {"status=closed", 1}, {"channel=call", 1}, {"feed=lapor", 2}, {"q=lubang", 1}, {"bbox=100.62,-0.84,100.64,-0.82", 1},
		{"from=2030-01-01T00:00:00Z", 0}, {"to=2020-01-01T00:00:00Z", 0},
	} {
		doc := h.want(h.admin("GET", "/api/v1/reports?"+c.query, ""), 200)
		if got := len(doc["items"].([]any)); got != c.want {
			t.Errorf("%s: %d, want %d", c.query, got, c.want)
		}
	}
	page := h.want(h.admin("GET", "/api/v1/reports?limit=2", ""), 200)
	rest := h.want(h.admin("GET", "/api/v1/reports?limit=2&page="+url.QueryEscape(page["next_page"].(string)), ""), 200)
	if len(page["items"].([]any)) != 2 || len(rest["items"].([]any)) != 1 || rest["next_page"] != "" {
		t.Errorf("pages %v, %v", page, rest)
	}
	one := h.want(h.admin("GET", "/api/v1/reports/"+url.PathEscape("lapor:14/01"), ""), 200)
	if one["service_request_id"] != "14/01" || one["text"] != "Lubang di jalan" {
		t.Errorf("one is %v", one)
	}
	h.want(h.admin("GET", "/api/v1/reports/lapor:99", ""), 404)
	h.want(h.admin("GET", "/api/v1/reports?status=waiting", ""), 422)
	h.want(h.admin("GET", "/api/v1/reports?page=x", ""), 422)
}

func TestFaultyReportsAreNotTaken(t *testing.T) {
	h := build(t)
	for name, body := range map[string]string{
		"no text":       `{"channel":"call"}`,
		"blank text":    `{"channel":"call","text":"  "}`,
		"no channel":    `{"text":"Air naik"}`,
		"channel":       `{"channel":"pigeon","text":"Air naik"}`,
		"half a place":  `{"channel":"call","text":"Air naik","lng":100.6}`,
		"no such place": `{"channel":"call","text":"Air naik","lng":100.6,"lat":91}`,
		"0,0":           `{"channel":"call","text":"Air naik","lng":0,"lat":0}`,
		"ahead":         `{"channel":"call","text":"Air naik","at":"2090-01-01T00:00:00Z"}`,
		"a caller":      `{"channel":"call","text":"Air naik","phone":"0812"}`,
		"too long":      `{"channel":"call","text":"` + strings.Repeat("a", 16385) + `"}`,
	} {
		t.Run(name, func(t *testing.T) { h.want(h.admin("POST", "/api/v1/reports", body), 422) })
	}
}

func TestReportsNeedTheirRights(t *testing.T) {
	h := build(t)
	h.want(h.ask("GET", "/api/v1/reports", ""), 401)
	h.want(h.ask("POST", "/api/v1/reports", `{"channel":"call","text":"x"}`), 401)
}
