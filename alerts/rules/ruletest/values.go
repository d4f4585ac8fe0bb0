package ruletest

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
)

// mostValues bounds one series.
const mostValues = 1_000_000

// point is one reading of a series; absent where its place is left out.
type point struct {
	at     time.Duration
	value  feeds.Value
	place  geo.Position
	placed bool
}

// parseValues reads the short form of values: words, each once every so often.
//
//	2.8+0.1x10   2.8, 2.9 … 3.8: the first and ten more
//	3.0x4        3.0, five times in all
//	_ or _x3     nothing, once or for three places
//	true false   and 'words' in quotes
//
// The last words are "every" and how often: every 1m.
func parseValues(text string) ([]point, error) {
	words, every, err := timing(text)
	if err != nil {
		return nil, err
	}
	var out []point
	n := 0
	for _, w := range words {
		values, err := parseWord(w)
		if err != nil {
			return nil, err
		}
		if n+len(values) > mostValues {
			return nil, fmt.Errorf("more than %d values", mostValues)
		}
		for _, v := range values {
			if v != nil {
				out = append(out, point{at: time.Duration(n) * every, value: *v})
			}
			n++
		}
	}
	return out, nil
}

// timing splits off "every 1m".
func timing(text string) (words []string, every time.Duration, err error) {
	if words, err = split(text); err != nil {
		return nil, 0, err
	}
	n := len(words)
	if n < 3 || words[n-2] != "every" {
		return nil, 0, fmt.Errorf("%.60q: want values and then how often, such as 2.8+0.1x10 every 1m", text)
	}
	if every, err = time.ParseDuration(words[n-1]); err != nil || every < time.Millisecond {
		return nil, 0, fmt.Errorf("every %.20q: want a duration, such as 30s or 1m", words[n-1])
	}
	return words[:n-2], every, nil
}

// split cuts text at blanks, but not within quotes.
func split(text string) (words []string, err error) {
	rest := strings.TrimSpace(text)
	for rest != "" {
		end := strings.IndexAny(rest, " \t\n")
		if q := rest[0]; q == '\'' || q == '"' {
			end = strings.IndexByte(rest[1:], q)
			if end < 0 {
				return nil, fmt.Errorf("%.40q: the quote does not end", rest)
			}
			end += 2
		}
		if end < 0 {
			end = len(rest)
		}
		words = append(words, rest[:end])
		rest = strings.TrimSpace(rest[end:])
	}
	return words, nil
}

var errWord = errors.New("want a number, such as 3.2, a run of numbers, such as 2.8+0.1x10 or 3.0x4, true, false, a word in quotes, or _ for nothing")

// parseWord gives the values of one word; nil for a place that is left out.
func parseWord(w string) ([]*feeds.Value, error) {
	bad := func() error { return fmt.Errorf("value %.40q: %w", w, errWord) }
	switch {
	case w == "true":
		return []*feeds.Value{{Type: feeds.Bool, Num: 1}}, nil
	case w == "false":
		return []*feeds.Value{{Type: feeds.Bool}}, nil
	case w[0] == '\'' || w[0] == '"':
		return []*feeds.Value{{Type: feeds.Text, Text: w[1 : len(w)-1]}}, nil
	}
	body, times, more := strings.Cut(w, "x")
	n := 0
	if more {
		var err error
		if n, err = strconv.Atoi(times); err != nil || n < 0 || n > mostValues {
			return nil, bad()
		}
	}
	if body == "_" {
		return make([]*feeds.Value, max(n, 1)), nil
	}
	first, step, err := run(body)
	if err != nil {
		return nil, bad()
	}
	if step != 0 && !more {
		return nil, bad()
	}
	out := make([]*feeds.Value, n+1)
	for i := range out {
		// Rounded to what a person wrote: 2.8 + 3 x 0.1 is 3.1, and not a hair below a threshold.
		out[i] = &feeds.Value{Num: math.Round((first+float64(i)*step)*1e9) / 1e9}
	}
	return out, nil
}

// run reads a number and its step: 2.8+0.1, 2.8-0.1, -3, 1e-3+2.
func run(body string) (first, step float64, err error) {
	for i := 1; i < len(body); i++ {
		if c := body[i]; (c == '+' || c == '-') && body[i-1] != 'e' && body[i-1] != 'E' {
			if step, err = strconv.ParseFloat(body[i:], 64); err != nil {
				return 0, 0, err
			}
			body = body[:i]
			break
		}
	}
	if first, err = strconv.ParseFloat(body, 64); err == nil && (math.IsNaN(first+step) || math.IsInf(first+step, 0)) {
		err = errWord
	}
	return first, step, err
}

// parsePositions reads a way: lng,lat, or lng,lat to lng,lat x10, and then how often. The latter is the first place and ten more, the last of
// them the other end.
func parsePositions(text string) ([]point, error) {
	words, every, err := timing(text)
	if err != nil {
		return nil, err
	}
	var out []point
	add := func(p geo.Position) {
		out = append(out, point{at: time.Duration(len(out)) * every, place: p, placed: true})
	}
	for i := 0; i < len(words); i++ {
		from, err := position(words[i])
		if err != nil {
			return nil, err
		}
		if i+3 >= len(words) || words[i+1] != "to" {
			if i+1 < len(words) && words[i+1] == "to" {
				return nil, fmt.Errorf("%.60q: want lng,lat to lng,lat x10", text)
			}
			add(from)
			continue
		}
		to, err := position(words[i+2])
		if err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(strings.TrimPrefix(words[i+3], "x"))
		if err != nil || n < 1 || n > mostValues || !strings.HasPrefix(words[i+3], "x") {
			return nil, fmt.Errorf("%.20q: want in how many steps, such as x10", words[i+3])
		}
		for k := range n + 1 {
			f := float64(k) / float64(n)
			add(geo.Position{Lng: from.Lng + f*(to.Lng-from.Lng), Lat: from.Lat + f*(to.Lat-from.Lat)})
		}
		i += 3
	}
	return out, nil
}

func position(w string) (geo.Position, error) {
	lng, lat, _ := strings.Cut(w, ",")
	x, err1 := strconv.ParseFloat(lng, 64)
	y, err2 := strconv.ParseFloat(lat, 64)
	p := geo.Position{Lng: x, Lat: y}
	if err := errors.Join(err1, err2); err != nil {
		return p, fmt.Errorf("position %.40q: want lng,lat, such as 100.63,-0.83", w)
	}
	if err := p.Validate(); err != nil {
		return p, fmt.Errorf("position %.40q: %w", w, err)
	}
	return p, nil
}
