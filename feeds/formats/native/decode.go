package native

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/geo/moment"
)

// decoder reads one body into one batch.
type decoder struct {
	meta     feeds.Meta
	received moment.Time
	batch    feeds.Batch
	index    int // items seen
	dropped  int // refusals beyond maxRefusals
	words    *words
}

// pool keeps interned words between bodies: a feed's Things and properties are the same in each.
var pool = sync.Pool{New: func() any { return &words{seen: make(map[string]string, 256)} }}

func newDecoder(meta feeds.Meta) *decoder {
	return &decoder{meta: meta, received: moment.Of(meta.ReceivedAt), words: pool.Get().(*words)}
}

func (d *decoder) release() {
	pool.Put(d.words)
	d.words = nil
}

// words gives one string for equal bytes, so that a thousand readings of a gauge name it once.
type words struct {
	seen map[string]string
	last [3]string // of the line before: property, unit and kind seldom change
}

// maxWords bounds what hostile names can make us keep.
const maxWords = 1 << 16

func (w *words) of(b []byte) string {
	if s, ok := w.seen[string(b)]; ok {
		return s
	}
	if len(w.seen) >= maxWords {
		clear(w.seen)
	}
	s := string(b)
	w.seen[s] = s
	return s
}

// again is of with a look at the word that stood in the same place before.
func (w *words) again(slot int, b []byte) string {
	if w.last[slot] == string(b) {
		return w.last[slot]
	}
	w.last[slot] = w.of(b)
	return w.last[slot]
}

func (d *decoder) refuse(reason string) {
	if len(d.batch.Rejected) >= maxRefusals {
		d.dropped++
		return
	}
	if len(reason) > maxReason {
		reason = reason[:maxReason] + "…"
	}
	d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: d.index, Reason: strings.ToValidUTF8(reason, "\uFFFD")})
}

// closeRefusals makes the last refusal of a full list count those that did not fit.
func (d *decoder) closeRefusals() {
	if d.dropped > 0 {
		last := &d.batch.Rejected[len(d.batch.Rejected)-1]
		last.Reason = fmt.Sprintf("%s; and %d more refused, not listed", last.Reason, d.dropped)
	}
}

// room makes space for the observations to come, judged by the length of the first; a short first record cannot ask for much.
func (d *decoder) room(rest, first int) {
	if d.batch.Observations == nil && first > 0 {
		d.batch.Observations = make([]feeds.Observation, 0, min(rest/first+1, 1<<14))
	}
}

func (d *decoder) lines(body []byte) {
	number := 0
	for len(body) > 0 {
		var line []byte
		end := bytes.IndexByte(body, '\n')
		if end < 0 {
			end = len(body) - 1
		}
		number++
		if line = bytes.TrimSpace(body[:end+1]); len(line) > 0 {
			d.line(line, number, len(body), end+1)
			d.index++
		}
		body = body[end+1:]
	}
}

func (d *decoder) line(line []byte, number, rest, length int) {
	d.room(rest, length)
	if end, ok := d.fast(line, 0); ok && end == len(line) {
		return
	} else if ok {
		d.batch.Observations = d.batch.Observations[:len(d.batch.Observations)-1]
	}
	if line[0] != '{' {
		d.refuse(fmt.Sprintf("line %d: a line is one record, a JSON object", number))
		return
	}
	if reason := d.slow(line, nil); reason != "" {
		d.refuse(fmt.Sprintf("line %d: %s", number, reason))
	}
}

// document reads one JSON document: a record, an array of records, or GeoJSON.
func (d *decoder) document(body []byte) error {
	at := skipSpace(body, 0)
	if body[at] == '[' {
		return d.array(body, at)
	}
	if end, ok := d.fast(body, at); ok {
		if skipSpace(body, end) == len(body) {
			return nil
		}
		d.batch.Observations = nil
	}
	end, err := bounded.JSONValue(body, at, maxDepth)
	if err != nil {
		return fmt.Errorf("native: %w", err)
	}
	if rest := skipSpace(body, end); rest < len(body) {
		line, column := bounded.Place(body, rest)
		return fmt.Errorf("native: something follows the document at line %d column %d", line, column)
	}
	d.whole(body[at:end])
	return nil
}

// array reads records one after another. A fault of grammar anywhere means that nothing of the document counts.
func (d *decoder) array(body []byte, at int) error {
	fault := func(at int, what string) error {
		line, column := bounded.Place(body, at)
		return fmt.Errorf("native: %s at line %d column %d", what, line, column)
	}
	at = skipSpace(body, at+1)
	for first := true; ; first = false {
		if at >= len(body) {
			return fault(at, "the document ends inside an array")
		}
		if first && body[at] == ']' {
			break
		}
		if first {
			end, err := bounded.JSONValue(body, at, maxDepth-1)
			if err != nil {
				return fmt.Errorf("native: %w", err)
			}
			d.room(len(body)-at, end-at)
		}
		end, ok := d.fast(body, at)
		if !ok {
			var err error
			if end, err = bounded.JSONValue(body, at, maxDepth-1); err != nil {
				return fmt.Errorf("native: %w", err)
			}
			d.item(body[at:end], nil)
		}
		d.index++
		if at = skipSpace(body, end); at < len(body) && body[at] == ']' {
			break
		}
		if at >= len(body) || body[at] != ',' {
			return fault(at, "an array needs a comma or ] here;")
		}
		at = skipSpace(body, at+1)
	}
	if at = skipSpace(body, at+1); at < len(body) {
		return fault(at, "something follows the document")
	}
	return nil
}

func (d *decoder) item(raw []byte, place *feature) {
	if raw[0] != '{' {
		d.refuse("a record is a JSON object")
		return
	}
	if reason := d.slow(raw, place); reason != "" {
		d.refuse(reason)
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}
