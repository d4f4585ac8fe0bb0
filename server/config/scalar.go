package config

import (
	"fmt"
	"strconv"
	"strings"

	"kentongan/feeds/runner"
)

// Secret is a text that no log and no dump shows.
type Secret = runner.Secret

// Size is a number of bytes, written as 1048576, 512 KiB or 16 MiB.
type Size int64

// sizeUnits from large to small.
var sizeUnits = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// UnmarshalText reads a whole number with an optional unit.
func (s *Size) UnmarshalText(b []byte) error {
	text, factor := strings.TrimSpace(string(b)), int64(1)
	for _, u := range sizeUnits {
		if n, ok := strings.CutSuffix(text, u.name); ok {
			text, factor = strings.TrimSpace(n), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/factor {
		return fmt.Errorf("%q is not a size such as 16 MiB", b)
	}
	*s = Size(n * factor)
	return nil
}

// String is the form that UnmarshalText reads.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s > 0 && int64(s)%u.bytes == 0 {
			return fmt.Sprintf("%d %s", int64(s)/u.bytes, u.name)
		}
	}
	return "0 B"
}

// MarshalText writes the same form.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
