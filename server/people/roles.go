package people

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/server/access"
)

// Roles is a change of what somebody may do. It takes two persons.
type Roles struct {
	Person string         `json:"person"` // id
	Seen   []access.Grant `json:"seen"`   // what they had when it was proposed: approved is the step from there
	Grants []access.Grant `json:"grants"`
	Unit   string         `json:"unit"`
}

// About is whom it is about: they may not approve it.
func (r Roles) About() []string { return []string{"user:" + r.Person} }

// KindRoles is the kind of such changes.
const KindRoles = "roles"

// ErrLastAdmin means that after a change no administrator could sign in for good.
var ErrLastAdmin = errors.New("this is the last administrator who can sign in")

// administers tells whether somebody can sign in who makes accounts; lasting: what they are granted here for a time does not count.
func (p Person) administers(now time.Time, lasting bool) bool {
	if lasting {
		p.Grants = slices.DeleteFunc(slices.Clone(p.Grants), func(g access.Grant) bool { return !g.Until.IsZero() })
	}
	return !p.BreakGlass && p.CanEnter() && access.Can(p.Subject(), access.WritePeople, access.Object{}, now).Allowed()
}

// StaysLed refuses a change of an account after which no administrator could sign in. Within Change nothing changes between its answer and
// what is written. Errors: ErrLastAdmin.
func (s *Store) StaysLed(ctx context.Context, before, after Person) error {
	if !before.administers(s.now(), false) || after.administers(s.now(), true) {
		return nil
	}
	list, err := s.List(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(o Person) bool { return o.ID != before.ID && o.administers(s.now(), true) }) {
		return nil
	}
	return ErrLastAdmin
}

// errThere tells that somebody has by now what was approved.
var errThere = errors.New("they have these grants")

// applyRoles gives somebody the grants that were approved. Twice is as good as once, and one record. Errors: ErrStale where they have others by now,
// ErrLastAdmin.
func (s *Store) applyRoles(ctx context.Context, doc json.RawMessage, _ Change) error {
	var r Roles
	if err := json.Unmarshal(doc, &r); err != nil {
		return fmt.Errorf("roles: %w", err)
	}
	_, err := s.Change(ctx, r.Person, 0, func(p *Person) error {
		if !same(p.Grants, r.Seen) && !same(p.Grants, r.Grants) {
			return ErrStale
		}
		if same(p.Grants, r.Grants) && p.Unit == r.Unit {
			return errThere
		}
		before := *p
		p.Grants, p.Unit = r.Grants, r.Unit
		return s.StaysLed(ctx, before, *p)
	})
	if errors.Is(err, errThere) {
		return nil
	}
	return err
}

// same tells equal lists of grants.
func same(a, b []access.Grant) bool {
	return slices.EqualFunc(a, b, func(x, y access.Grant) bool {
		return x.Role == y.Role && x.Agency == y.Agency && slices.Equal(x.Areas, y.Areas) && slices.Equal(x.Types, y.Types) && x.Until.Equal(y.Until)
	})
}

// Summary tells a change of grants in few words, for whoever approves it.
func (r Roles) Summary(name string) string {
	return fmt.Sprintf("%s: %s -> %s", name, told(r.Seen), told(r.Grants))
}

func told(grants []access.Grant) string {
	var out []string
	for _, g := range grants {
		text := string(g.Role)
		if g.Agency != "" {
			text += " " + g.Agency
		}
		for _, more := range [][]string{g.Areas, g.Types} {
			if len(more) > 0 {
				text += " (" + strings.Join(more, ", ") + ")"
			}
		}
		if !g.Until.IsZero() {
			text += " until " + g.Until.UTC().Format("2006-01-02 15:04Z")
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return "no role"
	}
	return strings.Join(out, " + ")
}
