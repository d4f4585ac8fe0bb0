package bounded

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrXML marks bytes that are not one plain XML document.
var ErrXML = errors.New("not XML")

// XML checks that the body is one well-formed document to its end: one root, nothing but comments and instructions after it,
// no attribute given twice, no DTD and so no entities, nesting of at most depth, at most max bytes.
func XML(body []byte, max int64, depth int) error {
	if int64(len(body)) > max {
		return fmt.Errorf("xml: %w: more than %d bytes", ErrTooLarge, max)
	}
	d := xml.NewDecoder(bytes.NewReader(TrimBOM(body)))
	fault := func(reason string) error {
		line, column := d.InputPos()
		if len(reason) > 200 { // it may repeat a name that never ends
			reason = reason[:200] + "…"
		}
		return fmt.Errorf("%w: %s at line %d column %d", ErrXML, strings.ToValidUTF8(reason, "\uFFFD"), line, column)
	}
	open, roots := 0, 0
	for {
		t, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fault(err.Error())
		}
		switch v := t.(type) {
		case xml.Directive:
			return fault("a DTD or directive, which we do not read")
		case xml.StartElement:
			if open == 0 {
				if roots++; roots > 1 {
					return fault("a second root element")
				}
			}
			if open++; open > depth {
				return fault(fmt.Sprintf("nesting deeper than %d", depth))
			}
			if name := twice(v.Attr); name != "" {
				return fault(fmt.Sprintf("attribute %.60q is given twice", name))
			}
		case xml.EndElement:
			if open--; open < 0 {
				return fault("an end tag that was never opened")
			}
		case xml.CharData:
			if open == 0 && len(bytes.TrimSpace(v)) > 0 {
				return fault("text outside the root element")
			}
		}
	}
	if roots == 0 {
		return fault("no root element")
	}
	if open > 0 {
		return fault("the document ends inside an element")
	}
	return nil
}

// twice names an attribute that an element has two of (XML 1.0, section 3.1), which encoding/xml lets pass; empty where there is none.
func twice(attrs []xml.Attr) string {
	if len(attrs) < 2 {
		return ""
	}
	seen := make(map[xml.Name]bool, len(attrs))
	for _, a := range attrs {
		if seen[a.Name] {
			return a.Name.Local
		}
		seen[a.Name] = true
	}
	return ""
}
