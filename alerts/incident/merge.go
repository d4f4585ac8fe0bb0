package incident

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// MergeLimit is how long after it a merge can be taken back (domain.md section 5).
const MergeLimit = 24 * time.Hour

// Merged says which incident became part of another, and what is needed to take that back.
type Merged struct {
	Incident   string      `json:"incident"`
	Number     string      `json:"number"`
	At         moment.Time `json:"at"`
	By         string      `json:"by"`
	Status     Status      `json:"status"` // of that incident before
	Dispatches []string    `json:"dispatches,omitempty"`
	Own        Signal      `json:"own"`    // its own first signs
	Before     Signal      `json:"before"` // those of the incident that stays, until then
}

// Signal is when something was first known: the stamps t_event and t_signal.
type Signal struct {
	TEvent  moment.Time `json:"t_event"`
	TSignal moment.Time `json:"t_signal"`
}

func (in *Incident) signal() Signal { return Signal{in.Times.TEvent, in.Times.TSignal} }

// reckon sets the first signs, and the clock that follows them.
func (in *Incident) reckon(s Signal) {
	in.Times.TEvent = s.TEvent
	if s.TSignal != in.Times.TSignal {
		by := s.TSignal.Sub(in.Times.TSignal.Time)
		in.Times.TSignal = s.TSignal
		in.SLA.shift(by, func(string) moment.Time { return moment.Time{} })
	}
}

func (s Signal) with(o Signal) Signal {
	return Signal{earlier(s.TEvent, o.TEvent), earlier(s.TSignal, o.TSignal)}
}

// ErrNotMerged means that the incident is no part of another, or has been for longer than MergeLimit.
var ErrNotMerged = errors.New("the incident was not merged within the last 24 h")

// Merge makes an incident part of another that is open: evidence and dispatches go over, the earliest signal wins, and this one is cancelled
// as a duplicate (domain.md section 5). Version is of this incident, as the actor saw it. Both stay as they are; the answer is what they
// become. Errors: ErrInvalid, ErrStale, ErrNotAllowed.
func Merge(in, into *Incident, version int, note, actor string, at time.Time) (gone, stays Incident, err error) {
	if err := mergeable(in, into, version, note); err != nil {
		return Incident{}, Incident{}, err
	}
	now := moment.Of(at)
	gone, stays = in.Clone(), into.Clone()
	stays.Merged = append(stays.Merged, Merged{Incident: in.ID, Number: in.Number, At: now, By: actor, Status: in.Status, Dispatches: slices.Clone(in.Dispatches), Own: in.signal(), Before: into.signal()})
	for _, e := range in.Evidence {
		e.From = in.ID
		stays.Evidence = append(stays.Evidence, e)
	}
	stays.Dispatches = append(stays.Dispatches, in.Dispatches...)
	stays.gather(in)
	stays.reckon(into.signal().with(in.signal()))
	gone.Dispatches, gone.MergedInto, gone.Status, gone.Outcome = []string{}, into.ID, Cancelled, "duplicate"
	gone.note(actor, "merged_into", into.Number, note, now)
	stays.note(actor, "merged", in.Number, note, now)
	return gone, stays, nil
}

func mergeable(in, into *Incident, version int, note string) error {
	switch {
	case in.ID == into.ID:
		return fault.In(ErrInvalid, "into", fault.Twice, nil, "an incident is no part of itself")
	case in.Simulated != into.Simulated || in.Exercise != into.Exercise:
		return fault.In(ErrInvalid, "into", fault.Mixed, nil, "what is simulated and what is real never join")
	case !into.Status.Open():
		return fmt.Errorf("%w: %s is %s", ErrNotAllowed, into.Number, into.Status)
	}
	return in.touchable(version, note)
}

// Unmerge takes a merge back: this incident stands again as it stood, and the other keeps what came to it meanwhile. Version is of this
// incident. Errors: ErrInvalid, ErrStale, ErrNotMerged, ErrNotAllowed where the other is not open any more.
func Unmerge(in, from *Incident, version int, note, actor string, at time.Time) (back, stays Incident, err error) {
	i := slices.IndexFunc(from.Merged, func(m Merged) bool { return m.Incident == in.ID })
	switch {
	case len(note) > maxNote:
		return back, stays, fault.In(ErrInvalid, "note", fault.Long, maxNote, "the note is longer than %d bytes", maxNote)
	case version <= 0:
		return back, stays, fault.In(ErrInvalid, "version", fault.Missing, nil, "is required")
	case version != in.Version:
		return back, stays, fmt.Errorf("%w: version %d, now %d", ErrStale, version, in.Version)
	case in.MergedInto != from.ID || i < 0 || at.Sub(from.Merged[i].At.Time) > MergeLimit:
		return back, stays, ErrNotMerged
	case !from.Status.Open():
		return back, stays, fmt.Errorf("%w: %s is %s", ErrNotAllowed, from.Number, from.Status)
	}
	now, was := moment.Of(at), from.Merged[i]
	back, stays = in.Clone(), from.Clone()
	stays.Merged = slices.Delete(stays.Merged, i, i+1)
	own := func(ref string) bool { // it stands here as it came with the incident that goes
		return slices.ContainsFunc(from.Evidence, func(e Evidence) bool { return e.Ref == ref && e.From == in.ID })
	}
	again := func(ref string) bool { // split off meanwhile, it came back with the part: it goes where it came from first
		return !own(ref) && in.Evident(ref) && slices.ContainsFunc(from.Evidence, func(e Evidence) bool { return e.Ref == ref && e.From != "" })
	}
	stays.Evidence = slices.DeleteFunc(stays.Evidence, func(e Evidence) bool { return e.From == in.ID || e.From != "" && again(e.Ref) })
	stays.Dispatches = slices.DeleteFunc(stays.Dispatches, func(d string) bool { return slices.Contains(was.Dispatches, d) })
	stays.giveBack(in.ID)
	sign := was.Before
	back.Evidence = slices.DeleteFunc(back.Evidence, func(e Evidence) bool { // what was split off meanwhile is that incident's
		return !own(e.Ref) && !again(e.Ref) && !slices.Contains(from.Apart, e.Ref)
	})
	for j := i; j < len(stays.Merged); j++ { // those that were merged after it never saw it
		stays.Merged[j].Before = sign
		sign = sign.with(stays.Merged[j].Own)
	}
	stays.reckon(sign)
	back.Status, back.Outcome, back.MergedInto, back.Dispatches = was.Status, "", "", slices.Clone(was.Dispatches)
	if back.Dispatches == nil {
		back.Dispatches = []string{}
	}
	back.Apart, stays.Apart = apart(back.Apart, from.ID), apart(stays.Apart, in.ID)
	back.note(actor, "unmerged", from.Number, note, now)
	stays.note(actor, "unmerged", in.Number, note, now)
	return back, stays, nil
}

// earlier is the earlier of two instants; one that is not known is later than any.
func earlier(a, b moment.Time) moment.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a.Time) {
		return b
	}
	return a
}

// note is an act that is no change of status: the version grows.
func (in *Incident) note(actor, act, what, note string, at moment.Time) {
	in.Version++
	in.UpdatedAt = at
	if note != "" {
		what += ": " + note
	}
	in.Timeline = append(in.Timeline, Entry{At: at, Actor: actor, Act: act, Note: what})
}
