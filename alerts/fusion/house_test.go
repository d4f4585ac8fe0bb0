package fusion_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	yaml "github.com/goccy/go-yaml"

	"kentongan/alerts"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/feeds/simulator/storm"
	"kentongan/feeds/simulator/storm/tally"
	"kentongan/geo"
	"kentongan/geo/moment"
)

type incidentOf = incident.Incident

// house takes a storm as the doors of the house do, without a store: rules judge readings, agencies' messages are joined to what they repeat
// or revise, and the core fuses. A person opens what is proposed to be an incident some minutes later, and nothing else is done: every
// report that fits joins by itself.
type house struct {
	core    *fusion.Core
	engine  *rules.Engine
	place   alerts.Place
	open    []*incident.Incident
	alerts  map[string]*alerts.Alert // by reference, and quakes by id
	quakes  []*alerts.Alert
	things  map[string]*feeds.Thing
	firing  map[string]*alerts.Alert // by rule and instrument
	offered map[string]fusion.Suggestion
	waiting []waits // suggestions to open, in the order in which they came
	joins   []fusion.Joined
	seen    map[string]bool
}

// waits is a suggestion that a person has before them since then.
type waits struct {
	id string
	at time.Time
}

func settings(t testing.TB) []rules.Rule {
	t.Helper()
	var doc struct {
		Rules []rules.Rule `yaml:"rules"`
	}
	if err := yaml.Unmarshal([]byte(storm.Settings), &doc); err != nil {
		t.Fatal(err)
	}
	for i := range doc.Rules {
		if b := doc.Rules[i].Incident; b != nil && b.Type != "eq" { // what a rule's own window joins is its writer's word: here they say that an hour parts two
			b.MergeWindow = min(b.MergeWindow, time.Hour)
		}
	}
	return doc.Rules
}

func newHouse(t testing.TB) *house {
	t.Helper()
	p, err := rules.Compile(settings(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &house{core: fusion.NewCore(fusion.Options{Table: fusion.DefaultTable(), Attach: func(string) bool { return true }}), engine: rules.NewEngine(p),
		place: alerts.Place{Center: geo.Position{Lat: -0.96, Lng: 100.75}, Sender: "kentongan:solok"}, alerts: map[string]*alerts.Alert{}, things: map[string]*feeds.Thing{},
		firing: map[string]*alerts.Alert{}, offered: map[string]fusion.Suggestion{}, seen: map[string]bool{}}
}

func (h *house) take(i *storm.Item) {
	switch m := (feeds.Meta{Feed: i.Feed, ReceivedAt: i.Delivered}); {
	case i.Observation != nil:
		h.reading(i, m)
	case i.Alert != nil:
		h.message(i, m)
	default:
		r := report.From(*i.Report, m, func(*geo.Position) string { return "" })
		if h.seen[r.ID] {
			return
		}
		h.seen[r.ID] = true
		h.core.Report(&r)
	}
	h.flush(i.Delivered)
	h.attend(i.Delivered)
}

// answers is how long a person takes to open an incident on what is proposed.
const answers = 3 * time.Minute

// attend is the desk: whoever sits there opens what is proposed to be an incident, some minutes later.
func (h *house) attend(now time.Time) {
	for len(h.waiting) > 0 && now.Sub(h.waiting[0].at) >= answers {
		g := h.offered[h.waiting[0].id]
		h.waiting = h.waiting[1:]
		if g.State != fusion.Offered {
			continue
		}
		o := incident.Opening{ID: g.ID, Number: fmt.Sprint("SLK-", len(h.open)), Type: g.Type, Title: g.Type, Severity: g.Severity, At: g.At.Time, Actor: "user:anna"}
		if g.Location != nil {
			o.Position = &geo.Position{Lat: g.Location.Lat, Lng: g.Location.Lng}
		}
		for _, p := range g.Evidence {
			o.Evidence = append(o.Evidence, incident.Evidence{Kind: p.Kind, Ref: p.Ref, Reason: fusion.Told(g.Reasons), Weight: g.Weight, Text: p.Text, At: p.At})
			if o.EventAt.IsZero() || p.At.Before(o.EventAt.Time) {
				o.EventAt = p.At
			}
		}
		in, err := incident.Open(o)
		if err != nil {
			panic(err)
		}
		h.open = append(h.open, &in)
		g.State = fusion.Accepted
		h.offered[g.ID] = g
		h.core.Incident(&in)
		h.core.Known(&g)
		h.flush(now)
	}
}

func (h *house) reading(i *storm.Item, m feeds.Meta) {
	o := *i.Observation
	id := i.Feed + ":" + o.Thing
	if h.seen[id+o.Property+o.At.String()] {
		return
	}
	h.seen[id+o.Property+o.At.String()] = true
	o.Thing, o.ReceivedAt = id, moment.Of(m.ReceivedAt)
	thing := h.things[id]
	if thing == nil {
		thing = &feeds.Thing{ID: id, Feed: i.Feed, Kind: o.Kind, Name: o.Name}
		h.things[id] = thing
	}
	thing.Position, thing.Placed, thing.ReceivedAt = o.Position, true, moment.Of(m.ReceivedAt)
	for _, d := range h.engine.Reading(thing, o, m.ReceivedAt) {
		h.decide(d, m.ReceivedAt)
	}
}

func (h *house) decide(d rules.Decision, now time.Time) {
	if d.Rule.Incident == nil {
		return
	}
	if !d.Fire {
		h.normal(d.Rule.ID+"\x00"+d.Thing.ID, d.Thing.ID, now)
		return
	}
	id := alerts.ID(d.At, "rule\x00"+d.Rule.ID+"\x00"+d.Thing.ID)
	at := d.Thing.Position
	a := alerts.Alert{ID: id, Rule: d.Rule.ID, Thing: d.Thing.ID, Event: d.Rule.Alert.Event, Severity: d.Rule.Alert.Severity, Status: "Actual", State: alerts.Active,
		Certainty: "Observed", Onset: moment.Of(d.At), ReceivedAt: moment.Of(now), Sources: []string{d.Thing.Feed}, Area: alerts.Feature{Geometry: geo.Shape{Points: []geo.Position{at}}}}
	o := fusion.Opener{Type: d.Rule.Incident.Type, RadiusM: d.Rule.Incident.Radius(), Window: d.Rule.Incident.Window(), At: &at, Event: d.At, Ref: d.Thing.ID}
	e := incident.Evidence{Kind: "observation", Ref: d.Thing.ID, Weight: 1, Reason: "rule " + d.Rule.ID, At: moment.Of(d.At)}
	if n, metres, quiet := fusion.Nearest(h.open, o); n >= 0 {
		var why []fusion.Reason
		e.Weight, why = fusion.WeighOpener(o, metres, quiet)
		e.Reason += ": " + fusion.Told(why)
		a.Incident = h.open[n].ID
		h.open[n].AddEvidence(e, "rule:"+d.Rule.ID, now)
		h.core.Incident(h.open[n])
	} else {
		in, err := incident.Open(incident.Opening{ID: id, Number: fmt.Sprint("SLK-", len(h.open)), Type: o.Type, Title: d.Rule.Alert.Event, Severity: a.Severity, Position: &at, At: now,
			EventAt: moment.Of(d.At), SignalAt: moment.Of(now), Actor: "rule:" + d.Rule.ID, Evidence: []incident.Evidence{e}})
		if err != nil {
			panic(err)
		}
		a.Incident = in.ID
		h.open = append(h.open, &in)
		h.core.Incident(&in)
	}
	h.firing[d.Rule.ID+"\x00"+d.Thing.ID] = &a
	h.core.Alert(&a)
}

// normal ends what a rule has told of an instrument: its incident hears that it is normal.
func (h *house) normal(crossing, thing string, now time.Time) {
	a := h.firing[crossing]
	if a == nil {
		return
	}
	delete(h.firing, crossing)
	a.State = alerts.Resolved
	h.core.Alert(a)
	for _, in := range h.open {
		if in.ID == a.Incident {
			in.Prove(incident.Proven{Kind: incident.SensorNormal, Ref: thing, At: moment.Of(now)})
			h.core.Incident(in)
		}
	}
}

func (h *house) message(i *storm.Item, m feeds.Meta) {
	msg := i.Alert.Message
	if h.alerts[msg.Reference().String()] != nil {
		return
	}
	a := alerts.FromAgency(*i.Alert, m, h.place, m.ReceivedAt)
	h.alerts[msg.Reference().String()] = &a
	for _, ref := range msg.References {
		if p := h.alerts[ref.String()]; p != nil {
			a.Incident = h.incidentOf(p)
			h.core.Gone(p.ID)
		}
	}
	if msg.MsgType == "Cancel" {
		return
	}
	if a.Quake != nil {
		for _, q := range h.quakes {
			if alerts.SameQuake(q, &a) {
				return
			}
		}
		h.quakes = append(h.quakes, &a)
	}
	if a.Incident != "" {
		return
	}
	h.core.Alert(&a)
}

func (h *house) incidentOf(a *alerts.Alert) string {
	for _, in := range h.open {
		if in.Evident(a.ID) {
			return in.ID
		}
	}
	return a.Incident
}

func (h *house) flush(now time.Time) {
	for range 10 {
		out := h.core.Flush()
		for _, g := range out.Suggestions {
			if _, known := h.offered[g.ID]; !known && g.Kind == fusion.Open {
				h.waiting = append(h.waiting, waits{g.ID, now})
			}
			h.offered[g.ID] = g
		}
		if len(out.Joins) == 0 {
			return
		}
		told := map[string]bool{}
		for _, j := range out.Joins {
			h.joins = append(h.joins, j)
			n := slices.IndexFunc(h.open, func(in *incident.Incident) bool { return in.ID == j.Incident })
			if !h.open[n].Evident(j.Signal.Ref) {
				h.open[n].AddEvidence(j.Evidence(), "house:fusion", now)
			}
			told[j.Incident] = true
		}
		for _, in := range h.open {
			if told[in.ID] {
				h.core.Incident(in)
			}
		}
	}
}

// groups are the incidents, and what is proposed to be one.
func (h *house) groups() (out []tally.Group) {
	name := map[string]string{}
	for _, a := range h.alerts {
		name[a.ID] = a.Sender + "," + a.Identifier
	}
	piece := func(kind, ref string, at time.Time) tally.Piece {
		if kind == "alert" {
			ref = name[ref]
		}
		return tally.Piece{Kind: kind, Ref: ref, At: at}
	}
	for _, in := range h.open {
		g := tally.Group{ID: in.ID, Opened: in.OpenedAt.Time}
		for _, e := range in.Evidence {
			g.Pieces = append(g.Pieces, piece(e.Kind, e.Ref, e.At.Time))
		}
		out = append(out, g)
	}
	for _, s := range h.offered {
		if s.Kind != fusion.Open || s.State != fusion.Offered {
			continue
		}
		g := tally.Group{ID: s.ID, Opened: s.At.Time}
		for _, e := range s.Evidence {
			g.Pieces = append(g.Pieces, piece(e.Kind, e.Ref, e.At.Time))
		}
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b tally.Group) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
