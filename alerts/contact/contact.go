// Package contact is whom to call: duty officers, facilities and heavy equipment, by area, type and hour. Pure.
package contact

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"kentongan/geo"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Kind is what is at the other end.
type Kind string

// The kinds.
const (
	Officer   Kind = "duty_officer"
	Facility  Kind = "facility"  // shelter, hospital, health post
	Equipment Kind = "equipment" // excavator, crane, pump, and who sends it
)

// Kinds lists them, in the order in which they are shown.
func Kinds() []Kind { return []Kind{Officer, Facility, Equipment} }

// Contact is one entry of the house's telephone book.
type Contact struct {
	ID        string      `json:"id"` // ULID
	Kind      Kind        `json:"kind"`
	Name      string      `json:"name"`   // of the person or place
	Role      string      `json:"role"`   // "Kalaksa", "IGD RSUD Arosuka"; may be empty
	Agency    string      `json:"agency"` // slug; empty: the house's own
	Phone     string      `json:"phone"`
	Personal  bool        `json:"personal"` // the number is a person's own: masked for other agencies
	Areas     []string    `json:"areas"`    // area_name of each; empty: everywhere
	Types     []string    `json:"types"`    // of incidents; empty: all
	Hours     []DutyHours `json:"hours"`    // local; empty: always
	Provides  []string    `json:"provides"` // "excavator", "bed", "shelter": free words
	Capacity  int         `json:"capacity"` // beds, places, machines; 0: not said
	Lng       *float64    `json:"lng"`      // null: it has no place
	Lat       *float64    `json:"lat"`
	Note      string      `json:"note"`
	Version   int         `json:"version"`
	By        string      `json:"by"` // subject of who wrote it last
	UpdatedAt moment.Time `json:"updated_at"`
}

// DutyHours is a stretch of the day on some days of the week, by the clock of the place. One that ends no later than it begins goes past midnight,
// and belongs to the day on which it begins.
type DutyHours struct {
	Days []string `json:"days"` // mon … sun; empty: every day
	From string   `json:"from"` // 08:00
	To   string   `json:"to"`   // 16:00; 24:00 is midnight
}

var days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as time.Weekday counts

// Faults are all that is wrong with a contact: 422.
type Faults []*fault.Fault

func (f Faults) Error() string {
	var list []string
	for _, one := range f {
		list = append(list, one.Field+" "+one.Reason)
	}
	return "the contact is not valid: " + strings.Join(list, "; ")
}

// Known tells what there is. A nil function knows everything.
type Known struct{ Agency, Area, Type func(string) bool }

// Bounds of a contact, in bytes and pieces.
const (
	longestName = 200
	longestNote = 2000
	mostListed  = 100
)

// Clean gives a contact with its texts trimmed and no list null, or Faults.
func (c Contact) Clean(known Known) (Contact, error) {
	var out Faults
	wrong := func(field string, code fault.Code, limit any, format string, args ...any) {
		out = append(out, fault.At(field, code, limit, format, args...))
	}
	for field, text := range map[string]*string{"name": &c.Name, "role": &c.Role, "phone": &c.Phone, "note": &c.Note} {
		most := longestName
		if field == "note" {
			most = longestNote
		}
		if *text = strings.TrimSpace(*text); len(*text) > most {
			wrong(field, fault.Long, most, "is too long")
		}
	}
	if !slices.Contains(Kinds(), c.Kind) {
		wrong("kind", fault.OneOf, fault.List(Kinds()), "is none of %v", Kinds())
	}
	if c.Name == "" {
		wrong("name", fault.Missing, nil, "is required")
	}
	if !dialled(c.Phone) {
		wrong("phone", fault.Form, "0751-112", "is no number that can be dialled")
	}
	if c.Agency != "" && known.Agency != nil && !known.Agency(c.Agency) {
		wrong("agency", fault.Unknown, nil, "is not known")
	}
	for _, l := range []struct {
		field string
		list  *[]string
		known func(string) bool
	}{{"areas", &c.Areas, known.Area}, {"types", &c.Types, known.Type}, {"provides", &c.Provides, nil}} {
		*l.list = append([]string{}, *l.list...)
		if len(*l.list) > mostListed {
			wrong(l.field, fault.Long, mostListed, "has more than %d entries", mostListed)
			continue
		}
		for i, word := range *l.list {
			if (*l.list)[i] = strings.TrimSpace(word); word == "" || len(word) > longestName || l.known != nil && !l.known((*l.list)[i]) {
				wrong(fmt.Sprintf("%s[%d]", l.field, i), fault.Unknown, nil, "is not known")
			}
		}
	}
	c.Hours = append([]DutyHours{}, c.Hours...)
	for i := range c.Hours {
		if field, limit, err := c.Hours[i].check(); err != "" {
			wrong(fmt.Sprintf("hours[%d].%s", i, field), fault.Form, limit, "%s", err)
		}
		c.Hours[i].Days = append([]string{}, c.Hours[i].Days...)
	}
	if c.Capacity < 0 {
		wrong("capacity", fault.Least, 0, "is below nothing")
	}
	if (c.Lng == nil) != (c.Lat == nil) {
		wrong("lng", fault.Together, nil, "and lat belong together")
	} else if p, placed := c.Position(); placed && (p.Validate() != nil || p.IsNull()) {
		wrong("lng", fault.Outside, nil, "and lat are no place")
	}
	if len(out) > 0 {
		slices.SortFunc(out, func(a, b *fault.Fault) int { return strings.Compare(a.Field, b.Field) })
		return c, out
	}
	return c, nil
}

// dialled tells a number that a telephone takes: digits as people group them, 112 and 119 too.
func dialled(s string) bool {
	n := 0
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			n++
		case r == '+' && i == 0, strings.ContainsRune(" -.()", r):
		default:
			return false
		}
	}
	return n >= 3 && n <= 15
}

// minutes reads "16:00" as minutes of the day.
func minutes(s string) (int, bool) {
	var h, m int
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	if n, err := fmt.Sscanf(s, "%02d:%02d", &h, &m); n != 2 || err != nil || h < 0 || m < 0 || m > 59 || h*60+m > 24*60 {
		return 0, false
	}
	return h*60 + m, true
}

// check names the field that is wrong, how it is written, and says so in English; empty: nothing is.
func (s *DutyHours) check() (field, like, reason string) {
	_, from := minutes(s.From)
	_, to := minutes(s.To)
	switch {
	case !from || s.From == "24:00":
		return "from", "08:00", "is a time of the day, as 08:00"
	case !to:
		return "to", "17:00", "is a time of the day, as 17:00, at most 24:00"
	case slices.ContainsFunc(s.Days, func(d string) bool { return !slices.Contains(days, d) }):
		return "days", strings.Join(days, ", "), fmt.Sprintf("days are among %v", days)
	}
	return "", "", ""
}

// covers tells whether a span holds a time, and until when it does.
func (s *DutyHours) covers(at time.Time) (until time.Time, ok bool) {
	from, _ := minutes(s.From)
	to, _ := minutes(s.To)
	if to <= from {
		to += 24 * 60
	}
	for back := range 2 { // that of today, or of yesterday past midnight
		day := time.Date(at.Year(), at.Month(), at.Day()-back, 0, 0, 0, 0, at.Location())
		if len(s.Days) > 0 && !slices.Contains(s.Days, days[day.Weekday()]) {
			continue
		}
		begin, end := day.Add(time.Duration(from)*time.Minute), day.Add(time.Duration(to)*time.Minute)
		if !at.Before(begin) && at.Before(end) {
			return end, true
		}
	}
	return time.Time{}, false
}

// On tells whether somebody is on duty at a time, by the clock of its zone, and until when; a zero time: always.
func (c *Contact) On(at time.Time) (until time.Time, ok bool) {
	if len(c.Hours) == 0 {
		return time.Time{}, true
	}
	for i := range c.Hours {
		if end, on := c.Hours[i].covers(at); on && end.After(until) {
			until, ok = end, true
		}
	}
	return until, ok
}

// Position of a contact; false where it has none.
func (c *Contact) Position() (geo.Position, bool) {
	if c.Lng == nil || c.Lat == nil {
		return geo.Position{}, false
	}
	return geo.Position{Lat: *c.Lat, Lng: *c.Lng}, true
}

// Need is what somebody is wanted for.
type Need struct {
	Area string        // area_name; empty: not known
	Type string        // of the incident; empty: not known
	At   *geo.Position // nil: not known
	When time.Time     // in the zone of the place
}

// Duty is a contact that fits a need now.
type Duty struct {
	Contact
	Until     moment.Time `json:"until"`      // on duty until then; null: always
	DistanceM *float64    `json:"distance_m"` // metres; null: one of the two has no place
	ForArea   bool        `json:"for_area"`   // it names this area
	ForType   bool        `json:"for_type"`   // it names this type
}

// OnDuty gives whom to call for a need: by kind, then who names both the area and the type before who is there for everything, then the nearest.
func OnDuty(all []Contact, n Need) []Duty {
	out := []Duty{}
	for i := range all {
		c := &all[i]
		until, on := c.On(n.When)
		d := Duty{Contact: *c, Until: moment.Of(until), ForArea: n.Area != "" && slices.Contains(c.Areas, n.Area), ForType: n.Type != "" && slices.Contains(c.Types, n.Type)}
		if !on || len(c.Areas) > 0 && !d.ForArea || len(c.Types) > 0 && !d.ForType {
			continue
		}
		if p, placed := c.Position(); placed && n.At != nil {
			m := math.Round(geo.Distance(p, *n.At))
			d.DistanceM = &m
		}
		out = append(out, d)
	}
	fits := func(d *Duty) int {
		n := 0
		if d.ForArea {
			n++
		}
		if d.ForType {
			n++
		}
		return n
	}
	far := func(d *Duty) float64 {
		if d.DistanceM == nil {
			return math.Inf(1)
		}
		return *d.DistanceM
	}
	slices.SortFunc(out, func(a, b Duty) int {
		return cmp.Or(cmp.Compare(slices.Index(Kinds(), a.Kind), slices.Index(Kinds(), b.Kind)), cmp.Compare(fits(&b), fits(&a)), cmp.Compare(far(&a), far(&b)), strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return out
}
