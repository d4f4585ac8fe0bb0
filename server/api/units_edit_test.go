package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"kentongan/server/access"
)

// A roster is kept by whoever runs an agency's units; a crew says what it does itself.
func TestARosterIsKept(t *testing.T) {
	h := build(t)
	liaison, other := h.person("li", "", access.Grant{Role: access.Liaison, Agency: "bpbd"}), h.person("ot", "", access.Grant{Role: access.Liaison, Agency: "damkar"})
	crew, op := h.person("crew", "bpbd/trc-1", access.Grant{Role: access.Field, Agency: "bpbd"}), h.person("op", "", access.Grant{Role: access.Operator})
	const path = "/api/v1/units/bpbd/trc-1"
	one := `{"agency":"bpbd","call_sign":"trc-1","name":"TRC 1","capabilities":["trc"],"post":{"name":"Pos","lng":100.6,"lat":-0.9}}`
	h.want(other("POST", "/api/v1/units", one), http.StatusForbidden)
	h.want(op("POST", "/api/v1/units", one), http.StatusForbidden)
	h.want(crew("POST", "/api/v1/units", one), http.StatusForbidden)
	for name, body := range map[string]string{"no capability": strings.Replace(one, `"trc"]`, `"fly"]`, 1), "no agency": strings.Replace(one, `"bpbd"`, `"nosuch"`, 1),
		"an unknown field": strings.Replace(one, `"name"`, `"nama"`, 1), "a shift without zone": strings.Replace(one, `"post"`, `"shift_until":"besok","post"`, 1)} {
		if w := h.admin("POST", "/api/v1/units", body, "Content-Type", "application/json"); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if u := h.want(liaison("POST", "/api/v1/units?dry_run=1", one), http.StatusOK); u["id"] != "bpbd/trc-1" {
		t.Error(u)
	}
	h.want(liaison("PATCH", path, `{"status":"off_duty"}`), http.StatusNotFound)
	u := h.want(liaison("POST", "/api/v1/units", one), http.StatusCreated)
	h.want(liaison("POST", "/api/v1/units", one), http.StatusConflict)
	if u["status"] != "available" || u["name"] != "TRC 1" {
		t.Errorf("%v", u)
	}
	h.want(other("PATCH", path, `{"status":"off_duty"}`), http.StatusNotFound)
	h.want(crew("PATCH", path, `{"name":"Kami"}`), http.StatusUnprocessableEntity)
	h.want(crew("PATCH", path, `{"name":"Kami","version":2}`), http.StatusForbidden)
	h.want(crew("PATCH", path, `{}`), http.StatusUnprocessableEntity)
	if u := h.want(crew("PATCH", path, `{"status":"off_duty","reason":"ban bocor"}`), http.StatusOK); u["status"] != "off_duty" || u["reason"] != "ban bocor" {
		t.Errorf("%v", u)
	}
	late := h.want(liaison("PATCH", path, fmt.Sprintf(`{"crew":["Ani"],"version":%v}`, u["version"])), http.StatusConflict)
	now := late["current"].(map[string]any)["version"]
	if u := h.want(liaison("PATCH", path, fmt.Sprintf(`{"status":"available","crew":["Ani"],"shift_until":"2126-11-27T15:00:00+07:00","version":%v}`, now)), http.StatusOK); u["status"] != "available" ||
		u["shift_until"] != "2126-11-27T08:00:00.000Z" {
		t.Errorf("%v", u)
	}
	if v := h.want(h.admin("GET", "/api/v1/units?agency=bpbd", ""), http.StatusOK)["items"].([]any); len(v) != 1 {
		t.Errorf("%v", v)
	}
}

// What is done is free again, by the word of its crew.
func TestAUnitIsFreeAgain(t *testing.T) {
	h := build(t)
	h.rostered(t, "bpbd", "trc-1", "trc")
	crew, di := h.person("crew", "bpbd/trc-1", access.Grant{Role: access.Field, Agency: "bpbd"}), h.person("di", "", access.Grant{Role: access.Dispatcher})
	in := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","severity":"Moderate","lng":100.63,"lat":-0.83}`), http.StatusCreated)["id"].(string)
	d := h.want(di("POST", "/api/v1/incidents/"+in+"/dispatches", `{"unit":"bpbd/trc-1"}`), http.StatusCreated)["id"].(string)
	h.want(crew("PATCH", "/api/v1/units/bpbd/trc-1", `{"status":"off_duty"}`), http.StatusConflict)
	for _, to := range []string{"en_route", "on_scene", "done"} {
		h.want(crew("POST", "/api/v1/dispatches/"+d+"/transitions", `{"to":"`+to+`"}`), http.StatusOK)
	}
	if u := h.want(crew("PATCH", "/api/v1/units/bpbd/trc-1", `{"status":"available"}`), http.StatusOK); u["status"] != "available" || u["dispatch"] != nil {
		t.Errorf("%v", u)
	}
}

func TestARosterInCSV(t *testing.T) {
	h := build(t)
	h.rostered(t, "bpbd", "trc-1", "trc")
	send := func(query, text string, status int) map[string]any {
		t.Helper()
		return h.want(h.admin("POST", "/api/v1/units"+query, text, "Content-Type", "text/csv"), status)
	}
	count := func() int { return len(h.want(h.admin("GET", "/api/v1/units", ""), http.StatusOK)["items"].([]any)) }
	good := "\ufeffagency;call_sign;name;capabilities;crew;post_name;post_lng;post_lat;shift_until\r\nbpbd;trc-1;;;Ani|Budi;;;;\r\nbpbd;trc-2;\"Regu; Dua\";trc|boat;;Pos;100.6;-0.9;2126-01-01T00:00:00Z\r\n"
	if got := send("?dry_run=1", good, http.StatusOK); got["created"] != 1.0 || got["changed"] != 1.0 || got["dry_run"] != true || count() != 1 {
		t.Errorf("tried: %v", got)
	}
	if got := send("", good, http.StatusOK); got["created"] != 1.0 || got["changed"] != 1.0 || count() != 2 {
		t.Errorf("taken: %v", got)
	}
	if got := send("", good, http.StatusOK); got["unchanged"] != 2.0 {
		t.Errorf("taken again: %v", got)
	}
	bad := "agency,call_sign,capabilities,post_lng,post_lat,shift_until\nbpbd,trc-3,trc,,,\nbpbd,,trc,,,\nnosuch,x-1,,,,\nbpbd,trc-4,fly,,,\nbpbd,trc-5,,timur,-0.9,\nbpbd,trc-6,,,,besok\nbpbd,trc-3,,,,\nbpbd,trc-7\nbpbd,trc/8,,,,\n"
	want := map[float64]string{3: "missing", 4: "no_agency", 5: "not_valid", 6: "no_number", 7: "no_time", 8: "twice", 9: "fields", 10: "not_valid"}
	column := map[float64]string{5: "capabilities", 10: "call_sign"}
	for _, query := range []string{"?dry_run=1", ""} {
		status := map[string]int{"?dry_run=1": http.StatusOK, "": http.StatusUnprocessableEntity}[query]
		faults := send(query, bad, status)["faults"].([]any)
		if len(faults) != len(want) {
			t.Errorf("%q: %v", query, faults)
		}
		for _, f := range faults {
			f := f.(map[string]any)
			if want[f["line"].(float64)] != f["code"] || f["text_id"] == "" || f["text_en"] == "" || f["text_id"] == f["text_en"] || column[f["line"].(float64)] != "" && column[f["line"].(float64)] != f["column"] {
				t.Errorf("%q: %v", query, f)
			}
		}
	}
	for name, text := range map[string]string{"only a blank line": "\n", "no header": "bpbd,trc-9\n", "not UTF-8": "agency,call_sign\nbpbd,trc\xff\n", "an open quote": "agency,call_sign\nbpbd,\"trc\n",
		"too many": "agency,call_sign\n" + strings.Repeat("bpbd,x\n", mostRoster+2)} {
		if f := send("", text, http.StatusUnprocessableEntity)["faults"].([]any); len(f) == 0 {
			t.Errorf("%s: no fault", name)
		}
	}
	if count() != 2 {
		t.Errorf("a roster at fault was taken: %d units", count())
	}
	h.want(h.admin("POST", "/api/v1/units", "x", "Content-Type", "text/plain"), http.StatusUnsupportedMediaType)
	if w := h.person("li", "", access.Grant{Role: access.Liaison, Agency: "damkar"}); w("POST", "/api/v1/units", `{"agency":"bpbd","call_sign":"trc-9"}`).Code != http.StatusForbidden {
		t.Error("another agency's roster")
	}
}
