package statement

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kentongan/alerts/incident"
	"kentongan/geo"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Errors of making a statement and of ending one.
var (
	ErrInvalid = errors.New("the statement is not valid")
	ErrEnded   = errors.New("the statement is no longer in force")
)

// Bounds, in characters.
const (
	MaxText = 200
	MaxNote = 4000
	MaxWeb  = 1000
)

// Ahead is how far in the future something may have been said: clocks differ.
const Ahead = 2 * time.Minute

var subject = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:._/-]{0,119}$`)

// Draft is what an officer enters.
type Draft struct {
	Scale, Subject, Name, Step string
	Source, Reference, Web     string
	StatedAt, ValidUntil       moment.Time // StatedAt zero: now
	Note                       string
	Position                   *geo.Position
	Decree                     *Decree // Number, From and To count
	National                   bool
	Simulated                  bool
}

// Faults is everything that is wrong with a draft; it is an ErrInvalid.
type Faults []*fault.Fault

// Error lists one fault a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes Faults an ErrInvalid.
func (fs Faults) Unwrap() error { return ErrInvalid }

func (fs *Faults) add(field string, code fault.Code, limit any, format string, args ...any) {
	*fs = append(*fs, fault.At(field, code, limit, format, args...))
}

// Validate gives the statement that a draft makes, in force, without id and version; or Faults.
func (d Draft) Validate(scales Scales, now time.Time) (Statement, error) {
	var fs Faults
	s := Statement{State: InForce, Scale: d.Scale, Subject: strings.TrimSpace(d.Subject), Name: strings.TrimSpace(d.Name), Source: strings.TrimSpace(d.Source),
		Reference: strings.TrimSpace(d.Reference), Web: strings.TrimSpace(d.Web), StatedAt: d.StatedAt, ValidUntil: d.ValidUntil, Note: strings.TrimSpace(d.Note),
		National: d.National, EnteredAt: moment.Of(now), UpdatedAt: moment.Of(now), Simulated: d.Simulated}
	if s.StatedAt.IsZero() {
		s.StatedAt = moment.Of(now)
	}
	if scale, ok := scales.Find(d.Scale); !ok {
		fs.add("scale", fault.OneOf, scales.codes(), "%.40q is none of %s", d.Scale, scales.codes())
	} else if rank := scale.Rank(d.Step); rank == 0 {
		fs.add("step", fault.OneOf, scale.Codes(), "%.40q is no step of %s: %s", d.Step, scale.Code, scale.Codes())
	} else {
		s.Step = scale.Steps[rank-1].Code
	}
	if !subject.MatchString(s.Subject) {
		fs.add("subject", fault.Form, "gunung-talang", "%.60q: want what it is about as letters, digits and - _ . : /, such as gunung-talang or awlr:dev-12", s.Subject)
	}
	if s.Source == "" {
		fs.add("source", fault.Missing, nil, "is missing: who said so, such as PVMBG")
	}
	for _, t := range []struct {
		field, text string
		most        int
	}{{"name", s.Name, MaxText}, {"source", s.Source, MaxText}, {"reference", s.Reference, MaxText}, {"note", s.Note, MaxNote}, {"web", s.Web, MaxWeb}} {
		if n := utf8.RuneCountInString(t.text); n > t.most {
			fs.add(t.field, fault.Long, t.most, "has %d characters, at most %d are kept", n, t.most)
		}
	}
	if u, err := url.Parse(s.Web); s.Web != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		fs.add("web", fault.Form, "https://magma.esdm.go.id", "%.60q is no address such as https://magma.esdm.go.id", s.Web)
	}
	fs.decree(&s, d)
	switch {
	case s.StatedAt.After(now.Add(Ahead)):
		fs.add("stated_at", fault.Late, nil, "%s lies ahead", s.StatedAt)
	case !s.ValidUntil.IsZero() && !s.ValidUntil.After(s.StatedAt.Time):
		fs.add("valid_until", fault.Late, nil, "%s is not after stated_at, %s", s.ValidUntil, s.StatedAt)
	case !s.ValidUntil.IsZero() && !s.ValidUntil.After(now):
		fs.add("valid_until", fault.Over, nil, "%s has passed", s.ValidUntil)
	}
	if d.National && d.Scale != ScaleRoad {
		fs.add("national", fault.Unasked, nil, "only a road is national")
	}
	if d.Position != nil {
		if err := d.Position.Validate(); err != nil {
			fs.add("lng", fault.Outside, nil, "%v", err)
		} else if d.Position.IsNull() {
			fs.add("lng", fault.Outside, nil, "0,0 stands for an unknown place: leave both out")
		}
		s.Location = &incident.Location{Lng: d.Position.Lng, Lat: d.Position.Lat}
	}
	if len(fs) > 0 {
		return Statement{}, fs
	}
	if s.Name == "" {
		s.Name = s.Subject
	}
	return s, nil
}

// decree checks the number and dates of a legal state, and lets the statement end with it.
func (fs *Faults) decree(s *Statement, d Draft) {
	switch {
	case d.Scale != ScaleDecree && d.Decree == nil:
		return
	case d.Scale != ScaleDecree:
		fs.add("decree", fault.Unasked, nil, "only a statement of scale %s has one", ScaleDecree)
		return
	case d.Decree == nil:
		fs.add("decree", fault.Missing, nil, "is missing: its number, from and to")
		return
	}
	e := Decree{Number: strings.TrimSpace(d.Decree.Number), From: d.Decree.From, To: d.Decree.To, Extensions: []Extension{}}
	switch {
	case e.Number == "":
		fs.add("decree.number", fault.Missing, nil, "is missing")
	case utf8.RuneCountInString(e.Number) > MaxText:
		fs.add("decree.number", fault.Long, MaxText, "has more than %d characters", MaxText)
	}
	switch {
	case e.From.IsZero():
		fs.add("decree.from", fault.Missing, nil, "is missing")
	case !e.To.IsZero() && !e.To.After(e.From.Time):
		fs.add("decree.to", fault.Late, nil, "%s is not after from, %s", e.To, e.From)
	}
	if s.ValidUntil.IsZero() {
		s.ValidUntil = e.To
	}
	s.Decree = &e
}

func (s Scales) codes() string {
	var out []string
	for _, one := range s {
		out = append(out, one.Code)
	}
	return strings.Join(out, ", ")
}

// Replace puts a statement in the place of the one that stands. A decree that says the same step again extends the one before: it keeps its
// number and beginning, and names the extension. Faults where what stands was said later.
func (s *Statement) Replace(before *Statement) error {
	if before.StatedAt.After(s.StatedAt.Time) {
		return Faults{fault.At("stated_at", fault.Early, nil, "%s is before what stands, which %s said at %s: withdraw that first where it is wrong", s.StatedAt, before.Source, before.StatedAt)}
	}
	if before.Step == s.Step {
		s.Since = before.Begun()
	}
	if s.Decree != nil && before.Decree != nil && before.Step == s.Step {
		d := *before.Decree
		d.Extensions = append(slices.Clone(d.Extensions), Extension{Number: s.Decree.Number, To: s.Decree.To, At: s.StatedAt})
		d.To = s.Decree.To
		s.Decree = &d
	}
	return nil
}

// End gives the statement as it is once it counts no longer. Errors: ErrEnded.
func (s Statement) End(to State, by, reason string, now time.Time) (Statement, error) {
	if s.State != InForce {
		return s, fmt.Errorf("%w: it is %s", ErrEnded, s.State)
	}
	s.State, s.EndedBy, s.EndReason, s.UpdatedAt = to, by, reason, moment.Of(now)
	s.Version++
	return s, nil
}
