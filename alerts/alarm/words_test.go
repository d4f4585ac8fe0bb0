package alarm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

func opened(id, typ, title string, s cap.Severity) *incident.Incident {
	return &incident.Incident{ID: id, Type: typ, Title: title, Severity: s, Status: incident.New, AreaName: "Kubung", Location: &incident.Location{Lng: place.Lng, Lat: place.Lat},
		Why: incident.Why{Person: "user:sari"}, Timeline: []incident.Entry{{Actor: "user:sari", Act: "opened"}}}
}

// told gives the governor an incident.
func (r *room) told(in *incident.Incident) {
	r.Incident(in, r.now)
	r.drain()
}

// ofIncident is the alarm of an incident that a person opened.
func (r *room) ofIncident(id string) Alarm {
	r.t.Helper()
	for _, k := range r.kept {
		if k.Own.Key == "incident:"+id {
			return k.Alarm
		}
	}
	r.t.Fatalf("incident %s has no alarm", id)
	return Alarm{}
}

// What a person typed, and what is for named people only, is in the alarm itself and in nothing that others see.
func TestWordsStayInTheAlarm(t *testing.T) {
	const words, secret = "Rumah Pak Ahmad terbakar", "Bu Rina dipukuli di rumah"
	r := newRoom(t, "desk-1")
	r.told(opened("A", "domestic_violence", secret, cap.Extreme)) // the first out of the flood that follows
	r.told(opened("B", "fire_building", words, cap.Extreme))
	for i := range 20 {
		r.told(opened(fmt.Sprint("C", i), "flood", words, cap.Unknown))
	}
	r.pass(2 * time.Second)
	if len(r.ofCode(CodeFlood)) != 1 || len(r.ofCode(CodeGroup)) != 1 || !r.ofIncident("A").FirstOut || r.ofIncident("A").Event != secret {
		t.Fatalf("%+v", r.kept)
	}
	if w := r.ofCode(CodeFlood)[0].Worst; w == nil || w.Alarm != r.ofIncident("B").ID || w.Event != "kebakaran bangunan" {
		t.Errorf("the first that may be named: %+v", w)
	}
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	check := func(what, got string) {
		t.Helper()
		for _, no := range []string{words, secret, "domestic_violence", "kekerasan"} {
			if strings.Contains(got, no) {
				t.Errorf("%s says %q: %s", what, no, got)
			}
		}
	}
	for _, k := range r.kept {
		if a := k.Alarm; a.Code != "" {
			check("an alarm of the house's own", text(a))
		} else if !a.Restricted() {
			check("what less than the whole is", text(a.Facts()))
		}
	}
	check("the figures", text(r.Health(r.now)))
	if h := r.Health(r.now).House; h.Raised24h != 22 || len(h.Top) != 1 || h.Top[0].Count != 21 {
		t.Errorf("it is counted all the same: %+v", h)
	}
	before := text(r.Health(r.now))
	if r.restart("desk-1"); text(r.Health(r.now)) != before {
		t.Errorf("after a restart\n%s\nbefore\n%s", text(r.Health(r.now)), before)
	}
}

// Every field of an alarm stands in its facts, but for those that are people's: whoever adds one decides.
func TestFacts(t *testing.T) {
	at := moment.Of(noon)
	cell, err := geo.CellAt(place, geo.ResMatch)
	if err != nil {
		t.Fatal(err)
	}
	full := Alarm{ID: "a", Version: 1, State: Raised, Priority: P1, Alert: "b", Incident: "c", Source: "feed:x", Rule: "d", Thing: "e", ThingName: "AWLR", Feed: "f", Event: "g", Names: map[string]string{"id": "g"}, Type: "flood",
		Severity: cap.Extreme, Location: &incident.Location{Lng: place.Lng, Lat: place.Lat}, Cell: cell, AreaName: "h", Desk: "i", RaisedAt: at, UpdatedAt: at, ActBy: at, Response: "j", Presented: true,
		Withheld: "k", PresentAt: at, Group: "l", Code: CodeGroup, Worst: &Worst{Alarm: "m"}, Announced: "n", AnnounceAt: at, Active: true, LastAt: at, Members: 2, Count: 3, FirstOut: true, Sound: true,
		Latched: true, Chattering: true, Standing: true, Ack: &Ack{At: at, By: "user:sari", Desk: "desk-1", Note: "seen by Sari"}, ClearedAt: at,
		Shelf: &Shelf{At: at, Until: at, By: "user:sari", Desk: "desk-1", Reason: "Sari says so"}, Suppress: &Suppression{Parent: "o", Reason: "p", Since: at}, Simulated: true,
		Painted: &Sight{At: at, By: "user:sari", Desk: "desk-1"}, Seen: &Sight{At: at, By: "user:sari", Desk: "desk-1"}, Climbed: []Climb{{To: "wall", At: at}}}
	facts := full.Facts()
	for i := range reflect.TypeFor[Alarm]().NumField() {
		name := reflect.TypeFor[Alarm]().Field(i).Name
		whole, left := reflect.ValueOf(full).Field(i), reflect.ValueOf(facts).Field(i)
		switch same := reflect.DeepEqual(whole.Interface(), left.Interface()); {
		case whole.IsZero():
			t.Errorf("%s is not tried here", name)
		case name == "Ack" || name == "Shelf" || name == "Painted" || name == "Seen":
			if same {
				t.Errorf("%s is whole", name)
			}
		case !same:
			t.Errorf("%s: %v, want %v", name, left, whole)
		}
	}
	if facts.Ack.By != "user" || facts.Ack.Note != "" || facts.Shelf.By != "user" || facts.Shelf.Reason != "" || facts.Shelf.Until != at {
		t.Errorf("%+v %+v", facts.Ack, facts.Shelf)
	}
	full.Source, full.Event = "person", "Rumah Pak Ahmad"
	if facts = full.Facts(); facts.Event != "banjir" || *facts.Location == *full.Location || facts.Cell != cell.Parent(geo.ResFrame) {
		t.Errorf("of a person's incident: %+v", facts)
	}
	full.Cell = 0
	if facts = full.Facts(); facts.Location != nil {
		t.Errorf("a place without a cell: %+v", facts.Location)
	}
}

func TestAnAlarmFollowsItsIncident(t *testing.T) {
	r := newRoom(t, "desk-1")
	r.told(opened("A", "flood", "Banjir", cap.Unknown))
	moved := opened("A", "domestic_violence", "Lain", cap.Unknown)
	moved.AreaName, moved.Location = "Talang", &incident.Location{Lng: 100.62, Lat: -0.97}
	version := r.ofIncident("A").Version
	r.told(moved)
	if x := r.ofIncident("A"); x.Type != "domestic_violence" || !x.Restricted() || x.Event != "Lain" || x.AreaName != "Talang" || x.Location.Lng != 100.62 || x.Version != version || !x.Presented {
		t.Errorf("%+v", x)
	}
	said := r.kept[r.ofIncident("A").ID].Alarm.UpdatedAt
	r.now = r.now.Add(time.Second)
	if r.told(moved); r.ofIncident("A").UpdatedAt != said {
		t.Error("it is told again though nothing has changed")
	}
	moved.Severity = cap.Extreme
	if r.told(moved); r.ofIncident("A").Priority != P1 || !r.ofIncident("A").Sound {
		t.Errorf("%+v", r.ofIncident("A"))
	}
}

// Whoever ends an incident, or judges that it is less, has taken note of its alarm: it does not sound on.
func TestWhoEndsAnIncidentTakesNoteOfItsAlarm(t *testing.T) {
	for name, change := range map[string]func(*incident.Incident){
		"cancelled":   func(in *incident.Incident) { in.Status = incident.Cancelled },
		"merged":      func(in *incident.Incident) { in.Status, in.MergedInto = incident.Cancelled, "B" },
		"judged less": func(in *incident.Incident) { in.Severity = cap.Moderate },
		"acknowledged": func(in *incident.Incident) {
			in.Status, in.Owner, in.Times.TAck = incident.Acknowledged, "user:budi", moment.Of(noon)
		},
	} {
		r := newRoom(t, "desk-1")
		in := opened("A", "fire_building", "Kebakaran", cap.Extreme)
		r.told(in)
		in.Timeline = append(in.Timeline, incident.Entry{Actor: "user:budi"}, incident.Entry{Actor: "rule:water"})
		change(in)
		r.told(in)
		if x := r.ofIncident("A"); x.Stands() || x.Sound || x.Latched || x.Presented || x.Ack == nil || x.Ack.By != "user:budi" || x.Ack.At.IsZero() {
			t.Errorf("%s: %+v %+v", name, x, x.Ack)
		}
	}
	r := newRoom(t, "desk-1")
	r.told(opened("A", "fire_building", "Kebakaran", cap.Extreme))
	r.Settle(func(string) bool { return false }, func(string) bool { return false }, r.now) // it was ended while nobody followed
	r.drain()
	if x := r.ofIncident("A"); x.Stands() || x.Sound {
		t.Errorf("%+v", x)
	}
}

// A repeat that was there when its incident was acknowledged asks nobody again once it speaks for the incident.
func TestARepeatIsAcknowledgedWithItsIncident(t *testing.T) {
	r := newRoom(t, "desk-1")
	a, b := alert("water", "g:1", cap.Severe, 1, place), alert("water", "g:2", cap.Severe, 1, place)
	a.Incident, b.Incident = "IN", "IN"
	r.hear(a)
	r.hear(b)
	r.now = r.now.Add(time.Second)
	r.told(&incident.Incident{ID: "IN", Status: incident.Acknowledged, Owner: "user:budi", Times: incident.Times{TAck: moment.Of(r.now)}, Why: incident.Why{Alert: "x"}})
	c := alert("water", "g:3", cap.Severe, 1, place)
	c.Incident = "IN"
	r.pass(time.Second)
	r.hear(c)
	if r.of(b).State != Suppressed || r.of(c).State != Suppressed {
		t.Fatalf("%+v\n%+v", r.of(b), r.of(c))
	}
	r.hear(resolved(a))
	if x := r.of(b); x.State != Acknowledged || x.Ack.By != "user:budi" || x.Sound || !x.Presented {
		t.Errorf("%+v", x)
	}
	r.hear(resolved(b))
	if x := r.of(c); x.State != Raised || !x.Presented {
		t.Errorf("what came after the acknowledgement asks: %+v", x)
	}
}

// The title that the house gives an incident ends with its place, which the alarm says beside it.
func TestThePlaceOfAnIncidentIsSaidOnce(t *testing.T) {
	r := newRoom(t, "desk-1")
	r.told(opened("A", "landslide", "tanah longsor, Kubung", cap.Extreme))
	r.told(opened("B", "fire_building", "Pasar Kubung terbakar", cap.Extreme))
	if a, b := r.ofIncident("A"), r.ofIncident("B"); a.Event != "tanah longsor" || a.AreaName != "Kubung" || b.Event != "Pasar Kubung terbakar" {
		t.Errorf("%q in %q, %q", a.Event, a.AreaName, b.Event)
	}
}
