package alarm

import (
	"cmp"
	"reflect"
	"slices"
	"time"

	"kentongan/alerts/plan"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Governor decides which alarms there are and which of them are presented, at which desk and when. It is a function of its state, its
// inputs and the times given with them: it has no clock, no chance and no store. Not safe for concurrent use.
//
// Alarms of simulated alerts are governed beside the real ones, by a plane of their own: neither sees the other, in figures least of all.
type Governor struct {
	config  Config
	define  func(rule string) Definition
	words   func(Code) string
	area    func(geo.Position) string
	plans   map[string]plan.Plan
	set     *plan.Set
	planes  [2]*plane // real, simulated
	changed []*entry
}

// Options of a governor.
type Options struct {
	Config   Config
	Define   func(rule string) Definition // of the rules in force; nil: nothing is known of any
	Area     func(geo.Position) string    // the kecamatan of a place; nil: none is known
	Language string                       // of the events of the house's own alarms: id or en
}

// New makes a governor that knows of nothing yet.
func New(o Options) *Governor {
	g := &Governor{config: o.Config.Filled(), define: o.Define, area: o.Area, words: wordsIn(o.Language), plans: map[string]plan.Plan{}}
	if g.define == nil {
		g.define = func(string) Definition { return Definition{} }
	}
	if g.area == nil {
		g.area = func(geo.Position) string { return "" }
	}
	g.planes = [2]*plane{newPlane(g, false), newPlane(g, true)}
	return g
}

func (g *Governor) plane(simulated bool) *plane {
	if simulated {
		return g.planes[1]
	}
	return g.planes[0]
}

// Kept is an alarm as it is to be written, with what only the governor needs to know of it.
type Kept struct {
	Alarm Alarm
	Own   Own
	New   bool   // it was not there before
	Say   bool   // it is told to screens: it is presented, or was once
	Log   string // act of the house for the audit log, empty: none
}

// Own is what the governor needs to know of an alarm after a restart.
type Own struct {
	Key      string   `json:"key,omitempty"`      // what activates it again
	Alerts   []string `json:"alerts,omitempty"`   // that have activated it, the last ones
	Acts     []int64  `json:"acts,omitempty"`     // ms of its last activations
	Replaced int64    `json:"replaced,omitempty"` // ms since when its alert has given way to a version that has not come yet
	Claims   []Claim  `json:"claims,omitempty"`   // when it was presented or announced, the last ones
	Raised   *Claim   `json:"raised,omitempty"`   // when and where it counts as raised; null: it does not
	Desk     string   `json:"desk,omitempty"`     // of a group
}

// Claim is one claim on the attention of desks.
type Claim struct {
	At     int64    `json:"at"` // ms
	Desks  []string `json:"desks"`
	Urgent bool     `json:"urgent,omitempty"` // an announcement of P1
}

// claimsKept is how many claims of one alarm are remembered.
const claimsKept = 8

// entry is an alarm in the governor's memory.
type entry struct {
	Alarm
	own   Own
	plane *plane
	fresh bool // not yet written
	dirty bool // in changed
	said  bool // screens know of it
	log   string
	group *group // that it is in, or that it is the head of
}

// mark notes that an alarm has changed.
func (g *Governor) mark(e *entry, now time.Time) {
	e.UpdatedAt = moment.Of(now)
	if e.group != nil && e.group.head != e {
		e.group.changed(e)
	}
	if !e.dirty {
		e.dirty = true
		g.changed = append(g.changed, e)
	}
}

// Changes gives the alarms that have changed since it was asked last, in the order in which they first did.
func (g *Governor) Changes() []Kept {
	out := make([]Kept, 0, len(g.changed))
	for _, e := range g.changed {
		e.said = e.said || !e.PresentAt.IsZero() || e.Shelf != nil || e.Ack != nil
		out = append(out, Kept{Alarm: e.Alarm, Own: e.own.clone(), New: e.fresh, Say: e.said, Log: e.log})
		e.dirty, e.fresh, e.log = false, false, ""
	}
	g.changed = g.changed[:0]
	return out
}

func (o Own) clone() Own {
	o.Alerts, o.Acts, o.Claims = slices.Clone(o.Alerts), slices.Clone(o.Acts), slices.Clone(o.Claims)
	return o
}

// Acted takes over what a person has done to an alarm, as the store has it: an acknowledgement, a shelf or the end of one. Over says that
// the governor has changed the alarm meanwhile, too: then the version is one more than both. What the governor wrote itself changes nothing.
func (g *Governor) Acted(doc Alarm, over bool, now time.Time) {
	p := g.plane(doc.Simulated)
	e := p.all[doc.ID]
	if e == nil {
		return
	}
	noted := e.sighted(&doc) // the ladder's notes make no version
	if doc.Version < e.Version {
		if over && noted {
			g.mark(e, now)
		}
		return
	}
	e.Version = doc.Version
	changed := false
	switch {
	case doc.Shelf != nil && (e.Shelf == nil || !e.Shelf.At.Equal(doc.Shelf.At.Time)):
		if changed = e.Stands() && e.Active; changed {
			e.Ack = doc.Ack
			p.shelve(e, *doc.Shelf, now)
		}
	case doc.Shelf == nil && e.Shelf != nil && doc.State != Shelved && doc.State != Cleared:
		changed = true
		p.unshelve(e, now)
	case doc.Ack != nil && (e.Ack == nil || !e.Ack.At.Equal(doc.Ack.At.Time)):
		changed = true
		p.acknowledge(e, *doc.Ack, now)
	}
	e.Version = doc.Version
	if over {
		e.Version++
	}
	if over || changed && !e.same(doc) {
		g.mark(e, now)
	}
}

// same tells whether the governor would write an alarm just as it is kept.
func (e *entry) same(doc Alarm) bool {
	doc.UpdatedAt = e.UpdatedAt
	return reflect.DeepEqual(e.Alarm, doc)
}

// Plan takes over a change of a plan.
func (g *Governor) Plan(p plan.Plan, now time.Time) {
	before, known := g.plans[p.ID]
	if !p.Holds && !(known && before.Holds) {
		return
	}
	g.plans[p.ID] = p
	if p.State == plan.Cancelled || p.At(now) == plan.Over {
		delete(g.plans, p.ID)
	}
	list := make([]plan.Plan, 0, len(g.plans))
	for _, one := range g.plans {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b plan.Plan) int { return cmp.Compare(a.ID, b.ID) })
	g.set = plan.NewSet(list)
	for _, pl := range g.planes {
		pl.holds(now)
	}
}

// Desks says which desks are staffed, in any order. Alarms of a desk that nobody sits at any more are every desk's.
func (g *Governor) Desks(staffed []string, now time.Time) {
	for _, p := range g.planes {
		p.sit(staffed, now)
	}
}

// Feed is how a feed fares, as far as alarms are concerned.
type Feed struct {
	Name      string
	Down      bool
	Reason    string
	Simulated bool
}

// Feeds says how every feed fares. One that is not named is not down.
func (g *Governor) Feeds(list []Feed, now time.Time) {
	for i, p := range g.planes {
		p.feeds(list, i == 1, now)
	}
}

// Tick does what follows from the clock alone. Call it about once a second.
func (g *Governor) Tick(now time.Time) {
	for _, p := range g.planes {
		p.tick(now)
	}
}

// Knows tells whether the governor remembers an alarm.
func (g *Governor) Knows(id string) bool {
	return g.planes[0].all[id] != nil || g.planes[1].all[id] != nil
}
