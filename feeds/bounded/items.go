package bounded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Span is a JSON value inside a body: body[From:To].
type Span struct{ From, To int }

// maxItems is how many values one array may hold; the largest public list of ours has some ten thousand.
const maxItems = 100_000

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
		if len(out) == maxItems {
			return nil, s.fault(i, fmt.Sprintf("more than %d items", maxItems))
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
func JSONItem(lines *Lines, item Span) error {
	err := JSON(lines.Body[item.From:item.To], DefaultDepth)
	var f *JSONError
	if errors.As(err, &f) {
		line, column := lines.At(item.From + f.Offset)
		return &JSONError{item.From + f.Offset, line, column, f.Reason}
	}
	if err != nil {
		return fmt.Errorf("item: %w", err)
	}
	return nil
}

// Lines is Place for offsets that mostly grow: each step counts only what lies between, so many faults cost one reading of the body.
type Lines struct {
	Body        []byte
	at          int
	line, start int // lines before at; where the line of at begins
}

// At turns an offset into a line and a column, both from 1.
func (l *Lines) At(offset int) (line, column int) {
	offset = min(max(offset, 0), len(l.Body))
	if offset < l.at {
		l.at, l.line, l.start = 0, 0, 0
	}
	between := l.Body[l.at:offset]
	if i := bytes.LastIndexByte(between, '\n'); i >= 0 {
		l.line += bytes.Count(between, []byte{'\n'})
		l.start = l.at + i + 1
	}
	l.at = offset
	return l.line + 1, offset - l.start + 1
}
