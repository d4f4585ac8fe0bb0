package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/feeds/bounded"
)

// strictJSON is how bodies are read: one document to its end, no key twice, none in another case, UTF-8 throughout, so that nobody reads
// it in another way than we do. A key that the route does not know is refused by the schema.
func strictJSON() huma.Format {
	strictCasing()
	return huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: bounded.UnmarshalJSON}
}

// strictCasing tells huma that Title is not title: a switch of the whole library, turned once.
var strictCasing = sync.OnceFunc(func() { huma.ValidateStrictCasing = true })

// readStrict reads a small body of a route that huma does not serve, as strictly; the error names the place.
func readStrict(body io.Reader, into any) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return errors.New("the body breaks off or is too large")
	}
	if err := bounded.JSON(text, bounded.DefaultDepth); err != nil {
		return err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil || keys == nil {
		return errors.New("want a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	known, err := json.Marshal(into) // encoding/json takes Code for code: what it wrote names the fields as they are
	if err != nil {
		return err
	}
	var names map[string]json.RawMessage
	if err := json.Unmarshal(known, &names); err != nil {
		return err
	}
	for k := range keys {
		if _, ok := names[k]; !ok {
			return errors.New("unknown field " + k)
		}
	}
	return nil
}
