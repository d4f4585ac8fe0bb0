package hub

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/feeds"
)

// TestViewsOfOneThatNeverReadsDoNotPileUp: each view is answered by everything in it; a client that asks on and reads nothing must not
// fill the memory with answers.
func TestViewsOfOneThatNeverReadsDoNotPileUp(t *testing.T) {
	var list []*feeds.Thing
	for i := range 2000 {
		th := thing(fmt.Sprint("f:", i), "bus", -0.8, 100.6, float64(i))
		th.Name = strings.Repeat("n", 1000)
		list = append(list, th)
	}
	r := newRoom(t, newStream(), "e1", quick(), list...)
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(r.server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range 50 { // within what may be said at once
		if err := conn.WriteMessage(websocket.TextMessage, []byte(fmt.Sprintf(`{"op":"view","bbox":[100.5,-0.9,100.7,-0.7],"zoom":%d,"layers":["*"]}`, i))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // the hub looks at views once a tick
		waiting := make(chan int, 1)
		r.call(func() {
			r.tick()
			for c := range r.clients {
				c.out.mu.Lock()
				waiting <- c.out.things
				c.out.mu.Unlock()
				return
			}
			waiting <- 0
		})
		if n := <-waiting; n > 2 {
			t.Fatalf("%d snapshots wait after %d views", n, i+1)
		}
	}
	// Whoever reads at last gets the newest view, and then what changes.
	s := &seat{t, conn}
	s.hear("snapshot")
	r.ThingsChanged([]Change{r.changed(list[0], thing("f:0", "bus", -0.8, 100.6, 4711))})
	for {
		for _, th := range s.hear("things", "snapshot").Things {
			if th.State["level"].Value == 4711.0 {
				return
			}
		}
	}
}
