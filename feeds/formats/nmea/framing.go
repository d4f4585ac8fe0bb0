package nmea

import (
	"bytes"

	"kentongan/feeds"
)

// waiting is how many lines a receiver says of one time at the most; further back nothing waits.
const waiting = 40

// Framing is lines, of which those of one time stay together: the fix is in one, its date and speed in another.
func (Format) Framing() feeds.Framing {
	return feeds.Framing{Together: true, Unfinished: unfinished}
}

// unfinished gives where the sentences of the last time begin, for more of them may come.
func unfinished(body []byte) int {
	last, at, from := "", len(body), len(body)
	for range waiting {
		if from == 0 {
			break
		}
		end := from
		from = bytes.LastIndexByte(body[:end-1], '\n') + 1
		time := timeOf(body[from:end])
		switch {
		case time == "":
		case last == "" || time == last:
			last, at = time, from
		default:
			return at
		}
	}
	return at
}

// timeOf gives the time of day as a sentence writes it, empty where it tells none.
func timeOf(line []byte) string {
	head := address.FindSubmatchIndex(line)
	if head == nil {
		return ""
	}
	kind := standard.FindSubmatch(line[head[2]:head[3]])
	if kind == nil {
		return ""
	}
	field := 0
	switch string(kind[1]) {
	case "RMC", "GGA", "GNS", "ZDA":
	case "GLL":
		field = 4
	default:
		return ""
	}
	fields := bytes.SplitN(line[head[1]:], []byte{','}, field+2)
	if len(fields) < field+2 {
		return ""
	}
	return string(fields[field])
}
