package figures

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Group is the response of one part of a population: t_signal to t_scene, and how far the service was kept.
type Group struct {
	By     By     `json:"by" doc:"agency, area, type, hours or class"`
	Agency string `json:"agency,omitempty"`
	Area   string `json:"area,omitempty"`
	Type   string `json:"type,omitempty"`
	Class  string `json:"class,omitempty"`
	Band   *Band  `json:"hours,omitempty"`
	Durations
	SLA Share `json:"sla" doc:"All steps together"`
	All int   `json:"all" doc:"Incidents of the group, reached or not"`
}

// Band is hours of the local day: from, to before.
type Band struct {
	From int `json:"from"`
	To   int `json:"to"`
}

func (b Band) String() string { return strconv.Itoa(b.From) + "-" + strconv.Itoa(b.To) }

// Bands are the hours by which response is told.
var Bands = []Band{{0, 6}, {6, 12}, {12, 18}, {18, 24}}

// BandOf gives the band of an instant in a zone.
func BandOf(ms int64, zone *time.Location) Band {
	return Bands[time.UnixMilli(ms).In(zone).Hour()/6]
}

// By is what a population is parted by.
type By string

// The parts.
const (
	ByLead  By = "agency"
	ByArea  By = "area"
	ByType  By = "type"
	ByClass By = "class"
	ByBand  By = "hours"
)

// Groups parts a population, those with the most incidents first.
func Groups(population []*Case, by By, zone *time.Location, asOf time.Time) []Group {
	parts := map[string][]*Case{}
	for _, c := range population {
		key := c.Lead
		switch by {
		case ByLead:
		case ByArea:
			key = c.Area
		case ByType:
			key = c.Type
		case ByClass:
			key = c.Class
		case ByBand:
			key = BandOf(c.Stamps[Signal], zone).String()
		}
		parts[key] = append(parts[key], c)
	}
	out := make([]Group, 0, len(parts))
	for key, cases := range parts {
		out = append(out, Group{By: by, Durations: Response.Times(cases, asOf), SLA: SLA.Compliance(cases, asOf), All: len(cases)}.named(key))
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(order(a.Band, b.Band), cmp.Compare(b.All, a.All), cmp.Compare(a.Agency, b.Agency), cmp.Compare(a.Area, b.Area), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Class, b.Class))
	})
	return out
}

// named gives the group the name of what it is a part of.
func (g Group) named(key string) Group {
	switch g.By {
	case ByLead:
		g.Agency = key
	case ByArea:
		g.Area = key
	case ByType:
		g.Type = key
	case ByClass:
		g.Class = key
	case ByBand:
		for i := range Bands {
			if Bands[i].String() == key {
				g.Band = &Bands[i]
			}
		}
	}
	return g
}

func order(a, b *Band) int {
	if a == nil || b == nil {
		return 0
	}
	return cmp.Compare(a.From, b.From)
}
