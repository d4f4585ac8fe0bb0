package hub

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// truth is a city that changes at random, and what screens must show of it.
type truth struct {
	r      *room
	chance *rand.Rand
	things map[string]*feeds.Thing
}

var kindsOfTruth = []string{"bus", "river_gauge", "air_quality"}

// next changes one Thing: it comes, moves, crosses the border of the view, reports another value, gets another name or kind.
func (w *truth) next() {
	id := fmt.Sprint("f:", w.chance.IntN(60))
	old := w.things[id]
	var t *feeds.Thing
	if old == nil {
		t = thing(id, kindsOfTruth[w.chance.IntN(3)], -0.8, 100.6, 1)
	} else {
		t = old.Clone()
		now := moment.Of(time.Now())
		t.At, t.ReceivedAt = now, now
	}
	switch w.chance.IntN(8) {
	case 0:
		t.Name = fmt.Sprint("name ", w.chance.IntN(5))
	case 1:
		t.Kind = kindsOfTruth[w.chance.IntN(3)]
	case 2:
		t.StaleAfter = moment.Of(t.At.Add(time.Duration(1+w.chance.IntN(100)) * time.Second))
	case 3:
		t.State["level"] = feeds.Reading{Value: feeds.Value{Num: float64(w.chance.IntN(1000))}, At: t.At, ReceivedAt: t.At, Quality: feeds.Good}
	case 4:
		t.State["speed"] = feeds.Reading{Value: feeds.Value{Num: float64(w.chance.IntN(20))}, At: t.At, ReceivedAt: t.At, Quality: feeds.Good}
	default:
		t.Position = geo.Position{Lat: float64(w.chance.IntN(60000)-110000) / 1e5, Lng: float64(w.chance.IntN(60000)+10030000) / 1e5}
		t.Cell, _ = geo.CellAt(t.Position, geo.ResThing)
	}
	w.things[id] = t
	w.r.ThingsChanged([]Change{w.r.changed(old, t)})
}

// shown is what a screen of the view shows: Things of every bucket that it touches.
func (w *truth) shown(bound geo.Bound, wants wants) map[string]string {
	out := map[string]string{}
	for _, t := range w.things {
		if !wants(t.Kind, "") || !bound.Intersects(padded(t.Cell.Parent(geo.ResFrame), padBucket)) {
			continue
		}
		state := map[string]string{}
		for k, r := range t.State {
			state[k] = fmt.Sprint(r.Value.Num)
		}
		out[t.ID] = textOf(t.Name, t.Position.Lng, t.Position.Lat, state)
	}
	return out
}

// TestEveryScreenShowsTheCity: whatever changes, however slowly a screen reads, whatever it looks at in between, in the end it shows
// what is there: in both forms, with all layers and with some.
func TestEveryScreenShowsTheCity(t *testing.T) {
	for _, form := range []string{"json", "binary"} {
		for _, layers := range []string{`"*"`, `"bus","air_quality"`} {
			for _, slow := range []bool{false, true} {
				t.Run(fmt.Sprint(form, layers, slow), func(t *testing.T) {
					t.Parallel()
					cfg := quick()
					cfg.Tick = 5 * time.Millisecond
					w := &truth{r: newRoom(t, newStream(), "e1", cfg), chance: rand.New(rand.NewPCG(1, 2)), things: map[string]*feeds.Thing{}}
					for range 100 {
						w.next()
					}
					m := w.r.screen(t, form)
					bound := geo.Bound{West: 100.4, South: -1, East: 100.7, North: -0.7}
					m.say(fmt.Sprintf(`{"op":"view","bbox":[100.4,-1,100.7,-0.7],"zoom":12,"layers":[%s]}`, layers))
					m.hear("snapshot")
					for i := range 3000 {
						if slow && i == 500 { // it lags: nothing goes out but what waits
							w.r.lagAll(t)
						}
						if slow && i == 2000 {
							m.say(fmt.Sprintf(`{"op":"view","bbox":[100.4,-1,100.7,-0.7],"zoom":11,"layers":[%s]}`, layers))
						}
						w.next()
						if i%20 == 0 {
							time.Sleep(time.Millisecond) // traffic, not a wait for anything
						}
					}
					wants := wantsOf("*", every, false)
					if layers != `"*"` {
						wants = wantsOf(layersOf([]string{"bus", "air_quality"}), every, false)
					}
					want := w.shown(bound, wants)
					m.shows(func() map[string]string { return m.things }, want)
				})
			}
		}
	}
}

// lagAll makes every client lag, as if it had not read.
func (r *room) lagAll(t testing.TB) {
	t.Helper()
	done := make(chan struct{})
	r.call(func() {
		for c := range r.clients {
			if c.live && c.lagging == 0 {
				r.lag(c, r.city.tick+1)
				c.out.mu.Lock()
				c.out.things++ // it has no room
				c.out.mu.Unlock()
				time.AfterFunc(100*time.Millisecond, func() {
					c.out.mu.Lock()
					c.out.things--
					c.out.mu.Unlock()
				})
			}
		}
		close(done)
	})
	<-done
}

func TestMovingWritesNoColumns(t *testing.T) {
	a := thing("f:a", "bus", -0.8, 100.6, 1)
	a.StaleAfter = moment.Of(a.At.Add(10 * time.Second))
	r := newRoom(t, newStream(), "e1", quick(), a)
	m := r.screen(t, "binary")
	m.say(here)
	m.hear("snapshot")
	if m.columns != 1 || m.announce != 1 || len(m.things) != 1 {
		t.Fatalf("snapshot: %d columns, %d announcements, %v", m.columns, m.announce, m.things)
	}
	step := func(what string, change func(*feeds.Thing), columns, announce int) {
		t.Helper()
		n := a.Clone()
		n.At = moment.Of(a.At.Add(time.Second))
		n.ReceivedAt, n.StaleAfter = n.At, moment.Of(n.At.Add(a.StaleAfter.Sub(a.At.Time)))
		change(n)
		r.change(a, n)
		a = n
		m.hear("things")
		if m.columns != columns || m.announce != announce {
			t.Errorf("%s: %d columns, %d announcements, want %d, %d", what, m.columns, m.announce, columns, announce)
		}
	}
	nudge := func(n *feeds.Thing) { n.Position.Lng += 1e-5 }
	step("moved", nudge, 0, 0)
	step("faster", func(n *feeds.Thing) {
		n.State["speed"] = feeds.Reading{Value: feeds.Value{Num: 7}, At: n.At, ReceivedAt: n.At, Quality: feeds.Good}
	}, 0, 0)
	step("another value", func(n *feeds.Thing) {
		n.State["level"] = feeds.Reading{Value: feeds.Value{Num: 7}, At: n.At, ReceivedAt: n.At, Quality: feeds.Good}
	}, 1, 0)
	step("another name", func(n *feeds.Thing) { n.Name = "other" }, 0, 1)
	step("a little later stale", func(n *feeds.Thing) { n.StaleAfter = moment.Of(n.At.Add(11 * time.Second)) }, 0, 0)
	step("much later stale", func(n *feeds.Thing) { n.StaleAfter = moment.Of(n.At.Add(20 * time.Second)) }, 0, 1)
	step("another bucket", func(n *feeds.Thing) {
		n.Position = geo.Position{Lat: -0.85, Lng: 100.55}
		n.Cell, _ = geo.CellAt(n.Position, geo.ResThing)
	}, 1, 1)
	step("moved again", nudge, 0, 0)
	if m.things["f:a"] == "" || len(m.things) != 1 {
		t.Errorf("shown: %v", m.things)
	}
}

// TestSlotsAreReused: a slot that another Thing has now takes the old one off every screen.
func TestSlotsAreReused(t *testing.T) {
	a := thing("f:a", "bus", -0.8, 100.6, 1)
	r := newRoom(t, newStream(), "e1", quick(), a)
	screens := []*mirror{r.screen(t, "json"), r.screen(t, "binary")}
	for _, m := range screens {
		m.say(here)
		m.hear("snapshot")
	}
	r.pic.Remove("f:a")
	r.change(nil, thing("f:b", "bus", -0.8, 100.6, 2))
	for _, m := range screens {
		m.until("b stands in place of a", func() bool { return m.things["f:a"] == "" && m.things["f:b"] != "" })
	}
}

func TestARowIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(row{}); n+8 > 48 {
		t.Errorf("a row takes %d B, its number in a bucket up to 8", n)
	}
}

// TestWhatIsOutsideTheViewIsNotLookedAt: a tick visits the scopes of buckets that changed, and no others.
func TestWhatIsOutsideTheViewIsNotLookedAt(t *testing.T) {
	near, far := thing("f:near", "bus", -0.8, 100.6, 1), thing("f:far", "bus", -3, 103, 1)
	r := newRoom(t, newStream(), "e1", quick(), near, far)
	m := r.screen(t, "binary")
	m.say(here)
	m.hear("snapshot")
	r.change(far, thing("f:far", "bus", -3.01, 103, 2))
	r.change(nil, thing("f:new", "bus", -4, 104, 2))
	r.change(near, thing("f:near", "bus", -0.8, 100.6, 2))
	m.hear("things")
	if len(m.things) != 1 {
		t.Errorf("shown: %v", m.things)
	}
	got := make(chan int, 1)
	r.call(func() {
		n := 0
		for _, b := range r.city.buckets {
			if b != nil {
				n += len(b.scopes)
			}
		}
		got <- n
	})
	if n := <-got; n != 1 {
		t.Errorf("%d buckets know a view that touches 1", n)
	}
}
