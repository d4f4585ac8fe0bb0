package native

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// The fields that the fast path knows, as bits, so that a field given twice is noticed.
const (
	fThing = 1 << iota
	fProperty
	fValue
	fUnit
	fAt
	fLng
	fLat
	fID
	fKind
	fName
	fQuality
	fRecord
)

// fast reads a flat observation that begins at b[i] in one pass and appends it to the batch. It either takes the record whole and
// tells where it ends, or takes nothing and says no: escapes, nesting, exponents, nulls, fields it does not know and every fault
// are left to the slow path, which agrees with it on all that it takes (FuzzFastAgreesWithSlow).
func (d *decoder) fast(b []byte, i int) (end int, ok bool) {
	if i >= len(b) || b[i] != '{' {
		return i, false
	}
	d.batch.Observations = append(d.batch.Observations, feeds.Observation{Index: d.index, ReceivedAt: d.received, Kind: d.meta.Kind, Quality: feeds.Good})
	o := &d.batch.Observations[len(d.batch.Observations)-1]
	if end, ok = d.fields(b, i+1, o); !ok {
		d.batch.Observations = d.batch.Observations[:len(d.batch.Observations)-1]
	}
	return end, ok
}

// fields reads the members of the object up to its closing brace.
func (d *decoder) fields(b []byte, i int, o *feeds.Observation) (end int, ok bool) {
	seen := 0
	for {
		i = skipSpace(b, i)
		key, next, ok := plain(b, i)
		if !ok {
			return i, false
		}
		if i = skipSpace(b, next); i >= len(b) || b[i] != ':' {
			return i, false
		}
		i = skipSpace(b, i+1)
		var field int
		if field, i, ok = d.field(key, b, i, o); !ok || seen&field != 0 {
			return i, false
		}
		seen |= field
		if i = skipSpace(b, i); i >= len(b) {
			return i, false
		}
		if b[i] == '}' {
			return i + 1, settle(o, seen)
		}
		if b[i] != ',' {
			return i, false
		}
		i++
	}
}

// settle checks what can only be seen with all fields read.
func settle(o *feeds.Observation, seen int) bool {
	const required = fThing | fProperty | fValue
	if seen&required != required {
		return false
	}
	if place := seen & (fLng | fLat); place == fLng|fLat {
		if o.Position.Validate() != nil {
			return false
		}
		o.Placed = !o.Position.IsNull()
	} else if place != 0 {
		return false
	}
	if !o.Placed {
		o.Position = geo.Position{}
	}
	if o.At.IsZero() {
		o.Quality = feeds.Received
	}
	return true
}

// field reads one member's value, which begins at b[i].
func (d *decoder) field(key, b []byte, i int, o *feeds.Observation) (field, end int, ok bool) {
	switch string(key) {
	case "thing":
		return d.word(b, i, fThing, &o.Thing, -1)
	case "property":
		return d.word(b, i, fProperty, &o.Property, 0)
	case "unit":
		return d.word(b, i, fUnit, &o.Unit, 1)
	case "kind":
		return d.word(b, i, fKind, &o.Kind, 2)
	case "name":
		return d.word(b, i, fName, &o.Name, -1)
	case "value":
		end, ok = d.value(b, i, &o.Value)
		return fValue, end, ok
	case "at":
		end, ok = instant(b, i, &o.At)
		return fAt, end, ok
	case "lng":
		o.Position.Lng, end, ok = decimal(b, i)
		return fLng, end, ok
	case "lat":
		o.Position.Lat, end, ok = decimal(b, i)
		return fLat, end, ok
	case "id":
		s, end, ok := plain(b, i)
		if !ok || !isName(s) {
			return 0, i, false
		}
		o.ID = string(s)
		return fID, end, true
	case "quality":
		s, end, ok := plain(b, i)
		if !ok || !knownQuality(string(s)) {
			return 0, i, false
		}
		o.Quality = feeds.Quality(d.words.of(s))
		return fQuality, end, true
	case "record":
		s, end, ok := plain(b, i)
		return fRecord, end, ok && string(s) == "observation"
	}
	return 0, i, false
}

// word reads a name into a shared string.
func (d *decoder) word(b []byte, i, field int, to *string, slot int) (int, int, bool) {
	s, end, ok := plain(b, i)
	if !ok || !isName(s) {
		return 0, i, false
	}
	if slot >= 0 {
		*to = d.words.again(slot, s)
	} else {
		*to = d.words.of(s)
	}
	return field, end, true
}

func (d *decoder) value(b []byte, i int, v *feeds.Value) (end int, ok bool) {
	if i >= len(b) {
		return i, false
	}
	switch b[i] {
	case '"':
		s, end, ok := plain(b, i)
		if !ok || len(s) > maxText {
			return i, false
		}
		text := ""
		if len(s) <= 32 {
			text = d.words.of(s)
		} else {
			text = string(s)
		}
		*v = feeds.Value{Type: feeds.Text, Text: text}
		return end, true
	case 't':
		if len(b)-i >= 4 && string(b[i:i+4]) == "true" {
			*v = feeds.Value{Type: feeds.Bool, Num: 1}
			return i + 4, true
		}
		return i, false
	case 'f':
		if len(b)-i >= 5 && string(b[i:i+5]) == "false" {
			*v = feeds.Value{Type: feeds.Bool}
			return i + 5, true
		}
		return i, false
	}
	n, end, ok := decimal(b, i)
	*v = feeds.Value{Num: n}
	return end, ok
}

// Patterns for eight bytes at once.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, by their high bit, bytes that are '"', '\', below 0x20, or above 0x7e. The lowest mark is exact; marks above it
// may be false, since a borrow runs upwards.
func special(x uint64) uint64 {
	quote, slash, del := x^(ones*'"'), x^(ones*'\\'), x^(ones*0x7f)
	return ((quote-ones)&^quote | (slash-ones)&^slash | (del-ones)&^del | (x - ones*0x20) | x) & highs
}

// plain reads a string without escapes; i stands at its opening quote, end behind its closing one.
func plain(b []byte, i int) (s []byte, end int, ok bool) {
	if i >= len(b) || b[i] != '"' {
		return nil, i, false
	}
	i++
	from, wide := i, false
	for {
		for i+8 <= len(b) {
			m := special(binary.LittleEndian.Uint64(b[i:]))
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			return nil, i, false
		}
		switch c := b[i]; {
		case c == '"':
			if wide && !decent(b[from:i]) {
				return nil, i, false
			}
			return b[from:i], i + 1, true
		case c < 0x20 || c == '\\' || c == 0x7f:
			return nil, i, false
		case c >= 0x80:
			wide = true
		}
		i++
	}
}

// decent tells UTF-8 without the control characters U+0080 to U+009F.
func decent(s []byte) bool {
	if !utf8.Valid(s) {
		return false
	}
	for i := bytes.IndexByte(s, 0xc2); i >= 0 && i+1 < len(s); {
		if s[i+1] < 0xa0 {
			return false
		}
		next := bytes.IndexByte(s[i+1:], 0xc2)
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return true
}

// isName tells a string fit to name something: not empty, not only space, not too long.
func isName(s []byte) bool {
	if len(s) == 0 || len(s) > maxName {
		return false
	}
	if s[0] > ' ' && s[0] < 0x7f {
		return true
	}
	return len(bytes.TrimSpace(s)) > 0
}

func knownQuality(s string) bool {
	switch feeds.Quality(s) {
	case feeds.Good, feeds.Suspect, feeds.Received, feeds.ClockSkew:
		return true
	}
	return false
}

// tens are the powers of ten that float64 holds exactly.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// decimal reads a number of at most 15 digits without an exponent: mantissa and power of ten are then exact, and so their
// quotient is the nearest float64 (Clinger 1990).
func decimal(b []byte, i int) (v float64, end int, ok bool) {
	negative := i < len(b) && b[i] == '-'
	if negative {
		i++
	}
	from, mantissa, point := i, uint64(0), -1
	for ; i < len(b); i++ {
		c := b[i]
		if c >= '0' && c <= '9' {
			mantissa = mantissa*10 + uint64(c-'0')
		} else if c == '.' && point < 0 && i > from {
			point = i
		} else {
			break
		}
		if i-from > 16 {
			return 0, i, false
		}
	}
	digits, fraction := i-from, 0
	if point >= 0 {
		digits, fraction = digits-1, i-point-1
		if fraction == 0 {
			return 0, i, false
		}
	}
	whole := digits - fraction
	if whole < 1 || digits > 15 || whole > 1 && b[from] == '0' || i < len(b) && (b[i] == 'e' || b[i] == 'E' || b[i] == '.') {
		return 0, i, false
	}
	v = float64(mantissa)
	if fraction > 0 {
		v /= tens[fraction]
	}
	if negative {
		v = -v
	}
	return v, i, true
}

// instant reads a whole number of seconds or milliseconds since 1970, or RFC 3339 in its usual form.
func instant(b []byte, i int, t *moment.Time) (end int, ok bool) {
	if i < len(b) && b[i] == '"' {
		s, end, ok := plain(b, i)
		if !ok {
			return i, false
		}
		ms, ok := rfc3339(s)
		if !ok {
			return i, false
		}
		*t = moment.OfMilli(ms)
		return end, true
	}
	from, v := i, int64(0)
	for i < len(b) && b[i] >= '0' && b[i] <= '9' && i-from < 15 {
		v = v*10 + int64(b[i]-'0')
		i++
	}
	if i == from || b[from] == '0' || i < len(b) && (b[i] >= '0' && b[i] <= '9' || b[i] == '.' || b[i] == 'e' || b[i] == 'E') {
		return i, false
	}
	ms, ok := epoch(v)
	*t = moment.OfMilli(ms)
	return i, ok
}

// epoch turns seconds or milliseconds since 1970 into milliseconds: from 1e11 on it is milliseconds (seconds would be the year 5138).
func epoch(v int64) (ms int64, ok bool) {
	if v < 1e11 {
		v *= 1000
	}
	return v, v > 0 && v <= lastMilli
}

// lastMilli is the end of the year 9999, the last that RFC 3339 can write.
const lastMilli = 253402300799999

// rfc3339 reads YYYY-MM-DDThh:mm:ss, up to nine digits of fraction, and Z or an offset, into milliseconds since 1970.
func rfc3339(s []byte) (ms int64, ok bool) {
	if len(s) < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	ok = true
	two := func(i int) int {
		hi, lo := s[i]-'0', s[i+1]-'0'
		if hi > 9 || lo > 9 {
			ok = false
		}
		return int(hi)*10 + int(lo)
	}
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if !ok || year < 1970 || month < 1 || month > 12 || day < 1 || day > 28 && day > monthDays(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	i, milli := 19, 0
	if s[i] == '.' {
		from := i + 1
		for i++; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			if i-from < 3 {
				milli = milli*10 + int(s[i]-'0')
			}
		}
		if i == from || i-from > 9 {
			return 0, false
		}
		for n := i - from; n < 3; n++ {
			milli *= 10
		}
	}
	offset := 0
	switch rest := s[i:]; {
	case len(rest) == 1 && rest[0] == 'Z':
	case len(rest) == 6 && rest[3] == ':' && (rest[0] == '+' || rest[0] == '-'):
		h, m := two(i+1), two(i+4)
		if !ok || h > 23 || m > 59 {
			return 0, false
		}
		if offset = h*60 + m; rest[0] == '-' {
			offset = -offset
		}
	default:
		return 0, false
	}
	ms = (((days(year, month, day)*24+int64(hour))*60+int64(minute-offset))*60+int64(second))*1000 + int64(milli)
	return ms, ms > 0 && ms <= lastMilli
}

func monthDays(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// days since 1970-01-01 in the Gregorian calendar, counted from March so that the leap day comes last.
func days(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return int64(365*year+year/4-year/100+year/400+(153*(month-3)+2)/5+day) - 719469
}
