package audit

import (
	"bytes"
	"strings"
	"testing"
)

func TestWordsStandApart(t *testing.T) {
	r := Record{Seq: 3, Actor: "user:anna", Action: "reporter.revealed", Object: "report:desk:1", Reason: "menelepon Budi Santoso kembali"}
	kept, words := r.Apart()
	chain := kept.Canonical()
	if bytes.Contains(chain, []byte("Budi")) {
		t.Fatalf("%s", chain)
	}
	back, err := Parse(chain)
	if err != nil {
		t.Fatal(err)
	}
	if shown, ok := back.With(&words); !ok || shown.Reason != r.Reason || !strings.HasPrefix(shown.ReasonHash, "sha256:") {
		t.Errorf("%+v", shown)
	}
	if shown, ok := back.With(nil); !ok || shown.Reason != "" || shown.ReasonHash == "" {
		t.Errorf("erased words: %+v", shown)
	}
	forged := words
	forged.Text = "tidak ada alasan"
	if _, ok := back.With(&forged); ok {
		t.Error("other words pass for those of the record")
	}
	if again, _ := r.Apart(); again.Reason == kept.Reason {
		t.Error("equal words have equal hashes: they can be guessed")
	}
	for actor, personal := range map[string]bool{"user:a": true, "token:admin": true, "anonymous": true, "key:1": true, "wall:1": true, "rule:muka-air": false, "feed:bmkg": false, "house:retention": false} {
		if (Record{Actor: actor, Reason: "x"}).Personal() != personal {
			t.Errorf("%s: %v", actor, !personal)
		}
	}
	if kept.Personal() || (Record{Actor: "user:a"}).Personal() {
		t.Error("taken apart twice, or for nothing")
	}
}

// TestReportsThatTheHouseNamesStandApart: who is shown a record must not learn of others' reports by it.
func TestReportsThatTheHouseNamesStandApart(t *testing.T) {
	for reason, want := range map[string]bool{"report:01J": true, "thing:a, report:01J": true, "thing:a": false, "": false} {
		if got := (Record{Actor: "house:fusion", Reason: reason}).Personal(); got != want {
			t.Errorf("%q of the house is personal: %t", reason, got)
		}
	}
}
