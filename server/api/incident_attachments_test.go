package api

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"kentongan/feeds/cap"
	"kentongan/server/access"
	"kentongan/server/blob"
)

// A photo is kept once, made anew, and shown to who works the incident; what is none is told what it is.
func TestAPhotoIsKeptAndShown(t *testing.T) {
	files, err := blob.Open(t.TempDir(), 1<<20, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	h := build(t, func(_ *house, d *Deps) { d.Blobs = &Blobs{Store: files, Pictures: blob.NewMaker()} })
	in := h.flood(cap.Moderate)
	path := "/api/v1/incidents/" + in.ID + "/attachments"
	var photo bytes.Buffer
	if err := png.Encode(&photo, image.NewGray(image.Rect(0, 0, 400, 200))); err != nil {
		t.Fatal(err)
	}
	h.want(h.admin("POST", path, "<svg onload=alert(1)>", "Content-Type", "image/png"), 415)
	h.want(h.admin("POST", path, photo.String()[:60]), 422)
	for _, query := range []string{"kind=video", "taken_at=kemarin", "lng=100.6", "lng=x&lat=1", "name=..%2Fx"} {
		h.want(h.admin("POST", path+"?"+query, photo.String()), 422)
	}
	first := h.want(h.admin("POST", path+"?kind=photo&taken_at=2026-01-02T03:04:05Z&lng=100.63&lat=-0.83", photo.String(), "Idempotency-Key", "k-1"), 201)
	if first["taken_by"] != "stated" {
		t.Errorf("whose word the time is: %v", first["taken_by"])
	}
	if first["mime"] != "image/png" || first["width"] != 400.0 || first["taken_at"] != "2026-01-02T03:04:05.000Z" || first["lng"] != 100.63 {
		t.Errorf("%v", first)
	}
	if again := h.want(h.admin("POST", path, photo.String()), 201); again["id"] != first["id"] {
		t.Errorf("the same bytes are another attachment: %v", again)
	}
	h.want(h.admin("POST", path+"?kind=file", "%PDF-1.7\n", "Idempotency-Key", "k-1"), 422)
	one := path + "/" + first["id"].(string)
	operator, leader := h.person("op", "", access.Grant{Role: access.Operator}), h.person("pim", "", access.Grant{Role: access.Leader})
	got := operator("GET", one, "")
	if got.Code != http.StatusOK || got.Header().Get("Content-Type") != "image/png" || !strings.HasPrefix(got.Header().Get("Content-Disposition"), "attachment; ") ||
		got.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(got.Header().Get("Cache-Control"), "private") {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	if small := operator("GET", one+"?size=small", ""); small.Code != http.StatusOK || small.Body.Len() >= got.Body.Len() {
		t.Errorf("%d, %d bytes of %d", small.Code, small.Body.Len(), got.Body.Len())
	}
	h.want(leader("GET", one, ""), 403)
	h.want(operator("GET", path+"/nosuch", ""), 404)
	needed, err := h.cases.Kept(t.Context())
	if err != nil || !needed[first["sha256"].(string)] || len(needed) != 2 {
		t.Errorf("%v %v", needed, err)
	}
}
