package alarm

import (
	"cmp"
	"math"
	"slices"
	"time"

	"kentongan/geo/moment"
)

// Figures are the figures of section 6: of the house, and of every desk that is staffed or has had something within a shift.
type Figures struct {
	House     Health          `json:"house"`
	Desks     []Health        `json:"desks"`
	Simulated *SimulatedSides `json:"simulated"` // null: there is no simulated alarm; they never enter the others
}

// SimulatedSides are the same figures of simulated alarms alone.
type SimulatedSides struct {
	House Health   `json:"house"`
	Desks []Health `json:"desks"`
}

// topSources is how many of the busiest sources are named.
const topSources = 10

// Health gives the figures as of now.
func (g *Governor) Health(now time.Time) Figures {
	var f Figures
	f.House, f.Desks = g.planes[0].health(now)
	if drill := g.planes[1]; len(drill.all) > 0 || len(drill.busy) > 0 {
		s := &SimulatedSides{}
		s.House, s.Desks = drill.health(now)
		f.Simulated = s
	}
	return f
}

// figuring collects the figures of one desk, or of the house.
type figuring struct {
	Health
	acks []int64
}

func (p *plane) health(now time.Time) (Health, []Health) {
	house := p.figures("", p.everyone, now)
	desks := map[string]*figuring{}
	for name, t := range p.desks {
		_, staffed := slices.BinarySearch(p.staffed, name)
		if name != "" && (staffed || len(t.presented) > 0 && now.Sub(t.presented[len(t.presented)-1].at) < shift) {
			desks[name] = p.figures(name, t, now)
		}
	}
	for _, e := range p.all {
		e.enter(house, true, now)
		for name, f := range desks {
			if e.Desk == name || e.Desk == "" {
				e.enter(f, e.Desk == name || e.had(name), now)
			}
		}
	}
	p.top(house, now)
	list := []Health{}
	for _, name := range keysOf(desks) {
		f := desks[name]
		f.Raised24h, f.Top, f.TopShare = house.Raised24h, house.Top, house.TopShare // which desk a source's alarms go to changes
		list = append(list, f.done())
	}
	return house.done(), list
}

// figures are those that a tally knows.
func (p *plane) figures(desk string, t *tallied, now time.Time) *figuring {
	f := &figuring{Health: Health{Desk: desk, At: moment.Of(now), New10m: t.shown(now), Flood: t.flood, FloodShare24h: t.flooded(now), Mix: mix(), Open: mix(), Top: []Busy{}}}
	if t.flood {
		f.FloodSince = moment.Of(t.since)
	}
	if n := cut(t.presented, func(q presented) bool { return now.Sub(q.at) >= shift }); n < len(t.presented) {
		since := max(Window, now.Sub(t.presented[n].at))
		f.Rate10m = math.Round(float64(len(t.presented)-n)/(float64(since)/float64(Window))*100) / 100
	}
	switch {
	case t.flood:
		f.Load = "flood"
	case f.Rate10m <= 1:
		f.Load = "ok"
	case f.Rate10m <= 2:
		f.Load = "acceptable"
	default:
		f.Load = "over"
	}
	return f
}

func mix() map[Priority]int { return map[Priority]int{P1: 0, P2: 0, P3: 0} }

// had tells whether an alarm of every desk was shown at one.
func (e *entry) had(desk string) bool {
	n := len(e.own.Claims)
	return n == 0 || slices.Contains(e.own.Claims[n-1].Desks, desk)
}

// enter counts an alarm that is in a queue; had: it was shown there, too, and not before anybody sat there.
func (e *entry) enter(f *figuring, had bool, now time.Time) {
	fresh := func(t moment.Time, within time.Duration) bool { return !t.IsZero() && now.Sub(t.Time) < within }
	if had && fresh(e.PresentAt, shownFor) {
		f.Presented24h++
		f.Mix[e.Priority]++
	}
	if had && fresh(e.PresentAt, Window) {
		f.Rows10m++
	}
	if had && e.Ack != nil && fresh(e.Ack.At, shownFor) && !e.PresentAt.IsZero() && !e.Ack.At.Before(e.PresentAt.Time) {
		f.acks = append(f.acks, e.Ack.At.Sub(e.PresentAt.Time).Milliseconds())
	}
	if !e.Stands() {
		return
	}
	if e.Presented && e.Ack == nil {
		f.Open[e.Priority]++
		if e.Priority == P1 {
			f.PresentToUnseen++
		}
	}
	if !e.Presented {
		f.Withheld++
	}
	f.Standing += one(e.Standing)
	f.Chattering += one(e.Chattering)
	f.Shelved += one(e.State == Shelved)
	f.Suppressed += one(e.State == Suppressed)
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// top counts activations by source over 24 h.
func (p *plane) top(f *figuring, now time.Time) {
	from, all := now.Unix()/3600-23, []Busy{}
	for name, s := range p.busy {
		n := 0
		for h, c := range s.hours {
			if h >= from {
				n += c
			}
		}
		if f.Raised24h += n; n > 0 && name != "" {
			all = append(all, Busy{Source: name, Event: s.event, Count: n})
		}
	}
	slices.SortFunc(all, func(a, b Busy) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Source, b.Source)) })
	f.Top = all[:min(topSources, len(all))]
	sum := 0
	for _, b := range f.Top {
		sum += b.Count
	}
	if f.Raised24h > 0 {
		f.TopShare = math.Round(float64(sum)/float64(f.Raised24h)*1000) / 1000
	}
}

// done gives the figures, with percentiles by nearest rank (domain.md section 7).
func (f *figuring) done() Health {
	slices.Sort(f.acks)
	rank := func(p float64) *int64 {
		if len(f.acks) == 0 {
			return nil
		}
		v := f.acks[max(0, int(math.Ceil(p*float64(len(f.acks))))-1)]
		return &v
	}
	f.AckP50Ms, f.AckP90Ms = rank(0.5), rank(0.9)
	return f.Health
}

// Timeless gives the figures without the times at which they were taken, to tell whether they are others.
func (f Figures) Timeless() Figures {
	blank := func(h Health) Health { h.At, h.FloodShare24h = moment.Time{}, 0; return h }
	all := func(list []Health) []Health {
		out := make([]Health, len(list))
		for i, h := range list {
			out[i] = blank(h)
		}
		return out
	}
	f.House, f.Desks = blank(f.House), all(f.Desks)
	if f.Simulated != nil {
		f.Simulated = &SimulatedSides{blank(f.Simulated.House), all(f.Simulated.Desks)}
	}
	return f
}
