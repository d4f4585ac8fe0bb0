package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/incident"
	"kentongan/alerts/plan"
	"kentongan/alerts/report"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/fault"
	"kentongan/server/problem"
)

// A store that does not answer is 503 with when to ask again, by every kind of route, and also where it failed in the middle of an act: while
// somebody was asked whether it may be done.
func TestAStoreThatIsAwayIsToldAsSuch(t *testing.T) {
	s := &server{}
	away := fmt.Errorf("%w: load: EOF", feeds.ErrBusy)
	for name, err := range map[string]error{"the store's own": away, "told already": s.fault(away), "told in the middle of an act": fmt.Errorf("step: %w", s.fault(away))} {
		w := httptest.NewRecorder()
		s.answerFault(w, err)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "2" {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
		w = httptest.NewRecorder()
		s.answerFault(w, s.fault(err))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "2" {
			t.Errorf("%s, as huma is given it: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
	}
	w := httptest.NewRecorder()
	s.answerFault(w, huma.Error404NotFound("gone"))
	if w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
}

// Whoever does not hear the answer asks again under the same key, and opens, sends and lets rest once.
func TestOpeningSendingAndRestingUnderAKey(t *testing.T) {
	h := build(t)
	h.rostered(t, "bpbd", "trc-1", "trc")
	twice := func(path, body string, code int, field string) map[string]any {
		t.Helper()
		first := h.want(h.admin("POST", path, body, "Idempotency-Key", "k-"+path), code)
		if again := h.want(h.admin("POST", path, body, "Idempotency-Key", "k-"+path), code); again[field] != first[field] || again["version"] != first["version"] {
			t.Errorf("%s again: %v, first %v", path, again[field], first[field])
		}
		return first
	}
	in := twice("/api/v1/incidents", `{"type":"flood","lng":100.6,"lat":-0.9}`, 201, "number")
	h.want(h.admin("POST", "/api/v1/incidents", `{"type":"wind","lng":100.6,"lat":-0.9}`, "Idempotency-Key", "k-/api/v1/incidents"), 422)
	path := "/api/v1/incidents/" + in["id"].(string)
	twice(path+"/dispatches", `{"unit":"bpbd/trc-1"}`, 201, "id")
	twice(path+"/hold", fmt.Sprintf(`{"on":true,"reason":"daylight","until":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)), 200, "status")
	if now := h.want(h.admin("GET", path, ""), 200); len(now["dispatches"].([]any)) != 1 || len(now["timeline"].([]any)) != 3 {
		t.Errorf("%v %v", now["dispatches"], now["timeline"])
	}
}

// Every code of a field's fault has words, and what an act lacks is told by field, code and bound, under the code of what it is of.
func TestAFaultNamesItsField(t *testing.T) {
	for _, code := range fault.Codes {
		if !slices.Contains(problem.Faults, problem.Fault(code)) {
			t.Errorf("%s is none of problem's", code)
		}
	}
	s := &server{}
	for name, c := range map[string]struct {
		err  error
		code problem.Code
		want problem.Place
	}{
		"an act":      {fmt.Errorf("step: %w", fault.In(incident.ErrInvalid, "at", fault.Late, nil, "%s has not come yet", "x")), problem.Incomplete, problem.Place{Location: "body.at", Message: "x has not come yet", Code: problem.Late}},
		"a device":    {fault.At("screen", fault.Form, "north-1", "want the name of a screen"), problem.Invalid, problem.Place{Location: "body.screen", Message: "want the name of a screen", Code: problem.Form, Limit: "north-1"}},
		"a taken one": {report.ErrCall, problem.CallTaken, problem.Place{}},
		"a plan":      {&store.PlanConflict{Cause: plan.ErrOver}, problem.PlanOver, problem.Place{}},
	} {
		doc, ok := s.fault(c.err).(*problem.Document)
		if !ok || doc.Code != c.code {
			t.Errorf("%s: %+v", name, doc)
			continue
		}
		if c.want.Location == "" && len(doc.Errors) != 0 || c.want.Location != "" && (len(doc.Errors) != 1 || *doc.Errors[0] != c.want) {
			t.Errorf("%s: %+v", name, doc.Errors)
		}
	}
}
