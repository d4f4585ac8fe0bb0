package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
	"kentongan/server/embedded"
)

func lied(thing int, unit string) string {
	return fmt.Sprintf(`{"thing":"g-%d","property":"water_level","value":1.5,"unit":%q,"at":%q,"lat":-0.8,"lng":100.6}`, thing, unit, time.Now().UTC().Add(-time.Duration(thing)*time.Second).Format(time.RFC3339Nano))
}

// A quarantine that is full says so to the sender, in the feed's state and in the log, until somebody decides; what is as usual, and alerts, pass.
func TestAFullQuarantineIsSaid(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := launch(t, "test", contracted, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	const ingest = "/api/v1/ingest/awlr"
	for i := range contract.MostCauses {
		if code, got := r.ask("POST", ingest, lied(i, fmt.Sprint("u", i))); code != http.StatusAccepted {
			t.Fatalf("cause %d: %d %v", i, code, got)
		}
	}
	alert := `{"record":"alert","identifier":"a-1","sender":"bpbd","sent":"` + time.Now().UTC().Format(time.RFC3339) + `","event":"Banjir","category":"Met","urgency":"Immediate","severity":"Severe","certainty":"Observed","area":{"type":"Point","coordinates":[100.6,-0.8]}}`
	req, err := http.NewRequest("POST", "http://"+r.Addr()+ingest, strings.NewReader("["+lied(99, "km")+","+alert+"]"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "60" {
		t.Errorf("beyond the bound: %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	code, got := r.ask("POST", ingest, lied(99, "km"))
	if code != http.StatusServiceUnavailable || !strings.Contains(fmt.Sprint(got["detail"]), "quarantine of the feed is full") {
		t.Errorf("beyond the bound: %d %v", code, got)
	}
	if code, got := r.ask("GET", "/api/v1/alerts", ""); code != http.StatusOK || len(got["items"].([]any)) != 1 {
		t.Errorf("the alert did not get through: %d %v", code, got)
	}
	if code, got := r.ask("POST", ingest, lied(100, "m")); code != http.StatusAccepted || got["accepted"] != 1.0 {
		t.Errorf("what is as usual: %d %v", code, got)
	}
	if code, got := r.ask("POST", ingest, lied(99, "km")); code != http.StatusServiceUnavailable {
		t.Errorf("%d %v", code, got)
	}
	_, feed := r.ask("GET", "/api/v1/feeds/awlr", "")
	status, room := feed["status"].(map[string]any), feed["room"].(map[string]any)
	if status["state"] != "failing" || !strings.HasPrefix(fmt.Sprint(status["reason"]), "full: ") || status["quarantined"] != float64(contract.MostCauses) || room["causes"] != room["most_causes"] {
		t.Errorf("%v %v", status, room)
	}
	if !strings.Contains(r.log.String(), "delivery not held: decide") {
		t.Error("the log does not say so")
	}
	held := feed["quarantine"].([]any)[0].(map[string]any)
	if held["expires_at"] == nil || held["deliveries"] != 1.0 || held["readings"] != 1.0 {
		t.Errorf("%v", held)
	}
	if code, got := r.ask("POST", fmt.Sprintf("/api/v1/feeds/awlr/quarantine/%s", held["id"]), `{"do":"keep"}`); code != http.StatusOK {
		t.Fatalf("%d %v", code, got)
	}
	if code, got := r.ask("POST", ingest, lied(99, "km")); code != http.StatusAccepted {
		t.Errorf("there is room since the decision: %d %v", code, got)
	}
}

// Accepting takes no longer than a request may, and goes on where it was; what cannot be read any more stays held.
func TestAcceptingGoesOn(t *testing.T) {
	needRedis(t)
	r := launch(t, "test", contracted, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	const n = 700
	for i := range n {
		if code, got := r.ask("POST", "/api/v1/ingest/awlr", lied(i, "km")); code != http.StatusAccepted {
			t.Fatalf("%d %v", code, got)
		}
	}
	list, err := r.quarantine.list(t.Context(), "awlr")
	if err != nil || len(list) != 1 || list[0].Deliveries != n {
		t.Fatalf("%v %+v", err, list)
	}
	torn := list[0]
	torn.At, torn.Times, torn.Items, torn.Readings = moment.Of(time.Now()), 1, 1, 1
	if _, err := r.quarantine.Hold(t.Context(), torn, []byte(`{"thing":`)); err != nil {
		t.Fatal(err)
	}
	if code, got := r.ask("POST", "/api/v1/ingest/awlr", lied(n, "km")); code != http.StatusAccepted {
		t.Fatalf("%d %v", code, got)
	}
	was := acceptLimit
	acceptLimit = 0
	t.Cleanup(func() { acceptLimit = was })
	path := "/api/v1/feeds/awlr/quarantine/" + list[0].ID
	code, got := r.ask("POST", path, `{"do":"accept"}`)
	if code != http.StatusOK || got["state"] != "held" || got["taken"] != float64(readMost) || got["deliveries"] != float64(n+2-readMost) {
		t.Errorf("accepted in part: %d %v", code, got)
	}
	acceptLimit = was
	code, got = r.ask("POST", path, `{"do":"accept"}`)
	if code != http.StatusConflict || !strings.Contains(fmt.Sprint(got["detail"]), "1 deliveries stay held") {
		t.Errorf("one cannot be read: %d %v", code, got)
	}
	for _, thing := range []int{0, readMost, n} {
		if code, _ := r.ask("GET", fmt.Sprint("/api/v1/things/awlr:g-", thing), ""); code != http.StatusOK {
			t.Errorf("the reading of g-%d is not stored: %d", thing, code)
		}
	}
	if h, err := r.quarantine.one(t.Context(), "awlr", list[0].ID); err != nil || h.State != contract.StateHeld || h.Deliveries != 1 || h.Taken != n+1 || h.Size != h.Size/h.Deliveries || h.OldestAt.IsZero() {
		t.Errorf("%+v %v", h, err)
	}
	if _, feed := r.ask("GET", "/api/v1/feeds/awlr", ""); feed["status"].(map[string]any)["quarantined"] != 1.0 {
		t.Errorf("%v", feed["status"])
	}
	if code, got := r.ask("POST", path, `{"do":"keep"}`); code != http.StatusOK || got["state"] != "kept" || got["deliveries"] != 1.0 {
		t.Errorf("set aside by a person's word: %d %v", code, got)
	}
}

// On a cluster, and where replicas must confirm, a delivery is held or its sender hears that it is not.
func TestHeldOnEveryKindOfStore(t *testing.T) {
	t.Run("cluster", func(t *testing.T) {
		where, err := embedded.ParseURL(redistest.StartCluster(t).URL())
		if err != nil {
			t.Fatal(err)
		}
		rdb := where.Client(nil)
		t.Cleanup(func() { _ = rdb.Close() })
		q := &quarantine{rdb: rdb, keys: keyspace.New("solok"), ring: sealed(t), now: time.Now}
		h, err := q.Hold(t.Context(), heldAt(time.Now(), "a"), []byte("one"))
		if err != nil {
			t.Fatal(err)
		}
		if h, err = q.take(t.Context(), h, q.all(t, h), moment.Time{}); err != nil || h.Taken != 1 {
			t.Fatalf("%+v %v", h, err)
		}
		if h, err = q.decide(t.Context(), h, contract.StateAccepted, "ani", ""); err != nil || h.State != contract.StateAccepted {
			t.Fatalf("%+v %v", h, err)
		}
	})
	t.Run("unconfirmed", func(t *testing.T) {
		q, now := keeper(t)
		q.needed.Store(1) // and there is none
		if _, err := q.Hold(t.Context(), heldAt(*now, "a"), []byte("one")); !errors.Is(err, errUnconfirmed) || errors.Is(err, feeds.ErrFull) {
			t.Errorf("acknowledged without a replica: %v", err)
		}
		q.needed.Store(0)
		if h, err := q.Hold(t.Context(), heldAt(*now, "a"), []byte("one")); err != nil || h.Deliveries != 2 {
			t.Errorf("%+v %v", h, err)
		}
	})
	t.Run("gone", func(t *testing.T) {
		s := redistest.Private(t)
		q := &quarantine{rdb: s.Client(t), keys: keyspace.New("solok"), ring: sealed(t), now: time.Now}
		if _, err := q.Hold(t.Context(), heldAt(time.Now(), "a"), []byte("one")); err != nil {
			t.Fatal(err)
		}
		s.Kill()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := q.Hold(ctx, heldAt(time.Now(), "a"), []byte("two")); err == nil {
			t.Error("held without a store")
		}
		s.Restart(t)
		h, err := q.Hold(t.Context(), heldAt(time.Now(), "a"), []byte("two"))
		if err != nil || len(q.all(t, h)) < 2 {
			t.Errorf("%+v %v", h, err)
		}
	})
}

// What an earlier version held can be accepted still.
func TestWhatAnEarlierVersionHeldIsAdopted(t *testing.T) {
	q, now := keeper(t)
	ctx := t.Context()
	packed, _, err := pack([]byte(strings.Repeat("one ", 100)))
	if err != nil {
		t.Fatal(err)
	}
	doc := fmt.Sprintf(`{"id":"A","feed":"awlr","at":%q,"first_at":%q,"times":361,"items":7,"bytes":400,"diff":[],"whole":true,"state":"held","fingerprint":"a"}`, moment.Of(*now), moment.Of(*now))
	old := q.keys.QuarantineBody("awlr")
	if err := errors.Join(q.rdb.HSet(ctx, q.keys.Quarantine("awlr"), "A", doc).Err(), q.rdb.HSet(ctx, old, "A", packed).Err()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := q.adopt(ctx, "awlr"); err != nil {
			t.Fatal(err)
		}
		h, err := q.one(ctx, "awlr", "A")
		if err != nil || h.Deliveries != 1 || h.Readings != 7 || h.Times != 361 {
			t.Fatalf("%+v %v", h, err)
		}
		if list := q.all(t, h); len(list) != 1 || string(list[0].Body) != strings.Repeat("one ", 100) || !list[0].At.Equal(*now) || list[0].Size != h.Size || list[0].Readings != 7 {
			t.Errorf("%+v", list)
		}
	}
	if n, err := q.rdb.Exists(ctx, old).Result(); err != nil || n != 0 {
		t.Errorf("it is there twice: %d %v", n, err)
	}
}
