package rules

import (
	"time"

	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/geo"
)

// WhyChanged is the Why of a clearing that says nothing of what happens: the rule was changed, switched off or taken out.
const WhyChanged = "rule=changed"

// Decision is what the engine found: a rule begins to fire on something, or clears there. Rule, Key and At are its name: equal input gives an
// equal name, so that a replay finds what it did.
type Decision struct {
	Rule *Rule
	Fire bool   // false: cleared
	Key  string // what it is about: the Thing's id, or a cell ("8965…", with "/sim" behind it where the input was simulated)

	// Thing is what it is about, as it was heard last; never nil. For a cell it is a stand-in of kind "cell" with the cell's centre for a place
	// and Key for an id.
	Thing    *feeds.Thing
	Position geo.Position // the Thing's, or where the reading that decided was made
	Placed   bool

	Type    string           // incident type: of the rule's incident block; sensor_fault of the built-in rule; else empty
	Why     string           // what was found, where the inputs do not say it by themselves, as key=value: "fault=stuck property=water_level"
	Sources []string         // Things, reports or alerts that it rests on, sorted
	Inputs  []incident.Input // the latest readings that decided, at most five
	At      time.Time        // event time of the crossing; it does not depend on when Tick ran
	Since   time.Time        // when the condition began to hold

	// Withdrawn marks a clearing of what in-order input would never have raised: a late reading has disproved it.
	Withdrawn bool
}
