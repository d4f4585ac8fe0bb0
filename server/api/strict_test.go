package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kentongan/geo/redistest"
	"kentongan/server/devices"
)

// A body that two readers could read in two ways is refused, with the place, and nothing is done.
func TestBodiesAreReadStrictly(t *testing.T) {
	h := build(t)
	for name, body := range map[string]string{
		"a key twice":              `{"type":"flood","title":"a","title":"b","lng":100.6,"lat":-0.8}`,
		"keys that differ in case": `{"type":"flood","title":"a","Title":"b","lng":100.6,"lat":-0.8}`,
		"a key in another case":    `{"type":"flood","Title":"b","lng":100.6,"lat":-0.8}`,
		"a key nobody knows":       `{"type":"flood","role":"admin","lng":100.6,"lat":-0.8}`,
		"something after it":       `{"type":"flood","lng":100.6,"lat":-0.8} {}`,
		"not UTF-8":                "{\"type\":\"flood\",\"title\":\"\xff\",\"lng\":100.6,\"lat\":-0.8}",
		"an unpaired surrogate":    `{"type":"flood","title":"\ud800","lng":100.6,"lat":-0.8}`,
		"nesting":                  `{"type":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
		"cut":                      `{"type":"flood"`,
	} {
		got := h.admin("POST", "/api/v1/incidents", body)
		if got.Code != http.StatusBadRequest && got.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	if got := h.admin("GET", "/api/v1/incidents", ""); !strings.Contains(got.Body.String(), `"items":[]`) {
		t.Errorf("something was opened: %s", got.Body)
	}
	if got := h.admin("POST", "/api/v1/incidents", `{"type":"flood","title":"a","lng":100.6,"lat":-0.8}`); got.Code != http.StatusCreated {
		t.Errorf("a good one: %d %s", got.Code, got.Body)
	}
}

func TestReadStrict(t *testing.T) {
	type part struct {
		Name string `json:"name,omitempty"`
	}
	type whole struct {
		part
		Code  string          `json:"code,omitempty"`
		Parts []part          `json:"parts"`
		Raw   json.RawMessage `json:"raw"`
		At    *time.Time      `json:"at"`
	}
	for _, bad := range []string{``, ` `, `[]`, `null`, `"a"`, `{"Code":"a"}`, `{"code":"a","code":"b"}`, `{"code":"a","Code":"b"}`, `{"code":"a","x":1}`, `{"code":1}`, `{"code":"a"}x`, `{"code":"a"}{}`,
		"{\"code\":\"\xff\"}", `{"parts":[{"Name":"a"}]}`, `{"parts":[{"name":"a","y":1}]}`, `{"parts":{}}`, `{"raw":{"a":1,"a":2}}`, `{"at":"yesterday"}`} {
		var in whole
		if err := readStrict(strings.NewReader(bad), &in); !errors.Is(err, errBody) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	var in whole
	err := readStrict(strings.NewReader(`{"code":"","name":"n","parts":[{"name":"a"}],"raw":{"Any":["thing"]},"at":"2026-11-27T08:00:00Z"}`), &in)
	if err != nil || in.Name != "n" || in.Parts[0].Name != "a" || string(in.Raw) != `{"Any":["thing"]}` || in.At == nil {
		t.Error(in, err)
	}
	if err := readStrict(strings.NewReader(`{"password":"rahasia-sekali","code":7}`), &in); err == nil || strings.Contains(err.Error(), "rahasia") {
		t.Errorf("%v: a secret is told", err)
	}
}

// Every handler that reads its body by itself reads it strictly: the steps of signing in, and the enrolment of devices.
func TestSignInBodiesAreReadStrictly(t *testing.T) {
	h := build(t, func(h *house, d *Deps) {
		d.Devices = devices.New(devices.Deps{Redis: redistest.Start(t), Keys: redistest.Keys(t), Filter: func(string) (string, bool) { return "", false }, Now: time.Now})
		h.auth.Know(d.Devices)
	})
	for _, path := range []string{"POST /api/v1/session", "POST /api/v1/session/second", "POST /api/v1/session/reset", "POST /api/v1/session/passkey/begin", "POST /api/v1/session/passkey/finish",
		"POST /api/v1/session/device", "POST /api/v1/session/device/poll"} {
		method, path, _ := strings.Cut(path, " ")
		for name, body := range map[string]string{
			"a key twice":  `{"code":"a","code":"b","pending":"a","pending":"b","poll":"a","poll":"b","kind":"wall","kind":"wall","ticket":"a","ticket":"b"}`,
			"another case": `{"Code":"a","Pending":"b","Poll":"c","Kind":"wall","Ticket":"a"}`, "not UTF-8": "{\"desk\":\"\xff\"}", "empty": "", "a list": "[]", "no end": `{`} {
			got := h.ask(method, path, body, "Origin", "http://127.0.0.1:8080")
			if got.Code != http.StatusBadRequest {
				t.Errorf("%s %s, %s: %d %s", method, path, name, got.Code, got.Body)
			}
		}
		if got := h.ask(method, path, `{"desk":"`+strings.Repeat("x", smallBody)+`"}`, "Origin", "http://127.0.0.1:8080"); got.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s %s, too large: %d %s", method, path, got.Code, got.Body)
		}
	}
}

// One way only: no handler decodes a body by itself.
func TestNobodyDecodesBodiesAlone(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "strict.go" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range []string{"json.NewDecoder", "json.Unmarshal(", "io.ReadAll(r.Body)"} {
			if strings.Contains(string(text), way) {
				t.Errorf("%s uses %s: readStrict is the way", name, way)
			}
		}
	}
}
