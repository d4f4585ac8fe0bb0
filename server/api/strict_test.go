package api

import (
	"net/http"
	"strings"
	"testing"
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
	var in struct {
		Code string `json:"code"`
	}
	for _, bad := range []string{``, `[]`, `null`, `"a"`, `{"Code":"a"}`, `{"code":"a","code":"b"}`, `{"code":"a","x":1}`, `{"code":1}`, `{"code":"a"}x`, "{\"code\":\"\xff\"}"} {
		in.Code = ""
		if err := readStrict(strings.NewReader(bad), &in); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if err := readStrict(strings.NewReader(`{"code":"a"}`), &in); err != nil || in.Code != "a" {
		t.Error(in, err)
	}
}
