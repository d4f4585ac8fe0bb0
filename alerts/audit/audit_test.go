package audit

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"kentongan/geo/moment"
)

func TestCanonicalFormIsFixed(t *testing.T) {
	r := Record{
		Seq: 12, Time: moment.Of(time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)), Actor: "user:anna", Agency: "bpbd", Action: "incident.resolved",
		Object: "incident:01J", BeforeHash: "sha256:a", AfterHash: "sha256:b", Reason: "air <surut> & \"aman\"", Request: "r1",
	}
	const want = `{"action":"incident.resolved","actor":"user:anna","after_hash":"sha256:b","agency":"bpbd","before_hash":"sha256:a","object":"incident:01J",` +
		`"reason":"air <surut> & \"aman\"","request":"r1","seq":12,"time":"2026-03-01T05:00:00.000Z"}`
	if got := string(r.Canonical()); got != want {
		t.Errorf("\n%s\n%s", got, want)
	}
	if back, err := Parse([]byte(want)); err != nil || back != r {
		t.Errorf("parsed %+v, %v", back, err)
	}
	r.OnBehalf = "unit:bpbd/trc-1"
	const radio = `"object":"incident:01J","on_behalf_of":"unit:bpbd/trc-1","reason":`
	if got := string(r.Canonical()); !strings.Contains(got, radio) {
		t.Errorf("whom the act is for is not in %s", got)
	} else if back, err := Parse([]byte(got)); err != nil || back != r {
		t.Errorf("parsed %+v, %v", back, err)
	}
	if _, err := Parse([]byte(want + " ")); err == nil {
		t.Error("a form that is not canonical was read")
	}
}

// What somebody sends that is no UTF-8 (a path of a denied try) stands in the log as a record like any other.
func TestBrokenTextIsARecord(t *testing.T) {
	r := Record{Seq: 1, Actor: "anonymous", Action: "session.denied", Object: "/api/v1/incidents/\xff", Reason: "x\xfe\u2028<"}
	back, err := Parse(r.Canonical())
	if err != nil || back.Object != "/api/v1/incidents/\uFFFD" {
		t.Errorf("%+v, %v", back, err)
	}
	kept, words := r.Apart()
	b, err := json.Marshal(words)
	if err != nil {
		t.Fatal(err)
	}
	var again Words
	if err := json.Unmarshal(b, &again); err != nil || again.Hash() != words.Hash() {
		t.Errorf("%+v are not %+v any more, %v", again, words, err)
	}
	if _, ok := kept.With(&again); !ok {
		t.Error("the words are not those of the record")
	}
}

func TestHashDoesNotDependOnOrder(t *testing.T) {
	type ab struct {
		A float64 `json:"a"`
		B string  `json:"b"`
	}
	type ba struct {
		B string  `json:"b"`
		A float64 `json:"a"`
	}
	x, err := Hash(ab{1.50, "<é>"})
	if err != nil {
		t.Fatal(err)
	}
	y, _ := Hash(ba{"<é>", 1.5})
	z, _ := Hash(ba{"<é>", 1.6})
	none, _ := Hash(nil)
	if x != y || x == z || none != "" || len(x) != len("sha256:")+64 {
		t.Errorf("%s %s %s %q", x, y, z, none)
	}
}

// A string that needs no escapes is written as the encoder would write it.
func TestTextIsTheEncoders(t *testing.T) {
	for c := range rune(0x300) {
		s := "a" + string(c) + "b"
		want, err := plain(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := text(s); string(got) != string(want) {
			t.Errorf("%q is %s, not %s", s, got, want)
		}
	}
}
