package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kentongan/geo/moment"
)

// reporting is a house in which nobody needs a second factor.
func reporting(t *testing.T) *running {
	t.Helper()
	needRedis(t)
	return launch(t, "test", reported+"sign_in: {second_factor: []}\n", []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
}

// signsIn signs somebody in by password: they have shown nothing else.
func signsIn(t *testing.T, r *running, login string) *caller {
	t.Helper()
	c := &caller{t: t, cookies: map[string]string{}}
	c.must(r, "POST", "/api/v1/session", map[string]any{"login": login, "password": newPassword}, http.StatusOK)
	return c
}

func (c *caller) call(r *running, text string) string {
	c.t.Helper()
	doc := map[string]any{"channel": "call", "text": text, "reporter": map[string]any{"name": "Kanariwati", "phone": "0812 7777 1234"}}
	return c.must(r, "POST", "/api/v1/reports", doc, http.StatusCreated)["id"].(string)
}

func (c *caller) reveal(r *running, id string) (int, map[string]any) {
	c.t.Helper()
	return c.ask(r, "POST", "/api/v1/reports/"+id+"/reporter/reveal", map[string]any{"reason": "menelepon kembali pelapor"})
}

const given = `[{"service_request_id":"9","status":"open","service_name":"Banjir","description":"rumah terendam","requested_datetime":"2026-11-27T01:00:00Z","lat":-0.83,"long":100.63,"first_name":"Kanariwati","phone":"0812-7777-1234"}]`

// Where who reported cannot be kept, nobody hears that the report was taken; sent again there is one report, with its reporter.
func TestNoAnswerBeforeTheReporterIsKept(t *testing.T) {
	t.Parallel()
	r := reporting(t)
	broken := r.keys.ReporterMatch()
	if err := r.rdb.HSet(t.Context(), broken, "not", "a key").Err(); err != nil {
		t.Fatal(err)
	}
	const desk = `{"channel":"call","text":"air naik","reporter":{"name":"Kanariwati","phone":"0812 7777 1234"}}`
	if code, doc := r.ask("POST", "/api/v1/reports", desk); code != http.StatusServiceUnavailable {
		t.Fatal(code, doc)
	}
	if _, doc := r.ask("GET", "/api/v1/reports", ""); len(doc["items"].([]any)) != 0 {
		t.Errorf("a report is there without its reporter: %v", doc)
	}
	if code, doc := r.ask("POST", "/api/v1/ingest/lapor", given); code != http.StatusServiceUnavailable {
		t.Error(code, doc)
	}
	if err := r.rdb.Del(t.Context(), broken).Err(); err != nil {
		t.Fatal(err)
	}
	code, doc := r.ask("POST", "/api/v1/reports", desk)
	if code != http.StatusCreated {
		t.Fatal(code, doc)
	}
	if code, doc := r.ask("POST", "/api/v1/ingest/lapor", given); code != http.StatusAccepted {
		t.Error(code, doc)
	}
	for _, id := range []string{doc["id"].(string), "lapor:9"} {
		if code, doc := r.ask("GET", "/api/v1/reports/"+id+"/reporter", ""); code != 200 || doc["name"] != "Ka**" {
			t.Errorf("%s: %d %v", id, code, doc)
		}
	}
	if _, doc := r.ask("GET", "/api/v1/reports", ""); len(doc["items"].([]any)) != 2 {
		t.Errorf("%d reports, want one each", len(doc["items"].([]any)))
	}
}

// Who may see a reporter whole, asked over HTTP; where the log does not take it, nobody does.
func TestWhoSeesReportersWhole(t *testing.T) {
	t.Parallel()
	r := reporting(t)
	people := map[string]*caller{}
	for _, role := range []string{"dispatcher", "calltaker", "operator", "auditor", "leader", "pio", "supervisor", "admin"} { // those last who approve what others are granted
		_, people[role] = newPerson(t, r, role+"-1", role)
	}
	own, other := people["calltaker"].call(r, "air naik"), people["dispatcher"]
	house := (&caller{t: t}).call(r, "air surut")
	for role, may := range map[string]bool{"supervisor": true, "dispatcher": true, "calltaker": false, "admin": false, "operator": false, "auditor": false, "leader": false, "pio": false} {
		code, doc := people[role].reveal(r, house)
		if may != (code == http.StatusOK) || !may && code != http.StatusForbidden && code != http.StatusNotFound {
			t.Errorf("%s: %d %v", role, code, doc)
		}
		if strings.Contains(fmt.Sprint(doc), "Kanariwati") != may {
			t.Errorf("%s reads %v", role, doc)
		}
	}
	if code, doc := people["calltaker"].reveal(r, own); code != http.StatusOK || doc["name"] != "Kanariwati" {
		t.Errorf("their own call: %d %v", code, doc)
	}
	// A day later it is anybody's.
	key := r.keys.Report(own)
	for field, text := range r.rdb.HGetAll(t.Context(), key).Val() {
		at := `"received_at":"`
		if i := strings.Index(text, at); i >= 0 {
			old := text[i+len(at) : i+len(at)+len(moment.Layout)]
			past := moment.Of(time.Now().Add(-25 * time.Hour)).String()
			if end := strings.IndexByte(text[i+len(at):], '"'); end >= 0 {
				old = text[i+len(at) : i+len(at)+end]
			}
			if err := r.rdb.HSet(t.Context(), key, field, strings.Replace(text, at+old, at+past, 1)).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if code, doc := people["calltaker"].reveal(r, own); code != http.StatusForbidden {
		t.Errorf("their own call after a day: %d %v", code, doc)
	}
	// No record, no answer.
	audit := r.keys.Audit()
	if err := r.rdb.Rename(t.Context(), audit, audit+":aside").Err(); err != nil {
		t.Fatal(err)
	}
	r.rdb.Set(t.Context(), audit, "no stream", 0)
	code, doc := other.reveal(r, house)
	r.rdb.Del(t.Context(), audit)
	if err := r.rdb.Rename(t.Context(), audit+":aside", audit).Err(); err != nil {
		t.Fatal(err)
	}
	if code < 500 || strings.Contains(fmt.Sprint(doc), "Kanariwati") {
		t.Errorf("without a record: %d %v", code, doc)
	}
	if _, doc := r.ask("GET", "/api/v1/reports/"+house+"/reporter", ""); len(doc["shown"].([]any)) != 2 {
		t.Errorf("who has seen it: %v", doc["shown"])
	}
}

// After twenty within an hour whoever looks shows again who they are.
func TestRevealsOfAnHour(t *testing.T) {
	t.Parallel()
	r := reporting(t)
	newPerson(t, r, "dian", "dispatcher")
	dian := signsIn(t, r, "dian")
	id := (&caller{t: t}).call(r, "air naik")
	for i := range 20 {
		if code, doc := dian.reveal(r, id); code != http.StatusOK {
			t.Fatalf("%d: %d %v", i+1, code, doc)
		}
	}
	code, doc := dian.reveal(r, id)
	if code != http.StatusForbidden || doc["type"] != "urn:kentongan:elevate" {
		t.Errorf("the 21st: %d %v", code, doc)
	}
	again := signsIn(t, r, "dian") // a session more is no hour more
	if code, _ := again.reveal(r, id); code != http.StatusForbidden {
		t.Errorf("in another session: %d", code)
	}
	dian.must(r, "POST", "/api/v1/session/elevate", map[string]any{"password": newPassword}, http.StatusOK)
	if code, doc := dian.reveal(r, id); code != http.StatusOK {
		t.Errorf("after they have shown who they are: %d %v", code, doc)
	}
}

// An erasure, and how long data are kept, take two persons; what one of them refused has changed nothing.
func TestErasureAndRetentionByTwoPersons(t *testing.T) {
	t.Parallel()
	r := reporting(t)
	newPerson(t, r, "admin-1", "admin")
	newPerson(t, r, "admin-2", "admin")
	one, two := signsIn(t, r, "admin-1"), signsIn(t, r, "admin-2")
	id := (&caller{t: t}).call(r, "air naik di rumah")
	erase := map[string]any{"report": id, "words": true, "reason": "permintaan subjek data, pasal 8"}
	keep := map[string]any{"days": 30, "reason": "jadwal retensi arsip daerah"}
	if code, doc := one.ask(r, "POST", "/api/v1/privacy/erase", erase); code != http.StatusForbidden || doc["type"] != "urn:kentongan:elevate" {
		t.Errorf("without showing who they are: %d %v", code, doc)
	}
	for _, c := range []*caller{one, two} {
		c.must(r, "POST", "/api/v1/session/elevate", map[string]any{"password": newPassword}, http.StatusOK)
	}
	change := func(doc map[string]any) string {
		return "/api/v1/changes/" + doc["change"].(map[string]any)["id"].(string)
	}
	stands := func(when string) {
		t.Helper()
		if _, doc := r.ask("GET", "/api/v1/reports/"+id+"/reporter", ""); doc["name"] != "Ka**" || doc["gone"] != "" {
			t.Errorf("%s: the reporter is %v", when, doc)
		}
		if _, doc := r.ask("GET", "/api/v1/reports/"+id, ""); doc["text"] != "air naik di rumah" {
			t.Errorf("%s: the report is %v", when, doc)
		}
		if _, doc := r.ask("GET", "/api/v1/retention/alerts", ""); doc["from"] != "config" {
			t.Errorf("%s: alerts are kept %v", when, doc)
		}
	}
	for _, decision := range []string{"refuse", "withdraw"} {
		erasure, retention := change(one.must(r, "POST", "/api/v1/privacy/erase", erase, http.StatusAccepted)), change(one.must(r, "PUT", "/api/v1/retention/alerts", keep, http.StatusAccepted))
		stands("proposed")
		for _, path := range []string{erasure, retention} {
			if code, doc := one.ask(r, "POST", path+"/approve", map[string]any{}); code < 400 {
				t.Errorf("the proposer approves: %d %v", code, doc)
			}
			by := map[string]*caller{"refuse": two, "withdraw": one}[decision]
			if code, doc := by.ask(r, "POST", path+"/"+decision, map[string]any{}); code != http.StatusOK {
				t.Errorf("%s: %d %v", decision, code, doc)
			}
			if code, doc := two.ask(r, "POST", path+"/approve", map[string]any{}); code < 400 {
				t.Errorf("approved after %s: %d %v", decision, code, doc)
			}
		}
		stands(decision)
	}
	erasure, retention := change(one.must(r, "POST", "/api/v1/privacy/erase", erase, http.StatusAccepted)), change(one.must(r, "PUT", "/api/v1/retention/alerts", keep, http.StatusAccepted))
	two.must(r, "POST", erasure+"/approve", map[string]any{}, http.StatusOK)
	two.must(r, "POST", retention+"/approve", map[string]any{}, http.StatusOK)
	if _, doc := r.ask("GET", "/api/v1/reports/"+id+"/reporter", ""); doc["gone"] != "erased" || doc["name"] != "" {
		t.Errorf("%v", doc)
	}
	if _, doc := r.ask("GET", "/api/v1/reports/"+id, ""); doc["erased"] != true || strings.Contains(fmt.Sprint(doc["text"]), "air") {
		t.Errorf("%v", doc)
	}
	_, doc := r.ask("GET", "/api/v1/retention/alerts", "")
	if by, _ := doc["changed_by"].([]any); doc["keep_days"] != 30.0 || len(by) != 2 || by[0] == by[1] {
		t.Errorf("%v", doc)
	}
	if found := r.found(t); len(found) > 0 {
		t.Errorf("after the erasure: %v", found)
	}
}
