package geo

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
)

// Polygon is a closed ring and its holes; first and last position of a ring are equal.
type Polygon struct{ Rings [][]Position }

// Shape is where something is: points, lines, polygons, in any number. The zero Shape is nowhere and travels as JSON null.
// Its JSON form is a GeoJSON geometry (RFC 7946).
type Shape struct {
	Points   []Position
	Lines    [][]Position
	Polygons []Polygon
}

// IsZero tells a shape that is nowhere.
func (s Shape) IsZero() bool { return len(s.Points) == 0 && len(s.Lines) == 0 && len(s.Polygons) == 0 }

// Bound around the whole shape; the zero Bound where there is none.
func (s Shape) Bound() Bound {
	var ps []Position
	ps = append(ps, s.Points...)
	for _, l := range s.Lines {
		ps = append(ps, l...)
	}
	for _, p := range s.Polygons {
		for _, r := range p.Rings {
			ps = append(ps, r...)
		}
	}
	return BoundOf(ps...)
}

// Circle is a polygon of 48 corners around a centre, radius in metres. A radius of zero is a point.
func Circle(center Position, radius float64) Shape {
	if radius <= 0 {
		return Shape{Points: []Position{center}}
	}
	const n = 48
	ring := make([]Position, 0, n+1)
	dLat := radius / EarthRadius * 180 / math.Pi
	k := math.Max(math.Cos(center.Lat*math.Pi/180), 0.01)
	for i := range n {
		a := 2 * math.Pi * float64(i) / n
		ring = append(ring, Position{Lat: math.Max(-90, math.Min(90, center.Lat+dLat*math.Sin(a))), Lng: math.Max(-180, math.Min(180, center.Lng+dLat*math.Cos(a)/k))})
	}
	return Shape{Polygons: []Polygon{{Rings: [][]Position{append(ring, ring[0])}}}}
}

func point(p Position) orb.Point { return orb.Point{p.Lng, p.Lat} }

func positions(ps []orb.Point) []Position {
	out := make([]Position, len(ps))
	for i, p := range ps {
		out[i] = Position{Lat: p[1], Lng: p[0]}
	}
	return out
}

func points(ps []Position) []orb.Point {
	out := make([]orb.Point, len(ps))
	for i, p := range ps {
		out[i] = point(p)
	}
	return out
}

func (p Polygon) orb() orb.Polygon {
	out := make(orb.Polygon, len(p.Rings))
	for i, r := range p.Rings {
		out[i] = points(r)
	}
	return out
}

func (s Shape) orb() orb.Geometry {
	var parts orb.Collection
	switch len(s.Points) {
	case 0:
	case 1:
		parts = append(parts, point(s.Points[0]))
	default:
		parts = append(parts, orb.MultiPoint(points(s.Points)))
	}
	switch len(s.Lines) {
	case 0:
	case 1:
		parts = append(parts, orb.LineString(points(s.Lines[0])))
	default:
		var m orb.MultiLineString
		for _, l := range s.Lines {
			m = append(m, points(l))
		}
		parts = append(parts, m)
	}
	switch len(s.Polygons) {
	case 0:
	case 1:
		parts = append(parts, s.Polygons[0].orb())
	default:
		var m orb.MultiPolygon
		for _, p := range s.Polygons {
			m = append(m, p.orb())
		}
		parts = append(parts, m)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return parts
}

// MarshalJSON writes a GeoJSON geometry, or null.
func (s Shape) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return []byte("null"), nil
	}
	return geojson.NewGeometry(s.orb()).MarshalJSON()
}

// ErrGeometry marks a GeoJSON geometry that cannot be read.
var ErrGeometry = errors.New("not a GeoJSON geometry")

// UnmarshalJSON reads any GeoJSON geometry, or null. Every position is checked.
func (s *Shape) UnmarshalJSON(b []byte) error {
	*s = Shape{}
	if string(b) == "null" {
		return nil
	}
	if err := checkCoordinates(b); err != nil {
		return err
	}
	var g geojson.Geometry
	if err := json.Unmarshal(b, &g); err != nil {
		return fmt.Errorf("%w: %w", ErrGeometry, err)
	}
	return s.add(g.Geometry())
}

// checkCoordinates refuses positions of fewer than two numbers, which orb fills up with zeros: [100.6] would lie on the equator.
func checkCoordinates(b []byte) error {
	var g struct {
		Coordinates any
		Geometries  []json.RawMessage
	}
	if err := json.Unmarshal(b, &g); err != nil {
		return fmt.Errorf("%w: %w", ErrGeometry, err)
	}
	for _, part := range g.Geometries {
		if err := checkCoordinates(part); err != nil {
			return err
		}
	}
	return checkPosition(g.Coordinates)
}

func checkPosition(v any) error {
	list, ok := v.([]any)
	if !ok {
		return nil // whatever else stands there, orb says what is wrong with it
	}
	for i, part := range list {
		switch part.(type) {
		case []any:
			if err := checkPosition(part); err != nil {
				return err
			}
		case float64:
			if len(list) < 2 {
				return fmt.Errorf("%w: a position of one number, %v", ErrGeometry, part)
			}
		default:
			return fmt.Errorf("%w: coordinate %d is %v, want a number", ErrGeometry, i, part)
		}
	}
	return nil
}

func (s *Shape) add(g orb.Geometry) error {
	switch v := g.(type) {
	case orb.Point:
		s.Points = append(s.Points, Position{Lat: v[1], Lng: v[0]})
	case orb.MultiPoint:
		s.Points = append(s.Points, positions(v)...)
	case orb.LineString:
		s.Lines = append(s.Lines, positions(v))
	case orb.MultiLineString:
		for _, l := range v {
			s.Lines = append(s.Lines, positions(l))
		}
	case orb.Polygon:
		p := Polygon{}
		for _, r := range v {
			p.Rings = append(p.Rings, positions(r))
		}
		s.Polygons = append(s.Polygons, p)
	case orb.MultiPolygon:
		for _, p := range v {
			if err := s.add(p); err != nil {
				return err
			}
		}
	case orb.Collection:
		for _, p := range v {
			if err := s.add(p); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("%w: %T", ErrGeometry, g)
	}
	return s.validate()
}

func (s Shape) validate() error {
	for _, ps := range append([][]Position{s.Points}, s.Lines...) {
		for _, p := range ps {
			if err := p.Validate(); err != nil {
				return fmt.Errorf("%w: %w", ErrGeometry, err)
			}
		}
	}
	for _, pg := range s.Polygons {
		for _, r := range pg.Rings {
			for _, p := range r {
				if err := p.Validate(); err != nil {
					return fmt.Errorf("%w: %w", ErrGeometry, err)
				}
			}
		}
	}
	return nil
}
