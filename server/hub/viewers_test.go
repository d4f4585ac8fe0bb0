package hub

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/server/wire"
)

// witness is a well-behaved viewer that measures how long a change takes to reach it.
type witness struct {
	r    *room
	m    *mirror
	last *feeds.Thing
	n    float64
}

func (r *room) witness(t *testing.T) *witness {
	m := r.screen(t, "binary")
	m.say(`{"op":"view","bbox":[100.59,-0.81,100.61,-0.79],"zoom":14,"layers":["witness"]}`)
	m.hear("snapshot")
	return &witness{r: r, m: m}
}

// see makes a change and waits until it is seen.
func (w *witness) see() time.Duration {
	w.n++
	next := thing("f:witness", "witness", -0.8, 100.6, w.n)
	began := time.Now()
	w.r.change(w.last, next)
	w.last = next
	want := fmt.Sprintf("map[level:%v]", w.n)
	w.m.until("the witness sees "+want, func() bool { return strings.Contains(w.m.things["f:witness"], want) })
	return time.Since(began)
}

// p99 of what the witness sees in a while.
func (w *witness) p99(n int) time.Duration {
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = w.see()
	}
	slices.Sort(all)
	return all[n*99/100]
}

// harmless tells whether the witness sees as well beside something bad as it saw before: less than twice as late. The machine may be
// busy with other tests, so it may look three times.
func (w *witness) harmless(t *testing.T, before time.Duration, n int) {
	t.Helper()
	var beside time.Duration
	for range 3 {
		if beside = w.p99(n); beside <= 2*before {
			break
		}
	}
	t.Logf("p99 before %s, beside it %s", before, beside)
	const noise = 150 * time.Millisecond
	if beside > 2*before+noise {
		t.Errorf("p99 %s beside it, %s before: want less than twice", beside, before)
	}
}

// TestOneThatNeverReadsHarmsNobody: nothing but the newest waits for it, which costs the hub nothing, until it is silent too long.
func TestOneThatNeverReadsHarmsNobody(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Silence, cfg.Ping = 4*time.Second, time.Second
	r := newRoom(t, newStream(), "e1", cfg)
	w := r.witness(t)
	before := w.p99(20)
	deaf := make([]net.Conn, 20)
	for i := range deaf {
		c, err := net.Dial("tcp", r.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.(*net.TCPConn).SetReadBuffer(4096)
		if err := shake(c, here); err != nil {
			t.Fatal(err)
		}
		deaf[i] = c
	}
	stop := make(chan struct{})
	var load sync.WaitGroup
	load.Add(1)
	go func() { // so much that a socket nobody reads is soon full
		defer load.Done()
		var old []*feeds.Thing
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
			var list []Change
			for k := range 200 {
				th := thing(fmt.Sprint("f:", k), "bus", -0.82, 100.62, float64(i))
				th.Name = strings.Repeat("n", 1000+i%2)
				if old != nil {
					list = append(list, r.changed(old[k], th))
				} else {
					list = append(list, r.changed(nil, th))
				}
			}
			r.ThingsChanged(list)
		}
	}()
	w.harmless(t, before, 60)
	most := make(chan int, 1)
	r.call(func() {
		n := 0
		for c := range r.clients {
			c.out.mu.Lock()
			n = max(n, c.out.things)
			c.out.mu.Unlock()
		}
		most <- n
	})
	if n := <-most; n > mostWaiting {
		t.Errorf("%d messages wait for one that does not read", n)
	}
	until(t, 30*time.Second, "they are given up", func() bool { return r.conns.Load() == 1 || w.see() < 0 })
	close(stop)
	load.Wait()
}

// TestGarbageEndsInAClose: answered by errors, then closed with 1008.
func TestGarbageEndsInAClose(t *testing.T) {
	r := newRoom(t, newStream(), "e1", DefaultConfig())
	w := r.witness(t)
	before := w.p99(20)
	codes := make(chan int, 10)
	for range cap(codes) {
		s := r.sit(t)
		go func() {
			for i := range 200 {
				if s.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("{[", i))) != nil {
					break
				}
			}
		}()
		go func() {
			for {
				if _, _, err := s.ReadMessage(); err != nil {
					code := 0
					if e, ok := err.(*websocket.CloseError); ok {
						code = e.Code
					}
					codes <- code
					return
				}
			}
		}()
	}
	w.harmless(t, before, 20)
	policy := 0
	for range cap(codes) {
		if <-codes == wire.ClosePolicy {
			policy++
		}
	}
	if policy < cap(codes)/2 { // what a client still writes may overtake the code on its way
		t.Errorf("%d of %d were told why", policy, cap(codes))
	}
}

// TestTheWorldAtZoom22: answered by cells so coarse that the world holds fewer than 8,000 of them.
func TestTheWorldAtZoom22(t *testing.T) {
	var list []*feeds.Thing
	for i := range 10_000 {
		list = append(list, thing(fmt.Sprint("f:", i), "phone", -60+float64(i%100)*1.2, -170+float64(i/100)*3.4, 1))
	}
	cfg := DefaultConfig()
	cfg.Crowd = 5000
	r := newRoom(t, newStream(), "e1", cfg, list...)
	w := r.witness(t)
	before := w.p99(20)
	m := r.screen(t, "binary")
	m.say(`{"op":"view","bbox":[-180,-90,180,90],"zoom":22,"layers":["*"]}`)
	m.hear("snapshot")
	if len(m.things) > 0 || len(m.cells) == 0 || len(m.cells) > mostCells {
		t.Errorf("%d Things, %d cells", len(m.things), len(m.cells))
	}
	for k := range m.cells {
		if c, _ := geo.ParseCell(k[:15]); c.Resolution() != coarsestRes {
			t.Fatalf("%s is of resolution %d", k[:15], c.Resolution())
		}
		break
	}
	seen, ended := make(chan struct{}), make(chan struct{})
	go func() { // again and again
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-seen:
				return
			case <-time.After(100 * time.Millisecond):
			}
			_ = m.conn.WriteMessage(websocket.TextMessage, []byte(fmt.Sprintf(`{"op":"view","bbox":[-180,-%v,180,90],"zoom":22,"layers":["*"]}`, 90-float64(i%100)/10)))
		}
	}()
	w.harmless(t, before, 20)
	close(seen)
	<-ended
}

// TestOneThatPansTooFast: the newest view counts; too_many for what is more than 20 a second; closed with 1008 when it goes on.
func TestOneThatPansTooFast(t *testing.T) {
	r := newRoom(t, newStream(), "e1", DefaultConfig(), buses(500)...)
	w := r.witness(t)
	before := w.p99(20)
	s, began := r.sit(t), time.Now()
	ended := make(chan struct{})
	defer func() { <-ended }()
	go func() {
		defer close(ended)
		for i := range 400 {
			if s.WriteMessage(websocket.TextMessage, []byte(fmt.Sprintf(`{"op":"view","bbox":[%v,-0.9,100.7,-0.7],"zoom":11,"layers":["*"]}`, 100.5+float64(i)/1e4))) != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	done := make(chan [2]int, 1)
	go func() {
		snapshots, tooMany := 0, 0
		for {
			_, b, err := s.ReadMessage()
			if err != nil {
				if !websocket.IsCloseError(err, wire.ClosePolicy) {
					t.Errorf("ended by %v, want 1008", err)
				}
				done <- [2]int{snapshots, tooMany}
				return
			}
			if strings.HasPrefix(string(b), `{"type":"snapshot"`) {
				snapshots++
			}
			if strings.Contains(string(b), wire.ErrorTooMany) {
				tooMany++
			}
		}
	}()
	w.harmless(t, before, 20)
	got := <-done
	if got[0] == 0 || got[0] > 2+int(time.Since(began)/(100*time.Millisecond)) || got[1] != mostFaulty-1 {
		t.Errorf("%d snapshots, %d times too_many", got[0], got[1])
	}
}

// TestManyComeBackAtOnce: their views are answered from one snapshot, a tick's worth at a time; who is there already notices nothing.
func TestManyComeBackAtOnce(t *testing.T) {
	const many = 200 // more than a tick's worth; make bench brings thousands
	r := newRoom(t, newStream(), "e1", DefaultConfig(), buses(2000)...)
	w := r.witness(t)
	before := w.p99(20)
	began := time.Now()
	crowd(t, r.server.Listener.Addr().String(), many, here)
	w.harmless(t, before, 20)
	until(t, 30*time.Second, "all have their snapshot", func() bool {
		got := make(chan int, 1)
		r.call(func() {
			n := 0
			for c := range r.clients {
				if c.live {
					n++
				}
			}
			got <- n
		})
		return <-got == many+1
	})
	t.Logf("%d came back within %s", many, time.Since(began))
	built := make(chan int, 1)
	r.call(func() { built <- r.built })
	if n := <-built; n > many/5 {
		t.Errorf("%d snapshots were built for %d viewers of one view", n, many)
	}
}
