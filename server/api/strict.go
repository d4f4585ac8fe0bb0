package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/feeds/bounded"
)

// errBody marks a body that is not what its address takes.
var errBody = errors.New("the body cannot be read")

// strictJSON is how bodies are read: one document to its end, no key twice, none in another case, UTF-8 throughout, so that nobody reads
// it in another way than we do. A key that the route does not know is refused by the schema.
func strictJSON() huma.Format {
	strictCasing()
	return huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: bounded.UnmarshalJSON}
}

// strictCasing tells huma that Title is not title: a switch of the whole library, turned once.
var strictCasing = sync.OnceFunc(func() { huma.ValidateStrictCasing = true })

// readStrict reads a small body of a route that huma does not serve, as strictly. The error is errBody and names the place, never what was
// written there: it may be a password.
func readStrict(body io.Reader, into any) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("%w: %w", errBody, err)
	}
	if err := bounded.JSON(text, bounded.DefaultDepth); err != nil {
		return fmt.Errorf("%w: %w", errBody, err)
	}
	if b := bytes.TrimSpace(text); b[0] != '{' {
		return fmt.Errorf("%w: want a JSON object", errBody)
	}
	if err := exact(text, reflect.TypeOf(into)); err != nil {
		return fmt.Errorf("%w: %w", errBody, err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
			return fmt.Errorf("%w: %s is no %s", errBody, wrong.Field, wrong.Type)
		}
		return errBody
	}
	return nil
}

// exact refuses keys that the type does not name as they are written: encoding/json would take Code for code.
func exact(text json.RawMessage, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Slice && t != reflect.TypeFor[json.RawMessage]():
		var all []json.RawMessage
		if json.Unmarshal(text, &all) != nil {
			return nil // the decoder says what is wrong
		}
		for _, one := range all {
			if err := exact(one, t.Elem()); err != nil {
				return err
			}
		}
	case t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		var keys map[string]json.RawMessage
		if json.Unmarshal(text, &keys) != nil {
			return nil
		}
		known := fields(t)
		for k, value := range keys {
			of, ok := known[k]
			if !ok {
				return fmt.Errorf("%q is not known here", shortened(k))
			}
			if err := exact(value, of); err != nil {
				return err
			}
		}
	}
	return nil
}

// fields are the keys of a struct, those of embedded ones too, and the type of each.
func fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && name != "" && name != "-" {
			out[name] = f.Type
		}
	}
	return out
}

// shortened is a word of somebody else, for a sentence of ours.
func shortened(word string) string {
	if r := []rune(word); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return word
}
