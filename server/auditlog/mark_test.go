package auditlog

import (
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/geo/keyspace"
	"kentongan/server/book"
	"kentongan/server/people"
)

// accounts are those of the house, with one account.
func (h *house) accounts() (*people.Store, people.Person) {
	h.Helper()
	s := people.NewStore(h.rdb, h.keys, time.Now)
	s.Book(book.New(h.rdb, h.keys, time.Now, nil))
	p, err := s.Create(h.Context(), people.Person{Login: "andi", Name: "Andi"})
	if err != nil {
		h.Fatal(err)
	}
	if _, err := h.cases.Baseline(h.Context()); err != nil {
		h.Fatal(err)
	}
	return s, p
}

// TestAMarkOfTheBaselineThatIsGoneIsTold takes away by what writers know that a document without a hash is nobody's.
func TestAMarkOfTheBaselineThatIsGoneIsTold(t *testing.T) {
	h := newHouse(t)
	place := h.keys.AuditKept() + " " + keyspace.BaselineField
	h.rdb.HSet(t.Context(), h.keys.AuditKept(), keyspace.BaselineField, "then")
	h.want(map[string]string{place: "added"}) // nothing has a record yet
	h.rdb.HDel(t.Context(), h.keys.AuditKept(), keyspace.BaselineField)
	h.want(nil)
	s, p := h.accounts()
	h.want(nil)
	h.rdb.HDel(t.Context(), h.keys.AuditKept(), keyspace.BaselineField)
	h.want(map[string]string{place: "gone"})
	if _, err := s.Change(t.Context(), p.ID, 0, func(*people.Person) error { return nil }); err != nil { // an honest write overtakes nothing
		t.Fatal(err)
	}
	h.open()
	h.want(map[string]string{place: "gone"})
	if w := h.log.Warnings(); len(w) != 1 || !strings.Contains(w[0], keyspace.BaselineField+": gone") {
		t.Errorf("warnings: %q", w)
	}
}

// TestAnAccountWhoseHashWasTakenAwayIsToldThoughAWriteFollows forges an account, takes away its hash and the mark, and puts the mark back.
func TestAnAccountWhoseHashWasTakenAwayIsToldThoughAWriteFollows(t *testing.T) {
	h := newHouse(t)
	s, p := h.accounts()
	h.want(nil)
	kept, mark := h.keys.AuditKept(), h.rdb.HGet(t.Context(), h.keys.AuditKept(), keyspace.BaselineField).Val()
	text := h.rdb.HGet(t.Context(), h.keys.Person(), p.ID).Val()
	h.rdb.HSet(t.Context(), h.keys.Person(), p.ID, strings.Replace(text, "Andi", "FORGED", 1))
	h.rdb.HDel(t.Context(), kept, "person:"+p.ID, keyspace.BaselineField)
	if p, err := s.Change(t.Context(), p.ID, 0, func(*people.Person) error { return nil }); err != nil || p.Name != "FORGED" {
		t.Fatalf("%+v, %v", p, err)
	}
	h.rdb.HSet(t.Context(), kept, keyspace.BaselineField, mark)
	want := map[string]string{h.keys.Person() + " " + p.ID: overtaken}
	h.want(want)
	if _, err := s.Change(t.Context(), p.ID, 0, func(*people.Person) error { return nil }); err != nil {
		t.Fatal(err)
	}
	h.want(want)
}

// TestAForgeryOfHashAndAccountIsOvertakenOnce forges an account and what stands beside it, so that neither fits the other nor the log.
func TestAForgeryOfHashAndAccountIsOvertakenOnce(t *testing.T) {
	h := newHouse(t)
	s, p := h.accounts()
	h.rdb.HSet(t.Context(), h.keys.AuditKept(), "person:"+p.ID, "SALT:other")
	if _, err := s.Change(t.Context(), p.ID, 0, func(*people.Person) error { return nil }); err != nil {
		t.Fatal(err)
	}
	h.want(map[string]string{h.keys.Person() + " " + p.ID: overtaken})
}

// TestWhatWasOnlyReadIsNotOvertaken forges an incident that is shown, and put right; then one that is acted on.
func TestWhatWasOnlyReadIsNotOvertaken(t *testing.T) {
	h := newHouse(t)
	id := h.acts(1)[0]
	key := h.keys.Incident(id)
	doc := h.rdb.HGet(t.Context(), key, "doc").Val()
	forge := func(as string) {
		h.rdb.HSet(t.Context(), key, "doc", strings.Replace(doc, `"severity":"Severe"`, as, 1))
	}
	differs := func(want int) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			told, _, err := h.cases.AuditLog(t.Context(), time.Time{}, time.Time{}, 0, "", func(r *audit.Record) bool { return r.Action == audit.Differs })
			if err != nil || len(told) == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%d are in the log, want %d", len(told), want)
			}
		}
	}
	forge(`"severity":"Minor"`)
	if _, err := h.cases.Incident(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	differs(1) // whoever read it has told
	h.want(map[string]string{key: "changed"})
	differs(2)
	h.rdb.HSet(t.Context(), key, "doc", doc)
	h.want(nil)
	edit := func() {
		t.Helper()
		_, err := h.cases.Edit(t.Context(), id, "incident.edited", "", anna, func(*incident.Incident) error { return nil }, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
			next := in.Clone()
			next.Title = now.String()
			return next, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	edit()
	h.want(nil)
	doc = h.rdb.HGet(t.Context(), key, "doc").Val()
	forge(`"severity":"Extreme"`)
	edit()
	edit()
	h.want(map[string]string{key: overtaken})
	h.open()
	h.want(map[string]string{key: overtaken})
}

// TestABaselineThatDoesNotEndIsTold has an account that no record can be made of.
func TestABaselineThatDoesNotEndIsTold(t *testing.T) {
	h := newHouse(t)
	h.rdb.LPush(t.Context(), h.keys.Device(), "x")
	for range 2 {
		h.log.based(t.Context(), h.cases)
		if w := h.log.Warnings(); len(w) != 1 || !strings.Contains(w[0], "could not be written") {
			t.Errorf("warnings: %q", w)
		}
	}
	if n := strings.Count(h.said.String(), "has no record of how it stands"); n != 1 {
		t.Errorf("said %d times", n)
	}
	h.rdb.Del(t.Context(), h.keys.Device())
	h.log.based(t.Context(), h.cases)
	if w := h.log.Warnings(); len(w) != 0 {
		t.Errorf("once it came to its end: %q", w)
	}
}

// TestANameThatFindsAnotherAccountIsTold gives an account a second name, and names to accounts that never were.
func TestANameThatFindsAnotherAccountIsTold(t *testing.T) {
	h := newHouse(t)
	_, p := h.accounts()
	h.want(nil)
	logins := h.keys.PersonLogin()
	h.rdb.HSet(t.Context(), logins, "evil", p.ID, "ghost", "01NEVER")
	want := map[string]string{logins + " " + p.ID: "listed", logins + " 01NEVER": "listed"}
	h.want(want)
	if strings.Contains(h.said.String(), "evil") || strings.Contains(h.said.String(), "ghost") {
		t.Error("it tells a name")
	}
	h.rdb.HSet(t.Context(), logins, "andi", "01NEVER")
	h.want(map[string]string{logins + " " + p.ID: "unlisted listed", logins + " 01NEVER": "listed"})
	h.rdb.HDel(t.Context(), logins, "evil", "ghost")
	h.rdb.HSet(t.Context(), logins, "andi", p.ID)
	h.want(nil)
}
