package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/alerts/alarm"
	"kentongan/alerts/ladder"
	"kentongan/alerts/store"
	"kentongan/geo/redistest"
)

// urgent is several servers' settings in which every crossing must be seen, and climbs fast. Between the wall and duty another server has time to
// take over: a lease lasts eight seconds.
var urgent = strings.Replace(several, "severity: Severe", "severity: Extreme", 1) + `
ladder: {desks: 1s, wall: 2s, duty: 20s, leadership: 22s}
`

// alarmOn waits for the alarm of a Thing.
func alarmOn(t *testing.T, r *running, thing string) (a alarm.Alarm) {
	t.Helper()
	eventually(t, 20*time.Second, "the alarm of "+thing, func() bool {
		list, _, err := r.cases.Alarms(t.Context(), store.AlarmQuery{Query: store.Query{Status: "open"}, Thing: thing})
		if err != nil || len(list) != 1 || !list[0].Presented {
			return false
		}
		a = list[0]
		return true
	})
	if a.Priority != alarm.P1 || !ladder.Watched(&a) {
		t.Fatalf("it need not be seen: %+v", a)
	}
	return a
}

// rungs are where an alarm climbed, in its order.
func rungs(a *alarm.Alarm) (out []alarm.Rung) {
	for _, c := range a.Climbed {
		out = append(out, c.To)
	}
	return out
}

func crossing(t *testing.T, r *running, thing string) {
	t.Helper()
	body := fmt.Sprintf(`{"thing":%q,"property":"water_level","value":3.4,"lat":-0.83,"lng":100.63}`, thing)
	if code, doc := r.ask("POST", "/api/v1/ingest/awlr", body); code != http.StatusAccepted {
		t.Fatal(code, doc)
	}
}

// desk is the live socket of a browser that is signed in.
func (c *caller) desk(at *running) *websocket.Conn {
	c.t.Helper()
	var cookies []string
	for name, value := range c.cookies {
		cookies = append(cookies, name+"="+value)
	}
	dialer := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}
	conn, _, err := dialer.Dial("ws://"+at.Addr()+"/api/v1/live?format=json", http.Header{"Cookie": {strings.Join(cookies, "; ")}, "Origin": {"http://" + at.Addr()}})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"op":"view","bbox":[100,-2,101.5,0],"zoom":11,"layers":["*"]}`)); err != nil {
		c.t.Fatal(err)
	}
	go func() { // what is not read stops the server's writes
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	return conn
}

// The server that lets alarms climb dies between two rungs: the other goes on, and each rung is climbed once. Painted at a staffed desk over a true
// socket and acknowledged there, an alarm is seen and climbs no more; painted by whoever sits at no desk it is not.
func TestTheLadderGoesOnElsewhereAndEndsWhereItIsSeen(t *testing.T) {
	t.Parallel() // it mostly waits
	place := redistest.Private(t).URL()
	a, b := beside(t, "a", place, urgent), beside(t, "b", place, urgent)
	judges := func(r *running) bool { return slices.Contains(r.leases.holds(), rulesLease) }
	eventually(t, 20*time.Second, "one server has the lease", func() bool { return judges(a) || judges(b) })
	first, other := a, b
	if judges(b) {
		first, other = b, a
	}
	crossing(t, other, "t1")
	one := alarmOn(t, other, "awlr:t1")
	now := func(id string) alarm.Alarm {
		got, err := other.cases.Alarm(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	eventually(t, 15*time.Second, "two rungs are climbed", func() bool { got := now(one.ID); return len(got.Climbed) >= 2 })
	if got := now(one.ID); !slices.Equal(rungs(&got), []alarm.Rung{ladder.Desks, ladder.Wall}) || got.Climbed[0].Why != alarm.WhyUnstaffed {
		t.Fatalf("climbed %+v", got.Climbed)
	}
	first.kill()
	eventually(t, 40*time.Second, "the other server climbs the rest", func() bool { got := now(one.ID); return len(got.Climbed) >= 4 })
	took := time.Since(one.PresentAt.Time)
	eventually(t, 5*time.Second, "every rung is climbed once", func() bool {
		got := now(one.ID)
		return slices.Equal(rungs(&got), []alarm.Rung{ladder.Desks, ladder.Wall, ladder.Duty, ladder.Leadership})
	})
	t.Logf("the last rung, due after 22 s, was climbed after %s", took.Round(100*time.Millisecond))

	// A person sits down at a desk of the server that is left.
	_, sari := newPerson(t, other, "sari", "operator")
	sari.must(other, "PUT", "/api/v1/session/desk", map[string]any{"desk": "desk-1"}, http.StatusOK)
	_, budi := newPerson(t, other, "budi", "operator") // who sits nowhere
	seat, nowhere := sari.desk(other), budi.desk(other)
	crossing(t, other, "t2")
	two := alarmOn(t, other, "awlr:t2")
	say := func(c *websocket.Conn) {
		t.Helper()
		if err := c.WriteMessage(websocket.TextMessage, []byte(`{"op":"painted","alarms":["`+two.ID+`"]}`)); err != nil {
			t.Fatal(err)
		}
	}
	say(nowhere)
	sari.must(other, "POST", "/api/v1/alarms/"+two.ID+"/acknowledge", map[string]any{"version": two.Version}, http.StatusOK)
	if got := now(two.ID); got.Painted != nil || got.Seen != nil {
		t.Errorf("painted at no desk, and taken for %+v, %+v", got.Painted, got.Seen)
	}
	say(seat)
	eventually(t, 10*time.Second, "it is seen", func() bool { got := now(two.ID); return got.Seen != nil })
	seen := now(two.ID)
	if seen.Painted.Desk != "desk-1" || seen.Seen.Desk != "desk-1" || seen.Painted.By != seen.Seen.By {
		t.Errorf("painted %+v, seen %+v", seen.Painted, seen.Seen)
	}
	crossing(t, other, "t3") // nobody sees this one: when it has climbed to leadership, the other would have too
	three := alarmOn(t, other, "awlr:t3")
	eventually(t, 50*time.Second, "an unseen alarm climbs on", func() bool { got := now(three.ID); return got.ClimbedTo(ladder.Leadership) })
	if got := now(two.ID); len(got.Climbed) != len(seen.Climbed) || got.ClimbedTo(ladder.Duty) {
		t.Errorf("seen after %v, it climbed on: %v", rungs(&seen), rungs(&got))
	}
	log, _, err := other.cases.AuditLog(t.Context(), time.Time{}, time.Time{}, 1000, "")
	if err != nil {
		t.Fatal(err)
	}
	acts := map[string]int{}
	for _, r := range log {
		acts[r.Action+" "+r.Object]++
	}
	if n := acts["alarm.painted alarm:"+two.ID]; n != 1 {
		t.Errorf("painted is in the log %d times", n)
	}
	if n := acts["alarm.climbed alarm:"+one.ID]; n < 2 || n > 4 { // two rungs may be climbed in one step, where taking over took long
		t.Errorf("climbed is in the log %d times", n)
	}
}
