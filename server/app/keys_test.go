package app

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
)

// TestEveryKeyIsInTheTable lives a small day of the house and looks at what it left in the store.
func TestEveryKeyIsInTheTable(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := serve(t, t.TempDir())
	for _, body := range []string{
		`{"thing":"dev-1","property":"water_level","value":1.2,"lat":-0.83,"lng":100.63}`,
		`{"thing":"dev-1","property":"water_level","value":3.4,"lat":-0.83,"lng":100.63}`,
		`{"thing":"dev-2","property":"water_level","value":3.4,"lat":-1.24,"lng":100.89}`,
		`{"thing":"dev-2","property":"water_level","value":3.5,"lat":-0.63,"lng":100.65}`,
		`{"thing":"nowhere","property":"rain","value":3}`,
		`{"thing":"dev-1","property":"water_level","value":1.4}`,
	} {
		if code, doc := r.ask("POST", "/api/v1/ingest/awlr", body); code != http.StatusAccepted {
			t.Fatalf("%s: %d %v", body, code, doc)
		}
	}
	if code, doc := r.ask("POST", "/api/v1/incidents", `{"type":"tree_down","title":"Pohon tumbang","severity":"Moderate","lng":100.62,"lat":-0.97}`); code/100 != 2 {
		t.Fatal(code, doc)
	} else if code, doc := r.ask("POST", fmt.Sprintf("/api/v1/incidents/%v/transitions", doc["id"]), `{"to":"acknowledged","version":1}`); code/100 != 2 {
		t.Fatal(code, doc)
	}
	if code, doc := r.ask("POST", "/api/v1/session", `{}`); code/100 != 2 {
		t.Fatal(code, doc)
	}
	if seen := known(t, r.rdb); len(seen) < 12 {
		t.Errorf("only %d rows of the table were met: %v", len(seen), seen)
	}
}

// TestEveryKeyOfSeveralServersIsInTheTable lives one where others share the store.
func TestEveryKeyOfSeveralServersIsInTheTable(t *testing.T) {
	t.Parallel()
	store := redistest.Private(t).URL()
	r, other := beside(t, "a", store, polling(newSource(t))), beside(t, "b", store, several)
	if code, doc := other.ask("POST", "/api/v1/ingest/awlr", `{"thing":"dev-1","property":"water_level","value":3.4,"lat":-0.83,"lng":100.63}`); code != http.StatusAccepted {
		t.Fatal(code, doc)
	}
	r.sessionEnded("some session")
	eventually(t, 15*time.Second, "an incident", func() bool { return len(incidents(t, r.Addr())) == 1 })
	seen := known(t, r.rdb)
	for _, pattern := range []string{"kt:lease:{J}:NAME", "kt:fence:{J}:NAME", "kt:feed-status:{J}", "kt:session-ended:{J}", "kt:firing-rules:{J}"} {
		if !seen[pattern] {
			t.Errorf("no key of %s", pattern)
		}
	}
	for _, key := range []string{r.keys.Lease(rulesLease), r.keys.FeedStatus(), r.keys.SessionEnded()} {
		if life := r.rdb.PTTL(t.Context(), key).Val(); life <= 0 {
			t.Errorf("%s lives %v", key, life)
		}
	}
}

// known looks up every key of a store in the table, and gives the rows met.
func known(t *testing.T, rdb redis.UniversalClient) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	it := rdb.Scan(t.Context(), 0, "*", 1000).Iterator()
	for it.Next(t.Context()) {
		row, ok := keyspace.Known(it.Val())
		if !ok {
			t.Errorf("%s is in no row of keyspace.Table", it.Val())
			continue
		}
		seen[row.Pattern] = true
		kind, err := rdb.Type(t.Context(), it.Val()).Result()
		if err != nil || kind != row.Type && kind != "none" { // a lease may have ended
			t.Errorf("%s is a %s (%v), the table says %s", it.Val(), kind, err, row.Type)
		}
	}
	if err := it.Err(); err != nil {
		t.Fatal(err)
	}
	return seen
}
