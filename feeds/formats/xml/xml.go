// Package xml is any XML, mapped to records by a jq program of the feed's settings.
//
// Each element becomes an object, always of the same form, so that a map does not break when a second child or an attribute appears:
//
//	<site xmlns:x="..." x:code="LB-1">Lembang<value at="07:00">3.4</value></site>
//	{"@code": "LB-1", "#text": "Lembang", "value": [{"@at": "07:00", "#text": "3.4"}]}
//
// Attributes are "@name", text is "#text" (trimmed, absent where empty), children are arrays under their names; prefixes are dropped, and
// with them namespaces. Inside a map `def t: .[0]["#text"];` makes the text of a first child short. The document is the root's object, with
// the root's name as "#name".
//
// Options: map, a jq program that gives records (see feeds/mapped); each, a jq program that takes a document apart into items.
package xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/mapped"
)

// maxElements bounds what one document costs: an element takes some 400 bytes of memory, however few it has on paper.
const maxElements = 500_000

// Format reads XML by a map. It is safe for concurrent use.
type Format struct{ mapper *mapped.Mapper }

// New compiles the map. Its error joins every fault of the options.
func New(options map[string]any) (feeds.Format, error) {
	var faults []error
	for key := range options {
		if key != "map" && key != "each" {
			faults = append(faults, &mapped.Fault{Key: key, Reason: "the format xml has no such option; it has map and each"})
		}
	}
	m, err := mapped.New(options)
	if err = errors.Join(append(faults, err)...); err != nil {
		return nil, err
	}
	return Format{m}, nil
}

// Decode maps a document. One that is not whole, has a DTD, or is deeper than bounded.DefaultDepth is an error, as is one that keeps the
// program busy beyond its bounds.
func (f Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	doc, err := read(body)
	if err != nil {
		return feeds.Batch{}, err
	}
	run := f.mapper.Begin(meta, len(body))
	if err := run.Document(doc, ""); err != nil {
		return feeds.Batch{}, fmt.Errorf("xml: %w", err)
	}
	return run.Batch(), nil
}

// element is one that is open.
type element struct {
	name string
	in   map[string]any
	text strings.Builder
}

// read gives a document as jq's values.
func read(body []byte) (map[string]any, error) {
	if err := bounded.XML(body, int64(len(body)), bounded.DefaultDepth); err != nil {
		return nil, err
	}
	d := xml.NewDecoder(bytes.NewReader(bounded.TrimBOM(body)))
	var open []*element
	var root map[string]any
	count := 0
	for {
		t, err := d.Token()
		if err == io.EOF {
			return root, nil
		}
		if err != nil {
			return nil, fmt.Errorf("xml: %w", err)
		}
		switch v := t.(type) {
		case xml.StartElement:
			if count++; count > maxElements {
				return nil, fmt.Errorf("xml: %w: more than %d elements", bounded.ErrTooLarge, maxElements)
			}
			open = append(open, begin(v))
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text.Write(v)
			}
		case xml.EndElement:
			last := open[len(open)-1]
			last.end()
			if open = open[:len(open)-1]; len(open) == 0 {
				root = last.in
				root["#name"] = last.name
				continue
			}
			parent := open[len(open)-1].in
			list, _ := parent[last.name].([]any)
			parent[last.name] = append(list, last.in)
		}
	}
}

func begin(v xml.StartElement) *element {
	e := &element{name: v.Name.Local, in: make(map[string]any, len(v.Attr)+1)}
	for _, a := range v.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			e.in["@"+a.Name.Local] = a.Value
		}
	}
	return e
}

func (e *element) end() {
	if text := strings.TrimSpace(e.text.String()); text != "" {
		e.in["#text"] = text
	}
}
