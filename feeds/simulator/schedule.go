package simulator

import "time"

// agenda is a heap of Things by when they scan next.
type agenda struct {
	things []thing
	order  []int32
}

func (a *agenda) less(i, j int) bool {
	x, y := &a.things[a.order[i]], &a.things[a.order[j]]
	if x.next != y.next {
		return x.next < y.next
	}
	return a.order[i] < a.order[j]
}

func (a *agenda) down(i int) {
	for {
		least := i
		for child := 4*i + 1; child <= 4*i+4 && child < len(a.order); child++ {
			if a.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		a.order[i], a.order[least] = a.order[least], a.order[i]
		i = least
	}
}

// open sets the clock: everybody scans for the first time within its own scan interval from now on.
func (c *City) open(ms int64) *agenda {
	a := &agenda{things: c.things, order: make([]int32, len(c.things))}
	for i := range c.things {
		t := &c.things[i]
		step := specs[t.kind].scan.Milliseconds()
		t.next = floorDiv(ms-c.phase(t)+step-1, step)*step + c.phase(t)
		t.last = 0
		a.order[i] = int32(i)
	}
	for i := len(a.order) / 4; i >= 0; i-- {
		a.down(i)
	}
	return a
}

// rhythm is the Things that go into one delivery: those of one declared interval.
type rhythm struct {
	interval time.Duration
	every    int64 // ms between its deliveries
	writer   writer
}

// rhythms by kind; kinds of one interval share one.
func rhythmsOf() (list []*rhythm, of [kinds]*rhythm) {
	for k := range kinds {
		for _, r := range list {
			if r.interval == specs[k].interval {
				of[k] = r
			}
		}
		if of[k] == nil {
			r := &rhythm{interval: specs[k].interval}
			switch {
			case r.interval <= 5*time.Second:
				r.every = 500
			case r.interval <= 30*time.Second:
				r.every = 1000
			default:
				r.every = 2000
			}
			of[k], list = r, append(list, r)
		}
	}
	return list, of
}

// Most of what waits to be told while nobody takes it.
const (
	oldestMS  = 60 * secondMS // what a Thing should have said before that is not made up for
	mostLines = 20_000        // of one interval; what falls due beyond is lost, as by a device whose memory is full
)

// run lets everything that is due up to a moment happen, in the order of time.
func (a *agenda) run(c *City, to int64, of *[kinds]*rhythm) {
	for len(a.order) > 0 {
		t := &a.things[a.order[0]]
		if t.next > to {
			return
		}
		step := specs[t.kind].scan.Milliseconds()
		if to-t.next > oldestMS {
			t.next += (to - t.next - oldestMS + step - 1) / step * step
			a.down(0)
			continue
		}
		// A little late by chance, as clocks and networks are, but never twice at once or out of order.
		late := int64(unit(hash(t.seed, uint64(t.next))) * float64(min(step/20, 400)))
		if w := &of[t.kind].writer; w.lines < mostLines {
			c.scan(t, t.next-late, w)
		}
		t.next += step
		a.down(0)
	}
}
