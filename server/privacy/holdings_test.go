package privacy

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/server/access"
)

func TestEveryKeyIsInExactlyOneClass(t *testing.T) {
	classes := map[string]string{}
	for _, c := range Classes() {
		for _, n := range c.Nouns {
			if was, twice := classes[n]; twice {
				t.Errorf("kt:%s is in the classes %s and %s", n, was, c.Name)
			}
			classes[n] = c.Name
		}
	}
	known := map[string]bool{}
	for _, row := range keyspace.Table {
		n := noun(row)
		known[n] = true
		if classes[n] == "" {
			t.Errorf("%s is in no class of the data map: add %q to one in classes.go", row.Pattern, n)
		}
		if strings.Contains(row.Lifetime, "part 4") {
			t.Errorf("%s: its lifetime is %q", row.Pattern, row.Lifetime)
		}
	}
	for n, class := range classes {
		if !known[n] {
			t.Errorf("class %s names kt:%s, and there is no such key", class, n)
		}
	}
}

func TestTheMapSaysAllOfEveryClass(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	list, err := h.retention.Map(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list {
		for what, text := range map[string]Words{"title": one.Title, "whose": one.Whose, "why": one.Why, "legal_basis": one.Basis, "source": one.Source, "leaves": one.Leaves} {
			if text["id"] == "" || text["en"] == "" {
				t.Errorf("%s: %s lacks a language", one.Name, what)
			}
		}
		if len(one.Where) == 0 {
			t.Errorf("%s is nowhere", one.Name)
		}
		if len(one.Roles) == 0 {
			t.Errorf("nobody may read %s", one.Name)
		}
		switch {
		case one.Name == "reporters":
			if !slices.Equal(one.Roles, []access.Role{access.CallTaker, access.Dispatcher, access.Supervisor}) || one.keep != 90*day || !one.Settable {
				t.Errorf("%+v", one)
			}
		case one.Name == "audit" && (!one.Never || one.From != "never"):
			t.Errorf("%+v", one)
		}
	}
}

func TestABreachIsGathered(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.report("1", "banjir", budi)
	before := h.now
	for i, who := range []string{"user:a", "user:a", "user:b"} {
		h.now = h.now.Add(time.Duration(i+1) * time.Minute)
		record := audit.Record{Actor: who, Action: "reporter.revealed", Object: "report:" + id, Reason: "menelepon kembali"}
		if err := h.cases.Record(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	_ = h.cases.Record(t.Context(), audit.Record{Actor: "anonymous", Action: "session.denied", Object: "/login", Reason: "from 192.0.2.1"})
	h.now = h.now.Add(time.Hour)
	_ = h.cases.Record(t.Context(), audit.Record{Actor: "user:c", Action: "reporter.revealed", Object: "report:" + id, Reason: "sesudahnya, di luar waktu"})
	out, err := h.retention.Breach(t.Context(), h.cases, Breach{From: before, To: before.Add(time.Hour), KnownAt: before.Add(time.Hour), Classes: []string{"reporters"}, What: "Buku catatan hilang.", Zone: jakarta})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Seen) != 2 || out.Seen[0].By != "user:a" || out.Seen[0].Count != 2 || out.Denied != 1 || !slices.Equal(out.Affected, []string{id}) || out.Subjects["reporters"] != 1 {
		t.Errorf("%+v", out)
	}
	if want := moment.Of(before.Add(73 * time.Hour)); !out.NotifyBy.Equal(want.Time) {
		t.Errorf("notify by %s, want %s", out.NotifyBy, want)
	}
	for lang, words := range map[string][]string{"id": {"pasal 46", "3 x 24 jam", "Identitas pelapor", "paling banyak 1 subjek", "2 kali", "Buku catatan hilang."}, "en": {"article 46", " WIB", "3 x 24 hours", "1 people at most", "2 times"}} {
		for _, w := range words {
			if !strings.Contains(out.Text[lang], w) {
				t.Errorf("%s lacks %q:\n%s", lang, w, out.Text[lang])
			}
		}
		if strings.Contains(out.Text[lang], "Budi") {
			t.Error("the notification names a person")
		}
	}
	if _, err := h.retention.Breach(t.Context(), h.cases, Breach{From: before, To: before.Add(time.Hour), Classes: []string{"x"}}); !errors.Is(err, ErrNoClass) {
		t.Errorf("%v", err)
	}
}
