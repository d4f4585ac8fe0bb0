package bounded

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrJSON marks bytes that are not one strict JSON document.
var ErrJSON = errors.New("not JSON")

// JSONError says where a document stops being strict JSON.
type JSONError struct {
	Offset       int
	Line, Column int // from 1; the column counts bytes
	Reason       string
}

func (e *JSONError) Error() string {
	return fmt.Sprintf("%s at line %d column %d", e.Reason, e.Line, e.Column)
}

// Is makes errors.Is(err, ErrJSON) hold.
func (e *JSONError) Is(target error) bool { return target == ErrJSON }

// JSON checks that the body is one JSON document (RFC 8259) to its end, stricter than encoding/json: no key twice in an object,
// nor two keys that differ only in case, valid UTF-8 throughout, no unpaired surrogate, nesting of at most depth.
func JSON(body []byte, depth int) error {
	s := scanner{body: body, depth: depth, strict: true}
	i, err := s.value(s.space(0), 0)
	if err != nil {
		return err
	}
	if i = s.space(i); i < len(body) {
		return s.fault(i, "something follows the document")
	}
	return nil
}

// JSONValue finds the end of the JSON value that begins at offset at, which may be white space before it.
// It checks grammar and depth only: keys and UTF-8 are left to JSON, so that a faulty item can cost only itself.
func JSONValue(body []byte, at, depth int) (end int, err error) {
	s := scanner{body: body, depth: depth}
	return s.value(s.space(at), 0)
}

// UnmarshalJSON is JSON and then encoding/json.
func UnmarshalJSON(body []byte, v any) error {
	if err := JSON(body, DefaultDepth); err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}

type scanner struct {
	body   []byte
	depth  int
	strict bool
}

func (s *scanner) fault(at int, reason string) error {
	line, column := Place(s.body, at)
	return &JSONError{at, line, column, reason}
}

func (s *scanner) space(i int) int {
	for i < len(s.body) && (s.body[i] == ' ' || s.body[i] == '\n' || s.body[i] == '\t' || s.body[i] == '\r') {
		i++
	}
	return i
}

func (s *scanner) value(i, depth int) (int, error) {
	if i >= len(s.body) {
		return i, s.fault(i, "the document ends too early")
	}
	switch c := s.body[i]; {
	case c == '{':
		return s.object(i, depth+1)
	case c == '[':
		return s.array(i, depth+1)
	case c == '"':
		return s.text(i)
	case c == '-' || c >= '0' && c <= '9':
		return s.number(i)
	case c == 't':
		return s.word(i, "true")
	case c == 'f':
		return s.word(i, "false")
	case c == 'n':
		return s.word(i, "null")
	default:
		return i, s.fault(i, fmt.Sprintf("%s where a value should begin", quoteByte(c)))
	}
}

func quoteByte(c byte) string {
	if c < 0x20 || c >= 0x7f {
		return fmt.Sprintf("byte 0x%02x", c)
	}
	return fmt.Sprintf("'%c'", c)
}

func (s *scanner) word(i int, w string) (int, error) {
	if len(s.body)-i < len(w) || string(s.body[i:i+len(w)]) != w {
		return i, s.fault(i, "a word that is not true, false or null")
	}
	return i + len(w), nil
}

func (s *scanner) number(i int) (int, error) {
	digits := func() bool {
		from := i
		for i < len(s.body) && s.body[i] >= '0' && s.body[i] <= '9' {
			i++
		}
		return i > from
	}
	if s.body[i] == '-' {
		i++
	}
	if i < len(s.body) && s.body[i] == '0' {
		i++
	} else if !digits() {
		return i, s.fault(i, "a number without digits")
	}
	if i < len(s.body) && s.body[i] == '.' {
		i++
		if !digits() {
			return i, s.fault(i, "a number that ends at its point")
		}
	}
	if i < len(s.body) && (s.body[i] == 'e' || s.body[i] == 'E') {
		i++
		if i < len(s.body) && (s.body[i] == '+' || s.body[i] == '-') {
			i++
		}
		if !digits() {
			return i, s.fault(i, "a number whose exponent has no digits")
		}
	}
	return i, nil
}

// text passes over a string; i stands at its opening quote.
func (s *scanner) text(i int) (int, error) {
	open := i
	for i++; i < len(s.body); {
		switch c := s.body[i]; {
		case c == '"':
			if s.strict && !utf8.Valid(s.body[open:i]) {
				return open, s.fault(open, "a string that is not UTF-8")
			}
			return i + 1, nil
		case c == '\\':
			next, err := s.escape(i)
			if err != nil {
				return i, err
			}
			i = next
		case c < 0x20:
			return i, s.fault(i, "a control character inside a string")
		default:
			i++
		}
	}
	return i, s.fault(i, "the document ends inside a string")
}

func (s *scanner) escape(i int) (int, error) {
	if i+1 >= len(s.body) {
		return i, s.fault(i, "the document ends inside a string")
	}
	switch s.body[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	case 'u':
		r, ok := s.hex(i)
		if !ok {
			return i, s.fault(i, "an escape without four hex digits")
		}
		if !s.strict || r < 0xd800 || r > 0xdfff {
			return i + 6, nil
		}
		low, ok := s.hex(i + 6)
		if r > 0xdbff || !ok || low < 0xdc00 || low > 0xdfff {
			return i, s.fault(i, "half a surrogate pair")
		}
		return i + 12, nil
	}
	return i, s.fault(i, "an escape that JSON does not know")
}

// hex reads the \uXXXX that begins at i.
func (s *scanner) hex(i int) (rune, bool) {
	if i+6 > len(s.body) || s.body[i] != '\\' || s.body[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s.body[i+2 : i+6] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

func (s *scanner) array(i, depth int) (int, error) {
	if depth > s.depth {
		return i, s.fault(i, fmt.Sprintf("nesting deeper than %d", s.depth))
	}
	i = s.space(i + 1)
	if i < len(s.body) && s.body[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = s.value(i, depth); err != nil {
			return i, err
		}
		i = s.space(i)
		switch {
		case i >= len(s.body):
			return i, s.fault(i, "the document ends inside an array")
		case s.body[i] == ']':
			return i + 1, nil
		case s.body[i] != ',':
			return i, s.fault(i, quoteByte(s.body[i])+" where a comma or ] should be")
		}
		i = s.space(i + 1)
	}
}

func (s *scanner) object(i, depth int) (int, error) {
	if depth > s.depth {
		return i, s.fault(i, fmt.Sprintf("nesting deeper than %d", s.depth))
	}
	var seen keys
	i = s.space(i + 1)
	if i < len(s.body) && s.body[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(s.body) || s.body[i] != '"' {
			return i, s.fault(i, "a key should be here, in quotes")
		}
		from := i
		var err error
		if i, err = s.text(i); err != nil {
			return i, err
		}
		if s.strict {
			if reason := seen.add(s.body[from:i]); reason != "" {
				return from, s.fault(from, reason)
			}
		}
		if i = s.space(i); i >= len(s.body) || s.body[i] != ':' {
			return i, s.fault(i, "a colon should be here")
		}
		if i, err = s.value(s.space(i+1), depth); err != nil {
			return i, err
		}
		i = s.space(i)
		switch {
		case i >= len(s.body):
			return i, s.fault(i, "the document ends inside an object")
		case s.body[i] == '}':
			return i + 1, nil
		case s.body[i] != ',':
			return i, s.fault(i, quoteByte(s.body[i])+" where a comma or } should be")
		}
		i = s.space(i + 1)
	}
}

// keys are the keys of one object by their folded form. Few are compared one by one, many by a map: an object of
// a million keys costs no more than its length.
type keys struct {
	few  []string
	many map[string]string
}

func (k *keys) add(quoted []byte) (reason string) {
	key := string(quoted[1 : len(quoted)-1])
	if strings.IndexByte(key, '\\') >= 0 {
		if err := json.Unmarshal(quoted, &key); err != nil {
			return "a key that cannot be read"
		}
	}
	other, found := "", false
	if k.many == nil {
		for _, o := range k.few {
			if strings.EqualFold(o, key) {
				other, found = o, true
				break
			}
		}
		if k.few = append(k.few, key); len(k.few) > 16 {
			k.many = make(map[string]string, 2*len(k.few))
			for _, o := range k.few {
				k.many[fold(o)] = o
			}
		}
	} else if other, found = k.many[fold(key)]; !found {
		k.many[fold(key)] = key
	}
	switch {
	case !found:
		return ""
	case other == key:
		return fmt.Sprintf("key %.60q given twice", key)
	default:
		return fmt.Sprintf("keys %.60q and %.60q differ only in case", other, key)
	}
}

// fold maps what strings.EqualFold holds equal to one form: each rune to the smallest of its case orbit.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, s)
}
