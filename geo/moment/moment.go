// Package moment is an instant as the house writes it: UTC, RFC 3339, milliseconds.
package moment

import (
	"bytes"
	"fmt"
	"time"
)

// Layout is the one form in which an instant leaves the house.
const Layout = "2006-01-02T15:04:05.000Z"

// Time is an instant in UTC, cut to milliseconds. Its zero value means "not known" and is written as JSON null.
type Time struct{ time.Time }

// Of turns any time into one of ours.
func Of(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Millisecond)}
}

// OfMilli reads milliseconds since 1970 in UTC; zero means "not known".
func OfMilli(ms int64) Time {
	if ms == 0 {
		return Time{}
	}
	return Time{time.UnixMilli(ms).UTC()}
}

// Milli gives milliseconds since 1970, zero where the instant is not known.
func (t Time) Milli() int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Append writes the instant without quotes.
func (t Time) Append(b []byte) []byte { return t.UTC().AppendFormat(b, Layout) }

// String is empty where the instant is not known.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return string(t.Append(nil))
}

// MarshalJSON writes the instant quoted, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return append(t.Append([]byte{'"'}), '"'), nil
}

// UnmarshalJSON reads RFC 3339 with any offset and precision, or null.
func (t *Time) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) || bytes.Equal(b, []byte(`""`)) {
		*t = Time{}
		return nil
	}
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return fmt.Errorf("time %.40s: want a string in RFC 3339", b)
	}
	p, err := time.Parse(time.RFC3339, string(b[1:len(b)-1]))
	if err != nil {
		return fmt.Errorf("time %.40s: want RFC 3339 with an offset", b)
	}
	*t = Of(p)
	return nil
}
