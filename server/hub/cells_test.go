package hub

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// tell puts an alert that a rule holds on a Thing into the stream.
func (f *fakeStream) tell(id, thing, severity, state string) {
	f.doc("alert", id, fmt.Sprintf(`{"id":%q,"thing":%q,"severity":%q,"state":%q}`, id, thing, severity, state))
}

func viewAt(zoom float64, layers string) string {
	return fmt.Sprintf(`{"op":"view","bbox":[100.4,-1,100.7,-0.7],"zoom":%v,"layers":[%s]}`, zoom, layers)
}

var solok = geo.Bound{West: 100.4, South: -1, East: 100.7, North: -0.7}

// asked is what Cells answers, as a mirror shows it.
func (r *room) asked(t testing.TB, b geo.Bound, res geo.Resolution, layers ...string) map[string]string {
	t.Helper()
	list, err := r.Cells(t.Context(), b, res, layers, true)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, c := range list {
		v := math.NaN()
		if c.Value != nil {
			v = *c.Value
		}
		out[c.Cell.String()+c.Layer] = cellText(c.Count, v, c.Severity, c.Observers, c.Unobserved, c.ObservedAt.Milli(), c.StaleAfter.Milli())
	}
	return out
}

// within leaves the cells that Cells answers too: a view is widened to whole tiles.
func (m *mirror) within(b geo.Bound) func() map[string]string {
	return func() map[string]string {
		out := map[string]string{}
		for k, v := range m.cells {
			c, err := geo.ParseCell(k[:15])
			if err != nil {
				m.t.Fatal(err)
			}
			if b.Intersects(geo.BoundOf(c.Boundary()...)) {
				out[k] = v
			}
		}
		return out
	}
}

// TestCellsShowTheCity: at every resolution and in both forms, through changes, lagging and alerts, the cells of the socket are those
// that Cells answers.
func TestCellsShowTheCity(t *testing.T) {
	for _, form := range []string{"json", "binary"} {
		for _, c := range []struct {
			zoom float64
			res  geo.Resolution
		}{{4, 3}, {5.5, 4}, {7, 5}, {8.9, 6}, {9, 7}, {11, 8}, {13, 9}, {14, 10}} {
			t.Run(fmt.Sprint(form, c.res), func(t *testing.T) {
				t.Parallel()
				cfg := quick()
				cfg.Tick, cfg.Crowd = 5*time.Millisecond, -1
				bound := solok
				switch c.res { // so many cells fit a smaller view only
				case 9:
					bound.East, bound.North = 100.62, -0.75
				case 10:
					bound.West, bound.South, bound.North = 100.61, -0.84, -0.75
				}
				w := &truth{r: newRoom(t, newStream(), "e1", cfg), chance: rand.New(rand.NewPCG(3, 4)), things: map[string]*feeds.Thing{}}
				for range 60 {
					w.next()
				}
				m := w.r.screen(t, form)
				m.say(fmt.Sprintf(`{"op":"view","bbox":[%v,%v,%v,%v],"zoom":%v,"layers":["bus","air_quality"]}`, bound.West, bound.South, bound.East, bound.North, c.zoom))
				m.hear("snapshot")
				if len(m.cells) == 0 || len(m.things) > 0 {
					t.Fatalf("%d cells, %d Things", len(m.cells), len(m.things))
				}
				for i := range 1500 {
					switch {
					case i == 300, i == 900:
						w.r.lagAll(t)
					case i%100 == 7:
						w.r.stream.tell("A"+fmt.Sprint(i%3), fmt.Sprint("f:", w.chance.IntN(60)), []string{"Extreme", "Minor", "Unknown"}[i%3], "active")
					case i%100 == 57:
						w.r.stream.tell("A"+fmt.Sprint(i%3), "f:0", "Minor", "resolved")
					}
					w.next()
					if i%20 == 0 {
						time.Sleep(time.Millisecond) // traffic, not a wait for anything
					}
				}
				time.Sleep(20 * time.Millisecond)
				m.shows(m.within(bound), w.r.asked(t, bound, c.res, "bus", "air_quality"))
			})
		}
	}
}

// TestACrowdTurnsIntoCellsAndBack: above so many Things in view, and again at a tenth fewer; the first message after is the whole view.
func TestACrowdTurnsIntoCellsAndBack(t *testing.T) {
	var list []*feeds.Thing
	for i := range 2_010 {
		list = append(list, thing(fmt.Sprint("f:", i), "phone", -0.9+float64(i%50)/300, 100.5+float64(i/50)/300, float64(i)))
	}
	cfg := quick()
	if cfg.Crowd != 20_000 {
		t.Errorf("a crowd is %d Things, want 20,000", cfg.Crowd)
	}
	cfg.Crowd = 2000
	r := newRoom(t, newStream(), "e1", cfg, list[:1_990]...)
	for form, c := range map[string]struct {
		zoom float64
		res  geo.Resolution
	}{"binary": {9.5, 7}, "json": {11, 8}} {
		m := r.screen(t, form)
		m.say(viewAt(c.zoom, `"*"`))
		m.hear("snapshot")
		if len(m.things) != 1_990 || len(m.cells) > 0 {
			t.Fatalf("zoom %v: %d Things, %d cells", c.zoom, len(m.things), len(m.cells))
		}
		var more []Change
		for _, th := range list[1_990:] {
			more = append(more, r.changed(nil, th))
		}
		r.ThingsChanged(more)
		m.hear("cells")
		m.shows(m.within(solok), r.asked(t, solok, c.res))
		if len(m.things) > 0 {
			t.Errorf("%d Things beside cells", len(m.things))
		}
		r.take(list[1_790:]) // they leave
		m.hear("things")
		if len(m.things) != 1_790 || len(m.cells) > 0 {
			t.Errorf("back: %d Things, %d cells", len(m.things), len(m.cells))
		}
		_ = m.conn.Close()
		more = more[:0]
		for _, th := range list[1_790:1_990] {
			more = append(more, r.changed(nil, th))
		}
		r.ThingsChanged(more)
	}
}

// take moves Things far away.
func (r *room) take(list []*feeds.Thing) {
	var changes []Change
	for _, th := range list {
		gone := th.Clone()
		gone.Position = geo.Position{Lat: 5, Lng: 95}
		gone.Cell, _ = geo.CellAt(gone.Position, geo.ResThing)
		changes = append(changes, r.changed(th, gone))
	}
	r.ThingsChanged(changes)
}

func TestTimeAloneHatchesACell(t *testing.T) {
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	a, b := thing("f:a", "river_gauge", -0.8, 100.6, 0), thing("g:b", "river_gauge", -0.8, 100.6, 0)
	b.Feed = "other"
	b.At = moment.Of(a.At.Add(-time.Second))
	for i, th := range []*feeds.Thing{a, b} {
		th.State = map[string]feeds.Reading{"water_level": {Value: feeds.Value{Num: float64(3 - 2*i)}, At: th.At, ReceivedAt: th.At, Quality: feeds.Good}}
		th.StaleAfter = moment.Of(th.At.Add(time.Duration(i+1) * time.Hour))
	}
	r := newRoomAt(t, newStream(), "e1", quick(), clock, a, b)
	m := r.screen(t, "binary")
	m.say(viewAt(8, `"*"`))
	m.hear("snapshot")
	show := func(v float64, observers []string, unobserved bool) func() bool {
		return func() bool {
			for _, c := range m.cells {
				return strings.HasPrefix(c, strings.SplitAfter(cellText(2, v, "", observers, unobserved, 1, 1), "]")[0]+" "+fmt.Sprint(unobserved))
			}
			return false
		}
	}
	m.until("the larger value, two observers", show(3, []string{"awlr", "other"}, false))
	ahead.Store(int64(90 * time.Minute))
	m.until("the value of the one that is fresh", show(1, []string{"other"}, false))
	ahead.Store(int64(3 * time.Hour))
	m.until("nobody sees it: the newest", show(3, []string{}, true))
}

func TestSeverityFollowsAlerts(t *testing.T) {
	a := thing("f:a", "bus", -0.8, 100.6, 1)
	r := newRoom(t, newStream(), "e1", quick(), a)
	m := r.screen(t, "json")
	m.say(viewAt(8, `"*"`))
	m.hear("snapshot")
	severity := func(want string) func() bool {
		return func() bool {
			for _, c := range m.cells {
				return strings.Contains(c, want)
			}
			return false
		}
	}
	for _, s := range []struct{ id, severity, state, want string }{
		{"A1", "Minor", "active", "Minor"}, {"A2", "Severe", "active", "Severe"}, {"A2", "Severe", "resolved", "Minor"}, {"A1", "Minor", "expired", "1 NaN[awlr]"},
	} {
		r.stream.tell(s.id, "f:a", s.severity, s.state)
		m.until(s.id+" "+s.state, severity(s.want))
	}
}

// TestTheRealAndTheSimulatedDoNotMeet: where both are in a cell, it shows the real ones only.
func TestTheRealAndTheSimulatedDoNotMeet(t *testing.T) {
	a, b := thing("f:a", "bus", -0.8, 100.6, 1), thing("s:b", "bus", -0.8, 100.6, 99)
	b.Feed, b.Simulated = "simulator", true
	r := newRoom(t, newStream(), "e1", quick(), b)
	m := r.screen(t, "json")
	m.say(viewAt(8, `"*"`))
	m.hear("snapshot")
	one := func(feed string) func() bool {
		return func() bool {
			for _, c := range m.cells {
				return strings.Contains(c, "["+feed+"]") && strings.HasPrefix(c, "1")
			}
			return false
		}
	}
	m.until("the simulated alone", one("simulator"))
	r.change(nil, a)
	m.until("the real one", one("awlr"))
}

func TestCellsSaysWhatFits(t *testing.T) {
	var list []*feeds.Thing
	for i := range 21_000 {
		list = append(list, thing(fmt.Sprint("f:", i), "phone", -5+float64(i%150)/50, 100+float64(i/150)/50, 1))
	}
	r := newRoom(t, newStream(), "e1", quick(), list...)
	_, err := r.Cells(t.Context(), geo.Bound{West: 90, South: -10, East: 110, North: 10}, 9, nil, true)
	var many *ManyCells
	if !errors.As(err, &many) || many.Fits == 0 {
		t.Fatalf("%v", err)
	}
	if _, err := r.Cells(t.Context(), geo.Bound{West: 90, South: -10, East: 110, North: 10}, many.Fits, nil, true); err != nil {
		t.Errorf("what fits does not: %v", err)
	}
	world := geo.Bound{West: -180, South: -90, East: 180, North: 90}
	if got, err := r.Cells(t.Context(), world, 0, []string{"phone"}, true); err != nil || len(got) == 0 || got[0].Cell.Resolution() != LeastRes {
		t.Errorf("the world: %d cells, %v", len(got), err)
	}
	if got, err := r.Cells(t.Context(), world, 0, []string{"bus"}, true); err != nil || len(got) != 0 {
		t.Errorf("a layer without Things: %d cells, %v", len(got), err)
	}
}

func TestResolutionsFitTheView(t *testing.T) {
	world := geo.Bound{West: -180, South: -90, East: 180, North: 90}
	small := geo.Bound{West: 100.6, South: -0.81, East: 100.61, North: -0.8}
	for _, c := range []struct {
		zoom float64
		b    geo.Bound
		want geo.Resolution
	}{{22, solok, 8}, {3, solok, 3}, {5, solok, 4}, {6, solok, 5}, {7.5, solok, 6}, {9, solok, 7}, {10.5, solok, 8}, {12, solok, 8}, {13, small, 9}, {14, small, 10}, {22, world, 2}, {0, world, 2}} {
		if got := fitting(resAt(c.zoom), c.b, mostCells); got != c.want {
			t.Errorf("zoom %v of %v: resolution %d, want %d", c.zoom, c.b, got, c.want)
		}
	}
	if n := area(world) / 510e6; n < .99 || n > 1.01 {
		t.Errorf("the world measures %v of itself", n)
	}
}
