package file

import (
	"bytes"
	"encoding/json"
	"math"
	"time"
)

// line is one line of NDJSON; at is zero where it tells no time.
type line struct {
	text []byte
	at   time.Time
}

// timed takes NDJSON apart. It gives nothing where the body is not NDJSON, or where no line tells its time.
func timed(body []byte) []line {
	var lines []line
	told := false
	for text := range bytes.SplitSeq(body, []byte{'\n'}) {
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue
		}
		if len(lines) == 0 && (text[0] != '{' || !json.Valid(text)) {
			return nil
		}
		l := line{text, lineTime(text)}
		told = told || !l.at.IsZero()
		lines = append(lines, l)
	}
	if !told {
		return nil
	}
	return lines
}

// lineTime reads a line's "at": RFC 3339, or seconds or milliseconds since 1970.
func lineTime(text []byte) time.Time {
	var form struct {
		At json.RawMessage `json:"at"`
	}
	if json.Unmarshal(text, &form) != nil || len(form.At) == 0 {
		return time.Time{}
	}
	var t time.Time
	if form.At[0] == '"' {
		if json.Unmarshal(form.At, &t) != nil {
			return time.Time{}
		}
		return t.UTC()
	}
	var v float64
	if json.Unmarshal(form.At, &v) != nil || !(v > 0 && v < 1e14) {
		return time.Time{}
	}
	if v < 1e11 {
		v *= 1000
	}
	return time.UnixMilli(int64(math.Round(v))).UTC()
}
