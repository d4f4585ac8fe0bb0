package simulator

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"kentongan/geo"
	"kentongan/geo/moment"
)

// Run is one playing of a scenario, as it is ordered and kept.
type Run struct {
	ID        string      `json:"id"`
	Scenario  string      `json:"scenario"`
	StartedAt moment.Time `json:"started_at"`
	EndsAt    moment.Time `json:"ends_at"`    // by itself
	StoppedAt moment.Time `json:"stopped_at"` // by somebody; null: not
	By        string      `json:"by"`         // who started it
}

// NewRun begins a scenario; an unknown one gives an error.
func NewRun(id, name, by string, at time.Time) (Run, error) {
	if !Known(name) {
		return Run{}, fmt.Errorf("scenario %.40q is none of %v", name, scenarioNames)
	}
	s, err := scenario(name)
	if err != nil {
		return Run{}, err
	}
	return Run{ID: id, Scenario: name, StartedAt: moment.Of(at), EndsAt: moment.Of(at.Add(s.Duration)), By: by}, nil
}

// End is when the run is over.
func (r *Run) End() time.Time {
	if !r.StoppedAt.IsZero() && r.StoppedAt.Before(r.EndsAt.Time) {
		return r.StoppedAt.Time
	}
	return r.EndsAt.Time
}

// State of the run: running, stopped or ended.
func (r *Run) State(now time.Time) string {
	switch {
	case now.Before(r.End()):
		return "running"
	case r.End().Before(r.EndsAt.Time):
		return "stopped"
	}
	return "ended"
}

// effects are what the runs of now do to the city. Times are ms since 1970.
type effects struct {
	rains  []burst
	waves  []wave
	floods []flood
	blocks []block
	holds  map[string]hold
	quakes []quake
	plumes []plume
	cuts   []cut
	shifts []shift
	chases []chase
	trips  []trip
	words  []message
}

// message is an alert or report of a scenario, as a line of the native format, and when it is sent.
type message struct {
	at   int64
	line []byte
}

// burst is the rain of a scenario: it stands where it is.
type burst struct {
	from, until int64
	rise        int64 // ms to its full rate, and from it
	at          geo.Position
	peak        float64
	radius      float64
}

func (b *burst) rate(p geo.Position, ms int64) float64 {
	if ms <= b.from || ms >= b.until {
		return 0
	}
	d := flat(p, b.at) / b.radius
	strength := min(1, float64(ms-b.from)/float64(b.rise), float64(b.until-ms)/float64(b.rise))
	if d > 2.5 {
		return 0
	}
	return b.peak * strength * math.Exp2(-d*d*d*d) // a flat top, half at its radius, and soon nothing
}

// memory is how long a run that is over still counts: its water is on the way, its vehicles are late.
const memory = 12 * time.Hour

// SetRuns tells the city which runs there are. What a run that was stopped has not done by then, it does not do.
func (c *City) SetRuns(runs []Run, now time.Time) error {
	var e effects
	for i := range runs {
		if now.Sub(runs[i].End()) > memory {
			continue
		}
		if err := c.stage(&runs[i], &e); err != nil {
			return err
		}
	}
	c.now = e
	c.now.holds = c.holdsOf(e.blocks)
	for r := range c.strips {
		for s := range c.strips[r] {
			c.strips[r][s].forget()
		}
	}
	return nil
}

// stage adds a run's effects.
func (c *City) stage(r *Run, e *effects) error {
	s, err := scenario(r.Scenario)
	if err != nil {
		return err
	}
	p := staging{c: c, run: r, scenario: &s, end: r.End().UnixMilli()}
	p.water(e)
	p.earth(e)
	p.people(e)
	p.words(e)
	return p.err
}

// staging turns relative times and words of a scenario into moments and places. Its first error stays.
type staging struct {
	c        *City
	run      *Run
	scenario *Scenario
	end      int64
	err      error
}

// span is when something happens; false: the run was over before.
func (p *staging) span(at, dur time.Duration) (from, until int64, ok bool) {
	from = p.run.StartedAt.Add(at).UnixMilli()
	until = p.end
	if dur > 0 {
		until = min(until, from+dur.Milliseconds())
	}
	return from, until, from < p.end
}

func (p *staging) spot(word string) spot {
	s, err := p.c.spot(word)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("scenario %s: %w", p.scenario.ID, err)
	}
	return s
}

func (p *staging) water(e *effects) {
	for _, x := range p.scenario.Rains {
		if from, until, ok := p.span(x.At, x.For); ok {
			e.rains = append(e.rains, burst{from, until, max(1000, x.Rise.Milliseconds()), p.spot(x.Over).pos, x.Peak, x.Radius})
		}
	}
	for _, x := range p.scenario.Waves {
		if from, _, ok := p.span(x.At, 0); ok {
			w := wave{river: 0, km: max(0, p.spot(x.From).km-x.Above), from: from, volume: x.Volume, speed: x.Speed}
			if !p.run.StoppedAt.IsZero() {
				w.until = p.end
			}
			e.waves = append(e.waves, w)
		}
	}
	for _, x := range p.scenario.Floods {
		if from, until, ok := p.span(x.At, x.For); ok {
			on := p.spot(x.On)
			e.floods = append(e.floods, flood{from, until, on.road, on.km, x.Depth})
		}
	}
}

func (p *staging) earth(e *effects) {
	for _, x := range p.scenario.Quakes {
		if at, _, ok := p.span(x.At, 0); ok {
			e.quakes = append(e.quakes, quake{at, p.spot(x.On).pos, x.Depth, x.Magnitude})
		}
	}
	for _, x := range p.scenario.Plumes {
		if from, until, ok := p.span(x.At, x.For); ok {
			to, speed := p.c.wind(from)
			e.plumes = append(e.plumes, plume{from, until, p.spot("crater").pos, x.Rate, to, speed})
		}
	}
	for _, x := range p.scenario.Cuts {
		if from, until, ok := p.span(x.At, x.For); ok {
			e.cuts = append(e.cuts, cut{from, until, p.spot(x.Around).pos, x.Km})
		}
	}
}

func (p *staging) people(e *effects) {
	for _, x := range p.scenario.Blocks {
		if from, until, ok := p.span(x.At, x.For); ok {
			on := p.spot(x.On)
			e.blocks = append(e.blocks, block{from, until, on.road, on.km})
		}
	}
	for _, x := range p.scenario.Shifts {
		if from, until, ok := p.span(x.At, 0); ok {
			e.shifts = append(e.shifts, shift{from, until, x.Property, x.Factor})
		}
	}
	for _, x := range p.scenario.Chase {
		if from, until, ok := p.span(x.At, 0); ok {
			e.chases = append(e.chases, chase{from, until})
		}
	}
	for _, x := range p.scenario.Trips {
		from, until, ok := p.span(x.At, 0)
		if !ok {
			continue
		}
		to := p.spot(x.To)
		unit, speed := p.c.sent(x.Role, to.road, to.km)
		if unit == "" {
			continue // no crew of the kind has its post on that road
		}
		e.trips = append(e.trips, trip{unit, from, min(x.Stay.Milliseconds(), until-from), to.road, to.km, speed})
	}
}

// record is a line of the native format.
func record(v map[string]any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of plain values
	}
	return append(b, '\n')
}

// words makes the alerts and reports; their ids are the run's and a number, so that another server that takes over says nothing twice.
func (p *staging) words(e *effects) {
	for i := range p.scenario.Alerts {
		a := &p.scenario.Alerts[i]
		if at, _, ok := p.span(a.At, 0); ok {
			e.words = append(e.words, message{at, p.alert(a, i)})
		}
	}
	for i, r := range p.scenario.Reports {
		at, _, ok := p.span(r.At, 0)
		if !ok {
			continue
		}
		h := hash(p.c.seed, word(p.run.ID), uint64(i))
		where := moved(p.spot(r.Near).pos, bell(hash(h, 1))*0.25, bell(hash(h, 2))*0.25)
		e.words = append(e.words, message{at, record(map[string]any{
			"record": "report", "id": fmt.Sprintf("%s-%d", p.run.ID, i+1), "channel": r.Channel, "type": r.Type, "text": r.Text,
			"at": moment.OfMilli(at), "lng": round6(where.Lng), "lat": round6(where.Lat),
		})})
	}
}

func (p *staging) alert(a *alertOf, i int) []byte {
	at := p.run.StartedAt.Add(a.At)
	expires := a.Expires
	if expires == 0 {
		expires = time.Hour
	}
	v := map[string]any{
		"record": "alert", "identifier": fmt.Sprintf("%s-%d", p.run.ID, i+1), "sender": a.Sender, "sender_name": a.SenderName, "sent": moment.Of(at),
		"event": a.Event, "category": a.Category, "urgency": a.Urgency, "severity": a.Severity, "certainty": a.Certainty, "language": "id",
		"headline": a.Headline, "description": a.Description, "instruction": a.Instruction, "expires": moment.Of(at.Add(expires)),
	}
	if a.Quake > 0 {
		p.solution(v, a.Quake-1)
		return record(v)
	}
	where := p.spot(a.Over)
	shape := geo.Shape{Points: []geo.Position{where.pos}}
	if a.Radius > 0 {
		shape = geo.Circle(where.pos, a.Radius*1000)
	}
	v["area"] = map[string]any{"type": "Feature", "geometry": shape, "properties": map[string]any{"name": where.name}}
	return record(v)
}

// solution puts a shock into an alert, as a seismological agency finds it within minutes.
func (p *staging) solution(v map[string]any, n int) {
	if n >= len(p.scenario.Quakes) {
		p.err = fmt.Errorf("scenario %s: an alert names quake %d of %d", p.scenario.ID, n+1, len(p.scenario.Quakes))
		return
	}
	x := p.scenario.Quakes[n]
	on := p.spot(x.On)
	q := quake{p.run.StartedAt.Add(x.At).UnixMilli(), on.pos, x.Depth, x.Magnitude}
	worst := 0.0
	for _, t := range p.c.land.towns {
		worst = max(worst, q.gal(t.Position))
	}
	v["quake"] = map[string]any{
		"origin_at": moment.OfMilli(q.at), "lng": round6(on.pos.Lng), "lat": round6(on.pos.Lat), "depth_km": x.Depth, "magnitude": x.Magnitude,
		"place": "dekat " + on.name + ", " + p.c.city.Name, "felt": []map[string]any{{"place": p.c.city.Name, "low": max(1, mmi(worst)-1), "high": mmi(worst)}},
	}
}
