package app

import (
	"strings"
	"testing"
)

// An older key stays in the file while it still seals something of the store, and where the store cannot be asked.
func TestAKeyThatStillSealsIsNotRetired(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := launch(t, "test", reported, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	if code, doc := r.ask("POST", "/api/v1/reports", `{"channel":"call","text":"banjir","reporter":{"name":"Kanariwati","phone":"0812 7777 1234"}}`); code != 201 {
		t.Fatal(code, doc)
	}
	old := r.seal.Mark()
	if err := r.seal.Add(true); err != nil {
		t.Fatal(err)
	}
	if err := Retirable(t.Context(), r.cfg, r.seal); err == nil || !strings.Contains(err.Error(), old) {
		t.Fatalf("%v", err)
	}
	if n := r.rdb.Exists(t.Context(), r.keys.Sealed()).Val(); n != 0 {
		t.Error("servers are not told to look once more")
	}
	if err := r.sealAgain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := Retirable(t.Context(), r.cfg, r.seal); err != nil {
		t.Fatal(err)
	}
	cfg := r.cfg
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if err := Retirable(t.Context(), cfg, r.seal); err == nil {
		t.Error("without a store nobody knows what is sealed")
	}
}
