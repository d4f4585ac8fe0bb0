package status

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/statement"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// MostEvidence is how much of it one level names, the oldest first: a storm of a thousand incidents needs no thousand reasons.
const MostEvidence = 50

// facts is what the rules are asked of: the values, the evidence behind each, and the names of which nobody tells anything.
type facts struct {
	values   map[string]any
	evidence map[string][]*Evidence
	blind    map[string]bool
}

// factsOf reckons the facts of a hazard at a time.
func (p *picture) factsOf(hazard string, now time.Time) facts {
	f := facts{values: map[string]any{}, evidence: map[string][]*Evidence{}, blind: map[string]bool{}}
	p.ofIncidents(&f, hazard)
	p.ofWarnings(&f, now)
	p.ofStatements(&f, now)
	f.values["flood_minutes"] = 0.0
	if since := p.floodSince(); !since.IsZero() {
		f.values["flood_minutes"] = now.Sub(since.Time).Minutes()
		f.evidence["flood_minutes"] = []*Evidence{{Kind: "alarms", Ref: "flood", At: since}}
	}
	p.ofUnits(&f)
	return f
}

func (p *picture) ofIncidents(f *facts, hazard string) {
	counts, districts := map[string]int{}, map[string]bool{}
	var all, extreme, severe, hit []*Evidence
	for _, e := range p.incidents {
		if hazard != House && byType[e.Type] != hazard {
			continue
		}
		counts[e.Type]++
		all = append(all, e)
		if e.Severity == cap.Extreme {
			extreme = append(extreme, e)
		}
		if e.Severity != cap.Extreme && e.Severity != cap.Severe {
			continue
		}
		severe = append(severe, e)
		if e.AreaName != "" && p.place.District(e.AreaName) {
			districts[e.AreaName] = true
			hit = append(hit, e)
		}
	}
	f.values["open"], f.values["open_extreme"], f.values["open_severe"] = len(all), len(extreme), len(severe)
	f.values["open_by_type"], f.values["districts_hit"] = counts, len(districts)
	f.evidence["open"], f.evidence["open_extreme"], f.evidence["open_severe"], f.evidence["open_by_type"], f.evidence["districts_hit"] = all, extreme, severe, all, hit
}

// ofWarnings counts what a weather service says, as alerts and as statements of a scale of the weather that are worth something.
func (p *picture) ofWarnings(f *facts, now time.Time) {
	districts := map[string]bool{}
	var found []*Evidence
	for _, w := range p.warnings {
		if !w.until.IsZero() && !now.Before(w.until.Time) {
			continue
		}
		found = append(found, &w.Evidence)
		for _, d := range w.districts {
			districts[d] = true
		}
	}
	for _, s := range p.inForce(now) {
		if scale, ok := p.scales.Find(s.Scale); !ok || scale.Hazard != "weather" || worth(scale, s.Step) < 2 {
			continue
		}
		found = append(found, said(s))
		name := s.AreaName
		if !p.place.District(name) {
			name = "" // of the area as a whole: one kecamatan at least
		}
		districts[name] = true
	}
	f.values["warnings"], f.values["districts_warned"] = len(found), len(districts)
	f.evidence["warnings"], f.evidence["districts_warned"] = found, found
}

func (p *picture) ofStatements(f *facts, now time.Time) {
	steps, level, rank := map[string]string{}, map[string]int{}, map[string]int{}
	worst := map[string]statement.Statement{} // by scale
	var closed []*Evidence
	longest := 0.0
	var evacuations []*Evidence
	f.values["volcano_step"], f.values["gate_step"], f.values["decree"], f.values["resources_exceeded"] = "", "", "", false
	for _, s := range p.inForce(now) {
		scale, ok := p.scales.Find(s.Scale)
		if !ok {
			continue
		}
		if r := scale.Rank(s.Step); r > rank[s.Scale] { // its steps run from the calmest to the worst, whichever way they are numbered
			rank[s.Scale], steps[s.Scale], level[s.Scale], worst[s.Scale] = r, s.Step, worth(scale, s.Step), s
		}
		switch {
		case s.Scale == statement.ScaleRoad && s.National && s.Step == statement.RoadClosed:
			longest = max(longest, now.Sub(s.Begun().Time).Minutes())
			closed = append(closed, said(s))
		case s.Scale == statement.ScaleEvacuation && s.Step == statement.EvacuationUnder:
			evacuations = append(evacuations, said(s))
		case s.Scale == statement.ScaleCapacity && s.Step == statement.CapacityExceeded:
			f.values["resources_exceeded"] = true
			f.evidence["resources_exceeded"] = append(f.evidence["resources_exceeded"], said(s))
		}
	}
	most := map[string]int{} // by fact
	for _, code := range slices.Sorted(maps.Keys(worst)) {
		scale, _ := p.scales.Find(code)
		one := said(worst[code])
		f.evidence["steps"], f.evidence["worth"] = append(f.evidence["steps"], one), append(f.evidence["worth"], one)
		name := map[string]string{"volcano": "volcano_step", "flood": "gate_step"}[scale.Hazard]
		if code == statement.ScaleDecree {
			name = "decree"
		}
		if name != "" && rank[code] > most[name] {
			most[name], f.values[name], f.evidence[name] = rank[code], steps[code], []*Evidence{one}
		}
	}
	f.values["steps"], f.values["worth"], f.values["road_closed_minutes"], f.values["evacuations"] = steps, level, longest, len(evacuations)
	f.evidence["road_closed_minutes"], f.evidence["evacuations"] = closed, evacuations
}

// ofUnits counts the agencies none of whose units can be sent. Nothing is known of an agency that has no unit here.
func (p *picture) ofUnits(f *facts) {
	ready, last := map[string]bool{}, map[string]moment.Time{}
	for _, u := range p.units {
		ready[u.Agency] = ready[u.Agency] || u.Status == "available" || u.Status == "returning" // on the way back it may be assigned
		if u.StatusAt.After(last[u.Agency].Time) {
			last[u.Agency] = u.StatusAt
		}
	}
	var without []*Evidence
	for _, agency := range slices.Sorted(maps.Keys(ready)) {
		if !ready[agency] {
			without = append(without, &Evidence{Kind: "unit", Ref: agency, Text: agency, At: last[agency]})
		}
	}
	f.values["agencies_without_units"], f.evidence["agencies_without_units"] = len(without), without
	f.blind["agencies_without_units"] = len(ready) == 0
}

// worth is the level of the area that the profile's table gives a step.
func worth(scale statement.Scale, step string) int {
	r := scale.Rank(step)
	if r == 0 {
		return 0
	}
	return scale.Steps[r-1].Status
}

// said is a statement as evidence, as old as what was said.
func said(s statement.Statement) *Evidence {
	return &Evidence{Kind: "statement", Ref: s.ID, Text: s.Name + ", " + s.Source, AreaName: s.AreaName, Scale: s.Scale, Step: s.Step, At: s.StatedAt}
}

// finding is what the rules find of a hazard at one time.
type finding struct {
	level    int
	rules    []string
	reasons  []Reason
	evidence []Evidence
	who      []string
	blind    []string
}

// judge asks the rules of every hazard. The area has what holds of any hazard.
func (r *Rules) judge(p *picture, now time.Time) map[string]finding {
	out := map[string]finding{}
	var whole []held
	for _, h := range slices.Backward(Hazards()) { // the area last: it has what holds of the others too
		f := p.factsOf(h.Code, now)
		var mine []held
		var blind []string
		for i := range r.list {
			c := &r.list[i]
			if !slices.Contains(c.Hazards, h.Code) {
				continue
			}
			names := c.when.Names()
			if slices.ContainsFunc(names, func(n string) bool { return f.blind[n] }) {
				blind = append(blind, c.ID)
			}
			if ok, err := c.when.Holds(f.values); err != nil || !ok {
				continue // an error: a type that nothing open has
			}
			one := held{rule: c}
			for _, n := range names {
				one.evidence = append(one.evidence, f.evidence[n]...)
			}
			mine = append(mine, one)
		}
		if h.Code == House {
			mine = append(mine, whole...)
		} else {
			whole = append(whole, mine...)
		}
		one := found(mine)
		one.blind = listOf(blind)
		out[h.Code] = one
	}
	return out
}

// held is a rule that holds, with what it rests on.
type held struct {
	rule     *compiled
	evidence []*Evidence
}

// found is the highest level of what holds, with the rules of that level.
func found(list []held) finding {
	out := finding{level: 1, rules: []string{}, reasons: []Reason{}, evidence: []Evidence{}}
	for _, h := range list {
		out.level = max(out.level, h.rule.Level)
	}
	slices.SortStableFunc(list, func(a, b held) int { return strings.Compare(a.rule.ID, b.rule.ID) })
	var behind []*Evidence
	for _, h := range list {
		if h.rule.Level != out.level {
			continue
		}
		behind = append(behind, h.evidence...)
		if slices.Contains(out.rules, h.rule.ID) {
			continue
		}
		out.rules = append(out.rules, h.rule.ID)
		out.reasons = append(out.reasons, Reason(maps.Clone(h.rule.Names)))
		for _, w := range h.rule.Who { // one reason is enough to confirm by: whoever may confirm it by any of them may
			if !slices.Contains(out.who, w) {
				out.who = append(out.who, w)
			}
		}
	}
	order := func(a, b *Evidence) int {
		return cmp.Or(a.At.Compare(b.At.Time), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Ref, b.Ref))
	}
	slices.SortFunc(behind, order)
	for _, e := range slices.CompactFunc(behind, func(a, b *Evidence) bool { return order(a, b) == 0 }) {
		if len(out.evidence) == MostEvidence {
			break
		}
		out.evidence = append(out.evidence, *e)
	}
	if out.who == nil {
		out.who = WhoConfirms(out.level)
	}
	return out
}

// listOf is a list that travels as [] where it is empty.
func listOf(in []string) []string { return append([]string{}, in...) }
