package fusion

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"kentongan/alerts/incident"
)

// Guess is a type that an account may be of, and how sure that is, above 0 to 1.
type Guess struct {
	Type      string
	Certainty float64
}

// Words that an account is classified by, the surest first. Each is a source with how far it is to be trusted.
type Words struct {
	Codes    []string // event codes, service codes: a type's own code is as sure as can be
	Event    string   // what the producer calls it
	Headline string
	Text     string
	Category string // CAP's: Geo, Met, Fire …
}

// How far each source is trusted.
const (
	byCode     = 1.0
	byEvent    = 1.0
	byHeadline = .9
	byText     = .9
	byCategory = .3
	// second is what is left of a guess that another phrase of the same source comes before.
	second = .85
)

// mostGuesses are kept of one account.
const mostGuesses = 4

// Classify gives the types that an account may be of, the surest first; none where nothing is recognised. restricted tells words of what
// only named people may know: such an account takes no part in anything that others see.
func Classify(w Words) (guesses []Guess, restricted bool) {
	sure := map[string]float64{}
	add := func(code string, c float64) { sure[code] = max(sure[code], c) }
	for _, code := range w.Codes {
		code = strings.ToLower(strings.TrimSpace(code))
		if t, ok := incident.TypeOf(code); ok {
			restricted = restricted || t.Restricted
			add(code, byCode)
			continue
		}
		for _, g := range phrases(strings.ReplaceAll(strings.ReplaceAll(code, "_", " "), "-", " ")) {
			add(g, byEvent)
		}
	}
	for _, src := range []struct {
		text  string
		trust float64
	}{{w.Event, byEvent}, {w.Headline, byHeadline}, {w.Text, byText}} {
		for i, g := range phrases(src.text) {
			c := src.trust
			if i > 0 {
				c *= second
			}
			if t, ok := incident.TypeOf(g); ok && t.Restricted {
				restricted = true
			}
			add(g, c)
		}
	}
	if len(sure) == 0 {
		for _, g := range categories[strings.ToLower(w.Category)] {
			add(g, byCategory)
		}
	}
	for code, c := range sure {
		if t, ok := incident.TypeOf(code); ok && !t.Restricted {
			guesses = append(guesses, Guess{code, c})
		}
	}
	slices.SortFunc(guesses, func(a, b Guess) int {
		return cmp.Or(cmp.Compare(b.Certainty, a.Certainty), strings.Compare(a.Type, b.Type))
	})
	if len(guesses) > mostGuesses {
		guesses = guesses[:mostGuesses]
	}
	return guesses, restricted
}

// phrases gives the types whose phrases a text holds, in the order in which they stand there; of two that overlap the longer counts.
func phrases(text string) []string {
	if text == "" {
		return nil
	}
	plain := parted(plainWords(text))
	for i := range plain {
		plain[i] = meant(plain[i])
	}
	type hit struct {
		from, to int
		code     string
	}
	var hits []hit
	for i := 0; i < len(plain); i++ {
		for _, p := range lexicon[plain[i]] {
			if len(p.words) <= len(plain)-i && slices.Equal(p.words, plain[i:i+len(p.words)]) {
				hits = append(hits, hit{i, i + len(p.words), p.code})
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.to-b.from, a.to-a.from) })
	taken := make([]bool, len(plain))
	var kept []hit
	for _, h := range hits {
		if slices.Contains(taken[h.from:h.to], true) {
			continue
		}
		for i := h.from; i < h.to; i++ {
			taken[i] = true
		}
		kept = append(kept, h)
	}
	slices.SortFunc(kept, func(a, b hit) int { return cmp.Compare(a.from, b.from) })
	var out []string
	for _, h := range kept {
		if !slices.Contains(out, h.code) {
			out = append(out, h.code)
		}
	}
	return hurt(out, plain)
}

// hurt makes a crash one with injury where the text tells of the injured.
func hurt(types, plain []string) []string {
	at := slices.Index(types, "traffic_damage")
	if at < 0 || slices.Contains(types, "traffic_injury") {
		return types
	}
	for i, w := range plain {
		if denied(plain, i) {
			continue
		}
		if slices.Contains([]string{"korban", "luka", "luko", "terluka", "berdarah", "patah", "tergeletak", "meninggal", "tewas", "pingsan", "injured", "hurt", "injuries", "bleeding", "casualties"}, w) {
			types[at] = "traffic_injury"
			break
		}
	}
	return types
}

// denied tells whether a word is said not to be: "tanpa korban", "tidak ada korban", "tidak ada yang luka", "korban tidak ada", "korban nihil".
func denied(plain []string, at int) bool {
	no := func(i int) bool {
		return i >= 0 && i < len(plain) && slices.Contains([]string{"tanpa", "no", "tidak", "nihil", "nobody", "without", "tak", "not"}, plain[i])
	}
	there := func(i int) bool {
		return i >= 0 && slices.Contains([]string{"ada", "ado", "yang", "nan", "sampai", "jatuh", "menimbulkan", "memakan", "was", "were", "is", "any", "one"}, plain[i])
	}
	before := at - 1
	for before > at-3 && there(before) {
		before--
	}
	if no(before) {
		return true
	}
	return at+1 < len(plain) && plain[at] == "korban" && (plain[at+1] == "nihil" || no(at+1) && at+2 < len(plain) && (plain[at+2] == "ada" || plain[at+2] == "ado"))
}

// plainWords cuts a text into lower-case words of letters and digits.
func plainWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
