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
	o := scope.Incident(in)
	unit := v.who.Who.Unit
	if unit == "" {
		return o, nil
	}
	for _, id := range slices.Backward(in.Dispatches) {
		d, err := v.s.Cases.Dispatch(ctx, id)
		if errors.Is(err, store.ErrNoDispatch) {
			continue
		}
		if err != nil {
			return o, err
		}
		if d.Unit == unit && (d.Status.Open() || v.now.Sub(ended(&d)) < crewAfter) {
			o.Unit, o.Agencies = unit, append(slices.Clone(o.Agencies), d.Agency)
			return o, nil
		}
	}
	return o, nil
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
	return out
}
