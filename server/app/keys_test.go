package app

import (
	"fmt"
	"net/http"
	"testing"

	"kentongan/geo/keyspace"
)

// TestEveryKeyIsInTheTable lives a small day of the house and looks at what it left in the store.
func TestEveryKeyIsInTheTable(t *testing.T) {
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
	seen := map[string]bool{}
	it := r.rdb.Scan(t.Context(), 0, "*", 1000).Iterator()
	for it.Next(t.Context()) {
		row, ok := keyspace.Known(it.Val())
		if !ok {
			t.Errorf("%s is in no row of keyspace.Table", it.Val())
			continue
		}
		seen[row.Pattern] = true
		if kind, err := r.rdb.Type(t.Context(), it.Val()).Result(); err != nil || kind != row.Type {
			t.Errorf("%s is a %s (%v), the table says %s", it.Val(), kind, err, row.Type)
		}
	}
	if err := it.Err(); err != nil {
		t.Fatal(err)
	}
	if len(seen) < 12 {
		t.Errorf("only %d rows of the table were met: %v", len(seen), seen)
	}
}
