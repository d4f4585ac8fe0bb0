// Package fields is JSON objects read name by name: exact letters, bounded texts, numbers in their ranges, times and places.
//
// An Object keeps the first fault of all that was asked of it and of its members, with the path to it, so that a decoder asks
// for what it wants and looks at the fault once. Absent and null are the same. A name that is only there in other letters is
// a fault: encoding/json would take it, and what it means is a guess.
package fields

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"kentongan/geo"
	"kentongan/geo/moment"
)

// Object is one JSON object. It is not safe for concurrent use.
type Object struct {
	path    string
	members map[string]json.RawMessage
	fault   *error // shared with the objects inside
}

// Read opens an object. The bytes must have passed bounded.JSON, which refuses a name given twice.
func Read(raw []byte) (*Object, error) {
	o := &Object{fault: new(error)}
	if kind(raw) != '{' || json.Unmarshal(raw, &o.members) != nil {
		return nil, errors.New("not an object")
	}
	return o, nil
}

// Fault gives the first thing found wrong, nil where all was well.
func (o *Object) Fault() error { return *o.fault }

// Fail notes a fault of this object unless there is an earlier one.
func (o *Object) Fail(format string, args ...any) {
	if *o.fault == nil {
		*o.fault = fmt.Errorf(format, args...)
	}
}

// kind is the first byte of a value: '{', '[', '"', 't', 'f', 'n', a digit or '-'; 0 where there is none.
func kind(raw []byte) byte {
	if raw = bytes.TrimLeft(raw, " \t\r\n"); len(raw) > 0 {
		return raw[0]
	}
	return 0
}

// Raw gives a member, nil where it is absent or null.
func (o *Object) Raw(name string) json.RawMessage {
	raw, ok := o.members[name]
	if !ok {
		for other := range o.members {
			if strings.EqualFold(other, name) {
				o.Fail("%.60q should be written %q", o.path+other, name)
			}
		}
	}
	if kind(raw) == 'n' {
		return nil
	}
	return raw
}

// Has tells whether a member is there and not null.
func (o *Object) Has(name string) bool { return o.Raw(name) != nil }

// Names lists the members in alphabetical order.
func (o *Object) Names() []string { return slices.Sorted(maps.Keys(o.members)) }

// wrong notes that a member is of another type.
func (o *Object) wrong(name, want string) { o.Fail("%s is not %s", o.path+name, want) }

// Object opens a member that is an object; an absent one is empty.
func (o *Object) Object(name string) *Object {
	in := &Object{path: o.path + name + ".", fault: o.fault}
	if raw := o.Raw(name); raw != nil && (kind(raw) != '{' || json.Unmarshal(raw, &in.members) != nil) {
		o.wrong(name, "an object")
	}
	return in
}

// Objects opens a member that is an array of objects; an absent one is empty.
func (o *Object) Objects(name string) []*Object {
	var out []*Object
	for i, raw := range o.List(name) {
		in := &Object{path: fmt.Sprintf("%s%s[%d].", o.path, name, i), fault: o.fault}
		if kind(raw) != '{' || json.Unmarshal(raw, &in.members) != nil {
			o.wrong(fmt.Sprintf("%s[%d]", name, i), "an object")
		}
		out = append(out, in)
	}
	return out
}

// List opens a member that is an array; an absent one is empty.
func (o *Object) List(name string) []json.RawMessage {
	var out []json.RawMessage
	if raw := o.Raw(name); raw != nil && (kind(raw) != '[' || json.Unmarshal(raw, &out) != nil) {
		o.wrong(name, "an array")
	}
	return out
}

// Text gives a string of at most max bytes without the white space round it, empty where it is absent.
func (o *Object) Text(name string, max int) string {
	raw := o.Raw(name)
	if raw == nil {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		o.wrong(name, "a string")
		return ""
	}
	if len(s) > max {
		o.Fail("%s is longer than %d bytes", o.path+name, max)
		return ""
	}
	return strings.TrimSpace(s)
}

// Need is Text that must not be empty.
func (o *Object) Need(name string, max int) string {
	s := o.Text(name, max)
	if s == "" {
		o.Fail("%s is missing", o.path+name)
	}
	return s
}

// Label is Text, or a whole number as its digits: producers write ids either way.
func (o *Object) Label(name string, max int) string {
	if raw := o.Raw(name); kind(raw) == '-' || kind(raw) >= '0' && kind(raw) <= '9' {
		var n int64
		if json.Unmarshal(raw, &n) != nil {
			o.wrong(name, "a whole number")
			return ""
		}
		return fmt.Sprint(n)
	}
	return o.Text(name, max)
}

// Number gives a number, nil where it is absent. A number in quotes is a fault.
func (o *Object) Number(name string) *float64 {
	raw := o.Raw(name)
	if raw == nil {
		return nil
	}
	var n float64
	if json.Unmarshal(raw, &n) != nil || math.IsInf(n, 0) {
		o.wrong(name, "a number")
		return nil
	}
	return &n
}

// Between is Number that must lie within least..most.
func (o *Object) Between(name string, least, most float64) *float64 {
	n := o.Number(name)
	if n != nil && (*n < least || *n > most) {
		o.Fail("%s %v is not within %v..%v", o.path+name, *n, least, most)
		return nil
	}
	return n
}

// Bool gives true or false, false where it is absent.
func (o *Object) Bool(name string) bool {
	var b bool
	if raw := o.Raw(name); raw != nil && json.Unmarshal(raw, &b) != nil {
		o.wrong(name, "true or false")
	}
	return b
}

// Leaf is a number, text or bool somewhere inside an object, by the path of names with points between them.
type Leaf struct {
	Name  string
	Value any // float64, string or bool
}

// maxLeafName is bytes of such a path.
const maxLeafName = 200

// Leaves gives every number, text and bool inside, in the order of their names; lists and nulls are passed over. It is a fault when
// they lie more than depth objects deep, are more than most, or a text is longer than max bytes.
func (o *Object) Leaves(depth, most, max int) []Leaf {
	var out []Leaf
	o.leaves("", depth, most, max, &out)
	return out
}

func (o *Object) leaves(path string, depth, most, max int, out *[]Leaf) {
	for _, name := range o.Names() {
		leaf := Leaf{Name: path + name}
		if len(leaf.Name) > maxLeafName {
			o.Fail("%s: a name is longer than %d bytes", o.path, maxLeafName)
			return
		}
		switch raw := o.Raw(name); kind(raw) {
		case 0, '[':
			continue
		case '{':
			if depth == 0 {
				o.Fail("%.80s lies too deep", o.path+name)
				return
			}
			o.Object(name).leaves(leaf.Name+".", depth-1, most, max, out)
			continue
		case '"':
			leaf.Value = o.Text(name, max)
		case 't', 'f':
			leaf.Value = o.Bool(name)
		default:
			n := o.Number(name)
			if n == nil {
				return
			}
			leaf.Value = *n
		}
		if len(*out) == most {
			o.Fail("%s more than %d values", o.path, most)
			return
		}
		*out = append(*out, leaf)
	}
}

// The years that a time of a feed can lie in.
const (
	firstYear = 1980
	lastYear  = 2200
)

// Seconds gives a time in seconds since 1970, zero where it is absent. 0 stands for a clock that was never set.
func (o *Object) Seconds(name string) moment.Time { return o.epoch(name, "seconds", 1) }

// Millis gives a time in milliseconds since 1970, zero where it is absent.
func (o *Object) Millis(name string) moment.Time { return o.epoch(name, "milliseconds", 1000) }

func (o *Object) epoch(name, unit string, perSecond float64) moment.Time {
	n := o.Number(name)
	if n == nil || *n == 0 {
		return moment.Time{}
	}
	t := math.NaN()
	if *n > 0 && *n < 1e15 {
		t = math.Round(*n / perSecond * 1000)
	}
	if at := moment.OfMilli(int64(t)); !math.IsNaN(t) && at.Year() >= firstYear && at.Year() < lastYear {
		return at
	}
	o.Fail("%s %v is not %s since 1970 of a year between %d and %d", o.path+name, *n, unit, firstYear, lastYear)
	return moment.Time{}
}

// Time gives a time in RFC 3339 with an offset, zero where it is absent or empty.
func (o *Object) Time(name string) moment.Time {
	s := o.Text(name, 64)
	if s == "" {
		return moment.Time{}
	}
	t, err := RFC3339(s)
	if err != nil {
		o.Fail("%s %w", o.path+name, err)
	}
	return t
}

// RFC3339 reads a time with an offset, of a year between 1980 and 2200.
func RFC3339(s string) (moment.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < firstYear || t.Year() >= lastYear {
		return moment.Time{}, fmt.Errorf("%.40q is not a time like 2026-01-31T12:00:00Z of a year between %d and %d", s, firstYear, lastYear)
	}
	return moment.Of(t), nil
}

// Place gives the position of two members, not placed where both are absent.
func (o *Object) Place(lat, lng string) (p geo.Position, placed bool) {
	a, b := o.Number(lat), o.Number(lng)
	if a == nil && b == nil {
		return p, false
	}
	if a == nil || b == nil {
		o.Fail("%s and %s belong together: one is missing", o.path+lat, o.path+lng)
		return p, false
	}
	p = geo.Position{Lat: *a, Lng: *b}
	if err := Position(p); err != nil {
		o.Fail("%s, %s: %w", o.path+lat, o.path+lng, err)
		return geo.Position{}, false
	}
	return p, true
}

// Position refuses a place that lies nowhere, 0,0, which stands for an unknown place, and tells coordinates that seem swapped.
func Position(p geo.Position) error {
	if err := p.Validate(); err != nil {
		if (geo.Position{Lat: p.Lng, Lng: p.Lat}).Validate() == nil {
			return fmt.Errorf("%w: latitude and longitude seem swapped", err)
		}
		return err
	}
	if p.IsNull() {
		return errors.New("0,0 stands for an unknown place")
	}
	return nil
}

// Cut is the string, or its first most bytes where it is longer, never cutting a rune in two.
func Cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
