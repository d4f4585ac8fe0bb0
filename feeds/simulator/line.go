package simulator

import (
	"math"
	"sort"

	"kentongan/geo"
)

// kmPerDegree of a great circle.
const kmPerDegree = 111.195

// flat is the distance in km over a place so small that the earth is flat there.
func flat(a, b geo.Position) float64 {
	dy := (a.Lat - b.Lat) * kmPerDegree
	dx := (a.Lng - b.Lng) * kmPerDegree * math.Cos(a.Lat*math.Pi/180)
	return math.Sqrt(dx*dx + dy*dy)
}

// moved is the position some km east and north of another.
func moved(p geo.Position, east, north float64) geo.Position {
	return geo.Position{Lat: p.Lat + north/kmPerDegree, Lng: p.Lng + east/(kmPerDegree*math.Cos(p.Lat*math.Pi/180))}
}

// bearing in degrees clockwise from north.
func bearing(a, b geo.Position) float64 {
	d := math.Atan2((b.Lng-a.Lng)*math.Cos(a.Lat*math.Pi/180), b.Lat-a.Lat) * 180 / math.Pi
	return math.Mod(d+360, 360)
}

// line is a polyline that knows how far along each of its points is.
type line struct {
	points []geo.Position
	km     []float64 // from the first point
}

func lineOf(points []geo.Position) line {
	l := line{points: points, km: make([]float64, len(points))}
	for i := 1; i < len(points); i++ {
		l.km[i] = l.km[i-1] + flat(points[i-1], points[i])
	}
	return l
}

// length in km.
func (l *line) length() float64 { return l.km[len(l.km)-1] }

// at gives the place so many km along, and the direction there; beyond its ends it stays at them.
func (l *line) at(km float64) (geo.Position, float64) {
	i := max(1, min(len(l.km)-1, sort.SearchFloat64s(l.km, km)))
	a, b := l.points[i-1], l.points[i]
	x := max(0, min(1, (km-l.km[i-1])/(l.km[i]-l.km[i-1])))
	return geo.Position{Lat: a.Lat + (b.Lat-a.Lat)*x, Lng: a.Lng + (b.Lng-a.Lng)*x}, bearing(a, b)
}

// nearest is how many km along the line comes nearest to a place.
func (l *line) nearest(p geo.Position) float64 {
	best, at := math.Inf(1), 0.0
	for i := 1; i < len(l.points); i++ {
		for x := range 21 {
			km := l.km[i-1] + (l.km[i]-l.km[i-1])*float64(x)/20
			q, _ := l.at(km)
			if d := flat(p, q); d < best {
				best, at = d, km
			}
		}
	}
	return at
}
