// Package recommend is which units to send: candidates by capability, travel time and workload, each with its reasons. Pure.
package recommend

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/unit"
	"kentongan/geo"
)

// What a candidate's road is taken to be where no router says: the line of sight times Terrain, at SpeedMps. Hill country of West Sumatra.
const (
	Terrain  = 1.5
	SpeedMps = 40 / 3.6
	// OldAfter is when a place is too old to be told as if it were now (domain.md section 5).
	OldAfter = 10 * time.Minute
	// Most is how many candidates are proposed.
	Most = 20
	// BeyondM is how much farther than the last of the nearest Most capable ones somebody may be and still be weighed, line of sight: so much
	// road as seven tasks of a shift count. It is about a cell of H3 resolution 6.
	BeyondM = 6500
)

// busyS is what every dispatch of the last hours costs a unit, in seconds of road: among equals who has rested goes. unfitS is above every road.
const (
	busyS  = 120.0
	unfitS = 1e6
)

// Reason is one ground of a proposal, or why there is none.
type Reason struct {
	Code string `json:"code"`
	ID   string `json:"text_id"`
	EN   string `json:"text_en"`
}

// Candidate is a unit that may go.
type Candidate struct {
	Unit         unit.Unit `json:"unit"`
	DistanceM    float64   `json:"distance_m"` // line of sight
	TravelS      float64   `json:"travel_s"`
	TravelSource string    `json:"travel_source"` // router or distance
	Capable      bool      `json:"capable"`
	Workload     int       `json:"workload"` // tasks of this shift, which are counted against it
	Score        float64   `json:"score"`    // seconds: less is better
	Reasons      []Reason  `json:"reasons"`
}

// Passed is a unit that is not proposed, and why.
type Passed struct {
	Unit   string `json:"unit"`
	Reason Reason `json:"reason"`
}

// Need is what an incident asks for.
type Need struct {
	At           geo.Position
	Capabilities []string // any of them makes a unit capable; empty: every unit is
	Agencies     []string // lead and support; empty: every agency's unit is proposed
	Without      []string // units that are not to be proposed: those that declined
	Now          time.Time
}

// fits tells a unit that can do what is asked for.
func (n *Need) fits(u *unit.Unit) bool {
	return len(n.Capabilities) == 0 || slices.ContainsFunc(n.Capabilities, u.Can)
}

// Route is a road's duration between two places in seconds; false: not known.
type Route func(from geo.Position) (seconds float64, ok bool)

// Answer is who may go, the best first, and who may not.
type Answer struct {
	Items       []Candidate `json:"items"`
	NotProposed []Passed    `json:"not_proposed"`
}

// Rank proposes units. Route may be nil. Weighed are those no more than BeyondM farther than the last of the Most nearest capable ones.
func Rank(need Need, units []unit.Unit, route Route) (Answer, error) {
	out := Answer{Items: []Candidate{}, NotProposed: make([]Passed, 0, len(units))}
	if err := need.At.Validate(); err != nil {
		return out, fmt.Errorf("recommend: %w", err)
	}
	ready := make([]away, 0, len(units))
	nearest := make([]float64, 0, Most+1) // distances of capable ones, the least first
	for i := range units {
		u := &units[i]
		at, _, placed := u.Position()
		if r, passed := refused(need, u, placed); passed {
			out.NotProposed = append(out.NotProposed, Passed{u.ID, r})
			continue
		}
		m := geo.Distance(at, need.At)
		ready = append(ready, away{i, m})
		if (len(nearest) < Most || m < nearest[Most-1]) && need.fits(u) {
			at, _ := slices.BinarySearch(nearest, m)
			nearest = slices.Insert(nearest, at, m)
			nearest = nearest[:min(len(nearest), Most)]
		}
	}
	most := math.Inf(1)
	if len(nearest) == Most {
		most = nearest[Most-1] + BeyondM
	}
	for _, a := range ready {
		u := &units[a.unit]
		if a.m > most {
			out.NotProposed = append(out.NotProposed, Passed{u.ID, Reason{"nearer_units", "unit yang lebih dekat cukup", "enough units are nearer"}})
			continue
		}
		out.Items = append(out.Items, weigh(need, u, u.Workload(need.Now), route))
	}
	slices.SortFunc(out.Items, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.Unit.ID, b.Unit.ID))
	})
	if len(out.Items) > Most {
		for _, c := range out.Items[Most:] {
			out.NotProposed = append(out.NotProposed, Passed{c.Unit.ID, Reason{"nearer_units", "unit yang lebih baik cukup", "enough units are better"}})
		}
		out.Items = out.Items[:Most]
	}
	for i := range out.Items {
		out.Items[i].explain(need)
	}
	return out, nil
}

// away is a unit, by its number, and how far it is, in metres.
type away struct {
	unit int
	m    float64
}

var whyNot = map[string]Reason{
	"assigned": {"assigned", "sedang bertugas", "is on a dispatch"}, "off_duty": {"off_duty", "tidak bertugas", "is off duty"}, "panic": {"panic", "meminta tolong sendiri", "calls for help itself"},
	"shift_over": {"shift_over", "giliran jaga selesai", "its shift is over"}, "offered": {"offered", "sedang ditawari tugas", "is being offered a task"},
	"en_route": {"en_route", "sedang menuju lokasi", "is en route"}, "on_scene": {"on_scene", "sedang di lokasi", "is on scene"},
}

func refused(need Need, u *unit.Unit, placed bool) (Reason, bool) {
	if why, ok := u.Ready(need.Now); !ok {
		return whyNot[why], true
	}
	switch {
	case slices.Contains(need.Without, u.ID):
		return Reason{"asked_before", "sudah ditawari dan tidak berangkat", "was asked before and did not go"}, true
	case len(need.Agencies) > 0 && !slices.Contains(need.Agencies, u.Agency):
		return Reason{"other_agency", "bukan instansi penanggung jawab atau pendukung", "its agency neither leads nor supports"}, true
	case !placed:
		return Reason{"no_place", "lokasinya tidak diketahui", "its place is not known"}, true
	}
	return Reason{}, false
}

// weigh says what a unit's way costs, without the words for it: most of those that are weighed are not proposed.
func weigh(need Need, u *unit.Unit, busy int, route Route) Candidate {
	at, _, _ := u.Position()
	c := Candidate{Unit: *u, DistanceM: geo.Distance(at, need.At), Workload: busy, TravelSource: "distance"}
	if seconds, ok := asked(route, at); ok {
		c.TravelS, c.TravelSource = seconds, "router"
	} else {
		c.TravelS = c.DistanceM * Terrain / SpeedMps
	}
	c.Capable = need.fits(u)
	c.Score = c.TravelS + busyS*float64(busy)
	if !c.Capable {
		c.Score += unfitS
	}
	return c
}

// explain gives a candidate its reasons.
func (c *Candidate) explain(need Need) {
	say := func(code, id, en string) { c.Reasons = append(c.Reasons, Reason{code, id, en}) }
	km := fmt.Sprintf("%.1f", c.DistanceM/1000)
	say("distance", strings.Replace(km, ".", ",", 1)+" km garis lurus", km+" km as the crow flies")
	if c.TravelSource == "router" {
		say("router", "waktu tempuh dari peta jalan", "travel time by road")
	} else {
		terrain := fmt.Sprintf("%.1f", Terrain)
		say("terrain", fmt.Sprintf("waktu tempuh perkiraan: jarak × %s pada %.0f km/jam", strings.Replace(terrain, ".", ",", 1), SpeedMps*3.6),
			fmt.Sprintf("travel time estimated: distance × %s at %.0f km/h", terrain, SpeedMps*3.6))
	}
	_, post, _ := c.Unit.Position()
	switch old := need.Now.Sub(c.Unit.PositionAt.Time); {
	case post:
		say("from_post", "dari posnya: lokasi kini tidak diketahui", "from its post: where it is now is not known")
	case old > OldAfter:
		say("old_position", fmt.Sprintf("lokasi %d menit lalu: hilang sinyal", int(old.Minutes())), fmt.Sprintf("its place is %d min old: signal lost", int(old.Minutes())))
	default:
		say("position", fmt.Sprintf("lokasi %d detik lalu", int(max(0, old).Seconds())), fmt.Sprintf("its place is %d s old", int(max(0, old).Seconds())))
	}
	switch {
	case !c.Capable:
		say("not_capable", "kemampuannya tidak tercatat untuk jenis ini", "is not recorded as capable of this type")
	case len(need.Capabilities) > 0:
		say("capable", "mampu menangani jenis ini", "is capable of this type")
	}
	if c.Workload > 0 {
		say("workload", fmt.Sprintf("%d tugas dalam giliran jaga ini", c.Workload), fmt.Sprintf("%d tasks within this shift", c.Workload))
	}
}

// Travel is how long a unit's way to a place is expected to take, in seconds; false: nobody knows where it is.
func Travel(u *unit.Unit, to geo.Position, route Route) (seconds float64, ok bool) {
	if _, _, placed := u.Position(); !placed {
		return 0, false
	}
	return weigh(Need{At: to}, u, 0, route).TravelS, true
}

func asked(route Route, at geo.Position) (float64, bool) {
	if route == nil {
		return 0, false
	}
	return route(at)
}
