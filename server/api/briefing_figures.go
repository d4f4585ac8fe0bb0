package api

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"time"

	"kentongan/alerts/figures"
	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/problem"
)

// mostPlaces and mostOpen are what one page holds.
const (
	mostPlaces = 5
	mostOpen   = 50
)

// composed makes the figures of a record. The same record, period and zone give the same figures, byte by byte.
func composed(r store.Record, p asked, zone *time.Location) Briefing {
	population, standing := figures.Population(r.Cases, p.From, p.To, p.AsOf), figures.StandingOf(r.Cases, p.AsOf)
	at := moment.Of(p.AsOf)
	b := Briefing{
		AsOf: at, Period: BriefingPeriod{moment.Of(p.From), moment.Of(p.To)}, Zone: zone.String(), Began: moment.Of(r.Began), Times: map[string]TimesFigure{}, SLA: map[string]ShareFigure{},
		Rates: map[string]ShareFigure{}, Places: []PlaceFigure{}, Recurrent: []RecurringFigure{}, Response: []ResponseFigure{}, Open: []OpenCase{},
		Unmeasured: []string{"unit_availability", "referral_time", "public_answer"},
	}
	stand := func(c figures.Choice) Stand { return Stand{at, p.query(c)} }
	b.Counts = counted(r, p, zone, standing)
	for _, f := range []figures.Figure{figures.Detection, figures.Acking, figures.Dispatching, figures.Turnout, figures.Travel, figures.Response, figures.Resolving} {
		b.Times[string(f)] = TimesFigure{f.Times(population, p.AsOf), stand(figures.Choice{Figure: f})}
	}
	for name, f := range map[string]figures.Figure{"overall": figures.SLA, "ack": figures.SLAAck, "dispatch": figures.SLADispatch, "scene": figures.SLAScene, "resolve": figures.SLAResolve, "decision": figures.SLADecision} {
		b.SLA[name] = ShareFigure{f.Compliance(population, p.AsOf), stand(figures.Choice{Figure: f})}
	}
	for _, by := range []figures.By{figures.ByLead, figures.ByArea, figures.ByType, figures.ByBand, figures.ByClass} {
		for _, g := range figures.Groups(population, by, zone, p.AsOf) {
			c := figures.Choice{Figure: figures.Response, Lead: g.Agency, Area: g.Area, Type: g.Type, Class: g.Class, Band: g.Band}
			if by == figures.ByLead {
				c.Lead = cmp.Or(g.Agency, figures.None)
			}
			if by == figures.ByArea {
				c.Area = cmp.Or(g.Area, figures.None)
			}
			kept := c
			kept.Figure = figures.SLA
			b.Response = append(b.Response, ResponseFigure{g, stand(c), p.query(kept)})
		}
	}
	for name, r := range figures.RatesOf(population) {
		b.Rates[name] = ShareFigure{r.Share, stand(figures.Choice{Figure: r.Of, Origin: r.Origin})}
	}
	b.Backlog = TimesFigure{figures.BacklogOf(standing, p.AsOf), stand(figures.Choice{Figure: figures.Backlog})}
	for _, place := range figures.Most(population, mostPlaces) {
		b.Places = append(b.Places, PlaceFigure{place, stand(figures.Choice{Figure: figures.All, Cell: place.Cell})})
	}
	again, known := figures.Recurrent(r.Cases, r.Began, p.AsOf)
	b.Recurring = known
	for _, place := range again {
		within := asked{p.AsOf.Add(-figures.RecurWindow), p.AsOf, p.AsOf}
		b.Recurrent = append(b.Recurrent, RecurringFigure{place, Stand{at, within.query(figures.Choice{Figure: figures.All, Cell: place.Cell, Type: place.Type})}})
	}
	b.Open = graveOf(standing, p.AsOf)
	b.graveLate = len(figures.Choice{Figure: figures.GraveLate, AsOf: p.AsOf}.Of(r.Cases, zone))
	b.unverified = len(figures.Choice{Figure: figures.Unverified, AsOf: p.AsOf}.Of(r.Cases, zone))
	return b
}

func counted(r store.Record, p asked, zone *time.Location, standing []*figures.Case) BriefingCounts {
	at := moment.Of(p.AsOf)
	count := figures.Counting{All: r.Cases, Began: r.Began, Zone: zone, AsOf: p.AsOf}
	grave := count
	grave.Counts = (*figures.Case).Grave
	open := func(f figures.Figure) CountFigure {
		n := 0
		for i := range standing {
			if f.Counts(standing[i], p.AsOf.UnixMilli()) {
				n++
			}
		}
		return CountFigure{figures.Count{N: n}, Stand{at, p.query(figures.Choice{Figure: f})}}
	}
	return BriefingCounts{
		Incidents: CountFigure{count.In(p.From, p.To), Stand{at, p.query(figures.Choice{Figure: figures.All})}},
		Grave:     CountFigure{grave.In(p.From, p.To), Stand{at, p.query(figures.Choice{Figure: figures.Grave})}},
		Open:      open(figures.Standing), GraveOpen: open(figures.GraveOpen),
		Series: p.series(count),
	}
}

// series tells the period in parts, each with its own list.
func (p asked) series(count figures.Counting) []SlotFigure {
	slots := count.Series(p.From, p.To)
	out := make([]SlotFigure, len(slots))
	for i, slot := range slots {
		within := asked{slot.From, slot.To, p.AsOf}
		out[i] = SlotFigure{slot, Stand{moment.Of(p.AsOf), within.query(figures.Choice{Figure: figures.All})}}
	}
	return out
}

// graveOf lists the open Extreme and Severe cases, the oldest first.
func graveOf(standing []*figures.Case, asOf time.Time) []OpenCase {
	out := []OpenCase{}
	for _, c := range standing {
		if !c.Grave() {
			continue
		}
		out = append(out, OpenCase{ID: c.ID, Number: c.Number, Type: c.Type, Severity: c.Severity, Lead: c.Lead, Area: c.Area,
			Since: moment.OfMilli(c.Stamps[figures.Signal]), Late: figures.Backlog.Counts(c, asOf.UnixMilli())})
	}
	slices.SortFunc(out, func(a, b OpenCase) int {
		return cmp.Or(a.Since.Compare(b.Since.Time), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), mostOpen)]
}

// titles fills in what this person reads of the incidents that are named.
func (v view) titles(ctx context.Context, open []OpenCase) error {
	if len(open) == 0 {
		return nil
	}
	ids := make([]string, len(open))
	for i := range open {
		ids[i] = open[i].ID
	}
	docs, err := v.named(ctx, ids)
	if err != nil {
		return err
	}
	for _, in := range docs {
		for i := range open {
			if open[i].ID == in.ID {
				open[i].Title = in.Title
			}
		}
	}
	return nil
}

// query writes a choice as /incidents takes it.
func (p asked) query(c figures.Choice) string {
	q := url.Values{"figure": {string(c.Figure)}, "as_of": {moment.Of(p.AsOf).String()}}
	if !c.Figure.Anytime() {
		q.Set("since", moment.Of(p.From).String())
		q.Set("until", moment.Of(p.To).String())
	}
	for name, value := range map[string]string{"lead": c.Lead, "area": c.Area, "type": c.Type, "class": c.Class, "source": c.Origin} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if c.Band != nil {
		q.Set("hours", c.Band.String())
	}
	if c.Cell != 0 {
		q.Set("cell", c.Cell.String())
	}
	return q.Encode()
}

// FigureFilter chooses the incidents that a figure of the briefing rests on.
type FigureFilter struct {
	Figure string    `query:"figure" enum:"all,detection,ack,dispatch,turnout,travel,response,resolve,sla,sla_ack,sla_dispatch,sla_scene,sla_resolve,sla_decision,closed,resolved,over,grave,open,grave_open,backlog,grave_late,unverified" doc:"Those that a figure of the briefing rests on, the newest first; as_of is needed, since and until too unless the figure is of what stands open. Goes with type, limit and page, with no other filter"`
	Since  time.Time `query:"since" doc:"Of a figure: first signals at or after"`
	Until  time.Time `query:"until" doc:"Of a figure: and before"`
	AsOf   time.Time `query:"as_of" doc:"Of a figure: how the record stood then"`
	Lead   string    `query:"lead" maxLength:"64" doc:"Of a figure: of this lead agency; -: of none"`
	Area   string    `query:"area" maxLength:"200" doc:"Of a figure: in this kecamatan; -: in none"`
	Class  string    `query:"class" enum:"A,B,C,D,E" doc:"Of a figure: of this service class"`
	Source string    `query:"source" enum:"person,report,sensor,agency" doc:"Of a figure: first told by"`
	Hours  string    `query:"hours" enum:"0-6,6-12,12-18,18-24" doc:"Of a figure: in these hours of the day"`
	Cell   string    `query:"cell" maxLength:"16" doc:"Of a figure: in this H3 cell of resolution 8"`
}

// choice reads what is chosen. Restricting it by anything else as well would make another list than the figure's.
func (in *incidentsIn) choice() (figures.Choice, error) {
	f := in.FigureFilter
	wrong := func(field, why string) (figures.Choice, error) {
		return figures.Choice{}, problem.New(problem.Invalid, "there is no such list", problem.At("query."+field, problem.Wrong, why))
	}
	c := figures.Choice{Figure: figures.Figure(f.Figure), From: f.Since, To: f.Until, AsOf: f.AsOf, Lead: f.Lead, Area: f.Area, Type: in.Type, Class: f.Class, Origin: f.Source}
	switch {
	case f.AsOf.IsZero():
		return wrong("as_of", "is needed with figure")
	case !c.Figure.Anytime() && (f.Since.IsZero() || f.Until.IsZero()):
		return wrong("since", "since and until are needed with this figure")
	case in.Status != "" || in.Agency != "" || in.Severity != "" || in.BBox != "" || in.Q != "" || in.Simulated != "" || in.Exercise != "" || !in.From.IsZero() || !in.To.IsZero():
		return wrong("figure", "goes with no other filter than since, until, as_of, lead, area, type, class, source, hours and cell")
	}
	for i, b := range figures.Bands {
		if f.Hours == b.String() {
			c.Band = &figures.Bands[i]
		}
	}
	if f.Cell != "" {
		cell, err := geo.ParseCell(f.Cell)
		if err != nil || cell.Resolution() != geo.ResArea {
			return wrong("cell", "is no H3 cell of resolution 8")
		}
		c.Cell = cell
	}
	return c, nil
}

// listFigure lists the incidents behind a figure.
func (s *server) listFigure(ctx context.Context, in *incidentsIn) (*body[List[incident.Incident]], error) {
	c, err := in.choice()
	if err != nil {
		return nil, err
	}
	items, next, err := s.sees(ctx).behind(ctx, c, store.Query{Limit: in.Limit, Page: in.Page})
	if err != nil {
		return nil, err
	}
	return listOf(items, next), nil
}
