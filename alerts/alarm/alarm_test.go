package alarm

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"kentongan/alerts"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// room is a governor with what it has said so far, as a store would keep it.
type room struct {
	*Governor
	t    testing.TB
	now  time.Time
	kept map[string]Kept
	logs []string
	memo []byte
	o    Options
}

func newRoom(t testing.TB, desks ...string) *room {
	r := &room{t: t, now: noon, kept: map[string]Kept{}, o: Options{Language: "en", Define: func(rule string) Definition { return definitions[rule] }}}
	r.Governor = New(r.o)
	r.Desks(desks, r.now)
	r.drain()
	return r
}

var definitions = map[string]Definition{
	"water": {Type: "flood", Response: "Look at the gauge"},
	"fire":  {Type: "fire_building", ActWithin: 4 * time.Minute},
	"lamp":  {Type: "streetlight", ActWithin: time.Hour},
}

// drain keeps what has changed.
func (r *room) drain() {
	r.t.Helper()
	for _, k := range r.Changes() {
		was, there := r.kept[k.Alarm.ID]
		if k.New == there {
			r.t.Errorf("%s is new: %t, it was there: %t", k.Alarm.ID, k.New, there)
		}
		if there && k.Alarm.Version < was.Alarm.Version {
			r.t.Errorf("%s goes back from version %d to %d", k.Alarm.ID, was.Alarm.Version, k.Alarm.Version)
		}
		if k.Log != "" {
			r.logs = append(r.logs, k.Log)
		}
		r.kept[k.Alarm.ID] = k
	}
	if memo, ok := r.Memo(); ok {
		r.memo = memo
	}
}

func (r *room) pass(d time.Duration) {
	for end := r.now.Add(d); r.now.Before(end); {
		r.now = r.now.Add(min(time.Second, end.Sub(r.now)))
		r.Tick(r.now)
		r.drain()
	}
}

// hear gives the governor an alert.
func (r *room) hear(a alerts.Alert) {
	r.Alert(&a, r.now)
	r.drain()
}

func at(lat, lng float64) geo.Position { return geo.Position{Lat: lat, Lng: lng} }

var place = at(-0.96, 100.75)

// alert makes an alert of a rule on a Thing; n makes it another one.
func alert(rule, thing string, s cap.Severity, n int, p geo.Position) alerts.Alert {
	return alerts.Alert{ID: fmt.Sprintf("%s-%s-%d", rule, thing, n), Status: "Actual", State: alerts.Active, Rule: rule, Thing: thing, Event: "Event of " + rule, Severity: s, Urgency: "Immediate",
		Certainty: "Observed", Sources: []string{"awlr"}, Relevant: true, Area: alerts.Feature{Type: "Feature", Geometry: geo.Shape{Points: []geo.Position{p}}, Properties: alerts.FeatureProperties{Name: "Kubung"}},
		ReceivedAt: moment.Of(noon)}
}

func resolved(a alerts.Alert) alerts.Alert { a.State = alerts.Resolved; return a }

// of gives the alarm that an alert has.
func (r *room) of(a alerts.Alert) Alarm {
	r.t.Helper()
	for _, k := range r.kept {
		for _, id := range k.Own.Alerts {
			if id == a.ID {
				return k.Alarm
			}
		}
	}
	r.t.Fatalf("%s has no alarm", a.ID)
	return Alarm{}
}

// ofCode gives the house's own alarms of a code that stand.
func (r *room) ofCode(c Code) (out []Alarm) {
	for _, k := range r.kept {
		if k.Alarm.Code == c && k.Alarm.Stands() {
			out = append(out, k.Alarm)
		}
	}
	return out
}

// does lets a person act, as the store does it: on what is kept, and told to the governor afterwards.
func (r *room) does(a Alarm, act func(Alarm) (Alarm, error)) Alarm {
	r.t.Helper()
	k := r.kept[a.ID]
	out, err := act(k.Alarm)
	if err != nil {
		r.t.Fatalf("%s: %v", a.ID, err)
	}
	k.Alarm = out
	r.kept[a.ID] = k
	r.Acted(out, false, r.now)
	r.drain()
	return r.kept[a.ID].Alarm
}

func (r *room) acknowledges(a Alarm) Alarm {
	return r.does(a, func(a Alarm) (Alarm, error) {
		return a.Acknowledge(Ack{At: moment.Of(r.now), By: "user:anna", Desk: "desk-1"}, 0)
	})
}

func (r *room) shelves(a Alarm, d time.Duration) Alarm {
	return r.does(a, func(a Alarm) (Alarm, error) {
		return a.Shelve(Shelf{At: moment.Of(r.now), Until: moment.Of(r.now.Add(d)), By: "user:anna", Desk: "desk-1", Reason: "works"}, 0, true, 0, DefaultConfig())
	})
}

// restart gives everything to a new governor, as after a kill.
func (r *room) restart(desks ...string) {
	r.t.Helper()
	var list []Loaded
	for _, k := range r.kept {
		list = append(list, Loaded{k.Alarm, k.Own})
	}
	r.Governor = New(r.o)
	if err := r.Load(list, r.memo, r.now); err != nil {
		r.t.Fatal(err)
	}
	r.Desks(desks, r.now)
	r.drain()
}

// is tells whether an error is the one that was wanted, nil: none.
func is(err, want error) bool {
	if want == nil {
		return err == nil
	}
	return errors.Is(err, want)
}
