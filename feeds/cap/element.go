package cap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrDocument marks bytes that are not one plain XML document.
var ErrDocument = errors.New("not a plain XML document")

// The bounds of a document. The transports bound a body before it comes here; these hold whoever calls.
const (
	maxBytes    = 64 << 20
	maxDepth    = 64
	maxElements = 250_000
)

// Element is one element of a document, with the text that stands directly in it, trimmed of white space.
type Element struct {
	Space    string // namespace address
	Name     string
	Line     int // where its start tag ends, from 1
	Attrs    []xml.Attr
	Text     string
	Children []*Element
}

// Attr gives an attribute without a namespace, empty where it is absent.
func (e *Element) Attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

// All gives the children of one name, in any namespace where space is "*".
func (e *Element) All(space, name string) []*Element {
	var out []*Element
	for _, c := range e.Children {
		if c.Name == name && (space == "*" || c.Space == space) {
			out = append(out, c)
		}
	}
	return out
}

// First gives the first such child, or nil.
func (e *Element) First(space, name string) *Element {
	for _, c := range e.Children {
		if c.Name == name && (space == "*" || c.Space == space) {
			return c
		}
	}
	return nil
}

// Parse reads a document to its end, stricter than encoding/xml: one root, nothing but comments and instructions after it, no DTD
// and so no entities of its own, bounded size, depth and number. It reads UTF-8 with or without a byte order mark, US-ASCII,
// ISO-8859-1 and windows-1252. Errors are ErrDocument and name line and column.
func Parse(body []byte) (*Element, error) {
	if len(body) > maxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrDocument, maxBytes)
	}
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	d.CharsetReader = charset
	b := builder{decoder: d}
	for {
		t, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, b.fault(syntax(err))
		}
		if reason := b.token(t); reason != "" {
			return nil, b.fault(reason)
		}
	}
	if b.root == nil {
		return nil, b.fault("no root element")
	}
	return b.root, nil
}

// syntax is the reason inside a syntax error, whose line we write ourselves.
func syntax(err error) string {
	var s *xml.SyntaxError
	if errors.As(err, &s) {
		return s.Msg
	}
	return err.Error()
}

type open struct {
	element *Element
	text    strings.Builder
}

type builder struct {
	decoder *xml.Decoder
	root    *Element
	stack   []*open
	count   int
}

func (b *builder) fault(reason string) error {
	line, column := b.decoder.InputPos()
	return fmt.Errorf("%w: %.200s at line %d column %d", ErrDocument, reason, line, column)
}

// token takes one token; a reason refuses the document.
func (b *builder) token(t xml.Token) string {
	switch v := t.(type) {
	case xml.Directive:
		return "a DTD or directive, which is not read"
	case xml.StartElement:
		return b.start(v)
	case xml.EndElement:
		top := b.stack[len(b.stack)-1]
		top.element.Text = strings.TrimSpace(top.text.String())
		b.stack = b.stack[:len(b.stack)-1]
	case xml.CharData:
		if len(b.stack) > 0 {
			b.stack[len(b.stack)-1].text.Write(v)
		} else if len(bytes.TrimSpace(v)) > 0 {
			return "text outside the root element"
		}
	}
	return ""
}

func (b *builder) start(v xml.StartElement) string {
	line, _ := b.decoder.InputPos()
	e := &Element{Space: v.Name.Space, Name: v.Name.Local, Line: line}
	if len(v.Attr) > 0 {
		e.Attrs = append(e.Attrs, v.Attr...)
	}
	switch b.count++; {
	case b.count > maxElements:
		return fmt.Sprintf("more than %d elements", maxElements)
	case len(b.stack) >= maxDepth:
		return fmt.Sprintf("nesting deeper than %d", maxDepth)
	case len(b.stack) > 0:
		top := b.stack[len(b.stack)-1].element
		top.Children = append(top.Children, e)
	case b.root != nil:
		return "a second root element"
	default:
		b.root = e
	}
	b.stack = append(b.stack, &open{element: e})
	return ""
}

// charset reads the one-byte encodings that producers of alerts still use.
func charset(label string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(strings.TrimSpace(label)) {
	case "utf-8", "utf8", "us-ascii", "ascii":
		return in, nil
	case "iso-8859-1", "iso8859-1", "latin1", "iso_8859-1":
		return &bytewise{in: in}, nil
	case "windows-1252", "cp1252":
		return &bytewise{in: in, high: &windows1252}, nil
	}
	return nil, fmt.Errorf("encoding %.40q is not read", label)
}

// windows1252 is what bytes 0x80..0x9f stand for (WHATWG Encoding, index windows-1252).
var windows1252 = [32]rune{'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ'}

// bytewise turns each byte into the UTF-8 of one rune.
type bytewise struct {
	in   io.Reader
	high *[32]rune
	rest []byte
}

func (r *bytewise) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		var raw [1024]byte
		n, err := r.in.Read(raw[:])
		for _, c := range raw[:n] {
			u := rune(c)
			if r.high != nil && c >= 0x80 && c < 0xa0 {
				u = r.high[c-0x80]
			}
			r.rest = append(r.rest, string(u)...)
		}
		if n == 0 && err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
