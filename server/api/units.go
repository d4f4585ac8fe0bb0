package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/recommend"
	"kentongan/alerts/store"
	"kentongan/alerts/unit"
	"kentongan/server/access"
	"kentongan/server/problem"
	"kentongan/server/router"
	"kentongan/server/scope"
)

// units is the roster: who there is, what each can do and whether it is free.
func (s *server) units() {
	operation(s, needs(access.ReadUnits), "GET", "/api/v1/units", "units", "The roster with status, assignment and last place of each unit", http.StatusOK, s.listUnits)
	operation(s, about(access.DispatchIncident, scope.NounIncident), "GET", "/api/v1/incidents/{id}/recommendations", "recommendations", "Units that may be sent, the best first, each with its reasons; and those that are not proposed, with why", http.StatusOK, s.recommendations)
}

// ErrUnplaced means that an incident has no place, so that nobody is near it.
var ErrUnplaced = errors.New("the incident has no place: give it one first")

// Recommend ranks units for an incident, without those that were asked, by a router's roads where there are any. Errors: ErrUnplaced.
func Recommend(in *incident.Incident, units []unit.Unit, without []string, now time.Time, route recommend.Route) (recommend.Answer, error) {
	at, placed := in.Position()
	if !placed {
		return recommend.Answer{}, ErrUnplaced
	}
	var agencies []string
	if in.LeadAgency != "" {
		agencies = append([]string{in.LeadAgency}, in.Support...)
	}
	return recommend.Rank(recommend.Need{At: at, Capabilities: recommend.Capabilities(in.Type), Agencies: agencies, Without: without, Now: now}, units, route)
}

type unitsIn struct {
	Agency     string `query:"agency" maxLength:"64"`
	Status     string `query:"status" enum:"available,offered,en_route,on_scene,returning,off_duty"`
	Capability string `query:"capability" maxLength:"64"`
}

func (s *server) listUnits(ctx context.Context, in *unitsIn) (*body[List[unit.Unit]], error) {
	v := s.sees(ctx)
	all, err := s.Cases.Units(ctx)
	if err != nil {
		return nil, s.fault(err)
	}
	var out []unit.Unit
	for _, u := range all {
		fits := (in.Agency == "" || u.Agency == in.Agency) && (in.Status == "" || string(u.Status) == in.Status) && (in.Capability == "" || u.Can(in.Capability))
		if fits && v.who.May(access.ReadUnits, scope.Unit(&u), v.now).Allowed() {
			out = append(out, u)
		}
	}
	return listOf(s.Places.Fill(out, v.now), ""), nil
}

func (s *server) recommendations(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*body[recommend.Answer], error) {
	v, one := s.sees(ctx), objectOf(ctx).incident
	all, err := s.Cases.Units(ctx)
	if err != nil {
		return nil, s.fault(err)
	}
	var seen []unit.Unit
	for _, u := range all {
		if v.who.May(access.ReadUnits, scope.Unit(&u), v.now).Allowed() {
			seen = append(seen, u)
		}
	}
	before, _, err := s.Cases.Dispatches(ctx, store.DispatchQuery{Incident: one.ID, Limit: 1000})
	if err != nil {
		return nil, s.fault(err)
	}
	var without []string
	for _, d := range before {
		if d.Status.Failed() {
			without = append(without, d.Unit)
		}
	}
	seen = s.Places.Fill(seen, v.now)
	answer, err := Recommend(one, seen, without, v.now, s.Roads.Routes(ctx, one, seen, router.Most, v.now))
	if errors.Is(err, ErrUnplaced) {
		return nil, problem.New(problem.IncidentUnplaced, err.Error())
	}
	if err != nil {
		return nil, s.fault(err)
	}
	return &body[recommend.Answer]{answer}, nil
}
