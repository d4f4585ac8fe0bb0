package app

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/feeds/archive"
	"kentongan/geo/moment"
)

func TestRefusedDeliveriesAreTakenAgain(t *testing.T) {
	t.Parallel()
	needRedis(t)
	dir := t.TempDir()
	r := serve(t, dir)
	good := `{"thing":"dev-1","property":"water_level","value":1.25,"lat":-0.8,"lng":100.6}`
	if code, _ := r.ask("POST", "/api/v1/ingest/awlr", good); code != http.StatusAccepted {
		t.Fatal(code)
	}
	if code, _ := r.ask("POST", "/api/v1/ingest/awlr", `{"thing":`); code != http.StatusBadRequest {
		t.Fatal(code)
	}
	// What an older decoder refused, and ours reads.
	at := moment.Of(time.Now())
	r.archive.Keep(archive.Delivery{At: at, Feed: "awlr", Outcome: archive.Refused, Body: []byte(`{"thing":"dev-2","property":"water_level","value":0.5,"lat":-0.8,"lng":100.6}`)})
	span := `{"from":"` + at.Add(-time.Minute).Format(time.RFC3339) + `","to":"` + at.Add(time.Minute).Format(time.RFC3339) + `"}`
	code, got := r.ask("POST", "/api/v1/feeds/awlr/replay", span)
	if code != http.StatusOK || got["deliveries"] != 2.0 || got["accepted"] != 1.0 || got["refused"] != 1.0 || len(got["reasons"].(map[string]any)) != 1 || got["next"] != nil {
		t.Fatalf("%d %v", code, got)
	}
	if code, thing := r.ask("GET", "/api/v1/things/awlr:dev-2", ""); code != http.StatusOK || thing["id"] != "awlr:dev-2" {
		t.Errorf("what was taken again is not there: %d %v", code, thing)
	}
	if code, _ := r.ask("POST", "/api/v1/feeds/nobody/replay", span); code != http.StatusNotFound {
		t.Errorf("a feed that is not: %d", code)
	}
	if code, _ := r.ask("POST", "/api/v1/feeds/awlr/replay", `{"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}`); code != http.StatusUnprocessableEntity {
		t.Errorf("a span that ends before it begins: %d", code)
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	paths, err := archive.Expand([]string{filepath.Join(dir, "raw")})
	n := map[archive.Outcome]int{}
	for _, p := range paths {
		if info, _ := os.Stat(p); info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", p, info.Mode())
		}
		if err := archive.Read(p, func(d archive.Delivery) error { n[d.Outcome]++; return nil }); err != nil {
			t.Error(err)
		}
	}
	if err != nil || n[archive.Stored] != 1 || n[archive.Refused] != 2 {
		t.Errorf("the archive holds %v, %v", n, err)
	}
}

func TestReadinessTellsThatRawBytesAreNotKept(t *testing.T) {
	t.Parallel()
	needRedis(t)
	dir := t.TempDir()
	r := serve(t, dir)
	warned := func() string {
		_, got := r.ask("GET", "/readyz", "")
		return fmt.Sprint(got["warnings"])
	}
	if w := warned(); strings.Contains(w, "raw bytes") {
		t.Fatal(w)
	}
	raw := filepath.Join(dir, "raw")
	if err := errors.Join(os.RemoveAll(raw), os.WriteFile(raw, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r.archive.Keep(archive.Delivery{Feed: "awlr", Body: []byte("x")})
	r.archive.Flush()
	if w := warned(); !strings.Contains(w, "raw bytes of deliveries are not kept, 1 so far") || strings.Contains(w, dir) {
		t.Error(w)
	}
}

// Reading the archive takes time as well: whoever asks hears after a while how far it is, also where nothing was refused for long.
func TestALongSpanIsTakenAgainInParts(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := serve(t, t.TempDir())
	defer func(d time.Duration) { againLimit = d }(againLimit)
	againLimit = 0
	began := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	for i := range 6 {
		d := archive.Delivery{At: moment.Of(began.Add(time.Duration(i) * time.Second)), Feed: "awlr", Outcome: archive.Stored, Body: []byte("{")}
		if i == 5 {
			d.Outcome, d.Body = archive.Refused, []byte(`{"thing":"dev-3","property":"water_level","value":0.5,"lat":-0.8,"lng":100.6}`)
		}
		r.archive.Keep(d)
	}
	steps, accepted := 0, 0
	for from := began.Add(-time.Second); ; steps++ {
		part, err := r.again(t.Context(), "awlr", from, began.Add(time.Minute), audit.Actor{Subject: "user:admin"})
		if err != nil {
			t.Fatal(err)
		}
		accepted += part.Accepted
		if part.Next == nil {
			break
		}
		if !part.Next.After(from) || steps > 10 {
			t.Fatalf("from %s on, and again from %s", from, part.Next)
		}
		from = part.Next.Time
	}
	if steps != 6 || accepted != 1 {
		t.Errorf("%d parts, %d accepted", steps, accepted)
	}
}
