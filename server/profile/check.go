package profile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/rules"
	"kentongan/alerts/status"
	"kentongan/feeds/cap"
	"kentongan/geo"
)

var (
	slug     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`)
	prefix   = regexp.MustCompile(`^[A-Z0-9]{2,8}$`)
	language = regexp.MustCompile(`^[a-z]{2,3}$`)
	colour   = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)
	phone    = regexp.MustCompile(`^[0-9+ ()-]{2,20}$`)
)

// profile makes the profile of what was read, and reports every fault on the way.
func (r *reading) profile() *Profile {
	f := &r.file
	p := &Profile{Slug: f.Slug, Name: f.Name, Names: f.Names, Codes: f.Codes, Center: geo.Position(f.Center), MarginKm: DefaultMarginKm, Prefix: f.Prefix,
		Languages: f.Languages, PhoneArea: f.PhoneArea, CodeSystem: f.CodeSystem, Neighbours: f.Neighbours, Agencies: f.Agencies, Capabilities: f.Capabilities,
		Units: f.Units, Desks: f.Desks, Hazards: f.HazardSites, Levels: Levels(f.Levels), SLA: f.SLA, Checklists: f.Checklists, Consents: f.Consents, Attach: f.Attach, Attribution: f.Attribution,
		FeltNames: f.FeltNames, Provinces: f.Provinces, Coastal: f.Coastal}
	if p.Names == nil {
		p.Names = Text{}
	}
	if len(p.Languages) == 0 {
		p.Languages = []string{"id", "en"}
	}
	if len(p.Levels.Status) == 0 {
		p.Levels.Status = DefaultStatus()
	}
	if len(p.Desks) == 0 {
		p.Desks = DefaultDesks()
	}
	r.head(p)
	r.desks(p)
	p.Areas = r.set()
	r.bound(p)
	r.neighbours(p)
	r.agencies(p)
	r.units(p)
	r.hazards(p)
	r.levels(p)
	r.service(p)
	r.checklists(p)
	r.consents(p)
	r.attach(p)
	return p
}

func (r *reading) head(p *Profile) {
	r.slug("slug", p.Slug)
	if p.Name == "" {
		r.bad("name", "is missing")
	}
	if !prefix.MatchString(p.Prefix) {
		r.bad("prefix", "%q is not 2 to 8 capital letters or digits", p.Prefix)
	}
	for i, l := range p.Languages {
		if !language.MatchString(l) {
			r.bad(fmt.Sprintf("languages[%d]", i), "%q is not a language such as id or en", l)
		}
	}
	if err := p.Center.Validate(); err != nil {
		r.bad("center", "%v", err)
	}
	var err error
	if p.Zone, err = time.LoadLocation(r.TimeZone); err != nil || r.TimeZone == "" {
		r.bad("time_zone", "%q is not a zone such as Asia/Jakarta", r.TimeZone)
	}
	if r.MarginKm != nil {
		if p.MarginKm = *r.MarginKm; p.MarginKm < 0 || p.MarginKm > 2000 {
			r.bad("margin_km", "%v is not within 0 to 2000", p.MarginKm)
		}
	}
	if p.PhoneArea != "" && !phone.MatchString(p.PhoneArea) {
		r.bad("phone_area", "%q is not a number to dial", p.PhoneArea)
	}
	if len(p.Names) > 0 {
		r.words("names", p.Names, p)
	}
}

func (r *reading) bound(p *Profile) {
	switch {
	case len(r.BBox) == 4:
		p.Bound = geo.Bound{West: r.BBox[0], South: r.BBox[1], East: r.BBox[2], North: r.BBox[3]}
	case len(r.BBox) == 0 && p.Areas != nil:
		p.Bound = p.Areas.Bound()
	case len(r.BBox) == 0 && len(r.areas) > 0: // the areas are at fault, and that was said
		return
	default:
		r.bad("bbox", "want west, south, east, north")
		return
	}
	if err := p.Bound.Validate(); err != nil {
		r.bad("bbox", "%v", err)
	} else if p.Bound.West >= p.Bound.East {
		r.bad("bbox", "west %v does not lie west of east %v", p.Bound.West, p.Bound.East)
	} else if p.Center.Validate() == nil && !p.Bound.Contains(p.Center) {
		r.bad("center", "lies outside the bbox")
	}
}

// slug reports what is no slug.
func (r *reading) slug(path, s string) {
	if !slug.MatchString(s) {
		r.bad(path, "%q is not made of small letters, digits and hyphens", s)
	}
}

// words reports languages that a text lacks, and those that the profile does not speak.
func (r *reading) words(path string, t map[string]string, p *Profile) {
	for _, l := range p.Languages {
		if strings.TrimSpace(t[l]) == "" {
			r.bad(path, "has no words in %q", l)
		}
	}
	for l := range t {
		if !slices.Contains(p.Languages, l) {
			r.bad(path+"."+l, "%q is none of the profile's languages", l)
		}
	}
}

// once reports a name that an earlier entry of a list bears.
type once struct {
	r    *reading
	list string
	key  string
	at   map[string]int
}

func (r *reading) once(list, key string) once { return once{r, list, key, map[string]int{}} }

func (o once) see(i int, name string) {
	if j, twice := o.at[name]; twice {
		o.r.bad(fmt.Sprintf("%s[%d].%s", o.list, i, o.key), "%q is given twice, first in line %d", name, o.r.Locate(fmt.Sprintf("%s[%d].%s", o.list, j, o.key)).Line)
		return
	}
	o.at[name] = i
}

// within reports a place that is none, or lies beyond the watch margin.
func (r *reading) within(path string, at geo.Position, p *Profile) {
	if err := at.Validate(); err != nil {
		r.bad(path, "%v", err)
	} else if p.Bound.Validate() == nil && !p.Watch().Contains(at) {
		r.bad(path, "lies beyond the watch margin: lat %v, lng %v", at.Lat, at.Lng)
	}
}

// oneOf reports a word that is none of the known ones.
func (r *reading) oneOf(path, got string, words ...string) {
	if !slices.Contains(words, got) {
		r.bad(path, "%q is none of %s", got, strings.Join(words, ", "))
	}
}

func (r *reading) neighbours(p *Profile) {
	seen := r.once("neighbours", "slug")
	claimed := map[string]bool{}
	for i, n := range p.Neighbours {
		path := fmt.Sprintf("neighbours[%d]", i)
		seen.see(i, n.Slug)
		r.slug(path+".slug", n.Slug)
		if n.Name == "" {
			r.bad(path+".name", "is missing")
		}
		r.oneOf(path+".relation", n.Relation, "enclosed", "borders")
		if n.Emergency != "" && !phone.MatchString(n.Emergency) {
			r.bad(path+".emergency_number", "%q is not a number to dial", n.Emergency)
		}
		if len(n.Note) > 0 {
			r.words(path+".note", n.Note, p)
		}
		for k, code := range n.Areas {
			at := slices.IndexFunc(r.areas, func(a place) bool { return a.Code == code })
			switch {
			case at < 0:
				r.bad(fmt.Sprintf("%s.areas[%d]", path, k), "there is no area %q", code)
			case r.areas[at].Kind != "neighbour":
				r.bad(fmt.Sprintf("%s.areas[%d]", path, k), "area %q is of kind %q: it is ours", code, r.areas[at].Kind)
			case claimed[code]:
				r.bad(fmt.Sprintf("%s.areas[%d]", path, k), "area %q is another neighbour's already", code)
			}
			claimed[code] = true
		}
	}
}

func (r *reading) agencies(p *Profile) {
	seen := r.once("agencies", "slug")
	for i, a := range p.Agencies {
		path := fmt.Sprintf("agencies[%d]", i)
		seen.see(i, a.Slug)
		r.slug(path+".slug", a.Slug)
		if a.Name == "" {
			r.bad(path+".name", "is missing")
		}
		if len(a.Names) > 0 {
			r.words(path+".names", a.Names, p)
		}
		if len(a.Role) > 0 {
			r.words(path+".role", a.Role, p)
		}
		if a.Hotline != "" && !phone.MatchString(a.Hotline) {
			r.bad(path+".hotline", "%q is not a number to dial", a.Hotline)
		}
		for k, s := range a.ActsAs {
			r.slug(fmt.Sprintf("%s.acts_as[%d]", path, k), s)
		}
	}
}

func (r *reading) units(p *Profile) {
	able := r.once("capabilities", "code")
	for i, c := range p.Capabilities {
		path := fmt.Sprintf("capabilities[%d]", i)
		able.see(i, c.Code)
		if !slug.MatchString(strings.ReplaceAll(c.Code, "_", "-")) {
			r.bad(path+".code", "%q is not made of small letters, digits and underscores", c.Code)
		}
		r.words(path+".names", c.Names, p)
	}
	seen := r.once("units", "call_sign")
	for i, u := range p.Units {
		path := fmt.Sprintf("units[%d]", i)
		if !slices.ContainsFunc(p.Agencies, func(a Agency) bool { return a.Slug == u.Agency }) {
			r.bad(path+".agency", "there is no agency %q", u.Agency)
		}
		r.slug(path+".call_sign", u.CallSign)
		seen.see(i, u.ID())
		if u.Name == "" {
			r.bad(path+".name", "is missing")
		}
		for k, c := range u.Capabilities {
			if _, known := able.at[c]; !known {
				r.bad(fmt.Sprintf("%s.capabilities[%d]", path, k), "%q is none of the capabilities", c)
			}
		}
		r.within(path+".post", geo.Position{Lat: u.Post.Lat, Lng: u.Post.Lng}, p)
	}
}

// DefaultDesks are the desks of a profile that names none.
func DefaultDesks() []string { return []string{"desk-1", "desk-2", "desk-3", "desk-4"} }

func (r *reading) desks(p *Profile) {
	for i, d := range p.Desks {
		path := fmt.Sprintf("desks[%d]", i)
		r.slug(path, d)
		if slices.Contains(p.Desks[:i], d) {
			r.bad(path, "%q is given twice", d)
		}
	}
}

func (r *reading) hazards(p *Profile) {
	seen := r.once("hazard_sites", "slug")
	for i, h := range p.Hazards {
		path := fmt.Sprintf("hazard_sites[%d]", i)
		seen.see(i, h.Slug)
		r.slug(path+".slug", h.Slug)
		if h.Name == "" {
			r.bad(path+".name", "is missing")
		}
		r.oneOf(path+".kind", h.Kind, hazardKinds...)
		r.within(path, h.Position(), p)
		if h.RadiusM <= 0 || h.RadiusM > 100_000 {
			r.bad(path+".radius_m", "%v is not within 1 to 100000", h.RadiusM)
		}
		if h.Source == "" || !slices.Contains([]string{"V", "G", "D"}, h.Source[:1]) {
			r.bad(path+".source", "%q does not begin with V (who says so), G (general knowledge) or D (our default)", h.Source)
		}
		if h.Neighbour != "" && !slices.ContainsFunc(p.Neighbours, func(n Neighbour) bool { return n.Slug == h.Neighbour }) {
			r.bad(path+".neighbour", "there is no neighbour %q", h.Neighbour)
		}
		if len(h.Note) > 0 {
			r.words(path+".note", h.Note, p)
		}
	}
}

func (r *reading) levels(p *Profile) {
	for i, l := range p.Levels.Status {
		path := fmt.Sprintf("levels.status[%d]", i)
		if l.Level != i+1 {
			r.bad(path+".level", "want %d: levels are numbered from 1, the calmest", i+1)
		}
		r.slug(path+".code", l.Code)
		if !colour.MatchString(l.Colour) {
			r.bad(path+".colour", "%q is not a colour such as #E69F00", l.Colour)
		}
		if len(r.file.Levels.Status) > 0 {
			r.words(path+".names", l.Names, p)
		}
		if len(l.SetBy) > 0 {
			r.words(path+".set_by", l.SetBy, p)
		}
	}
	r.statusRules(p)
	seen := r.once("levels.scales", "scale")
	for i, s := range p.Levels.Scales {
		path := fmt.Sprintf("levels.scales[%d]", i)
		seen.see(i, s.Scale)
		r.words(path+".names", s.Names, p)
		r.oneOf(path+".direction", s.Direction, "up", "down")
		if s.Hazard != "" {
			r.oneOf(path+".hazard", s.Hazard, status.HazardCodes()...)
		}
		if len(s.Steps) < 2 {
			r.bad(path+".steps", "want two steps at least, from the calmest to the worst")
		}
		for k, t := range s.Steps {
			at := fmt.Sprintf("%s.steps[%d]", path, k)
			r.words(at+".names", t.Names, p)
			if t.Colour != "" && !colour.MatchString(t.Colour) {
				r.bad(at+".colour", "%q is not a colour such as #E69F00", t.Colour)
			}
			if t.Severity != "" && !t.Severity.Valid() {
				r.bad(at+".severity", "%q is none of CAP's: %s", t.Severity, cap.Severities)
			}
			if t.Status < 1 || t.Status > len(p.Levels.Status) {
				r.bad(at+".status", "%d is no level of the area's status, 1 to %d", t.Status, len(p.Levels.Status))
			}
			if k > 0 && (t.Status < s.Steps[k-1].Status || rank(t.Severity) < rank(s.Steps[k-1].Severity)) {
				r.bad(at, "is milder than the step before it: steps run from the calmest to the worst")
			}
		}
	}
	p.Levels.Scales = withHouse(p.Levels.Scales)
}

// rank orders severities; none is the calmest.
func rank(s cap.Severity) int {
	return slices.Index([]cap.Severity{"", cap.Unknown, cap.Minor, cap.Moderate, cap.Severe, cap.Extreme}, s)
}

func (r *reading) attach(p *Profile) {
	seen := map[string]bool{}
	for i, code := range p.Attach {
		path := fmt.Sprintf("attach[%d]", i)
		t, known := incident.TypeOf(code)
		switch {
		case !known || t.Restricted:
			r.bad(path, "%q is none of the incident types", code)
		case seen[code]:
			r.bad(path, "%q stands there twice", code)
		}
		seen[code] = true
	}
}

func (r *reading) consents(p *Profile) {
	seen := r.once("consents", "id")
	for i, c := range p.Consents {
		path := fmt.Sprintf("consents[%d]", i)
		seen.see(i, c.ID)
		// One by one, so that each fault finds its line.
		if _, err := rules.CompileConsents([]rules.Consent{c}); err != nil {
			text := strings.TrimPrefix(err.Error(), rules.ErrRule.Error()+": ")
			r.bad(path, "%s", strings.Join(strings.Fields(text), " "))
		}
	}
}
