// Package register is where Things are that do not know it themselves: a file of thing, lat, lng, name and kind.
//
// The file is CSV (by its first row: thing, lat, lng, name, kind, in any order; comma, semicolon or tab) or YAML (a list of the same keys).
// It is read once, at start. Each Thing stands once, by its native id, with a place (WGS 84 degrees), a name or a kind.
package register

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/geo"
)

// The register's own limits.
const (
	maxFile   = 32 << 20
	maxText   = 256    // bytes of thing, name and kind
	maxThings = 500000 // rows
	maxFaults = 50     // faults told one by one
)

// Entry is what the register knows of a Thing.
type Entry struct {
	Position geo.Position
	Placed   bool
	Name     string
	Kind     string
}

// Register gives Entries by native id. It is safe for concurrent use.
type Register struct{ entries map[string]Entry }

// Fault is one thing that is wrong with a file. Line is 0 where it is the file as a whole.
type Fault struct {
	Path   string
	Line   int
	Reason string
}

func (f *Fault) Error() string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s", f.Path, f.Reason)
	}
	return fmt.Sprintf("%s line %d: %s", f.Path, f.Line, f.Reason)
}

// Load reads a register, or gives every fault at once, each a *Fault; a file of very many ends with how many more there are.
func Load(path string) (*Register, []error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, []error{&Fault{path, 0, "cannot be read: " + err.Error()}}
	}
	defer file.Close()
	body, err := bounded.ReadAll(file, maxFile)
	if err != nil {
		return nil, []error{&Fault{path, 0, "cannot be read: " + err.Error()}}
	}
	return Parse(path, body)
}

// Parse reads the rows of a register; path names them in faults, and its ending says how they are written.
func Parse(path string, body []byte) (*Register, []error) {
	l := &loader{path: path, lines: map[string]int{}, entries: map[string]Entry{}}
	switch body = bounded.TrimBOM(body); strings.ToLower(filepath.Ext(path)) {
	case ".csv", ".tsv", ".txt":
		l.csv(body)
	case ".yaml", ".yml":
		l.yaml(body)
	default:
		l.fault(0, "a register is a .csv or a .yaml file")
	}
	if len(l.faults) == 0 && len(l.entries) == 0 {
		l.fault(0, "names no Thing")
	}
	if l.more > 0 {
		l.faults = append(l.faults, &Fault{path, 0, fmt.Sprintf("and %d faults more", l.more)})
	}
	if len(l.faults) > 0 {
		return nil, l.faults
	}
	return &Register{l.entries}, nil
}

// Len counts the Things.
func (r *Register) Len() int { return len(r.entries) }

// Of gives what is known of a Thing.
func (r *Register) Of(thing string) (Entry, bool) {
	e, ok := r.entries[thing]
	return e, ok
}

// Apply places, names and sorts the records of Things that do not say it themselves. A record's own place, name and kind stand; kind, the
// feed's kind for what says none, gives way to the register's. A nil register changes nothing.
func (r *Register) Apply(b *feeds.Batch, kind string) {
	if r == nil {
		return
	}
	label := func(e Entry, name, own *string) {
		if *name == "" {
			*name = e.Name
		}
		if e.Kind != "" && (*own == "" || *own == kind) {
			*own = e.Kind
		}
	}
	for i := range b.Observations {
		o := &b.Observations[i]
		if e, ok := r.entries[o.Thing]; ok {
			if !o.Placed {
				o.Position, o.Placed = e.Position, e.Placed
			}
			label(e, &o.Name, &o.Kind)
		}
	}
	for i := range b.Positions {
		if e, ok := r.entries[b.Positions[i].Unit]; ok {
			label(e, &b.Positions[i].Name, &b.Positions[i].Kind)
		}
	}
}

// loader collects rows and faults.
type loader struct {
	path    string
	lines   map[string]int // where a Thing stands
	entries map[string]Entry
	faults  []error
	more    int
}

func (l *loader) fault(line int, format string, args ...any) {
	if len(l.faults) >= maxFaults {
		l.more++
		return
	}
	l.faults = append(l.faults, &Fault{l.path, line, fmt.Sprintf(format, args...)})
}

// row is one Thing as the file says it; nil is not said.
type row struct {
	thing, name, kind string
	lat, lng          *float64
}

// add checks a row and keeps it.
func (l *loader) add(line int, r row) {
	for i, s := range []string{r.thing, r.name, r.kind} {
		key := []string{"thing", "name", "kind"}[i]
		if len(s) > maxText || strings.ContainsFunc(s, unicode.IsControl) {
			l.fault(line, "%s: want at most %d bytes and no control character", key, maxText)
			return
		}
	}
	switch {
	case r.thing == "":
		l.fault(line, "thing: required, the native id of a Thing")
		return
	case l.lines[r.thing] > 0:
		l.fault(line, "thing: %q stands in line %d as well", r.thing, l.lines[r.thing])
		return
	case len(l.entries) >= maxThings:
		l.fault(line, "more than %d Things", maxThings)
		return
	}
	l.lines[r.thing] = line
	e := Entry{Name: r.name, Kind: r.kind}
	switch {
	case (r.lat == nil) != (r.lng == nil):
		l.fault(line, "lat, lng: one is given without the other")
	case r.lat != nil:
		e.Position, e.Placed = geo.Position{Lat: *r.lat, Lng: *r.lng}, true
		if err := e.Position.Validate(); err != nil {
			swapped := ""
			if (geo.Position{Lat: *r.lng, Lng: *r.lat}).Validate() == nil {
				swapped = "; lat and lng seem swapped"
			}
			l.fault(line, "lat, lng: %v%s", err, swapped)
		} else if e.Position.IsNull() {
			l.fault(line, "lat, lng: 0,0 stands for an unknown place; leave both empty")
		}
	case r.name == "" && r.kind == "":
		l.fault(line, "says nothing of %q", r.thing)
	}
	l.entries[r.thing] = e
}
