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
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
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
	return &quarantine{rdb: redistest.Start(t), keys: redistest.Keys(t), ring: sealed(t), now: func() time.Time { return now }}, &now
}

func heldAt(at time.Time, fingerprint string) contract.Held {
	return contract.Held{Feed: "awlr", At: moment.Of(at), FirstAt: moment.Of(at), Times: 1, Items: 1, Readings: 1, State: contract.StateHeld, Fingerprint: fingerprint, Diff: []contract.Finding{}}
}

// all gives every delivery that lies in the store for a cause.
func (q *quarantine) all(t *testing.T, h contract.Held) (out []contract.Delivery) {
	t.Helper()
	for after := int64(0); ; {
		list, _, err := q.deliveries(t.Context(), h, after, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return out
		}
		out = append(out, list...)
		after = list[len(list)-1].Number
	}
}

// Many senders at once: each body lies in the store before its sender hears so, each with its own time, in few steps; and the counts are true.
func TestEveryBodyIsInTheStoreBeforeItsAnswer(t *testing.T) {
	q, now := keeper(t)
	other := &quarantine{rdb: q.rdb, keys: q.keys, ring: q.ring, now: q.now} // another server, at the same time
	const senders, each = 40, 25
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			at := []*quarantine{q, other}[i%2]
			for n := range each {
				h := heldAt(now.Add(time.Duration(i*each+n)*time.Millisecond), []string{"a", "b"}[n%2])
				h.Topic = fmt.Sprint("sender/", i)
				body := fmt.Sprintf("%d-%d %s", i, n, strings.Repeat("x", n*20))
				out, err := at.Hold(t.Context(), h, []byte(body))
				if err != nil {
					t.Error(err)
					return
				}
				if d, err := at.newest(t.Context(), "awlr", out.ID, 1<<20); err != nil || d.Number < out.Newest {
					t.Errorf("answered before it was there: %d of %d, %v", d.Number, out.Newest, err)
				}
			}
		})
	}
	all.Wait()
	list, err := q.list(t.Context(), "awlr")
	if err != nil || len(list) != 2 {
		t.Fatalf("%v %+v", err, list)
	}
	found := map[string]bool{}
	for _, h := range list {
		got, size := q.all(t, h), int64(0)
		for i, d := range got {
			var sender, n int
			if _, err := fmt.Sscanf(string(d.Body), "%d-%d", &sender, &n); err != nil || d.Topic != fmt.Sprint("sender/", sender) || !d.At.Equal(now.Add(time.Duration(sender*each+n)*time.Millisecond)) {
				t.Errorf("%v: %+v", err, d)
			}
			if i > 0 && d.Number != got[i-1].Number+1 {
				t.Errorf("number %d after %d", d.Number, got[i-1].Number)
			}
			found[string(d.Body)] = true
			size += d.Size
		}
		if want := int64(senders * each / 2); h.Times != h.Deliveries || h.Deliveries != int64(len(got)) || h.Readings != h.Deliveries || h.Size != size || h.Deliveries > want+senders || h.Deliveries < want-senders {
			t.Errorf("%d deliveries lie there, %d bytes: %+v", len(got), size, h)
		}
	}
	if len(found) != senders*each {
		t.Errorf("%d bodies of %d", len(found), senders*each)
	}
	if kept, err := other.Kept(t.Context(), "awlr"); err != nil || kept.Held != senders*each || !kept.Expires.After(*now) {
		t.Errorf("%+v %v", kept, err)
	}
	steps, err := q.rdb.HGet(t.Context(), q.keys.Quarantine("awlr"), "rev").Int()
	t.Logf("%d deliveries of %d senders at two servers in %d steps", senders*each, senders, steps)
	if err != nil || steps > senders*each*3/4 {
		t.Errorf("%d steps, %v: what comes at once is not grouped", steps, err)
	}
}

// One that is withheld is never dropped; what withholds nothing is a sample and a count.
func TestQuarantineIsBoundedAndHonest(t *testing.T) {
	q, now := keeper(t)
	ctx := t.Context()
	for i := range contract.MostCauses {
		*now = now.Add(time.Minute)
		if _, err := q.Hold(ctx, heldAt(*now, fmt.Sprint("cause ", i)), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.Hold(ctx, heldAt(*now, "one more"), []byte("x")); !errors.Is(err, feeds.ErrFull) || !errors.Is(err, feeds.ErrBusy) {
		t.Errorf("one more cause: %v", err)
	}
	list, err := q.list(ctx, "awlr")
	if err != nil || len(list) != contract.MostCauses || list[len(list)-1].Fingerprint != "cause 0" {
		t.Fatalf("%v: %d causes", err, len(list))
	}
	other := &quarantine{rdb: q.rdb, keys: q.keys, ring: q.ring, now: q.now}
	if _, err := other.decide(ctx, list[7], contract.StateKept, "ani", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Hold(ctx, heldAt(*now, "one more"), []byte("x")); err != nil {
		t.Errorf("there is room since another server's decision: %v", err)
	}
	if n, err := q.rdb.Exists(ctx, q.keys.QuarantineBody(list[7].ID)).Result(); err != nil || n != 0 {
		t.Errorf("the bytes of what made room are there: %d %v", n, err)
	}
	noise := make([]byte, contract.LargestBody+1)
	rand.New(rand.NewSource(1)).Read(noise)
	if _, err := q.Hold(ctx, heldAt(*now, "cause 3"), noise); !errors.Is(err, contract.ErrLarge) {
		t.Errorf("too large: %v", err)
	}

	note := heldAt(*now, "note")
	note.Feed, note.Passed, note.Readings = "notes", true, 0
	var last contract.Held
	for i := range 30 {
		*now = now.Add(time.Minute)
		note.At = moment.Of(*now)
		if last, err = q.Hold(ctx, note, fmt.Appendf(nil, "sample %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if got := q.all(t, last); last.Times != 30 || last.Deliveries != 1 || len(got) != 1 || string(got[0].Body) != "sample 29" {
		t.Errorf("%+v %+v", last, got)
	}
	for _, key := range []string{q.keys.Quarantine("notes"), q.keys.QuarantineBody(last.ID)} {
		if ttl, err := q.rdb.PTTL(ctx, key).Result(); err != nil || ttl < contract.Lifetime || ttl > keyspace.QuarantineLifetime {
			t.Errorf("%s lives %v, %v", key, ttl, err)
		}
	}
}

// Thirty days after its last delivery a cause is forgotten, and that is said.
func TestWhatNobodyDecidedOnExpiresAloud(t *testing.T) {
	q, now := keeper(t)
	said := &logged{}
	q.log = zerolog.New(said)
	h, err := q.Hold(t.Context(), heldAt(*now, "a"), []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	if list, _ := q.list(t.Context(), "awlr"); len(list) != 1 || !list[0].ExpiresAt.Equal(now.Add(contract.Lifetime)) {
		t.Errorf("%+v", list)
	}
	*now = now.Add(contract.Lifetime - time.Second)
	if err := q.Expire(t.Context(), "awlr"); err != nil || len(q.all(t, h)) != 1 {
		t.Errorf("forgotten too early: %v", err)
	}
	*now = now.Add(time.Second)
	if list, err := q.list(t.Context(), "awlr"); err != nil || len(list) != 0 {
		t.Errorf("%v: %d after thirty days", err, len(list))
	}
	if err := q.Expire(t.Context(), "awlr"); err != nil || len(q.all(t, h)) != 0 || !strings.Contains(said.String(), "nobody has decided") {
		t.Errorf("%v %s", err, said)
	}
	if kept, err := q.Kept(t.Context(), "awlr"); err != nil || kept.Held != 0 || !kept.Expires.IsZero() {
		t.Errorf("%+v %v", kept, err)
	}
}

// What was set aside is not asked about again the same day; a decision is seen by every server.
func TestDecisionsAreKept(t *testing.T) {
	q, now := keeper(t)
	other := &quarantine{rdb: q.rdb, keys: q.keys, ring: q.ring, now: q.now}
	ctx := t.Context()
	h, err := q.Hold(ctx, heldAt(*now, "a"), []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := other.Kept(ctx, "awlr"); err != nil || kept.Held != 1 {
		t.Fatalf("%+v %v", kept, err)
	}
	if h, err = q.decide(ctx, h, contract.StateKept, "ani", "alat rusak"); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(time.Minute)
	if kept, err := other.Kept(ctx, "awlr"); err != nil || kept.Held != 0 {
		t.Fatalf("%+v %v", kept, err)
	}
	again, err := q.Hold(ctx, heldAt(*now, "a"), []byte("two"))
	if err != nil || again.ID != h.ID || again.State != contract.StateKept || again.By != "ani" || again.Deliveries != 2 {
		t.Errorf("%+v %v", again, err)
	}
	*now = now.Add(48 * time.Hour)
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
	*now = now.Add(knownFor)
	if kept, err := other.Kept(ctx, "awlr"); err != nil || kept.Rev != 1 || kept.Held != 1 {
		t.Errorf("%+v %v", kept, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := q.Hold(cancelled, heldAt(*now, "b"), nil); err == nil {
		t.Error("held without a store")
	}
}

// Who accepts decides on what was taken: what comes in the same moment is neither lost beneath the decision, nor is the decision taken back, and
// two who accept at once take nothing that the other has not stored.
func TestADecisionIsOnWhatWasTaken(t *testing.T) {
	q, now := keeper(t)
	other := &quarantine{rdb: q.rdb, keys: q.keys, ring: q.ring, now: q.now}
	ctx := t.Context()
	first, err := q.Hold(ctx, heldAt(*now, "a"), []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	list := q.all(t, first)
	if _, err := q.Hold(ctx, heldAt(now.Add(time.Second), "a"), []byte("two")); err != nil {
		t.Fatal(err)
	}
	after, err := q.take(ctx, first, list, moment.Of(now.Add(time.Second)))
	if err != nil || after.Deliveries != 1 || after.Taken != 1 || !after.OldestAt.Equal(now.Add(time.Second)) {
		t.Fatalf("%+v %v", after, err)
	}
	if _, err := other.take(ctx, first, list, moment.Time{}); !errors.Is(err, contract.ErrMore) {
		t.Errorf("taken twice: %v", err)
	}
	if _, err := other.decide(ctx, first, contract.StateAccepted, "ani", ""); !errors.Is(err, contract.ErrMore) {
		t.Fatalf("bytes that nobody accepted are gone: %v", err)
	}
	if got := q.all(t, after); len(got) != 1 || string(got[0].Body) != "two" {
		t.Fatalf("%+v", got)
	}
	if _, err := other.take(ctx, after, q.all(t, after), moment.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.decide(ctx, first, contract.StateAccepted, "ani", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := q.decide(ctx, first, contract.StateKept, "budi", ""); !errors.Is(err, contract.ErrDecided) {
		t.Errorf("a decision is taken back: %v", err)
	}
	if h, err := q.one(ctx, "awlr", first.ID); err != nil || h.State != contract.StateAccepted || h.By != "ani" || h.Taken != 2 {
		t.Errorf("%+v %v", h, err)
	}
	late, err := q.Hold(ctx, heldAt(*now, "a"), []byte("three"))
	if err != nil || late.ID == first.ID || late.State != contract.StateHeld {
		t.Errorf("what came after the decision is part of it: %+v %v", late, err)
	}
	named := heldAt(*now, "names people")
	named.Passed = true
	named, err = q.Hold(ctx, named, nil)
	if err != nil || named.Whole {
		t.Errorf("%+v %v", named, err)
	}
	if _, err := q.newest(ctx, "awlr", named.ID, 1<<20); !errors.Is(err, contract.ErrNotHeld) {
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
