package api

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"testing"
	"time"

	"kentongan/server/access"
	"kentongan/server/blob"
)

// A crew sees what it was sent to whole, whichever agency leads; every other crew sees the district.
func TestACrewSeesWhereItIsSent(t *testing.T) {
	h := build(t)
	h.rostered(t, "pmi", "amb-1", "ambulance")
	h.rostered(t, "bpbd", "trc-1", "trc")
	in := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","severity":"Moderate","title":"Banjir di SD 07","lng":100.6312,"lat":-0.8345}`), http.StatusCreated)
	path := "/api/v1/incidents/" + in["id"].(string)
	sent := h.person("sent", "pmi/amb-1", access.Grant{Role: access.Field, Agency: "pmi"})
	other := h.person("other", "bpbd/trc-1", access.Grant{Role: access.Field, Agency: "bpbd"})
	lng := func(ask asker) float64 {
		return h.want(ask("GET", path, ""), http.StatusOK)["location"].(map[string]any)["lng"].(float64)
	}
	if lng(sent) == 100.6312 {
		t.Error("the place is told before anybody is sent")
	}
	d := h.want(h.admin("POST", path+"/dispatches", `{"unit":"pmi/amb-1"}`), http.StatusCreated)
	if lng(sent) != 100.6312 || lng(other) == 100.6312 {
		t.Errorf("sent: the crew sees %v, another %v", lng(sent), lng(other))
	}
	h.want(sent("POST", path+"/comments", `{"text":"Air naik"}`), http.StatusCreated)
	h.want(other("POST", path+"/comments", `{"text":"Air naik"}`), http.StatusForbidden)
	h.want(h.admin("POST", "/api/v1/dispatches/"+d["id"].(string)+"/transitions", `{"to":"cancelled"}`), http.StatusOK)
	if lng(sent) != 100.6312 {
		t.Error("recalled: what the crew did there has no place any more")
	}
}

// A photo that the crew took once it was sent shows that it is over, also under the lead of another agency; one from before does not, and nobody
// else's crew encloses any.
func TestAPhotoOfACrewIsProof(t *testing.T) {
	files, err := blob.Open(t.TempDir(), 1<<20, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	h := build(t, func(_ *house, d *Deps) { d.Blobs = &Blobs{Store: files, Pictures: blob.NewMaker()} })
	h.rostered(t, "pmi", "amb-1", "ambulance")
	h.rostered(t, "bpbd", "trc-1", "trc")
	in := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","severity":"Moderate","lng":100.6312,"lat":-0.8345}`), http.StatusCreated)
	path := "/api/v1/incidents/" + in["id"].(string)
	sent := h.person("sent", "pmi/amb-1", access.Grant{Role: access.Field, Agency: "pmi"})
	other := h.person("other", "bpbd/trc-1", access.Grant{Role: access.Field, Agency: "bpbd"})
	d := h.want(h.admin("POST", path+"/dispatches", `{"unit":"pmi/amb-1"}`), http.StatusCreated)
	offered, err := time.Parse(time.RFC3339, d["times"].(map[string]any)["offered"].(string))
	if err != nil {
		t.Fatal(err)
	}
	kinds := func() (out []any) {
		for _, p := range h.want(h.admin("GET", path, ""), http.StatusOK)["proof"].(map[string]any)["have"].([]any) {
			out = append(out, p.(map[string]any)["kind"])
		}
		return out
	}
	enclose := func(who asker, side int, at time.Time, want int) {
		t.Helper()
		var photo bytes.Buffer
		if err := png.Encode(&photo, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
			t.Fatal(err)
		}
		h.want(who("POST", path+"/attachments?kind=photo&taken_at="+url.QueryEscape(at.Format(time.RFC3339Nano)), photo.String()), want)
	}
	enclose(other, 20, offered, http.StatusForbidden)
	enclose(sent, 30, offered.Add(-time.Minute), http.StatusCreated)
	if got := kinds(); len(got) != 0 {
		t.Errorf("a photo from before shows %v", got)
	}
	enclose(sent, 40, offered, http.StatusCreated)
	if got := kinds(); len(got) != 1 || got[0] != "photo" {
		t.Errorf("a photo taken there shows %v", got)
	}
}

// Whoever rides with a unit begins with its task, everybody else with the wall.
func TestACrewBeginsWithItsTask(t *testing.T) {
	h := build(t)
	h.rostered(t, "pmi", "amb-1", "ambulance")
	crew, dispatcher := h.person("sent", "pmi/amb-1", access.Grant{Role: access.Field, Agency: "pmi"}), h.person("disp", "", access.Grant{Role: access.Dispatcher})
	for to, ask := range map[string]asker{"/field": crew, "/wall": dispatcher} {
		if got := ask("GET", "/", ""); got.Code != http.StatusSeeOther || got.Header().Get("Location") != to {
			t.Errorf("%d %q, want %s", got.Code, got.Header().Get("Location"), to)
		}
	}
	if got := crew("GET", "/field", ""); got.Code != http.StatusOK && got.Code != http.StatusServiceUnavailable {
		t.Errorf("/field answers its crew %d", got.Code)
	}
}
