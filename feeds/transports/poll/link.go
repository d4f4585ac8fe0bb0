package poll

import (
	"net/http"
	"strings"
)

// nextLink finds the address of the next page in Link headers (RFC 8288, section 3); empty where there is none.
func nextLink(h http.Header) string {
	for _, value := range h.Values("Link") {
		for rest := value; ; {
			open := strings.IndexByte(rest, '<')
			if open < 0 {
				break
			}
			target, after, ok := strings.Cut(rest[open+1:], ">")
			if !ok {
				break
			}
			params, more := linkParams(after)
			if isNext(params) {
				return strings.TrimSpace(target)
			}
			rest = more
		}
	}
	return ""
}

// linkParams cuts the parameters of one link off: up to a comma outside quotes.
func linkParams(s string) (params []string, rest string) {
	from, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case (s[i] == ';' || s[i] == ',') && !quoted:
			params = append(params, s[from:i])
			if from = i + 1; s[i] == ',' {
				return params, s[from:]
			}
		}
	}
	return append(params, s[min(from, len(s)):]), ""
}

// isNext tells whether the link's first rel, a list of words, says next.
func isNext(params []string) bool {
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for _, rel := range strings.Fields(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(rel, "next") {
				return true
			}
		}
		return false // only the first rel counts
	}
	return false
}
