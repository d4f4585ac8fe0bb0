// Package native is our own JSON records.
//
// A body is one record, an array of records, NDJSON, or a GeoJSON FeatureCollection whose properties carry the record's fields.
// It is NDJSON when its content type is application/x-ndjson, or when it has two or more non-empty lines of which the first is a
// whole JSON object; anything else is one document, which is read to its end or not at all.
//
// A record says what it is by "record": "observation" (default), "alert", "report" or "position". Fields of an observation:
//
//	thing, property, value   required; value is a number, a string of at most 4096 bytes, or a bool
//	id                       the producer's own id, a string or a whole number
//	unit                     UCUM
//	at                       RFC 3339 with an offset, or seconds or milliseconds since 1970; absent, null or 0: our clock stands in
//	lng, lat                 WGS 84 degrees, both or neither; 0,0 means that the place is not known
//	kind, name, quality      quality is good, suspect, received or clock_skew
//	attrs                    an object of at most 16 KiB, kept as it is
//
// An alert with a quake ({origin_at, lng, lat} and what is known of depth_km, magnitude, place, tsunami, felt) is an earthquake's.
//
// A field that is not listed is passed over, so that an older house can read a newer sender; what is worth keeping belongs in attrs.
// Refused, because passing over would lose the meaning: a listed field in another case ("Value"), a key given twice, and the near
// misses lon, long, longitude, latitude, time, timestamp, ts, val. received_at, feed and cell are ours and are passed over.
package native

import (
	"bytes"
	"mime"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

// Format reads native records. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("native", options)
}

// Bounds of one delivery and one record; each is named by the reason that refuses what goes beyond it.
const (
	maxDepth    = bounded.DefaultDepth
	maxName     = 256   // bytes of id, thing, property, kind, name and the like
	maxText     = 4096  // bytes of a value that is text
	maxProse    = 16384 // bytes of a report's text, an alert's description, or attrs
	maxReason   = 400   // bytes of a reason
	maxRefusals = 10000 // refusals listed one by one; the last then counts the rest
)

// Framing is NDJSON.
func (Format) Framing() feeds.Framing { return feeds.Lines("application/x-ndjson") }

// Decode reads a body. Only a document that does not parse to its end is an error; a faulty record costs itself.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	if len(bytes.TrimSpace(body)) == 0 {
		return feeds.Batch{}, nil
	}
	d := newDecoder(meta)
	defer d.release()
	if isLines(body, meta.ContentType) {
		d.lines(body)
	} else if err := d.document(body); err != nil {
		return feeds.Batch{}, err
	}
	d.closeRefusals()
	return d.batch, nil
}

// isLines tells NDJSON from one document (INTERFACES, section 3, native format).
func isLines(body []byte, contentType string) bool {
	if kind, _, err := mime.ParseMediaType(contentType); err == nil && kind == "application/x-ndjson" {
		return true
	}
	first, rest := nextLine(body)
	for len(first) == 0 && len(rest) > 0 {
		first, rest = nextLine(rest)
	}
	if len(first) == 0 || first[0] != '{' || len(bytes.TrimSpace(rest)) == 0 {
		return false
	}
	end, err := bounded.JSONValue(first, 0, maxDepth)
	return err == nil && end == len(first)
}

// nextLine cuts the first line off, without the white space round it.
func nextLine(body []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(body, []byte{'\n'})
	return bytes.TrimSpace(line), rest
}
