package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"kentongan/feeds/contract"
	"kentongan/feeds/runner"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
)

const contracted = `
listen: 127.0.0.1:0
profile: solok
feeds:
  - name: awlr
    format: native
    transport: push
    kind: river_gauge
    contract: {properties: {water_level: {unit: m, min: -1, max: 12, required: true}}}
`

// A feed that lies is held, shown, accepted by somebody, and believed from then on.
func TestALyingFeedIsHeldUntilSomebodyDecides(t *testing.T) {
	needRedis(t)
	dir := t.TempDir()
	r := launch(t, "test", contracted, []string{"KENTONGAN_DATA_DIR=" + dir})
	reading := func(id int, unit string) string {
		return fmt.Sprintf(`{"thing":"g-%d","property":"water_level","value":1.%d,"unit":%q,"at":%q,"lat":-0.8,"lng":100.6}`, id, id, unit, time.Now().UTC().Format(time.RFC3339Nano))
	}
	if code, got := r.ask("POST", "/api/v1/ingest/awlr", reading(1, "m")); code != http.StatusAccepted || got["accepted"] != 1.0 {
		t.Fatalf("a good reading: %d %v", code, got)
	}
	alert := `{"record":"alert","identifier":"a-1","sender":"bpbd","sent":"` + time.Now().UTC().Format(time.RFC3339) + `","event":"Banjir","category":"Met","urgency":"Immediate","severity":"Severe","certainty":"Observed","area":{"type":"Point","coordinates":[100.6,-0.8]}}`
	lie := "[" + reading(2, "km") + "," + alert + "]"
	code, got := r.ask("POST", "/api/v1/ingest/awlr", lie)
	ignored, _ := got["ignored"].([]any)
	if code != http.StatusAccepted || got["accepted"] != 1.0 || len(ignored) != 1 || !strings.Contains(fmt.Sprint(ignored), "held in quarantine ") {
		t.Fatalf("a lie with an alert: %d %v", code, got)
	}
	if code, _ := r.ask("GET", "/api/v1/things/awlr:g-2", ""); code != http.StatusNotFound {
		t.Errorf("what is held is on the map: %d", code)
	}
	if code, got := r.ask("GET", "/api/v1/alerts", ""); code != http.StatusOK || len(got["items"].([]any)) != 1 {
		t.Errorf("the alert did not get through: %d %v", code, got)
	}
	code, feed := r.ask("GET", "/api/v1/feeds/awlr", "")
	status, _ := feed["status"].(map[string]any)
	held, _ := feed["quarantine"].([]any)
	if code != http.StatusOK || len(held) != 1 || status["state"] != "failing" || !strings.HasPrefix(fmt.Sprint(status["reason"]), "drift: unit of water_level: m became km") || status["quarantined"] != 1.0 {
		t.Fatalf("%d %v", code, feed)
	}
	one := held[0].(map[string]any)
	id := one["id"].(string)
	diff := one["diff"].([]any)[0].(map[string]any)
	if diff["field"] != "water_level.unit" || diff["was"] != "m" || diff["now"] != "km" || diff["what"] != "unit" || !strings.Contains(fmt.Sprint(diff["text_id"]), "satuan") || one["state"] != "held" {
		t.Errorf("%v", one)
	}
	if body := r.bytesOf(t, "/api/v1/feeds/awlr/quarantine/"+id+"/body"); string(body) != lie {
		t.Errorf("the bytes are %s", body)
	}
	if code, _ := r.ask("POST", "/api/v1/feeds/awlr/quarantine/none", `{"do":"accept"}`); code != http.StatusNotFound {
		t.Errorf("an id that is not: %d", code)
	}
	code, got = r.ask("POST", "/api/v1/feeds/awlr/quarantine/"+id, `{"do":"accept","note":"alat baru"}`)
	if code != http.StatusOK || got["state"] != "accepted" || got["by"] == "" || got["note"] != "alat baru" {
		t.Fatalf("accept: %d %v", code, got)
	}
	if code, thing := r.ask("GET", "/api/v1/things/awlr:g-2", ""); code != http.StatusOK || thing["id"] != "awlr:g-2" {
		t.Errorf("what was accepted is not stored: %d %v", code, thing)
	}
	if code, got := r.ask("POST", "/api/v1/ingest/awlr", reading(3, "km")); code != http.StatusAccepted || got["accepted"] != 1.0 {
		t.Errorf("the new shape is not believed: %d %v", code, got)
	}
	if code, _ := r.ask("POST", "/api/v1/feeds/awlr/quarantine/"+id, `{"do":"keep"}`); code != http.StatusConflict {
		t.Errorf("decided twice: %d", code)
	}
	if _, got := r.ask("GET", "/api/v1/audit", ""); !strings.Contains(fmt.Sprint(got), "feed.quarantine.accepted") {
		t.Error("no audit record of the decision")
	}
	if code, _ := r.ask("GET", "/api/v1/feeds/nobody", ""); code != http.StatusNotFound {
		t.Errorf("a feed that is not: %d", code)
	}
}

func (r *running) bytesOf(t *testing.T, path string) []byte {
	t.Helper()
	req, err := http.NewRequest("GET", "http://"+r.Addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%v %v", err, resp.Header)
	}
	return b
}

// keeper is a quarantine over a real store, with a clock moved by hand.
func keeper(t *testing.T) (*quarantine, *time.Time) {
	now := time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)
	return &quarantine{rdb: redistest.Start(t), keys: redistest.Keys(t), now: func() time.Time { return now }}, &now
}

func heldAt(at time.Time, fingerprint string) contract.Held {
	return contract.Held{Feed: "awlr", At: moment.Of(at), FirstAt: moment.Of(at), Times: 1, State: contract.StateHeld, Fingerprint: fingerprint, Diff: []contract.Finding{}}
}

// What comes of one cause is one note; a feed keeps the newest twenty.
func TestQuarantineIsBounded(t *testing.T) {
	q, now := keeper(t)
	ctx := t.Context()
	first, err := q.Hold(ctx, heldAt(*now, "a"), []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	for range 360 {
		*now = now.Add(10 * time.Second)
		if _, err := q.Hold(ctx, heldAt(*now, "a"), []byte("newest")); err != nil {
			t.Fatal(err)
		}
	}
	list, err := q.list(ctx, "awlr")
	if err != nil || len(list) != 1 || list[0].ID != first.ID || list[0].Times != 361 || !list[0].FirstAt.Equal(first.At.Time) {
		t.Fatalf("%v %+v", err, list)
	}
	if b, err := q.body(ctx, "awlr", first.ID, 1<<20); err != nil || string(b) != "newest" {
		t.Errorf("%s %v", b, err)
	}
	for i := range 30 {
		*now = now.Add(time.Minute)
		if _, err := q.Hold(ctx, heldAt(*now, fmt.Sprint("cause ", i)), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	list, err = q.list(ctx, "awlr")
	if err != nil || len(list) != mostHeld || list[0].Fingerprint != "cause 29" {
		t.Fatalf("%v: %d, first %+v", err, len(list), list[0])
	}
	if n, err := q.rdb.HLen(ctx, q.keys.QuarantineBody("awlr")).Result(); err != nil || n != mostHeld {
		t.Errorf("%d bodies, %v", n, err)
	}
	noise := make([]byte, 2<<20)
	rand.New(rand.NewSource(1)).Read(noise)
	large, err := q.Hold(ctx, heldAt(*now, "large"), noise)
	if err != nil || large.Whole {
		t.Errorf("%v %v", large.Whole, err)
	}
	if _, err := q.body(ctx, "awlr", large.ID, 1<<20); !errors.Is(err, errNotHeld) {
		t.Error(err)
	}
	for _, key := range []string{q.keys.Quarantine("awlr"), q.keys.QuarantineBody("awlr")} {
		if ttl, err := q.rdb.PTTL(ctx, key).Result(); err != nil || ttl <= 0 || ttl > keyspace.QuarantineLifetime {
			t.Errorf("%s lives %v, %v", key, ttl, err)
		}
	}
	*now = now.Add(keyspace.QuarantineLifetime)
	if list, err := q.list(ctx, "awlr"); err != nil || len(list) != 0 {
		t.Errorf("%v: %d after thirty days", err, len(list))
	}
}

// What was set aside is not asked about again the same day; a decision is seen by every server.
func TestDecisionsAreKept(t *testing.T) {
	q, now := keeper(t)
	other := &quarantine{rdb: q.rdb, keys: q.keys, now: q.now}
	ctx := t.Context()
	h, err := q.Hold(ctx, heldAt(*now, "a"), []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, held, err := other.Kept(ctx, "awlr"); err != nil || held != 1 {
		t.Fatalf("%d %v", held, err)
	}
	if h, err = q.decide(ctx, h, contract.StateKept, "ani", "alat rusak"); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(time.Minute)
	if _, held, err := other.Kept(ctx, "awlr"); err != nil || held != 0 {
		t.Fatalf("%d %v", held, err)
	}
	again, err := q.Hold(ctx, heldAt(*now, "a"), []byte("two"))
	if err != nil || again.ID != h.ID || again.State != contract.StateKept || again.By != "ani" || again.Times != 2 {
		t.Errorf("%+v %v", again, err)
	}
	*now = now.Add(2 * setAside)
	if anew, err := q.Hold(ctx, heldAt(*now, "a"), []byte("three")); err != nil || anew.ID == h.ID || anew.State != contract.StateHeld {
		t.Errorf("%+v %v", anew, err)
	}
	rev, err := q.SaveContract(ctx, "awlr", []byte("{}"), 0, false)
	if err != nil || rev != 0 {
		t.Fatal(rev, err)
	}
	if rev, err = q.SaveContract(ctx, "awlr", []byte(`{"v":1}`), 0, true); err != nil || rev != 1 {
		t.Fatal(rev, err)
	}
	if _, err := other.SaveContract(ctx, "awlr", []byte("{}"), 0, false); !errors.Is(err, runner.ErrNewer) {
		t.Errorf("an older contract took the place of a decision: %v", err)
	}
	if doc, rev, err := other.Contract(ctx, "awlr"); err != nil || rev != 1 || !bytes.Equal(doc, []byte(`{"v":1}`)) {
		t.Errorf("%s %d %v", doc, rev, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := q.Hold(cancelled, heldAt(*now, "b"), nil); err == nil {
		t.Error("held without a store")
	}
}

// Who accepts decides on what they saw: what comes in the same moment is neither lost beneath the decision, nor is the decision taken back.
func TestADecisionIsOnWhatWasSeen(t *testing.T) {
	q, now := keeper(t)
	ctx := t.Context()
	first, err := q.Hold(ctx, heldAt(*now, "a"), []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Hold(ctx, heldAt(now.Add(time.Second), "a"), []byte("two")); err != nil {
		t.Fatal(err)
	}
	if _, err := q.decide(ctx, first, contract.StateAccepted, "ani", ""); !errors.Is(err, errMore) {
		t.Fatalf("bytes that nobody accepted are gone: %v", err)
	}
	second, err := q.one(ctx, "awlr", first.ID)
	if err != nil || second.State != contract.StateHeld || second.Times != 2 {
		t.Fatalf("%+v %v", second, err)
	}
	if _, err := q.decide(ctx, second, contract.StateAccepted, "ani", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := q.decide(ctx, second, contract.StateKept, "budi", ""); !errors.Is(err, errDecided) {
		t.Errorf("a decision is taken back: %v", err)
	}
	if h, err := q.one(ctx, "awlr", first.ID); err != nil || h.State != contract.StateAccepted || h.By != "ani" {
		t.Errorf("%+v %v", h, err)
	}
	named, err := q.Hold(ctx, heldAt(*now, "names people"), nil)
	if err != nil || named.Whole {
		t.Errorf("%+v %v", named, err)
	}
	if _, err := q.body(ctx, "awlr", named.ID, 1<<20); !errors.Is(err, errNotHeld) {
		t.Errorf("no bytes are kept: %v", err)
	}
}

func TestShownConfigKeepsSecrets(t *testing.T) {
	c := runner.DefaultConfig()
	c.Name, c.Format, c.Transport, c.URL = "x", "json", "poll", "https://ani:pw@example.org/v1?api_key=abc&kota=solok"
	c.Auth.Bearer, c.Headers = "s3cr3t", map[string]runner.Secret{"X-Key": "s3cr3t"}
	got := fmt.Sprint(shownConfig(c, false))
	for _, secret := range []string{"pw@", "abc", "s3cr3t"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is shown: %s", secret, got)
		}
	}
	if strings.Contains(got, "kota=solok") || !strings.Contains(got, "v1?"+runner.Shown) {
		t.Errorf("%s", got)
	}
}
