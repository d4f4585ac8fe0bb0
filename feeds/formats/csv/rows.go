package csv

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A quoted field may run over so many lines and bytes before its quote counts as never closed.
const (
	maxRowLines = 100
	maxRow      = 256 << 10
)

// rows parts a body into rows and those into fields.
type rows struct {
	rest      []byte
	line      int // lines passed
	delimiter byte
}

// next gives the next row that is not empty and the line on which it begins, or what is wrong with that row; line 0 is the end.
func (r *rows) next() (fields []string, line int, fault string) {
	for len(r.rest) > 0 {
		first := cut(r.rest)
		text, lines := r.whole(first)
		r.line++
		line = r.line
		r.rest, r.line = r.rest[len(text):], r.line+lines-1
		if text = bytes.TrimRight(text, "\r\n"); len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		switch {
		case len(text) > maxRow:
			return nil, line, "a row is too long"
		case !utf8.Valid(text):
			return nil, line, "the row is not UTF-8"
		}
		fields, fault = split(string(text), r.delimiter)
		return fields, line, fault
	}
	return nil, 0, ""
}

// cut gives the first line with its end.
func cut(b []byte) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i+1]
	}
	return b
}

// whole extends a line whose quotes are open by the lines after it until they close; where they do not, the line stands alone.
func (r *rows) whole(first []byte) (text []byte, lines int) {
	end, quotes := len(first), bytes.Count(first, []byte{'"'})
	for lines = 1; quotes%2 != 0; lines++ {
		if lines == maxRowLines || end > maxRow || end == len(r.rest) {
			return first, 1
		}
		more := cut(r.rest[end:])
		quotes += bytes.Count(more, []byte{'"'})
		end += len(more)
	}
	return r.rest[:end], lines
}

// split parts one row (RFC 4180): a quoted field holds anything, with "" for a quote; any other holds no quote.
func split(row string, delimiter byte) (fields []string, fault string) {
	for {
		var field string
		if strings.HasPrefix(row, `"`) {
			end := closing(row)
			if end < 0 {
				return nil, "a quote is not closed"
			}
			field, row = strings.ReplaceAll(row[1:end], `""`, `"`), row[end+1:]
			if row != "" && row[0] != delimiter {
				return nil, "something stands between a closing quote and the delimiter"
			}
		} else {
			end := strings.IndexByte(row, delimiter)
			if end < 0 {
				end = len(row)
			}
			if field, row = row[:end], row[end:]; strings.Contains(field, `"`) {
				return nil, "a quote inside a field that is not quoted"
			}
		}
		fields = append(fields, field)
		if len(fields) > maxColumns {
			return nil, "too many fields"
		}
		if row == "" {
			return fields, ""
		}
		row = row[1:]
	}
}

// closing finds the quote that ends the field which begins with one; -1 where there is none.
func closing(row string) int {
	for i := 1; i < len(row); i++ {
		if row[i] != '"' {
			continue
		}
		if i+1 < len(row) && row[i+1] == '"' {
			i++
			continue
		}
		return i
	}
	return -1
}

// sniff gives the delimiter that parts the first line that is not empty into most fields; comma where none does.
func sniff(body []byte) byte {
	best, most := byte(','), 0
	head := cut(bytes.TrimLeft(body, "\r\n\t "))
	for _, d := range []byte(",;\t|") {
		quoted, n := false, 0
		for _, c := range head {
			if c == '"' {
				quoted = !quoted
			} else if c == d && !quoted {
				n++
			}
		}
		if n > most {
			best, most = d, n
		}
	}
	return best
}
