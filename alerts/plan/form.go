package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kentongan/alerts"
	"kentongan/alerts/incident"
	"kentongan/geo"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// ErrInvalid marks a draft that says something wrong; Faults say where.
var ErrInvalid = errors.New("the plan is not valid")

// ErrOver means that a plan is over or cancelled, and is not changed any more: 409.
var ErrOver = errors.New("the plan is over")

// Bounds of a plan.
const (
	MaxTitle   = 200  // characters
	MaxNote    = 4000 // characters
	MaxList    = 200  // Things, feeds, types or rules
	MaxBufferM = 5000.0
	MaxSpan    = 3.0    // degrees of its area from side to side
	MaxCorners = 10_000 // positions of its area
	// DefaultBufferM is around a point or line that says nothing else: about the width of a works site with its traffic.
	DefaultBufferM = 100.0
)

// MaxLasts is how long a plan may last; what lasts longer is no plan but how things are.
const MaxLasts = 2 * 366 * 24 * time.Hour

// Draft is what a person says of a plan: all of it, also when it is edited.
type Draft struct {
	Kind      Kind
	Title     string
	Note      string
	Agency    string
	Source    string
	Area      alerts.Feature
	Things    []string
	Feeds     []string
	Types     []string
	Rules     []string
	BufferM   *float64 // nil: DefaultBufferM around points and lines, 0 around polygons
	Holds     bool
	From, To  moment.Time
	Simulated bool
}

// Known tells what exists in the house. A nil function knows nothing of its noun, and everything of it passes.
type Known struct {
	Thing, Feed, Rule, Agency func(id string) bool
}

// Faults is everything that is wrong with a draft; it is an ErrInvalid.
type Faults []*fault.Fault

// Error lists one fault a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes Faults an ErrInvalid.
func (fs Faults) Unwrap() error { return ErrInvalid }

func (fs *Faults) add(field string, code fault.Code, limit any, format string, args ...any) {
	*fs = append(*fs, fault.At(field, code, limit, format, args...))
}

// Validate gives the plan that a draft makes, without id, version and stamps; or Faults. now bounds the end: what is over is not announced.
func (d Draft) Validate(known Known, now time.Time) (Plan, error) {
	var fs Faults
	p := Plan{Kind: d.Kind, Title: strings.TrimSpace(d.Title), Note: strings.TrimSpace(d.Note), Agency: d.Agency, Source: strings.TrimSpace(d.Source),
		Area: d.Area, Things: list(d.Things), Feeds: list(d.Feeds), Types: list(d.Types), Rules: list(d.Rules), Holds: d.Holds,
		From: d.From, To: d.To, Simulated: d.Simulated}
	p.Area.Type = "Feature"
	if !slices.Contains([]Kind{Works, Event, Closure, Maintenance}, p.Kind) {
		fs.add("kind", fault.OneOf, "works, event, closure, maintenance", "%.40q is none of works, event, closure, maintenance", p.Kind)
	}
	if p.Title == "" {
		fs.add("title", fault.Missing, nil, "is missing")
	}
	for _, t := range []struct {
		field, text string
		most        int
	}{{"title", p.Title, MaxTitle}, {"note", p.Note, MaxNote}, {"source", p.Source, MaxTitle}, {"area.properties.name", p.Area.Properties.Name, MaxTitle}} {
		if n := utf8.RuneCountInString(t.text); n > t.most {
			fs.add(t.field, fault.Long, t.most, "has %d characters, at most %d are kept", n, t.most)
		}
	}
	fs.times(d, now)
	fs.area(&p, d.BufferM)
	fs.names("things", p.Things, known.Thing, "there is no such Thing")
	fs.names("feeds", p.Feeds, known.Feed, "there is no such feed")
	fs.names("rules", p.Rules, known.Rule, "there is no such rule")
	fs.names("types", p.Types, func(code string) bool { t, ok := incident.TypeOf(code); return ok && !t.Restricted }, "is none of "+incident.Codes())
	if p.Agency != "" && known.Agency != nil && !known.Agency(p.Agency) {
		fs.add("agency", fault.Unknown, nil, "there is no agency %.60q", p.Agency)
	}
	if len(fs) > 0 {
		return Plan{}, fs
	}
	p.State = p.At(now)
	return p, nil
}

func (fs *Faults) times(d Draft, now time.Time) {
	switch {
	case d.From.IsZero():
		fs.add("from", fault.Missing, nil, "is missing")
	case d.To.IsZero():
		fs.add("to", fault.Missing, nil, "is missing")
	case !d.From.Before(d.To.Time):
		fs.add("to", fault.Late, nil, "%s is not after from, %s", d.To, d.From)
	case d.To.Sub(d.From.Time) > MaxLasts:
		fs.add("to", fault.Far, MaxLasts.Hours(), "the plan lasts %d days, at most %d", int(d.To.Sub(d.From.Time).Hours()/24), int(MaxLasts.Hours()/24))
	case !now.Before(d.To.Time):
		fs.add("to", fault.Over, nil, "%s has passed", d.To)
	}
}

// area checks where the plan is, and how far around it it reaches.
func (fs *Faults) area(p *Plan, buffer *float64) {
	shape := p.Area.Geometry
	switch {
	case p.Kind == Maintenance && len(p.Things) == 0 && len(p.Feeds) == 0:
		fs.add("things", fault.Missing, nil, "maintenance names the Things or feeds that are under it")
	case p.Kind == Closure && len(shape.Lines) == 0:
		fs.add("area", fault.Form, "LineString", "a closure has a line: the road that is closed")
	case p.Kind != Maintenance && shape.IsZero():
		fs.add("area", fault.Missing, nil, "is missing: a GeoJSON Feature with a point, line or polygon")
	}
	corners := len(shape.Points)
	for i, l := range shape.Lines {
		if corners += len(l); len(l) < 2 {
			fs.add("area", fault.Form, nil, "line %d has %d positions, want 2 at least", i+1, len(l))
		}
	}
	for i, pg := range shape.Polygons {
		if len(pg.Rings) == 0 {
			fs.add("area", fault.Form, nil, "polygon %d has no ring", i+1)
		}
		for k, r := range pg.Rings {
			if corners += len(r); len(r) < 4 || r[0] != r[len(r)-1] {
				fs.add("area", fault.Form, nil, "ring %d of polygon %d is not closed: want 4 positions at least, the last as the first", k+1, i+1)
			}
		}
	}
	if b := shape.Bound(); corners > MaxCorners {
		fs.add("area", fault.Long, MaxCorners, "has %d positions, at most %d", corners, MaxCorners)
	} else if b.East-b.West > MaxSpan || b.North-b.South > MaxSpan {
		fs.add("area", fault.Most, MaxSpan, "reaches over %.1f by %.1f degrees, at most %.0f", b.East-b.West, b.North-b.South, MaxSpan)
	}
	switch {
	case buffer == nil && len(shape.Polygons) == 0 && !shape.IsZero():
		p.BufferM = DefaultBufferM
	case buffer == nil:
	case !(*buffer >= 0 && *buffer <= MaxBufferM):
		fs.add("buffer_m", fault.Between, fault.Range{0, MaxBufferM}, "%v is not within 0 to %.0f metres", *buffer, MaxBufferM)
	default:
		p.BufferM = *buffer
	}
	for _, q := range append(slices.Clone(shape.Points), slices.Concat(shape.Lines...)...) {
		if q == (geo.Position{}) {
			fs.add("area", fault.Outside, nil, "0,0 stands for an unknown place")
			break
		}
	}
}

func (fs *Faults) names(field string, names []string, known func(string) bool, text string) {
	if len(names) > MaxList {
		fs.add(field, fault.Long, MaxList, "names %d, at most %d", len(names), MaxList)
		return
	}
	for i, n := range names {
		switch at := fmt.Sprintf("%s[%d]", field, i); {
		case n == "":
			fs.add(at, fault.Missing, nil, "is empty")
		case slices.Contains(names[:i], n):
			fs.add(at, fault.Twice, nil, "%.80q is given twice", n)
		case known != nil && !known(n):
			fs.add(at, fault.Unknown, nil, "%.80q: %s", n, text)
		}
	}
}

// list is a list that travels as [] where it is empty, and that is its own.
func list(in []string) []string { return append([]string{}, in...) }
