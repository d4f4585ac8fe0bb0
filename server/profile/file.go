package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"kentongan/alerts/rules"
	"kentongan/alerts/status"
	"kentongan/geo"
	"kentongan/geo/area"
	"kentongan/server/strict"
)

// file is a profile as written. The doc tags become the sample file.
type file struct {
	Slug      string            `yaml:"slug" doc:"Small letters, digits and hyphens; part of every key in the store and of our alerts' sender."`
	Name      string            `yaml:"name" doc:"As the screens' head writes it."`
	Names     Text              `yaml:"names" doc:"The same by language."`
	Codes     map[string]string `yaml:"codes" doc:"Of the whole, by code system."`
	Center    point             `yaml:"center" doc:"Distances to earthquakes are measured from here."`
	BBox      []float64         `yaml:"bbox" doc:"west, south, east, north in degrees. Absent: around the areas."`
	MarginKm  *float64          `yaml:"margin_km" doc:"Watch margin beyond the border: what lies in it is shown and listed, but is not ours. Absent: 28 (0.25 degrees)."`
	TimeZone  string            `yaml:"time_zone" doc:"A zone of the IANA database."`
	Prefix    string            `yaml:"prefix" doc:"Of incident numbers: 2 to 8 capital letters or digits."`
	Languages []string          `yaml:"languages" doc:"Preferred first; every text below has each of them. Absent: id, en."`
	PhoneArea string            `yaml:"phone_area" doc:"Area code of land lines."`

	CodeSystem  string  `yaml:"code_system" doc:"That the codes of the areas belong to; BPS and Kemendagri number the same place differently."`
	AreasFile   string  `yaml:"areas_file" doc:"A file beside this one: a JSON list of areas as below, or a GeoJSON FeatureCollection of polygons whose properties\nhold code, name, kind, seat and codes. Its areas come before those below."`
	Areas       []place `yaml:"areas" doc:"Areas as H3 cells (mixed resolutions, finer ones win) or as a GeoJSON polygon. kind: district (default), lake, zone, or neighbour,\nwhich is known but not ours. Two areas that claim the same ground are a fault that names both."`
	Attribution string  `yaml:"attribution" doc:"Of the boundaries; shown wherever they are drawn."`

	Neighbours   []Neighbour  `yaml:"neighbours" doc:"Other authorities. relation: enclosed or borders; areas: codes of areas of kind neighbour; emergency_number: for a hand-over."`
	Agencies     []Agency     `yaml:"agencies" doc:"OPD and partners. acts_as: slugs of the incident type table (polres, satpolpp ...) that it stands for here."`
	Capabilities []Capability `yaml:"capabilities" doc:"What units can do; a unit may only name these."`
	Units        []Unit       `yaml:"units" doc:"Teams and vehicles. post lies within the watch margin; example: true marks a made-up roster."`
	Desks        []string     `yaml:"desks" doc:"Slugs of the desks that people choose at sign-in. Absent: desk-1 to desk-4."`
	HazardSites  []Hazard     `yaml:"hazard_sites" doc:"Known dangerous places. kind: volcano, fault, lake, road, landslide, flood, coast; source: \"V: who says so\", G or D;\nneighbour: slug of the authority whose ground it is."`
	Levels       levels       `yaml:"levels" doc:"status: levels of the area, 1 the calmest (absent: Normal, Waspada, Siaga, Awas). scales: of others, steps from the calmest to the worst,\neach with the CAP severity and the least area status that it is worth. Nothing else converts between scales. hazard: what a scale is about\n(area, flood, landslide, eq, volcano, weather, fire, road). status_rules: what proposes a level of the area, for each of its hazards (absent: for\neach): when is CEL over facts such as open_extreme, districts_hit, volcano_step (alerts/status lists them), names are the reason in words,\nwho are the roles that confirm it (absent: supervisor, and leader from level 4 on). Absent: the table of domain.md section 3.\nlower_after: how long the rules must have found less before it is proposed to lower a level; absent: 15m."`
	SLA          Service      `yaml:"sla" doc:"Minutes by class of service (A to E) and zone. areas: codes of the areas of a zone; all others lie in default_zone."`
	Checklists   []Checklist  `yaml:"checklists" doc:"What is done about every incident of some types, line by line; key: what a done line is known by."`

	Consents  []rules.Consent `yaml:"consents" doc:"Agency alerts that open an incident without asking anyone. Everything else is shown and listed only."`
	Attach    []string        `yaml:"attach" doc:"Incident types that reports join by themselves where they fit. Of all other types a person is asked; what agencies and instruments saw joins always."`
	FeltNames []string        `yaml:"felt_names" doc:"The whole as agencies write it in lists of felt places."`
	Provinces []string        `yaml:"provinces" doc:"A kecamatan's name counts only in a text that names one of these."`
	Coastal   bool            `yaml:"coastal" doc:"true: a tsunami warning concerns us."`
}

type levels struct {
	Status      []Level       `yaml:"status"`
	Scales      []Scale       `yaml:"scales"`
	StatusRules []status.Rule `yaml:"status_rules"`
	LowerAfter  time.Duration `yaml:"lower_after"`
}

type point struct {
	Lat float64 `yaml:"lat"`
	Lng float64 `yaml:"lng"`
}

// place is an area as written: H3 cells in hex, of mixed resolutions, or a GeoJSON polygon.
type place struct {
	Code     string            `yaml:"code" json:"code"`
	Codes    map[string]string `yaml:"codes" json:"codes"`
	Name     string            `yaml:"name" json:"name"`
	Kind     string            `yaml:"kind" json:"kind"`
	Seat     string            `yaml:"seat" json:"seat"`
	Cells    []string          `yaml:"cells" json:"cells"`
	Geometry geo.Shape         `yaml:"geometry" json:"geometry"`

	source string // of the areas file; empty where the profile itself gives it
	at     strict.Place
}

// reading is one profile on its way from bytes to use.
type reading struct {
	*strict.Reader
	file
	areas []place
}

func read(dir fs.FS, name, shown string) (*Profile, error) {
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", shown, err)
	}
	r := &reading{Reader: strict.New(shown)}
	r.Read(text, &r.file)
	if r.AreasFile != "" {
		r.readAreas(dir, path.Join(path.Dir(shown), r.AreasFile))
	}
	r.areas = append(r.areas, r.Areas...)
	p := r.profile()
	if len(r.Faults) > 0 {
		return nil, r.Faults.Sorted()
	}
	return p, nil
}

// bad reports a value of the profile, unless the reader could not read it and has said so.
func (r *reading) bad(path, format string, args ...any) {
	if r.Faulty(path) {
		return
	}
	at := r.Locate(path)
	r.Faults = append(r.Faults, strict.Fault{Source: r.Source, Line: max(at.Line, 1), Column: max(at.Column, 1), Path: path, Text: fmt.Sprintf(format, args...)})
}

// badArea reports a fault of the area with this number, in the file where it stands.
func (r *reading) badArea(i int, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		a := r.areas[i]
		if a.source != "" {
			r.Faults = append(r.Faults, strict.Fault{Source: a.source, Line: a.at.Line, Column: a.at.Column, Path: "", Text: fmt.Sprintf("area %s %q: %s", a.Code, a.Name, line)})
			continue
		}
		r.bad(fmt.Sprintf("areas[%d]", i-(len(r.areas)-len(r.Areas))), "area %s %q: %s", a.Code, a.Name, line)
	}
}

// set makes the areas ready. Faults of single areas come with their lines.
func (r *reading) set() *area.Set {
	if len(r.areas) == 0 {
		return nil
	}
	before := len(r.Faults)
	out := make([]area.Area, 0, len(r.areas))
	codes := map[string]int{}
	for i, a := range r.areas {
		one := area.Area{Code: a.Code, Codes: a.Codes, Name: a.Name, Kind: a.Kind, Seat: a.Seat, Shape: a.Geometry}
		if a.Code == "" {
			r.badArea(i, errors.New("it has no code"))
		} else if j, twice := codes[a.Code]; twice {
			r.badArea(i, fmt.Errorf("its code is that of %q as well", r.areas[j].Name))
		}
		codes[a.Code] = i
		for _, hex := range a.Cells {
			c, err := geo.ParseCell(hex)
			if err != nil {
				r.badArea(i, err)
				continue
			}
			one.Cells = append(one.Cells, c)
		}
		out = append(out, one)
	}
	if len(r.Faults) > before {
		return nil
	}
	s, err := area.New(out)
	var faults area.Faults
	switch {
	case errors.As(err, &faults):
		for _, f := range faults {
			r.badArea(f.Area, f.Err)
		}
	case err != nil:
		r.bad("areas", "%v", err)
	}
	return s
}
