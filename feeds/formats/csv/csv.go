// Package csv is tables of text, mapped to records row by row by a jq program of the feed's settings.
//
// The first row that is not empty names the columns, unless the option columns does. Each further row becomes an object of texts by those
// names (an empty field becomes null), over which the program runs. Rows are read by RFC 4180, each alone: a faulty one costs itself, and a
// quote that is never closed costs its own line. A row with more or fewer fields than there are columns is faulty.
//
// Options: map, a jq program that gives records (see feeds/mapped); delimiter, one character or tab, else the one of comma, semicolon,
// tab and bar that parts the first row into most fields; columns, the names where no row has them.
package csv

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/mapped"
)

// The format's own limits.
const (
	maxColumns = 1024
	maxName    = 256 // bytes of a column's name
)

// Format reads CSV by a map. It is safe for concurrent use.
type Format struct {
	mapper    *mapped.Mapper
	delimiter byte     // 0: sniffed
	columns   []string // nil: the first row
}

// New compiles the map. Its error joins every fault of the options.
func New(options map[string]any) (feeds.Format, error) {
	var f Format
	var faults []error
	fault := func(key, format string, args ...any) {
		faults = append(faults, &mapped.Fault{Key: key, Reason: fmt.Sprintf(format, args...)})
	}
	for key, v := range options {
		switch key {
		case "map":
		case "delimiter":
			s, _ := v.(string)
			if s == "tab" {
				s = "\t"
			}
			if len(s) != 1 || strings.ContainsAny(s, "\"\r\n") || s[0] >= utf8.RuneSelf {
				fault(key, `want one character such as ";", or tab`)
				continue
			}
			f.delimiter = s[0]
		case "columns":
			list, _ := v.([]any)
			for _, one := range list {
				s, _ := one.(string)
				f.columns = append(f.columns, s)
			}
			if err := checkColumns(f.columns); err != nil {
				fault(key, "%v", err)
			}
		default:
			fault(key, "the format csv has no such option; it has map, delimiter and columns")
		}
	}
	m, err := mapped.New(map[string]any{"map": options["map"]})
	if err = errors.Join(append(faults, err)...); err != nil {
		return nil, err
	}
	f.mapper = m
	return f, nil
}

func checkColumns(names []string) error {
	if len(names) == 0 || len(names) > maxColumns {
		return fmt.Errorf("want 1 to %d names of columns", maxColumns)
	}
	seen := map[string]bool{}
	for _, n := range names {
		switch {
		case n == "" || len(n) > maxName || !utf8.ValidString(n):
			return fmt.Errorf("%.40q is no name of a column", n)
		case seen[n]:
			return fmt.Errorf("two columns are named %.40q", n)
		}
		seen[n] = true
	}
	return nil
}

// Framing is a row a line; a last row without its end may be half of one. A stream has no first row, so that the option columns is needed.
func (Format) Framing() feeds.Framing { return feeds.Framing{Together: true, Closed: true} }

// Decode maps a table. A first row that names no columns is an error, as are JSON and XML.
func (f Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	if len(bytes.TrimSpace(body)) == 0 {
		return feeds.Batch{}, nil
	}
	if c := bytes.TrimSpace(body)[0]; c == '{' || c == '[' || c == '<' || bytes.IndexByte(body[:min(len(body), 4096)], 0) >= 0 {
		return feeds.Batch{}, errors.New("csv: the body is no table of text")
	}
	rows := &rows{rest: body, delimiter: f.delimiter}
	if rows.delimiter == 0 {
		rows.delimiter = sniff(body)
	}
	columns := f.columns
	if columns == nil {
		head, line, fault := rows.next()
		if fault != "" {
			return feeds.Batch{}, fmt.Errorf("csv: line %d, which names the columns: %s", line, fault)
		}
		for i, name := range head {
			if head[i] = strings.TrimSpace(name); head[i] == "" {
				head[i] = fmt.Sprintf("column_%d", i+1)
			}
		}
		if err := checkColumns(head); err != nil {
			return feeds.Batch{}, fmt.Errorf("csv: line %d: %w", line, err)
		}
		columns = head
	}
	run := f.mapper.Begin(meta, len(body))
	for {
		fields, line, fault := rows.next()
		if line == 0 {
			return run.Batch(), nil
		}
		where := fmt.Sprintf("line %d: ", line)
		if fault == "" && len(fields) != len(columns) {
			fault = fmt.Sprintf("%d fields where there are %d columns", len(fields), len(columns))
		}
		if fault != "" {
			run.Refuse(where + fault)
			continue
		}
		row := make(map[string]any, len(columns))
		for i, name := range columns {
			if row[name] = nil; fields[i] != "" {
				row[name] = fields[i]
			}
		}
		if err := run.Document(row, where); err != nil {
			return feeds.Batch{}, fmt.Errorf("csv: %s%w", where, err)
		}
	}
}
