package figures

import (
	"encoding/binary"
	"errors"
	"fmt"

	"kentongan/feeds/cap"
	"kentongan/geo"
)

// codecVersion is the first byte of every case that is kept. The one before it knew no decision: it is read, with none.
const (
	codecVersion = 3
	undecided    = 2
)

// Bound of what a kept case may hold, so that a broken one costs no memory.
const (
	maxText  = 1 << 12
	maxMoves = 1 << 12
)

var errCase = errors.New("it is no case")

// Version of the kept form; another one is made anew from the incidents.
const Version = codecVersion

// Append writes a case in the form in which it is kept: a version, then every member in order; times are milliseconds after the first signal,
// zigzag varints, 0 for none.
func (c *Case) Append(b []byte) []byte {
	b = append(b, codecVersion)
	for _, s := range []string{c.ID, c.Number, c.Type, c.Lead, c.Area, string(c.Severity), c.Class, c.Reason, c.Of} {
		b = appendText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Support)))
	for _, s := range c.Support {
		b = appendText(b, s)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Cell))
	b = append(b, byte(c.Origin), flags(c.Apart, c.Told, c.Verified, c.Override, c.Sourced), c.Manual)
	base := c.Stamps[Signal]
	b = binary.AppendVarint(b, base)
	for _, t := range c.times(codecVersion) {
		b = appendTime(b, *t, base)
	}
	b = binary.AppendVarint(b, c.Paused)
	b = binary.AppendUvarint(b, uint64(len(c.Moves)))
	for _, m := range c.Moves {
		b = append(binary.AppendVarint(b, m.At-base), byte(m.To))
	}
	return b
}

// times are the members that a version keeps beside the first signal.
func (c *Case) times(version byte) []*int64 {
	out := make([]*int64, 0, 2+Stamps-1+Steps)
	out = append(out, &c.Opened, &c.Event)
	for i := Signal + 1; i < Stamps; i++ {
		if i != Decide || version > undecided {
			out = append(out, &c.Stamps[i])
		}
	}
	for i := range Steps {
		if i != StepDecision || version > undecided {
			out = append(out, &c.Due[i])
		}
	}
	return out
}

func flags(of ...bool) (b byte) {
	for i, on := range of {
		if on {
			b |= 1 << i
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	s = s[:min(len(s), maxText)]
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendTime keeps 0 apart from "at the first signal".
func appendTime(b []byte, t, base int64) []byte {
	if t == 0 {
		return append(b, 0)
	}
	return binary.AppendVarint(append(b, 1), t-base)
}

// Parse reads a kept case to its end.
func Parse(text string) (Case, error) {
	r := reader{rest: text}
	version := r.byte()
	if version != codecVersion && version != undecided {
		return Case{}, fmt.Errorf("%w: another version", errCase)
	}
	var c Case
	var severity string
	for _, s := range []*string{&c.ID, &c.Number, &c.Type, &c.Lead, &c.Area, &severity, &c.Class, &c.Reason, &c.Of} {
		*s = r.text()
	}
	c.Severity = cap.Severity(severity)
	if n := r.count(maxMoves); n > 0 {
		c.Support = make([]string, n)
		for i := range c.Support {
			c.Support[i] = r.text()
		}
	}
	c.Cell = geo.Cell(r.fixed())
	c.Origin = min(Origin(r.byte()), ByAgency)
	f := r.byte()
	c.Apart, c.Told, c.Verified, c.Override, c.Sourced = f&1 != 0, f&2 != 0, f&4 != 0, f&8 != 0, f&16 != 0
	c.Manual = r.byte()
	base := r.varint()
	c.Stamps[Signal] = base
	for _, t := range c.times(version) {
		if r.byte() == 1 {
			*t = base + r.varint()
		}
	}
	c.Paused = r.varint()
	if n := r.count(maxMoves); n > 0 {
		c.Moves = make([]Move, n)
		for i := range c.Moves {
			c.Moves[i].At = base + r.varint()
			c.Moves[i].To = min(Mark(r.byte()), Disputed)
		}
	}
	if r.bad || r.rest != "" {
		return Case{}, errCase
	}
	return c, nil
}

// reader takes a text apart; after a fault everything is 0.
type reader struct {
	rest string
	bad  bool
}

func (r *reader) take(n int) string {
	if n > len(r.rest) {
		r.bad, r.rest = true, ""
		return ""
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) byte() byte {
	if s := r.take(1); s != "" {
		return s[0]
	}
	return 0
}

func (r *reader) fixed() (v uint64) {
	s := r.take(8)
	for i := len(s) - 1; i >= 0; i-- {
		v = v<<8 | uint64(s[i])
	}
	return v
}

func (r *reader) uvarint() (v uint64) {
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		b := r.rest[i]
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			r.rest = r.rest[i+1:]
			return v
		}
	}
	r.bad, r.rest = true, ""
	return 0
}

func (r *reader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) count(most int) int {
	n := r.uvarint()
	if n > uint64(most) || n > uint64(len(r.rest)) {
		r.bad, r.rest = true, ""
		return 0
	}
	return int(n)
}

func (r *reader) text() string { return r.take(r.count(maxText)) }
