package feeds

import (
	"encoding/binary"
	"maps"
	"math"
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"

	"kentongan/geo"
	"kentongan/geo/moment"
)

// Packed is a Thing at rest: what is not kept beside it (id, kind, place), in some thirty bytes. It never leaves the process: names that
// repeat are numbers of a table which is another in every process. AppendRecord writes what the store keeps.
type Packed string

// What the first byte of a Packed says.
const (
	packedSimulated = 1 << iota
	packedNamed     // a name other than the native id follows
	packedFed       // a feed other than the id's prefix follows
	packedStale     // StaleAfter is known
)

// A reading's second byte: type of the value (2 bits), its form (2 bits), quality (4 bits).
const (
	formFloat   = iota << 2 // 8 bytes
	formInteger             // value, as a signed varint
	formHundred             // value x 100
	formMyriad              // value x 10,000
	formMask    = 3 << 2
)

// qualities by their number; one that is not here is written out.
var qualities = [...]Quality{Good, Received, ClockSkew, Suspect, ""}

const otherQuality = 15

// Pack gives a Thing at rest.
func Pack(t *Thing) Packed {
	var room [192]byte
	b := packHead(room[:0], t)
	b = binary.AppendUvarint(b, uint64(len(t.State)))
	for name, r := range t.State {
		b = packReading(b, name, &r, t.At.Milli(), t.ReceivedAt.Milli())
	}
	return Packed(b)
}

// PackRecord packs what AppendRecord wrote of the Thing with this id.
func PackRecord(id string, record []byte) (Packed, error) {
	var t Thing
	t.ID = id
	n := 0
	if err := t.readRecord(record, func([]byte) error { n++; return nil }); err != nil {
		return "", err
	}
	var room [192]byte
	b := packHead(room[:0], &t)
	b = binary.AppendUvarint(b, uint64(n))
	var old Thing
	err := old.readRecord(record, func(part []byte) error {
		name, r, err := readReading(part)
		b = packReading(b, name, &r, t.At.Milli(), t.ReceivedAt.Milli())
		return err
	})
	return Packed(b), err
}

func packHead(b []byte, t *Thing) []byte {
	feed, native := SplitID(t.ID)
	flags := byte(0)
	for _, f := range [...]struct {
		set bool
		bit byte
	}{{t.Simulated, packedSimulated}, {t.Name != native, packedNamed}, {t.Feed != feed, packedFed}, {!t.StaleAfter.IsZero(), packedStale}} {
		if f.set {
			flags |= f.bit
		}
	}
	b = append(b, flags)
	b = appendSymbol(b, t.Attribution)
	at, received := t.At.Milli(), t.ReceivedAt.Milli()
	b = binary.AppendVarint(b, at)
	b = binary.AppendVarint(b, received-at)
	if flags&packedStale != 0 {
		b = binary.AppendVarint(b, t.StaleAfter.Milli()-received)
	}
	if flags&packedNamed != 0 {
		b = append(binary.AppendUvarint(b, uint64(len(t.Name))), t.Name...)
	}
	if flags&packedFed != 0 {
		b = appendSymbol(b, t.Feed)
	}
	return b
}

// packReading writes times as distances from the Thing's, which are mostly none.
func packReading(b []byte, name string, r *Reading, at, received int64) []byte {
	b = appendSymbol(b, name)
	quality := byte(otherQuality)
	for i, q := range qualities {
		if r.Quality == q {
			quality = byte(i)
			break
		}
	}
	form, scaled := formOf(r.Value)
	b = append(b, byte(r.Value.Type)|form|quality<<4)
	if quality == otherQuality {
		b = appendSymbol(b, string(r.Quality))
	}
	b = appendSymbol(b, r.Unit)
	switch {
	case r.Value.Type == Text:
		b = append(binary.AppendUvarint(b, uint64(len(r.Value.Text))), r.Value.Text...)
	case form == formFloat:
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.Value.Num))
	default:
		b = binary.AppendVarint(b, scaled)
	}
	b = binary.AppendVarint(b, r.At.Milli()-at)
	return binary.AppendVarint(b, r.ReceivedAt.Milli()-received)
}

// formOf finds the shortest form from which the same number comes back, to the last bit.
func formOf(v Value) (form byte, scaled int64) {
	const most = 1 << 40
	for _, f := range [...]struct {
		form  byte
		scale float64
	}{{formInteger, 1}, {formHundred, 100}, {formMyriad, 10_000}} {
		n := math.Round(v.Num * f.scale)
		if math.Abs(n) < most && math.Float64bits(n/f.scale) == math.Float64bits(v.Num) {
			return f.form, int64(n)
		}
	}
	return formFloat, 0
}

// Thing gives the Thing; what is not in the bytes is told.
func (p Packed) Thing(id, kind string, at geo.Position, placed bool, cell geo.Cell) *Thing {
	t := &Thing{ID: id, Kind: kind, Position: at, Placed: placed, Cell: cell}
	r := unpacker{p: string(p)}
	n := r.head(t)
	t.State = make(map[string]Reading, n)
	for range n {
		name, v := r.reading(t.At.Milli(), t.ReceivedAt.Milli())
		t.State[name] = v
	}
	return t
}

// Reading gives the last value of a property.
func (p Packed) Reading(property string) (Reading, bool) {
	var t Thing
	r := unpacker{p: string(p)}
	for range r.head(&t) {
		if name, v := r.reading(t.At.Milli(), t.ReceivedAt.Milli()); name == property {
			return v, true
		}
	}
	return Reading{}, false
}

// At is the newest event time of the Thing's state, in milliseconds; 0: there is none.
func (p Packed) At() int64 {
	r := unpacker{p: string(p[1:])}
	if n := r.uvarint(); n == 0 {
		r.text()
	}
	return r.varint()
}

// Properties counts the properties.
func (p Packed) Properties() int {
	var t Thing
	return (&unpacker{p: string(p)}).head(&t)
}

// Interval is from when the Thing was received until it is drawn stale, in milliseconds; 0 where that is not known.
func (p Packed) Interval() int64 {
	var t Thing
	(&unpacker{p: string(p)}).head(&t)
	if t.StaleAfter.IsZero() {
		return 0
	}
	return t.StaleAfter.Milli() - t.ReceivedAt.Milli()
}

// unpacker reads from the front.
type unpacker struct{ p string }

func (r *unpacker) head(t *Thing) (properties int) {
	flags := r.p[0]
	r.p = r.p[1:]
	feed, native := SplitID(t.ID)
	t.Feed, t.Name, t.Simulated = feed, native, flags&packedSimulated != 0
	t.Attribution = r.symbol()
	at := r.varint()
	received := at + r.varint()
	t.At, t.ReceivedAt = moment.OfMilli(at), moment.OfMilli(received)
	if flags&packedStale != 0 {
		t.StaleAfter = moment.OfMilli(received + r.varint())
	}
	if flags&packedNamed != 0 {
		t.Name = r.text()
	}
	if flags&packedFed != 0 {
		t.Feed = r.symbol()
	}
	return int(r.uvarint())
}

func (r *unpacker) reading(at, received int64) (name string, v Reading) {
	name = r.symbol()
	c := r.p[0]
	r.p = r.p[1:]
	v.Value.Type = ValueType(c & 3)
	if q := c >> 4; q == otherQuality {
		v.Quality = Quality(r.symbol())
	} else {
		v.Quality = qualities[q]
	}
	v.Unit = r.symbol()
	form := c & formMask
	switch {
	case v.Value.Type == Text:
		v.Value.Text = r.text()
	case form == formFloat:
		var bits uint64
		for i := range 8 {
			bits |= uint64(r.p[i]) << (8 * i)
		}
		v.Value.Num, r.p = math.Float64frombits(bits), r.p[8:]
	case form == formInteger:
		v.Value.Num = float64(r.varint())
	case form == formHundred:
		v.Value.Num = float64(r.varint()) / 100
	default:
		v.Value.Num = float64(r.varint()) / 10_000
	}
	v.At = moment.OfMilli(at + r.varint())
	v.ReceivedAt = moment.OfMilli(received + r.varint())
	return name, v
}

func (r *unpacker) uvarint() uint64 {
	var v uint64
	for i := 0; ; i++ {
		c := r.p[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.p = r.p[i+1:]
			return v
		}
	}
}

func (r *unpacker) varint() int64 { return protowire.DecodeZigZag(r.uvarint()) }

func (r *unpacker) text() string {
	n := r.uvarint()
	s := r.p[:n]
	r.p = r.p[n:]
	return s
}

func (r *unpacker) symbol() string {
	n := r.uvarint()
	if n == 0 {
		return r.text()
	}
	return symbols.Load().names[n-1]
}

// The table of names that repeat: properties, units, kinds, attributions. It only grows, up to a bound, so that senders who invent names
// without end fill no memory: what finds no room in it is written out. It is one for the process, because a Packed lies in many hands.
var (
	symbols     atomic.Pointer[symbolTable]
	symbolsLock sync.Mutex
)

const (
	mostSymbols   = 4096
	longestSymbol = 128
)

type symbolTable struct {
	numbers map[string]uint32 // from 1
	names   []string
}

// number gives the number of a name in the table; 0: it has none.
func number(s string) uint32 {
	if t := symbols.Load(); t != nil {
		if n := t.numbers[s]; n != 0 || len(t.names) >= mostSymbols {
			return n
		}
	}
	if len(s) > longestSymbol {
		return 0
	}
	symbolsLock.Lock()
	defer symbolsLock.Unlock()
	t := &symbolTable{numbers: map[string]uint32{}}
	if old := symbols.Load(); old != nil {
		if n := old.numbers[s]; n != 0 || len(old.names) >= mostSymbols {
			return n
		}
		t = &symbolTable{numbers: maps.Clone(old.numbers), names: old.names}
	}
	s = strings.Clone(s)
	t.names = append(t.names, s)
	t.numbers[s] = uint32(len(t.names))
	symbols.Store(t)
	return uint32(len(t.names))
}

func appendSymbol(b []byte, s string) []byte {
	if n := number(s); n != 0 {
		return binary.AppendUvarint(b, uint64(n))
	}
	return append(binary.AppendUvarint(append(b, 0), uint64(len(s))), s...)
}

// internBytes is Intern without garbage.
func internBytes(b []byte) string {
	if t := symbols.Load(); t != nil {
		if n := t.numbers[string(b)]; n != 0 {
			return t.names[n-1]
		}
	}
	return Intern(string(b))
}

// Intern gives a string that holds no memory but its own: names that repeat are one.
func Intern(s string) string {
	if n := number(s); n != 0 {
		return symbols.Load().names[n-1]
	}
	return strings.Clone(s)
}
