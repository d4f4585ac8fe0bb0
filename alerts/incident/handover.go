package incident

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Handover is the question to another agency, or a neighbour, to lead.
type Handover struct {
	To     string      `json:"to"`   // slug of an agency, or neighbour:SLUG
	From   string      `json:"from"` // who leads until somebody accepts
	Note   string      `json:"note"`
	By     string      `json:"by"`
	At     moment.Time `json:"at"`
	Due    moment.Time `json:"due"`    // when an answer is due
	Late   bool        `json:"late"`   // nobody has answered by then: who leads goes on leading
	Joined bool        `json:"joined"` // the agency works the incident because it was asked
}

// Neighbour begins the name of a neighbouring regency or city, which has no account here.
const Neighbour = "neighbour:"

// Faults of a hand-over.
var (
	ErrOwnAnswer = errors.New("whoever hands the lead over does not also accept it")            // 403
	ErrNoNumber  = errors.New("a neighbour takes a case over with its own number: external_id") // 422
	slug         = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	answerWithin = map[string]time.Duration{"A": 5 * time.Minute, "B": 10 * time.Minute, "C": 30 * time.Minute, "D": 24 * time.Hour}
)

// HandingOver is what somebody asks of a hand-over.
type HandingOver struct {
	To         string
	Note       string
	ExternalID string // with the acceptance of a neighbour, or of any agency: its own number of the case
	Version    int
}

// maxHandoverNote is how long a note of a hand-over may be, in characters.
const maxHandoverNote = 1000

func (h *HandingOver) clean() error {
	h.Note, h.ExternalID = plainText(h.Note), plainText(h.ExternalID)
	if utf8.RuneCountInString(h.Note) > maxHandoverNote {
		return fault.In(ErrInvalid, "note", fault.Long, maxHandoverNote, "at most %d characters", maxHandoverNote)
	}
	if utf8.RuneCountInString(h.ExternalID) > maxExternalID {
		return fault.In(ErrInvalid, "external_id", fault.Long, maxExternalID, "at most %d characters", maxExternalID)
	}
	return nil
}

// within is how soon an answer is due: the class says how much hurry there is.
func within(class string) time.Duration {
	if d, ok := answerWithin[class]; ok {
		return d
	}
	return 30 * time.Minute
}

// Ask gives the incident with the question to another agency to lead. It works the incident from then on, so that it sees what it is asked to lead;
// the one that leads goes on until somebody accepts. Errors: ErrInvalid, ErrStale, ErrNotAllowed.
func (in *Incident) Ask(h HandingOver, known func(to string) bool, actor string, at time.Time) (Incident, error) {
	if err := in.touchable(h.Version, ""); err != nil {
		return Incident{}, err
	}
	if err := h.clean(); err != nil {
		return Incident{}, err
	}
	name, neighbour := strings.CutPrefix(h.To, Neighbour)
	switch {
	case in.Handover != nil:
		return Incident{}, fmt.Errorf("%w: %s has been asked already", ErrNotAllowed, in.Handover.To)
	case in.Status == Resolved:
		return Incident{}, fmt.Errorf("%w: what is resolved is not handed over", ErrNotAllowed)
	case !slug.MatchString(name) || !known(h.To):
		return Incident{}, fault.In(ErrInvalid, "to", fault.Unknown, nil, "%.80q is neither one of our agencies nor neighbour:NAME of a neighbour", h.To)
	case h.To == in.LeadAgency:
		return Incident{}, fault.In(ErrInvalid, "to", fault.Twice, nil, "%s leads already", h.To)
	}
	out := in.Clone()
	out.Handover = &Handover{To: h.To, From: in.LeadAgency, Note: h.Note, By: actor, At: moment.Of(at), Due: moment.Of(at.Add(within(in.SLA.Class)))}
	if !neighbour && !slices.Contains(in.Support, h.To) {
		out.Support, out.Handover.Joined = append(out.Support, h.To), true
	}
	out.note(actor, "handover_asked", h.To, h.Note, moment.Of(at))
	return out, nil
}

// Accept gives the incident after whoever was asked said yes: the agency leads, and the one that led supports it. A neighbour's yes is its own number
// of the case; the incident stays in our hands, to be followed and ended. Errors: ErrInvalid, ErrStale, ErrNotAllowed, ErrOwnAnswer, ErrNoNumber.
func (in *Incident) Accept(h HandingOver, actor string, at time.Time) (Incident, error) {
	if err := in.answerable(&h); err != nil {
		return Incident{}, err
	}
	asked, neighbour := in.Handover, in.Abroad()
	switch {
	case !neighbour && actor == asked.By:
		return Incident{}, ErrOwnAnswer
	case neighbour && h.ExternalID == "" && !slices.ContainsFunc(in.ExternalRefs, func(r ExternalRef) bool { return r.Agency == asked.To }):
		return Incident{}, ErrNoNumber
	}
	out := in.Clone()
	out.Handover = nil
	said := h.Note
	if h.ExternalID != "" {
		if err := out.refer(ExternalRef{asked.To, h.ExternalID}); err != nil {
			return Incident{}, err
		}
		said = strings.TrimSpace(h.ExternalID + " " + h.Note)
	}
	if !neighbour {
		out.LeadAgency = asked.To
		out.Support = slices.DeleteFunc(out.Support, func(a string) bool { return a == asked.To })
		if asked.From != "" && !slices.Contains(out.Support, asked.From) {
			out.Support = append(out.Support, asked.From)
		}
	}
	out.note(actor, "handover_accepted", asked.To, said, moment.Of(at))
	return out, nil
}

// Decline gives the incident after whoever was asked said no, or whoever asked took the question back; who leads goes on. Errors: ErrInvalid,
// ErrStale, ErrNotAllowed.
func (in *Incident) Decline(h HandingOver, actor string, at time.Time) (Incident, error) {
	if err := in.answerable(&h); err != nil {
		return Incident{}, err
	}
	asked, act := in.Handover, "handover_declined"
	if actor == asked.By {
		act = "handover_withdrawn"
	} else if h.Note == "" {
		return Incident{}, fault.In(ErrInvalid, "note", fault.Missing, nil, "say why not")
	}
	out := in.Clone()
	out.Handover = nil
	if asked.Joined {
		out.Support = slices.DeleteFunc(out.Support, func(a string) bool { return a == asked.To })
	}
	out.note(actor, act, asked.To, h.Note, moment.Of(at))
	return out, nil
}

func (in *Incident) answerable(h *HandingOver) error {
	if err := in.touchable(h.Version, ""); err != nil {
		return err
	}
	if in.Handover == nil {
		return fmt.Errorf("%w: nobody is asked to lead it", ErrNotAllowed)
	}
	return h.clean()
}

// Abroad tells whether a neighbour is asked; until its own number of the case is there the incident does not end.
func (in *Incident) Abroad() bool {
	return in.Handover != nil && strings.HasPrefix(in.Handover.To, Neighbour)
}

// HandoverLate notes once that nobody has answered in time; false: that is not so, or noted. The version stays.
func (in *Incident) HandoverLate(actor string, now time.Time) (Incident, bool) {
	if in.Handover == nil || in.Handover.Late || now.Before(in.Handover.Due.Time) || !in.Status.Open() {
		return Incident{}, false
	}
	out := in.Clone()
	out.Handover.Late = true
	out.Remark(actor, "handover_late", in.Handover.To, now)
	return out, true
}
