package bounded

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Span is a JSON value inside a body: body[From:To].
type Span struct{ From, To int }

// Elements finds the values of the array that begins at offset at, after white space. The body must have passed JSONValue.
func Elements(body []byte, at int) ([]Span, error) {
	s := scanner{body: body, depth: DefaultDepth}
	i := s.space(at)
	if i >= len(body) || body[i] != '[' {
		return nil, s.fault(i, "an array should begin here")
	}
	var out []Span
	for i = s.space(i + 1); i < len(body) && body[i] != ']'; {
		end, err := s.value(i, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, Span{i, end})
		if i = s.space(end); i < len(body) && body[i] == ',' {
			i = s.space(i + 1)
		}
	}
	return out, nil
}

// Members finds the values of the object that begins at offset at, by key. A key given twice, and two that differ only in case,
// are refused. The body must have passed JSONValue; what lies inside the values is left to JSON.
func Members(body []byte, at int) (map[string]Span, error) {
	s := scanner{body: body, depth: DefaultDepth}
	i := s.space(at)
	if i >= len(body) || body[i] != '{' {
		return nil, s.fault(i, "an object should begin here")
	}
	out := map[string]Span{}
	var seen keys
	for i = s.space(i + 1); i < len(body) && body[i] != '}'; {
		end, err := s.text(i)
		if err != nil {
			return nil, err
		}
		var key string
		if reason := seen.add(body[i:end]); reason != "" {
			return nil, s.fault(i, reason)
		}
		if err := json.Unmarshal(body[i:end], &key); err != nil {
			return nil, s.fault(i, "a key that cannot be read")
		}
		from := s.space(s.space(end) + 1)
		if end, err = s.value(from, 0); err != nil {
			return nil, err
		}
		out[key] = Span{from, end}
		if i = s.space(end); i < len(body) && body[i] == ',' {
			i = s.space(i + 1)
		}
	}
	return out, nil
}

// JSONDocument checks that the body is one JSON document to its end, by grammar and depth only. Items inside are left to JSON.
func JSONDocument(body []byte) error {
	s := scanner{body: body, depth: DefaultDepth}
	i, err := s.value(s.space(0), 0)
	if err != nil {
		return err
	}
	if i = s.space(i); i < len(body) {
		return s.fault(i, "something follows the document")
	}
	return nil
}

// JSONItem is JSON over one value inside a body; the error names the place in the body.
func JSONItem(body []byte, item Span) error {
	err := JSON(body[item.From:item.To], DefaultDepth)
	var f *JSONError
	if errors.As(err, &f) {
		line, column := Place(body, item.From+f.Offset)
		return &JSONError{item.From + f.Offset, line, column, f.Reason}
	}
	if err != nil {
		return fmt.Errorf("item: %w", err)
	}
	return nil
}
