package api

import (
	"context"
	"errors"

	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/alerts/store"
	"kentongan/server/access"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// triage judges the report that the route names: opening an incident needs the right to open it, and joining one the right to work it.
func (v view) triage(ctx context.Context, id string, j store.Judgement) (store.Judged, error) {
	out, err := v.s.Cases.Triage(ctx, id, j, actor(ctx), func(in *incident.Incident) error {
		if j.As == report.AsIncident {
			return v.may(ctx, access.CreateIncident, scope.Incident(in))
		}
		return v.works(ctx, in)
	})
	return out, v.triageFault(err)
}

// untriage takes back what somebody has judged the report of the route to be.
func (v view) untriage(ctx context.Context, id, note string) (store.Judged, error) {
	out, err := v.s.Cases.Untriage(ctx, id, note, actor(ctx), func(in *incident.Incident) error { return v.works(ctx, in) })
	return out, v.triageFault(err)
}

// works tells whether somebody may say what belongs to an incident by its reports; one that they may not know is not there.
func (v view) works(ctx context.Context, in *incident.Incident) error {
	o, err := v.caseOf(ctx, in)
	if err != nil {
		return err
	}
	if v.who.May(access.ReadIncidents, o, v.now).Level == access.None {
		return store.ErrNotFound
	}
	return v.may(ctx, access.ActIncidents, o)
}

func (v view) triageFault(err error) error {
	var late *store.ReportConflict
	switch {
	case errors.As(err, &late):
		seen, _ := scope.ReportAt(v.who.May(access.ReadReports, v.reportObject(&late.Current), v.now).Level, &late.Current)
		return staleOf(late, seen)
	case errors.Is(err, store.ErrNotFound):
		return problem.New(problem.Invalid, "there is no such incident", problem.At("body.incident", problem.Unknown, "is not known"))
	}
	return v.actFault(err)
}

// hints tells what an account may be of, among the incidents that the one who asks may work and the reports that they see whole.
func (v view) hints(ctx context.Context, d fusion.Draft) ([]fusion.Hint, error) {
	list, err := v.s.Cases.Hints(ctx, d, func(in *incident.Incident) bool {
		o := scope.Incident(in)
		return v.who.May(access.ReadIncidents, o, v.now).Allowed() && v.who.May(access.ActIncidents, o, v.now).Allowed()
	}, func(r *report.Report) bool {
		return v.who.May(access.ReadReports, v.reportObject(r), v.now).Allowed()
	})
	return list, v.s.faultOf(err)
}

// pranks counts the other reports of one person that were judged to be pranks. Nobody is blocked for it.
func (v view) pranks(ctx context.Context, ids []string, but string) (n int, err error) {
	for _, id := range ids {
		one, err := v.s.Cases.Report(ctx, id)
		switch {
		case errors.Is(err, store.ErrNoReport):
		case err != nil:
			return 0, v.s.fault(err)
		case id != but && one.Triage != nil && one.Triage.As == report.AsPrank:
			n++
		}
	}
	return n, nil
}
