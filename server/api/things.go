package api

import (
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/ingest"
	"kentongan/server/problem"
	"kentongan/server/scope"
	"kentongan/server/wire"
)

// Bounds of a page, and of how many neighbours one may ask for.
const (
	defaultLimit = 100
	mostLimit    = 1000
	defaultK     = 10
)

func (s *server) things() {
	operation(s, needs(access.ReadThings), "GET", "/api/v1/things", "things", "Latest state of Things", http.StatusOK, s.listThings)
	operation(s, about(access.ReadThings, scope.NounThing), "GET", "/api/v1/things/{id}", "thing", "One Thing", http.StatusOK, s.oneThing)
	operation(s, about(access.ReadThings, scope.NounThing), "GET", "/api/v1/things/{id}/observations", "observations", "A Thing's history, the newest first", http.StatusOK, s.observations)
}

type thingsIn struct {
	BBox  string `query:"bbox" doc:"west,south,east,north in degrees; west > east crosses the antimeridian"`
	Cell  string `query:"cell" doc:"H3 cell of any resolution"`
	Kind  string `query:"kind" doc:"One kind, or several parted by commas"`
	Near  string `query:"near" doc:"lng,lat: the k nearest, with distance_m"`
	K     int    `query:"k" minimum:"0" maximum:"1000" doc:"With near; default 10"`
	Limit int    `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page  string `query:"page"`
}

// thingOut is a Thing in a list; the distance is there when near was asked.
type thingOut struct {
	wire.Thing
	DistanceM *float64 `json:"distance_m,omitempty" doc:"Metres from near"`
}

func (s *server) listThings(ctx context.Context, in *thingsIn) (*body[List[thingOut]], error) {
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	v := s.sees(ctx)
	q.seen = v.units()
	picture := v.picture()
	if q.near != nil {
		var out []thingOut
		for _, n := range picture.Nearest(*q.near, q.k, q.wants) {
			d := math.Round(n.DistanceM*10) / 10
			if t := thingOf(n.Entry); t != nil {
				out = append(out, thingOut{wire.ThingOf(t), &d})
			}
		}
		return listOf(out, ""), nil
	}
	found := first{limit: q.limit + 1}
	take := func(e *index.Entry) bool {
		if e.ID > q.after && q.wants(e) {
			found.add(e)
		}
		return true
	}
	switch {
	case q.cell != 0:
		picture.In(q.cell, take)
	case q.bound != nil:
		picture.Within(*q.bound, take)
	default:
		picture.All(take)
	}
	entries, next := found.sorted(), ""
	if len(entries) > q.limit {
		entries = entries[:q.limit]
		next = entries[q.limit-1].ID
	}
	out := make([]thingOut, 0, len(entries))
	for _, e := range entries {
		if t := thingOf(e); t != nil {
			out = append(out, thingOut{Thing: wire.ThingOf(t)})
		}
	}
	return listOf(out, next), nil
}

func thingOf(e *index.Entry) *feeds.Thing {
	return feeds.Unpack(e.Payload, e.ID, e.Kind, e.Position, e.Placed, e.Cell)
}

// thingQuery is a question about Things, checked.
type thingQuery struct {
	bound *geo.Bound
	cell  geo.Cell
	kinds []string
	near  *geo.Position
	k     int
	limit int
	after string
	seen  func(*index.Entry) bool // nil: all are
}

func (in *thingsIn) query() (thingQuery, error) {
	q := thingQuery{k: in.K, limit: in.Limit, after: in.Page}
	if q.limit == 0 {
		q.limit = defaultLimit
	}
	if q.k == 0 {
		q.k = defaultK
	}
	if in.Kind != "" {
		q.kinds = strings.Split(in.Kind, ",")
	}
	var err error
	if q.bound, err = boundOf(in.BBox); err != nil {
		return q, err
	}
	if in.Cell != "" {
		if q.cell, err = geo.ParseCell(in.Cell); err != nil {
			return q, problem.New(problem.Invalid, "cell: "+err.Error(), problem.At("query.cell", problem.Form, err.Error()))
		}
	}
	if in.Near != "" {
		v, err := numbers(in.Near, 2)
		if err != nil {
			return q, problem.New(problem.Invalid, "near: "+err.Error(), problem.At("query.near", problem.Form, err.Error()))
		}
		p := geo.Position{Lat: v[1], Lng: v[0]}
		if err := p.Validate(); err != nil {
			return q, problem.New(problem.Invalid, "near: "+err.Error(), problem.At("query.near", problem.Form, err.Error()))
		}
		q.near = &p
	}
	return q, nil
}

// wants judges what the walk itself does not: kind, what is seen, and for near also box and cell.
func (q *thingQuery) wants(e *index.Entry) bool {
	if len(q.kinds) > 0 && !slices.Contains(q.kinds, e.Kind) || q.seen != nil && !q.seen(e) {
		return false
	}
	if q.bound != nil && !q.bound.Contains(e.Position) {
		return false
	}
	return q.cell == 0 || e.Cell.Parent(q.cell.Resolution()) == q.cell
}

// first keeps the entries with the smallest ids, so that a page of a large city costs a small heap and not a sort of everything.
type first struct {
	limit   int
	entries []*index.Entry
}

func (f *first) Len() int           { return len(f.entries) }
func (f *first) Less(i, j int) bool { return f.entries[i].ID > f.entries[j].ID }
func (f *first) Swap(i, j int)      { f.entries[i], f.entries[j] = f.entries[j], f.entries[i] }
func (f *first) Push(x any)         { f.entries = append(f.entries, x.(*index.Entry)) }
func (f *first) Pop() any {
	last := len(f.entries) - 1
	e := f.entries[last]
	f.entries = f.entries[:last]
	return e
}

func (f *first) add(e *index.Entry) {
	if len(f.entries) < f.limit {
		heap.Push(f, e)
	} else if e.ID < f.entries[0].ID {
		f.entries[0] = e
		heap.Fix(f, 0)
	}
}

func (f *first) sorted() []*index.Entry {
	slices.SortFunc(f.entries, func(a, b *index.Entry) int { return strings.Compare(a.ID, b.ID) })
	return f.entries
}

// boundOf reads west,south,east,north; empty is none.
func boundOf(text string) (*geo.Bound, error) {
	if text == "" {
		return nil, nil
	}
	v, err := numbers(text, 4)
	if err != nil {
		return nil, problem.New(problem.Invalid, "bbox: "+err.Error(), problem.At("query.bbox", problem.Form, err.Error()))
	}
	b := geo.Bound{West: v[0], South: v[1], East: v[2], North: v[3]}
	if err := b.Validate(); err != nil {
		return nil, problem.New(problem.Invalid, err.Error())
	}
	return &b, nil
}

func numbers(text string, n int) ([]float64, error) {
	parts := strings.Split(text, ",")
	if len(parts) != n {
		return nil, fmt.Errorf("want %d numbers parted by commas, found %d", n, len(parts))
	}
	out := make([]float64, n)
	for i, p := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%.20q is not a number", p)
		}
		out[i] = v
	}
	return out, nil
}

type thingIn struct {
	ID string `path:"id" doc:"<feed>:<native id>"`
}

func (s *server) oneThing(ctx context.Context, _ *thingIn) (*body[wire.Thing], error) {
	return &body[wire.Thing]{wire.ThingOf(thingOf(objectOf(ctx).entry))}, nil
}

type observationsIn struct {
	ID       string    `path:"id"`
	From     time.Time `query:"from" doc:"Event time at or after"`
	To       time.Time `query:"to" doc:"Event time before"`
	Property string    `query:"property"`
	Limit    int       `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page     string    `query:"page"`
}

// Observation is one line of history.
type Observation struct {
	ID         string          `json:"id,omitempty"`
	Thing      string          `json:"thing"`
	Property   string          `json:"property"`
	Value      any             `json:"value" doc:"A number, text or bool"`
	Unit       string          `json:"unit"`
	At         moment.Time     `json:"at"`
	ReceivedAt moment.Time     `json:"received_at"`
	Quality    feeds.Quality   `json:"quality"`
	Lng        *float64        `json:"lng"`
	Lat        *float64        `json:"lat"`
	Attrs      json.RawMessage `json:"attrs,omitempty"`
}

// The stream's clock and a reading's stamp are two readings of one clock; a reading may be dated a little ahead of both.
const (
	stampSlack = time.Minute
	eventSlack = feeds.ClockSkewLimit + time.Minute
)

// errEnough ends a walk through history.
var errEnough = errors.New("enough")

// observations walks back through the commits. Pages follow the order of commits, which never changes behind a reader: a page names the
// commit of the last line given, and how many lines of that commit were given.
func (s *server) observations(ctx context.Context, in *observationsIn) (*body[List[Observation]], error) {
	entry := objectOf(ctx).entry
	stamp, skip, err := historyPage(in.Page)
	if err != nil {
		return nil, problem.New(problem.Invalid, err.Error())
	}
	limit := in.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	var from, to time.Time
	if !in.From.IsZero() {
		from = in.From.Add(-eventSlack)
	}
	if stamp > 0 {
		to = time.UnixMilli(stamp).Add(stampSlack)
	}
	out, next := []Observation{}, ""
	last, given := stamp, skip // the commit that is being read, and how many of its lines have been passed
	err = s.History.History(ctx, in.ID, entry, from, to, 0, func(b []byte) error {
		r, err := ingest.DecodeReading(b)
		if err != nil { // every other is given; which it is was said where readings are told apart
			return nil
		}
		at := r.StoredAt.Milli()
		if stamp > 0 && (at > stamp || at == stamp && skip > 0) {
			if at == stamp {
				skip--
			}
			return nil
		}
		if len(out) == limit {
			next = fmt.Sprintf("%d.%d", last, given)
			return errEnough
		}
		if at != last {
			last, given = at, 0
		}
		given++
		if !in.From.IsZero() && r.At.Before(in.From) || !in.To.IsZero() && !r.At.Before(in.To) || in.Property != "" && r.Property != in.Property {
			return nil
		}
		out = append(out, observationOf(r))
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, s.fault(fmt.Errorf("%w: %w", feeds.ErrBusy, err))
	}
	return listOf(out, next), nil
}

func historyPage(page string) (stamp int64, skip int, err error) {
	if page == "" {
		return 0, 0, nil
	}
	a, b, _ := strings.Cut(page, ".")
	stamp, err1 := strconv.ParseInt(a, 10, 64)
	skip, err2 := strconv.Atoi(b)
	if err1 != nil || err2 != nil || stamp <= 0 || skip < 0 {
		return 0, 0, fmt.Errorf("page %.40q is not one of ours", page)
	}
	return stamp, skip, nil
}

func observationOf(r ingest.Reading) Observation {
	o := Observation{ID: r.ID, Thing: r.Thing, Property: r.Property, Value: r.Value.Any(), Unit: r.Unit, At: r.At, ReceivedAt: r.ReceivedAt, Quality: r.Quality, Attrs: r.Attrs}
	if r.Placed {
		o.Lng, o.Lat = &r.Position.Lng, &r.Position.Lat
	}
	return o
}
