package people

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/server/access"
	"kentongan/server/book"
)

// booked counts the records of the log by action.
func (d *desk) booked(t *testing.T) map[string]int {
	t.Helper()
	list, err := d.store.rdb.XRange(t.Context(), d.store.keys.Audit(), "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, e := range list {
		text, _ := e.Values["record"].(string)
		r, err := audit.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		out[r.Action]++
	}
	return out
}

// TestAChangeIsAppliedOnceThoughItsServerIsKilled ends the server at each step of applying a change: another brings it to its end, and the log
// has each act once, none before it was done.
func TestAChangeIsAppliedOnceThoughItsServerIsKilled(t *testing.T) {
	for name, of := range map[string]struct {
		approvers int
		late      bool // the roles are given, and that is not noted
	}{"alone, before": {0, false}, "alone, behind": {0, true}, "two, before": {2, false}, "two, behind": {2, true}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.store.Book(book.New(d.store.rdb, d.store.keys, d.now, nil))
			op := d.person(t, "budi", access.Operator)
			by := []string{"user:admin"}
			for range of.approvers {
				by = append(by, "user:"+d.person(t, "a"+string(rune('0'+len(by))), access.Admin).ID)
			}
			before := d.booked(t)
			ctx, kill := context.WithCancel(t.Context())
			d.On(KindRoles, func(ctx context.Context, doc json.RawMessage, c Change) error {
				defer kill()
				if of.late {
					return d.store.applyRoles(ctx, doc, c)
				}
				kill()
				return context.Cause(ctx)
			})
			c, _, err := d.Propose(ctx, KindRoles, "more", d.roles(op, access.Supervisor), by[len(by)-1])
			if of.approvers > 0 && err == nil {
				_, err = d.Approve(ctx, c.ID, by[1])
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("it was not killed: %v", err)
			}
			if n := d.booked(t)["change.applied"]; n != 0 {
				t.Errorf("%d records say that it was applied", n)
			}
			d.On(KindRoles, d.store.applyRoles)
			if err := d.Finish(t.Context()); err != nil { // whoever approved may still be at it
				t.Fatal(err)
			}
			if now, _ := d.Get(t.Context(), c.ID); !now.AppliedAt.IsZero() {
				t.Error("another hurries to finish it")
			}
			d.advance(finishAfter)
			for range 3 {
				if err := d.Finish(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if now, err := d.Get(t.Context(), c.ID); err != nil || now.AppliedAt.IsZero() || now.State != ChangeApproved {
				t.Errorf("%+v, %v", now, err)
			}
			if held := d.held(t, op); len(held) != 1 || held[0] != access.Supervisor {
				t.Errorf("holds %v", held)
			}
			want := maps.Clone(before)
			want["change.proposed"], want["change.applied"] = 1, 1
			want["person.changed"]++
			if of.approvers > 0 {
				want["change.approved"] = 1
			}
			if got := d.booked(t); !maps.Equal(got, want) {
				t.Errorf("the log has %v, want %v", got, want)
			}
		})
	}
}

// TestWhatCannotBeAppliedAnyMoreIsNotFinished has somebody else change what an approved change started from.
func TestWhatCannotBeAppliedAnyMoreIsNotFinished(t *testing.T) {
	d := newDesk(t)
	d.store.Book(book.New(d.store.rdb, d.store.keys, d.now, nil))
	op := d.person(t, "budi", access.Operator)
	away := errors.New("the store is away")
	d.On(KindRoles, func(context.Context, json.RawMessage, Change) error { return away })
	c, _, err := d.Propose(t.Context(), KindRoles, "more", d.roles(op, access.Supervisor), "user:admin")
	if !errors.Is(err, away) {
		t.Fatal(err)
	}
	d.advance(time.Hour)
	if err := d.Finish(t.Context()); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
	d.On(KindRoles, d.store.applyRoles)
	if _, err := d.store.Change(t.Context(), op.ID, 0, func(p *Person) error { p.Grants = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := d.Finish(t.Context()); !errors.Is(err, ErrStale) {
		t.Errorf("got %v", err)
	}
	if err := d.Finish(t.Context()); err != nil {
		t.Errorf("it is tried for ever: %v", err)
	}
	if now, err := d.Get(t.Context(), c.ID); err != nil || now.State != ChangeFailed || len(d.held(t, op)) != 0 {
		t.Errorf("%+v, %v", now, err)
	}
	if got := d.booked(t); got["change.failed"] != 1 || got["change.applied"] != 0 {
		t.Errorf("the log has %v", got)
	}
}
