package incident

import (
	"slices"
	"strings"
	"unicode/utf8"

	"kentongan/geo/fault"
)

// Bounds of partners' own numbers.
const (
	maxExternalID   = 80 // characters
	mostExternalRef = 20
)

// References checks the numbers that partners have for a case: of each partner one, as somebody wrote them. Errors: ErrInvalid.
func References(list []ExternalRef) ([]ExternalRef, error) {
	out := []ExternalRef{}
	for _, r := range list {
		name := strings.TrimPrefix(r.Agency, Neighbour)
		if r.ID = plainText(r.ID); !slug.MatchString(name) || r.ID == "" || utf8.RuneCountInString(r.ID) > maxExternalID || strings.ContainsRune(r.ID, '\n') {
			return nil, fault.In(ErrInvalid, "external_refs", fault.Form, nil, "agency is a slug or neighbour:SLUG, and id its number in at most %d characters", maxExternalID)
		}
		out = append(slices.DeleteFunc(out, func(o ExternalRef) bool { return o.Agency == r.Agency }), r)
	}
	if len(out) > mostExternalRef {
		return nil, fault.In(ErrInvalid, "external_refs", fault.Long, mostExternalRef, "at most %d", mostExternalRef)
	}
	return out, nil
}

// refer keeps a partner's own number of the case; a partner has one.
func (in *Incident) refer(r ExternalRef) error {
	refs, err := References(append(slices.Clone(in.ExternalRefs), r))
	if err == nil {
		in.ExternalRefs = refs
	}
	return err
}

// ExternalIDs are the numbers by which partners know the case, for who looks for one.
func (in *Incident) ExternalIDs() []string { return idsOf(in.ExternalRefs) }

func idsOf(refs []ExternalRef) []string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.ID
	}
	return out
}

// spoken writes them for a line of the timeline.
func spoken(refs []ExternalRef) string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.Agency + " " + r.ID
	}
	return strings.Join(out, ", ")
}
