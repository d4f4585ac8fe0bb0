package keyspace

import "strings"

// Known finds the row of Table that a key under the prefix "kt" belongs to. In a pattern {CELL} and {J} stand for any hash tag, a last
// part in capitals for anything that is not empty.
func Known(key string) (Row, bool) {
	for _, r := range Table {
		if r.matches(key) {
			return r, true
		}
	}
	return Row{}, false
}

func (r Row) matches(key string) bool {
	pattern := r.Pattern
	for pattern != "" {
		want, more, last := cut(pattern)
		switch {
		case strings.HasPrefix(want, "{"):
			end := strings.IndexByte(key, '}')
			if !strings.HasPrefix(key, "{") || end < 2 {
				return false
			}
			key = key[end+1:]
		case last && want == strings.ToUpper(want):
			return key != ""
		default:
			if !strings.HasPrefix(key, want) {
				return false
			}
			key = key[len(want):]
		}
		if !last {
			if !strings.HasPrefix(key, ":") {
				return false
			}
			key = key[1:]
		}
		pattern = more
	}
	return key == ""
}

// cut takes the first part of a pattern off; last tells that nothing follows.
func cut(pattern string) (part, rest string, last bool) {
	part, rest, found := strings.Cut(pattern, ":")
	return part, rest, !found
}
