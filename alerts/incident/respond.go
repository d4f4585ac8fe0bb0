package incident

import (
	"slices"
	"time"

	"kentongan/geo/moment"
)

// TakesUnits tells whether a unit may be sent to the incident now.
func (in *Incident) TakesUnits() bool {
	return slices.Contains([]Status{New, Acknowledged, Dispatched, OnScene}, in.Status)
}

// Offered gives the incident after a dispatch was offered: the first one makes it dispatched, and acknowledges it where nobody had.
// Only a change of the status grows the version.
func (in *Incident) Offered(dispatch, unit, actor string, at time.Time) Incident {
	out := in.Clone()
	out.Dispatches = append(out.Dispatches, dispatch)
	if in.Status == New || in.Status == Acknowledged {
		out.enter(Act{To: Dispatched, Note: unit}, actor, moment.Of(at), moment.Of(at), false)
		return out
	}
	out.Remark(actor, "dispatch_offered", unit, at)
	return out
}

// Moved gives the incident after a dispatch of it moved: the first unit on scene makes it on_scene, at the time of arrival, which is since, and manual where a person entered it; with none left
// that has not failed it is acknowledged again. Left counts those.
func (in *Incident) Moved(to, unit, reason, actor string, since moment.Time, manual bool, left int, at time.Time) Incident {
	out := in.Clone()
	note := unit
	if reason != "" {
		note += ": " + reason
	}
	switch {
	case to == string(OnScene) && in.Status == Dispatched:
		out.enter(Act{To: OnScene, Note: note}, actor, since, moment.Of(at), manual)
	case left == 0 && in.Status == Dispatched:
		owner := in.Owner
		out.Remark(actor, "dispatch_"+to, note, at)
		out.enter(Act{To: Acknowledged, Note: nobodyLeft}, actor, moment.Of(at), moment.Of(at), false)
		out.Owner = owner
	default:
		out.Remark(actor, "dispatch_"+to, note, at)
	}
	if to == "en_route" && out.Times.TEnroute.IsZero() {
		out.stamp("t_enroute", &out.Times.TEnroute, since, manual)
	}
	return out
}
