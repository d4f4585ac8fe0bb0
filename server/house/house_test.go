package house

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "kentongan"

var root = filepath.Join("..", "..")

// row is one line of the package table in README.md.
type row struct {
	sentence string
	imports  []string
}

var (
	code  = regexp.MustCompile("`([^`]+)`")
	table = regexp.MustCompile("(?m)^\\| ((?:`[a-z0-9/._-]+`(?:, )?)+) \\| (.+?) \\| (.+?) \\|$")
)

func plan(t *testing.T) map[string]row {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]row{}
	for _, m := range table.FindAllStringSubmatch(string(text), -1) {
		var imports []string
		for _, c := range code.FindAllStringSubmatch(m[3], -1) {
			imports = append(imports, c[1])
		}
		for _, c := range code.FindAllStringSubmatch(m[1], -1) {
			rows[c[1]] = row{m[2], imports}
		}
	}
	if len(rows) < 20 {
		t.Fatalf("README.md: the package table has %d rows; is its form broken?", len(rows))
	}
	return rows
}

type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "./...")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// allowed tells whether the plan lets an arrow run. A name that ends in /* stands for every room below it; "below" stands for every package.
func allowed(r row, to string) bool {
	for _, a := range r.imports {
		if a == to || a == "below" || strings.HasSuffix(a, "/*") && strings.HasPrefix(to, strings.TrimSuffix(a, "*")) {
			return true
		}
	}
	return false
}

func TestEveryArrowIsInThePlan(t *testing.T) {
	rows := plan(t)
	seen := map[string]bool{}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		r, ok := rows[name]
		if !ok {
			t.Errorf("package %s has no row in README.md's table", name)
			continue
		}
		seen[name] = true
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, module+"/")
			if ours && !allowed(r, to) {
				t.Errorf("%s imports %s: README.md's table has no such arrow", name, to)
			}
			if ours && strings.HasPrefix(to, "server/") && !strings.HasPrefix(name, "server") {
				t.Errorf("%s imports %s: nothing below imports server/", name, to)
			}
			if imp == "github.com/uber/h3-go/v4" && name != "geo" {
				t.Errorf("%s imports h3-go: only geo may", name)
			}
		}
	}
	for name := range rows {
		if !seen[name] {
			t.Errorf("README.md's table names %s, which is not there", name)
		}
	}
}

func TestEveryPackageSaysItsSentence(t *testing.T) {
	rows := plan(t)
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		want := rows[name].sentence
		if want == "" || len(p.GoFiles) == 0 {
			continue
		}
		if doc := packageDoc(t, p); !strings.Contains(flat(doc), flat(want)) {
			t.Errorf("package %s: its comment does not begin with its sentence in README.md\n want %q\n  got %q", name, want, first(doc))
		}
	}
}

func packageDoc(t *testing.T, p pkg) string {
	t.Helper()
	for _, f := range p.GoFiles {
		tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		if tree.Doc != nil {
			return tree.Doc.Text()
		}
	}
	return ""
}

func flat(s string) string {
	return strings.Trim(strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(s, "`", "")), " ")), " .")
}

func first(s string) string { return strings.SplitN(s, "\n", 2)[0] }

func TestTopLevelIsTheHouse(t *testing.T) {
	want := []string{"server", "geo", "feeds", "alerts", "frontend", "deploy", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE"}
	cmd := exec.Command("git", "ls-tree", "--name-only", "HEAD")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Skip("not a git checkout: the top level cannot be told from what was built")
	}
	for _, name := range strings.Fields(string(out)) {
		if !strings.HasPrefix(name, ".") && !slices.Contains(want, name) {
			t.Errorf("%s stands at the top level", name)
		}
	}
}

func TestNoInitAndNoGlobalsThatChange(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if ast.IsGenerated(tree) {
				continue // protobuf registers its types
			}
			for _, d := range tree.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s/%s has an init", strings.TrimPrefix(p.ImportPath, module+"/"), f)
				}
			}
		}
	}
}
