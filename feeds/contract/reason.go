package contract

import (
	"strings"
	"unicode/utf8"
)

// longestCode bounds a reason's code, in bytes.
const longestCode = 60

// ReasonCode is the stable part of a reason that a format gave in its own words: numbers and what stands in quotes are left out, each as
// "…", so that a thousand items refused for one cause count as one.
func ReasonCode(reason string) string {
	var b strings.Builder
	quote, gap := rune(0), false
	for _, r := range reason {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
			continue
		case r == '"' || r == '`' || r == '“':
			if quote = r; r == '“' {
				quote = '”'
			}
			fallthrough
		case r >= '0' && r <= '9', gap && (r == '.' || r == '-' || r == '+'):
			if !gap {
				b.WriteRune('…')
			}
			gap = true
			continue
		}
		gap = false
		if b.Len()+utf8.RuneLen(r) > longestCode {
			break
		}
		b.WriteRune(r)
	}
	if code := strings.Trim(b.String(), " …:,;([{=-+#."); code != "" {
		return code
	}
	return "other"
}
