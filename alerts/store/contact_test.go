package store

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"kentongan/alerts/contact"
)

func TestContacts(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		mine := func(*contact.Contact) error { return nil }
		clean, err := contact.Contact{Kind: contact.Officer, Name: "Kalaksa", Phone: "112"}.Clean(contact.Known{})
		if err != nil {
			t.Fatal(err)
		}
		one, err := s.AddContact(t.Context(), clean, anna)
		if err != nil || one.Version != 1 || one.By != anna.Subject {
			t.Fatalf("added %+v, %v", one, err)
		}
		said := clean
		said.Phone = "119"
		two, err := s.EditContact(t.Context(), one.ID, 1, said, budi, mine)
		if err != nil || two.Version != 2 || two.By != budi.Subject {
			t.Errorf("edited %+v, %v", two, err)
		}
		var late *ContactConflict
		if _, err := s.EditContact(t.Context(), one.ID, 1, said, anna, mine); !errors.As(err, &late) || late.Current.Phone != "119" {
			t.Errorf("edited late: %v", err)
		}
		no := errors.New("not yours")
		if err := s.DropContact(t.Context(), one.ID, 2, anna, func(*contact.Contact) error { return no }); !errors.Is(err, no) {
			t.Errorf("deleted what is not theirs: %v", err)
		}
		if err := s.DropContact(t.Context(), one.ID, 2, anna, mine); err != nil {
			t.Error(err)
		}
		if err := s.DropContact(t.Context(), one.ID, 2, anna, mine); !errors.Is(err, ErrNoContact) {
			t.Errorf("deleted twice: %v", err)
		}
		if all, err := s.Contacts(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("left %v, %v", all, err)
		}
		got := acts(t, s, "contact:"+one.ID)
		slices.Sort(got)
		if strings.Join(got, " ") != "contact.added contact.deleted contact.edited" {
			t.Errorf("audit %v", got)
		}
	})
}
