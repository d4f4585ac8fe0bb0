package alarm

import (
	"fmt"
	"testing"
	"time"

	"kentongan/feeds/cap"
)

// before counts the rows of P2 and P3 that somebody at a desk was shown within the last ten minutes and that nobody has taken note of.
func (r *room) before(desk string) int {
	n := 0
	for _, k := range r.kept {
		a := k.Alarm
		if a.Priority != P1 && a.Presented && a.Ack == nil && (a.Desk == "" || a.Desk == desk) && r.now.Sub(a.PresentAt.Time) < Window {
			n++
		}
	}
	return n
}

// pour lets one alarm a second be raised, of many types, so that each would be a row of its own.
func (r *room) pour(n, from int) {
	for i := range n {
		a := alert("", fmt.Sprint("x:", from+i), cap.Moderate, from+i, at(-0.9-float64(i%3)/5, 100.7))
		a.Thing, a.Event, a.Sources = "", fmt.Sprint("Event ", i%9), []string{"kapos"}
		r.hear(a)
		r.pass(time.Second)
	}
}

// Whoever sits down, moves, or is left alone in a flood has before their eyes what was shown before: it counts, and no row comes beside it before
// there is room for it again.
func TestWhatADeskTakesOverCounts(t *testing.T) {
	most := DefaultConfig().Budget - DefaultConfig().ForUrgent
	for _, c := range []struct {
		name         string
		first, after []string
		takenOver    int // rows of others that stand in its queue, beside its own
	}{
		{"nobody sat there", nil, []string{"desk-1"}, 0},
		{"the same desk", []string{"desk-1"}, []string{"desk-1"}, 0},
		{"one sits down where another was", []string{"desk-2"}, []string{"desk-1"}, 0},
		{"one is left alone", []string{"desk-1", "desk-2"}, []string{"desk-1"}, most},
		{"a second one comes", []string{"desk-1"}, []string{"desk-1", "desk-2"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, again := range []bool{false, true} {
				r := newRoom(t, c.first...)
				r.pour(120, 0)
				if again {
					r.restart(c.after...)
				} else {
					r.Desks(c.after, r.now)
					r.drain()
				}
				worst := 0
				for i := range 6 {
					r.pour(60, 200+100*i)
					worst = max(worst, r.before("desk-1"))
				}
				if worst > most+c.takenOver {
					t.Errorf("restarted %t: %d rows within ten minutes, %d at most", again, worst, most+c.takenOver)
				}
				r.pass(5 * time.Minute)
				if n := r.before("desk-1"); n == 0 {
					t.Errorf("restarted %t: ten minutes later no row has come", again)
				}
			}
		})
	}
}

// What was acknowledged asks nobody any more: it is no load of whoever takes over.
func TestWhatWasAcknowledgedIsNotTakenOver(t *testing.T) {
	r := newRoom(t, "desk-2")
	r.pour(60, 0)
	for _, k := range r.kept {
		if k.Alarm.Presented {
			r.acknowledges(k.Alarm)
		}
	}
	r.Desks([]string{"desk-1"}, r.now)
	r.drain()
	r.pour(30, 100)
	if n := r.before("desk-1"); n < 3 {
		t.Errorf("%d rows came to a desk with nothing before it", n)
	}
	if h := r.Health(r.now); h.House.New10m <= h.Desks[0].New10m {
		t.Errorf("the house has had %d, its desk %d", h.House.New10m, h.Desks[0].New10m)
	}
}
