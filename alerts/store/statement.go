package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/statement"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// ErrNoStatement means that there is no statement of that id: 404.
var ErrNoStatement = errors.New("there is no such statement")

// StatementConflict is an act on a statement that came too late: 409.
type StatementConflict struct {
	Current statement.Statement
	Cause   error
}

func (c *StatementConflict) Error() string { return c.Cause.Error() }

// Unwrap is the cause.
func (c *StatementConflict) Unwrap() error { return c.Cause }

// statementDoc is the stored form, version 1.
type statementDoc struct {
	V int `json:"v"`
	statement.Statement
}

func (s *Store) statementForm() form[statement.Statement] {
	return formOf(s.keys.Statement, func(d *statementDoc) (statement.Statement, string) { return d.Statement, d.ID })
}

func (s *Store) statementsOf(ctx context.Context, ids []string) ([]kept[statement.Statement], error) {
	return load(ctx, s, s.statementForm(), ids)
}

// standingField names what a statement is of, in the hash of those that stand.
func standingField(of statement.Standing) string {
	plane := "real"
	if of.Simulated {
		plane = "simulated"
	}
	return plane + " " + of.Scale + " " + of.Subject
}

// putStatement writes a statement into the step.
func (s *Store) putStatement(st *step, rev string, one *statement.Statement) error {
	doc, err := marshal(statementDoc{1, *one})
	if err != nil {
		return err
	}
	key := s.keys.Statement(one.ID)
	st.check("rev", key, "", rev)
	st.doc(key, nextRev(rev), doc, "", "")
	if rev == "" {
		st.write("zadd", s.keys.Statements(), strconv.FormatInt(one.StatedAt.Milli(), 10), one.ID)
	}
	if one.State == statement.InForce {
		st.write("sadd", s.keys.StatementsInForce(), one.ID)
	} else {
		st.write("srem", s.keys.StatementsInForce(), one.ID)
	}
	st.event("statement", one.ID, doc)
	return nil
}

// standingStatement gives the id of the statement that stands for a scale and subject; empty: none.
func (s *Store) standingStatement(ctx context.Context, of statement.Standing) (string, error) {
	id, err := s.rdb.HGet(ctx, s.keys.StatementStanding(), standingField(of)).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("%w: which statement stands: %w", feeds.ErrBusy, err)
	}
	return id, nil
}

// Declare keeps a new statement, which statement.Draft has made, in the place of the one that stands for its scale and subject. Errors:
// statement.ErrInvalid where that one was said later, feeds.ErrBusy.
func (s *Store) Declare(ctx context.Context, said statement.Statement, who audit.Actor) (out statement.Statement, err error) {
	id := ulid.Make().String()
	err = s.retry(ctx, func() error {
		now := s.now()
		out = said
		out.ID, out.Version, out.By, out.EnteredAt, out.UpdatedAt = id, 1, who.Subject, moment.Of(now), moment.Of(now)
		if l := out.Location; l != nil {
			out.AreaName = s.areaOf(&geo.Position{Lat: l.Lat, Lng: l.Lng})
		}
		standing, err := s.standingStatement(ctx, out.Standing())
		if err != nil {
			return err
		}
		st := s.newStep(now)
		st.check("field", s.keys.StatementStanding(), standingField(out.Standing()), standing)
		var before any
		if standing != "" {
			list, err := s.statementsOf(ctx, []string{standing})
			if err != nil {
				return err
			}
			for _, k := range list {
				to := statement.Replaced
				if !k.doc.Holds(now) {
					to = statement.Expired // and the clock has not told yet
				} else if err := out.Replace(&k.doc); err != nil {
					return err
				}
				old, err := k.doc.End(to, who.Subject, "statement:"+id, now)
				if err != nil {
					return err
				}
				before = k.doc
				if err := s.putStatement(st, k.rev, &old); err != nil {
					return err
				}
			}
		}
		if err := s.putStatement(st, "", &out); err != nil {
			return err
		}
		st.write("hset", s.keys.StatementStanding(), standingField(out.Standing()), id)
		if err := st.audited(who, "statement.declared", "statement:"+id, out.Scale+" "+out.Subject+" "+out.Step+", "+out.Source, before, out); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, err
}

// Withdraw ends a statement that was wrong, or that its authority takes back. Errors: ErrNoStatement, *StatementConflict, feeds.ErrBusy.
func (s *Store) Withdraw(ctx context.Context, id string, version int, reason string, who audit.Actor) (out statement.Statement, err error) {
	err = s.retry(ctx, func() error {
		k, err := loadOne(ctx, s, s.statementForm(), id, ErrNoStatement)
		if err != nil {
			return err
		}
		now := s.now()
		if out, err = k.doc.End(statement.Withdrawn, who.Subject, reason, now); err != nil {
			return &StatementConflict{k.doc, err}
		}
		if k.doc.Version != version {
			return &StatementConflict{k.doc, fmt.Errorf("the statement has version %d, not %d", k.doc.Version, version)}
		}
		return s.endStatement(ctx, k, &out, "statement.withdrawn", reason, who, now)
	})
	return out, err
}

// endStatement writes that a statement counts no longer.
func (s *Store) endStatement(ctx context.Context, k kept[statement.Statement], out *statement.Statement, action, reason string, who audit.Actor, now time.Time) error {
	st := s.newStep(now)
	if err := s.putStatement(st, k.rev, out); err != nil {
		return err
	}
	st.check("field", s.keys.StatementStanding(), standingField(out.Standing()), out.ID)
	st.write("hdel", s.keys.StatementStanding(), standingField(out.Standing()))
	if err := st.audited(who, action, "statement:"+out.ID, reason, k.doc, *out); err != nil {
		return err
	}
	return s.run(ctx, st)
}

// ExpireStatements ends the statements whose validity has passed, and counts them. Each is told once.
func (s *Store) ExpireStatements(ctx context.Context, now time.Time) (int, error) {
	standing, err := s.inForce(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, k := range standing {
		if k.doc.Holds(now) {
			continue
		}
		who := audit.Actor{Subject: "house:clock"}
		out, err := k.doc.End(statement.Expired, who.Subject, "", now)
		if err != nil {
			return n, err
		}
		// A conflict means that somebody has changed it: the next call looks again.
		if err := s.endStatement(ctx, k, &out, "statement.expired", "", who, now); err != nil && !errors.Is(err, errConflict) {
			return n, err
		} else if err == nil {
			n++
		}
	}
	return n, nil
}

// inForce loads the statements that stand, by scale and subject.
func (s *Store) inForce(ctx context.Context) (out []kept[statement.Statement], err error) {
	err = s.walkSet(ctx, s.keys.StatementsInForce(), func(ids []string) (bool, error) {
		out, err = s.statementsOf(ctx, ids)
		return true, err
	})
	out = slices.DeleteFunc(out, func(k kept[statement.Statement]) bool { return k.doc.State != statement.InForce })
	slices.SortFunc(out, func(a, b kept[statement.Statement]) int {
		return cmp.Or(strings.Compare(a.doc.Scale, b.doc.Scale), strings.Compare(a.doc.Subject, b.doc.Subject), strings.Compare(a.doc.ID, b.doc.ID))
	})
	return out, err
}

// Statement by id; ErrNoStatement.
func (s *Store) Statement(ctx context.Context, id string) (statement.Statement, error) {
	k, err := loadOne(ctx, s, s.statementForm(), id, ErrNoStatement)
	return k.doc, err
}

// StatementQuery chooses statements; empty members choose all.
type StatementQuery struct {
	State    statement.State
	Scale    string
	Subject  string
	From, To time.Time // stated at or after, and before
	Text     string
	Limit    int
	Page     string
}

// Statements lists, the last stated first.
func (s *Store) Statements(ctx context.Context, q StatementQuery) (items []statement.Statement, next string, err error) {
	from := shelf[statement.Statement]{
		index: s.keys.Statements(), set: s.keys.StatementsInForce(), load: s.statementsOf, live: q.State == statement.InForce,
		id: func(x statement.Statement) string { return x.ID }, score: func(x statement.Statement) int64 { return x.StatedAt.Milli() },
	}
	base := Query{From: q.From, To: q.To, Text: q.Text, Limit: q.Limit, Page: q.Page}
	return list(ctx, s, base, from, func(x statement.Statement) (statement.Statement, bool) {
		switch {
		case q.State != "" && x.State != q.State, q.Scale != "" && x.Scale != q.Scale, q.Subject != "" && x.Subject != q.Subject:
		case !base.holds(x.Name, x.Source, x.Reference, x.Note, x.AreaName):
		default:
			return x, true
		}
		return x, false
	})
}

// DropStatements deletes statements that have been over since before a time, and that no open incident rests on.
func (s *Store) DropStatements(ctx context.Context, before time.Time) (int, error) {
	keep, err := s.standing(ctx)
	if err != nil {
		return 0, err
	}
	return drop(ctx, s, shelf[statement.Statement]{index: s.keys.Statements(), set: s.keys.StatementsInForce(), load: s.statementsOf, id: func(x statement.Statement) string { return x.ID }},
		s.keys.Statement, before, func(x statement.Statement) bool {
			return x.State != statement.InForce && x.UpdatedAt.Before(before) && !keep.refs[x.ID]
		}, nil)
}
