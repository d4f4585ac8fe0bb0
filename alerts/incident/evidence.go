package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
		return Incident{}, fmt.Errorf("%w: evidence is %v, with its ref", ErrInvalid, EvidenceKinds)
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
		return Incident{}, fmt.Errorf("%w: %.80q is no evidence of this incident", ErrInvalid, ref)
	}
	if len(in.Evidence) == 1 {
		return Incident{}, fmt.Errorf("%w: the last piece of evidence stays; cancel the incident instead", ErrInvalid)
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
		return fmt.Errorf("%w: the note is longer than %d bytes", ErrInvalid, maxNote)
	case version <= 0:
		return fmt.Errorf("%w: version is required", ErrInvalid)
	case version != in.Version:
		return fmt.Errorf("%w: version %d, now %d", ErrStale, version, in.Version)
	case !in.Status.Open():
		return fmt.Errorf("%w: %s is %s", ErrNotAllowed, in.Number, in.Status)
	}
	return nil
}
