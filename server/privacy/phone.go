package privacy

import (
	"strings"
	"unicode"
)

// homeCode is the country whose numbers people give without it.
const homeCode = "62"

// Normal gives a telephone number in the form of E.164 ("+6281234567890"); empty where the text is no number that can be dialled from
// everywhere. A number without a country is Indonesian, one without an area is none.
func Normal(text string) string {
	var digits strings.Builder
	abroad := false
	for i, r := range strings.ReplaceAll(strings.TrimSpace(text), "(0)", "") {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case r == '+' && i == 0:
			abroad = true
		case !strings.ContainsRune(" -.()/\u00a0\u2010\u2011\u2012\u2013", r):
			return ""
		}
	}
	d := digits.String()
	switch {
	case abroad:
	case strings.HasPrefix(d, "00"):
		d = d[2:]
	case strings.HasPrefix(d, "0"):
		d = homeCode + d[1:]
	case strings.HasPrefix(d, "8") && len(d) >= 9: // a mobile number without its 0, as many write it
		d = homeCode + d
	case strings.HasPrefix(d, homeCode) && len(d) >= 10:
	default:
		return ""
	}
	if strings.HasPrefix(d, homeCode) {
		d = homeCode + strings.TrimLeft(d[len(homeCode):], "0")
	}
	if len(d) < 8 || len(d) > 15 || d[0] == '0' {
		return ""
	}
	return "+" + d
}

// maskPhone shows of a number what tells two callers of one evening apart, and no more: "+62 812-••••-••89".
func maskPhone(given string) string {
	n := Normal(given)
	switch {
	case given == "":
		return ""
	case n == "":
		return "••••"
	case strings.HasPrefix(n, "+"+homeCode) && len(n) >= 11:
		return "+" + homeCode + " " + n[3:6] + "-••••-••" + n[len(n)-2:]
	}
	return "+••••-••" + n[len(n)-2:]
}

// maskName shows of a name its first letters: "Bu** S****". The stars do not tell its length.
func maskName(name string) string {
	var out []string
	for i, word := range strings.Fields(name) {
		letters := []rune(word)
		keep, stars := 1, "****"
		if i == 0 {
			stars = "**"
			if len(letters) > 3 {
				keep = 2
			}
		}
		if !unicode.IsLetter(letters[0]) {
			keep = 0
		}
		if out = append(out, string(letters[:keep])+stars); len(out) == 3 {
			break
		}
	}
	return strings.Join(out, " ")
}

// maskEmail shows the first letter and the kind of its provider's name: "b••••@••••.id".
func maskEmail(email string) string {
	if email == "" {
		return ""
	}
	local, host, ok := strings.Cut(email, "@")
	if !ok || local == "" {
		return "••••"
	}
	end := host[strings.LastIndexByte(host, '.')+1:]
	if end == host || len(end) > 6 {
		end = "••"
	}
	return string([]rune(local)[:1]) + "••••@••••." + end
}
