package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/figures"
	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/server/access"
	"kentongan/server/scope"
)

// record gives what figures are made from, as far as this person is told of it: whoever speaks for one agency, what that agency works.
func (v view) record(ctx context.Context, from, to time.Time) (store.Record, error) {
	r, err := v.s.Cases.Figures(ctx, from, to)
	if err != nil {
		return store.Record{}, v.s.fault(err)
	}
	known := map[string]bool{} // a year of incidents is of a few hundred sorts
	r.Cases = slices.DeleteFunc(r.Cases, func(c figures.Case) bool {
		sort := strings.Join([]string{c.Lead, strings.Join(c.Support, "\x01"), c.Area, c.Type}, "\x00")
		told, asked := known[sort]
		if !asked {
			told = v.who.May(access.ReadBriefing, scope.Case(&c), v.now).Allowed()
			known[sort] = told
		}
		return !told
	})
	return r, nil
}

// behind lists the incidents that a figure rests on, the newest signal first, in the form in which this person sees them.
func (v view) behind(ctx context.Context, choice figures.Choice, q store.Query) ([]incident.Incident, string, error) {
	if err := v.may(ctx, access.ReadBriefing, access.Object{}); err != nil {
		return nil, "", err
	}
	from, to := choice.From, choice.To
	if choice.Figure.Anytime() {
		from, to = choice.AsOf, choice.AsOf // the record adds whatever is open
	}
	r, err := v.record(ctx, from, to)
	if err != nil {
		return nil, "", err
	}
	cases := choice.Of(r.Cases, v.s.Profile.Zone)
	slices.SortFunc(cases, func(a, b *figures.Case) int {
		return strings.Compare(b.ID, a.ID)
	})
	ids := make([]string, len(cases))
	for i, c := range cases {
		ids[i] = c.ID
	}
	if !v.who.Who.Whole {
		q.SeeIncident = v.seeIncident
	}
	items, next, err := v.s.Cases.IncidentsByID(ctx, ids, q)
	if err != nil {
		return nil, "", v.s.fault(err)
	}
	return items, next, nil
}

// seeIncident is what this person sees of an incident; false: nothing.
func (v view) seeIncident(in *incident.Incident) (incident.Incident, bool) {
	return scope.IncidentAt(v.who.May(access.ReadIncidents, scope.Incident(in), v.now).Level, in)
}

// named gives incidents as this person sees them; those of which nothing is seen are left out.
func (v view) named(ctx context.Context, ids []string) ([]incident.Incident, error) {
	q := store.Query{Limit: len(ids)}
	if !v.who.Who.Whole {
		q.SeeIncident = v.seeIncident
	}
	items, _, err := v.s.Cases.IncidentsByID(ctx, ids, q)
	if err != nil {
		return nil, v.s.fault(err)
	}
	return items, nil
}
