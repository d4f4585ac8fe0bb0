// Package siri is public transport by SIRI 2.x: vehicle monitoring (VM) and situation exchange (SX), CEN/TS 15531.
//
// A VehicleActivity gives a position of a Thing, its line, delay and occupancy as observations; a situation gives an Alert. A vehicle
// is named by operator and vehicle, since VehicleRef is the operator's own. The document is read as a stream, item by item, and to its
// end before anything of it counts. An answer to a request is a snapshot; what a subscription or a part of an answer brings is not.
package siri

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// DefaultKind is that of vehicles that name no mode, in a feed that declares no kind.
const DefaultKind = "transit"

// The namespaces of SIRI; 1.x wrote the shorter one.
const (
	namespace  = "http://www.siri.org.uk/siri"
	namespace1 = "http://www.siri.org.uk/"
)

// The format's own limits: items of a document, elements of an item, nesting, bytes of an id and of a text.
const (
	maxItems    = 100_000
	maxElements = 20_000
	maxDepth    = bounded.DefaultDepth
	maxID       = 200
	maxText     = 16 << 10
)

// Format reads SIRI. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("siri", options)
}

// Decode reads one document. One that is not SIRI, and an answer that reports a failure, are errors; a faulty item costs only itself.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	s := stream{xml: xml.NewDecoder(bytes.NewReader(bounded.TrimBOM(body))), meta: meta, fields: map[string]string{}}
	if err := s.read(); err != nil {
		line, _ := s.xml.InputPos()
		return feeds.Batch{}, fmt.Errorf("siri: line %d: %w", line, err)
	}
	if strings.EqualFold(s.fields["Status"], "false") {
		return feeds.Batch{}, fmt.Errorf("siri: the producer answers with a failure: %.200q", s.fields["ErrorText"])
	}
	if s.items == 0 && s.services == 0 {
		s.ignore("the document carries neither vehicle monitoring nor situations")
	}
	s.batch.Snapshot = s.services > 0 && s.fields["SubscriptionRef"] == "" && !strings.EqualFold(s.fields["MoreData"], "true")
	s.batch.AllAlerts = s.batch.Snapshot && s.exchanges > 0 && !meta.Part
	return s.batch, nil
}

// stream reads a document once, from its first byte to its last.
type stream struct {
	xml       *xml.Decoder
	meta      feeds.Meta
	fields    map[string]string // what stands above the items: Status, ProducerRef …
	items     int
	services  int // deliveries of a kind that we read
	exchanges int // of them those of situations
	batch     feeds.Batch
}

var errForm = errors.New("the root is not the <Siri> of a SIRI namespace")

func ours(space string) bool { return space == namespace || space == namespace1 }

// read walks the document. The text of simple elements outside items is kept by name; the last one of a name stands, but a Status false
// is never covered.
func (s *stream) read() error {
	depth, roots := 0, 0
	var text strings.Builder
	for {
		t, err := s.xml.Token()
		if err == io.EOF {
			if roots == 0 {
				return errForm
			}
			return nil
		}
		if err != nil {
			return syntax(err)
		}
		switch v := t.(type) {
		case xml.Directive:
			return errors.New("a DTD or directive, which is not read")
		case xml.StartElement:
			text.Reset()
			if depth == 0 {
				if roots++; roots > 1 {
					return errors.New("a second root element")
				}
				if v.Name.Local != "Siri" || !ours(v.Name.Space) {
					return errForm
				}
			}
			if depth++; depth > maxDepth {
				return fmt.Errorf("nesting deeper than %d", maxDepth)
			}
			item, err := s.start(v)
			if err != nil {
				return err
			}
			if item {
				depth--
			}
		case xml.EndElement:
			depth--
			s.field(v.Name, strings.TrimSpace(text.String()))
			text.Reset()
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(v)) > 0 {
				return errors.New("text outside the root element")
			}
			if text.Len() < maxText {
				text.Write(v)
			}
		}
	}
}

func (s *stream) field(name xml.Name, text string) {
	if !ours(name.Space) || text == "" {
		return
	}
	switch name.Local {
	case "Status":
		if strings.EqualFold(s.fields["Status"], "false") {
			return
		}
		s.fields["Status"] = text
	case "ProducerRef", "ResponseTimestamp", "SubscriptionRef", "MoreData":
		s.fields[name.Local] = text
	case "ErrorText", "Description":
		s.fields["ErrorText"] = text
	}
}

func syntax(err error) error {
	var e *xml.SyntaxError
	if errors.As(err, &e) {
		return fmt.Errorf("not XML: %.200s", e.Msg)
	}
	return fmt.Errorf("not XML: %.200s", err.Error())
}

// start reads an item whole, and tells whether it did.
func (s *stream) start(v xml.StartElement) (item bool, err error) {
	if !ours(v.Name.Space) {
		return false, nil
	}
	read := s.vehicle
	switch v.Name.Local {
	case "VehicleMonitoringDelivery", "SituationExchangeDelivery":
		s.services++
		if v.Name.Local == "SituationExchangeDelivery" {
			s.exchanges++
		}
		return false, nil
	case "VehicleActivity":
	case "PtSituationElement", "RoadSituationElement":
		read = s.situation
	case "VehicleActivityCancellation":
		read = func(*cap.Element) (string, error) { return "a cancellation: the journey is no longer monitored", nil }
	default:
		return false, nil
	}
	e, err := s.subtree(v)
	if err != nil {
		return false, err
	}
	if s.items >= maxItems {
		return false, fmt.Errorf("more than %d items", maxItems)
	}
	pass, fault := read(e)
	switch {
	case fault != nil:
		s.batch.Rejected = append(s.batch.Rejected, feeds.Refusal{Index: s.items, Reason: fmt.Sprintf("<%s> at line %d: %v", e.Name, e.Line, fault)})
	case pass != "":
		s.ignore(pass)
	}
	s.items++
	return true, nil
}

func (s *stream) ignore(reason string) {
	s.batch.Ignored = append(s.batch.Ignored, feeds.Refusal{Index: s.items, Reason: reason})
}

// subtree reads one item to its end tag.
func (s *stream) subtree(v xml.StartElement) (*cap.Element, error) {
	type open struct {
		e    *cap.Element
		text strings.Builder
	}
	element := func(v xml.StartElement) *open {
		line, _ := s.xml.InputPos()
		space := v.Name.Space
		if ours(space) {
			space = namespace
		}
		return &open{e: &cap.Element{Space: space, Name: v.Name.Local, Line: line, Attrs: append([]xml.Attr(nil), v.Attr...)}}
	}
	root := element(v)
	stack := []*open{root}
	for count := 1; len(stack) > 0; {
		t, err := s.xml.Token()
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, syntax(err)
		}
		top := stack[len(stack)-1]
		switch v := t.(type) {
		case xml.Directive:
			return nil, errors.New("a DTD or directive, which is not read")
		case xml.StartElement:
			if count++; count > maxElements || len(stack) > maxDepth {
				return nil, fmt.Errorf("an item of more than %d elements, or nested deeper than %d", maxElements, maxDepth)
			}
			o := element(v)
			top.e.Children = append(top.e.Children, o.e)
			stack = append(stack, o)
		case xml.EndElement:
			top.e.Text = strings.TrimSpace(top.text.String())
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text.Write(v)
		}
	}
	return root.e, nil
}

// reader reads the children of one element and keeps the first fault.
type reader struct{ err error }

func (r *reader) fault(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// one gives the child of that name, which may stand once and only in these letters; nil where it or its parent is absent.
func (r *reader) one(parent *cap.Element, name string) *cap.Element {
	if parent == nil {
		return nil
	}
	var found *cap.Element
	for _, c := range parent.Children {
		switch {
		case c.Space != namespace || !strings.EqualFold(c.Name, name):
		case c.Name != name:
			r.fault("<%.40s> at line %d should be written <%s>", c.Name, c.Line, name)
		case found != nil:
			r.fault("<%s> stands a second time at line %d", name, c.Line)
		default:
			found = c
		}
	}
	return found
}

func (r *reader) text(parent *cap.Element, name string) string {
	e := r.one(parent, name)
	switch {
	case e == nil:
		return ""
	case len(e.Children) > 0:
		r.fault("<%s> at line %d holds elements where text should be", name, e.Line)
	case len(e.Text) > maxText:
		r.fault("<%s> at line %d is longer than %d bytes", name, e.Line, maxText)
	default:
		return e.Text
	}
	return ""
}

// id is a text that becomes part of a name.
func (r *reader) id(parent *cap.Element, name string) string {
	s := r.text(parent, name)
	if len(s) > maxID || strings.IndexFunc(s, func(c rune) bool { return c < ' ' || c >= 0x7f && c < 0xa0 }) >= 0 {
		r.fault("<%s> is longer than %d bytes or not plain text", name, maxID)
		return ""
	}
	return s
}

// when reads xs:dateTime with an offset; without one the instant is not known.
func (r *reader) when(parent *cap.Element, name string) moment.Time {
	s := r.text(parent, name)
	if s == "" {
		return moment.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1900 || t.Year() >= 2200 {
		r.fault("<%s> %.40q is not a time with an offset", name, s)
		return moment.Time{}
	}
	return moment.Of(t)
}
