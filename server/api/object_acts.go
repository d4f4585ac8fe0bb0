package api

import (
	"cmp"
	"context"
	"errors"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// both judges an act that changes two incidents: one is ended or stands again, and the other is said to be more, or less.
func (v view) both(ctx context.Context) store.Both {
	return func(in, other *incident.Incident) error {
		if v.who.May(access.ReadIncidents, scope.Incident(other), v.now).Level == access.None {
			return store.ErrNotFound
		}
		return errors.Join(v.may(ctx, access.MergeIncident, scope.Incident(in)), v.may(ctx, access.AcknowledgeIncident, scope.Incident(other)))
	}
}

func (v view) merge(ctx context.Context, id, into string, version int, note string) (incident.Incident, error) {
	_, stays, err := v.s.Cases.Merge(ctx, id, into, version, note, actor(ctx), v.both(ctx))
	return stays, v.actFault(err)
}

func (v view) unmerge(ctx context.Context, id string, version int, note string) (incident.Incident, error) {
	back, _, err := v.s.Cases.Unmerge(ctx, id, version, note, actor(ctx), v.both(ctx))
	return back, v.actFault(err)
}

// split is allowed to whoever may merge what comes of it again, and open what is new.
func (v view) split(ctx context.Context, id string, how incident.Splitting) (incident.Incident, error) {
	_, part, err := v.s.Cases.Split(ctx, id, how, actor(ctx), func(in *incident.Incident) error {
		if err := v.may(ctx, access.MergeIncident, scope.Incident(in)); err != nil || how.Type == "" {
			return err
		}
		t, known := incident.TypeOf(how.Type)
		if !known {
			return nil // it is refused as a type
		}
		now := incident.Incident{Type: how.Type, Severity: in.Severity, LeadAgency: t.Lead, Support: t.Support, AreaName: in.AreaName}
		return v.may(ctx, access.MergeIncident, scope.Incident(&now))
	})
	return part, v.actFault(err)
}

// attach adds what exists and is seen whole by the one who adds it.
func (v view) attach(ctx context.Context, id, kind, ref string, version int, note string) (incident.Incident, error) {
	text, at, simulated, err := v.piece(ctx, kind, ref)
	if err != nil {
		return incident.Incident{}, err
	}
	who := actor(ctx)
	e := incident.Evidence{Kind: kind, Ref: ref, Reason: "added by a person", Text: text, Weight: 1, At: at}
	out, err := v.s.Cases.Edit(ctx, id, "incident.evidence_added", kind+":"+ref, who, v.edits(ctx), func(in *incident.Incident, now time.Time) (incident.Incident, error) {
		if in.Simulated != simulated {
			return incident.Incident{}, fault.In(incident.ErrInvalid, "ref", fault.Mixed, nil, "what is simulated and what is real never join")
		}
		return in.Attach(e, version, note, who.Subject, now)
	})
	return out, v.actFault(err)
}

func (v view) detach(ctx context.Context, id, ref string, version int, note string) (incident.Incident, error) {
	who := actor(ctx)
	out, err := v.s.Cases.Edit(ctx, id, "incident.evidence_removed", ref, who, v.edits(ctx), func(in *incident.Incident, now time.Time) (incident.Incident, error) {
		return in.Detach(ref, version, note, who.Subject, now)
	})
	return out, v.actFault(err)
}

// edits tells whether somebody may say what belongs to an incident: whoever may acknowledge it.
func (v view) edits(ctx context.Context) func(*incident.Incident) error {
	return func(in *incident.Incident) error { return v.may(ctx, access.AcknowledgeIncident, scope.Incident(in)) }
}

// piece is what a piece of evidence says, when it arose, and whether it is simulated.
func (v view) piece(ctx context.Context, kind, ref string) (text string, at moment.Time, simulated bool, err error) {
	none := problem.New(problem.Invalid, "there is no such "+kind, problem.At("body.ref", problem.Unknown, "is not known"))
	switch kind {
	case "observation":
		o, err := v.load(ctx, scope.NounThing, ref)
		if err != nil || v.who.May(o.read, o.access, v.now).Level < access.Full {
			return "", at, false, none
		}
		t := thingOf(o.entry)
		return t.Name, t.At, t.Simulated, nil
	case "report":
		o, err := v.load(ctx, scope.NounReport, ref)
		if errors.Is(err, errNotHere) || err == nil && v.who.May(o.read, o.access, v.now).Level < access.Full {
			return "", at, false, none
		}
		if err != nil {
			return "", at, false, v.s.fault(err)
		}
		return cmp.Or(o.report.Type, o.report.Channel), o.report.ReceivedAt, o.report.Simulated, nil // not its words: they are erased where the report stands
	case "alert":
		a, err := v.s.Cases.Alert(ctx, ref)
		if errors.Is(err, store.ErrNotFound) {
			return "", at, false, none
		}
		return a.Headline, a.Sent, a.Simulated, v.s.faultOf(err)
	default:
		t, err := v.s.Cases.Statement(ctx, ref)
		if errors.Is(err, store.ErrNoStatement) {
			return "", at, false, none
		}
		return t.Name + " " + t.Step, t.StatedAt, t.Simulated, v.s.faultOf(err)
	}
}

func (s *server) faultOf(err error) error {
	if err == nil {
		return nil
	}
	return s.fault(err)
}

// edited does an act that needs one right, under an Idempotency-Key where one is given, and answers with the incident.
func (v view) edited(ctx context.Context, id, key string, said any, action, reason string, right access.Action, change func(in *incident.Incident, who string, now time.Time) (incident.Incident, error)) (*body[incidentOut], error) {
	who := actor(ctx)
	may := func(in *incident.Incident) error { return v.may(ctx, right, scope.Incident(in)) }
	return v.answer(v.s.Cases.EditOnce(ctx, id, key, said, action, reason, who, may, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
		return change(in, who.Subject, now)
	}))
}

// answer is an incident after an act, or why it was not done.
func (v view) answer(out incident.Incident, err error) (*body[incidentOut], error) {
	if err != nil {
		return nil, v.actFault(err)
	}
	v.now = v.s.Now()
	return v.seenBy(&out), nil
}

// amend corrects an incident; whoever does must be one who may say what belongs to it, before and after.
func (v view) amend(ctx context.Context, id string, a incident.Amendment) (*body[incidentOut], error) {
	return v.answer(v.s.Cases.Amend(ctx, id, a, actor(ctx), v.edits(ctx)))
}

// contest keeps a citizen's word; whoever may open the incident again accepts it by entering it.
func (v view) contest(ctx context.Context, id, text string) (*body[incidentOut], error) {
	return v.answer(v.s.Cases.Contest(ctx, id, incident.Contesting{Text: text}, actor(ctx),
		func(one *incident.Incident) error { return v.may(ctx, access.ActIncidents, scope.Incident(one)) },
		func(one *incident.Incident) bool {
			return v.who.May(access.ReopenIncident, scope.Incident(one), v.now).Allowed()
		}))
}

// actFault is the answer of an act that was not done; nil where it was.
func (v view) actFault(err error) error {
	var late *store.Conflict
	if errors.As(err, &late) {
		return v.conflict(late)
	}
	return v.s.faultOf(err)
}
