package formats

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kentongan/feeds/feedtest"
)

// page is what QUIRKS.md says.
func page(t *testing.T) string {
	t.Helper()
	return string(feedtest.Read(t, "QUIRKS.md"))
}

// table gives the rows of the table below a heading, cell by cell, without head and rule.
func table(t *testing.T, text, heading string) (rows [][]string) {
	t.Helper()
	_, text, found := strings.Cut(text, "\n## "+heading+"\n")
	if !found {
		t.Fatalf("QUIRKS.md: no section %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "|") {
			cells := strings.Split(strings.Trim(line, "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		}
	}
	if len(rows) < 3 {
		t.Fatalf("QUIRKS.md: section %q has no table", heading)
	}
	return rows[2:]
}

var quoted = regexp.MustCompile("`([^`]+)`")

// TestQuirksHaveTheirCases: every case that the page names is there, and every format has some.
func TestQuirksHaveTheirCases(t *testing.T) {
	have := map[string]int{}
	packages := map[string]*tests{}
	for _, row := range table(t, page(t), "Quirks") {
		if len(row) != 4 || row[1] == "" || row[2] == "" {
			t.Errorf("row %q is not format, quirk, what we do, case", row)
			continue
		}
		if row[0] != "all" && !slices.Contains(Names(), row[0]) {
			t.Errorf("%q is no format", row[0])
		}
		have[row[0]]++
		cases := quoted.FindAllStringSubmatch(row[3], -1)
		if len(cases) == 0 {
			t.Errorf("%s: %s: no case", row[0], row[1])
		}
		for _, c := range cases {
			if fault := missing(t, packages, c[1]); fault != "" {
				t.Errorf("%s: %s: %s: %s", row[0], row[1], c[1], fault)
			}
		}
	}
	for _, name := range Names() {
		if have[name] == 0 {
			t.Errorf("%s: no quirk", name)
		}
	}
}

// missing says what of a case is not there; empty where all is.
func missing(t *testing.T, packages map[string]*tests, name string) string {
	dir, test, isTest := strings.Cut(name, ":")
	if !isTest {
		dir = name
	}
	where := dir
	switch {
	case dir == "formats":
		where = "."
	case slices.Contains(Names(), strings.SplitN(dir, "/", 2)[0]):
	default:
		where = filepath.Join(feedtest.Root(t), dir)
	}
	if !isTest {
		if info, err := os.Stat(where); err != nil || info.IsDir() {
			return "no such file"
		}
		return ""
	}
	if packages[where] == nil {
		packages[where] = read(t, where)
	}
	function, row, _ := strings.Cut(test, "/")
	switch p := packages[where]; {
	case p.cases[function] == 0:
		return "no such test"
	case row != "" && !p.words[function][row]:
		return "its table has no such case"
	}
	return ""
}

// tests are those of one package.
type tests struct {
	cases map[string]int             // by function: rows of its tables, 1 where it has none
	words map[string]map[string]bool // texts that stand in a function
	fuzz  []string
}

func read(t *testing.T, dir string) *tests {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s", dir)
	}
	out := &tests{cases: map[string]int{}, words: map[string]map[string]bool{}}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			switch {
			case !ok || f.Recv != nil:
			case strings.HasPrefix(f.Name.Name, "Fuzz"):
				out.fuzz = append(out.fuzz, f.Name.Name)
			case strings.HasPrefix(f.Name.Name, "Test") && f.Name.Name != "TestMain":
				out.cases[f.Name.Name], out.words[f.Name.Name] = rowsOf(f)
			}
		}
	}
	slices.Sort(out.fuzz)
	return out
}

// rowsOf counts the elements of the literals that a test ranges over, and gathers its texts.
func rowsOf(f *ast.FuncDecl) (n int, words map[string]bool) {
	words = map[string]bool{}
	named := map[string]int{}
	ast.Inspect(f, func(node ast.Node) bool {
		switch v := node.(type) {
		case *ast.BasicLit:
			if s, err := strconv.Unquote(v.Value); err == nil && v.Kind == token.STRING {
				words[s] = true
			}
		case *ast.AssignStmt:
			for i, right := range v.Rhs {
				if list, ok := right.(*ast.CompositeLit); ok && i < len(v.Lhs) {
					if name, ok := v.Lhs[i].(*ast.Ident); ok {
						named[name.Name] = len(list.Elts)
					}
				}
			}
		case *ast.RangeStmt:
			switch over := v.X.(type) {
			case *ast.CompositeLit:
				n += len(over.Elts)
			case *ast.Ident:
				n += named[over.Name]
			}
		}
		return true
	})
	return max(n, 1), words
}

// TestQuirksTellTheFormatsTruly: the table of formats is as the code is.
func TestQuirksTellTheFormatsTruly(t *testing.T) {
	const begin, end = "<!-- formats -->\n", "<!-- /formats -->"
	text := page(t)
	before, rest, ok1 := strings.Cut(text, begin)
	was, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("QUIRKS.md: the marks of the table of formats are gone")
	}
	var is strings.Builder
	is.WriteString("| format | library | recorded | cases | fuzz |\n|---|---|---|---|---|\n")
	files, cases := 0, 0
	for _, name := range Names() {
		p := read(t, name)
		n, recorded := 0, len(goldens(t, name))
		for _, rows := range p.cases {
			n += rows
		}
		files, cases = files+recorded, cases+n
		fmt.Fprintf(&is, "| %s | %s | %d | %d | %s |\n", name, libraries(t, name), recorded, n, strings.Join(p.fuzz, ", "))
		if len(p.fuzz) == 0 {
			t.Errorf("%s has no fuzz target", name)
		}
	}
	fmt.Fprintf(&is, "| %d formats | | %d | %d | |\n", len(Names()), files, cases)
	if is.String() == was {
		return
	}
	if flag.Lookup("update").Value.String() != "true" {
		t.Fatalf("QUIRKS.md: the table of formats is not as the code is; -update rewrites it. It should be:\n%s", is.String())
	}
	if err := os.WriteFile("QUIRKS.md", []byte(before+begin+is.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// goldens are the reviewed results of a format: its own, and for the mapped formats those of the maps that are shipped.
func goldens(t *testing.T, name string) (out []string) {
	t.Helper()
	dir, want := filepath.Join(name, "testdata", "recorded"), ""
	if mappedNames[name] {
		dir, want = filepath.Join(feedtest.Root(t), "feeds", "runner", "testdata", "recorded"), "."+name
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if of := strings.TrimSuffix(filepath.Base(f), ".json"); strings.HasSuffix(strings.TrimSuffix(of, ".gz"), want) {
			out = append(out, of)
		}
	}
	return out
}

var module = regexp.MustCompile(`^(github\.com/[^/]+/[^/]+|google\.golang\.org/[^/]+)`)

// libraries are the modules of others that a format decodes with, as its imports say; a format that takes a map has jq's.
func libraries(t *testing.T, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(name, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		body := feedtest.Read(t, file)
		parsed, err := parser.ParseFile(token.NewFileSet(), file, body, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range parsed.Imports {
			out = append(out, module.FindString(strings.Trim(i.Path.Value, `"`)))
		}
		if strings.Contains(string(body), "mapped.New(") {
			out = append(out, "github.com/itchyny/gojq")
		}
	}
	slices.Sort(out)
	if out = slices.Compact(slices.DeleteFunc(out, func(s string) bool { return s == "" })); len(out) == 0 {
		return "Go's own"
	}
	return strings.Join(out, ", ")
}

// TestQuirksMissNoRecording: every recorded file has a golden, or the page says why it has none.
func TestQuirksMissNoRecording(t *testing.T) {
	covered := map[string]bool{}
	for _, name := range Names() {
		for _, of := range goldens(t, name) {
			covered[of] = true
		}
	}
	excused := map[string]bool{}
	for _, row := range table(t, page(t), "Recorded files without a golden") {
		file := strings.Trim(row[0], "`")
		if len(row) != 2 || row[1] == "" || excused[file] {
			t.Errorf("row %q is not a file and its reason, once", row)
		}
		excused[file] = true
	}
	data := filepath.Join(feedtest.Root(t), "..", "shared", "data")
	feedtest.Recorded(t, "README.md") // skips where there is none
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		file, err := filepath.Rel(data, path)
		if err != nil {
			return err
		}
		base := filepath.Base(file)
		golden := covered[base] || covered[filepath.Base(filepath.Dir(file))+"-"+base]
		if golden == excused[file] {
			t.Errorf("%s: has a golden %t, is excused %t", file, golden, excused[file])
		}
		delete(excused, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for file := range excused {
		t.Errorf("%s is excused and not there", file)
	}
}
