package figures

import (
	"slices"
	"time"

	"kentongan/geo"
)

// None chooses, of agencies and areas, the cases that have none.
const None = "-"

// Choice names the cases that a figure rests on: the figure, its period, and the part of the population. Empty members choose all.
type Choice struct {
	Figure   Figure
	From, To time.Time
	AsOf     time.Time
	Lead     string
	Area     string
	Type     string
	Class    string
	Origin   string // name of one
	Band     *Band
	Cell     geo.Cell
}

// Of gives the cases of a record that are chosen, as they stood at AsOf, by id. Figures of what stands take no period.
func (q Choice) Of(all []Case, zone *time.Location) []*Case {
	var among []*Case
	if q.Figure.Anytime() {
		among = StandingOf(all, q.AsOf)
	} else {
		among = Population(all, q.From, q.To, q.AsOf)
	}
	at := q.AsOf.UnixMilli()
	return slices.DeleteFunc(among, func(c *Case) bool {
		return other(q.Lead, c.Lead) || other(q.Area, c.Area) || q.Type != "" && c.Type != q.Type || q.Class != "" && c.Class != q.Class ||
			q.Origin != "" && c.Origin.String() != q.Origin || q.Cell != 0 && c.Cell != q.Cell || q.Band != nil && BandOf(c.Stamps[Signal], zone) != *q.Band || !q.Figure.Counts(c, at)
	})
}

// other tells what a name does not choose.
func other(name, of string) bool { return name != "" && of != name && (name != None || of != "") }

// StandingOf gives the cases that were open at an instant, whenever they began.
func StandingOf(all []Case, asOf time.Time) []*Case {
	var out []*Case
	for i := range all {
		if c, known := all[i].Seen(asOf.UnixMilli()); known && c.Counted() && c.Open() {
			out = append(out, c)
		}
	}
	return out
}
