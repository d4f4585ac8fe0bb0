package status

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Track is a status with what must be remembered to go on with it. It is what the store keeps.
type Track struct {
	Status
	Memory Memory
}

// Memory is what a status remembers between two judgements.
type Memory struct {
	Held     int           `json:"held"`     // the level that the rules find, or found until less than LowerAfter ago
	Fading   []moment.Time `json:"fading"`   // since when each level is found no longer, by level; null: it is found, or is above Held
	Finding  Proposal      `json:"finding"`  // what Held rests on
	Entry    int64         `json:"entry"`    // number of the last entry of the history
	Standing int64         `json:"standing"` // number of the entry that the confirmed level is of
}

// Errors of acts on a status.
var (
	ErrInvalid    = errors.New("not a level that can be set")
	ErrStale      = errors.New("the status has changed meanwhile")
	ErrNotAllowed = errors.New("the status does not allow that now")
)

// Act is what an entry of the history tells.
type Act string

// The acts. A status begins at level 1 by the house.
const (
	Begun     Act = "begun"
	Proposed  Act = "proposed"  // the rules find another level than the confirmed one, or yet another
	Withdrawn Act = "withdrawn" // the rules agree with the confirmed level again
	Confirmed Act = "confirmed"
	Reverted  Act = "reverted"
)

// Entry is one line of the history of a status: what it was once something had been done to it.
type Entry struct {
	Seq    int64       `json:"seq"` // 1 and up, by status
	At     moment.Time `json:"at"`
	Act    Act         `json:"act"`
	By     string      `json:"by"`
	Status Status      `json:"status"`
}

// Sets tells an entry whose level was confirmed by somebody, or stood at the beginning: to such a level may be gone back.
func (e *Entry) Sets() bool { return e.Act == Begun || e.Act == Confirmed }

// ByHouse is who sets level 1 where nobody has confirmed anything.
const ByHouse = "house"

// maxNote bounds what an officer writes, in bytes.
const maxNote = 4000

// simulatedMark is at the end of the id of a status of the simulated plane.
const simulatedMark = "~simulated"

// ID is the id of a status.
func ID(hazard string, simulated bool) string {
	if simulated {
		return hazard + simulatedMark
	}
	return hazard
}

// OfID gives the hazard and the plane of an id.
func OfID(id string) (hazard string, simulated bool) {
	hazard, simulated = strings.CutSuffix(id, simulatedMark)
	return hazard, simulated
}

// begin makes the status of a hazard of which nothing was ever confirmed.
func begin(h Hazard, simulated bool, levels []Level, now time.Time) Track {
	at := moment.Of(now)
	return Track{Status: Status{ID: ID(h.Code, simulated), Version: 1, Hazard: h.Code, Names: h.Names, Level: 1, Code: codeOf(levels, 1), Since: at, By: ByHouse,
		Evidence: []Evidence{}, Scales: []Scale{}, Blind: []string{}, UpdatedAt: at, Simulated: simulated},
		Memory: Memory{Held: 1, Fading: make([]moment.Time, len(levels)+1), Finding: Proposal{Level: 1, Code: codeOf(levels, 1), Rules: []string{}, Reasons: []Reason{}, Evidence: []Evidence{}, At: at, Who: WhoConfirms(1)}}}
}

func codeOf(levels []Level, level int) string {
	for _, l := range levels {
		if l.Level == level {
			return l.Code
		}
	}
	return ""
}

// found takes what the rules find at a time. A level is held from when it is found until it was not for lowerAfter.
func (t *Track) found(f finding, levels []Level, lowerAfter time.Duration, now time.Time) {
	m, at := &t.Memory, moment.Of(now)
	for len(m.Fading) <= max(len(levels), f.level) {
		m.Fading = append(m.Fading, moment.Time{})
	}
	m.Fading = slices.Clone(m.Fading)
	for level := range m.Fading {
		switch {
		case level <= f.level || level > max(m.Held, f.level):
			m.Fading[level] = moment.Time{}
		case m.Fading[level].IsZero():
			m.Fading[level] = at
		}
	}
	before := m.Held
	m.Held = max(m.Held, f.level)
	for m.Held > f.level && now.Sub(m.Fading[m.Held].Time) >= lowerAfter {
		m.Fading[m.Held] = moment.Time{}
		m.Held--
	}
	if m.Held > f.level && m.Held == before {
		return // it rests on what was found before
	}
	p := Proposal{Level: m.Held, Code: codeOf(levels, m.Held), Rules: f.rules, Reasons: f.reasons, Evidence: f.evidence, At: m.Finding.At, Who: f.who}
	if m.Held > f.level { // on its way down over a level of which nothing was ever found by itself
		p.Rules, p.Reasons, p.Evidence, p.Who = []string{}, []Reason{}, []Evidence{}, WhoConfirms(m.Held)
	}
	if m.Held != before {
		p.At = at
	}
	m.Finding = p
}

// nothing is the reason for a lower level.
var nothing = Reason{"id": "tidak ada alasan untuk tingkat yang lebih tinggi", "en": "no reason for a higher level"}

// propose sets the proposal by what is held: none where that is what was confirmed.
func (t *Track) propose() {
	if t.Memory.Held == t.Level {
		t.Proposal = nil
		return
	}
	p := t.Memory.Finding
	if len(p.Reasons) == 0 {
		p.Reasons = []Reason{nothing}
	}
	if t.Level >= Leadership { // whoever set it takes it back
		p.Who = slices.Clone(leaders)
	}
	t.Proposal = &p
}

// enter makes the entry of the history of what was done just now.
func (t *Track) enter(act Act, by string, now time.Time) Entry {
	t.Memory.Entry++
	if act == Begun || act == Confirmed {
		t.Memory.Standing = t.Memory.Entry
	}
	return Entry{Seq: t.Memory.Entry, At: moment.Of(now), Act: act, By: by, Status: t.Status}
}

// Setting is a level that an officer confirms.
type Setting struct {
	Level   int
	Note    string
	Version int // that was seen
	By      string
}

// Confirm gives the status once an officer has confirmed a level, with the entry of the history. Where it is another than the rules propose,
// the officer must say why. Errors: ErrInvalid, ErrStale.
func (t Track) Confirm(s Setting, levels []Level, now time.Time) (Track, Entry, error) {
	s.Note = strings.TrimSpace(s.Note)
	code := codeOf(levels, s.Level)
	proposed := t.Proposal != nil && t.Proposal.Level == s.Level
	switch {
	case code == "":
		return t, Entry{}, fault.In(ErrInvalid, "level", fault.Between, fault.Range{1, float64(len(levels))}, "%d is not within 1 to %d", s.Level, len(levels))
	case len(s.Note) > maxNote:
		return t, Entry{}, fault.In(ErrInvalid, "note", fault.Long, maxNote, "is longer than %d bytes", maxNote)
	case s.Version != t.Version:
		return t, Entry{}, fmt.Errorf("%w: it has version %d, not %d", ErrStale, t.Version, s.Version)
	case !proposed && s.Note == "":
		return t, Entry{}, fault.In(ErrInvalid, "note", fault.Missing, nil, "is missing: say why, for the rules do not propose this level now")
	}
	at := moment.Of(now)
	if s.Level != t.Level {
		t.Since = at
	}
	t.Evidence = slices.Clone(t.Memory.Finding.Evidence) // what was known, whatever was made of it
	t.Level, t.Code, t.By, t.Note, t.UpdatedAt = s.Level, code, s.By, s.Note, at
	t.Version++
	t.propose()
	return t, t.enter(Confirmed, s.By, now), nil
}

// Reverting is the way back to the state before.
type Reverting struct {
	To      Entry // the last one that Sets before what stands
	Reason  string
	Version int
	By      string
}

// Revert gives the status as it was confirmed before, with its evidence; who reverts answers for it. Errors: ErrInvalid, ErrStale,
// ErrNotAllowed.
func (t Track) Revert(r Reverting, now time.Time) (Track, Entry, error) {
	r.Reason = strings.TrimSpace(r.Reason)
	switch {
	case r.Reason == "" || len(r.Reason) > maxNote:
		return t, Entry{}, fault.In(ErrInvalid, "reason", fault.Between, fault.Range{1, maxNote}, "is missing, or longer than %d bytes", maxNote)
	case r.Version != t.Version:
		return t, Entry{}, fmt.Errorf("%w: it has version %d, not %d", ErrStale, t.Version, r.Version)
	case !r.To.Sets() || r.To.Seq >= t.Memory.Standing:
		return t, Entry{}, fmt.Errorf("%w: there is no state before this one", ErrNotAllowed)
	}
	at, was := moment.Of(now), r.To.Status
	if was.Level != t.Level {
		t.Since = at
	}
	t.Level, t.Code, t.Evidence, t.By, t.Note, t.UpdatedAt = was.Level, was.Code, was.Evidence, r.By, r.Reason, at
	t.Version++
	t.propose()
	e := t.enter(Reverted, r.By, now)
	t.Memory.Standing = r.To.Seq // a second time goes further back
	return t, e, nil
}
