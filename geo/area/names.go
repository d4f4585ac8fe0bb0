package area

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// name is a folded name and the areas that bear it.
type name struct {
	text  string
	areas []int
}

// namesOf lists the names, longest first, so that "Kota Solok" is not also read as "Solok".
func namesOf(areas []Area) []name {
	var out []name
	for i, a := range areas {
		text := fold(a.Name)
		if text == "" {
			continue
		}
		if j := slices.IndexFunc(out, func(n name) bool { return n.text == text }); j >= 0 {
			out[j].areas = append(out[j].areas, i)
			continue
		}
		out = append(out, name{text, []int{i}})
	}
	slices.SortStableFunc(out, func(a, b name) int { return len(b.text) - len(a.text) })
	return out
}

// fold writes text in lower case with single spaces.
func fold(text string) string { return strings.Join(strings.Fields(strings.ToLower(text)), " ") }

// ByName gives the areas whose name stands in the text as whole words, in any case, in the order of the set. A shorter name within a
// longer one that was found is not found.
func (s *Set) ByName(text string) []Area {
	if s == nil {
		return nil
	}
	rest := fold(text)
	found := make([]bool, len(s.areas))
	for _, n := range s.names {
		for from := 0; ; {
			at := strings.Index(rest[from:], n.text)
			if at < 0 {
				break
			}
			at += from
			end := at + len(n.text)
			if !wordEnds(rest, at, end) {
				_, size := utf8.DecodeRuneInString(rest[at:])
				from = at + size
				continue
			}
			for _, i := range n.areas {
				found[i] = true
			}
			rest = rest[:at] + strings.Repeat("\x00", len(n.text)) + rest[end:]
			from = end
		}
	}
	var out []Area
	for i, ok := range found {
		if ok {
			out = append(out, s.areas[i])
		}
	}
	return out
}

// wordEnds tells that no letter or digit touches the part of the text from at to end.
func wordEnds(text string, at, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	after, _ := utf8.DecodeRuneInString(text[end:])
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	return (at == 0 || !word(before)) && (end == len(text) || !word(after))
}
