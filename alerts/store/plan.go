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

	"kentongan/alerts/audit"
	"kentongan/alerts/plan"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// ErrNoPlan means that there is no plan of that id: 404.
var ErrNoPlan = errors.New("there is no such plan")

// PlanConflict is a change of a plan that came too late, or that it does not allow any more: 409.
type PlanConflict struct {
	Current plan.Plan
	Cause   error
}

func (c *PlanConflict) Error() string { return c.Cause.Error() }

// Unwrap is the cause.
func (c *PlanConflict) Unwrap() error { return c.Cause }

// planDoc is the stored form, version 1.
type planDoc struct {
	V int `json:"v"`
	plan.Plan
}

func (s *Store) planForm() form[plan.Plan] {
	return formOf(s.keys.Plan, func(d *planDoc) (plan.Plan, string) { return d.Plan, d.ID })
}

func (s *Store) plansOf(ctx context.Context, ids []string) ([]kept[plan.Plan], error) {
	return load(ctx, s, s.planForm(), ids)
}

func (s *Store) planOf(ctx context.Context, id string) (kept[plan.Plan], error) {
	return loadOne(ctx, s, s.planForm(), id, ErrNoPlan)
}

// putPlan writes a plan into the step.
func (s *Store) putPlan(st *step, rev string, p *plan.Plan) error {
	doc, err := marshal(planDoc{1, *p})
	if err != nil {
		return err
	}
	key := s.keys.Plan(p.ID)
	st.check("rev", key, "", rev)
	st.doc(key, nextRev(rev), doc, "", "")
	st.write("zadd", s.keys.Plans(), strconv.FormatInt(p.From.Milli(), 10), p.ID)
	if p.State.Stands() {
		st.write("sadd", s.keys.PlansStanding(), p.ID)
	} else {
		st.write("srem", s.keys.PlansStanding(), p.ID)
	}
	st.event("plan", p.ID, doc)
	return nil
}

// named gives the area of a plan a name for people where nobody gave one: that of the area in its middle.
func (s *Store) named(p *plan.Plan) {
	if shape := p.Area.Geometry; p.Area.Properties.Name == "" && !shape.IsZero() {
		b := shape.Bound()
		p.Area.Properties.Name = s.areaOf(&geo.Position{Lat: (b.South + b.North) / 2, Lng: (b.West + b.East) / 2})
	}
}

// Announce keeps a new plan, which plan.Draft has made. Errors: feeds.ErrBusy.
func (s *Store) Announce(ctx context.Context, p plan.Plan, who audit.Actor) (plan.Plan, error) {
	p.ID, p.By, p.Version = ulid.Make().String(), who.Subject, 1
	s.named(&p)
	err := s.retry(ctx, func() error {
		now := s.now()
		p.CreatedAt, p.UpdatedAt, p.State = moment.Of(now), moment.Of(now), p.At(now)
		st := s.newStep(now)
		if err := s.putPlan(st, "", &p); err != nil {
			return err
		}
		if err := st.audited(who, "plan.announced", "plan:"+p.ID, p.Title, nil, p); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return p, err
}

// EditPlan puts another draft in the place of what a plan says; a plan of an exercise stays one. Errors: ErrNoPlan, *PlanConflict, feeds.ErrBusy.
func (s *Store) EditPlan(ctx context.Context, id string, version int, said plan.Plan, who audit.Actor) (plan.Plan, error) {
	return s.changePlan(ctx, id, version, "plan.edited", said.Title, who, func(p plan.Plan, now time.Time) plan.Plan {
		said.ID, said.Version, said.By, said.CreatedAt, said.Simulated = p.ID, p.Version, p.By, p.CreatedAt, p.Simulated
		s.named(&said)
		said.State = "" // anew by the clock
		said.State = said.At(now)
		return said
	})
}

// CancelPlan ends a plan before its time. Errors: ErrNoPlan, *PlanConflict, feeds.ErrBusy.
func (s *Store) CancelPlan(ctx context.Context, id string, version int, reason string, who audit.Actor) (plan.Plan, error) {
	return s.changePlan(ctx, id, version, "plan.cancelled", reason, who, func(p plan.Plan, _ time.Time) plan.Plan {
		p.State, p.EndedBy, p.EndReason = plan.Cancelled, who.Subject, reason
		return p
	})
}

func (s *Store) changePlan(ctx context.Context, id string, version int, action, reason string, who audit.Actor, change func(plan.Plan, time.Time) plan.Plan) (out plan.Plan, err error) {
	err = s.retry(ctx, func() error {
		k, err := s.planOf(ctx, id)
		if err != nil {
			return err
		}
		now := s.now()
		switch {
		case !k.doc.At(now).Stands():
			return &PlanConflict{k.doc, fmt.Errorf("%w: it is %s", plan.ErrOver, k.doc.At(now))}
		case k.doc.Version != version:
			return &PlanConflict{k.doc, fmt.Errorf("the plan has version %d, not %d", k.doc.Version, version)}
		}
		out = change(k.doc, now)
		out.Version, out.UpdatedAt = out.Version+1, moment.Of(now)
		st := s.newStep(now)
		if err := s.putPlan(st, k.rev, &out); err != nil {
			return err
		}
		if err := st.audited(who, action, "plan:"+id, reason, k.doc, out); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, err
}

// TickPlans lets plans begin and end by the clock, and counts the changes. Each is told once, whoever else does the same at once; one that
// nobody saw run has run all the same.
func (s *Store) TickPlans(ctx context.Context, now time.Time) (int, error) {
	standing, err := s.standingPlans(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, k := range standing {
		for k.doc.State.Stands() && k.doc.State != k.doc.At(now) {
			p := k.doc
			if p.State = plan.Running; k.doc.State == plan.Running {
				p.State = plan.Over
			}
			p.UpdatedAt = moment.Of(now)
			st := s.newStep(now)
			if err := s.putPlan(st, k.rev, &p); err != nil {
				return n, err
			}
			if err := st.audited(audit.Actor{Subject: "house:clock"}, "plan."+string(p.State), "plan:"+p.ID, "", k.doc, p); err != nil {
				return n, err
			}
			err := s.run(ctx, st)
			if errors.Is(err, errConflict) {
				break // somebody has changed it: the next call looks again
			}
			if err != nil {
				return n, err
			}
			n++
			k.doc, k.rev = p, nextRev(k.rev)
		}
	}
	return n, nil
}

// standingPlans loads the plans that are planned or running, the next to begin first.
func (s *Store) standingPlans(ctx context.Context) (out []kept[plan.Plan], err error) {
	err = s.walkSet(ctx, s.keys.PlansStanding(), func(ids []string) (bool, error) {
		out, err = s.plansOf(ctx, ids)
		return true, err
	})
	out = slices.DeleteFunc(out, func(k kept[plan.Plan]) bool { return !k.doc.State.Stands() })
	slices.SortFunc(out, func(a, b kept[plan.Plan]) int {
		return cmp.Or(a.doc.From.Compare(b.doc.From.Time), strings.Compare(a.doc.ID, b.doc.ID))
	})
	return out, err
}

// Plan by id; ErrNoPlan.
func (s *Store) Plan(ctx context.Context, id string) (plan.Plan, error) {
	k, err := s.planOf(ctx, id)
	return k.doc, err
}

// PlanQuery chooses plans; empty members choose all.
type PlanQuery struct {
	State    plan.State // as the clock has it
	Kind     plan.Kind
	Agency   string
	Bound    *geo.Bound // that the plan's area and buffer meet; maintenance without an area meets none
	From, To time.Time  // some part of the plan lies within
	Text     string
	Limit    int
	Page     string
}

// Plans lists, the last to begin first.
func (s *Store) Plans(ctx context.Context, q PlanQuery) (items []plan.Plan, next string, err error) {
	now := s.now()
	from := shelf[plan.Plan]{
		index: s.keys.Plans(), set: s.keys.PlansStanding(), load: s.plansOf, live: q.State.Stands(),
		id: func(p plan.Plan) string { return p.ID }, score: func(p plan.Plan) int64 { return p.From.Milli() },
	}
	text := Query{Text: q.Text}
	return list(ctx, s, Query{Limit: q.Limit, Page: q.Page}, from, func(p plan.Plan) (plan.Plan, bool) {
		p.State = p.At(now) // the clock may be ahead of who tells it
		shape := p.Area.Geometry
		switch {
		case q.State != "" && p.State != q.State, q.Kind != "" && p.Kind != q.Kind, q.Agency != "" && p.Agency != q.Agency:
		case q.Bound != nil && (shape.IsZero() || !q.Bound.Intersects(shape.Bound().Grow(p.BufferM/1000))):
		case !q.From.IsZero() && !p.To.After(q.From), !q.To.IsZero() && !p.From.Before(q.To):
		case !text.holds(p.Title, p.Note, p.Source, p.Area.Properties.Name):
		default:
			return p, true
		}
		return p, false
	})
}

// DropPlans deletes plans that were over or cancelled before a time, and have not changed since.
func (s *Store) DropPlans(ctx context.Context, before time.Time) (int, error) {
	return drop(ctx, s, shelf[plan.Plan]{index: s.keys.Plans(), set: s.keys.PlansStanding(), load: s.plansOf, id: func(p plan.Plan) string { return p.ID }},
		s.keys.Plan, before, func(p plan.Plan) bool {
			return !p.State.Stands() && p.UpdatedAt.Before(before) && p.To.Before(before)
		}, nil)
}
