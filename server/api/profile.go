package api

import (
	"context"
	"math"
	"net/http"

	"kentongan/geo"
	"kentongan/geo/area"
	"kentongan/server/access"
	"kentongan/server/basemap"
	"kentongan/server/profile"
)

// profile registers the place. It is written once, but for the base map, whose attribution may come later.
func (s *server) profile() {
	shown := profileOf(s.Profile, s.Insecure)
	operation(s, needs(access.ReadThings), "GET", "/api/v1/profile", "profile", "The place that this house watches", http.StatusOK, func(context.Context, *struct{}) (*body[Profile], error) {
		now := shown
		now.Basemap = s.Basemap.Info()
		return &body[Profile]{now}, nil
	})
}

// Profile is the place as screens draw it.
type Profile struct {
	Slug         string               `json:"slug"`
	Name         string               `json:"name"`
	Names        profile.Text         `json:"names" doc:"By language"`
	Codes        map[string]string    `json:"codes" doc:"Of the whole, by code system"`
	Center       lngLat               `json:"center"`
	BBox         []float64            `json:"bbox" doc:"west, south, east, north"`
	Watch        []float64            `json:"watch" doc:"The wider box that still concerns us: west, south, east, north"`
	MarginKm     float64              `json:"margin_km"`
	TimeZone     string               `json:"time_zone"`
	Languages    []string             `json:"languages"`
	Prefix       string               `json:"prefix"`
	PhoneArea    string               `json:"phone_area"`
	Attribution  string               `json:"attribution" doc:"Shown wherever the areas are drawn"`
	Insecure     bool                 `json:"insecure" doc:"Plain HTTP beyond this machine: every screen says so"`
	CodeSystem   string               `json:"code_system" doc:"That the areas' codes belong to"`
	Agencies     []profile.Agency     `json:"agencies"`
	Capabilities []profile.Capability `json:"capabilities"`
	Units        []profile.Unit       `json:"units" doc:"The roster; whether a unit is free is not told here"`
	HazardSites  []profile.Hazard     `json:"hazard_sites"`
	Neighbours   []profile.Neighbour  `json:"neighbours"`
	Levels       profile.Levels       `json:"levels"`
	SLA          profile.Service      `json:"sla"`
	Basemap      basemap.Info         `json:"basemap"`
	Areas        areaCollection       `json:"areas"`
	Outline      *areaFeature         `json:"outline" doc:"Around everything that is ours; null: everywhere is"`
}

type lngLat struct {
	Lng float64 `json:"lng"`
	Lat float64 `json:"lat"`
}

type areaCollection struct {
	Type     string        `json:"type" enum:"FeatureCollection"`
	Features []areaFeature `json:"features"`
}

type areaFeature struct {
	Type       string         `json:"type" enum:"Feature"`
	Properties areaProperties `json:"properties"`
	Geometry   geo.Shape      `json:"geometry"`
}

type areaProperties struct {
	Code   string            `json:"code"`
	Codes  map[string]string `json:"codes,omitempty"`
	Name   string            `json:"name"`
	Kind   string            `json:"kind"`
	Seat   string            `json:"seat,omitempty"`
	Center *lngLat           `json:"center,omitempty" doc:"A place in the middle, inside"`
}

func profileOf(p *profile.Profile, insecure bool) Profile {
	out := Profile{
		Slug: p.Slug, Name: p.Name, Names: p.Names, Codes: p.Codes, Center: place(p.Center), BBox: box(p.Bound), Watch: box(p.Watch()), MarginKm: p.MarginKm,
		TimeZone: p.Zone.String(), Languages: p.Languages, Prefix: p.Prefix, PhoneArea: p.PhoneArea, Attribution: p.Attribution, Insecure: insecure,
		CodeSystem: p.CodeSystem, Agencies: listed(p.Agencies), Capabilities: listed(p.Capabilities), Units: listed(p.Units), HazardSites: listed(p.Hazards),
		Neighbours: listed(p.Neighbours), Levels: profile.Levels{Status: listed(p.Levels.Status), Scales: listed(p.Levels.Scales), StatusRules: listed(p.Levels.StatusRules)},
		SLA:   profile.Service{DefaultZone: p.SLA.DefaultZone, Zones: listed(p.SLA.Zones), Classes: listed(p.SLA.Classes)},
		Areas: areaCollection{Type: "FeatureCollection", Features: []areaFeature{}},
	}
	for i := range out.Units {
		out.Units[i].Capabilities = listed(out.Units[i].Capabilities)
	}
	for _, o := range p.Areas.Outlines() {
		out.Areas.Features = append(out.Areas.Features, areaFeature{"Feature", propertiesOf(o.Area), o.Shape})
	}
	if hull := p.Areas.Hull(); !hull.IsZero() {
		out.Outline = &areaFeature{"Feature", areaProperties{Code: p.Slug, Name: p.Name, Kind: "outline"}, hull}
	}
	return out
}

func propertiesOf(a area.Area) areaProperties {
	mid := place(a.Center())
	return areaProperties{Code: a.Code, Codes: a.Codes, Name: a.Name, Kind: a.Kind, Seat: a.Seat, Center: &mid}
}

// listed makes a list that travels as [] where it is empty, and that is its own.
func listed[T any](list []T) []T { return append([]T{}, list...) }

func place(p geo.Position) lngLat { return lngLat{sixth(p.Lng), sixth(p.Lat)} }

func box(b geo.Bound) []float64 {
	return []float64{sixth(b.West), sixth(b.South), sixth(b.East), sixth(b.North)}
}

// sixth cuts a degree to six digits, a tenth of a metre.
func sixth(deg float64) float64 { return math.Round(deg*1e6) / 1e6 }
