package devices

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// letters of codes: none looks like another, from across a room or by phone, and they make no words.
const letters = "346789BCDFGHJKMNPQRTVWXY"

// codeLength is 36 bits and more: with ten tries in ten minutes and 100 codes at most, one in ten million finds one.
const codeLength = 8

// newCode draws a code, as KBTQ-93RF.
func newCode() (string, error) {
	const fair = 256 / len(letters) * len(letters)
	var out []byte
	var room [32]byte
	for len(out) < codeLength {
		if _, err := rand.Read(room[:]); err != nil {
			return "", fmt.Errorf("draw a code: %w", err)
		}
		for _, b := range room {
			if int(b) < fair && len(out) < codeLength {
				out = append(out, letters[int(b)%len(letters)])
			}
		}
	}
	return string(out[:4]) + "-" + string(out[4:]), nil
}

// plainCode reads a code as people type it: in any case, with or without its dash.
func plainCode(text string) (string, bool) {
	text = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, text))
	return text, len(text) == codeLength && strings.Trim(text, letters) == ""
}
