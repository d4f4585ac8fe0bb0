package auditlog

import (
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/server/book"
	"kentongan/server/people"
)

// TestTwoForgeriesOfOneAccountAreToldOnceEach checks again and again what two writes have overtaken.
func TestTwoForgeriesOfOneAccountAreToldOnceEach(t *testing.T) {
	h := newHouse(t)
	s := people.NewStore(h.rdb, h.keys, time.Now)
	s.Book(book.New(h.rdb, h.keys, time.Now, nil))
	p, err := s.Create(t.Context(), people.Person{Login: "andi", Name: "Andi"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.cases.Baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"FORGED", "AGAIN"} {
		text := h.rdb.HGet(t.Context(), h.keys.Person(), p.ID).Val()
		h.rdb.HSet(t.Context(), h.keys.Person(), p.ID, strings.Replace(text, p.Name, name, 1))
		if p, err = s.Change(t.Context(), p.ID, 0, func(*people.Person) error { return nil }); err != nil || p.Name != name {
			t.Fatalf("%+v, %v", p, err)
		}
	}
	for range 3 {
		h.want(map[string]string{h.keys.Person() + " " + p.ID: overtaken + " " + overtaken})
	}
	if n := strings.Count(h.said.String(), "the store differs from the audit log"); n != 2 {
		t.Errorf("said %d times: %s", n, h.said)
	}
}

// TestAForgedAccountThatNeverWasIsToldThoughAWriteFollows makes an account past every step, with what stands beside one.
func TestAForgedAccountThatNeverWasIsToldThoughAWriteFollows(t *testing.T) {
	h := newHouse(t)
	s := people.NewStore(h.rdb, h.keys, time.Now)
	s.Book(book.New(h.rdb, h.keys, time.Now, nil))
	p, err := s.Create(t.Context(), people.Person{Login: "andi", Name: "Andi"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.cases.Baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.want(nil)
	const evil = "01EVIL"
	text := strings.NewReplacer(p.ID, evil, `"andi"`, `"evil"`).Replace(h.rdb.HGet(t.Context(), h.keys.Person(), p.ID).Val())
	h.rdb.HSet(t.Context(), h.keys.Person(), evil, text)
	h.rdb.HSet(t.Context(), h.keys.PersonLogin(), "evil", evil)
	h.rdb.HSet(t.Context(), h.keys.AuditKept(), "person:"+evil, "SALT:"+audit.HashOf([]byte(text), "SALT"))
	if _, err := s.Change(t.Context(), evil, 0, func(*people.Person) error { return nil }); err != nil {
		t.Fatal(err)
	}
	h.want(map[string]string{h.keys.Person() + " " + evil: overtaken})
}
