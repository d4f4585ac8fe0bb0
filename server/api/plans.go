package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/plan"
	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/profile"
)

// plans is what was announced beforehand and holds alarms while it lasts.
func (s *server) plans() {
	const root = "/api/v1/plans"
	operation(s, needs(access.ReadPlans), "GET", root, "plans", "Announced works, events, closures and maintenance, the last to begin first", http.StatusOK, s.listPlans)
	operation(s, needs(access.WritePlans), "POST", root, "announce-plan", "Announce a plan: alarms that it explains are held while it runs", http.StatusCreated, s.announcePlan)
	operation(s, needs(access.ReadPlans), "GET", root+"/{id}", "plan", "One plan", http.StatusOK, s.onePlan)
	operation(s, needs(access.WritePlans), "PUT", root+"/{id}", "edit-plan", "Say a plan anew, all of it, of the version that you saw", http.StatusOK, s.editPlan)
	operation(s, needs(access.WritePlans), "POST", root+"/{id}/cancel", "cancel-plan", "End a plan before its time; what it held is released", http.StatusOK, s.cancelPlan)
}

type plansIn struct {
	State  string    `query:"state" enum:"planned,running,over,cancelled"`
	Kind   string    `query:"kind" enum:"works,event,closure,maintenance"`
	Agency string    `query:"agency" maxLength:"64"`
	BBox   string    `query:"bbox" doc:"west,south,east,north in degrees, which the area and its buffer meet; leaves out plans without an area"`
	From   time.Time `query:"from" doc:"Some part of the plan lies after this"`
	To     time.Time `query:"to" doc:"Some part of the plan lies before this"`
	Q      string    `query:"q" maxLength:"200" doc:"Part of title, note, source or place, in any case"`
	Limit  int       `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page   string    `query:"page"`
}

func (s *server) listPlans(ctx context.Context, in *plansIn) (*body[List[plan.Plan]], error) {
	bound, err := boundOf(in.BBox)
	if err != nil {
		return nil, err
	}
	items, next, err := s.Cases.Plans(ctx, store.PlanQuery{State: plan.State(in.State), Kind: plan.Kind(in.Kind), Agency: in.Agency, Bound: bound, From: in.From, To: in.To,
		Text: in.Q, Limit: in.Limit, Page: in.Page})
	if err != nil {
		return nil, s.planFault(err)
	}
	return listOf(items, next), nil
}

type planID struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) onePlan(ctx context.Context, in *planID) (*body[plan.Plan], error) {
	one, err := s.Cases.Plan(ctx, in.ID)
	if err != nil {
		return nil, s.planFault(err)
	}
	one.State = one.At(s.Now())
	return &body[plan.Plan]{one}, nil
}

// PlanDraft is what a person says of a plan.
type PlanDraft struct {
	Kind      string    `json:"kind" enum:"works,event,closure,maintenance"`
	Title     string    `json:"title" maxLength:"200"`
	Note      string    `json:"note,omitempty" maxLength:"4000"`
	Agency    string    `json:"agency,omitempty" maxLength:"64" doc:"Slug; left out by whoever works for one agency it is that one"`
	Source    string    `json:"source,omitempty" maxLength:"200" doc:"Permit, letter or notice"`
	Area      *planArea `json:"area,omitempty" doc:"A GeoJSON Feature; maintenance may leave it out, a closure has a line"`
	Things    []string  `json:"things,omitempty" doc:"Ids of Things under maintenance"`
	Feeds     []string  `json:"feeds,omitempty" doc:"Names of feeds under maintenance"`
	Types     []string  `json:"types,omitempty" doc:"Of incidents that it explains; none and no rules: all but what threatens life"`
	Rules     []string  `json:"rules,omitempty" doc:"Ids of rules that it explains"`
	BufferM   *float64  `json:"buffer_m,omitempty" doc:"Metres around the area; absent: 100 around a point or line, 0 around a polygon"`
	Holds     *bool     `json:"holds,omitempty" doc:"Alarms that it explains are held until it is over; absent: they are"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Simulated bool      `json:"simulated,omitempty" doc:"Of an exercise: it explains only what is simulated"`
}

type planArea struct {
	Type       string          `json:"type,omitempty" enum:"Feature"`
	Geometry   geo.Shape       `json:"geometry"`
	Properties *planProperties `json:"properties,omitempty"`
}

type planProperties struct {
	Name string `json:"name,omitempty" maxLength:"200"`
}

func (d *PlanDraft) draft() plan.Draft {
	out := plan.Draft{Kind: plan.Kind(d.Kind), Title: d.Title, Note: d.Note, Agency: d.Agency, Source: d.Source, Things: d.Things, Feeds: d.Feeds, Types: d.Types, Rules: d.Rules,
		BufferM: d.BufferM, Holds: d.Holds == nil || *d.Holds, From: moment.Of(d.From), To: moment.Of(d.To), Simulated: d.Simulated, Area: alerts.Feature{Type: "Feature"}}
	if d.Area != nil {
		out.Area.Geometry = d.Area.Geometry
		if d.Area.Properties != nil {
			out.Area.Properties.Name = strings.TrimSpace(d.Area.Properties.Name)
		}
	}
	return out
}

// said checks a draft against what there is, for whoever says it.
func (s *server) said(ctx context.Context, d *PlanDraft) (plan.Plan, error) {
	v := s.sees(ctx)
	agency, err := v.planAgency(ctx, d.Agency)
	if err != nil {
		return plan.Plan{}, err
	}
	d.Agency = agency
	known := plan.Known{Thing: v.knowsThing(),
		Feed: func(name string) bool {
			return slices.ContainsFunc(s.Feeds(), func(f feeds.FeedStatus) bool { return f.Name == name })
		},
		Rule: func(id string) bool {
			return slices.ContainsFunc(s.Rules(), func(r rules.Listed) bool { return r.ID == id })
		}}
	if len(s.Profile.Agencies) > 0 {
		known.Agency = func(slug string) bool {
			return slices.ContainsFunc(s.Profile.Agencies, func(a profile.Agency) bool { return a.Slug == slug })
		}
	}
	p, err := d.draft().Validate(known, v.now)
	return p, s.planFault(err)
}

func (s *server) announcePlan(ctx context.Context, in *struct{ Body PlanDraft }) (*body[plan.Plan], error) {
	p, err := s.said(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	one, err := s.Cases.Announce(ctx, p, actor(ctx))
	if err != nil {
		return nil, s.planFault(err)
	}
	return &body[plan.Plan]{one}, nil
}

type editPlanIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		PlanDraft
		Version int `json:"version" minimum:"1" doc:"The version that was seen"`
	}
}

func (s *server) editPlan(ctx context.Context, in *editPlanIn) (*body[plan.Plan], error) {
	if err := s.mayChangePlan(ctx, in.ID); err != nil {
		return nil, err
	}
	p, err := s.said(ctx, &in.Body.PlanDraft)
	if err != nil {
		return nil, err
	}
	one, err := s.Cases.EditPlan(ctx, in.ID, in.Body.Version, p, actor(ctx))
	if err != nil {
		return nil, s.planFault(err)
	}
	return &body[plan.Plan]{one}, nil
}

type cancelPlanIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Version int    `json:"version" minimum:"1" doc:"The version that was seen"`
		Reason  string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (s *server) cancelPlan(ctx context.Context, in *cancelPlanIn) (*body[plan.Plan], error) {
	if err := s.mayChangePlan(ctx, in.ID); err != nil {
		return nil, err
	}
	one, err := s.Cases.CancelPlan(ctx, in.ID, in.Body.Version, strings.TrimSpace(in.Body.Reason), actor(ctx))
	if err != nil {
		return nil, s.planFault(err)
	}
	return &body[plan.Plan]{one}, nil
}

// mayChangePlan refuses whoever works for one agency a plan of another.
func (s *server) mayChangePlan(ctx context.Context, id string) error {
	one, err := s.Cases.Plan(ctx, id)
	if err != nil {
		return s.planFault(err)
	}
	v := s.sees(ctx)
	if own, everywhere := v.planAgencies(); !everywhere && !slices.Contains(own, one.Agency) {
		return v.notTheirPlan(ctx, one.Agency)
	}
	return nil
}

// planFault turns an error of plans into an answer.
func (s *server) planFault(err error) error {
	var faults plan.Faults
	var late *store.PlanConflict
	switch {
	case err == nil:
		return nil
	case errors.As(err, &faults):
		return invalid("the plan cannot be taken", faults...)
	case errors.As(err, &late):
		late.Current.State = late.Current.At(s.Now())
		return staleOf(late, late.Current)
	}
	return s.fault(err)
}
