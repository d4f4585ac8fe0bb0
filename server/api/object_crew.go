package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/server/access"
	"kentongan/server/scope"
)

// crewAfter is how long a crew still sees what it was sent to, once its dispatch has ended: what it did without a network comes later.
const crewAfter = 24 * time.Hour

// caseOf is an incident as an object for whoever asks: a crew's own where its unit was sent to it, whichever agency leads.
func (v view) caseOf(ctx context.Context, in *incident.Incident) (access.Object, error) {
	d, err := v.sentTo(ctx, in)
	return given(in, d), err
}

// given is an incident as an object, and the crew's that a dispatch sends there; nil: none does.
func given(in *incident.Incident, d *dispatch.Dispatch) access.Object {
	o := scope.Incident(in)
	if d != nil {
		o.Unit, o.Agencies = d.Unit, append(slices.Clone(o.Agencies), d.Agency)
	}
	return o
}

// movedAs is an incident as the object of a step of its life. A crew that has been on scene since it was opened last resolves it there (domain.md
// section 5: field lead), unless it was recalled; every other step by a crew is its dispatch's.
func (v view) movedAs(in *incident.Incident, to incident.Status) access.Object {
	d := v.routed.sent
	if to != incident.Resolved || d == nil || !d.Status.Open() && d.Status != dispatch.Done || v.routed.incident.ID != in.ID || d.Times.OnScene.IsZero() || d.Times.OnScene.Before(in.ReopenedAt().Time) {
		d = nil
	}
	return given(in, d)
}

// sentTo is the dispatch by which the unit of whoever asks was sent to an incident, as long as its crew still sees it; nil: it was not.
func (v view) sentTo(ctx context.Context, in *incident.Incident) (*dispatch.Dispatch, error) {
	unit := v.who.Who.Unit
	if unit == "" {
		return nil, nil
	}
	for _, id := range slices.Backward(in.Dispatches) {
		d, err := v.s.Cases.Dispatch(ctx, id)
		if errors.Is(err, store.ErrNoDispatch) || errors.Is(err, store.ErrUnreadable) { // whose it is nobody can tell; the others are still theirs
			continue
		}
		if err != nil {
			return nil, err
		}
		if d.Unit == unit && (d.Status.Open() || v.now.Sub(ended(&d)) < crewAfter) {
			return &d, nil
		}
	}
	return nil, nil
}

// ended is when the house heard that a dispatch was over.
func ended(d *dispatch.Dispatch) time.Time {
	var out time.Time
	for _, at := range []time.Time{d.Received.Done.Time, d.Received.Declined.Time, d.Received.Expired.Time, d.Received.Cancelled.Time} {
		if at.After(out) {
			out = at
		}
	}
	return out
}

// seenAs is seenBy of what a route names: as far as it is seen, which is whole for the crew that was sent.
func (v view) seenAs(o object) *body[incidentOut] {
	out := v.seenBy(o.incident)
	out.Body.Incident, _ = scope.IncidentAt(o.level, o.incident)
	v.ownWords(&out.Body.Incident, o.incident)
	return out
}

// ownWords gives somebody who sees an incident without people's words at least their own.
func (v view) ownWords(out, whole *incident.Incident) {
	if len(out.Comments) > 0 {
		return
	}
	for _, c := range whole.Comments {
		if c.By == v.who.Subject {
			out.Comments = append(out.Comments, c)
		}
	}
}
