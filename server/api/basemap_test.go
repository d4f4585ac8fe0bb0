package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/server/basemap"
)

func TestNoBaseMap(t *testing.T) {
	h := build(t)
	h.want(h.ask("GET", "/basemap/style.json", ""), http.StatusUnauthorized)
	for _, path := range []string{"/basemap/style.json", "/basemap/tiles.pmtiles", "/basemap/", "/basemap/source/0/0/0/0"} {
		h.want(h.admin("GET", path, ""), http.StatusNotFound)
	}
	doc := h.want(h.admin("GET", "/api/v1/profile", ""), http.StatusOK)
	if b := doc["basemap"].(map[string]any); b["kind"] != "none" || b["url"] != "" {
		t.Errorf("basemap %v", b)
	}
	for _, key := range []string{"units", "hazard_sites", "levels", "capabilities", "neighbours", "watch", "sla", "agencies", "codes", "languages"} {
		if doc[key] == nil {
			t.Errorf("the profile lacks %s", key)
		}
	}
}

// An outside style reaches screens from our own origin, with a media type of ours, and says so where the outside is down.
func TestAnOutsideStyleThroughUs(t *testing.T) {
	var down bool
	var outer *httptest.Server
	outer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Set-Cookie", "spy=1")
		switch {
		case down:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/style.json":
			_, _ = w.Write([]byte(`{"version":8,"sources":{"a":{"type":"vector","tiles":["` + outer.URL + `/{z}/{x}/{y}"],"attribution":"<b>BIG</b>"}},"layers":[]}`))
		case r.URL.Path == "/0/0/0":
			_, _ = w.Write([]byte{0x1a, 0x02, 0x78, 0x02})
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(outer.Close)
	m, err := basemap.Open(basemap.Config{Style: outer.URL + "/style.json", AllowPrivate: true}, basemap.Deps{Dir: t.TempDir(), Now: time.Now, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	h := build(t)
	s := &server{Deps: Deps{Auth: h.auth, Basemap: m, Log: zerolog.Nop()}}
	s.table = newTable(s)
	s.basemap()
	h.handler = s.table
	style := h.admin("GET", "/basemap/style.json", "")
	if style.Code != http.StatusOK || style.Header().Get("Content-Type") != "application/json" || strings.Contains(style.Body.String(), outer.URL) || style.Header().Get("Set-Cookie") != "" {
		t.Errorf("%d %v %s", style.Code, style.Header(), style.Body)
	}
	tile := h.admin("GET", "/basemap/source/0/0/0/0", "")
	if tile.Code != http.StatusOK || tile.Header().Get("Content-Type") != "application/vnd.mapbox-vector-tile" || tile.Header().Get("Age") == "" || !strings.HasPrefix(tile.Header().Get("Cache-Control"), "private") {
		t.Errorf("%d %v", tile.Code, tile.Header())
	}
	if w := h.admin("GET", "/basemap/source/0/1/0/0", ""); w.Code != http.StatusNoContent {
		t.Errorf("nothing at a tile: %d", w.Code)
	}
	h.want(h.admin("GET", "/basemap/source/1/0/0/0", ""), http.StatusNotFound)
	down = true
	h.want(h.admin("GET", "/basemap/source/0/2/0/0", ""), http.StatusServiceUnavailable)
	if w := h.admin("GET", "/basemap/source/0/0/0/0", ""); w.Code != http.StatusOK {
		t.Errorf("what we had: %d", w.Code)
	}
	h.want(h.ask("GET", "/basemap/source/0/0/0/0", ""), http.StatusUnauthorized)
}
