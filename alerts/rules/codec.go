package rules

import (
	"encoding/binary"
	"errors"
	"math"

	"kentongan/feeds"
	"kentongan/geo"
)

// errState marks bytes that are no state of an engine.
var errState = errors.New("not a state of the rules")

// writer appends what a state is made of.
type writer struct{ b []byte }

func (w *writer) uint(v uint64)   { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) int(v int64)     { w.b = binary.AppendVarint(w.b, v) }
func (w *writer) num(v float64)   { w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v)) }
func (w *writer) text(s string)   { w.uint(uint64(len(s))); w.b = append(w.b, s...) }
func (w *writer) flags(f ...bool) { w.uint(bitsOf(f)) }

func bitsOf(f []bool) uint64 {
	var v uint64
	for i, on := range f {
		if on {
			v |= 1 << i
		}
	}
	return v
}

func (w *writer) value(v feeds.Value) {
	w.uint(uint64(v.Type))
	if v.Type == feeds.Text {
		w.text(v.Text)
		return
	}
	w.num(v.Num)
}

// thing writes a Thing without its state: what an alert says of it.
func (w *writer) thing(t *feeds.Thing) {
	w.flags(t != nil)
	if t == nil {
		return
	}
	w.text(t.ID)
	w.text(t.Kind)
	w.flags(t.Placed)
	w.num(t.Position.Lat)
	w.num(t.Position.Lng)
	w.uint(uint64(t.Cell))
	bare := *t
	bare.State = nil
	w.text(string(bare.AppendRecord(nil)))
}

// reader takes a state apart; after a fault it gives zeros, and err says what it was.
type reader struct {
	b       []byte
	err     error
	version uint64 // of what is read, where it matters
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = errState
	}
	r.b = nil
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// mostInt bounds every whole number of a state, so that sums of times do not overflow: 140,000 years in milliseconds.
const mostInt = 1 << 52

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 || v > mostInt || v < -mostInt {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) num() float64 {
	if len(r.b) < 8 {
		r.fail()
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.b))
	r.b = r.b[8:]
	return v
}

func (r *reader) text() string {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// span reads a duration, which is not negative.
func (r *reader) span() int64 {
	v := r.int()
	if v < 0 {
		r.fail()
		return 0
	}
	return v
}

// count reads how many follow; each takes at least one byte, so that garbage asks for no more memory than it has bytes.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) flags(to ...*bool) {
	v := r.uint()
	for i, p := range to {
		*p = v&(1<<i) != 0
	}
	if v>>len(to) != 0 {
		r.fail()
	}
}

func (r *reader) value() feeds.Value {
	v := feeds.Value{Type: feeds.ValueType(r.uint())}
	switch v.Type {
	case feeds.Text:
		v.Text = r.text()
	case feeds.Number, feeds.Bool:
		v.Num = r.num()
	default:
		r.fail()
	}
	return v
}

func (r *reader) thing() *feeds.Thing {
	var known bool
	r.flags(&known)
	if !known {
		return nil
	}
	t := &feeds.Thing{ID: r.text(), Kind: r.text()}
	r.flags(&t.Placed)
	t.Position = geo.Position{Lat: r.num(), Lng: r.num()}
	t.Cell = geo.Cell(r.uint())
	if err := t.ReadRecord([]byte(r.text())); err != nil {
		r.fail()
	}
	return t
}

// cellOf gives a cell that was written; a number that is none is no cell.
func cellOf(v uint64) geo.Cell {
	if v == 0 {
		return 0
	}
	c, err := geo.ParseCell(geo.Cell(v).String())
	if err != nil {
		return 0
	}
	return c
}
