package simulator

import (
	"cmp"
	"slices"
	"time"

	"kentongan/geo/moment"
)

// Truth is what really happens in a run, in absolute time and place. Nothing that judges readings may see it while it judges.
type Truth struct {
	Run        Run               `json:"run"`
	Summary    map[string]string `json:"summary"`
	Casualties map[string]int    `json:"casualties"`
	Happens    []Happening       `json:"happens"`
	Arrivals   []Arrival         `json:"arrivals"` // of waves and shocks at instruments, from the model itself
	Expect     []Expectation     `json:"expect"`
}

// Happening is one event of a run.
type Happening struct {
	At    moment.Time       `json:"at"`
	What  map[string]string `json:"what"` // by language
	Place string            `json:"place"`
	Lng   float64           `json:"lng"`
	Lat   float64           `json:"lat"`
}

// Arrival is when an instrument should see something, and how much of it.
type Arrival struct {
	At       moment.Time `json:"at"`
	Of       string      `json:"of"` // wave, p or s
	Thing    string      `json:"thing"`
	Name     string      `json:"name"`
	Property string      `json:"property"`
	Value    float64     `json:"value"` // wave: discharge of its crest in m3/s; p, s: acceleration in cm/s2
}

// Expectation is an incident that a perfect system would open.
type Expectation struct {
	Type        string      `json:"type"`
	Severity    string      `json:"severity"`
	Place       string      `json:"place"`
	Lng         float64     `json:"lng"`
	Lat         float64     `json:"lat"`
	RadiusM     float64     `json:"radius_m"`
	OpensAfter  moment.Time `json:"opens_after"` // before it nobody can know
	OpensBefore moment.Time `json:"opens_by"`
}

// written is a truth as its file says it, in times from the beginning.
type written struct {
	Scenario   string
	Summary    map[string]string
	Casualties map[string]int
	Happens    []struct {
		At    time.Duration
		Place string
		ID    string
		EN    string
	}
	Expect []struct {
		Type       string
		Severity   string
		Place      string
		RadiusM    float64       `yaml:"radius_m"`
		OpensAfter time.Duration `yaml:"opens_after"`
		OpensBy    time.Duration `yaml:"opens_by"`
	}
}

// Truth gives a run's truth. Happenings after a stop are left out: they did not come to pass.
func (c *City) Truth(r Run) (Truth, error) {
	var w written
	if err := read("scenarios/"+r.Scenario+".truth.yaml", &w); err != nil {
		return Truth{}, err
	}
	t := Truth{Run: r, Summary: w.Summary, Casualties: w.Casualties, Happens: []Happening{}, Arrivals: []Arrival{}, Expect: []Expectation{}}
	at := func(d time.Duration) moment.Time { return moment.Of(r.StartedAt.Add(d)) }
	for _, h := range w.Happens {
		s, err := c.spot(h.Place)
		if err != nil {
			return Truth{}, err
		}
		if at(h.At).Before(r.End()) {
			t.Happens = append(t.Happens, Happening{at(h.At), map[string]string{"id": h.ID, "en": h.EN}, s.name, round6(s.pos.Lng), round6(s.pos.Lat)})
		}
	}
	for _, x := range w.Expect {
		s, err := c.spot(x.Place)
		if err != nil {
			return Truth{}, err
		}
		if at(x.OpensAfter).Before(r.End()) {
			t.Expect = append(t.Expect, Expectation{x.Type, x.Severity, s.name, round6(s.pos.Lng), round6(s.pos.Lat), x.RadiusM, at(x.OpensAfter), at(x.OpensBy)})
		}
	}
	var e effects
	if err := c.stage(&r, &e); err != nil {
		return Truth{}, err
	}
	t.Arrivals = c.arrivals(&e, r.End().UnixMilli())
	return t, nil
}

// mostArrivals of each sort are told, the first to come.
const mostArrivals = 40

func (c *City) arrivals(e *effects, end int64) []Arrival {
	out := []Arrival{}
	for i := range e.waves {
		w := &e.waves[i]
		for n := c.first[riverGauge]; n < c.first[riverGauge]+c.number[riverGauge]; n++ {
			t := &c.things[n]
			if t.line == w.river && t.km >= w.km && w.arrives(t.km) < end {
				crest := w.flow(t.km, w.arrives(t.km)+int64(w.scale(t.km)*1000))
				out = append(out, Arrival{moment.OfMilli(w.arrives(t.km)), "wave", t.id, t.name, "water_level", round6(crest)})
			}
		}
	}
	for i := range e.quakes {
		q := &e.quakes[i]
		for n := c.first[seismometer]; n < c.first[seismometer]+c.number[seismometer]; n++ {
			t := &c.things[n]
			p, s := q.arrivals(t.pos)
			peak := q.gal(t.pos) * t.extra
			out = append(out, Arrival{moment.OfMilli(p), "p", t.id, t.name, "pga", round6(0.18 * peak)}, Arrival{moment.OfMilli(s), "s", t.id, t.name, "pga", round6(peak)})
		}
	}
	slices.SortStableFunc(out, func(a, b Arrival) int { return cmp.Compare(a.At.Milli(), b.At.Milli()) })
	return out[:min(len(out), mostArrivals)]
}
