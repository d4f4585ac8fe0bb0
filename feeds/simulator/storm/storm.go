// Package storm is a labelled storm: hundreds of incidents, all that is said of them, and the truth beside each item.
//
// It is pure: the same seed gives the same storm to the byte. It knows nothing of alerts, of rules or of how anybody joins; what makes two
// things one is written here by what happened, never by what a matcher could find. How it was made, and by which figures, stands in
// DECISIONS.md of feeds, 20 to 25.
package storm

import (
	"cmp"
	"slices"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/simulator"
	"kentongan/geo"
)

// Making says which storm to make. The zero value of a field is its default.
type Making struct {
	Seed      uint64
	Begin     time.Time               // default 2026-11-27 06:00 UTC
	Lasts     time.Duration           // default 4 h
	Incidents int                     // default 200
	Items     int                     // raw items, copies counted; default 20,000
	Calls     int                     // reports by people, those that belong to nothing counted; default 6,000
	Inside    func(geo.Position) bool // where incidents may lie; nil: anywhere near the towns
}

// Storm is what happened, and all that was said of it in the order in which it comes in.
type Storm struct {
	Making
	Incidents []Incident
	Warnings  []Warning
	Items     []Item
}

// Incident is one that really happened.
type Incident struct {
	Label      string       `json:"label"` // "flood-03"
	Type       string       `json:"type"`
	Severity   cap.Severity `json:"severity"`
	LifeSafety bool         `json:"life_safety"` // somebody dies of it if nobody comes
	Place      string       `json:"place"`       // the town beside it
	Position   geo.Position `json:"-"`
	ExtentM    float64      `json:"extent_m"` // radius of what it touches
	From       time.Time    `json:"from"`
	Until      time.Time    `json:"until"`

	// The nearest other that somebody could take for it. Of two at the same place, Apart is what lies between the end of one and the
	// beginning of the other; of two at the same time it is 0. Empty where there is none within 5 km and 3 h.
	Confusable string        `json:"confusable,omitempty"`
	DistanceM  float64       `json:"distance_m,omitempty"`
	Apart      time.Duration `json:"apart,omitempty"`
}

// Warning is one hazard that an agency warns of over several districts, each with a message of its own.
type Warning struct {
	Label     string
	Event     string
	From      time.Time
	Until     time.Time
	Districts []string
}

// Item is one thing that came in. Exactly one of Observation, Alert and Report is set.
type Item struct {
	Seq         int       // its number in the storm, of a copy that of the first
	Feed        string    // see Feeds
	Delivered   time.Time // when it reaches the house
	Observation *feeds.Observation
	Alert       *feeds.Alert
	Report      *feeds.Report
	Truth       Truth
}

// Truth is what an item is really about.
type Truth struct {
	Incident string // label; empty: it belongs to nothing
	Warning  string // label of the warning that it is a message of
	Chain    string // of an alert: which publication it is a version of, also where the agency does not say so
	Fault    Fault  // what is wrong with it
	Told     bool   // its words, place and time suffice for a person who knows the city to tell which incident it is about
	Copy     bool   // the same item has come before, byte for byte
}

// Fault is what is wrong with an item.
type Fault string

// The faults of items; a sound one has none.
const (
	Sound     Fault = ""
	WrongType Fault = "wrong_type"  // filed as something else
	NoType    Fault = "no_type"     // nothing but words
	Wrong     Fault = "wrong_place" // placed where it is not
	Coarse    Fault = "coarse"      // placed at the middle of the town
	Unplaced  Fault = "unplaced"    // not placed at all
	Late      Fault = "late"        // told or delivered long after
	Prank     Fault = "prank"       // an emergency that never was
	Complaint Fault = "complaint"   // a service is asked for
	Empty     Fault = "empty"       // silent calls, questions, tests, greetings
	Elsewhere Fault = "elsewhere"   // an emergency of another regency, heard of
	Stuck     Fault = "stuck"       // the instrument says one value for ever
	Jump      Fault = "jump"        // one reading out of nowhere
	Clock     Fault = "clock"       // dated 2000, or tomorrow
	OtherUnit Fault = "other_unit"  // centimetres for metres
)

// Start and length of a storm that does not say its own.
var defaultBegin = time.Date(2026, 11, 27, 6, 0, 0, 0, time.UTC)

// Make makes the storm of a seed.
func Make(m Making) *Storm {
	if m.Begin.IsZero() {
		m.Begin = defaultBegin
	}
	m.Begin = m.Begin.UTC().Truncate(time.Second)
	m.Lasts = cmp.Or(m.Lasts, 4*time.Hour)
	m.Incidents = cmp.Or(m.Incidents, 200)
	m.Items = cmp.Or(m.Items, 20_000)
	m.Calls = cmp.Or(m.Calls, 6_000)
	if m.Inside == nil {
		m.Inside = func(geo.Position) bool { return true }
	}
	k := &maker{Making: m, storm: &Storm{Making: m}, land: simulator.LandOf(simulator.Place{Slug: "solok"})}
	k.network()
	k.happen()
	k.sense()
	k.bulletins()
	k.warnings()
	k.calls()
	k.noise()
	k.copies()
	k.calm()
	slices.SortStableFunc(k.storm.Items, func(a, b Item) int { return a.Delivered.Compare(b.Delivered) })
	return k.storm
}

// maker is a storm in the making.
type maker struct {
	Making
	storm   *Storm
	land    simulator.Land
	things  []thing
	busy    map[int][]span // of a Thing, while its readings are taken up by an incident or a fault
	numbers map[string]int
}

// add puts an item into the storm.
func (k *maker) add(i Item) {
	i.Seq = len(k.storm.Items)
	k.storm.Items = append(k.storm.Items, i)
}

// left is how many items are still to make.
func (k *maker) left() int { return k.Making.Items - len(k.storm.Items) }

// end of the storm.
func (k *maker) end() time.Time { return k.Begin.Add(k.Lasts) }

// Of gives the incident with a label, nil where there is none.
func (s *Storm) Of(label string) *Incident {
	for i := range s.Incidents {
		if s.Incidents[i].Label == label {
			return &s.Incidents[i]
		}
	}
	return nil
}
