package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"kentongan/alerts/audit"
	"kentongan/alerts/contact"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// MostContacts is how many there may be.
const MostContacts = 2000

// Errors of contacts.
var (
	ErrNoContact    = errors.New("there is no such contact")                                     // 404
	ErrManyContacts = fmt.Errorf("%d contacts are kept; delete one of them first", MostContacts) // 422
)

// ContactConflict is a change of a contact that came too late: 409.
type ContactConflict struct {
	Current contact.Contact
	Reason  string
}

func (c *ContactConflict) Error() string { return c.Reason }

// contactDoc is the stored form, version 1.
type contactDoc struct {
	V int `json:"v"`
	contact.Contact
}

func (s *Store) contactForm() form[contact.Contact] {
	return formOf(s.keys.Contact, func(d *contactDoc) (contact.Contact, string) { return d.Contact, d.ID })
}

func (s *Store) contactsOf(ctx context.Context, ids []string) ([]kept[contact.Contact], error) {
	return load(ctx, s, s.contactForm(), ids)
}

// Contacts lists them all, by kind and name.
func (s *Store) Contacts(ctx context.Context) ([]contact.Contact, error) {
	out := []contact.Contact{}
	err := s.walkSet(ctx, s.keys.Contacts(), func(ids []string) (bool, error) {
		list, err := s.contactsOf(ctx, ids)
		for _, k := range list {
			out = append(out, k.doc)
		}
		return true, err
	})
	slices.SortFunc(out, func(a, b contact.Contact) int {
		return cmp.Or(cmp.Compare(slices.Index(contact.Kinds(), a.Kind), slices.Index(contact.Kinds(), b.Kind)), strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return out, err
}

// AddContact keeps a new contact, which Clean has made. Errors: ErrManyContacts, feeds.ErrBusy.
func (s *Store) AddContact(ctx context.Context, c contact.Contact, who audit.Actor) (contact.Contact, error) {
	c.ID = ulid.Make().String()
	own := origin{Salt: rand.Text()}
	err := s.retry(ctx, func() error {
		n, err := s.rdb.SCard(ctx, s.keys.Contacts()).Result()
		if err != nil {
			return fmt.Errorf("%w: count contacts: %w", feeds.ErrBusy, err)
		}
		if n >= MostContacts {
			return ErrManyContacts
		}
		return s.putContact(ctx, kept[contact.Contact]{own: own}, &c, "contact.added", who)
	})
	return c, err
}

// EditContact says a contact anew. may is asked of it as it is in this very step. Errors: ErrNoContact, *ContactConflict, of may, feeds.ErrBusy.
func (s *Store) EditContact(ctx context.Context, id string, version int, said contact.Contact, who audit.Actor, may func(*contact.Contact) error) (contact.Contact, error) {
	said.ID = id
	err := s.retry(ctx, func() error {
		k, err := s.contactOf(ctx, id, version, may)
		if err != nil {
			return err
		}
		return s.putContact(ctx, k, &said, "contact.edited", who)
	})
	return said, err
}

// DropContact deletes a contact. Errors: as EditContact.
func (s *Store) DropContact(ctx context.Context, id string, version int, who audit.Actor, may func(*contact.Contact) error) error {
	return s.retry(ctx, func() error {
		k, err := s.contactOf(ctx, id, version, may)
		if err != nil {
			return err
		}
		st := s.newStep(s.now())
		st.check("rev", s.keys.Contact(id), "", k.rev)
		st.gone(s.keys.Contact(id))
		st.write("srem", s.keys.Contacts(), id)
		if err := st.audited(who, "contact.deleted", "contact:"+id, "", []any{k.own.Salt, k.doc}, nil); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
}

// contactOf loads a contact that somebody changes.
func (s *Store) contactOf(ctx context.Context, id string, version int, may func(*contact.Contact) error) (kept[contact.Contact], error) {
	k, err := loadOne(ctx, s, s.contactForm(), id, ErrNoContact)
	if err != nil {
		return k, err
	}
	if err := may(&k.doc); err != nil {
		return k, err
	}
	if k.doc.Version != version {
		return k, &ContactConflict{k.doc, fmt.Sprintf("the contact has version %d, not %d", k.doc.Version, version)}
	}
	return k, nil
}

// putContact takes the step of one contact. Its number could be guessed from a hash of it alone, so the log's hashes are salted.
func (s *Store) putContact(ctx context.Context, k kept[contact.Contact], c *contact.Contact, action string, who audit.Actor) error {
	now := s.now()
	c.Version, c.By, c.UpdatedAt = k.doc.Version+1, who.Subject, moment.Of(now)
	doc, err := marshal(contactDoc{1, *c})
	if err != nil {
		return err
	}
	inside, err := marshal(k.own)
	if err != nil {
		return err
	}
	st := s.newStep(now)
	key := s.keys.Contact(c.ID)
	st.check("rev", key, "", k.rev)
	st.doc(key, nextRev(k.rev), doc, string(inside), k.own.Salt)
	st.write("sadd", s.keys.Contacts(), c.ID)
	var before any
	if k.rev != "" {
		before = []any{k.own.Salt, k.doc}
	}
	if err := st.audited(who, action, "contact:"+c.ID, "", before, []any{k.own.Salt, *c}); err != nil {
		return err
	}
	return s.run(ctx, st)
}
