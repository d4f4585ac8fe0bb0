// Package mapped is foreign values made native records by a jq program.
//
// A program (jq, https://jqlang.org/manual) runs over each item and gives records: objects with the fields of the native format, or arrays
// of them; null gives none. It sees nothing but its item, $doc (the whole document), $topic and $feed. Beside jq's own functions there are
//
//	num              a number out of a number or a text such as "35.67"; null and "" stay null
//	zoned("WIB")     RFC 3339 out of a local time that says no zone; the zone as "Asia/Jakarta", "WIB", "+07:00"
//
// Its steps and its outputs are bounded by the length of the delivery. A program is written by whoever runs the house: its memory is not
// bounded beyond that.
package mapped

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"kentongan/feeds"
	"kentongan/feeds/formats/native"
)

// Mapper makes records. It is safe for concurrent use.
type Mapper struct {
	each, program *program
	fields        []string
}

// Fault is one fault of one option. Key is the option at fault.
type Fault struct {
	Key    string
	Reason string
}

func (f *Fault) Error() string { return f.Key + ": " + f.Reason }

// New compiles the program of the option "map", and that of "each", which takes a document apart into items, so that a faulty one costs
// only itself. The error joins every Fault.
func New(options map[string]any) (*Mapper, error) {
	m := &Mapper{fields: native.Fields()}
	var faults []error
	m.program, faults = option(options, "map", faults)
	if options["each"] != nil {
		m.each, faults = option(options, "each", faults)
	}
	return m, errors.Join(faults...)
}

func option(options map[string]any, key string, faults []error) (*program, []error) {
	source, ok := options[key].(string)
	if !ok && options[key] != nil {
		return nil, append(faults, &Fault{key, "want a jq program, a text"})
	}
	p, err := compile(source)
	if err == nil {
		return p, faults
	}
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for _, one := range all {
		faults = append(faults, &Fault{key, strings.ReplaceAll(one.Error(), "\n", " ")})
	}
	return p, faults
}

// Run makes the records of one delivery. It is not safe for concurrent use.
type Run struct {
	mapper *Mapper
	meta   feeds.Meta
	made   *native.Made
	budget *budget
	out    int
}

// Begin starts a delivery of so many bytes.
func (m *Mapper) Begin(meta feeds.Meta, bytes int) *Run {
	return &Run{mapper: m, meta: meta, made: native.NewMade(meta), budget: newBudget(bytes)}
}

// Refuse counts an item that could not be read.
func (r *Run) Refuse(reason string) { r.made.Refuse(reason) }

// Batch ends the run. A run that ended with an error has none.
func (r *Run) Batch() feeds.Batch { return r.made.Batch() }

// Document maps a document, item by item where the option each is given. where stands before every reason, such as "line 3: ". An error
// means that nothing of the delivery may count: a bound was met, or each does not fit the document.
func (r *Run) Document(doc any, where string) error {
	if r.mapper.each == nil {
		return r.item(doc, doc, where)
	}
	items := 0
	err := r.mapper.each.run(r.budget, doc, r.values(doc), func(item any) error {
		items++
		return r.item(item, doc, where)
	})
	if err != nil && !fatal(err) {
		return fmt.Errorf("each: %s", clip(err.Error()))
	}
	if err == nil && items == 0 {
		r.made.Pass(where + "each finds no item in the document")
	}
	return err
}

// errMany says that a program gives too many records.
var errMany = fmt.Errorf("the program gives more than %d records: nothing of the delivery is taken", maxOutputs)

func fatal(err error) bool { return errors.Is(err, errSpent) || errors.Is(err, errMany) }

func (r *Run) values(doc any) []any { return []any{doc, r.meta.Topic, r.meta.Feed} }

func (r *Run) item(item, doc any, where string) error {
	records := 0
	err := r.mapper.program.run(r.budget, item, r.values(doc), func(v any) error {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, one := range list {
			if one == nil {
				continue
			}
			if r.out++; r.out > maxOutputs {
				return errMany
			}
			records++
			r.record(one, where)
		}
		return nil
	})
	switch {
	case err != nil && fatal(err):
		return err
	case err != nil:
		r.made.Refuse(fmt.Sprintf("%smap: %s", where, clip(err.Error())))
	case records == 0:
		r.made.Pass(where + "the map gives no record for it")
	}
	return nil
}

// record reads one output. The program is ours, so a field that no record has is its fault and not passed over.
func (r *Run) record(v any, where string) {
	fields, ok := v.(map[string]any)
	if !ok {
		r.made.Refuse(fmt.Sprintf("%sthe map gives %s where a record should be, an object", where, gojq.TypeOf(v)))
		return
	}
	var unknown []string
	for name, value := range fields {
		if !slices.Contains(r.mapper.fields, name) {
			unknown = append(unknown, name)
		}
		if f, ok := value.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
			r.made.Refuse(fmt.Sprintf("%s%.40s: not a finite number", where, name))
			return
		}
	}
	if len(unknown) > 0 && !nearMiss(unknown) {
		slices.Sort(unknown)
		r.made.Refuse(fmt.Sprintf("%sthe map gives a field that no record has: %.80q", where, unknown[0]))
		return
	}
	text, err := gojq.Marshal(v)
	if err != nil {
		r.made.Refuse(where + clip(err.Error()))
		return
	}
	r.made.Read(text, where)
}

// nearMiss leaves "lon", "time" and the like to the native format, which says what they should be.
func nearMiss(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return native.Miss(n) != "" })
}

func clip(s string) string {
	const most = 300
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
