package auditlog

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/audit/tree"
	"kentongan/alerts/audit/verify"
	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
	"kentongan/server/book"
	"kentongan/server/seal"
)

var (
	anna   = audit.Actor{Subject: "user:anna", Agency: "bpbd"}
	center = geo.Position{Lat: -0.96, Lng: 100.75}
)

// house is a store and its log.
type house struct {
	testing.TB
	rdb   redis.UniversalClient
	keys  keyspace.Keys
	cases *store.Store
	deps  Deps
	log   *Log
	said  *bytes.Buffer
}

func newHouse(t testing.TB) *house {
	h := &house{TB: t, rdb: redistest.Start(t), keys: redistest.Keys(t), said: &bytes.Buffer{}}
	ring, err := seal.Open(filepath.Join(t.TempDir(), "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	h.cases = store.New(h.rdb, h.keys, store.Options{Place: alerts.Place{Center: center, Sender: "kentongan:test"}, Prefix: "SLK", Zone: time.UTC, Now: time.Now, Log: zerolog.Nop()})
	h.deps = Deps{Store: h.cases, Redis: h.rdb, Keys: h.keys, Seal: ring, Origin: "kentongan/test", Memory: filepath.Join(t.TempDir(), "checkpoint"), Now: time.Now, Log: zerolog.New(h.said)}
	h.open()
	return h
}

func (h *house) open() {
	h.Helper()
	h.log = New(h.deps)
	if err := h.log.Open(h.Context()); err != nil {
		h.Fatal(err)
	}
}

// acts opens incidents and works them.
func (h *house) acts(n int) (ids []string) {
	h.Helper()
	for range n {
		in, err := h.cases.Create(h.Context(), incident.Draft{Type: "flood", Severity: cap.Severe, Lng: &center.Lng, Lat: &center.Lat, Note: "air naik di belakang rumah Bu Ani"}, anna)
		if err != nil {
			h.Fatal(err)
		}
		ids = append(ids, in.ID)
		if _, err := h.cases.Transition(h.Context(), in.ID, incident.Act{To: incident.Acknowledged, Version: in.Version}, anna); err != nil {
			h.Fatal(err)
		}
	}
	return ids
}

// sealed makes the checkpoint that is due.
func (h *house) sealed() tree.Checkpoint {
	h.Helper()
	w := &writer{l: h.log, cases: h.cases}
	if err := w.look(h.Context()); err != nil {
		h.Fatal(err)
	}
	_, c, err := h.log.Checkpoint(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return c
}

func (h *house) verified() verify.Report {
	h.Helper()
	var out bytes.Buffer
	if err := h.log.Export(h.Context(), &out, anna.Subject); err != nil {
		h.Fatal(err)
	}
	report, err := verify.Export(&out, verify.Options{Keys: verify.Keys{Log: h.log.key}})
	if err != nil {
		h.Fatal(err)
	}
	return report
}

func TestEveryActIsSealedProvedAndVerified(t *testing.T) {
	h := newHouse(t)
	if text, c, err := h.log.Checkpoint(t.Context()); err != nil || c.Size != 0 || c.Root != tree.Empty() || !strings.HasPrefix(string(text), "kentongan/test\n0\n") {
		t.Fatalf("at the beginning: %q, %v", text, err)
	}
	ids := h.acts(3)
	c := h.sealed()
	if c.Size != 6 {
		t.Fatalf("%d records are sealed", c.Size)
	}
	if r := h.verified(); !r.OK || r.Proven != 6 || !r.Signed || r.Words == 0 || r.MadeBy != anna.Subject {
		t.Errorf("the export: %+v", r)
	}
	var whole bytes.Buffer
	if err := h.log.Export(t.Context(), &whole, anna.Subject); err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole.Bytes(), []byte("\n"))
	cut := bytes.Join(lines[:len(lines)-3], nil) // the last record and what follows it
	if r, err := verify.Export(bytes.NewReader(cut), verify.Options{Keys: verify.Keys{Log: h.log.key}}); err != nil || r.OK || r.First == nil || r.First.Kind != verify.Tail {
		t.Errorf("an export without its end: %+v, %v", r, err)
	}
	seqs, err := h.log.Of(t.Context(), "incident:"+ids[1])
	if err != nil || len(seqs) != 2 || seqs[0] != 3 {
		t.Fatalf("records of the second incident: %v, %v", seqs, err)
	}
	record, proof, err := h.log.Proof(t.Context(), seqs[1])
	if err != nil {
		t.Fatal(err)
	}
	text := proof.Text()
	if _, _, err := tree.CheckProof(record, text, h.log.key); err != nil {
		t.Error(err)
	}
	bent := bytes.Replace(record, []byte("user:anna"), []byte("user:budi"), 1)
	if _, _, err := tree.CheckProof(bent, text, h.log.key); err == nil {
		t.Error("another actor is proved too")
	}
	h.acts(1)
	if _, _, err := h.log.Proof(t.Context(), 8); err != ErrUnsealed {
		t.Errorf("a record that no checkpoint covers: %v", err)
	}
	if c := h.sealed(); c.Size != 8 {
		t.Errorf("the next checkpoint has %d", c.Size)
	}
	if _, err := h.cases.EraseWords(t.Context(), func(audit.Words) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if r := h.verified(); !r.OK || r.Proven != 8 || r.Words != 0 || r.Erased == 0 {
		t.Errorf("after an erasure: %+v", r)
	}
}

func TestTheStoreIsHeldAgainstTheLog(t *testing.T) {
	h := newHouse(t)
	ids := h.acts(4)
	check := func() map[string]string {
		t.Helper()
		c, err := h.log.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, d := range c.Differences {
			out[d.Key] = d.What
		}
		return out
	}
	if got := check(); len(got) != 0 {
		t.Fatalf("an honest store differs: %v", got)
	}
	key := h.keys.Incident(ids[0])
	doc := h.rdb.HGet(t.Context(), key, "doc").Val()
	forged := strings.Replace(doc, `"severity":"Severe"`, `"severity":"Minor"`, 1)
	if forged == doc {
		t.Fatalf("nothing was forged in %s", doc)
	}
	h.rdb.HSet(t.Context(), key, "doc", forged, "hash", audit.HashOf([]byte(forged), ""))
	h.rdb.Del(t.Context(), h.keys.Incident(ids[1]))
	h.rdb.HSet(t.Context(), h.keys.Incident("01FAKE"), "rev", "1", "doc", doc)
	want := map[string]string{key: "changed", h.keys.Incident(ids[1]): "gone", h.keys.Incident("01FAKE"): "added"}
	for range 2 { // told once, and still there
		if got := check(); len(got) != 3 || got[key] != want[key] || got[h.keys.Incident(ids[1])] != "gone" || got[h.keys.Incident("01FAKE")] != "added" {
			t.Errorf("found %v, want %v", got, want)
		}
	}
	if n := strings.Count(h.said.String(), "the store differs from the audit log"); n != 3 || !strings.Contains(h.said.String(), key) {
		t.Errorf("said %d times: %s", n, h.said)
	}
	log, _, err := h.cases.AuditLog(t.Context(), time.Time{}, time.Time{}, 0, "", func(r *audit.Record) bool { return r.Action == "store.differs" })
	if err != nil || len(log) != 3 {
		t.Errorf("%d are in the log, %v", len(log), err)
	}
	if w := h.log.Warnings(); len(w) != 1 || !strings.Contains(w[0], ":incident:{test}:") {
		t.Errorf("warnings: %q", w)
	}
	h.rdb.HSet(t.Context(), key, "doc", doc)
	if got := check(); len(got) != 2 {
		t.Errorf("put back: %v", got)
	}
}

// TestADifferenceIsSeenWhileOthersWrite holds the store against the log while it changes: what is honest is never told.
func TestADifferenceIsSeenWhileOthersWrite(t *testing.T) {
	h := newHouse(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			in, err := h.cases.Create(ctx, incident.Draft{Type: "flood", Severity: cap.Minor, Lng: &center.Lng, Lat: &center.Lat}, anna)
			if err == nil {
				_, _ = h.cases.Transition(ctx, in.ID, incident.Act{To: incident.Acknowledged, Version: in.Version}, anna)
			}
		}
	}()
	for range 8 {
		if c, err := h.log.Check(t.Context()); err != nil || len(c.Differences) != 0 {
			t.Errorf("%+v, %v", c, err)
		}
	}
	stop()
	<-done
}

func TestAServerRemembersTheLogThatItHasSeen(t *testing.T) {
	h := newHouse(t)
	h.acts(2)
	h.sealed()
	h.open()
	if w := h.log.Warnings(); len(w) != 0 {
		t.Fatalf("an honest start: %q", w)
	}
	old := h.rdb.Get(t.Context(), h.keys.AuditCheckpoint()).Val()
	h.acts(1)
	h.sealed()
	now := h.rdb.Get(t.Context(), h.keys.AuditCheckpoint()).Val()
	h.rdb.Set(t.Context(), h.keys.AuditCheckpoint(), old, 0)
	h.open()
	if w := h.log.Warnings(); len(w) != 1 || !strings.Contains(w[0], "has 4 records, this server has seen 6") {
		t.Errorf("a log that was cut: %q", w)
	}
	c, _, err := tree.Open([]byte(now), h.log.key)
	if err != nil {
		t.Fatal(err)
	}
	c.Root[0] ^= 1
	again, err := tree.Sign(c, h.log.signer)
	if err != nil {
		t.Fatal(err)
	}
	h.rdb.Set(t.Context(), h.keys.AuditCheckpoint(), string(again), 0)
	h.open()
	if w := h.log.Warnings(); len(w) != 1 || !strings.Contains(w[0], "does not continue") {
		t.Errorf("a log that was signed anew: %q", w)
	}
	h.rdb.FlushAll(t.Context())
	h.open()
	if w := h.log.Warnings(); len(w) != 1 || !strings.Contains(w[0], "another key") {
		t.Errorf("a store that was emptied: %q", w)
	}
}

func TestAMissingRecordIsNamed(t *testing.T) {
	h := newHouse(t)
	h.acts(3)
	h.rdb.XDel(t.Context(), h.keys.Audit(), "4-0")
	w := &writer{l: h.log, cases: h.cases}
	if err := w.look(t.Context()); err == nil || !strings.Contains(err.Error(), "record 4") {
		t.Errorf("sealing says %v", err)
	}
	if _, c, err := h.log.Checkpoint(t.Context()); err != nil || c.Size != 3 {
		t.Errorf("%d records before it are sealed, %v", c.Size, err)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	_, vkey, err := tree.NewWitnessKey("saksi.example.org", strings.NewReader(strings.Repeat("k", 64)))
	if err != nil {
		t.Fatal(err)
	}
	good := Config{Witnesses: []Witness{{"https://saksi.example.org", vkey}}}
	if errs := good.Validate(); len(errs) != 0 {
		t.Errorf("%v", errs)
	}
	bad := Config{Witnesses: []Witness{{"saksi", "x"}, {"ftp://a", vkey}}}
	if errs := bad.Validate(); len(errs) != 3 || !strings.HasPrefix(errs[0].Error(), "witnesses[0].url: ") {
		t.Errorf("%v", errs)
	}
}

// TestWhatIsNoCaseIsHeldAgainstTheLog forges accounts, keys, devices, rules and feeds past their steps.
func TestWhatIsNoCaseIsHeldAgainstTheLog(t *testing.T) {
	h := newHouse(t)
	b := book.New(h.rdb, h.keys, time.Now, nil)
	ctx := book.With(t.Context(), audit.Record{Actor: "user:a", Reason: "as the desk asked"})
	for _, object := range []string{"person:P1", "person:P2", "key:K1", "device:D1"} {
		key, field := keyspace.Kept(h.keys, object)
		noun, _, _ := strings.Cut(object, ":")
		err := b.Write(ctx, h.rdb, func(p redis.Pipeliner) error {
			book.Keep(ctx, p, noun, field, []byte(`{"of":"`+object+`"}`))
			p.HSet(ctx, key, field, `{"of":"`+object+`"}`)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	who := audit.Actor{Subject: "user:a"}
	rule, err := h.cases.PutRule(t.Context(), store.RuleChange{ID: "r1", Config: json.RawMessage(`{"id":"r1"}`)}, who)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.cases.PutRule(t.Context(), store.RuleChange{ID: "r1", Version: rule.Version, Config: json.RawMessage(`{"id":"r1","x":1}`)}, who); err != nil {
		t.Fatal(err)
	}
	if _, err := h.cases.Baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	found := func() map[string]string {
		t.Helper()
		c, _, err := h.log.check(t.Context(), 0, false)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, d := range c.Differences {
			out[d.Object] = d.What
			if !strings.HasPrefix(d.Key, "kt:") && !strings.Contains(d.Key, "{test}") {
				t.Errorf("%s has key %q", d.Object, d.Key)
			}
		}
		return out
	}
	if got := found(); len(got) != 0 {
		t.Fatalf("an honest store differs: %v", got)
	}
	for object, forge := range map[string]func(key, field string){
		"person:P1":   func(key, field string) { h.rdb.HSet(t.Context(), key, field, `{"of":"person:P1","admin":true}`) },
		"person:P2":   func(key, field string) { h.rdb.HDel(t.Context(), key, field) },
		"person:FAKE": func(key, field string) { h.rdb.HSet(t.Context(), key, field, `{}`) },
		"key:K1":      func(key, field string) { h.rdb.HSet(t.Context(), key, field, `{"of":"key:K1","scope":"admin"}`) },
		"device:D1":   func(_, _ string) { h.rdb.HSet(t.Context(), h.keys.AuditKept(), "device:D1", "other:salt") },
		"rule:r1":     func(key, field string) { h.rdb.HSet(t.Context(), key, field, `{"v":1,"id":"r1","version":2}`) },
		"feed:fake":   func(key, field string) { h.rdb.HSet(t.Context(), key, field, `{"v":1}`) },
	} {
		forge(keyspace.Kept(h.keys, object))
		t.Log(object)
	}
	want := map[string]string{"person:P1": "changed", "person:P2": "gone", "person:FAKE": "added", "key:K1": "changed", "device:D1": "changed", "rule:r1": "changed", "feed:fake": "added"}
	if got := found(); !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}
