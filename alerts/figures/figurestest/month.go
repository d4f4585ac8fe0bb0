// Package figurestest makes up incidents as a regency has them, for tests of figures: the same seed, the same incidents.
package figurestest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/oklog/ulid/v2"

	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Draw says what to make up.
type Draw struct {
	Seed     uint64
	From, To time.Time // of the first signals
	N        int
	Now      time.Time // nothing has happened after it
	Zone     *time.Location
}

// place is where incidents happen, and how often of a hundred.
type place struct {
	area     string
	lat, lng float64
	weight   int
	travel   float64 // minutes
}

var places = []place{
	{"Kubung", -0.8311, 100.6299, 22, 9}, {"Bukit Sundi", -0.8777, 100.7129, 16, 12}, {"Gunung Talang", -0.9705, 100.6191, 15, 8}, {"Lembah Gumanti", -1.0793, 100.8006, 14, 19},
	{"Lembang Jaya", -0.9330, 100.7060, 12, 17}, {"X Koto Singkarak", -0.7158, 100.5770, 9, 21}, {"Pantai Cermin", -1.2458, 100.8922, 5, 34}, {"Danau Kembar", -1.0517, 100.7006, 4, 26},
	{"Tigo Lurah", -1.0707, 101.0439, 3, 71},
}

var kinds = []struct {
	code   string
	weight int
}{
	{"traffic_injury", 16}, {"medical", 20}, {"fire_building", 6}, {"flood", 6}, {"landslide", 5}, {"tree_down", 9}, {"traffic_damage", 8}, {"truck_stall", 4}, {"power_out", 8},
	{"waste", 6}, {"animal", 5}, {"road_blocked", 3}, {"river_high", 4},
}

// Incidents makes up N incidents, in the order of their first signals.
func Incidents(d Draw) []incident.Incident {
	r := rand.New(rand.NewPCG(d.Seed, 7))
	if d.Zone == nil {
		d.Zone = time.UTC
	}
	step := float64(d.To.Sub(d.From)) / float64(d.N)
	out := make([]incident.Incident, 0, d.N)
	for i := range d.N {
		at := d.From.Add(time.Duration(step * (float64(i) + r.Float64())))
		out = append(out, one(r, d, i, at.Truncate(time.Millisecond)))
	}
	return out
}

// one makes up one incident whose first signal comes at a time.
func one(r *rand.Rand, d Draw, i int, at time.Time) incident.Incident {
	p := places[pick(r, len(places), func(i int) int { return places[i].weight })]
	code := kinds[pick(r, len(kinds), func(i int) int { return kinds[i].weight })].code
	kind, _ := incident.TypeOf(code)
	pos := geo.Position{Lat: p.lat + r.NormFloat64()*0.008, Lng: p.lng + r.NormFloat64()*0.008}
	o := incident.Opening{
		ID: ulid.MustNew(uint64(at.UnixMilli()), &bits{r}).String(), Number: fmt.Sprintf("SLK-%s-%06d", at.In(d.Zone).Format("2006"), i+1), Type: code, Title: kind.ID + ", " + p.area,
		Position: &pos, AreaName: p.area, At: at.Add(time.Duration(r.IntN(20)) * time.Second), SignalAt: moment.Of(at), Actor: "user:call", Why: incident.Why{Person: "user:call"},
	}
	if r.IntN(4) == 0 {
		o.Actor, o.Why = "rule:"+code, incident.Why{Rule: code}
		o.EventAt = moment.Of(at.Add(-time.Duration(r.IntN(300)) * time.Second))
	}
	if r.IntN(12) == 0 {
		o.Severity = []cap.Severity{cap.Extreme, cap.Severe, cap.Moderate, cap.Minor}[r.IntN(4)]
	}
	if r.IntN(40) == 0 {
		o.Position, o.AreaName, o.Title = nil, "", kind.ID
	}
	o.Simulated = r.IntN(60) == 0
	in, err := incident.Open(o)
	if err != nil {
		panic(err) // the tables above are ours
	}
	live(r, d, &in, p.travel)
	return in
}

// live takes an incident along its life, as far as it has come by now.
func live(r *rand.Rand, d Draw, in *incident.Incident, travel float64) {
	now := in.OpenedAt.Time
	do := func(mean float64, who string, act incident.Act) bool {
		now = now.Add(time.Duration(minutes(r, mean) * float64(time.Minute))).Truncate(time.Millisecond)
		if now.After(d.Now) {
			return false
		}
		act.Version = in.Version
		if act.To == incident.Closed {
			in.Prove(incident.Proven{Kind: incident.UnitInCell, Ref: "d", At: moment.Of(now)})
			in.Prove(incident.Proven{Kind: incident.Photo, Ref: "p", At: moment.Of(now)})
		}
		next, err := in.Apply(act, who, now)
		if err != nil {
			panic(err)
		}
		*in = next
		return true
	}
	if r.IntN(20) == 0 {
		do(3, "user:op", incident.Act{To: incident.Cancelled, Reason: incident.CancelReasons[r.IntN(4)]})
		return
	}
	if !do(0.9, "user:op", incident.Act{To: incident.Acknowledged}) {
		return
	}
	if in.SLA.Class == "E" && r.IntN(4) > 0 {
		now = now.Add(time.Duration(minutes(r, 12) * float64(time.Minute))).Truncate(time.Millisecond)
		if now.After(d.Now) {
			return
		}
		next, err := in.Decide(incident.Deciding{As: "watch", Version: in.Version}, "user:op", now)
		if err != nil {
			panic(err)
		}
		*in = next
	}
	if in.SLA.Class == "E" || r.IntN(8) == 0 {
		if do(20, "user:op", incident.Act{To: incident.Resolved, Outcome: "no_unit_needed"}) {
			do(200, "user:sup", incident.Act{To: incident.Closed})
		}
		return
	}
	if !do(1.4, "user:dis", incident.Act{To: incident.Dispatched}) {
		return
	}
	if on := now.Add(time.Duration(minutes(r, 1.5) * float64(time.Minute))).Truncate(time.Millisecond); r.IntN(6) > 0 && !on.After(d.Now) {
		in.Times.TEnroute, now = moment.Of(on), on
	}
	if do(travel, "user:dis", incident.Act{To: incident.OnScene}) && do(60, "user:dis", incident.Act{To: incident.Resolved, Outcome: "selesai"}) {
		if r.IntN(25) == 0 {
			if !do(90, "user:dis", incident.Act{To: incident.Reopened, Reason: "belum selesai"}) || !do(60, "user:op", incident.Act{To: incident.Resolved, Outcome: "no_unit_needed"}) {
				return
			}
		}
		do(240, "user:sup", incident.Act{To: incident.Closed})
	}
}

// minutes draws a time that is mostly near its mean and now and then much longer.
func minutes(r *rand.Rand, mean float64) float64 { return mean * math.Exp(r.NormFloat64()*0.6-0.18) }

func pick(r *rand.Rand, n int, weight func(int) int) int {
	sum := 0
	for i := range n {
		sum += weight(i)
	}
	at := r.IntN(sum)
	for i := range n {
		if at -= weight(i); at < 0 {
			return i
		}
	}
	return n - 1
}

// bits lets ULIDs draw from the same seed.
type bits struct{ r *rand.Rand }

func (b *bits) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = byte(b.r.UintN(256))
	}
	return len(into), nil
}
