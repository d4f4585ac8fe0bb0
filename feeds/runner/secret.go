package runner

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Secret is a text that no log and no dump shows.
type Secret string

// Shown stands wherever a Secret would be printed.
const Shown = "<secret>"

// String hides the secret; empty stays empty, so that one sees that there is none.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return Shown
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal gives the text itself, to the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// orFile gives the secret, or what a file holds, read anew with each call: a rotated file needs no restart.
func (s Secret) orFile(path string) (string, error) {
	if path == "" {
		return s.Reveal(), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
