package fusion

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
)

// hold is what is known of one case: an open incident, or accounts that together may be one which nobody has opened.
type hold struct {
	id        string
	incident  bool
	types     []Guess
	severity  cap.Severity
	simulated bool
	place     *geo.Position // of the incident, or of the first account
	areaName  string
	neighbour string
	spots     []spot
	refs      map[string]bool
	sources   map[string]bool
	begins    map[string]time.Time // the latest beginning that an instrument, or an agency, has told of
	firing    map[string]bool      // signals of instruments that still fire
	tells     map[string]bool
	first     time.Time
	last      time.Time
	cells     map[geo.Cell]bool // of resolution 8, under which it is found
	keys      []string          // of a candidate: its signals
	offer     string            // id of its standing suggestion
	apart     map[string]bool   // incidents and evidence that a person has said do not belong to it
	reach     float64
}

// caseOf is what an incident's document alone tells of it.
func (c *Core) caseOf(in *incident.Incident) *hold {
	types := []Guess{{in.Type, 1}}
	k := newHold(in.ID, types, c.reach(types))
	k.incident, k.severity, k.simulated, k.areaName, k.apart = true, in.Severity, in.Simulated, in.AreaName, map[string]bool{}
	if p, placed := in.Position(); placed {
		k.place = &p
	}
	for _, id := range in.Apart {
		k.apart[id] = true
	}
	maps.Copy(k.tells, telling(in.Title))
	k.span(cmp.Or(in.Times.TEvent, in.Times.TSignal, in.OpenedAt).Time)
	for _, e := range in.Evidence {
		k.span(e.At.Time)
		k.refs[e.Ref] = true
		if e.Kind == "observation" {
			k.began(e.Ref, e.At.Time)
		}
	}
	for _, p := range in.Proof.Have {
		if p.Kind == incident.SensorNormal && k.refs[p.Ref] {
			k.span(p.At.Time) // up to then it told of it
		}
	}
	return k
}

// mostSpots bounds what is remembered of one case, and mostTells its words.
const (
	mostSpots = 200
	mostTells = 200
)

func newHold(id string, types []Guess, reach float64) *hold {
	return &hold{id: id, types: types, refs: map[string]bool{}, sources: map[string]bool{}, begins: map[string]time.Time{}, firing: map[string]bool{}, tells: map[string]bool{}, cells: map[geo.Cell]bool{}, reach: reach}
}

// take makes a signal a piece of the case. What lies far from the case's own place widens it no further, so that no chain of accounts
// creeps through the city.
func (k *hold) take(s *Signal) {
	k.refs[s.Ref], k.sources[s.source()] = true, true
	if len(k.tells) < mostTells {
		maps.Copy(k.tells, s.Tells)
	}
	k.span(s.At)
	if s.Kind == "observation" {
		k.firing[s.Key] = true
	}
	if s.Began {
		k.began(s.teller(), s.At)
	}
	if k.severity == "" || k.severity == cap.Unknown {
		k.severity = s.Severity
	}
	if s.Placed && k.place == nil {
		p := s.Position
		k.place = &p
	}
	if s.Placed && len(k.spots) < mostSpots && geo.Distance(*k.place, s.Position) <= k.reach {
		k.spots = append(k.spots, spot{s.Ref, s.Position, s.At, min(s.ExtentM, k.reach/2)})
	}
}

// vote makes the types of a candidate those that most of its accounts name: one that was filed wrongly does not speak for all.
func (k *hold) vote(of func(key string) []Guess) {
	sums, most := map[string]float64{}, 0.0
	for _, key := range k.keys {
		for _, g := range of(key) {
			sums[g.Type] += g.Certainty
			most = max(most, sums[g.Type])
		}
	}
	if most == 0 {
		return
	}
	k.types = k.types[:0:0]
	for code, x := range sums {
		k.types = append(k.types, Guess{code, round(x / most)})
	}
	slices.SortFunc(k.types, func(a, b Guess) int {
		return cmp.Or(cmp.Compare(b.Certainty, a.Certainty), cmp.Compare(a.Type, b.Type))
	})
	if len(k.types) > mostGuesses {
		k.types = k.types[:mostGuesses]
	}
}

// began notes when somebody, or an instrument, says that it began.
func (k *hold) began(teller string, at time.Time) {
	if at.After(k.begins[teller]) {
		k.begins[teller] = at
	}
}

func (k *hold) span(t time.Time) {
	if t.IsZero() {
		return
	}
	if k.first.IsZero() || t.Before(k.first) {
		k.first = t
	}
	if t.After(k.last) {
		k.last = t
	}
}

// middling is from how many pieces on their middle tells where a case is, and middlePart how far off it an account may lie beside how far off
// the nearest piece: two pieces that strayed towards one another make no bridge between two incidents.
const (
	middling   = 3
	middlePart = .9
)

// distance is how far a signal lies from the case, in metres: from its nearest piece and, where there are some, from their middle; false where
// that is beyond the scope.
func (k *hold) distance(s *Signal, scope Scope) (float64, bool) {
	best := math.Inf(1)
	if !s.Placed {
		return best, false
	}
	var middle geo.Position
	for i := range k.spots {
		best = min(best, max(0, geo.Distance(k.spots[i].at, s.Position)-k.spots[i].wide))
		middle.Lat, middle.Lng = middle.Lat+k.spots[i].at.Lat, middle.Lng+k.spots[i].at.Lng
	}
	if k.place != nil {
		best = min(best, geo.Distance(*k.place, s.Position))
	}
	if n := float64(len(k.spots)); n >= middling {
		best = max(best, middlePart*geo.Distance(geo.Position{Lat: middle.Lat / n, Lng: middle.Lng / n}, s.Position))
	}
	return best, best <= scope.ReachM
}

// gap is the time between a moment and the case; 0 within it.
func (k *hold) gap(t time.Time) time.Duration {
	switch {
	case t.Before(k.first):
		return k.first.Sub(t)
	case t.After(k.last):
		return t.Sub(k.last)
	}
	return 0
}

// quiet is for how long nothing had told of the case when a signal arose; not at all while an instrument of it still fires. Up to when it fires
// is known as of the signal's receipt, so that a clock that is ahead gains nothing by it.
func (k *hold) quiet(s *Signal) (gap time.Duration, standing bool) {
	gap = k.gap(s.At)
	if gap == 0 || len(k.firing) == 0 || !s.At.After(k.last) || s.At.After(s.Received) {
		return gap, false
	}
	return 0, true
}

// index of cases by cell of resolution 8. What is felt far off lies beside it.
type index struct {
	cells map[geo.Cell]map[string]*hold
	far   map[string]*hold
}

func (x *index) put(k *hold) {
	x.drop(k)
	if k.reach > 2*wideM {
		x.far[k.id] = k
		return
	}
	at := func(p geo.Position) {
		cell, err := geo.CellAt(p, geo.ResThing)
		if err != nil {
			return
		}
		cell = cell.Parent(geo.ResArea)
		if x.cells[cell] == nil {
			x.cells[cell] = map[string]*hold{}
		}
		x.cells[cell][k.id], k.cells[cell] = k, true
	}
	if k.place != nil {
		at(*k.place)
	}
	for i := range k.spots {
		at(k.spots[i].at)
	}
}

func (x *index) drop(k *hold) {
	delete(x.far, k.id)
	for cell := range k.cells {
		if delete(x.cells[cell], k.id); len(x.cells[cell]) == 0 {
			delete(x.cells, cell)
		}
	}
	clear(k.cells)
}

// near calls fn for every case that may reach to a position.
func (x *index) near(p geo.Position, fn func(*hold)) {
	for _, k := range x.far {
		fn(k)
	}
	cell, err := geo.CellAt(p, geo.ResThing)
	if err != nil {
		return
	}
	disk, err := cell.Parent(geo.ResArea).Disk(1)
	if err != nil {
		return
	}
	seen := map[string]bool{}
	for _, c := range disk {
		for id, k := range x.cells[c] {
			if !seen[id] {
				seen[id] = true
				fn(k)
			}
		}
	}
}

// matches tells an incident that accounts may join: open, not over, and for everybody's eyes.
func matches(in *incident.Incident) bool {
	t, known := incident.TypeOf(in.Type)
	return known && !t.Restricted && in.Status.Open() && in.Status != incident.Resolved
}
