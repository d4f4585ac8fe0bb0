package api

import (
	"context"
	"net/http"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/server/auth"
	"kentongan/server/profile"
)

// lists registers the short lists: feeds, rules, audit; and the profile.
func (s *server) lists() {
	operation(s, needs(auth.ReadFeeds), "GET", "/api/v1/feeds", "feeds", "How each feed fares", http.StatusOK, func(context.Context, *struct{}) (*body[List[feeds.FeedStatus]], error) {
		return listOf(s.Feeds(), ""), nil
	})
	operation(s, needs(auth.ReadRules), "GET", "/api/v1/rules", "rules", "The rules, with their state", http.StatusOK, func(context.Context, *struct{}) (*body[List[rules.Listed]], error) {
		return listOf(s.Rules(), ""), nil
	})
	operation(s, needs(auth.ReadAudit), "GET", "/api/v1/audit", "audit", "Audit records, the newest first", http.StatusOK, s.listAudit)
	shown := profileOf(s.Profile, s.Insecure)
	operation(s, needs(auth.ReadThings), "GET", "/api/v1/profile", "profile", "The place that this house watches", http.StatusOK, func(context.Context, *struct{}) (*body[Profile], error) {
		return &body[Profile]{shown}, nil
	})
}

type auditIn struct {
	From  time.Time `query:"from" doc:"At or after"`
	To    time.Time `query:"to" doc:"Before"`
	Limit int       `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page  string    `query:"page"`
}

func (s *server) listAudit(ctx context.Context, in *auditIn) (*body[List[audit.Record]], error) {
	items, next, err := s.Cases.AuditLog(ctx, in.From, in.To, in.Limit, in.Page)
	if err != nil {
		return nil, s.fault(err)
	}
	return listOf(items, next), nil
}

// Profile is the place as screens draw it.
type Profile struct {
	Slug        string            `json:"slug"`
	Name        string            `json:"name"`
	Names       map[string]string `json:"names"`
	Center      lngLat            `json:"center"`
	BBox        []float64         `json:"bbox" doc:"west, south, east, north"`
	TimeZone    string            `json:"time_zone"`
	Prefix      string            `json:"prefix"`
	Attribution string            `json:"attribution" doc:"Shown wherever the areas are drawn"`
	Insecure    bool              `json:"insecure" doc:"Plain HTTP beyond this machine: every screen says so"`
	Agencies    []profile.Agency  `json:"agencies"`
	Areas       areaCollection    `json:"areas"`
	Outline     *areaFeature      `json:"outline" doc:"Around everything that is ours; null: everywhere is"`
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
	Code string `json:"code"`
	Name string `json:"name"`
	Kind string `json:"kind"`
	Seat string `json:"seat,omitempty"`
}

func profileOf(p *profile.Profile, insecure bool) Profile {
	out := Profile{
		Slug: p.Slug, Name: p.Name, Names: p.Names, Center: lngLat{p.Center.Lng, p.Center.Lat}, BBox: []float64{p.Bound.West, p.Bound.South, p.Bound.East, p.Bound.North},
		TimeZone: p.Zone.String(), Prefix: p.Prefix, Attribution: p.Attribution, Insecure: insecure, Agencies: p.Agencies,
		Areas: areaCollection{Type: "FeatureCollection", Features: []areaFeature{}},
	}
	if out.Agencies == nil {
		out.Agencies = []profile.Agency{}
	}
	for _, o := range p.Areas.Outlines() {
		out.Areas.Features = append(out.Areas.Features, areaFeature{"Feature", areaProperties{o.Area.Code, o.Area.Name, o.Area.Kind, o.Area.Seat}, o.Shape})
	}
	if hull := p.Areas.Hull(); !hull.IsZero() {
		out.Outline = &areaFeature{"Feature", areaProperties{Code: p.Slug, Name: p.Name, Kind: "outline"}, hull}
	}
	return out
}
