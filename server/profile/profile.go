// Package profile is a city: its centre, areas, agencies, units, zone, prefix and consents; the built-in ones embedded.
package profile

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a bare container knows no zones

	"kentongan/alerts"
	"kentongan/alerts/rules"
	"kentongan/alerts/status"
	"kentongan/geo"
	"kentongan/geo/area"
)

//go:embed solok bandung
var builtIn embed.FS

// DefaultMarginKm is the watch margin of a profile that gives none: 0.25 degrees (domain.md section 12).
const DefaultMarginKm = 28

// Profile is one city, ready for use and never changed after Load.
type Profile struct {
	Slug         string
	Name         string
	Names        Text
	Codes        map[string]string // of the whole, by code system: kemendagri "13.02"
	Center       geo.Position
	Bound        geo.Bound
	MarginKm     float64 // how far beyond the border something still concerns us
	Zone         *time.Location
	Prefix       string   // of incident numbers
	Languages    []string // preferred first
	PhoneArea    string   // "0755"
	Areas        *area.Set
	CodeSystem   string // that the codes of areas belong to, "bps"
	Neighbours   []Neighbour
	Agencies     []Agency
	Capabilities []Capability
	Units        []Unit
	Desks        []string // slugs, as people choose them at sign-in
	Hazards      []Hazard
	Levels       Levels
	SLA          Service
	Checklists   []Checklist
	StatusRules  *status.Rules   // those of Levels, checked
	Consents     []rules.Consent // checked by Load
	Attach       []string        // incident types that reports join by themselves
	Attribution  string          // must be shown wherever the areas are drawn
	FeltNames    []string
	Provinces    []string // a kecamatan's name counts only in a text that names one of these
	Coastal      bool     // a tsunami warning concerns us
}

// Place is the profile as alerts judge by it.
func (p *Profile) Place() alerts.Place {
	out := alerts.Place{Center: p.Center, Areas: p.Areas, MarginKm: p.MarginKm, Sender: "kentongan:" + p.Slug, Languages: p.Languages,
		Names: p.FeltNames, Provinces: p.Provinces, Coastal: p.Coastal}
	for _, n := range p.Neighbours {
		one := alerts.Neighbour{Slug: n.Slug, Name: n.Name, Areas: n.Areas, Emergency: n.Emergency}
		for _, h := range p.Hazards {
			if h.Neighbour == n.Slug {
				one.Sites = append(one.Sites, alerts.Site{Position: h.Position(), RadiusM: h.RadiusM})
			}
		}
		out.Neighbours = append(out.Neighbours, one)
	}
	return out
}

// Watch is the box that feeds are asked for: our bound and the margin around it. The whole world where everywhere is ours.
func (p *Profile) Watch() geo.Bound { return p.Bound.Grow(p.MarginKm) }

// Convert gives the step of another scale by the scale's name and the step's code, such as river_gate and "I".
func (p *Profile) Convert(scale, code string) (Step, bool) {
	for _, s := range p.Levels.Scales {
		if s.Scale != scale {
			continue
		}
		if i := slices.IndexFunc(s.Steps, func(t Step) bool { return strings.EqualFold(t.Code, code) }); i >= 0 {
			return s.Steps[i], true
		}
	}
	return Step{}, false
}

// Names lists the built-in profiles.
func Names() []string { return []string{"solok", "bandung"} }

// Load gives a built-in profile by name, or reads a file where the text has a dot or a slash in it. Empty: everywhere is ours, prefix INC,
// UTC, no consents. All faults come at once, as strict.Faults with their lines.
func Load(nameOrPath string) (*Profile, error) {
	switch {
	case nameOrPath == "":
		return none()
	case slices.Contains(Names(), nameOrPath):
		sub, err := fs.Sub(builtIn, nameOrPath)
		if err != nil {
			return nil, err
		}
		return read(sub, "profile.yaml", nameOrPath+"/profile.yaml")
	case strings.ContainsAny(nameOrPath, `./\`):
		return read(os.DirFS(filepath.Dir(nameOrPath)), filepath.Base(nameOrPath), nameOrPath)
	default:
		return nil, fmt.Errorf("there is no profile %q; built in: %s; a file is named by its path", nameOrPath, strings.Join(Names(), ", "))
	}
}

func none() (*Profile, error) {
	rules, err := compileStatus(nil, DefaultStatus())
	return &Profile{StatusRules: rules, Slug: "everywhere", Name: "Kentongan", Names: Text{}, Bound: geo.Bound{West: -180, South: -85, East: 180, North: 85},
		Zone: time.UTC, Prefix: "INC", Languages: []string{"id", "en"}, Desks: DefaultDesks(), Levels: Levels{Status: DefaultStatus(), Scales: withHouse(nil), StatusRules: rules.List()}}, err
}
