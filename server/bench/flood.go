package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kentongan/alerts/alarm"
)

// benchFlood lets 20,000 alerts come in within ten minutes, fifty of them about lives, and counts what the socket of one staffed desk presents, and
// how long after the sender's first try. A sender that is told to come again does, after two seconds. The minutes are true ones: a flood is one by
// the clock.
func benchFlood(bin string, short bool) ([]figure, error) {
	n, planted, length := 20_000, 50, 10*time.Minute
	if short {
		n, planted, length = 2_000, 10, time.Minute
	}
	dir, done, err := scratch()
	if err != nil {
		return nil, err
	}
	defer done()
	s, err := startOn(bin, dir, "profile: solok\nfeeds:\n  - {name: kapos, format: native, transport: push, agency: bpbd}\n")
	if err != nil {
		return nil, err
	}
	defer s.kill()
	var mu sync.Mutex
	sent, shown := map[string]time.Time{}, map[string]time.Time{}
	items := map[string]presentation{} // by alarm
	c, err := s.staff("desk-1", "100,-2,102,0", func(kind string, raw []byte) {
		if kind != "alarm" {
			return
		}
		at := time.Now()
		var m struct{ Alarm alarm.Alarm }
		if json.Unmarshal(raw, &m) != nil || !m.Alarm.Presented {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if was, known := items[m.Alarm.ID]; known {
			items[m.Alarm.ID] = presentation{was.at, m.Alarm}
		} else {
			items[m.Alarm.ID] = presentation{at, m.Alarm}
		}
		if _, known := shown[m.Alarm.Event]; !known && strings.HasPrefix(m.Alarm.Event, "Nyawa") {
			shown[m.Alarm.Event] = at
		}
	})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	lives := map[int]bool{}
	for len(lives) < planted {
		lives[rand.IntN(n)] = true
	}
	events := []string{"Listrik padam", "Genangan banjir", "Pohon tumbang", "Angin kencang", "Jalan tertutup", "Muka air tinggi"}
	began := time.Now()
	const each = 10
	var wg sync.WaitGroup
	errs := make(chan error, n/each+1)
	var again atomic.Int64
	room := make(chan struct{}, 16)
	for from := 0; from < n; from += each {
		time.Sleep(time.Until(began.Add(length * time.Duration(from) / time.Duration(n))))
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			body := lines(each, func(i int) string {
				k := from + i
				event, grade := events[k%len(events)], []string{"Moderate", "Minor", "Moderate", "Severe"}[k%4]
				if lives[k] {
					event, grade = fmt.Sprintf("Nyawa terancam %d", k), "Extreme"
					mu.Lock()
					sent[event] = time.Now()
					mu.Unlock()
				}
				lat, lng := place(k)
				return fmt.Sprintf(`{"record":"alert","identifier":"F-%d","sender":"kapos@solok.example","sent":%q,"event":%q,"category":"Safety","urgency":"Immediate","severity":%q,"certainty":"Observed","headline":%q,"lng":%.5f,"lat":%.5f}`,
					k, time.Now().UTC().Format(time.RFC3339Nano), event, grade, event, lng, lat)
			})
			err := s.push("kapos", body, each)
			for end := time.Now().Add(time.Minute); err != nil && time.Now().Before(end); err = s.push("kapos", body, each) {
				again.Add(1)
				time.Sleep(2 * time.Second)
			}
			if err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	select {
	case err := <-errs:
		return nil, err
	default:
	}
	seen := func() int { mu.Lock(); defer mu.Unlock(); return len(shown) }
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && seen() < planted; time.Sleep(50 * time.Millisecond) {
	}
	mu.Lock()
	defer mu.Unlock()
	var after []time.Duration
	for event, at := range sent {
		if when, ok := shown[event]; ok {
			after = append(after, when.Sub(at))
		}
	}
	slices.Sort(after)
	late := 0
	for _, d := range after {
		if d > 2*time.Second {
			late++
		}
	}
	var others []presentation
	for _, p := range items {
		if !strings.HasPrefix(p.Event, "Nyawa") {
			others = append(others, p)
		}
	}
	worst := worstWindow(others)
	told := make([]string, 0, len(others))
	for _, p := range others {
		told = append(told, p.told(began))
	}
	return []figure{
		{fmt.Sprintf("flood of %d alerts in %s: life-safety shown", n, took.Round(time.Second)), fmt.Sprintf("%d of %d <= 2 s", planted, planted),
			fmt.Sprintf("%d of %d; %d later than 2 s; %s, worst %s; told to come again: %d", len(after), planted, late, spread(after), ms(percentile(after, 1)), again.Load())},
		{"flood: other operator items presented to a staffed desk in any 10 min", "<= 10", fmt.Sprintf("%d of %d in all: %s", worst, len(others), strings.Join(told, "; "))},
	}, nil
}

// presentation is an alarm that a desk was shown, and when first.
type presentation struct {
	at time.Time
	alarm.Alarm
}

// told is a presentation in words: when after the beginning, what, how urgent, for how many it stood at last, at which desk.
func (p presentation) told(began time.Time) string {
	kind := cmp.Or(string(p.Code), "alert")
	return fmt.Sprintf("%+.0f s %s %s %q of %d at %q", p.at.Sub(began).Seconds(), kind, p.Priority, p.Event, p.Members, p.Desk)
}

// worstWindow sorts presentations by time, and is how many of them fell within one window of the governor's at most.
func worstWindow(list []presentation) int {
	slices.SortFunc(list, func(a, b presentation) int { return a.at.Compare(b.at) })
	worst, from := 0, 0
	for i := range list {
		for list[i].at.Sub(list[from].at) >= alarm.Window {
			from++
		}
		worst = max(worst, i-from+1)
	}
	return worst
}
