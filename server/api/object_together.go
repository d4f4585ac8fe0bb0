package api

import (
	"context"
	"errors"
	"slices"
	"strings"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/server/access"
	"kentongan/server/problem"
	"kentongan/server/profile"
	"kentongan/server/scope"
)

func (v view) comment(ctx context.Context, id, key, text string) (incident.Comment, error) {
	_, said, err := v.s.Cases.Comment(ctx, id, key, text, actor(ctx), func(in *incident.Incident) error {
		o, err := v.caseOf(ctx, in)
		if err != nil {
			return err
		}
		if v.who.May(access.ReadIncidents, o, v.now).Level == access.None {
			return store.ErrNotFound
		}
		return v.may(ctx, access.CommentIncident, o)
	})
	return said, v.actFault(err)
}

// askHandover is for whoever may acknowledge the incident: operators, dispatchers, supervisors, and the liaison of the agency that leads.
func (v view) askHandover(ctx context.Context, id string, h incident.HandingOver) (*body[incidentOut], error) {
	return v.answer(v.s.Cases.AskHandover(ctx, id, h, v.mayLead, actor(ctx), v.edits(ctx)))
}

// acceptHandover is for whoever may acknowledge the incident as it would be then: the liaison of the agency that is asked, and desks of the house.
func (v view) acceptHandover(ctx context.Context, id string, h incident.HandingOver) (*body[incidentOut], error) {
	out, err := v.s.Cases.AcceptHandover(ctx, id, h, actor(ctx), v.asked(ctx))
	switch {
	case errors.Is(err, incident.ErrOwnAnswer):
		v.forbid(ctx, access.AcknowledgeIncident, err.Error())
		return nil, caused(err)
	case errors.Is(err, incident.ErrNoNumber):
		return nil, problem.New(problem.NumberMissing, err.Error(), problem.At("body.external_id", problem.Missing, "is required"))
	}
	return v.answer(out, err)
}

func (v view) declineHandover(ctx context.Context, id string, h incident.HandingOver) (*body[incidentOut], error) {
	own := v.edits(ctx)
	return v.answer(v.s.Cases.DeclineHandover(ctx, id, h, actor(ctx), func(in *incident.Incident) error {
		if in.Handover != nil && in.Handover.By == v.who.Subject {
			return own(in)
		}
		return v.asked(ctx)(in)
	}))
}

// asked judges an answer for whoever is asked to lead.
func (v view) asked(ctx context.Context) func(*incident.Incident) error {
	return func(in *incident.Incident) error {
		then := *in
		if in.Handover != nil && !in.Abroad() {
			then.LeadAgency = in.Handover.To
		}
		return v.may(ctx, access.AcknowledgeIncident, scope.Incident(&then))
	}
}

// mayLead tells our agencies, and the neighbours of the profile; a profile that names no neighbours knows them all.
func (v view) mayLead(to string) bool {
	p := v.s.Profile
	if name, neighbour := strings.CutPrefix(to, incident.Neighbour); neighbour {
		return len(p.Neighbours) == 0 || slices.ContainsFunc(p.Neighbours, func(n profile.Neighbour) bool { return n.Slug == name })
	}
	if slices.ContainsFunc(p.Agencies, func(a profile.Agency) bool { return a.Slug == to || slices.Contains(a.ActsAs, to) }) {
		return true
	}
	return slices.ContainsFunc(incident.Types, func(t incident.Type) bool { return t.Lead == to || slices.Contains(t.Support, to) })
}

func (v view) enclose(ctx context.Context, id, key string, a incident.Attachment) (incident.Attachment, error) {
	out, err := v.s.Cases.Enclose(ctx, id, key, a, actor(ctx), func(in *incident.Incident) error { return v.works(ctx, in) })
	return out, v.actFault(err)
}

// viewed records that somebody saw an attachment.
func (v view) viewed(ctx context.Context, id, aid string) error {
	who := actor(ctx)
	return v.s.Cases.Record(ctx, audit.Record{Actor: who.Subject, Agency: who.Agency, Action: "attachment.viewed", Object: "incident:" + id + "/attachment:" + aid, Request: who.Request})
}
