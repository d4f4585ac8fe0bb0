// Package rage is storms over the pure core of the house, rules and fusion without a store, and what they made of them.
package rage

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/feeds/formats"
	"kentongan/feeds/simulator/storm"
	"kentongan/feeds/simulator/storm/tally"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/config"
	"kentongan/server/profile"
)

// Ground is where storms rage: the profile, its place, and the rules of the storm's settings made ready.
type Ground struct {
	Profile *profile.Profile
	place   alerts.Place
	program *rules.Program
}

// NewGround reads the settings by which a house takes the storm.
func NewGround() (*Ground, error) {
	dir, err := os.MkdirTemp("", "kentongan-storm-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "storm.yaml")
	if err := os.WriteFile(file, []byte(storm.Settings), 0o600); err != nil {
		return nil, err
	}
	cfg, faults := config.Load(config.Source{File: file, Formats: formats.Names()})
	if len(faults) > 0 {
		return nil, faults
	}
	p, err := profile.Load(cfg.Profile)
	if err != nil {
		return nil, err
	}
	program, err := rules.Compile(cfg.Rules, rules.PlacesOf(p.Areas))
	if err != nil {
		return nil, err
	}
	return &Ground{p, p.Place(), program}, nil
}

// Make makes a storm whose incidents lie on our ground.
func (g *Ground) Make(seed uint64) *storm.Storm { return g.MakeAt(seed, time.Time{}) }

// MakeAt makes a storm that begins at a time; zero: at that of every storm.
func (g *Ground) MakeAt(seed uint64, begin time.Time) *storm.Storm {
	return storm.Make(storm.Making{Seed: seed, Begin: begin, Inside: func(p geo.Position) bool { return g.place.Owns(p).Area != nil }})
}

func (g *Ground) where(p geo.Position) (area, neighbour string) {
	o := g.place.Owns(p)
	if o.Area != nil {
		area = o.Area.Name
	}
	if o.Neighbour != nil {
		neighbour = o.Neighbour.Slug
	}
	return area, neighbour
}

// House is what judges and joins, without a store: the rules' engine, the agencies' chains, and the fusion. It does what the store's steps do.
type House struct {
	*Ground
	engine    *rules.Engine
	core      *fusion.Core
	incidents map[string]*incident.Incident
	alerts    map[string]*alerts.Alert // by id
	names     map[string]string        // "<sender>,<identifier>" of an alert by id
	firing    map[string]string        // rule and key to alert
	offers    map[string]fusion.Suggestion
	things    map[string]*feeds.Thing
	fired     map[Crossing]bool
	taken     map[string]bool      // incident and evidence that the desk has joined
	offered   map[string]time.Time // of an incident that was proposed: since when
}

// NewHouse makes a house that has seen nothing.
func NewHouse(g *Ground) *House {
	return &House{Ground: g, engine: rules.NewEngine(g.program), core: fusion.NewCore(fusion.Options{Table: fusion.DefaultTable(), Where: g.where}), incidents: map[string]*incident.Incident{}, alerts: map[string]*alerts.Alert{},
		names: map[string]string{}, firing: map[string]string{}, offers: map[string]fusion.Suggestion{}, things: map[string]*feeds.Thing{}, offered: map[string]time.Time{}, taken: map[string]bool{}, fired: map[Crossing]bool{}}
}

// take gives the house one item at the time at which it comes in.
func (h *House) take(i *storm.Item) {
	now := i.Delivered
	switch {
	case i.Observation != nil:
		h.reading(i, now)
	case i.Alert != nil:
		h.message(i, now)
	default:
		r := report.From(*i.Report, feeds.Meta{Feed: i.Feed, Agency: agencyOf(i.Feed), ReceivedAt: now}, func(p *geo.Position) string { area, _ := h.where(*p); return area })
		h.core.Report(&r)
	}
	h.settle(now)
}

func agencyOf(feed string) string {
	for _, f := range storm.Feeds {
		if f.Name == feed {
			return f.Agency
		}
	}
	return ""
}

func (h *House) reading(i *storm.Item, now time.Time) {
	o := *i.Observation
	o.ReceivedAt = moment.Of(now)
	if o.At.Sub(now) > feeds.ClockSkewLimit {
		o.Quality = feeds.ClockSkew
	}
	id := i.Feed + ":" + o.Thing
	t := h.things[id]
	if t == nil {
		t = &feeds.Thing{ID: id, Feed: i.Feed, Kind: o.Kind, Name: o.Name, Position: o.Position, Placed: true, State: map[string]feeds.Reading{}}
		if cell, err := geo.CellAt(o.Position, geo.ResThing); err == nil {
			t.Cell = cell
		}
		h.things[id] = t
	}
	if o.Quality == feeds.ClockSkew {
		return // history only (INTERFACES section 2, Time)
	}
	if o.At.After(t.At.Time) {
		t.At, t.ReceivedAt = o.At, o.ReceivedAt
		t.State[o.Property] = feeds.Reading{Value: o.Value, Unit: o.Unit, At: o.At, ReceivedAt: o.ReceivedAt, Quality: o.Quality}
	}
	for _, d := range h.engine.Reading(t, o, now) {
		h.decision(d, now)
	}
}

// decision is what Store.Fire and Store.Clear make of one.
func (h *House) decision(d rules.Decision, now time.Time) {
	crossing := d.Rule.ID + "\x00" + d.Key
	if d.Fire {
		h.fired[Crossing{d.Rule.ID, d.Key, d.At}] = true
	} else if d.Withdrawn {
		delete(h.fired, Crossing{d.Rule.ID, d.Key, d.At})
	}
	if !d.Fire {
		if a := h.alerts[h.firing[crossing]]; a != nil {
			if in := h.incidents[a.Incident]; in != nil {
				in.Remark("rule:"+a.Rule, "cleared", "", now)
				in.Prove(incident.Proven{Kind: incident.SensorNormal, Ref: a.Thing, At: moment.Of(now)})
			}
			a.State = alerts.Resolved
			h.core.Gone(a.ID)
			if in := h.incidents[a.Incident]; in != nil {
				h.core.Incident(in)
			}
		}
		delete(h.firing, crossing)
		return
	}
	if h.firing[crossing] != "" {
		return
	}
	a := &alerts.Alert{ID: alerts.ID(d.At, "rule\x00"+crossing), Sender: "kentongan:solok", Sent: moment.Of(now), Onset: moment.Of(d.At), MsgType: "Alert", Status: "Actual", Rule: d.Rule.ID, Thing: d.Thing.ID,
		Event: d.Rule.Alert.Event, Headline: d.Rule.Alert.Event + " " + d.Thing.Name, Category: d.Rule.Alert.Category, Severity: d.Rule.Alert.Severity, Urgency: d.Rule.Alert.Urgency, Certainty: d.Rule.Alert.Certainty,
		Sources: []string{d.Thing.Feed}, State: alerts.Active, ReceivedAt: moment.Of(now), Relevant: true, Area: alerts.Feature{Type: "Feature", Geometry: geo.Shape{Points: []geo.Position{d.Position}}}}
	h.firing[crossing] = a.ID
	h.alerts[a.ID] = a
	if b := d.Rule.Incident; b != nil {
		e := incident.Evidence{Kind: "observation", Ref: d.Thing.ID, Reason: "rule " + d.Rule.ID, Text: a.Headline, Weight: 1, At: moment.Of(d.At)}
		a.Incident = h.openOrJoin(b, a, d.Position, d.At, now, e)
	}
	if s, ok := fusion.OfAlert(a, h.where); ok {
		h.core.Signal(s)
	}
}

// openOrJoin is Store.openOrJoin: the nearest open incident of the type within the rule's radius and window, that is not over, else a new one.
func (h *House) openOrJoin(b *rules.IncidentBlock, a *alerts.Alert, at geo.Position, event, now time.Time, e incident.Evidence) string {
	list := slices.SortedFunc(maps.Values(h.incidents), func(a, b *incident.Incident) int { return strings.Compare(a.ID, b.ID) })
	o := fusion.Opener{Type: b.Type, RadiusM: b.Radius(), Window: b.Window(), At: &at, Event: event, Ref: e.Ref, Rest: fusion.DefaultTable().Rest(b.Type)}
	if n, metres, quiet := fusion.Nearest(list, o); n >= 0 {
		best := list[n]
		var why []fusion.Reason
		e.Weight, why = fusion.WeighOpener(o, metres, quiet)
		e.Reason += "; " + fusion.Told(why)
		best.AddEvidence(e, "rule:"+a.Rule, now)
		h.core.Incident(best)
		return best.ID
	}
	area, _ := h.where(at)
	in, err := incident.Open(incident.Opening{ID: alerts.ID(now, "incident\x00"+a.ID), Type: b.Type, Title: a.Event + ", " + area, Severity: a.Severity, Position: &at, AreaName: area, At: now,
		EventAt: moment.Of(event), SignalAt: moment.Of(now), Actor: "rule:" + a.Rule, Why: incident.Why{Rule: a.Rule}, Evidence: []incident.Evidence{e}})
	if err != nil {
		panic(err) // of a rule that was checked
	}
	h.incidents[in.ID] = &in
	h.core.Incident(&in)
	return in.ID
}

// message is what Store.PutAgencyAlert makes of one.
func (h *House) message(i *storm.Item, now time.Time) {
	a := alerts.FromAgency(*i.Alert, feeds.Meta{Feed: i.Feed, Agency: agencyOf(i.Feed), ReceivedAt: now}, h.place, now)
	name := a.Sender + "," + a.Identifier
	if _, known := h.names[name]; known { // heard again
		return
	}
	if a.Quake != nil { // solutions of one shock are one alert (feeds.md section 2)
		for _, old := range h.alerts {
			if old.Quake != nil && old.State == alerts.Active && old.Quake.OriginAt.Sub(a.Quake.OriginAt.Time).Abs() <= time.Minute && geo.Distance(old.Quake.At(), a.Quake.At()) <= 100_000 {
				h.names[name] = old.ID
				return
			}
		}
	}
	h.names[name] = a.ID
	for _, ref := range i.Alert.Message.References {
		if old := h.alerts[h.names[ref.Sender+","+ref.Identifier]]; old != nil && old.State == alerts.Active {
			old.State = alerts.Updated
			if a.MsgType == "Cancel" {
				old.State = alerts.Cancelled
			}
			a.Incident = old.Incident
			h.core.Gone(old.ID)
		}
	}
	if a.MsgType == "Cancel" {
		return
	}
	h.alerts[a.ID] = &a
	if s, ok := fusion.OfAlert(&a, h.where); ok {
		h.core.Signal(s)
	}
}

// settle writes what follows, as the store's reader does: joins become evidence, and the fusion hears of it.
func (h *House) settle(now time.Time) {
	for {
		out := h.core.Flush()
		for _, g := range out.Suggestions {
			h.offers[g.ID] = g
		}
		if len(out.Joins) == 0 {
			return
		}
		for _, j := range out.Joins {
			in := h.incidents[j.Incident]
			in.AddEvidence(j.Evidence(), "house:fusion", now)
			if a := h.alerts[j.Signal.Key]; a != nil {
				a.Incident = in.ID
			}
			h.core.Incident(in)
		}
	}
}

// Desk is how long a suggestion stands before the person at the desk takes it. That person opens whatever the house proposes to open, and
// joins what it is sure of (fusion.JoinAt); what the house only asks about is left unanswered. So the figures show what the house proposes, not
// what somebody made of it.
const Desk = 2 * time.Minute

// accept is what the person at the desk does.
func (h *House) accept(now time.Time) {
	for _, id := range slices.Sorted(maps.Keys(h.offers)) {
		g := h.offers[id]
		if g.State != fusion.Offered || now.Sub(g.At.Time) < Desk {
			continue
		}
		switch g.Kind {
		case fusion.Open:
			h.open(&g, now)
		case fusion.Join:
			h.join(&g, now)
		}
	}
}

func (h *House) open(g *fusion.Suggestion, now time.Time) {
	var at *geo.Position // of accounts that say no place there is none
	if g.Location != nil {
		at = &geo.Position{Lat: g.Location.Lat, Lng: g.Location.Lng}
	}
	in, err := incident.Open(incident.Opening{ID: alerts.ID(now, "incident\x00"+g.ID), Type: g.Type, Title: g.Type + ", " + g.AreaName, Severity: g.Severity, Position: at, AreaName: g.AreaName, At: now,
		EventAt: g.Evidence[0].At, SignalAt: g.At, Actor: "user:desk"})
	if err != nil {
		panic(err) // of a type that the fusion knows
	}
	h.incidents[in.ID], h.offered[in.ID] = &in, g.At.Time
	for _, p := range g.Evidence {
		h.attach(&in, p, now)
	}
	g.State, g.Incident = fusion.Accepted, in.ID
	h.offers[g.ID] = *g
	h.core.Known(g)
	h.core.Incident(&in)
	h.settle(now)
}

func (h *House) join(g *fusion.Suggestion, now time.Time) {
	in, any := h.incidents[g.Incident], false
	for _, p := range g.Evidence {
		if p.Weight >= fusion.JoinAt && !h.taken[in.ID+p.Ref] {
			h.attach(in, p, now)
			h.taken[in.ID+p.Ref], any = true, true
		}
	}
	if any {
		h.core.Incident(in)
		h.settle(now)
	}
}

func (h *House) attach(in *incident.Incident, p fusion.Piece, now time.Time) {
	in.AddEvidence(incident.Evidence{Kind: p.Kind, Ref: p.Ref, Reason: p.Reason, Text: p.Text, Weight: p.Weight, At: p.At}, "user:desk", now)
	if a := h.alerts[p.Ref]; a != nil {
		a.Incident = in.ID
	}
}

// Crossing is one time that a rule fired on something.
type Crossing struct {
	Rule, Key string
	At        time.Time // event time
}

// Fired lists the crossings that stood in the end; what a late reading disproved is not among them.
func (h *House) Fired() []Crossing { return slices.Collect(maps.Keys(h.fired)) }

// Groups are what the house takes for one: its incidents with what is proposed to join them, and what it proposes to open or hand over.
func (h *House) Groups() []tally.Group {
	named := map[string]string{}
	for name, id := range h.names {
		if named[id] == "" || name < named[id] {
			named[id] = name
		}
	}
	piece := func(kind, ref string, at time.Time) tally.Piece {
		if kind == "alert" {
			ref = named[ref]
		}
		return tally.Piece{Kind: kind, Ref: ref, At: at}
	}
	list := make([]*incident.Incident, 0, len(h.incidents))
	for _, in := range h.incidents {
		list = append(list, in)
	}
	out := GroupsOf(list, h.offers, piece)
	for i := range out {
		_, id, _ := strings.Cut(out[i].ID, " ")
		if at, proposed := h.offered[id]; proposed {
			out[i].Opened = at
		}
	}
	return out
}

// GroupsOf makes groups of incidents and suggestions. What is proposed to join two incidents counts where the weight is greater.
func GroupsOf(incidents []*incident.Incident, offers map[string]fusion.Suggestion, piece func(kind, ref string, at time.Time) tally.Piece) []tally.Group {
	var out []tally.Group
	at := map[string]int{}
	held := map[string]bool{}
	for _, in := range incidents {
		g := tally.Group{ID: in.Type + " " + in.ID, Opened: in.OpenedAt.Time}
		for _, e := range in.Evidence {
			held[e.Ref] = held[e.Ref] || e.Kind != "observation"
			g.Pieces = append(g.Pieces, piece(e.Kind, e.Ref, e.At.Time))
		}
		at[in.ID] = len(out)
		out = append(out, g)
	}
	var list []fusion.Suggestion
	for _, s := range offers {
		if s.State == fusion.Offered {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b fusion.Suggestion) int {
		switch {
		case a.Weight != b.Weight && a.Weight > b.Weight:
			return -1
		case a.Weight != b.Weight:
			return 1
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, s := range list {
		switch {
		case s.Kind == fusion.Join:
			n, ok := at[s.Incident]
			for _, p := range s.Evidence {
				if ok && !held[p.Ref] && p.Weight >= fusion.JoinAt {
					held[p.Ref] = p.Kind != "observation"
					out[n].Pieces = append(out[n].Pieces, piece(p.Kind, p.Ref, p.At.Time))
				}
			}
		case s.Kind == fusion.Open || s.Kind == fusion.HandOver && s.Incident == "":
			g := tally.Group{ID: string(s.Kind) + " " + s.Type + " " + s.ID, Opened: s.At.Time}
			for _, p := range s.Evidence {
				if !held[p.Ref] {
					held[p.Ref] = p.Kind != "observation"
					g.Pieces = append(g.Pieces, piece(p.Kind, p.Ref, p.At.Time))
				}
			}
			out = append(out, g)
		}
	}
	return out
}

// Rage lets items of a storm come in, in their order.
func (h *House) Rage(items []storm.Item) {
	tick := items[0].Delivered
	for n := range items {
		for ; tick.Before(items[n].Delivered); tick = tick.Add(time.Minute) {
			for _, d := range h.engine.Tick(tick) {
				h.decision(d, tick)
			}
			h.core.Tick(tick)
			h.settle(tick)
			h.accept(tick)
		}
		h.take(&items[n])
	}
}
