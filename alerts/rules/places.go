package rules

import (
	"kentongan/geo"
	"kentongan/geo/area"
)

// Places is what rules know of the map.
type Places interface {
	// Area gives the polygons of an area by its code or its name.
	Area(codeOrName string) (geo.Shape, bool)
	// AreaOf tells in which area a position lies; empty texts where it lies in none that has a name.
	AreaOf(geo.Position) (code, name, kind string, ours bool)
}

// PlacesOf lets rules look at a set of areas; a nil set is a jurisdiction without limits, where everywhere is ours.
func PlacesOf(s *area.Set) Places { return places{s} }

type places struct{ set *area.Set }

// Area gives an area's polygons: by code in its own or any other system, else by its name.
func (p places) Area(codeOrName string) (geo.Shape, bool) {
	for _, byName := range []bool{false, true} {
		for _, o := range p.set.Outlines() {
			if byName && o.Area.Name == codeOrName || !byName && hasCode(o.Area, codeOrName) {
				return o.Shape, true
			}
		}
	}
	return geo.Shape{}, false
}

func hasCode(a area.Area, code string) bool {
	for _, c := range a.Codes {
		if c == code {
			return true
		}
	}
	return a.Code == code
}

// AreaOf asks the set.
func (p places) AreaOf(at geo.Position) (code, name, kind string, ours bool) {
	a, ok := p.set.Find(at)
	if !ok {
		return "", "", "", p.set.Contains(at)
	}
	return a.Code, a.Name, a.Kind, a.Ours()
}
