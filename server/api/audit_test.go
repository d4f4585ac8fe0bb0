package api

import (
	"context"
	"encoding/csv"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/alerts/audit/tree"
	"kentongan/alerts/audit/verify"
	"kentongan/server/access"
	"kentongan/server/auditlog"
	"kentongan/server/seal"
)

// logged builds a house with its log, which is sealed while the test runs.
func logged(t *testing.T) *house {
	var l *auditlog.Log
	h := build(t, func(h *house, d *Deps) {
		ring, err := seal.Open(filepath.Join(t.TempDir(), "secret.key"))
		if err != nil {
			t.Fatal(err)
		}
		l = auditlog.New(auditlog.Deps{Store: h.cases, Redis: h.rdb, Keys: h.keys, Seal: ring, Origin: "kentongan/test", Now: time.Now, Log: zerolog.Nop()})
		if err := l.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.AuditLog = l
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(ctx, h.cases) }()
	t.Cleanup(func() { stop(); <-ended })
	return h
}

func (h *house) text(path string) string {
	h.t.Helper()
	w := h.stranger("GET", path, "", "10.0.0.9")
	if w.Code != http.StatusOK {
		h.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// TestACitizenProvesTheActsOnATicket takes what the world may have, key, checkpoint, tiles and the proofs of one ticket, and nothing of ours.
func TestACitizenProvesTheActsOnATicket(t *testing.T) {
	h := logged(t)
	taker := h.person("ct", "", access.Grant{Role: access.CallTaker})
	report := h.want(taker("POST", "/api/v1/reports", `{"channel":"call","text":"air naik ke rumah Budi","lng":100.63,"lat":-0.83}`), 201)["id"].(string)
	code := h.want(taker("POST", "/api/v1/reports/"+report+"/ticket", ""), 200)["ticket"].(string)
	id := h.want(taker("POST", "/api/v1/reports/"+report+"/triage", `{"as":"incident","type":"flood"}`), 200)["incident"].(map[string]any)["id"].(string)
	h.want(h.admin("POST", "/api/v1/incidents/"+id+"/transitions", `{"to":"acknowledged","note":"regu berangkat"}`), 200)
	h.want(taker("POST", "/api/v1/reports", `{"channel":"call","text":"pohon tumbang","lng":100.64,"lat":-0.84}`), 201) // another's
	key, err := tree.NewVerifier(strings.TrimSpace(h.text(auditRoot + "/key")))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	for end := time.Now().Add(25 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		got = h.want(h.stranger("GET", "/public/tickets/"+code+"/proofs", "", "10.0.0."+strconv.Itoa(time.Now().Nanosecond()%250)), 200)
		if got["waiting"].(float64) == 0 && len(got["acts"].([]any)) > 3 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no checkpoint covers the acts: %v", got)
		}
	}
	for _, a := range got["acts"].([]any) {
		act := a.(map[string]any)
		record, proof := act["record"].(string), act["proof"].(string)
		if _, _, err := tree.CheckProof([]byte(record), []byte(proof), key); err != nil {
			t.Errorf("record %v: %v", act["seq"], err)
		}
		if _, _, err := tree.CheckProof([]byte(strings.Replace(record, "incident", "incidenT", 1)+" "), []byte(proof), key); err == nil {
			t.Errorf("record %v is proved when it is bent", act["seq"])
		}
		if !strings.Contains(record, report) && !strings.Contains(record, id) || strings.Contains(record, "Budi") || strings.Contains(record, "berangkat") {
			t.Errorf("what is another's, or a word that somebody wrote: %s", record)
		}
		if n := len(record) + len(proof); n > 2048 {
			t.Errorf("record and proof are %d bytes", n)
		}
	}
	c, _, err := tree.Open([]byte(h.text(auditRoot+"/checkpoint")), key)
	if err != nil || c.Size < 6 {
		t.Fatalf("%+v, %v", c, err)
	}
	if hashes := h.text(auditRoot + "/" + tree.Tile{Width: 2}.Path()); len(hashes) != 64 {
		t.Errorf("a tile of two hashes has %d bytes", len(hashes))
	}
	for _, path := range []string{"/tile/0/x001/000", "/tile/entries/000", "/tile/0/000.p/256", "/tile/0/0", "/tile/x"} {
		if w := h.stranger("GET", auditRoot+path, "", "10.0.0.9"); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestTheLogIsSearchedAndExported(t *testing.T) {
	h := logged(t)
	supervisor, operator := h.person("su", "", access.Grant{Role: access.Supervisor}), h.person("op", "", access.Grant{Role: access.Operator})
	for range 3 {
		h.want(supervisor("POST", "/api/v1/incidents", `{"type":"flood","title":"banjir","severity":"Severe","lng":100.63,"lat":-0.83,"note":"=HYPERLINK(\"http://x\")"}`), 201)
	}
	list := func(query string) []any {
		t.Helper()
		return h.want(supervisor("GET", auditRoot+"?"+query, ""), 200)["items"].([]any)
	}
	if got := list("action=incident.opened"); len(got) != 3 {
		t.Errorf("%d were opened", len(got))
	}
	if got := list("action=incident.&q=hyperlink+banjir"); len(got) != 0 {
		t.Errorf("a word that is not there: %v", got)
	}
	if got := list("q=HYPERLINK&limit=2"); len(got) != 2 {
		t.Errorf("%d by a word, two asked for", len(got))
	}
	if got := list("actor=user:nobody"); len(got) != 0 {
		t.Errorf("of nobody: %v", got)
	}
	for _, path := range []string{"", "/export.jsonl", "/export.csv", "/checkpoints", "/check"} {
		if w := operator("GET", auditRoot+path, ""); w.Code != http.StatusForbidden {
			t.Errorf("an operator gets %s: %d", path, w.Code)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(supervisor("GET", auditRoot+"/export.csv?action=incident.opened", "").Body.String())).ReadAll()
	if err != nil || len(rows) != 4 || rows[1][7] != `'=HYPERLINK("http://x")` {
		t.Errorf("%q, %v", rows, err)
	}
	if w := supervisor("GET", auditRoot+"/export.csv?from=kemarin", ""); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("from=kemarin: %d", w.Code)
	}
	var last verify.Report
	for end := time.Now().Add(25 * time.Second); last.Proven < 6; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", last)
		}
		if last, err = verify.Export(strings.NewReader(supervisor("GET", auditRoot+"/export.jsonl", "").Body.String()), verify.Options{}); err != nil || !last.OK && last.Proven > 0 {
			t.Fatalf("%+v, %v", last, err)
		}
	}
	if got := list("action=audit.exported"); len(got) < 2 {
		t.Errorf("%d exports are in the log", len(got))
	}
	if got := h.want(supervisor("POST", auditRoot+"/check", ""), 200); len(got["differences"].([]any)) != 0 || got["whole"] != true {
		t.Errorf("%v", got)
	}
}
