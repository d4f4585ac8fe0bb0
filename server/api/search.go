package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/feeds/cap"
	"kentongan/geo/index"
	"kentongan/server/access"
	"kentongan/server/problem"
)

// Bounds of a search: how much it answers of each noun, how far back it looks for incidents that are over, and how long it looks at Things.
const (
	searchLimit  = 8
	searchMost   = 50
	searchBack   = 90 * 24 * time.Hour
	searchThings = 300 * time.Millisecond
)

func (s *server) search() {
	operation(s, needs(access.ReadThings), "GET", "/api/v1/search", "search", "Incidents, areas and Things by number, name, type or id", http.StatusOK, s.find)
}

type searchIn struct {
	Text  string `query:"q" required:"true" minLength:"1" maxLength:"100" doc:"Part of a number, name, title, type or id, in any case"`
	Limit int    `query:"limit" minimum:"0" maximum:"50" doc:"Of each noun; default 8"`
}

// Found is what a search answers: incidents, then areas, then Things, the best first.
type Found struct {
	Items    []Hit `json:"items"`
	Complete bool  `json:"complete" doc:"False: there was no time to look at every Thing"`
}

// Hit is one answer of a search.
type Hit struct {
	Noun      string       `json:"noun" enum:"incident,area,thing"`
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Number    string       `json:"number,omitempty" doc:"Of an incident"`
	Kind      string       `json:"kind" doc:"Of a Thing; of an area district, lake, zone or neighbour; of an incident its type"`
	Status    string       `json:"status,omitempty"`
	Severity  cap.Severity `json:"severity,omitempty"`
	AreaName  string       `json:"area_name,omitempty"`
	Lng       *float64     `json:"lng"`
	Lat       *float64     `json:"lat"`
	BBox      []float64    `json:"bbox,omitempty" doc:"Of an area: west, south, east, north"`
	Simulated bool         `json:"simulated"`
	Exercise  bool         `json:"exercise,omitempty" doc:"Of an incident: of an exercise, which is simulated as well"`

	rank int
}

func (s *server) find(ctx context.Context, in *searchIn) (*body[Found], error) {
	want := strings.ToLower(strings.TrimSpace(in.Text))
	if want == "" {
		return nil, problem.New(problem.Invalid, "q says nothing to search for", problem.At("query.q", problem.Missing, "says nothing to search for"))
	}
	limit := in.Limit
	if limit == 0 {
		limit = searchLimit
	}
	limit = min(limit, searchMost)
	out := Found{Items: []Hit{}}
	v := s.sees(ctx)
	if v.who.Can(access.ReadIncidents) {
		hits, err := v.findIncidents(ctx, want, limit)
		if err != nil {
			return nil, s.fault(err)
		}
		out.Items = append(out.Items, hits...)
	}
	out.Items = append(out.Items, s.findAreas(want, limit)...)
	things, complete := v.findThings(ctx, want, limit)
	out.Items, out.Complete = append(out.Items, things...), complete
	return &body[Found]{out}, nil
}

// match is how well a text answers: 0 not at all, 3 exactly.
func match(want string, texts ...string) int {
	best := 0
	for _, t := range texts {
		switch t = strings.ToLower(t); {
		case t == want:
			return 3
		case strings.HasPrefix(t, want):
			best = max(best, 2)
		case strings.Contains(t, want):
			best = max(best, 1)
		}
	}
	return best
}

// spoken is a number as it is read over the radio: SLK-2026-000418 is 418.
func spoken(number string) string {
	return strings.TrimLeft(number[strings.LastIndexByte(number, '-')+1:], "0")
}

// findIncidents looks at every open incident, by the names of its type too, then at those of the last months that are over.
func (v view) findIncidents(ctx context.Context, want string, limit int) ([]Hit, error) {
	open, _, err := v.incidents(ctx, store.Query{Status: "open", Limit: mostLimit})
	if err != nil {
		return nil, err
	}
	past, _, err := v.incidents(ctx, store.Query{Text: want, From: v.now.Add(-searchBack), Limit: limit})
	if err != nil {
		return nil, err
	}
	var hits []Hit
	seen := map[string]bool{}
	for _, one := range append(open, past...) {
		t, _ := incident.TypeOf(one.Type)
		rank := match(want, append(one.ExternalIDs(), spoken(one.Number), one.Number, one.Title, one.AreaName, one.Type, t.ID, t.EN)...)
		if rank == 0 || seen[one.ID] {
			continue
		}
		seen[one.ID] = true
		h := Hit{Noun: "incident", ID: one.ID, Name: one.Title, Number: one.Number, Kind: one.Type, Status: string(one.Status), Severity: one.Severity,
			AreaName: one.AreaName, Simulated: one.Simulated, Exercise: one.Exercise, rank: rank * 2}
		if one.Status.Open() {
			h.rank++
		}
		if p, ok := one.Position(); ok {
			h.Lng, h.Lat = &p.Lng, &p.Lat
		}
		hits = append(hits, h)
	}
	return best(hits, limit), nil
}

func (s *server) findAreas(want string, limit int) []Hit {
	var hits []Hit
	for _, o := range s.Profile.Areas.Outlines() {
		rank := match(want, o.Area.Name, o.Area.Seat)
		if strings.ToLower(o.Area.Code) == want {
			rank = 3
		}
		if rank == 0 {
			continue
		}
		b := o.Shape.Bound()
		lng, lat := (b.West+b.East)/2, (b.South+b.North)/2
		hits = append(hits, Hit{Noun: "area", ID: o.Area.Code, Name: o.Area.Name, Kind: o.Area.Kind, AreaName: o.Area.Seat, Lng: &lng, Lat: &lat,
			BBox: []float64{b.West, b.South, b.East, b.North}, rank: rank})
	}
	return best(hits, limit)
}

// findThings takes the list of Things under the picture's lock and reads their names after it, so that a search never holds up a reading.
func (v view) findThings(ctx context.Context, want string, limit int) (hits []Hit, complete bool) {
	picture, seen := v.picture(), v.units()
	all := make([]*index.Entry, 0, picture.Len())
	picture.All(func(e *index.Entry) bool {
		all = append(all, e)
		return true
	})
	until := v.s.Now().Add(searchThings)
	complete = true
	for i, e := range all {
		if i%1024 == 1023 && (ctx.Err() != nil || v.s.Now().After(until)) {
			complete = false
			break
		}
		t := thingOf(e)
		if t == nil || seen != nil && !seen(e) {
			continue
		}
		rank := match(want, t.Name, e.ID, e.ID[strings.IndexByte(e.ID, ':')+1:])
		if rank == 0 {
			continue
		}
		h := Hit{Noun: "thing", ID: e.ID, Name: t.Name, Kind: e.Kind, Simulated: t.Simulated, rank: rank}
		if e.Placed {
			p := e.Position
			h.Lng, h.Lat = &p.Lng, &p.Lat
		}
		if hits = append(hits, h); len(hits) >= 64*limit { // enough to choose from
			hits = best(hits, limit)
		}
	}
	return best(hits, limit), complete
}

// best sorts the hits, the best first and then by name, and keeps the first of them.
func best(hits []Hit, limit int) []Hit {
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.rank, a.rank), strings.Compare(b.Number, a.Number), strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return hits[:min(len(hits), limit)]
}
