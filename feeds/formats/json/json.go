// Package json is any JSON, mapped to records by a jq program of the feed's settings.
//
// A body is one document, or NDJSON as the native format tells it. The document must be strict JSON to its end: a key given twice, or two
// that differ only in case, are faults of it, since nobody could say which one the program should see.
//
// Options: map, a jq program that gives records (see feeds/mapped); each, a jq program that takes a document apart into items.
package json

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/formats/native"
	"kentongan/feeds/mapped"
)

// Format reads JSON by a map. It is safe for concurrent use.
type Format struct{ mapper *mapped.Mapper }

// New compiles the map. Its error joins every fault of the options.
func New(options map[string]any) (feeds.Format, error) {
	var faults []error
	for key := range options {
		if key != "map" && key != "each" {
			faults = append(faults, &mapped.Fault{Key: key, Reason: "the format json has no such option; it has map and each"})
		}
	}
	m, err := mapped.New(options)
	if err = errors.Join(append(faults, err)...); err != nil {
		return nil, err
	}
	return Format{m}, nil
}

// Framing is NDJSON.
func (Format) Framing() feeds.Framing { return feeds.Lines("application/x-ndjson") }

// Decode maps a body. A document that is not strict JSON to its end is an error, as is one that keeps the program busy beyond its bounds.
func (f Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	if len(bytes.TrimSpace(body)) == 0 {
		return feeds.Batch{}, nil
	}
	run := f.mapper.Begin(meta, len(body))
	if native.IsLines(body, meta.ContentType) {
		number := 0
		for line := range bytes.Lines(body) {
			number++
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			where := fmt.Sprintf("line %d: ", number)
			doc, err := read(line)
			if err != nil {
				run.Refuse(where + err.Error())
			} else if err := run.Document(doc, where); err != nil {
				return feeds.Batch{}, fmt.Errorf("json: %s%w", where, err)
			}
		}
		return run.Batch(), nil
	}
	doc, err := read(body)
	if err == nil {
		err = run.Document(doc, "")
	}
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("json: %w", err)
	}
	return run.Batch(), nil
}

// read gives a document as jq's values; numbers keep every digit.
func read(text []byte) (any, error) {
	if err := bounded.JSON(text, bounded.DefaultDepth); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}
