package verify

import (
	"kentongan/geo/moment"
)

// Kind is what is wrong with a record, or with the log.
type Kind string

// Kinds. Those of the first group are of one record and need no second look.
const (
	Line      Kind = "line"      // not a line of an export
	Form      Kind = "form"      // not the canonical form
	Missing   Kind = "missing"   // a seq is left out
	Order     Kind = "order"     // a seq comes again, or too late
	Leaf      Kind = "leaf"      // the leaf hash beside it is of other bytes
	WordsHash Kind = "words"     // the words beside it are not those that it was written with
	Untimed   Kind = "untimed"   // without a time
	Tile      Kind = "tile"      // a witness keeps another hash of it
	Tail      Kind = "tail"      // a checkpoint covers more records than there are
	Chain     Kind = "chain"     // its before hash is not the after hash of the record before it of the same object
	BackDated Kind = "backdated" // dated before a record that stands before it
	TooEarly  Kind = "too_early" // dated long before a witness saw the log without it
	TooLate   Kind = "too_late"  // dated after a witness saw it

	Root      Kind = "root"      // a checkpoint has another root: some record up to it is not what it was
	Fork      Kind = "fork"      // two signed checkpoints of one size with two roots
	Signature Kind = "signature" // a checkpoint that the log's key did not sign
	Origin    Kind = "origin"    // a checkpoint, or an export, of another log
	Misplaced Kind = "misplaced" // a checkpoint of the export that does not stand behind the last record it covers
	Length    Kind = "length"    // the header says another number of records
	Unproven  Kind = "unproven"  // no checkpoint could be held against the export
)

// soft tells whether the kind sets two records against each other, of which either may be the one that was changed.
func (k Kind) soft() bool { return k == Chain || k == BackDated || k == TooEarly || k == TooLate }

// exact tells whether the kind names one record that is bad.
func (k Kind) exact() bool {
	switch k {
	case Line, Form, Missing, Order, Leaf, WordsHash, Untimed, Tile, Tail:
		return true
	}
	return false
}

// Finding is one thing that is wrong.
type Finding struct {
	Kind Kind `json:"kind"`
	// Seq is the record; 0 where a checkpoint tells only that it is among From to To. Otherwise From and To are those that are missing.
	Seq   int64       `json:"seq,omitempty"`
	From  int64       `json:"from,omitempty"`
	To    int64       `json:"to,omitempty"`
	Other int64       `json:"other,omitempty"` // the record that it contradicts
	Size  int64       `json:"size,omitempty"`  // of the checkpoint
	At    moment.Time `json:"at,omitzero"`     // what the record says
	Limit moment.Time `json:"limit,omitzero"`  // what it should not be beyond
	Text  string      `json:"detail,omitempty"`
}

// first is the lowest record that the finding may be about.
func (f Finding) first() int64 {
	if f.Seq > 0 {
		return f.Seq
	}
	return f.From
}

// Report is what was found.
type Report struct {
	OK     bool        `json:"ok"`
	Origin string      `json:"origin,omitempty"`
	MadeAt moment.Time `json:"made_at,omitzero"` // says its header
	MadeBy string      `json:"made_by,omitempty"`
	From   int64       `json:"from"`    // seq of the first record
	To     int64       `json:"to"`      // of the last, 0 where there is none
	Count  int64       `json:"records"` // how many there are
	// Proven is the last record that a checkpoint covers which holds; later ones stand in no checkpoint yet.
	Proven int64 `json:"proven"`
	// Later is how many records behind its end a witness saw after the export was made.
	Later       int64     `json:"later,omitempty"`
	Checkpoints int       `json:"checkpoints"` // how many were held against it
	Signed      bool      `json:"signatures_checked"`
	Words       int64     `json:"words"`  // that were given and are those of their records
	Erased      int64     `json:"erased"` // records whose words are kept apart and are not given
	First       *Finding  `json:"first_bad,omitempty"`
	Findings    []Finding `json:"findings,omitempty"` // the first 50, as they were found
	Faults      int       `json:"faults"`             // how many there are
}

const listed = 50
