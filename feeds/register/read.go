package register

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// columns that a register may have.
var columns = []string{"thing", "lat", "lng", "name", "kind"}

func (l *loader) csv(body []byte) {
	r := csv.NewReader(bytes.NewReader(body))
	r.FieldsPerRecord = -1
	r.Comma = comma(body)
	head, err := r.Read()
	if err != nil {
		l.bad(r, err)
		return
	}
	at := map[string]int{}
	for i, name := range head {
		name = strings.TrimSpace(name)
		if _, twice := at[name]; twice {
			l.fault(1, "column %q stands twice", name)
		}
		if !slices.Contains(columns, name) {
			l.fault(1, "column %.40q is not known; there are %s", name, strings.Join(columns, ", "))
		}
		at[name] = i
	}
	if _, ok := at["thing"]; !ok {
		l.fault(1, "the first row names no column thing")
	}
	if len(l.faults) > 0 {
		return
	}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			l.bad(r, err)
			return // what follows an unbalanced quote cannot be told apart
		}
		line, _ := r.FieldPos(0)
		if len(fields) != len(head) {
			l.fault(line, "%d fields where there are %d columns", len(fields), len(head))
			continue
		}
		l.fields(line, fields, at)
	}
}

// fields reads one row of a table.
func (l *loader) fields(line int, fields []string, at map[string]int) {
	text := func(name string) string {
		if i, ok := at[name]; ok {
			return strings.TrimSpace(fields[i])
		}
		return ""
	}
	one := row{thing: text("thing"), name: text("name"), kind: text("kind")}
	for i, to := range []**float64{&one.lat, &one.lng} {
		name := []string{"lat", "lng"}[i]
		s := text(name)
		if s == "" {
			continue
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			l.fault(line, "%s: %.40q is no number such as -0.83", name, s)
			return
		}
		*to = &v
	}
	l.add(line, one)
}

func (l *loader) bad(r *csv.Reader, err error) {
	var at *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		l.fault(0, "is empty")
	case errors.As(err, &at):
		l.fault(at.Line, "%v", at.Err)
	default:
		l.fault(0, "%v", err)
	}
}

// comma is the delimiter that stands most often in the first line.
func comma(body []byte) rune {
	head, _, _ := bytes.Cut(body, []byte{'\n'})
	best, most := ',', 0
	for _, d := range ",;\t" {
		if n := bytes.Count(head, []byte(string(d))); n > most {
			best, most = d, n
		}
	}
	return best
}

// entry is one Thing in YAML.
type entry struct {
	Thing string   `yaml:"thing"`
	Lat   *float64 `yaml:"lat"`
	Lng   *float64 `yaml:"lng"`
	Name  string   `yaml:"name"`
	Kind  string   `yaml:"kind"`
}

func (l *loader) yaml(body []byte) {
	file, err := parser.ParseBytes(body, 0)
	if err != nil {
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil {
			l.fault(at.GetToken().Position.Line, "%s", at.GetMessage())
		} else {
			l.fault(0, "%s", firstLine(err.Error()))
		}
		return
	}
	if len(file.Docs) != 1 {
		l.fault(0, "want one YAML document")
		return
	}
	list, ok := file.Docs[0].Body.(*ast.SequenceNode)
	if !ok {
		l.fault(1, "want a list of Things, each with %s", strings.Join(columns, ", "))
		return
	}
	for _, n := range list.Values {
		line := n.GetToken().Position.Line
		if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
			line = m.Values[0].GetToken().Position.Line
			if k := m.Values[0].Key; k != nil && k.GetToken() != nil {
				line = k.GetToken().Position.Line
			}
		}
		var e entry
		if err := yaml.NodeToValue(n, &e, yaml.Strict()); err != nil {
			var at yaml.Error
			if errors.As(err, &at) && at.GetToken() != nil {
				l.fault(at.GetToken().Position.Line, "%s", at.GetMessage())
			} else {
				l.fault(line, "%s", firstLine(err.Error()))
			}
			continue
		}
		l.add(line, row{thing: e.Thing, name: e.Name, kind: e.Kind, lat: e.Lat, lng: e.Lng})
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
