package alarm

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"kentongan/alerts"
	"kentongan/feeds/cap"
)

// measure is what one flood did to the desks.
type measure struct {
	worst    int           // presentations at a desk within any ten minutes
	slowest  time.Duration // until the row of a planted P1
	silent   time.Duration // until it was sounding, where nobody acknowledged
	shown    int           // planted P1 with a row of their own
	heads    int
	missing  int // alarms that are neither presented, nor told apart why
	perAlert time.Duration
}

// flood plays 20,000 alerts within ten minutes, 50 of them life-safety, at random times, places and of random types, some of which clear and
// come again; acks tells whether an operator acknowledges each P1 after some seconds.
func flood(t testing.TB, seed uint64, desks []string, acks bool) measure {
	const n, planted = 20_000, 50
	rnd := rand.New(rand.NewPCG(seed, 6))
	r := newRoom(t, desks...)
	rules := []string{"water", "lamp", "wind", "road", "power"}
	type act struct {
		at time.Duration
		a  alerts.Alert
	}
	var acts []act
	severities := []cap.Severity{cap.Severe, cap.Moderate, cap.Moderate, cap.Minor, cap.Minor, cap.Minor, cap.Unknown}
	for i := range n - planted {
		a := alert(rules[rnd.IntN(len(rules))], fmt.Sprintf("s:%d", rnd.IntN(5000)), severities[rnd.IntN(len(severities))], i, at(-0.96+rnd.Float64()*0.5, 100.5+rnd.Float64()*0.5))
		from := time.Duration(rnd.Int64N(int64(Window)))
		acts = append(acts, act{from, a})
		if rnd.IntN(3) == 0 {
			acts = append(acts, act{from + time.Duration(rnd.Int64N(int64(2*time.Minute))), resolved(a)})
		}
	}
	want := map[string]time.Duration{}
	for i := range planted {
		a := alert("rescue", fmt.Sprintf("p:%d", i), cap.Extreme, i, at(-0.96+rnd.Float64()*0.5, 100.5+rnd.Float64()*0.5))
		from := time.Duration(rnd.Int64N(int64(Window)))
		acts = append(acts, act{from, a})
		want[a.ID] = from
	}
	slices.SortStableFunc(acts, func(a, b act) int { return int(a.at - b.at) })
	var m measure
	var spent time.Duration
	claims := map[string][]time.Time{} // by desk
	last := map[string]Alarm{}
	rows := map[string]time.Duration{}
	sounds := map[string]time.Duration{}
	due := map[string]time.Time{}
	note := func() {
		for _, k := range r.Changes() {
			a, was := k.Alarm, last[k.Alarm.ID]
			last[a.ID] = a
			r.kept[a.ID] = k
			seats := desks
			if a.Desk != "" {
				seats = []string{a.Desk}
			}
			claim := a.Presented && (a.Priority != P1 && (!was.Presented || !was.PresentAt.Equal(a.PresentAt.Time)) && a.PresentAt.Equal(r.now) && a.State == Raised || a.Announced == a.ID && was.Announced != a.ID)
			if claim {
				for _, d := range seats {
					claims[d] = append(claims[d], r.now)
				}
			}
			if from, ok := want[a.Alert]; ok && a.Code == "" {
				if _, ok := rows[a.Alert]; !ok && a.Presented && a.Priority == P1 && k.Say {
					rows[a.Alert] = r.now.Sub(noon) - from
					due[a.ID] = r.now.Add(time.Duration(5+rnd.IntN(20)) * time.Second)
				}
				if _, ok := sounds[a.Alert]; !ok && a.Sound {
					sounds[a.Alert] = r.now.Sub(noon) - from
				}
			}
		}
	}
	next := 0
	for step := noon; step.Before(noon.Add(2*Window + time.Minute)); step = step.Add(time.Second) {
		for next < len(acts) && noon.Add(acts[next].at).Before(step.Add(time.Second)) {
			r.now = noon.Add(acts[next].at)
			began := time.Now()
			r.Alert(&acts[next].a, r.now)
			spent += time.Since(began)
			note()
			next++
		}
		r.now = step.Add(time.Second)
		began := time.Now()
		r.Tick(r.now)
		spent += time.Since(began)
		note()
		for id, when := range due {
			if acks && !r.now.Before(when) {
				delete(due, id)
				if a := r.kept[id].Alarm; a.State == Raised {
					r.acknowledges(a)
					note()
				}
			}
		}
	}
	m.perAlert = spent / time.Duration(n)
	for _, times := range claims {
		slices.SortFunc(times, time.Time.Compare)
		for i, j := 0, 0; i < len(times); i++ {
			for times[i].Sub(times[j]) >= Window {
				j++
			}
			m.worst = max(m.worst, i-j+1)
		}
	}
	m.shown = len(rows)
	for id, d := range rows {
		m.slowest = max(m.slowest, d)
		if s, ok := sounds[id]; ok {
			m.silent = max(m.silent, s-d)
		} else if r.acked(id) == nil {
			m.silent = max(m.silent, time.Hour)
		}
	}
	for _, k := range r.kept {
		a := k.Alarm
		if a.Code == CodeGroup {
			m.heads++
		}
		if a.Stands() && !a.Presented && a.Withheld == "" {
			m.missing++
		}
	}
	return m
}

// acked is who took note of the alarm of an alert, nil: nobody.
func (r *room) acked(alert string) *Ack {
	for _, k := range r.kept {
		if k.Alarm.Alert == alert && k.Alarm.Code == "" {
			return k.Alarm.Ack
		}
	}
	return nil
}

// The promise: in a flood of 20,000 alerts in ten minutes no desk has more than ten presentations within any ten minutes, and each of 50
// planted life-safety alarms has its row at once. Half of the seeds have three desks at which nobody acknowledges anything, half one desk that
// acknowledges each P1 within seconds, which is what asks for most announcements.
func TestFloodIsGoverned(t *testing.T) {
	seeds := 20
	if testing.Short() {
		seeds = 2
	}
	first := rand.Uint64()
	var mu sync.Mutex
	var work sync.WaitGroup
	var total measure
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range seeds {
		work.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			seed, desks := first+uint64(i), []string{"desk-1", "desk-2", "desk-3"}
			if i%2 == 1 {
				desks = desks[:1]
			}
			m := flood(t, seed, desks, i%2 == 1)
			if m.worst > 10 || m.shown != 50 || m.slowest > 2*time.Second || m.missing > 0 || m.heads == 0 || m.silent > 150*time.Second {
				t.Errorf("seed %d, %d desks: %+v", seed, len(desks), m)
			}
			mu.Lock()
			defer mu.Unlock()
			total.worst, total.slowest, total.silent = max(total.worst, m.worst), max(total.slowest, m.slowest), max(total.silent, m.silent)
			total.perAlert += m.perAlert / time.Duration(seeds)
		})
	}
	work.Wait()
	t.Logf("%d seeds from %d: at most %d presentations at a desk within ten minutes; 50 of 50 P1 rows within %s, sounding within %s more; %s an alert",
		seeds, first, total.worst, total.slowest, total.silent, total.perAlert)
}
