// Package access is who may do what to what: roles, grants, and the one Can that everything asks. Pure.
//
// Nothing is allowed that is not granted: an unknown action, role or noun, and the zero Subject, meet None. HTTP, the live socket (when a
// view is asked for and again when a message is delivered) and the broker all ask Can, and nobody decides beside it. What the roles are
// for is the table of roles.go.
package access

import (
	"slices"
	"time"
)

// Subject is who asks. The zero Subject may do nothing.
type Subject struct {
	ID      string   // "user:01J…", "key:01J…", "wall:01J…", "token:admin"; it is what Object.By is held against
	Grants  []Grant  // of a person, wall or device; they add up
	Actions []Action // of a key, which has no role: its scope
	Feed    string   // the one feed that a key or device may bring; empty: any
	Agency  string   // the one agency that a key works for, and whose feeds it may bring; empty: any
	Unit    string   // the unit somebody rides with: "bpbd/trc-1"; empty: none
	Guests  bool     // a wall that stands before visitors: nothing that may be a unit or tell where one is, and no camera
	Whole   bool     // the admin token, and a house that has no people yet: the duties of configuring and dispatching are not parted
}

// Grant is one role that somebody holds, and where. An empty list or agency sets no bound.
type Grant struct {
	Role   Role      `json:"role"`
	Agency string    `json:"agency,omitempty"` // slug; liaison and field hold nothing without one
	Areas  []string  `json:"areas,omitempty"`  // names of kecamatan, as area_name has them
	Types  []string  `json:"types,omitempty"`  // of incidents; a restricted type is seen only by who has it here
	Until  time.Time `json:"until,omitzero"`   // of help for a time; zero: no end
}

// Object is what something is done to. The zero Object is a noun in general, a list or a page: what may be done to some object of it.
type Object struct {
	Noun       string   // "incident", "report", "unit", "thing", "feed" …; empty: in general
	Agencies   []string // whose it is: of an incident lead and support, of anything else its owner
	Area       string   // area_name; empty: not known, or beyond ours
	Type       string   // of an incident; of a Thing its kind
	Status     string   // of an incident: where it stands, "on_scene" …
	Grave      bool     // Extreme or Severe
	Restricted bool     // its type is for named people only
	Feed       string   // the feed it came by, or is
	Unit       string   // the unit it is, or that it is given to
	By         []string // subjects that did what the same person must not do now: who resolved, who proposed, who made it
	Roles      []Role   // of a restricted camera: who sees it beside its agency
	Fresh      bool     // its maker still works on it: a call of the last 24 h
}

// Level is how much of an object somebody may see. An act needs Full.
type Level int

// The levels, from nothing to everything.
const (
	None   Level = iota
	Coarse       // that it is there, of which type, how bad, and in which kecamatan
	Facts        // all of it but people's own words and personal data
	Full
)

func (l Level) String() string { return [...]string{"none", "coarse", "facts", "full"}[l] }

// Decision is what Can answers. Reason says why not more, for the audit log and the answer.
type Decision struct {
	Level  Level
	Reason string
}

// Allowed tells whether the act may be done, or the object be seen whole.
func (d Decision) Allowed() bool { return d.Level == Full }

// Can tells how far a subject may do something to an object at a time. It denies by default.
func Can(s Subject, a Action, o Object, now time.Time) Decision {
	best := Decision{None, "nobody has granted " + string(a)}
	if !slices.Contains(Actions(), a) {
		return Decision{None, "there is no such action"}
	}
	for _, g := range s.Grants {
		if !g.holds(now) {
			continue
		}
		if d := g.can(s, a, o); d.Level > best.Level || best.Level == None && d.Reason != "" {
			best = d
		}
	}
	if slices.Contains(s.Actions, a) {
		best = s.byScope(a, o, best)
	}
	if s.Whole {
		best = Decision{Full, ""}
	}
	if best.Level == None {
		return best
	}
	if s.Guests && (a == ReadUnits || a == ViewCameras || o.Noun == "thing" && o.Type != "" && !Open(o.Type)) {
		return Decision{None, "visitors stand before this wall"}
	}
	return parted(s, a, o, best, now)
}

// holds tells whether a grant is still given.
func (g Grant) holds(now time.Time) bool { return g.Until.IsZero() || now.Before(g.Until) }

// byScope is what a key may: its scope knows the one feed, or the feeds of one agency.
func (s Subject) byScope(a Action, o Object, best Decision) Decision {
	switch {
	case s.Feed != "" && o.Noun != "" && o.Feed != s.Feed:
		return Decision{best.Level, "bound to another feed"}
	case s.Agency != "" && o.Noun == "feed" && !slices.Contains(o.Agencies, s.Agency):
		return Decision{best.Level, "bound to another agency"}
	case o.Restricted:
		return Decision{best.Level, "a restricted type is for named people"}
	case s.Agency != "" && owned(o.Noun) && !slices.Contains(o.Agencies, s.Agency):
		if a == ReadIncidents {
			return Decision{max(best.Level, Coarse), "another agency"}
		}
		return Decision{best.Level, "another agency"}
	case a == ReadReports && !slices.Contains(s.Actions, WriteReports):
		return Decision{max(best.Level, Facts), ""}
	case a == ReadAlarms && !slices.Contains(s.Actions, ActAlarms):
		return Decision{max(best.Level, Facts), ""}
	case a == ReadIncidents && !slices.Contains(s.Actions, ActIncidents):
		return Decision{max(best.Level, Facts), ""} // a program that only reads gets no personal words
	}
	return Decision{Full, ""}
}

// can is what one grant gives.
func (g Grant) can(s Subject, a Action, o Object) Decision {
	r, ok := roles[g.Role][a]
	if !ok {
		return Decision{None, ""}
	}
	if g.Role.bound() && g.Agency == "" {
		return Decision{None, "the grant names no agency"}
	}
	if ofTheHouse(a) && (g.Agency != "" || len(g.Areas) > 0) {
		return Decision{None, "the grant is for a part, and this is the whole house's"}
	}
	if o.Noun == "" {
		return Decision{max(r.own, r.other), ""}
	}
	if o.Noun == "camera" {
		return g.camera(o)
	}
	if o.Restricted && !slices.Contains(g.Types, o.Type) && !(o.Noun == "dispatch" && o.Unit != "" && o.Unit == s.Unit) { // who is sent is told so
		return Decision{None, "a restricted type is for named people"}
	}
	if len(g.Types) > 0 && o.Noun == "incident" && !slices.Contains(g.Types, o.Type) {
		return Decision{None, "another type"}
	}
	if len(g.Areas) > 0 && placed(o.Noun) && !slices.Contains(g.Areas, o.Area) {
		return Decision{None, "another area"}
	}
	if r.when != nil && !r.when(s, o) {
		return Decision{r.other, r.why}
	}
	if g.Agency != "" && owned(o.Noun) && !slices.Contains(o.Agencies, g.Agency) {
		return Decision{r.other, "another agency"}
	}
	if r.lead && (len(o.Agencies) == 0 || o.Agencies[0] != g.Agency) {
		return Decision{r.other, "another agency leads"}
	}
	return Decision{r.own, ""}
}

// camera tells whether a grant reaches a camera: what is not restricted is shared by all agencies, and what is belongs to no picture on a wall.
func (g Grant) camera(o Object) Decision {
	switch {
	case !o.Restricted:
		return Decision{Full, ""}
	case g.Role == Wall:
		return Decision{None, "a restricted camera is on no wall"}
	case slices.Contains(o.Roles, g.Role), g.Agency != "" && slices.Contains(o.Agencies, g.Agency):
		return Decision{Full, ""}
	}
	return Decision{None, "a restricted camera is for its agency and the roles that are named for it"}
}

// owned tells nouns that belong to agencies: an object of them that names none belongs to none, and nobody's agency is its own.
func owned(noun string) bool {
	switch noun {
	case "incident", "report", "call", "contact", "unit", "dispatch", "suggestion":
		return true
	}
	return false
}

// placed tells nouns to which the areas of a grant apply.
func placed(noun string) bool { return noun == "incident" || noun == "report" || noun == "suggestion" }

// parted keeps duties apart, whatever the grants add up to (domain.md, sections 1 and 5).
func parted(s Subject, a Action, o Object, d Decision, now time.Time) Decision {
	switch {
	case operational(a) && !s.Whole && s.keepsOut(now):
		return Decision{None, "whoever configures or audits does not work incidents"}
	case a.second() && slices.Contains(o.By, s.ID):
		return Decision{None, "the same person may not do both"}
	}
	return d
}

// keepsOut tells whoever holds a role that may not dispatch under any other role.
func (s Subject) keepsOut(now time.Time) bool {
	return slices.ContainsFunc(s.Grants, func(g Grant) bool { return g.holds(now) && (g.Role == Admin || g.Role == Auditor) })
}

// Reaches tells whether a subject's grants reach as far as others do, in agencies, areas and types; whatever they allow there. restricted
// tells types that only a grant which names them reaches.
func (s Subject) Reaches(others []Grant, restricted func(code string) bool, now time.Time) bool {
	one := func(o Grant, code string) bool {
		return s.Whole || slices.ContainsFunc(s.Grants, func(g Grant) bool {
			areas := len(g.Areas) == 0 || len(o.Areas) > 0 && !slices.ContainsFunc(o.Areas, func(a string) bool { return !slices.Contains(g.Areas, a) })
			types := len(g.Types) == 0 && (code == "" || !restricted(code)) || slices.Contains(g.Types, code)
			return g.holds(now) && (g.Agency == "" || g.Agency == o.Agency) && areas && types
		})
	}
	for _, o := range others {
		if !o.holds(now) {
			continue
		}
		if len(o.Types) == 0 && !one(o, "") || slices.ContainsFunc(o.Types, func(code string) bool { return !one(o, code) }) {
			return false
		}
	}
	return true
}

// Rights lists what a subject may do to some object, in the order of Actions.
func Rights(s Subject, now time.Time) []Action {
	out := []Action{}
	for _, a := range Actions() {
		if Can(s, a, Object{}, now).Level > None {
			out = append(out, a)
		}
	}
	return out
}
