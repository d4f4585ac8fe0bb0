package app

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kentongan/feeds/contract"
	"kentongan/server/seal"
)

// sealed is a ring of a test's own.
func sealed(t *testing.T) *seal.Ring {
	t.Helper()
	ring, err := seal.Open(filepath.Join(t.TempDir(), "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// What is held lies closed, in every form that it is kept in, and opens after the ring's key has changed; on another feed's shelf it does not open.
func TestHeldBytesLieClosed(t *testing.T) {
	t.Parallel()
	q, now := keeper(t)
	ctx := t.Context()
	bodies := []string{"kanari kecil", strings.Repeat("kanari besar, ", 100)}
	var h contract.Held
	var err error
	for _, b := range bodies {
		if h, err = q.Hold(ctx, heldAt(*now, "a"), []byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	if text := everything(t, q.rdb); strings.Contains(text, "kanari") || strings.Contains(text, "\x1f\x8b") {
		t.Error("held bytes lie open in the store")
	}
	a := &App{rdb: q.rdb, keys: q.keys, seal: q.ring}
	old := q.ring.Mark()
	if err := q.ring.Add(true); err != nil {
		t.Fatal(err)
	}
	key := q.keys.Quarantine("awlr")
	was := q.rdb.HGet(ctx, key, "key").Val()
	again, changed, err := a.seal.Again(was)
	if err != nil || !changed {
		t.Fatal(err, changed)
	}
	if err := swapScript.Run(ctx, q.rdb, []string{key}, "key", was, again).Err(); err != nil {
		t.Fatal(err)
	}
	if err := q.ring.Retire(); err != nil {
		t.Fatal(err)
	}
	// This server still has the shelf in mind that names the old key: what it writes must not bring that back.
	if h, err = q.Hold(ctx, heldAt(*now, "a"), []byte("kanari ketiga")); err != nil || h.Deliveries != 3 {
		t.Fatal(h, err)
	}
	if strings.Contains(everything(t, q.rdb), "kts1."+old+".") {
		t.Error("the key that was retired seals again")
	}
	list := q.all(t, h)
	if len(list) != 3 || string(list[0].Body) != bodies[0] || string(list[1].Body) != bodies[1] || string(list[2].Body) != "kanari ketiga" {
		t.Fatalf("%+v", list)
	}
	var size int64
	for i := range list {
		size += list[i].Size
	}
	if size != h.Size {
		t.Errorf("counted %d bytes, there are %d", h.Size, size)
	}
	other := &quarantine{rdb: q.rdb, keys: q.keys, ring: q.ring, now: q.now}
	if err := q.rdb.HSet(ctx, q.keys.Quarantine("lain"), "key", q.rdb.HGet(ctx, key, "key").Val()).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := other.newest(ctx, "lain", h.ID, 1<<20); !errors.Is(err, seal.ErrBroken) {
		t.Errorf("it opens in another feed's name: %v", err)
	}
}

// An erasure takes samples that may name somebody, and nothing that was answered as held.
func TestStrippingTakesSamplesOnly(t *testing.T) {
	t.Parallel()
	q, now := keeper(t)
	ctx := t.Context()
	sample := heldAt(*now, "sample")
	sample.Passed, sample.Personal = true, true
	early := heldAt(now.Add(-time.Hour), "early")
	early.Passed = true
	ids := map[string]string{}
	for _, one := range []contract.Held{sample, early, heldAt(*now, "withheld")} {
		h, err := q.Hold(ctx, one, []byte("kanari"))
		if err != nil {
			t.Fatal(err)
		}
		ids[one.Fingerprint] = h.ID
	}
	if n, err := q.strip(ctx, "awlr", now.Add(-time.Minute)); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	for name, want := range map[string]error{"sample": contract.ErrNotHeld, "early": nil, "withheld": nil} {
		if _, err := q.newest(ctx, "awlr", ids[name], 1<<20); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if h, err := q.one(ctx, "awlr", ids["sample"]); err != nil || !h.Personal || h.Whole || h.Deliveries != 0 {
		t.Errorf("%+v %v", h, err)
	}
}

// The bytes of a feed that names people are for those who may see reporters, and each look is a record; the format of today does not matter.
func TestHeldBytesThatNamePeople(t *testing.T) {
	t.Parallel()
	r := launch(t, "test", reported+"sign_in: {second_factor: []}\n", []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	h := heldAt(time.Now(), "a")
	h.Feed, h.Passed, h.Personal = "lapor", true, true
	h, err := r.quarantine.Hold(t.Context(), h, []byte(`{"first_name":"Kanariwati"}`))
	if err != nil {
		t.Fatal(err)
	}
	path := "/api/v1/feeds/lapor/quarantine/" + h.ID + "/body"
	_, admin := newPerson(t, r, "admin-2", "admin")
	other := heldAt(time.Now(), "b")
	other, err = r.quarantine.Hold(t.Context(), other, []byte(`1`))
	if err != nil {
		t.Fatal(err)
	}
	if code, doc := admin.ask(r, "GET", "/api/v1/feeds/awlr/quarantine/"+other.ID+"/body", nil); code != http.StatusOK {
		t.Fatalf("an administrator sees no held bytes at all: %d %v", code, doc)
	}
	if code, _ := admin.ask(r, "GET", path, nil); code != http.StatusForbidden {
		t.Errorf("who may not see reporters gets %d", code)
	}
	if b := r.bytesOf(t, path); string(b) != `{"first_name":"Kanariwati"}` {
		t.Errorf("%s", b)
	}
	_, log := r.ask("GET", "/api/v1/audit?limit=1", "")
	if last := log["items"].([]any)[0].(map[string]any); last["action"] != "held.revealed" || last["object"] != "feed:lapor" {
		t.Errorf("%v", last)
	}
	if found := r.found(t); len(found) > 0 {
		t.Errorf("%v", found)
	}
	if n, err := r.purge(t.Context(), "lapor", time.Now().Add(-time.Hour)); err != nil || n < 1 {
		t.Errorf("%d %v", n, err)
	}
	if code, _ := r.ask("GET", path, ""); code != http.StatusNotFound {
		t.Errorf("after an erasure: %d", code)
	}
}
