package fusion

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Options of a Core.
type Options struct {
	Table Table
	// Attach tells the types of which reports join an incident by themselves; nil: none, a person is always asked.
	Attach func(incidentType string) bool
	// Where names a place: our area's name, or the slug of the neighbour whose ground it is. Nil: everything is ours.
	Where func(geo.Position) (area, neighbour string)
	// Contact is a neighbour's name and number, for people.
	Contact func(neighbour string) string
}

// Joined is an account that has become evidence of an incident.
type Joined struct {
	Incident string
	Signal   Signal
	Weight   float64
	Reasons  []Reason
}

// Evidence is the join as the incident keeps it.
func (j *Joined) Evidence() incident.Evidence {
	return incident.Evidence{Kind: j.Signal.Kind, Ref: j.Signal.Ref, Reason: Told(j.Reasons), Text: j.Signal.Text, Weight: j.Weight, At: moment.Of(j.Signal.At)}
}

// Effects are what follows from what a Core was told: joins in their order, and suggestions as they stand now.
type Effects struct {
	Joins       []Joined
	Suggestions []Suggestion
}

// Core matches accounts to cases. It is a pure function of what it is told, in order; nobody else may use it at the same time.
type Core struct {
	o       Options
	table   table
	cases   map[string]*hold
	index   index
	signals map[string]*told
	byRef   map[string][]string // evidence ref -> keys of signals
	offers  map[string]*Suggestion
	spent   map[string]bool              // suggestions that a person has decided on
	joining map[string]string            // incident -> its standing suggestion of kind join
	points  map[[2]int]map[string]string // kinds of reports by the very point that they name, to a metre
	out     Effects
	changed []string
}

// told is a signal with what became of it.
type told struct {
	Signal
	in      string          // case that it belongs to: an incident or a candidate
	refused map[string]bool // incidents that it must not join
	idle    bool            // a person has refused to open anything on it
}

// NewCore makes a Core that knows nothing yet.
func NewCore(o Options) *Core {
	return &Core{o: o, table: ready(o.Table), cases: map[string]*hold{}, index: index{map[geo.Cell]map[string]*hold{}, map[string]*hold{}}, signals: map[string]*told{},
		byRef: map[string][]string{}, offers: map[string]*Suggestion{}, spent: map[string]bool{}, joining: map[string]string{}, points: map[[2]int]map[string]string{}}
}

// Flush gives what has followed since the last Flush.
func (c *Core) Flush() Effects {
	out := c.out
	c.out = Effects{}
	done := map[string]bool{}
	for _, id := range c.changed {
		if g := c.offers[id]; g != nil && !done[id] {
			done[id] = true
			one := *g
			one.Evidence, one.Reasons = slices.Clone(g.Evidence), slices.Clone(g.Reasons)
			out.Suggestions = append(out.Suggestions, one)
			if g.State != Offered {
				delete(c.offers, id)
			}
		}
	}
	c.changed = nil
	return out
}

func (c *Core) touch(g *Suggestion) { c.changed = append(c.changed, g.ID) }

// torn is how much better an account must go with one incident than with the next to join it.
const torn = .04

// commonSpot is how many reports of other kinds must name the very same point before it stands for a whole town and tells of no place: many
// who tell of one fire name one address.
const commonSpot = 2

// mostPoints bounds how many points are remembered; beyond it they are learned anew.
const mostPoints = 100_000

// mostAtSpot bounds how many reports are remembered of one point.
const mostAtSpot = 20

// Report tells of a report, new or changed, with everything that is known of how it was placed.
func (c *Core) Report(r *report.Report) {
	s, ok := OfReport(r, c.o.Where)
	if at, placed := r.Position(); placed {
		point := [2]int{int(math.Round(at.Lat * 1e5)), int(math.Round(at.Lng * 1e5))}
		if c.points[point] == nil {
			c.points[point] = map[string]string{}
		}
		kind := ""
		if len(s.Types) > 0 {
			kind = s.Types[0].Type
		}
		if len(c.points[point]) < mostAtSpot {
			c.points[point][r.ID] = kind
		}
		others := 0
		for _, other := range c.points[point] {
			if other != kind {
				others++
			}
		}
		s.Coarse = others >= commonSpot
	}
	if !ok {
		c.Gone(r.ID)
		return
	}
	c.Signal(s)
}

// Alert tells of an alert, new or changed.
func (c *Core) Alert(a *alerts.Alert) {
	if s, ok := OfAlert(a, c.o.Where); ok {
		c.Signal(s)
	} else {
		c.Gone(a.ID)
	}
}

// Signal tells of an account, new or changed.
func (c *Core) Signal(s Signal) {
	t := c.signals[s.Key]
	if t != nil && c.cases[t.in] != nil && c.cases[t.in].incident {
		t.Signal.Text, t.Signal.Severity = s.Text, s.Severity
		return // it belongs to an incident: a person takes it out, not a revision
	}
	if t != nil {
		if t.Position == s.Position && slices.Equal(t.Types, s.Types) && t.At.Equal(s.At) && t.Incident == s.Incident {
			return
		}
		c.leave(t)
		t.Signal = s
	} else {
		t = &told{Signal: s, refused: map[string]bool{}}
		c.signals[s.Key] = t
		c.byRef[s.Ref] = append(c.byRef[s.Ref], s.Key)
	}
	if k := c.tied(t); k != nil {
		t.in = k.id
		c.spread(k, t)
		return
	}
	if s.Incident == "" {
		c.place(t)
	}
}

// tied is the open incident that a signal belongs to already.
func (c *Core) tied(t *told) *hold {
	if k := c.cases[t.Incident]; k != nil && k.incident {
		return k
	}
	var of *hold
	if t.Kind != "observation" && t.Placed {
		c.index.near(t.Position, func(k *hold) {
			if k.incident && k.refs[t.Ref] {
				of = k
			}
		})
	}
	return of
}

// spread makes a signal a piece of an incident, and looks whether others now reach to it.
func (c *Core) spread(k *hold, t *told) {
	n, last := len(k.spots), k.last
	k.take(&t.Signal)
	c.index.put(k)
	if len(k.spots) > n || k.last.After(last) {
		c.again(k)
	}
}

// place finds where a signal belongs.
func (c *Core) place(t *told) {
	if t.idle {
		return
	}
	if !t.Placed {
		c.alone(t)
		return
	}
	k, weight, reasons := c.best(t, func(k *hold) bool { return k.incident })
	between := false
	if k != nil && weight >= JoinAt {
		if o, other, _ := c.best(t, func(o *hold) bool { return o.incident && o != k }); o != nil && weight-other < torn && !c.one(k, o) {
			weight, between = min(weight, JoinAt-.001), true // it may as well be of another: a person is asked
		}
	}
	if k != nil && weight >= JoinAt {
		c.join(t, k, weight, reasons)
		return
	}
	if k != nil && weight >= SuggestAt {
		c.offerJoin(t, k, weight, reasons)
		if between {
			return // it is of one of the two: nobody is asked to open a third
		}
	}
	if k, weight, _ := c.best(t, func(k *hold) bool { return !k.incident }); k != nil && weight >= JoinAt {
		c.gather(t, c.bridge(t, k))
		return
	}
	c.alone(t)
}

// alone makes a signal the first of a candidate.
func (c *Core) alone(t *told) {
	k := newHold("candidate/"+t.Key, t.Types, c.reach(t.Types))
	k.simulated, k.areaName, k.neighbour = t.Simulated, t.AreaName, t.Neighbour
	c.cases[k.id] = k
	c.gather(t, k)
}

// one tells two open incidents that are likely one, as a person is asked: what joins either is in its place. Of what is felt far off two that stand
// at one time are.
func (c *Core) one(k, o *hold) bool {
	if kin, _, with := c.table.kinship(k.types, o.types); k.reach > 2*wideM && o.reach > 2*wideM && kin == 1 {
		return k.gap(o.first) <= c.table.scopes[with].Near
	}
	return c.between(k, o) >= JoinAt
}

// bridge makes one of the candidates that a signal goes with: nobody has opened any of them, so nothing is merged that anybody works on.
func (c *Core) bridge(t *told, k *hold) *hold {
	var more []*hold
	c.index.near(t.Position, func(o *hold) {
		if !o.incident && o != k {
			if w, _ := c.weigh(&t.Signal, o); w >= JoinAt {
				more = append(more, o)
			}
		}
	})
	slices.SortFunc(more, func(a, b *hold) int { return strings.Compare(a.id, b.id) })
	for _, o := range more {
		if kin, _, _ := c.table.kinship(k.types, o.types); kin < bridgeKin {
			continue
		}
		for _, key := range slices.Clone(o.keys) {
			other := c.signals[key]
			c.leave(other)
			other.in = k.id
			k.keys = append(k.keys, key)
			k.take(&other.Signal)
		}
	}
	return k
}

// bridgeKin is how well the types of two candidates must go together to be one.
const bridgeKin = .7

// reach is how far a case of these types may spread from its own place.
func (c *Core) reach(types []Guess) (m float64) {
	for _, g := range types {
		if g.Certainty >= types[0].Certainty {
			m = max(m, c.table.scopes[g.Type].ReachM)
		}
	}
	return m
}

// best is the case that a signal goes with best; of two that it goes with as well the older, by id.
func (c *Core) best(t *told, among func(*hold) bool) (k *hold, weight float64, reasons []Reason) {
	c.index.near(t.Position, func(o *hold) {
		if !among(o) || t.refused[o.id] || o.apart[t.Ref] {
			return
		}
		w, why := c.weigh(&t.Signal, o)
		if w > weight || w == weight && w > 0 && k != nil && o.id < k.id {
			k, weight, reasons = o, w, why
		}
	})
	return k, weight, reasons
}

// join makes a signal evidence of an incident where it may join by itself, else suggests it.
func (c *Core) join(t *told, k *hold, weight float64, reasons []Reason) {
	if t.Kind == "report" && (c.o.Attach == nil || !c.o.Attach(k.types[0].Type)) {
		c.offerJoin(t, k, weight, reasons)
		t.in = k.id
		c.spread(k, t) // where it lies tells of the incident's extent, whoever attaches it
		return
	}
	c.unoffer(t)
	t.in = k.id
	c.out.Joins = append(c.out.Joins, Joined{k.id, t.Signal, weight, reasons})
	c.spread(k, t)
}

// gather makes a signal a piece of a candidate.
func (c *Core) gather(t *told, k *hold) {
	t.in = k.id
	k.keys = append(k.keys, t.Key)
	if len(k.keys) > 1 {
		k.vote(func(key string) []Guess { return c.signals[key].Types })
	}
	k.take(&t.Signal)
	c.index.put(k)
	c.offerCase(k, t.Received)
}

// again looks at what lies around an incident and belongs to none.
func (c *Core) again(k *hold) {
	loose := map[string]bool{}
	look := func(o *hold) {
		if !o.incident && o.simulated == k.simulated {
			for _, key := range o.keys {
				loose[key] = true
			}
		}
	}
	seen := map[geo.Cell]bool{}
	around := func(p geo.Position) {
		if cell, err := geo.CellAt(p, geo.ResArea); err == nil && !seen[cell] {
			seen[cell] = true
			c.index.near(p, look)
		}
	}
	if k.place != nil {
		around(*k.place)
	}
	for i := range k.spots {
		around(k.spots[i].at)
	}
	for _, key := range slices.Sorted(maps.Keys(loose)) {
		t := c.signals[key]
		if t == nil || t.refused[k.id] || k.apart[t.Ref] || c.cases[t.in] != nil && c.cases[t.in].incident {
			continue
		}
		if w, why := c.weigh(&t.Signal, k); w >= JoinAt {
			c.leave(t)
			c.join(t, k, w, why)
		}
	}
}

// leave takes a signal out of its candidate.
func (c *Core) leave(t *told) {
	k := c.cases[t.in]
	t.in = ""
	if k == nil || k.incident {
		return
	}
	k.keys = slices.DeleteFunc(k.keys, func(key string) bool { return key == t.Key })
	k.spots = slices.DeleteFunc(k.spots, func(s spot) bool { return s.ref == t.Ref })
	delete(k.refs, t.Ref)
	delete(k.firing, t.Key)
	if len(k.keys) == 0 {
		c.forget(k)
	} else {
		c.index.put(k)
	}
	if g := c.offers[k.offer]; g != nil {
		c.withdrawPiece(g, t.Ref)
	}
}

func (c *Core) forget(k *hold) {
	c.index.drop(k)
	delete(c.cases, k.id)
}

// Gone tells that an account is no longer: cancelled, closed, erased.
func (c *Core) Gone(key string) {
	t := c.signals[key]
	if t == nil {
		return
	}
	if k := c.cases[t.in]; k != nil {
		delete(k.firing, key)
	}
	c.leave(t)
	c.unoffer(t)
	delete(c.signals, key)
	c.byRef[t.Ref] = slices.DeleteFunc(c.byRef[t.Ref], func(k string) bool { return k == key })
	if len(c.byRef[t.Ref]) == 0 {
		delete(c.byRef, t.Ref)
	}
}

// Incident tells of an incident as it stands now.
func (c *Core) Incident(in *incident.Incident) {
	old := c.cases[in.ID]
	if !matches(in) {
		if old != nil {
			c.forget(old)
		}
		c.over(in.ID)
		if old != nil {
			c.released(old, in)
		}
		return
	}
	k := c.caseOf(in)
	if k.place != nil && c.o.Where != nil {
		_, k.neighbour = c.o.Where(*k.place)
	}
	for _, e := range in.Evidence {
		for _, key := range c.byRef[e.Ref] {
			if t := c.signals[key]; t.Simulated == k.simulated && (t.Kind != "observation" || t.Incident == in.ID || t.in == in.ID) {
				if t.in != in.ID {
					c.leave(t)
				}
				c.unoffer(t)
				t.in = in.ID
				k.take(&t.Signal)
			}
		}
	}
	if old != nil {
		c.compare(old, k)
		c.index.drop(old)
	}
	c.cases[k.id] = k
	c.index.put(k)
	if old != nil && !samePlace(old, k) {
		c.moved(k)
	}
	c.again(k)
	c.offerHandOver(k, in)
	c.dropMerges(k)
	c.offerMerges(k, in)
}

// compare carries over what is known of an incident beside its evidence, and sees what a person has taken out of it.
func (c *Core) compare(old, k *hold) {
	for _, s := range old.spots {
		if len(c.byRef[s.ref]) == 0 && k.refs[s.ref] && len(k.spots) < mostSpots { // its account is over, and was there all the same
			k.spots = append(k.spots, s)
		}
		for _, key := range c.byRef[s.ref] {
			t := c.signals[key]
			switch {
			case t == nil || t.in != k.id || k.refs[s.ref]:
			case c.suggested(t, k.id), c.waits(t, k.id):
				k.take(&t.Signal) // offered, or joined a moment ago: it tells of the extent all the same
				delete(k.refs, s.ref)
			default:
				t.in, t.refused[k.id] = "", true
			}
		}
	}
}

// suggested tells that a signal stands in the suggestion to join an incident.
func (c *Core) suggested(t *told, id string) bool {
	g := c.offers[c.joining[id]]
	return g != nil && slices.ContainsFunc(g.Evidence, func(p Piece) bool { return p.Ref == t.Ref })
}

// waits tells a join that is not flushed yet.
func (c *Core) waits(t *told, id string) bool {
	return slices.ContainsFunc(c.out.Joins, func(j Joined) bool { return j.Incident == id && j.Signal.Key == t.Key })
}

// Tick forgets what is too old to be of anything new.
func (c *Core) Tick(now time.Time) {
	if len(c.points) > mostPoints {
		clear(c.points)
	}
	for _, key := range slices.Sorted(maps.Keys(c.signals)) {
		t := c.signals[key]
		if k := c.cases[t.in]; k != nil && k.incident {
			continue
		}
		window := time.Duration(0)
		for _, g := range t.Types {
			window = max(window, c.table.scopes[g.Type].Window)
		}
		ahead := t.At.After(t.Received) // its clock is: it would never grow old
		if (ahead || now.Sub(t.At) > window+time.Hour) && now.Sub(t.Received) > window+time.Hour {
			c.Gone(key)
		}
	}
}

// Known tells how a suggestion stands in the store: one that somebody decided on does not come again.
func (c *Core) Known(g *Suggestion) {
	switch g.State {
	case Offered:
		one := *g
		c.offers[g.ID] = &one
		switch g.Kind {
		case Join:
			c.joining[g.Incident] = g.ID
		case Open, HandOver:
			for _, p := range g.Evidence {
				for _, key := range c.byRef[p.Ref] {
					if k := c.cases[c.signals[key].in]; k != nil && !k.incident && k.offer == "" {
						k.offer = g.ID
					}
				}
			}
		}
		return
	case Withdrawn:
		delete(c.offers, g.ID)
	default:
		c.spent[g.ID] = true
		delete(c.offers, g.ID)
		c.decided(g)
	}
	if c.joining[g.Incident] == g.ID {
		delete(c.joining, g.Incident)
	}
}

// Begin withdraws what was suggested before and no longer follows from what is known. It comes after everything that stands was told.
func (c *Core) Begin() {
	held := map[string]bool{}
	for _, k := range c.cases {
		held[k.offer] = true
	}
	for _, id := range slices.Sorted(maps.Keys(c.offers)) {
		g := c.offers[id]
		switch {
		case g.State != Offered:
		case g.Kind == Join:
			for _, p := range slices.Clone(g.Evidence) {
				if len(c.byRef[p.Ref]) == 0 || c.cases[g.Incident] == nil {
					c.withdrawPiece(g, p.Ref)
				}
			}
		case g.Kind == Merge && (c.cases[g.Incident] == nil || c.cases[g.Other] == nil), g.Kind == HandOver && g.Incident != "" && c.cases[g.Incident] == nil,
			(g.Kind == Open || g.Kind == HandOver && g.Incident == "") && !held[id]:
			c.withdraw(g)
		}
	}
}

// decided carries out what a person's decision means for the accounts.
func (c *Core) decided(g *Suggestion) {
	for _, p := range g.Evidence {
		for _, key := range c.byRef[p.Ref] {
			t := c.signals[key]
			if t == nil {
				continue
			}
			if g.State == Refused && g.Kind == Join {
				t.refused[g.Incident] = true
				c.unoffer(t) // a new life of the house has offered it anew before it heard of this
				if t.in == g.Incident {
					t.in = ""
					c.place(t)
				}
			}
			if g.Kind == Open && g.State == Refused || g.Kind == HandOver && g.Incident == "" {
				c.leave(t)
				t.idle = true
			}
		}
	}
}

// over withdraws what was suggested about an incident that is over, and lets its suggested accounts go.
func (c *Core) over(id string) {
	for _, key := range slices.Sorted(maps.Keys(c.offers)) {
		if g := c.offers[key]; g.State == Offered && (g.Incident == id || g.Other == id) {
			c.withdraw(g)
			if g.Kind == Join {
				for _, p := range g.Evidence {
					for _, k := range c.byRef[p.Ref] {
						if t := c.signals[k]; t.in == id || t.in == "" {
							t.in = ""
							c.place(t)
						}
					}
				}
			}
		}
	}
	delete(c.joining, id)
}

// idOf gives the same suggestion the same id.
func idOf(at time.Time, parts ...string) string {
	return alerts.ID(at, "suggestion\x00"+strings.Join(parts, "\x00"))
}

// severityOf is how bad the worst account of a candidate is; of reports alone what the type says.
func severityOf(k *hold) cap.Severity {
	if k.severity.Valid() && k.severity != cap.Unknown {
		return k.severity
	}
	if t, ok := incident.TypeOf(k.types[0].Type); ok {
		return t.Severity
	}
	return cap.Unknown
}
