package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kentongan/alerts/store"
	"kentongan/alerts/unit"
	"kentongan/geo/fault"
	"kentongan/server/problem"
)

// mostRoster is how many units one roster may list: more than any city has.
const mostRoster = 2000

// RosterRead is what a roster in CSV comes to, or would come to.
type RosterRead struct {
	DryRun    bool          `json:"dry_run"`
	Lines     int           `json:"lines"` // with a unit on them
	Created   int           `json:"created"`
	Changed   int           `json:"changed"`
	Unchanged int           `json:"unchanged"`
	Faults    []RosterFault `json:"faults"` // where there are any, nothing is written
}

// RosterFault is what is wrong with one line.
type RosterFault struct {
	Line   int    `json:"line"` // as a text editor counts, from 1
	Column string `json:"column,omitempty"`
	Code   string `json:"code"`
	ID     string `json:"text_id"`
	EN     string `json:"text_en"`
}

// rosterFaults is the 422 of a roster that is at fault.
type rosterFaults struct {
	problem.Head
	RosterRead
}

// enterRoster takes a roster: every line of it, or none.
func (s *server) enterRoster(ctx context.Context, in *enterUnitsIn) (*enterUnitsOut, error) {
	v := s.sees(ctx)
	lines, faults := readRoster(in.RawBody)
	out := RosterRead{DryRun: in.DryRun == "1", Lines: len(lines), Faults: faults}
	lines = slices.DeleteFunc(lines, func(l rosterLine) bool {
		if s.knownAgency(l.entry.Agency) {
			return false
		}
		out.Faults = append(out.Faults, RosterFault{l.line, "agency", "no_agency", "instansi ini tidak ada di profil", "the profile has no such agency"})
		return true
	})
	entries := make([]store.Entry, len(lines))
	for i := range lines {
		entries[i] = lines[i].entry
	}
	done, err := s.Cases.EnterUnits(ctx, entries, store.Entering{Known: s.knownCapability, May: v.mayEdit(ctx), Dry: out.DryRun || len(out.Faults) > 0}, actor(ctx))
	if err != nil {
		return nil, v.dispatchFault(err)
	}
	for _, f := range done.Faults {
		if refusal := (*denied)(nil); errors.As(f.Cause, &refusal) {
			refusal.Reason = fmt.Sprintf("line %d: %s", lines[f.Entry].line, refusal.Reason)
			return nil, refusal
		}
		out.Faults = append(out.Faults, unitFault(lines[f.Entry].line, f.Cause))
	}
	slices.SortStableFunc(out.Faults, func(a, b RosterFault) int { return a.Line - b.Line })
	out.Created, out.Changed, out.Unchanged = done.Created, done.Changed, done.Unchanged
	if len(out.Faults) > 0 && !out.DryRun {
		out.Created, out.Changed, out.Unchanged = 0, 0, 0
		return nil, &rosterFaults{problem.Of(problem.RosterFaults, fmt.Sprintf("%d lines are at fault; the first is line %d: %s", len(out.Faults), out.Faults[0].Line, out.Faults[0].EN)), out}
	}
	return &enterUnitsOut{http.StatusOK, out}, nil
}

// unitFault says of a line why its unit is not taken; the column by the field that is wrong.
func unitFault(line int, cause error) RosterFault {
	var at *fault.Fault
	if errors.As(cause, &at) {
		column, _, _ := strings.Cut(at.Field, "[")
		if column == "post" {
			column = "post_lng"
		}
		return RosterFault{line, column, "not_valid", rosterWord(at), at.Reason}
	}
	if c := caused(cause); c != nil && c.Code == problem.NotAllowed {
		return RosterFault{line, "", "not_valid", "unit sedang bertugas; ubah setelah tugasnya selesai", cause.Error()}
	}
	return RosterFault{line, "", "not_valid", "unit ini baru saja diubah orang lain; impor sekali lagi", cause.Error()}
}

// rosterWord is what a unit may be at fault in, in Indonesian.
func rosterWord(f *fault.Fault) string {
	switch f.Code {
	case fault.Missing:
		return "harus diisi"
	case fault.Unknown:
		return "tidak ada yang bernama itu"
	case fault.Long:
		return fmt.Sprintf("paling banyak %v", f.Limit)
	case fault.Between:
		if r, ok := f.Limit.(fault.Range); ok {
			return fmt.Sprintf("harus %v sampai %v huruf", r[0], r[1])
		}
	case fault.Form:
		return fmt.Sprintf("harus ditulis seperti %v", f.Limit)
	case fault.OneOf:
		return fmt.Sprintf("harus salah satu dari: %v", f.Limit)
	case fault.Outside:
		return "lokasinya tidak sah"
	}
	return "belum benar"
}

// rosterLine is one unit of a roster, and where it stands.
type rosterLine struct {
	line  int
	entry store.Entry
}

var rosterColumns = []string{"agency", "call_sign", "name", "capabilities", "crew", "trackers", "post_name", "post_lng", "post_lat", "shift_until"}

// readRoster reads a roster in CSV: as spreadsheets write it, with comma, semicolon or tab, and a mark of its byte order. A column that is not
// there, and a field that is empty, says nothing of its unit.
func readRoster(text []byte) (out []rosterLine, faults []RosterFault) {
	faults = []RosterFault{}
	bad := func(line int, column, code, id, en string) {
		faults = append(faults, RosterFault{line, column, code, id, en})
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		line := 1 + bytes.Count(text[:firstInvalid(text)], []byte("\n"))
		bad(line, "", "not_utf8", "berkas bukan UTF-8: simpan sebagai CSV UTF-8", "the file is not UTF-8: save it as CSV UTF-8")
		return nil, faults
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace = separator(text), -1, true
	head, err := r.Read()
	if err != nil {
		bad(1, "", "no_header", "baris pertama harus menyebut kolom: agency, call_sign, ...", "the first line must name the columns: agency, call_sign, ...")
		return nil, faults
	}
	at := map[string]int{}
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(rosterColumns, name) {
			bad(1, name, "no_column", fmt.Sprintf("kolom %.40q tidak dikenal", name), fmt.Sprintf("there is no column %.40q", name))
		} else if _, twice := at[name]; twice {
			bad(1, name, "twice", "kolom ini ada dua kali", "this column is there twice")
		}
		at[name] = i
	}
	for _, name := range rosterColumns[:2] {
		if _, ok := at[name]; !ok {
			bad(1, name, "missing", "kolom ini wajib ada", "this column must be there")
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	first := map[string]int{}
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return out, faults
		}
		if broken := (*csv.ParseError)(nil); errors.As(err, &broken) {
			bad(broken.Line, "", "not_csv", "tanda kutip pada baris ini tidak berpasangan", "the quotes on this line do not match")
			continue
		}
		line, _ := r.FieldPos(0)
		if len(fields) != len(head) {
			bad(line, "", "fields", fmt.Sprintf("ada %d isian, seharusnya %d", len(fields), len(head)), fmt.Sprintf("has %d fields, and %d are wanted", len(fields), len(head)))
			continue
		}
		if len(out) == mostRoster {
			bad(line, "", "too_many", fmt.Sprintf("lebih dari %d unit", mostRoster), fmt.Sprintf("more than %d units", mostRoster))
			return out, faults
		}
		e, fault := rosterEntry(func(name string) string {
			if i, ok := at[name]; ok {
				return strings.TrimSpace(fields[i])
			}
			return ""
		})
		if fault != nil {
			fault.Line = line
			faults = append(faults, *fault)
			continue
		}
		if before, twice := first[e.ID()]; twice {
			bad(line, "call_sign", "twice", fmt.Sprintf("unit ini sudah ada di baris %d", before), fmt.Sprintf("this unit stands on line %d already", before))
			continue
		}
		first[e.ID()] = line
		out = append(out, rosterLine{line, e})
	}
}

// rosterEntry reads the fields of one line; a fault bears no line yet.
func rosterEntry(field func(column string) string) (store.Entry, *RosterFault) {
	e := store.Entry{Agency: field("agency"), CallSign: field("call_sign")}
	for _, name := range rosterColumns[:2] {
		if field(name) == "" {
			return e, &RosterFault{0, name, "missing", "isian ini wajib", "this field must be filled"}
		}
	}
	if name := field("name"); name != "" {
		e.Name = &name
	}
	for name, into := range map[string]**[]string{"capabilities": &e.Capabilities, "crew": &e.Crew, "trackers": &e.Trackers} {
		var list []string
		for one := range strings.SplitSeq(field(name), "|") {
			if one = strings.TrimSpace(one); one != "" {
				list = append(list, one)
			}
		}
		if len(list) > 0 {
			*into = &list
		}
	}
	if field("post_lng") != "" || field("post_lat") != "" {
		post := unit.Post{Name: field("post_name")}
		for name, into := range map[string]*float64{"post_lng": &post.Lng, "post_lat": &post.Lat} {
			degrees, err := strconv.ParseFloat(field(name), 64)
			if err != nil {
				return e, &RosterFault{0, name, "no_number", "bukan derajat desimal seperti 100.63", "is no decimal degrees as 100.63"}
			}
			*into = degrees
		}
		e.Post = &post
	}
	if text := field("shift_until"); text != "" {
		until, err := shiftEnd(text)
		if err != nil {
			return e, &RosterFault{0, "shift_until", "no_time", "bukan waktu seperti 2026-11-27T15:00:00+07:00", "is no time as 2026-11-27T15:00:00+07:00"}
		}
		e.ShiftUntil = &until
	}
	return e, nil
}

// separator is what stands between the fields of the first line.
func separator(text []byte) rune {
	head, _, _ := bytes.Cut(text, []byte("\n"))
	best := ','
	for _, c := range ";\t" {
		if bytes.ContainsRune(head, c) && bytes.Count(head, []byte(string(c))) > bytes.Count(head, []byte(string(best))) {
			best = c
		}
	}
	return best
}

func firstInvalid(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(text)
}
