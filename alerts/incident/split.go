package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Splitting is what a person asks of an incident that is really two.
type Splitting struct {
	Evidence []string      // refs of what goes
	Version  int           // of the incident, as the actor saw it; required
	Title    string        // of the new one; empty: as the old one
	Type     string        // likewise
	Severity cap.Severity  // likewise
	Position *geo.Position // of the new one; nil: as the old one
	AreaName string        // of Position
	Note     string
	Terms    func(kind, area string) Terms // of the new one; nil: none
}

// Split takes evidence out of an incident into a new one, which stands new. It is taken back by merging the new one into the old.
// Errors: ErrInvalid, ErrStale, ErrNotAllowed.
func Split(in *Incident, s Splitting, id, number, actor string, at time.Time) (rest, part Incident, err error) {
	if err := in.touchable(s.Version, s.Note); err != nil {
		return rest, part, err
	}
	var goes, stays []Evidence
	for _, e := range in.Evidence {
		if slices.Contains(s.Evidence, e.Ref) {
			goes = append(goes, e)
		} else {
			stays = append(stays, e)
		}
	}
	for _, ref := range s.Evidence {
		if !in.Evident(ref) {
			return rest, part, fault.In(ErrInvalid, "evidence", fault.Unknown, nil, "%.80q is none of this incident's", ref)
		}
	}
	if len(goes) == 0 || len(stays) == 0 {
		return rest, part, fault.In(ErrInvalid, "evidence", fault.Short, 1, "some must go and some must stay")
	}
	for i := range goes {
		goes[i].From = ""
	}
	position := s.Position
	if position == nil {
		if p, placed := in.Position(); placed {
			position = &p
		}
		s.AreaName = in.AreaName
	}
	o := Opening{ID: id, Number: number, Type: cmp.Or(s.Type, in.Type), Title: cmp.Or(strings.TrimSpace(s.Title), in.Title), Severity: cmp.Or(s.Severity, in.Severity),
		Position: position, AreaName: s.AreaName, At: at, SignalAt: first(goes), Actor: actor, Note: "split from " + in.Number + noted(s.Note), Why: Why{Person: actor}, Evidence: goes, Simulated: in.Simulated, Exercise: in.Exercise}
	if s.Terms != nil {
		o.Terms = s.Terms(o.Type, o.AreaName)
	}
	if part, err = Open(o); err != nil {
		return rest, part, err
	}
	part.SplitFrom, part.Apart = in.ID, []string{in.ID}
	rest = in.Clone()
	rest.Evidence, rest.Apart = stays, apart(rest.Apart, id)
	rest.note(actor, "split", number, s.Note, moment.Of(at))
	return rest, part, nil
}

// first is when the earliest of some evidence arose.
func first(list []Evidence) moment.Time {
	var t moment.Time
	for _, e := range list {
		t = earlier(t, e.At)
	}
	return t
}

func noted(note string) string {
	if note == "" {
		return ""
	}
	return ": " + note
}
