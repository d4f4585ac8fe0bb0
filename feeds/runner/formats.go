package runner

import (
	"fmt"

	"kentongan/feeds"
)

// defaultFormats stands in where no list of formats was handed in.
func defaultFormats(name string, _ map[string]any) (feeds.Format, error) {
	return nil, fmt.Errorf("format %q: no formats were handed in", name)
}
