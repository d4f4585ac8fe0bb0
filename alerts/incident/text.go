package incident

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// plainText is what somebody wrote without what a screen would act on: no control characters but line ends, no marks that turn the direction of
// writing (Unicode annex 9: embeddings, overrides and isolates), no invisible space at its ends.
func plainText(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\r':
			return ' '
		case r == utf8.RuneError || unicode.IsControl(r) || turning(r):
			return -1
		}
		return r
	}, text))
}

// turning tells marks that turn the direction of what follows, so that it is read in another order than it was written.
func turning(r rune) bool {
	return r == 0x061C || r == 0x200E || r == 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0xFEFF
}
