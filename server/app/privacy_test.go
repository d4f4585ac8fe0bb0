package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/feeds/archive"
	"kentongan/server/privacy"
)

var reported = strings.Replace(settings, "rules:", "  - {name: lapor, format: open311, transport: push, keep: 24h}\nrules:", 1)

// canaries are words that only a reporter would say.
var canaries = []string{"Kanariwati", "0812-7777-1234", "81277771234", "kanari@example.org", "gang kanari", "tetangga kanari", "perangkat-kanari"}

// found lists where a canary stands: in the store, the archive, the data folder or the log.
func (r *running) found(t *testing.T) []string {
	t.Helper()
	var out []string
	look := func(where, text string) {
		for _, c := range canaries {
			if strings.Contains(strings.ToLower(text), strings.ToLower(c)) {
				out = append(out, fmt.Sprintf("%q in %s", c, where))
			}
		}
	}
	look("the store", everything(t, r.rdb))
	look("the log", r.log.String())
	r.archive.Flush()
	err := filepath.WalkDir(filepath.Join(r.cfg.DataDir, "raw"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return archive.Read(path, func(d archive.Delivery) error { look(path, string(d.Body)); return nil })
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return out
}

// appendOnly is what the embedded store has written to its disk.
func (r *running) appendOnly(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	_ = filepath.WalkDir(filepath.Join(r.cfg.DataDir, "store"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			b, _ := os.ReadFile(path)
			out.Write(b)
		}
		return nil
	})
	return out.String()
}

func TestAReporterIsRevealedForAReasonAndErased(t *testing.T) {
	t.Parallel()
	r := launch(t, "test", reported, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	// One by a feed, one by the desk: the same person.
	one := `[{"service_request_id":"9","status":"open","service_name":"Banjir","description":"rumah tetangga kanari terendam","requested_datetime":"` + time.Now().UTC().Format(time.RFC3339) +
		`","address":"gang kanari 3","lat":-0.83,"long":100.63,"first_name":"Kanariwati","phone":"0812-7777-1234","email":"kanari@example.org","device_id":"perangkat-kanari"}]`
	if code, doc := r.ask("POST", "/api/v1/ingest/lapor", one); code != http.StatusAccepted || doc["accepted"] != 1.0 {
		t.Fatal(code, doc)
	}
	code, desk := r.ask("POST", "/api/v1/reports", `{"channel":"call","text":"air naik di rumah tetangga kanari","reporter":{"name":"Kanariwati","phone":"+62 812 7777 1234"}}`)
	if code != http.StatusCreated {
		t.Fatal(code, desk)
	}
	text, _ := json.Marshal(desk)
	if strings.Contains(string(text), "Kanariwati") || strings.Contains(string(text), "77771234") {
		t.Errorf("the report says who gave it: %s", text)
	}
	id := desk["id"].(string)
	for _, path := range []string{"/api/v1/reports", "/api/v1/reports/lapor:9", "/api/v1/search?q=kanariwati", "/api/v1/audit", "/api/v1/feeds/lapor"} {
		_, doc := r.ask("GET", path, "")
		if text, _ := json.Marshal(doc); strings.Contains(string(text), "Kanariwati") || strings.Contains(string(text), "77771234") || strings.Contains(string(text), "kanari@") {
			t.Errorf("%s says who gave a report: %s", path, text)
		}
	}
	code, masked := r.ask("GET", "/api/v1/reports/"+id+"/reporter", "")
	if code != 200 || masked["name"] != "Ka**" || masked["phone"] != "+62 812-••••-••34" || masked["call_today"] != 2.0 {
		t.Fatal(code, masked)
	}
	if code, doc := r.ask("POST", "/api/v1/reports/"+id+"/reporter/reveal", `{"reason":"kurang"}`); code != 422 {
		t.Error(code, doc)
	}
	code, whole := r.ask("POST", "/api/v1/reports/"+id+"/reporter/reveal", `{"reason":"menelepon Kanariwati kembali"}`)
	if code != 200 || whole["name"] != "Kanariwati" || whole["phone"] != "+6281277771234" {
		t.Fatal(code, whole)
	}
	_, masked = r.ask("GET", "/api/v1/reports/"+id+"/reporter", "")
	if shown := masked["shown"].([]any); len(shown) != 1 {
		t.Errorf("%v", shown)
	}
	_, log := r.ask("GET", "/api/v1/audit?limit=1", "")
	last := log["items"].([]any)[0].(map[string]any)
	if last["action"] != "reporter.revealed" || last["reason"] != "menelepon Kanariwati kembali" || last["object"] != "report:"+id {
		t.Errorf("%v", last)
	}
	// More than an hour allows, by a key that can show nothing anew.
	if before := r.found(t); len(before) < 4 {
		t.Fatalf("the test looks where nothing is: %v", before)
	}
	records := r.rdb.XRange(t.Context(), r.keys.Audit(), "-", "+").Val()

	ref := masked["person_ref"].(string)
	if code, doc := r.ask("POST", "/api/v1/privacy/erase", `{"person_ref":"`+ref+`","words":true,"reason":"permintaan Kanariwati sendiri"}`); code != 422 {
		t.Error("a reason that names the person is taken", code, doc)
	}
	code, doc := r.ask("POST", "/api/v1/privacy/erase", `{"person_ref":"`+ref+`","words":true,"reason":"permintaan subjek data, pasal 8"}`)
	if code != 200 {
		t.Fatal(code, doc)
	}
	if left := r.found(t); len(left) > 0 {
		t.Errorf("after erasure: %v", left)
	}
	if _, doc := r.ask("GET", "/api/v1/reports/lapor:9", ""); doc["erased"] != true {
		t.Errorf("%v", doc)
	}
	// The feed says it again: nobody comes back.
	if code, doc := r.ask("POST", "/api/v1/ingest/lapor", one); code != http.StatusAccepted || doc["duplicates"] != 1.0 {
		t.Error(code, doc)
	}
	if code, doc := r.ask("GET", "/api/v1/reports/lapor:9/reporter", ""); code != 200 || doc["gone"] != "erased" {
		t.Error(code, doc)
	}
	if code, _ := r.ask("POST", "/api/v1/reports/lapor:9/reporter/reveal", `{"reason":"menelepon kembali lagi"}`); code != http.StatusGone {
		t.Error(code)
	}
	// Every record that was there is there, byte for byte, and the log goes on without a gap.
	after := r.rdb.XRange(t.Context(), r.keys.Audit(), "-", "+").Val()
	for i, m := range after {
		text := m.Values["record"].(string)
		rec, err := audit.Parse([]byte(text))
		if err != nil || rec.Seq != int64(i+1) || i < len(records) && text != records[i].Values["record"] {
			t.Errorf("record %d: %v %s", i+1, err, text)
		}
	}
	if len(after) <= len(records) {
		t.Error("the erasure left no record")
	}
	// What the store itself wrote to its disk forgets too, once it is written anew.
	left := ""
	eventually(t, time.Minute, "the append-only file forgets", func() bool {
		text := r.appendOnly(t)
		left = ""
		for _, words := range []string{"tetangga kanari terendam", "menelepon Kanariwati"} {
			if i := strings.Index(text, words); i >= 0 {
				left = text[max(0, i-300):min(len(text), i+100)]
			}
		}
		return text != "" && left == ""
	})
	if left != "" {
		t.Errorf("%s\n%s", left, r.rdb.Info(t.Context(), "persistence").Val())
	}
}

func TestRetentionNeedsTwoPersonsAndIsShown(t *testing.T) {
	t.Parallel()
	r := serve(t, t.TempDir())
	code, doc := r.ask("PUT", "/api/v1/retention/alerts", `{"days":30,"reason":"jadwal retensi arsip daerah"}`)
	if code != 200 { // nobody else could approve it
		t.Fatal(code, doc)
	}
	if _, doc = r.ask("GET", "/api/v1/retention/alerts", ""); doc["keep_days"] != 30.0 || doc["from"] != "changed" {
		t.Errorf("%v", doc)
	}
	for path, want := range map[string]int{"audit": 409, "readings": 409, "reporters": 422, "x": 404} {
		if code, doc := r.ask("PUT", "/api/v1/retention/"+path, `{"days":0,"reason":"jadwal retensi arsip daerah"}`); code != want {
			t.Errorf("%s: %d %v", path, code, doc)
		}
	}
	if code, doc := r.ask("GET", "/api/v1/privacy/map", ""); code != 200 || len(doc["items"].([]any)) < 10 {
		t.Error(code, doc)
	}
	from, to := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if code, doc := r.ask("GET", "/api/v1/privacy/breach?from="+from+"&to="+to+"&classes=reporters,reports", ""); code != 200 || len(doc["classes"].([]any)) != 2 {
		t.Error(code, doc)
	}
	resp, err := http.Get("http://" + r.Addr() + "/public/positions")
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	for _, path := range []string{"/api/v1/privacy/map", "/api/v1/retention", "/api/v1/reports/x/reporter"} {
		resp, err := http.Get("http://" + r.Addr() + path)
		if err != nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: a stranger gets %v", path, resp.StatusCode)
		}
		resp.Body.Close()
	}
}

func TestAnErasureThatWasCutOffIsFinished(t *testing.T) {
	t.Parallel()
	r := launch(t, "test", reported, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	if code, desk := r.ask("POST", "/api/v1/reports", `{"channel":"call","text":"air naik","reporter":{"name":"Kanariwati","phone":"+62 812 7777 1234"}}`); code != http.StatusCreated {
		t.Fatal(code, desk)
	}
	_, list := r.ask("GET", "/api/v1/reports", "")
	id := list["items"].([]any)[0].(map[string]any)["id"].(string)
	_, masked := r.ask("GET", "/api/v1/reports/"+id+"/reporter", "")
	what, who := privacy.Erasure{PersonRef: masked["person_ref"].(string), Reason: "permintaan subjek data"}, audit.Actor{Subject: "token:admin"}
	done := func() (n int) {
		for _, m := range r.rdb.XRange(t.Context(), r.keys.Audit(), "-", "+").Val() {
			if strings.Contains(m.Values["record"].(string), `"erasure.done"`) {
				n++
			}
		}
		return n
	}
	e, compacted := r.eraser(), 0
	e.Compact = func(context.Context) error {
		if compacted++; compacted == 1 {
			return errors.New("killed")
		}
		return nil
	}
	if _, err := e.Do(t.Context(), what, who); err == nil || done() != 1 {
		t.Fatalf("%v, %d records", err, done())
	}
	if _, err := e.Do(t.Context(), what, who); err != nil || compacted != 2 || done() != 1 {
		t.Errorf("again: %v, the store's log was written anew %d times, %d records", err, compacted, done())
	}
}
