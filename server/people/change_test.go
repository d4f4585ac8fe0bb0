package people

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
	"kentongan/server/access"
	"kentongan/server/book"
)

type desk struct {
	*Changes
	store *Store
	mu    sync.Mutex
	at    time.Time
	acts  []Acted
}

func (d *desk) now() time.Time           { d.mu.Lock(); defer d.mu.Unlock(); return d.at }
func (d *desk) advance(by time.Duration) { d.mu.Lock(); defer d.mu.Unlock(); d.at = d.at.Add(by) }

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{at: time.Now()}
	d.store = NewStore(redistest.Start(t), redistest.Keys(t), d.now)
	d.Changes = NewChanges(d.store, func(_ context.Context, a Acted) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.acts = append(d.acts, a)
		return nil
	}, d.now)
	return d
}

func (d *desk) person(t *testing.T, login string, roles ...access.Role) Person {
	t.Helper()
	p := Person{Login: login, Name: login + " name", Password: "x"}
	for _, r := range roles {
		p.Grants = append(p.Grants, access.Grant{Role: r})
	}
	p, err := d.store.Create(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (d *desk) roles(p Person, roles ...access.Role) Roles {
	r := Roles{Person: p.ID, Seen: p.Grants}
	for _, one := range roles {
		r.Grants = append(r.Grants, access.Grant{Role: one})
	}
	return r
}

func (d *desk) held(t *testing.T, p Person) []access.Role {
	t.Helper()
	now, err := d.store.Get(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	var out []access.Role
	for _, g := range now.Grants {
		out = append(out, g.Role)
	}
	return out
}

// With fewer than two who could approve a change is applied at once, and the log says so; from then on it takes two.
func TestBootstrapThenTwoPersons(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	first := d.person(t, "admin-1")
	c, applied, err := d.Propose(ctx, KindRoles, "", d.roles(first, access.Admin), "user:admin")
	if err != nil || !applied || !c.Alone || c.AppliedAt.IsZero() || !slices.Equal(d.held(t, first), []access.Role{access.Admin}) {
		t.Fatalf("%+v %v %v", c, applied, err)
	}
	if last := d.acts[len(d.acts)-1]; last.Action != "change.applied" || last.Reason == "" {
		t.Errorf("%+v", d.acts)
	}
	second := d.person(t, "admin-2")
	if _, applied, err = d.Propose(ctx, KindRoles, "", d.roles(second, access.Admin), "user:"+first.ID); err != nil || !applied {
		t.Fatal(applied, err)
	}
	op := d.person(t, "budi", access.Operator)
	sealed := d.person(t, "amplop", access.Admin)
	if _, err := d.store.Change(ctx, sealed.ID, 0, func(p *Person) error { p.BreakGlass = true; return nil }); err != nil {
		t.Fatal(err)
	}
	by, other := "user:"+first.ID, "user:"+second.ID
	c, applied, err = d.Propose(ctx, KindRoles, "", d.roles(op, access.Supervisor), by)
	if err != nil || applied || c.State != ChangeWaits || !slices.Equal(d.held(t, op), []access.Role{access.Operator}) {
		t.Fatalf("%+v %v %v", c, applied, err)
	}
	for _, no := range []string{by, "user:" + op.ID, ""} {
		if _, err := d.Approve(ctx, c.ID, no); !errors.Is(err, ErrSame) {
			t.Errorf("%q approves: %v", no, err)
		}
	}
	if _, err := d.Withdraw(ctx, c.ID, other); !errors.Is(err, ErrNotYours) {
		t.Errorf("somebody else withdraws: %v", err)
	}
	// Of many at once one approves.
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for range 8 {
		wg.Go(func() { _, err := d.Approve(ctx, c.ID, other); errs <- err })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil && !errors.Is(err, ErrDecided) {
			t.Error(err)
		}
	}
	if !slices.Equal(d.held(t, op), []access.Role{access.Supervisor}) {
		t.Errorf("%v", d.held(t, op))
	}
	if c, _ = d.Get(ctx, c.ID); c.State != ChangeApproved || c.DecidedBy != other || c.Alone || c.AppliedAt.IsZero() {
		t.Errorf("%+v", c)
	}
	for _, again := range []func() (Change, error){func() (Change, error) { return d.Approve(ctx, c.ID, other) }, func() (Change, error) { return d.Refuse(ctx, c.ID, other, "") },
		func() (Change, error) { return d.Withdraw(ctx, c.ID, by) }} {
		if _, err := again(); !errors.Is(err, ErrDecided) {
			t.Errorf("decided twice: %v", err)
		}
	}
	if _, err := d.Approve(ctx, "nothing", other); !errors.Is(err, ErrNoChange) {
		t.Errorf("%v", err)
	}
}

// What is refused, withdrawn, too old or no longer so is not applied.
func TestChangesThatAreNotApplied(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	a, b, op := d.person(t, "admin-1", access.Admin), d.person(t, "admin-2", access.Admin), d.person(t, "budi", access.Operator)
	by, other := "user:"+a.ID, "user:"+b.ID
	propose := func() Change {
		c, applied, err := d.Propose(ctx, KindRoles, "", d.roles(op, access.Admin), by)
		if err != nil || applied {
			t.Fatal(applied, err)
		}
		return c
	}
	refused, withdrawn, old, stale := propose(), propose(), propose(), propose()
	if c, err := d.Refuse(ctx, refused.ID, other, "not trained"); err != nil || c.State != ChangeRefused || c.Reason != "not trained" {
		t.Errorf("%+v %v", c, err)
	}
	if c, err := d.Withdraw(ctx, withdrawn.ID, by); err != nil || c.State != ChangeWithdrawn {
		t.Errorf("%+v %v", c, err)
	}
	if _, err := d.store.Change(ctx, op.ID, 0, func(p *Person) error { p.Grants = []access.Grant{{Role: access.PIO}}; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Approve(ctx, stale.ID, other); !errors.Is(err, ErrStale) {
		t.Errorf("roles have changed in between: %v", err)
	}
	if c, _ := d.Get(ctx, stale.ID); c.State != ChangeFailed {
		t.Errorf("%+v", c)
	}
	d.advance(72*time.Hour + time.Second)
	if _, err := d.Approve(ctx, old.ID, other); !errors.Is(err, ErrDecided) {
		t.Errorf("after 72 h: %v", err)
	}
	list, err := d.List(ctx)
	if err != nil || len(list) != 4 || !slices.ContainsFunc(list, func(c Change) bool { return c.ID == old.ID && c.State == ChangeExpired }) {
		t.Errorf("%+v %v", list, err)
	}
	if !slices.Equal(d.held(t, op), []access.Role{access.PIO}) {
		t.Errorf("%v", d.held(t, op))
	}
	d.advance(91 * 24 * time.Hour)
	propose()
	if list, _ = d.List(ctx); len(list) != 1 {
		t.Errorf("%d changes are listed", len(list))
	}
}

// Whoever set somebody's password as a witness has held that account's key: the two count as one.
func TestWitnessAndWitnessedAreOne(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	a, b, op := d.person(t, "admin-1", access.Admin), d.person(t, "admin-2", access.Admin), d.person(t, "budi", access.Operator)
	if _, err := d.store.Change(ctx, b.ID, 0, func(p *Person) error { p.Witness = &Witness{"user:" + a.ID, moment.Of(d.now())}; return nil }); err != nil {
		t.Fatal(err)
	}
	c, _, err := d.Propose(ctx, KindRoles, "", d.roles(op, access.Admin), "user:"+a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Approve(ctx, c.ID, "user:"+b.ID); !errors.Is(err, ErrSame) {
		t.Errorf("the witness approves by another's hand: %v", err)
	}
	third := d.person(t, "admin-3", access.Admin)
	if _, err := d.Approve(ctx, c.ID, "user:"+third.ID); err != nil {
		t.Error(err)
	}
	// The other way round: what the witness proposes by another's hand.
	if c, _, err = d.Propose(ctx, KindRoles, "", Roles{Person: op.ID, Seen: []access.Grant{{Role: access.Admin}}}, "user:"+b.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Approve(ctx, c.ID, "user:"+a.ID); !errors.Is(err, ErrSame) {
		t.Errorf("the witness proposes by another's hand: %v", err)
	}
	if _, err := d.Approve(ctx, c.ID, "user:"+third.ID); err != nil {
		t.Error(err)
	}
}

// Whoever has just lost the right does not approve, whatever a server still knows of them.
func TestWhoLostTheRightDoesNotApprove(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	a, b, op := d.person(t, "admin-1", access.Admin), d.person(t, "admin-2", access.Admin), d.person(t, "budi", access.Operator)
	c, _, err := d.Propose(ctx, KindRoles, "", d.roles(op, access.Supervisor), "user:"+a.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, take := range []func(p *Person){func(p *Person) { p.Grants = nil }, func(p *Person) { p.Grants = []access.Grant{{Role: access.Admin}}; p.Disabled = true }} {
		if _, err := d.store.Change(ctx, b.ID, 0, func(p *Person) error { take(p); return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Approve(ctx, c.ID, "user:"+b.ID); !errors.Is(err, ErrNoMore) {
			t.Errorf("approves: %v", err)
		}
	}
	if _, err := d.Approve(ctx, c.ID, "token:admin"); err != nil {
		t.Error(err)
	}
}

// One person may shut the others at once, and is not alone by it: they count for as long as a change may wait.
func TestShuttingTheOthersMakesNobodyAlone(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	a, b, op := d.person(t, "admin-1", access.Admin), d.person(t, "admin-2", access.Admin), d.person(t, "budi", access.Operator)
	if _, err := d.store.Change(ctx, b.ID, 0, func(p *Person) error { p.Disabled = true; return nil }); err != nil {
		t.Fatal(err)
	}
	if c, applied, err := d.Propose(ctx, KindRoles, "", d.roles(op, access.Admin), "user:"+a.ID); err != nil || applied || c.Alone {
		t.Fatalf("applied by one who has shut the other: %+v %v", c, err)
	}
	d.advance(changeWaits)
	if _, applied, err := d.Propose(ctx, KindRoles, "", d.roles(op, access.Admin), "user:"+a.ID); err != nil || !applied {
		t.Errorf("the other is gone for good: %v %v", applied, err)
	}
}

// Of two approved changes that together would leave no administrator the second fails; a role for a time does not count.
func TestTheLastAdministratorStays(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	a, b, sup := d.person(t, "admin-1", access.Admin), d.person(t, "admin-2", access.Admin), d.person(t, "susi", access.Supervisor)
	c, _, err := d.Propose(ctx, KindRoles, "", d.roles(b, access.Operator), "user:"+a.ID)
	if err != nil {
		t.Fatal(err)
	}
	brief := Roles{Person: a.ID, Seen: a.Grants, Grants: []access.Grant{{Role: access.Admin, Until: d.now().Add(time.Hour)}}}
	e, _, err := d.Propose(ctx, KindRoles, "", brief, "user:"+b.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Approve(ctx, c.ID, "user:"+sup.ID); err != nil {
		t.Fatal(err)
	}
	if e, err = d.Approve(ctx, e.ID, "user:"+sup.ID); !errors.Is(err, ErrLastAdmin) || e.State != ChangeFailed {
		t.Errorf("%+v %v", e, err)
	}
	if now, _ := d.store.Get(ctx, a.ID); !now.administers(d.now(), true) {
		t.Errorf("nobody leads: %+v", now.Grants)
	}
}

// What fails for a while is applied by whoever approves once more.
func TestApprovedTwiceWhereTheFirstDidNotComeToItsEnd(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	d.person(t, "admin-1", access.Admin)
	d.person(t, "admin-2", access.Admin)
	calls := 0
	d.On("retention", func(context.Context, json.RawMessage, Change) error {
		if calls++; calls == 1 {
			return errors.New("the store is away")
		}
		return nil
	})
	c, _, err := d.Propose(ctx, "retention", "readings 72h -> 24h", map[string]int{"hours": 24}, "user:a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Approve(ctx, c.ID, "user:b"); err == nil {
		t.Error("what failed counts as applied")
	}
	if c, err = d.Approve(ctx, c.ID, "user:b"); err != nil || c.AppliedAt.IsZero() || calls != 2 {
		t.Errorf("%+v %v after %d calls", c, err, calls)
	}
	if _, _, err := d.Propose(ctx, "weather", "", nil, "user:a"); !errors.Is(err, ErrChangeKind) {
		t.Errorf("%v", err)
	}
}

// A note of a sign-in is no change: version and mark stay. Many at once are all kept.
func TestNotesAndManySignInsAtOnce(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	var all []Person
	for i := range 12 {
		all = append(all, d.person(t, "p"+string(rune('a'+i))))
	}
	mark := d.store.rdb.Get(ctx, d.store.keys.PersonChange()).Val()
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() {
			for i := range 12 {
				if _, err := d.store.Note(ctx, p.ID, func(p *Person) error { p.SignedIn(string(rune('a'+i)), d.now()); return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, p := range all {
		now, err := d.store.Get(ctx, p.ID)
		if err != nil || now.Version != p.Version || len(now.Known) != 10 || !now.Knows("l") || now.Knows("b") || now.LastSeenAt.IsZero() {
			t.Errorf("%+v %v", now, err)
		}
	}
	if got := d.store.rdb.Get(ctx, d.store.keys.PersonChange()).Val(); got != mark {
		t.Error("a sign-in makes every server read the accounts anew")
	}
}

// TestAChangeAndItsRecordAreOneStep proposes, approves and refuses while the log can be written, and while it cannot.
func TestAChangeAndItsRecordAreOneStep(t *testing.T) {
	d := newDesk(t)
	d.store.Book(book.New(d.store.rdb, d.store.keys, d.now, nil))
	one, two := d.person(t, "one", access.Admin), d.person(t, "two", access.Admin)
	about := d.person(t, "three", access.Operator)
	roles := d.roles(about, access.Supervisor)
	first, _, err := d.Propose(t.Context(), KindRoles, "roles of three", roles, "user:"+one.ID)
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := d.Propose(t.Context(), KindRoles, "again", roles, "user:"+one.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Refuse(t.Context(), second.ID, "user:"+two.ID, "why"); err != nil {
		t.Fatal(err)
	}
	log := d.store.keys.Audit()
	length := d.store.rdb.XLen(t.Context(), log).Val()
	if err := d.store.rdb.Rename(t.Context(), log, log+"-aside").Err(); err != nil {
		t.Fatal(err)
	}
	d.store.rdb.LPush(t.Context(), log, "x")
	if _, err := d.Approve(t.Context(), first.ID, "user:"+two.ID); err == nil {
		t.Error("approved without a record")
	}
	if _, _, err := d.Propose(t.Context(), KindRoles, "third", roles, "user:"+one.ID); err == nil {
		t.Error("proposed without a record")
	}
	d.store.rdb.Rename(t.Context(), log+"-aside", log)
	list, err := d.List(t.Context())
	if err != nil || len(list) != 2 || list[1].State != ChangeWaits || d.store.rdb.XLen(t.Context(), log).Val() != length {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := d.Approve(t.Context(), first.ID, "user:"+two.ID); err != nil {
		t.Fatal(err)
	}
	entries, err := d.store.rdb.XRange(t.Context(), log, "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		text, _ := e.Values["record"].(string)
		r, err := audit.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(r.Action, "change.") {
			got = append(got, r.Actor+" "+r.Action+" "+r.Object)
		}
	}
	want := []string{
		"user:" + one.ID + " change.proposed change:" + first.ID, "user:" + one.ID + " change.proposed change:" + second.ID,
		"user:" + two.ID + " change.refused change:" + second.ID, "user:" + two.ID + " change.approved change:" + first.ID,
		"user:" + two.ID + " change.applied change:" + first.ID,
	}
	if !slices.Equal(got, want) || len(d.acts) != 0 {
		t.Errorf("got %q, want %q; %v", got, want, d.acts)
	}
}
