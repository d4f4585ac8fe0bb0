package people

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/book"
)

// Bounds of changes that need two persons.
const (
	changeWaits  = 72 * time.Hour
	changeListed = 90 * 24 * time.Hour // the audit log keeps them for ever
	changesOpen  = 200                 // that wait at once
	finishAfter  = time.Minute         // until then whoever approved may still be applying it
	approvers    = 2                   // with fewer who could approve, a change is applied at once
)

// What has become of a change.
const (
	ChangeWaits     = "waiting"
	ChangeApproved  = "approved"
	ChangeRefused   = "refused"
	ChangeWithdrawn = "withdrawn"
	ChangeExpired   = "expired"
	ChangeFailed    = "failed" // approved, and what it was made for is no longer so
)

// Change is what one person has proposed and another must approve.
type Change struct {
	V          int             `json:"v"`
	ID         string          `json:"id"` // ULID
	Kind       string          `json:"kind" doc:"roles, retention"`
	Summary    string          `json:"summary"`
	Doc        json.RawMessage `json:"doc"`
	About      []string        `json:"about" doc:"Subjects whom it is about: they may not approve it"`
	ProposedBy string          `json:"proposed_by"`
	ProposedAt moment.Time     `json:"proposed_at"`
	ExpiresAt  moment.Time     `json:"expires_at"`
	State      string          `json:"state" enum:"waiting,approved,refused,withdrawn,expired,failed"`
	DecidedBy  string          `json:"decided_by"`
	DecidedAt  moment.Time     `json:"decided_at"`
	AppliedAt  moment.Time     `json:"applied_at" doc:"null: not applied"`
	Alone      bool            `json:"alone" doc:"Applied without a second person: the house had fewer than two who could approve"`
	Reason     string          `json:"reason,omitempty"`
}

// By lists the subjects who may not approve the change: whoever proposed it, and whom it is about.
func (c *Change) By() []string { return append([]string{c.ProposedBy}, c.About...) }

// Errors of changes.
var (
	ErrNoChange   = errors.New("no change has this id")
	ErrSame       = errors.New("whoever proposed a change, and whom it is about, may not approve it")
	ErrDecided    = errors.New("the change was decided already, or has expired")
	ErrChanges    = fmt.Errorf("%d changes wait; decide some first", changesOpen)
	ErrNoMore     = errors.New("you may not approve changes any more")
	ErrNotYours   = errors.New("only whoever proposed a change may withdraw it")
	ErrChangeKind = errors.New("nobody here applies changes of this kind")
)

// Acted is an act on a change, for the audit log.
type Acted struct{ By, Action, Object, Reason string }

// Changes keeps what needs two persons: one proposes, another approves. Safe for concurrent use once every kind is given.
type Changes struct {
	store *Store
	now   func() time.Time
	apply map[string]func(ctx context.Context, doc json.RawMessage, c Change) error
	audit func(ctx context.Context, a Acted) error
}

// NewChanges gives the changes of a jurisdiction. Acts are written in one step with what they change, by the store's book; without one they go to audit, nil for nowhere (tests).
func NewChanges(store *Store, audit func(ctx context.Context, a Acted) error, now func() time.Time) *Changes {
	return &Changes{store, now, map[string]func(context.Context, json.RawMessage, Change) error{KindRoles: store.applyRoles}, audit}
}

// On says how changes of a kind are applied. It is called once the change is approved, and again where the first time did not come to its end:
// twice must be as good as once. Call it before the first Propose.
func (s *Changes) On(kind string, apply func(ctx context.Context, doc json.RawMessage, c Change) error) {
	s.apply[kind] = apply
}

// Abouter is a document that says whom it is about, as subjects (user:01J…).
type Abouter interface{ About() []string }

// Propose keeps a change until another person approves it, for 72 h. It is applied at once, and the log says so, only while the house has
// fewer than two people who could approve. by is a subject. Errors: ErrChangeKind, ErrChanges, of applying; any other: the store.
func (s *Changes) Propose(ctx context.Context, kind, summary string, doc any, by string) (c Change, applied bool, err error) {
	if s.apply[kind] == nil {
		return c, false, ErrChangeKind
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return c, false, err
	}
	able, err := s.able(ctx)
	if err != nil {
		return c, false, err
	}
	now := s.now()
	c = Change{V: 1, ID: ulid.Make().String(), Kind: kind, Summary: summary, Doc: text, About: []string{}, ProposedBy: by, ProposedAt: moment.Of(now),
		ExpiresAt: moment.Of(now.Add(changeWaits)), State: ChangeWaits}
	if a, ok := doc.(Abouter); ok {
		c.About = append(c.About, a.About()...)
	}
	if err := s.room(ctx); err != nil {
		return c, false, err
	}
	alone := able < approvers
	if alone {
		c.State, c.DecidedBy, c.DecidedAt, c.Alone = ChangeApproved, by, c.ProposedAt, true
	}
	if err := s.write(ctx, s.store.rdb, c, Acted{by, "change.proposed", "change:" + c.ID, summary}); err != nil {
		return c, false, err
	}
	if !alone {
		return c, false, nil
	}
	c, err = s.carryOut(ctx, c)
	return c, err == nil, err
}

// Approve lets a change be applied by a second person. Errors: ErrNoChange, ErrSame, ErrNoMore, ErrDecided, of applying; any other: the store.
func (s *Changes) Approve(ctx context.Context, id, by string) (Change, error) {
	of, err := s.hand(ctx, by)
	if err != nil {
		return Change{}, err
	}
	c, err := s.decide(ctx, id, by, "change.approved", func(c *Change) error {
		proposer, err := s.hand(ctx, c.ProposedBy)
		if err != nil {
			return err
		}
		if slices.Contains(c.By(), by) || by == "" || of == c.ProposedBy || proposer == by {
			return ErrSame
		}
		if err := s.still(ctx, by); err != nil {
			return err
		}
		if c.unfinished() {
			return nil
		}
		return s.take(c, ChangeApproved, by, "")
	})
	if err != nil {
		return c, err
	}
	return s.carryOut(ctx, c)
}

// hand is whoever set the password of an account as a witness while a change may wait: the two count as one, for the witness has held the key.
func (s *Changes) hand(ctx context.Context, by string) (string, error) {
	id, ok := strings.CutPrefix(by, "user:")
	if !ok {
		return "", nil
	}
	p, err := s.store.Get(ctx, id)
	if errors.Is(err, ErrNoPerson) || err == nil && (p.Witness == nil || s.now().Sub(p.Witness.At.Time) > changeWaits) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return p.Witness.By, nil
}

// still holds whoever approves against the account of this moment: what a server knows of it may be half a second old. The admin token and
// links have none.
func (s *Changes) still(ctx context.Context, by string) error {
	id, _ := strings.CutPrefix(by, "user:")
	p, err := s.store.Get(ctx, id)
	switch {
	case errors.Is(err, ErrNoPerson):
		return nil
	case err != nil:
		return err
	case !access.Can(p.Subject(), access.Approve, access.Object{}, s.now()).Allowed():
		return ErrNoMore
	}
	return nil
}

// Refuse ends a change without applying it. Whom it is about may not. Errors: as Approve.
func (s *Changes) Refuse(ctx context.Context, id, by, reason string) (Change, error) {
	return s.decide(ctx, id, by, "change.refused", func(c *Change) error {
		if slices.Contains(c.By(), by) || by == "" {
			return ErrSame
		}
		return s.take(c, ChangeRefused, by, reason)
	})
}

// Withdraw takes a change back that one proposed oneself. Errors: ErrNoChange, ErrNotYours, ErrDecided; any other: the store.
func (s *Changes) Withdraw(ctx context.Context, id, by string) (Change, error) {
	return s.decide(ctx, id, by, "change.withdrawn", func(c *Change) error {
		if c.ProposedBy != by {
			return ErrNotYours
		}
		return s.take(c, ChangeWithdrawn, by, "")
	})
}

// take decides a change that waits.
func (s *Changes) take(c *Change, state, by, reason string) error {
	if s.state(*c) != ChangeWaits {
		return ErrDecided
	}
	c.State, c.DecidedBy, c.DecidedAt, c.Reason = state, by, moment.Of(s.now()), reason
	return nil
}

// state is what has become of a change by now.
func (s *Changes) state(c Change) string {
	if c.State == ChangeWaits && !s.now().Before(c.ExpiresAt.Time) {
		return ChangeExpired
	}
	return c.State
}

// decide changes one change as one step with the record of the act.
func (s *Changes) decide(ctx context.Context, id, by, action string, do func(*Change) error) (Change, error) {
	var out Change
	key := s.store.keys.Change()
	err := s.store.aloneWith(ctx, func(tx *redis.Tx) error {
		text, err := tx.HGet(ctx, key, id).Bytes()
		if errors.Is(err, redis.Nil) {
			return ErrNoChange
		} else if err != nil {
			return err
		}
		var c Change
		if err := json.Unmarshal(text, &c); err != nil {
			return fmt.Errorf("change %s: %w", id, err)
		}
		out = c
		if err := do(&c); err != nil {
			return err
		}
		out = c
		reason := c.Summary
		if c.State == ChangeRefused {
			reason = c.Reason
		}
		return s.write(ctx, tx, c, Acted{by, action, "change:" + c.ID, reason})
	}, key)
	return out, err
}

// write keeps a change with the records of what was done to it.
func (s *Changes) write(ctx context.Context, on book.On, c Change, acts ...Acted) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := s.step(ctx, on, acts, func(p redis.Pipeliner) { p.HSet(ctx, s.store.keys.Change(), c.ID, text) }); err != nil {
		return fmt.Errorf("change %s: %w", c.ID, err)
	}
	return nil
}

// step does something in one step with the records of acts; without a book these follow it.
func (s *Changes) step(ctx context.Context, on book.On, acts []Acted, do func(redis.Pipeliner)) error {
	err := s.store.book.Write(ctx, on, func(p redis.Pipeliner) error {
		for _, a := range acts {
			book.Note(p, audit.Record{Actor: a.By, Action: a.Action, Object: a.Object, Reason: a.Reason})
		}
		do(p)
		return nil
	})
	if err != nil || s.store.book != nil || s.audit == nil {
		return err
	}
	for _, a := range acts {
		if err := s.audit(ctx, a); err != nil {
			return fmt.Errorf("the audit log: %w", err)
		}
	}
	return nil
}

// Get gives one change. Errors: ErrNoChange; any other: the store.
func (s *Changes) Get(ctx context.Context, id string) (Change, error) {
	var c Change
	text, err := s.store.rdb.HGet(ctx, s.store.keys.Change(), id).Bytes()
	if errors.Is(err, redis.Nil) {
		return c, ErrNoChange
	} else if err != nil {
		return c, fmt.Errorf("change %s: %w", id, err)
	}
	err = json.Unmarshal(text, &c)
	c.State = s.state(c)
	return c, err
}

// List gives every change of the last 90 days, the newest first.
func (s *Changes) List(ctx context.Context) ([]Change, error) {
	all, err := s.store.rdb.HGetAll(ctx, s.store.keys.Change()).Result()
	if err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	}
	out := make([]Change, 0, len(all))
	for id, text := range all {
		var c Change
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return nil, fmt.Errorf("change %s: %w", id, err)
		}
		c.State = s.state(c)
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Change) int { return strings.Compare(b.ID, a.ID) })
	return out, nil
}

// room counts what waits, and drops what was decided long ago.
func (s *Changes) room(ctx context.Context) error {
	list, err := s.List(ctx)
	if err != nil {
		return err
	}
	waits := 0
	var old []string
	for _, c := range list {
		if c.State == ChangeWaits {
			waits++
		} else if s.now().Sub(c.ProposedAt.Time) > changeListed {
			old = append(old, c.ID)
		}
	}
	if len(old) > 0 {
		var acts []Acted
		for _, id := range old {
			acts = append(acts, Acted{"house:change", "change.dropped", "change:" + id, ""})
		}
		if err := s.step(ctx, s.store.rdb, acts, func(p redis.Pipeliner) { p.HDel(ctx, s.store.keys.Change(), old...) }); err != nil {
			return fmt.Errorf("changes: %w", err)
		}
	}
	if waits >= changesOpen {
		return ErrChanges
	}
	return nil
}

// able counts the people who could approve something: a sealed account does not count. One that was shut while a change may wait does: one
// person may shut it, who would then be alone.
func (s *Changes) able(ctx context.Context) (int, error) {
	list, err := s.store.List(ctx)
	n := 0
	for _, p := range list {
		if p.Disabled && s.now().Sub(p.ChangedAt.Time) < changeWaits {
			p.Disabled = false
		}
		if !p.BreakGlass && p.CanEnter() && access.Can(p.Subject(), access.Approve, access.Object{}, s.now()).Allowed() {
			n++
		}
	}
	return n, err
}
