package fusion

import (
	"math"
	"slices"
	"time"

	"kentongan/alerts/incident"
	"kentongan/geo"
)

// Opener is what may open an incident by itself, a rule or a consent, and joins one of its type that is near enough in place and time.
type Opener struct {
	Type      string
	RadiusM   float64
	Window    time.Duration // from the incident's latest evidence
	At        *geo.Position // nil: its place is not known
	Event     time.Time
	Ref       string // of its evidence
	Simulated bool
	Rest      time.Duration // for how long an incident's instruments must have been normal before what fires is another; 0: they do not tell
}

// What one earthquake shakes lies far apart, and moves within what its waves need from one place to the other: shear waves go 3 km/s and faster
// through the crust. Samples are up to a minute apart, as alerts.SameQuake takes the times of two solutions to be.
const (
	shockTime = time.Minute
	shockM    = 3_000 * float64(shockTime/time.Second)
)

// Nearest gives the index of the incident that an opener joins, how far it lies and how long it was quiet; -1: none. Within radius and
// window it joins always: whoever wrote the rule has said so. What shakes joins its earthquake beyond the radius, too. A resolved incident is over:
// whoever resolved it would not see what joins it.
func Nearest(open []*incident.Incident, o Opener) (best int, metres float64, quiet time.Duration) {
	best, metres = -1, math.Inf(1)
	for i, in := range open {
		if in.Type != o.Type || in.Simulated != o.Simulated || !in.Status.Open() || in.Status == incident.Resolved {
			continue
		}
		apart := max(o.Event.Sub(in.LatestEvidence()), in.LatestEvidence().Sub(o.Event))
		if apart > o.Window || o.Rest > 0 && o.Event.Sub(normalSince(in, o.Event)) > o.Rest {
			continue
		}
		away := 0.0
		p, placed := in.Position()
		switch {
		case placed && o.At != nil:
			away = geo.Distance(p, *o.At)
		case placed || o.At != nil || !in.Evident(o.Ref):
			continue // a place that is not known is near to nothing but itself
		}
		if away <= metres && (away <= o.RadiusM || o.shaken(in, away)) {
			best, metres, quiet = i, away, apart
		}
	}
	return best, metres, quiet
}

// shaken tells that an instrument and those of an earthquake have felt one shock, or that it has told of this earthquake before. The shock is the
// first: were it the latest that anything felt, shocks that follow one another would chain into one earthquake as far as the country reaches.
func (o *Opener) shaken(in *incident.Incident, away float64) bool {
	if o.Type != "eq" || away > shockM {
		return false
	}
	began := in.Times.TEvent.Time
	if began.IsZero() || !in.Times.TSignal.IsZero() && in.Times.TSignal.Before(began) {
		began = in.Times.TSignal.Time
	}
	one := o.Event.Sub(began).Abs() <= shockTime
	return slices.ContainsFunc(in.Evidence, func(e incident.Evidence) bool {
		return e.Kind == "observation" && (e.Ref == o.Ref || one)
	})
}

// WeighOpener tells how an opener that joins goes with its incident: the weight of the evidence, and its parts. What the rule's writer has
// said counts whole; place and time tell how near its borders it was.
func WeighOpener(o Opener, metres float64, quiet time.Duration) (float64, []Reason) {
	near, soon, within := 1.0, 1.0, o.RadiusM
	if metres > within {
		within = shockM
	}
	if within > 0 {
		near = 1 - metres/within/2
	}
	if o.Window > 0 {
		soon = 1 - float64(quiet)/float64(o.Window)/2
	}
	out := []Reason{
		{Code: "same_type", Text: "same type: " + o.Type, Value: o.Type, Weight: .5},
		placed(metres, within, .3*near),
		soonAt(quiet, o.Window, .2*soon),
	}
	return sum(out), out
}

// normalSince is since when every instrument that told of an incident has been normal again; the moment itself where one is not, or none told.
func normalSince(in *incident.Incident, moment time.Time) (since time.Time) {
	for _, e := range in.Evidence {
		if e.Kind != "observation" {
			continue
		}
		n := slices.IndexFunc(in.Proof.Have, func(p incident.Proven) bool { return p.Kind == incident.SensorNormal && p.Ref == e.Ref })
		if n < 0 {
			return moment
		}
		if at := in.Proof.Have[n].At.Time; at.After(since) {
			since = at
		}
	}
	if since.IsZero() {
		return moment
	}
	return since
}

// Rest is for how long what told of an incident of a type must have been quiet before what tells of the type there tells of another.
func (t Table) Rest(code string) time.Duration {
	for _, s := range t.Scopes {
		if s.Type == code {
			return s.Near
		}
	}
	return 0
}
