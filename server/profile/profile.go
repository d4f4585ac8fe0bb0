// Package profile is a city: its centre, areas, agencies, units, zone, prefix and consents; the built-in ones embedded.
package profile

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a bare container knows no zones

	"github.com/goccy/go-yaml"

	"kentongan/alerts"
	"kentongan/alerts/rules"
	"kentongan/geo"
	"kentongan/geo/area"
)

//go:embed solok
var builtIn embed.FS

// Profile is one city, ready for use and never changed after Load.
type Profile struct {
	Slug        string
	Name        string
	Names       map[string]string // by language
	Center      geo.Position
	Bound       geo.Bound
	MarginKm    float64 // how far outside an event still concerns us
	Zone        *time.Location
	Prefix      string    // of incident numbers
	Languages   []string  // preferred first
	Areas       *area.Set // nil: everywhere is ours
	Agencies    []Agency
	Consents    []rules.Consent // checked by Load
	Attribution string          // must be shown wherever the areas are drawn
	FeltNames   []string
	Provinces   []string // a kecamatan's name counts only in a text that names one of these
	Coastal     bool     // a tsunami warning concerns us
}

// Place is the profile as alerts judge by it.
func (p *Profile) Place() alerts.Place {
	return alerts.Place{Center: p.Center, Areas: p.Areas, MarginKm: p.MarginKm, Sender: "kentongan:" + p.Slug, Languages: p.Languages,
		Names: p.FeltNames, Provinces: p.Provinces, Coastal: p.Coastal}
}

// Agency is an OPD or partner.
type Agency struct {
	Slug string `yaml:"slug" json:"slug"`
	Name string `yaml:"name" json:"name"`
}

// file is a profile as written.
type file struct {
	Slug        string            `yaml:"slug"`
	Name        string            `yaml:"name"`
	Names       map[string]string `yaml:"names"`
	Center      point             `yaml:"center"`
	BBox        []float64         `yaml:"bbox"` // west, south, east, north
	MarginKm    float64           `yaml:"margin_km"`
	TimeZone    string            `yaml:"time_zone"`
	Prefix      string            `yaml:"prefix"`
	Languages   []string          `yaml:"languages"`
	AreasFile   string            `yaml:"areas_file"` // JSON, beside the profile
	Areas       []place           `yaml:"areas"`
	Agencies    []Agency          `yaml:"agencies"`
	Consents    []rules.Consent   `yaml:"consents"`
	FeltNames   []string          `yaml:"felt_names"` // the whole as agencies write it in lists of felt places
	Provinces   []string          `yaml:"provinces"`
	Coastal     bool              `yaml:"coastal"`
	Attribution string            `yaml:"attribution"`
}

type point struct {
	Lat float64 `yaml:"lat"`
	Lng float64 `yaml:"lng"`
}

// place is an area as written: H3 cells in hex, of mixed resolutions, or a GeoJSON polygon.
type place struct {
	Code     string    `yaml:"code" json:"code"`
	Name     string    `yaml:"name" json:"name"`
	Kind     string    `yaml:"kind" json:"kind"`
	Seat     string    `yaml:"seat" json:"seat"`
	Cells    []string  `yaml:"cells" json:"cells"`
	Geometry geo.Shape `yaml:"-" json:"geometry"`
}

// Names lists the built-in profiles.
func Names() []string { return []string{"solok"} }

// Load gives a built-in profile by name, or reads a file where the text has a dot or a slash in it. Empty: everywhere is ours, prefix INC,
// UTC, no consents. All faults come at once.
func Load(nameOrPath string) (*Profile, error) {
	switch {
	case nameOrPath == "":
		return none(), nil
	case slices.Contains(Names(), nameOrPath):
		sub, err := fs.Sub(builtIn, nameOrPath)
		if err != nil {
			return nil, err
		}
		return read(sub, "profile.yaml", nameOrPath)
	case strings.ContainsAny(nameOrPath, `./\`):
		return read(os.DirFS(filepath.Dir(nameOrPath)), filepath.Base(nameOrPath), nameOrPath)
	default:
		return nil, fmt.Errorf("there is no profile %q; built in: %s; a file is named by its path", nameOrPath, strings.Join(Names(), ", "))
	}
}

func none() *Profile {
	return &Profile{Slug: "everywhere", Name: "Kentongan", Names: map[string]string{}, Bound: geo.Bound{West: -180, South: -85, East: 180, North: 85},
		Zone: time.UTC, Prefix: "INC", Languages: []string{"id", "en"}}
}

func read(dir fs.FS, name, shown string) (*Profile, error) {
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", shown, err)
	}
	var f file
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("profile %s: %s", shown, strings.SplitN(err.Error(), "\n", 2)[0])
	}
	if f.AreasFile != "" {
		more, err := readAreas(dir, f.AreasFile)
		if err != nil {
			return nil, fmt.Errorf("profile %s: areas_file: %w", shown, err)
		}
		f.Areas = append(f.Areas, more...)
	}
	p, err := f.profile()
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", shown, err)
	}
	return p, nil
}

func readAreas(dir fs.FS, name string) ([]place, error) {
	text, err := fs.ReadFile(dir, path.Clean(name))
	if err != nil {
		return nil, err
	}
	var out []place
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

var (
	slug   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`)
	prefix = regexp.MustCompile(`^[A-Z0-9]{2,8}$`)
)

func (f file) profile() (*Profile, error) {
	var errs []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	p := &Profile{Slug: f.Slug, Name: f.Name, Names: f.Names, Center: geo.Position(f.Center), MarginKm: f.MarginKm, Prefix: f.Prefix,
		Languages: f.Languages, Agencies: f.Agencies, Consents: f.Consents, Attribution: f.Attribution,
		FeltNames: f.FeltNames, Provinces: f.Provinces, Coastal: f.Coastal}
	fault(!slug.MatchString(f.Slug), "slug: %q is not made of small letters, digits and hyphens", f.Slug)
	fault(f.Name == "", "name: is missing")
	fault(!prefix.MatchString(f.Prefix), "prefix: %q is not 2 to 8 capital letters or digits", f.Prefix)
	fault(f.MarginKm < 0, "margin_km: %v is negative", f.MarginKm)
	if err := p.Center.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("center: %w", err))
	}
	var err error
	if p.Zone, err = time.LoadLocation(f.TimeZone); err != nil || f.TimeZone == "" {
		errs = append(errs, fmt.Errorf("time_zone: %q is not a zone such as Asia/Jakarta", f.TimeZone))
	}
	if len(p.Languages) == 0 {
		p.Languages = []string{"id", "en"}
	}
	if p.Areas, err = f.areas(); err != nil {
		errs = append(errs, err)
	}
	switch {
	case len(f.BBox) == 4:
		p.Bound = geo.Bound{West: f.BBox[0], South: f.BBox[1], East: f.BBox[2], North: f.BBox[3]}
	case len(f.BBox) == 0 && p.Areas != nil:
		p.Bound = p.Areas.Bound()
	default:
		fault(true, "bbox: want west, south, east, north")
	}
	if err := p.Bound.Validate(); err != nil {
		errs = append(errs, err)
	}
	if _, err := rules.CompileConsents(f.Consents); err != nil {
		errs = append(errs, fmt.Errorf("consents: %w", err))
	}
	seen := map[string]bool{}
	for i, a := range f.Agencies {
		fault(!slug.MatchString(a.Slug), "agencies[%d].slug: %q is not made of small letters, digits and hyphens", i, a.Slug)
		fault(seen[a.Slug], "agencies[%d].slug: %q is given twice", i, a.Slug)
		seen[a.Slug] = true
	}
	return p, errors.Join(errs...)
}

func (f file) areas() (*area.Set, error) {
	if len(f.Areas) == 0 {
		return nil, nil
	}
	var errs []error
	out := make([]area.Area, 0, len(f.Areas))
	for i, a := range f.Areas {
		one := area.Area{Code: a.Code, Name: a.Name, Kind: a.Kind, Seat: a.Seat, Shape: a.Geometry}
		for _, hex := range a.Cells {
			c, err := geo.ParseCell(hex)
			if err != nil {
				errs = append(errs, fmt.Errorf("areas[%d] %s: %w", i, a.Name, err))
				continue
			}
			one.Cells = append(one.Cells, c)
		}
		out = append(out, one)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return area.New(out)
}
