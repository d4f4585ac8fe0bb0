// Package geo is a place: Position, Bound, Cell, Resolution, distance, GeoJSON; pure, and the only importer of h3-go (cgo).
//
// Inside the house a place is always latitude first. The order of axes turns only in geojson.go.
package geo

import (
	"errors"
	"fmt"
	"math"
)

// Position is a point on WGS 84 in degrees, latitude -90..90 and longitude -180..180.
type Position struct{ Lat, Lng float64 }

// ErrPosition marks a position that lies nowhere.
var ErrPosition = errors.New("not a position")

// Validate refuses what h3-go would take for a place: NaN, infinities, and degrees out of range.
func (p Position) Validate() error {
	if math.IsNaN(p.Lat) || p.Lat < -90 || p.Lat > 90 {
		return fmt.Errorf("%w: latitude %v is not within -90..90", ErrPosition, p.Lat)
	}
	if math.IsNaN(p.Lng) || p.Lng < -180 || p.Lng > 180 {
		return fmt.Errorf("%w: longitude %v is not within -180..180", ErrPosition, p.Lng)
	}
	return nil
}

// IsNull tells the point 0,0, by which careless producers mean "unknown".
func (p Position) IsNull() bool { return p.Lat == 0 && p.Lng == 0 }

// EarthRadius is the mean radius of WGS 84 in metres (IUGG R1).
const EarthRadius = 6371008.8

// Distance is the great-circle distance in metres (haversine on EarthRadius; within 0.5 % of the ellipsoid).
func Distance(a, b Position) float64 {
	const rad = math.Pi / 180
	dLat, dLng := (b.Lat-a.Lat)*rad, (b.Lng-a.Lng)*rad
	s, c := math.Sin(dLat/2), math.Sin(dLng/2)
	h := s*s + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*c*c
	return 2 * EarthRadius * math.Asin(math.Min(1, math.Sqrt(h)))
}

// Bound is a rectangle in degrees. Where West > East it crosses the antimeridian.
type Bound struct{ West, South, East, North float64 }

// Validate refuses a bound that holds nothing or lies outside the world.
func (b Bound) Validate() error {
	if err := (Position{b.South, b.West}).Validate(); err != nil {
		return fmt.Errorf("bbox south-west corner: %w", err)
	}
	if err := (Position{b.North, b.East}).Validate(); err != nil {
		return fmt.Errorf("bbox north-east corner: %w", err)
	}
	if b.South > b.North {
		return fmt.Errorf("bbox: south %v lies north of %v", b.South, b.North)
	}
	return nil
}

// Contains tells whether a position lies within the bound, its edges included.
func (b Bound) Contains(p Position) bool {
	if p.Lat < b.South || p.Lat > b.North {
		return false
	}
	if b.West <= b.East {
		return p.Lng >= b.West && p.Lng <= b.East
	}
	return p.Lng >= b.West || p.Lng <= b.East
}

// Intersects tells whether two bounds share a point; neither may cross the antimeridian unless it is b.
func (b Bound) Intersects(o Bound) bool {
	if o.North < b.South || o.South > b.North {
		return false
	}
	if b.West <= b.East {
		return o.East >= b.West && o.West <= b.East
	}
	return o.East >= b.West || o.West <= b.East
}

// Extend grows the bound by a position. The zero Bound is not empty: start from BoundOf.
func (b Bound) Extend(p Position) Bound {
	return Bound{math.Min(b.West, p.Lng), math.Min(b.South, p.Lat), math.Max(b.East, p.Lng), math.Max(b.North, p.Lat)}
}

// kmPerDegree of latitude, on the sphere of EarthRadius.
const kmPerDegree = EarthRadius * math.Pi / 180 / 1000

// Grow widens the bound by km on every side, no further than the poles and the antimeridian. It must not cross the antimeridian.
func (b Bound) Grow(km float64) Bound {
	lat := km / kmPerDegree
	widest := math.Min(80, math.Max(math.Abs(b.South), math.Abs(b.North))+lat)
	lng := lat / math.Cos(widest*math.Pi/180)
	return Bound{math.Max(-180, b.West-lng), math.Max(-90, b.South-lat), math.Min(180, b.East+lng), math.Min(90, b.North+lat)}
}

// BoundOf is the smallest bound around the positions; the zero Bound where there are none.
func BoundOf(ps ...Position) Bound {
	if len(ps) == 0 {
		return Bound{}
	}
	b := Bound{ps[0].Lng, ps[0].Lat, ps[0].Lng, ps[0].Lat}
	for _, p := range ps[1:] {
		b = b.Extend(p)
	}
	return b
}
