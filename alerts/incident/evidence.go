package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Kinds of evidence that a person may add.
var EvidenceKinds = []string{"observation", "alert", "report", "statement"}

// Rule is the rule that a piece of evidence came by; empty: none.
func (e Evidence) Rule() string {
	said, by := strings.CutPrefix(e.Reason, "rule ")
	if !by {
		return ""
	}
	id, _, _ := strings.Cut(said, ";")
	return strings.TrimSpace(id)
}

// Attach is Incident after a person has added a piece of evidence; one that is there already is no fault and changes nothing but the
// version. Errors: ErrInvalid, ErrStale, ErrNotAllowed.
func (in *Incident) Attach(e Evidence, version int, note, actor string, at time.Time) (Incident, error) {
	if err := in.touchable(version, note); err != nil {
		return Incident{}, err
	}
	if !slices.Contains(EvidenceKinds, e.Kind) || e.Ref == "" {
		return Incident{}, fault.In(ErrInvalid, "kind", fault.OneOf, strings.Join(EvidenceKinds, ", "), "evidence is %v, with its ref", EvidenceKinds)
	}
	out := in.Clone()
	if !in.Evident(e.Ref) {
		out.Evidence = append(out.Evidence, e)
		out.Apart = slices.DeleteFunc(out.Apart, func(ref string) bool { return ref == e.Ref })
	}
	out.note(actor, "evidence_added", e.Kind+" "+e.Ref, note, moment.Of(at))
	return out, nil
}

// Detach is Incident without a piece of evidence; the timeline keeps that it was there. Errors: ErrInvalid, ErrStale, ErrNotAllowed.
func (in *Incident) Detach(ref string, version int, note, actor string, at time.Time) (Incident, error) {
	if err := in.touchable(version, note); err != nil {
		return Incident{}, err
	}
	if !in.Evident(ref) {
		return Incident{}, fault.In(ErrInvalid, "ref", fault.Unknown, nil, "%.80q is no evidence of this incident", ref)
	}
	if len(in.Evidence) == 1 {
		return Incident{}, fault.In(ErrInvalid, "ref", fault.Short, 1, "the last piece of evidence stays; cancel the incident instead")
	}
	out := in.Clone()
	out.Evidence = slices.DeleteFunc(out.Evidence, func(e Evidence) bool { return e.Ref == ref })
	out.Apart = apart(out.Apart, ref)
	out.note(actor, "evidence_removed", ref, note, moment.Of(at))
	return out, nil
}

// apart notes once what does not belong together.
func apart(list []string, id string) []string {
	if slices.Contains(list, id) {
		return list
	}
	return append(list, id)
}

func (in *Incident) touchable(version int, note string) error {
	switch {
	case len(note) > maxNote:
		return fault.In(ErrInvalid, "note", fault.Long, maxNote, "the note is longer than %d bytes", maxNote)
	case version <= 0:
		return fault.In(ErrInvalid, "version", fault.Missing, nil, "is required")
	case version != in.Version:
		return fmt.Errorf("%w: version %d, now %d", ErrStale, version, in.Version)
	case !in.Status.Open():
		return fmt.Errorf("%w: %s is %s", ErrNotAllowed, in.Number, in.Status)
	}
	return nil
}
