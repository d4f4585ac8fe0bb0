package ingest

import (
	"fmt"
	"math"
	"time"
	"unicode"
	"unicode/utf8"

	"kentongan/feeds"
)

// outcome is what became of one item of a delivery. Where its records fared differently the greatest counts, so that each item is in
// exactly one part of the receipt.
type outcome uint8

const (
	unknown outcome = iota
	ignored
	duplicate
	accepted
	rejected
)

// ledger holds the outcome of every item of a delivery.
type ledger struct {
	items   []outcome
	reasons map[int]string
	stored  int64 // when the last of its readings was committed, ms; 0: none was
}

// newLedger makes room for every item and enters what the format refused.
func newLedger(b *feeds.Batch) *ledger {
	l := &ledger{reasons: map[int]string{}}
	for _, r := range b.Ignored {
		l.refuse(r.Index, ignored, r.Reason)
	}
	for _, r := range b.Rejected {
		l.refuse(r.Index, rejected, r.Reason)
	}
	return l
}

func (l *ledger) note(i int, o outcome) {
	i = max(i, 0)
	if i >= len(l.items) {
		l.items = append(l.items, make([]outcome, i+1-len(l.items))...)
	}
	l.items[i] = max(l.items[i], o)
}

func (l *ledger) refuse(i int, o outcome, reason string) {
	i = max(i, 0)
	l.note(i, o)
	if l.items[i] == o && l.reasons[i] == "" || o == rejected {
		l.reasons[i] = reason
	}
}

// barred tells an item that is refused whole: nothing of it may be stored.
func (l *ledger) barred(i int) bool {
	i = max(i, 0)
	return i < len(l.items) && l.items[i] == rejected
}

func (l *ledger) receipt() feeds.Receipt {
	r := feeds.Receipt{Ignored: []feeds.Refusal{}, Rejected: []feeds.Refusal{}}
	if l.stored > 0 {
		r.StoredAt = time.UnixMilli(l.stored)
	}
	for i, o := range l.items {
		switch o {
		case accepted:
			r.Accepted++
		case duplicate:
			r.Duplicates++
		case ignored:
			r.Ignored = append(r.Ignored, feeds.Refusal{Index: i, Reason: l.reasons[i]})
		case rejected:
			r.Rejected = append(r.Rejected, feeds.Refusal{Index: i, Reason: l.reasons[i]})
		}
	}
	return r
}

// Bounds of what one reading may carry.
const (
	longestName  = 256
	longestText  = 4096
	longestAttrs = 16 << 10
)

// faults bars every item of which a record cannot be stored, before any of it is.
func (l *ledger) faults(b *feeds.Batch) {
	for i := range b.Observations {
		if reason := faultOf(&b.Observations[i]); reason != "" {
			l.refuse(b.Observations[i].Index, rejected, reason)
		}
	}
	for i := range b.Reports {
		if reason := reportFault(&b.Reports[i]); reason != "" {
			l.refuse(b.Reports[i].Index, rejected, reason)
		}
	}
	for i := range b.Positions {
		u := &b.Positions[i]
		reason := badName("unit", u.Unit)
		if err := u.Position.Validate(); err != nil && reason == "" {
			reason = err.Error()
		}
		for _, f := range []struct {
			name string
			v    *float64
		}{{"speed", u.SpeedMps}, {"heading", u.Heading}, {"accuracy", u.AccuracyM}} {
			if reason == "" && f.v != nil && (math.IsNaN(*f.v) || math.IsInf(*f.v, 0)) {
				reason = fmt.Sprintf("%s: %v is not a number", f.name, *f.v)
			}
		}
		if reason != "" {
			l.refuse(u.Index, rejected, reason)
		}
	}
}

// faultOf says why an observation cannot be stored, or nothing.
func faultOf(o *feeds.Observation) string {
	if reason := badName("thing", o.Thing); reason != "" {
		return reason
	}
	if reason := badName("property", o.Property); reason != "" {
		return reason
	}
	if o.Value.Type == feeds.Number && (math.IsNaN(o.Value.Num) || math.IsInf(o.Value.Num, 0)) {
		return fmt.Sprintf("value: %v is not a number", o.Value.Num)
	}
	if len(o.Value.Text) > longestText {
		return fmt.Sprintf("value: %d bytes, at most %d", len(o.Value.Text), longestText)
	}
	if len(o.Attrs) > longestAttrs {
		return fmt.Sprintf("attrs: %d bytes, at most %d", len(o.Attrs), longestAttrs)
	}
	if len(o.ID) > longestName || len(o.Unit) > longestName || len(o.Name) > longestName || len(o.Kind) > longestName {
		return fmt.Sprintf("id, unit, name or kind is longer than %d bytes", longestName)
	}
	if o.Placed {
		if err := o.Position.Validate(); err != nil {
			return err.Error()
		}
	}
	return ""
}

// badName says why a thing's or property's name cannot be one: it becomes part of ids, addresses and lists.
func badName(what, s string) string {
	if s == "" {
		return what + ": missing"
	}
	if len(s) > longestName {
		return fmt.Sprintf("%s: %d bytes, at most %d", what, len(s), longestName)
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == 0x7f || c >= utf8.RuneSelf {
			return badRune(what, s)
		}
	}
	return ""
}

func badRune(what, s string) string {
	for i, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return fmt.Sprintf("%s: not plain text at byte %d", what, i)
		}
	}
	return ""
}
