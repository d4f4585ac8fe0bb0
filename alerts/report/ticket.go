package report

import (
	"crypto/rand"
	"strings"
)

// ticketAlphabet is Crockford's base 32: no letter that is taken for another, or for a digit.
const ticketAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ticketLength is 40 bits: at one try in two seconds nobody finds one of a hundred thousand within a year.
const ticketLength = 8

// NewTicket is a fresh code by which whoever gave a report follows it, "K7M4-Q2XP".
func NewTicket() string {
	raw := make([]byte, ticketLength)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	for i := range raw {
		raw[i] = ticketAlphabet[int(raw[i])%len(ticketAlphabet)]
	}
	return string(raw[:ticketLength/2]) + "-" + string(raw[ticketLength/2:])
}

// ReadTicket is a code as somebody types or hears it, in the form that NewTicket gives; false: it is none.
func ReadTicket(typed string) (string, bool) {
	var out strings.Builder
	for _, r := range strings.ToUpper(typed) {
		switch r {
		case ' ', '-', '.', '\t':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		if !strings.ContainsRune(ticketAlphabet, r) || out.Len() == ticketLength {
			return "", false
		}
		out.WriteRune(r)
	}
	if out.Len() != ticketLength {
		return "", false
	}
	text := out.String()
	return text[:ticketLength/2] + "-" + text[ticketLength/2:], true
}
