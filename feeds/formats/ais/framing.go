package ais

import (
	"bytes"
	"strings"

	"kentongan/feeds"
)

// waiting is how many lines back a first part may lie and still wait for its others; what is older was lost on the air.
const waiting = 20

// Framing is lines, of which the parts of one message stay together.
func (Format) Framing() feeds.Framing {
	return feeds.Framing{Together: true, Unfinished: unfinished}
}

// unfinished gives where the first of the last lines begins whose message wants a part.
func unfinished(body []byte) int {
	type open struct{ at, have int }
	from := len(body)
	for range waiting {
		if from == 0 {
			break
		}
		from = bytes.LastIndexByte(body[:from-1], '\n') + 1
	}
	waits := map[string]open{}
	for at := from; at < len(body); {
		end := len(body)
		if i := bytes.IndexByte(body[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if key, parts, part := partOf(string(body[at:end])); parts > 1 {
			m, known := waits[key]
			if part == 1 {
				m, known = open{at: at}, true
			}
			m.have++
			if delete(waits, key); known && m.have < parts { // without its first part it can never be whole
				waits[key] = m
			}
		}
		at = end
	}
	first := len(body)
	for _, m := range waits {
		first = min(first, m.at)
	}
	return first
}

// partOf tells of a sentence in how many parts its message comes, and which it is; 0 where it is none of several.
func partOf(line string) (key string, parts, part int) {
	at := strings.Index(line, "VDM,")
	if at < 0 {
		at = strings.Index(line, "VDO,")
	}
	if at < 3 {
		return "", 0, 0
	}
	f := strings.SplitN(line[at+4:], ",", 5)
	if len(f) < 5 || len(f[0]) != 1 || len(f[1]) != 1 || f[0] < "2" || f[0] > "9" || f[1] < "1" || f[1] > f[0] {
		return "", 0, 0
	}
	return line[at-3:at] + f[0] + f[2] + "," + f[3], int(f[0][0] - '0'), int(f[1][0] - '0')
}
