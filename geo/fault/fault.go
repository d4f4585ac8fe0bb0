// Package fault is what is wrong with one field of what somebody asks: which, how, and by what bound. Pure.
//
// Whoever checks what people send says it in this form, so that a screen can name the field and what is wanted in the reader's language.
package fault

import (
	"fmt"
	"strings"
)

// Code is what is wrong at a field: a word that stays the same. Each is also one of server/problem's.
type Code string

// What may be wrong at a field.
const (
	Wrong    Code = "wrong"    // nothing more exact is known
	Missing  Code = "missing"  // must be there
	Unknown  Code = "unknown"  // names nothing that there is
	Unasked  Code = "unasked"  // does not go with the others
	Either   Code = "either"   // this or another, not both
	Together Code = "together" // longitude and latitude
	Form     Code = "form"     // not written as it must be; limit may be an example
	OneOf    Code = "one-of"   // limit lists what may be
	Long     Code = "long"     // limit: how many characters, bytes or entries at most
	Short    Code = "short"    // limit: how many at least
	Least    Code = "least"    // limit: the smallest
	Most     Code = "most"     // limit: the greatest
	Between  Code = "between"  // limit: the least and the most, as a Range
	Twice    Code = "twice"    // the same more than once
	Early    Code = "early"    // a time that lies too far back
	Late     Code = "late"     // a time that has not come yet, or is after what it must precede
	Far      Code = "far"      // a time that lies too far ahead; limit may say how many hours are allowed
	Over     Code = "over"     // a time that has passed
	Outside  Code = "outside"  // a position that is none, or beyond what is ours
	Mixed    Code = "mixed"    // what is simulated and what is real never join
)

// Codes are all of them.
var Codes = []Code{Wrong, Missing, Unknown, Unasked, Either, Together, Form, OneOf, Long, Short, Least, Most, Between, Twice, Early, Late, Far, Over, Outside, Mixed}

// Range is the limit of Between: the least and the most, both allowed.
type Range [2]float64

// List is the limit of OneOf: what may be, separated by commas.
func List[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// Fault is one field that is wrong.
type Fault struct {
	Field  string // JSON name, by its path in what was sent: crew[2]
	Code   Code
	Limit  any    // of the code; nil: it needs none
	Reason string // in English, to stand behind the field
	mark   error
}

// At gives a fault at a field; limit may be nil.
func At(field string, code Code, limit any, reason string, args ...any) *Fault {
	return &Fault{Field: field, Code: code, Limit: limit, Reason: fmt.Sprintf(reason, args...)}
}

// In gives a fault at a field that is also mark, by which callers tell what it is of.
func In(mark error, field string, code Code, limit any, reason string, args ...any) *Fault {
	return &Fault{Field: field, Code: code, Limit: limit, Reason: fmt.Sprintf(reason, args...), mark: mark}
}

// Error says of what it is where it is marked, then where and what.
func (f *Fault) Error() string {
	if f.mark == nil {
		return f.Field + ": " + f.Reason
	}
	return f.mark.Error() + ": " + f.Field + ": " + f.Reason
}

// Unwrap is the mark.
func (f *Fault) Unwrap() error { return f.mark }
