package native

import (
	"slices"
	"strings"

	"kentongan/feeds"
)

// Made reads native records that another format has made of foreign bytes, by the same rules as records that were sent to us. It is not
// safe for concurrent use.
type Made struct{ d *decoder }

// NewMade begins a batch of made records.
func NewMade(meta feeds.Meta) *Made { return &Made{newDecoder(meta)} }

// Fields are the names that a record may have.
func Fields() []string { return slices.Clone(knownFields) }

// Read takes one record, a JSON object; what is wrong with it goes to Rejected behind where, such as "line 3: ".
func (m *Made) Read(record []byte, where string) {
	if end, ok := m.d.fast(record, 0); ok && end == len(record) {
		m.d.index++
		return
	} else if ok {
		m.d.batch.Observations = m.d.batch.Observations[:len(m.d.batch.Observations)-1]
	}
	reason := "a record is a JSON object"
	if len(record) > 0 && record[0] == '{' {
		reason = m.d.slow(record, nil)
	}
	if reason != "" {
		m.d.refuse(where + reason)
	}
	m.d.index++
}

// Refuse counts an item of which no record could be made.
func (m *Made) Refuse(reason string) {
	m.d.refuse(reason)
	m.d.index++
}

// Pass counts an item that the format passes over. Such items are listed up to a bound.
func (m *Made) Pass(reason string) {
	if len(m.d.batch.Ignored) < maxRefusals {
		m.d.batch.Ignored = append(m.d.batch.Ignored, feeds.Refusal{Index: m.d.index, Reason: reason})
	}
	m.d.index++
}

// Items counts what was read, refused or passed over so far.
func (m *Made) Items() int { return m.d.index }

// Batch ends the batch and gives it; the Made is used up.
func (m *Made) Batch() feeds.Batch {
	m.d.closeRefusals()
	m.d.release()
	return m.d.batch
}

// IsLines tells NDJSON from one JSON document.
func IsLines(body []byte, contentType string) bool { return isLines(body, contentType) }

// Miss is the field that a near miss such as "lon" stands for; empty where the name is none.
func Miss(name string) string { return misses[strings.ToLower(name)] }
