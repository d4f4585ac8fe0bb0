package fusion

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"kentongan/alerts/incident"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// openMass is how much must be said of one place before somebody is asked to open an incident; each report weighs one, what an agency or
// an instrument has seen two. Where a life may hang on it (class A) one call
// is enough, and what can wait for days (class D) needs three. False: nobody is ever asked.
func (c *Core) openMass(code string) (int, bool) {
	if n := c.table.scopes[code].Opens; n != 0 {
		return n, n > 0
	}
	t, _ := incident.TypeOf(code)
	switch t.Class {
	case "A":
		return 1, true
	case "D":
		return 3, true
	}
	return 2, true
}

// enough tells that so many pieces make one ask.
func (c *Core) enough(code string, list []Piece) bool {
	least, ever := c.openMass(code)
	return ever && mass(list) >= least
}

// offerJoin suggests that a signal joins an incident. An incident has one such suggestion, which grows.
func (c *Core) offerJoin(t *told, k *hold, weight float64, reasons []Reason) {
	if g := c.offers[c.joining[k.id]]; g != nil && g.State == Offered {
		if n := slices.IndexFunc(g.Evidence, func(p Piece) bool { return p.Ref == t.Ref }); n >= 0 {
			if weight <= g.Evidence[n].Weight {
				return
			}
			g.Evidence = slices.Clone(g.Evidence)
			g.Evidence[n] = weighed(t, weight, reasons) // what came since speaks for it
		} else {
			c.unoffer(t)
			g.Evidence = append(g.Evidence, weighed(t, weight, reasons))
		}
		if weight > g.Weight {
			g.Weight, g.Reasons = weight, reasons
		}
		g.UpdatedAt = moment.Of(t.Received)
		c.touch(g)
		return
	}
	id := idOf(t.Received, string(Join), k.id, t.Ref)
	if c.spent[id] {
		return
	}
	c.unoffer(t)
	g := c.suggestion(id, Join, k, t.Received)
	g.Incident, g.Weight, g.Reasons, g.Evidence = k.id, weight, reasons, []Piece{weighed(t, weight, reasons)}
	c.joining[k.id] = id
	c.touch(g)
}

// weighed is a piece with why it would join.
func weighed(t *told, weight float64, reasons []Reason) Piece {
	p := t.piece()
	p.Weight, p.Reason = weight, Told(reasons)
	return p
}

// suggestion makes a suggestion about a case.
func (c *Core) suggestion(id string, kind Kind, k *hold, at time.Time) *Suggestion {
	g := &Suggestion{ID: id, Version: 1, Kind: kind, State: Offered, Type: k.types[0].Type, Severity: severityOf(k), AreaName: k.areaName, Neighbour: k.neighbour,
		Reasons: []Reason{}, Evidence: []Piece{}, At: moment.Of(at), UpdatedAt: moment.Of(at), Simulated: k.simulated}
	if k.place != nil {
		g.Location = &incident.Location{Lng: k.place.Lng, Lat: k.place.Lat}
		if cell, err := geo.CellAt(*k.place, geo.ResThing); err == nil {
			g.Cell = cell
		}
	}
	if g.Neighbour != "" && c.o.Contact != nil {
		g.Contact = c.o.Contact(g.Neighbour)
	}
	c.offers[id] = g
	return g
}

// unoffer takes a signal out of every suggestion to join.
func (c *Core) unoffer(t *told) {
	for incident, id := range c.joining {
		if g := c.offers[id]; g != nil && slices.ContainsFunc(g.Evidence, func(p Piece) bool { return p.Ref == t.Ref }) {
			c.withdrawPiece(g, t.Ref)
			if g.State != Offered {
				delete(c.joining, incident)
			}
		}
	}
}

// withdrawPiece takes a piece out of a suggestion; one without enough of them is withdrawn.
func (c *Core) withdrawPiece(g *Suggestion, ref string) {
	n := len(g.Evidence)
	g.Evidence = slices.DeleteFunc(slices.Clone(g.Evidence), func(p Piece) bool { return p.Ref == ref })
	if len(g.Evidence) == n || g.State != Offered {
		return
	}
	if g.Kind == Join && len(g.Evidence) == 0 || g.Kind == Open && !c.enough(g.Type, g.Evidence) || g.Kind == HandOver && len(g.Evidence) == 0 {
		c.withdraw(g)
		return
	}
	c.touch(g)
}

func (c *Core) withdraw(g *Suggestion) {
	g.State = Withdrawn
	c.touch(g)
	for _, k := range c.cases {
		if k.offer == g.ID {
			k.offer = ""
		}
	}
}

func mass(list []Piece) (n int) {
	for _, p := range list {
		if n++; p.Kind != "report" {
			n++
		}
	}
	return n
}

// offerCase suggests to open an incident on a candidate that enough is said of, or to hand it to the neighbour on whose ground it lies.
func (c *Core) offerCase(k *hold, at time.Time) {
	var pieces []Piece
	agencies := 0
	for _, key := range k.keys {
		pieces = append(pieces, c.signals[key].piece())
		if c.signals[key].Seen {
			agencies++
		}
	}
	kind := Open
	if k.neighbour = c.whose(k.keys); k.neighbour != "" {
		kind = HandOver
	} else if !c.enough(k.types[0].Type, pieces) {
		return
	}
	if g := c.offers[k.offer]; g != nil && g.State == Offered && g.Kind != kind {
		c.withdraw(g) // it reaches across the border, as is known now
	}
	if g := c.offers[k.offer]; g != nil && g.State == Offered {
		g.Evidence, g.UpdatedAt, g.Type, g.Severity = pieces, moment.Of(at), k.types[0].Type, severityOf(k)
		g.Reasons = caseReasons(pieces, agencies, k)
		g.Weight = sum(g.Reasons)
		c.touch(g)
		return
	}
	seed := c.signals[k.keys[0]]
	id := idOf(seed.Received, string(kind), seed.Ref)
	if c.spent[id] {
		return
	}
	g := c.offers[id]
	if g == nil || g.State != Offered {
		g = c.suggestion(id, kind, k, at)
	}
	g.Evidence, g.Reasons = pieces, caseReasons(pieces, agencies, k)
	g.Weight = sum(g.Reasons)
	k.offer = id
	c.touch(g)
}

// whose is the neighbour on whose ground all of a candidate lies; empty where any of it lies on ours: what burns on the border is ours to answer.
func (c *Core) whose(keys []string) string {
	neighbour := ""
	for _, key := range keys {
		s := &c.signals[key].Signal
		if s.Placed && s.Neighbour == "" {
			return ""
		}
		neighbour = cmp.Or(neighbour, s.Neighbour)
	}
	return neighbour
}

// caseReasons says why accounts look like one incident that nobody has opened.
func caseReasons(pieces []Piece, seen int, k *hold) []Reason {
	out := []Reason{
		{Code: "accounts", Text: fmt.Sprintf("%d accounts of one kind in one place", len(pieces)), Value: fmt.Sprint(len(pieces)), Weight: round(min(.5, .15*float64(len(pieces))))},
		{Code: "soon", Text: fmt.Sprintf("within %.0f min", k.last.Sub(k.first).Minutes()), Value: fmt.Sprintf("%.0f min", k.last.Sub(k.first).Minutes()), Weight: .15},
	}
	if seen > 0 {
		out = append(out, Reason{Code: "seen", Text: "an agency or an instrument has seen it", Value: fmt.Sprint(seen), Weight: .2})
	}
	if k.types[0].Certainty >= .9 {
		out = append(out, Reason{Code: "same_type", Text: "its type is named: " + k.types[0].Type, Value: k.types[0].Type, Weight: .15})
	}
	if k.neighbour != "" {
		out = append(out, Reason{Code: "out_of_area", Text: "on the ground of " + k.neighbour, Value: k.neighbour, Weight: .2})
	}
	return out
}

func sum(list []Reason) (x float64) {
	for _, r := range list {
		x += r.Weight
	}
	return round(clamp(x, 0, 1))
}

// offerHandOver suggests to hand an incident to the neighbour on whose ground it lies.
func (c *Core) offerHandOver(k *hold, in *incident.Incident) {
	id := idOf(in.OpenedAt.Time, string(HandOver), in.ID)
	g := c.offers[id]
	switch {
	case k.neighbour == "":
		if g != nil && g.State == Offered {
			c.withdraw(g)
		}
	case g == nil && !c.spent[id]:
		g = c.suggestion(id, HandOver, k, in.OpenedAt.Time)
		g.Incident, g.Evidence = in.ID, []Piece{pieceOf(in)}
		g.Reasons = []Reason{{Code: "out_of_area", Text: "on the ground of " + k.neighbour, Value: k.neighbour, Weight: 1}}
		g.Weight = 1
		c.touch(g)
	}
}

func pieceOf(in *incident.Incident) Piece {
	return Piece{Kind: "incident", Ref: in.ID, Text: in.Number, Agency: in.LeadAgency, At: in.OpenedAt}
}

// offerMerges suggests to make one of two open incidents. The one that was told of first would stay. It never does so by itself.
func (c *Core) offerMerges(k *hold, in *incident.Incident) {
	if k.place == nil {
		return
	}
	var with []*hold
	c.index.near(*k.place, func(o *hold) {
		if o.incident && o != k && o.place != nil && !k.apart[o.id] && !o.apart[k.id] {
			with = append(with, o)
		}
	})
	slices.SortFunc(with, func(a, b *hold) int { return cmp.Compare(a.id, b.id) })
	for _, o := range with {
		one := k.signal(o)
		weight, reasons := c.weigh(&one, o)
		if weight < JoinAt {
			continue
		}
		stays, goes := k, o
		if o.first.Before(k.first) || o.first.Equal(k.first) && o.id < k.id {
			stays, goes = o, k
		}
		low, high := min(k.id, o.id), max(k.id, o.id)
		id := idOf(time.Time{}, string(Merge), low, high)
		if g := c.offers[id]; g != nil || c.spent[id] {
			continue
		}
		g := c.suggestion(id, Merge, stays, in.UpdatedAt.Time)
		g.Incident, g.Other, g.Weight, g.Reasons = stays.id, goes.id, weight, reasons
		g.Evidence = []Piece{{Kind: "incident", Ref: stays.id, At: moment.Of(stays.first)}, {Kind: "incident", Ref: goes.id, At: moment.Of(goes.first)}}
		c.touch(g)
	}
}

// signal is an incident as if it were an account of another, at whatever time lies between the two.
func (k *hold) signal(o *hold) Signal {
	one := Signal{Key: k.id, Kind: "incident", Ref: k.id, Agency: k.id, Types: k.types, Severity: k.severity, At: k.first, Position: *k.place, Placed: true, Simulated: k.simulated, Tells: k.tells}
	if k.first.Before(o.first) { // however long each lasts
		one.At = minTime(k.last, o.first)
	}
	return one
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
