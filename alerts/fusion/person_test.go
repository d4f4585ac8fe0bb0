package fusion_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// desk is a core with what stands of its suggestions.
type desk struct {
	*fusion.Core
	stands map[string]fusion.Suggestion
}

func newDesk(where func(geo.Position) (string, string)) *desk {
	return &desk{fusion.NewCore(fusion.Options{Table: fusion.DefaultTable(), Where: where}), map[string]fusion.Suggestion{}}
}

func (d *desk) settle() (joins []fusion.Joined) {
	out := d.Flush()
	for _, g := range out.Suggestions {
		d.stands[g.ID] = g
	}
	return out.Joins
}

func (d *desk) offered(kind fusion.Kind) (list []fusion.Suggestion) {
	d.settle()
	for _, g := range d.stands {
		if g.Kind == kind && g.State == fusion.Offered {
			list = append(list, g)
		}
	}
	return list
}

func (d *desk) call(id, text string, p geo.Position, when time.Time) {
	one := call(id, text, p, when, false)
	d.Report(&one)
}

// An agency's alert that was to join an incident just when somebody resolved it is offered as one of its own: it has nowhere else to stand.
func TestWhatCameAsItsIncidentEndedIsNotLost(t *testing.T) {
	d := newDesk(nil)
	in := opened(t, "in", "flood", at(0, 0), noon)
	d.Incident(in)
	a := alerts.Alert{ID: "a", Sender: "bpbd", Event: "Banjir", Status: "Actual", State: alerts.Active, Relevant: true, Certainty: "Observed", Severity: cap.Severe,
		Sent: moment.Of(noon.Add(time.Minute)), ReceivedAt: moment.Of(noon.Add(time.Minute)), Area: alerts.Feature{Geometry: geo.Shape{Points: []geo.Position{at(50, 0)}}}}
	d.Alert(&a)
	if joins := d.settle(); len(joins) != 1 {
		t.Fatalf("%+v", joins)
	}
	over := in.Clone() // the store finds it resolved, and writes no join
	over.Status = incident.Resolved
	d.Incident(&over)
	if got := d.offered(fusion.Open); len(got) != 1 || got[0].Evidence[0].Ref != "a" {
		t.Errorf("offered %+v", got)
	}
}

// What a person refused stays refused in a new life of the house, every piece of it.
func TestARefusalOutlivesTheHouse(t *testing.T) {
	in := opened(t, "in", "flood", at(0, 0), noon)
	tell := func(d *desk) {
		d.call("1", "Banjir, air masuk rumah", at(60, 0), noon.Add(time.Minute))
		d.call("2", "Banjir, air masuk rumah", at(90, 0), noon.Add(2*time.Minute))
	}
	d := newDesk(nil)
	d.Incident(in)
	tell(d)
	got := d.offered(fusion.Join)
	if len(got) != 1 || len(got[0].Evidence) != 2 {
		t.Fatalf("offered %+v", got)
	}
	no := got[0]
	no.State = fusion.Refused
	d.Known(&no)
	again := newDesk(nil)
	again.Incident(in)
	again.Known(&no)
	tell(again)
	again.Known(&no)
	again.Begin()
	if got := again.offered(fusion.Join); len(got) != 0 {
		t.Errorf("offered once more: %+v", got)
	}
}

// Two incidents that were suggested to be one are not, once somebody has moved one, named another type, or said that they belong apart.
func TestAMergeIsWithdrawnWhenAPersonSaysOtherwise(t *testing.T) {
	for name, change := range map[string]func(*incident.Incident){
		"moved":   func(in *incident.Incident) { p := at(9000, 0); in.Location.Lat, in.Location.Lng = p.Lat, p.Lng },
		"renamed": func(in *incident.Incident) { in.Type = "crime" },
		"apart":   func(in *incident.Incident) { in.Apart = []string{"one"} },
	} {
		d := newDesk(nil)
		one, two := opened(t, "one", "flood", at(0, 0), noon), opened(t, "two", "flood", at(100, 0), noon)
		d.Incident(one)
		d.Incident(two)
		if len(d.offered(fusion.Merge)) != 1 {
			t.Fatal("no merge is suggested")
		}
		changed := two.Clone()
		change(&changed)
		d.Incident(&changed)
		if got := d.offered(fusion.Merge); len(got) != 0 {
			t.Errorf("%s: still offered %+v", name, got)
		}
	}
}

// Calls that waited to join an incident are of something else once a person has called it by its right name: somebody is asked to open that.
func TestACorrectedTypeSetsFreeWhatWaited(t *testing.T) {
	d := newDesk(nil)
	in := opened(t, "in", "flood", at(0, 0), noon)
	d.Incident(in)
	d.call("1", "Banjir, air masuk rumah", at(60, 0), noon.Add(time.Minute))
	d.call("2", "Banjir, air masuk rumah", at(90, 0), noon.Add(2*time.Minute))
	d.settle()
	fixed := in.Clone()
	fixed.Type = "crime"
	d.Incident(&fixed)
	if got := d.offered(fusion.Join); len(got) != 0 {
		t.Errorf("still to join %+v", got)
	}
	if got := d.offered(fusion.Open); len(got) != 1 || len(got[0].Evidence) != 2 || got[0].Type != "flood" {
		t.Errorf("to open %+v", got)
	}
}

// What is told of from both sides of the border is ours to answer, whoever told of it first; what lies all beyond it is the neighbour's.
func TestWhatLiesOnTheBorderIsOurs(t *testing.T) {
	east := at(0, 0).Lng
	d := newDesk(func(p geo.Position) (string, string) {
		if p.Lng > east {
			return "", "kabupaten-b"
		}
		return "Kota A", ""
	})
	d.call("1", "Kebakaran rumah", at(30, 0), noon)
	if got := d.offered(fusion.HandOver); len(got) != 1 || len(d.offered(fusion.Open)) != 0 {
		t.Fatalf("offered %+v", got)
	}
	d.call("2", "Kebakaran rumah", at(-40, 0), noon.Add(time.Minute))
	if got := d.offered(fusion.Open); len(got) != 1 || len(got[0].Evidence) != 2 || got[0].Neighbour != "" {
		t.Errorf("to open %+v", got)
	}
	if got := d.offered(fusion.HandOver); len(got) != 0 {
		t.Errorf("still for the neighbour: %+v", got)
	}
}

// An account whose clock runs years ahead is forgotten as any other.
func TestAClockAheadIsForgotten(t *testing.T) {
	d := newDesk(nil)
	one := call("1", "Kebakaran rumah", at(0, 0), noon, false)
	one.At = moment.Of(noon.AddDate(70, 0, 0))
	d.Report(&one)
	if len(d.offered(fusion.Open)) != 1 {
		t.Fatal("nobody is asked")
	}
	d.Tick(noon.Add(12 * time.Hour))
	if got := d.offered(fusion.Open); len(got) != 0 {
		t.Errorf("still offered %+v", got)
	}
}

func TestWordsOfPeopleInAHurry(t *testing.T) {
	for text, want := range map[string]string{
		"Tabrakan mobil di Surian tidak ada korban":         "traffic_damage",
		"kecelakaan, gak ada yang luka":                     "traffic_damage",
		"tabrakan motor, korban nihil":                      "traffic_damage",
		"accident, nobody was hurt":                         "traffic_damage",
		"kecelakaan, korban tidak sadar":                    "traffic_injury",
		"oto balago, ado nan luko":                          "traffic_injury",
		"mahasiswa KKN terseret arus di sungai":             "missing_person",
		"aia lahh masuak rumah kami, tolong":                "flood",
		"rumah tabakadi simpang, tolong damkar":             "fire_building",
		strings.Repeat("a", 5000) + " banjir " + "\x00\xff": "flood",
	} {
		got, secret := fusion.Classify(fusion.Words{Text: text})
		if secret || len(got) == 0 || got[0].Type != want {
			t.Errorf("%.60q: %v, secret %v; not %s", text, got, secret, want)
		}
	}
	if _, secret := fusion.Classify(fusion.Words{Text: "dugaan KKN di kantor camat"}); !secret {
		t.Error("a tip about bribery is for everybody's eyes")
	}
}

// A word as long as a message costs no more than another: nobody holds up the house by leaning on a key.
func TestALongWordIsNotWornDown(t *testing.T) {
	word := strings.Repeat("banjir", 10_000)
	if n := testing.AllocsPerRun(1, func() { fusion.Classify(fusion.Words{Text: word}) }); n > 100 {
		t.Errorf("%.0f allocations over one word", n)
	}
	if got, _ := fusion.Classify(fusion.Words{Text: word}); slices.ContainsFunc(got, func(g fusion.Guess) bool { return g.Type == "flood" }) {
		t.Errorf("%+v", got)
	}
}
