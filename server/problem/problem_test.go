package problem

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

func TestTheTable(t *testing.T) {
	seen := map[Code]bool{}
	for i, k := range Kinds {
		if seen[k.Code] || k.Title == "" || k.Status < 400 || !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(string(k.Code)) {
			t.Errorf("%+v", k)
		}
		seen[k.Code] = true
		if first := OfStatus(k.Status); i < byStatus && first != k.Code {
			t.Errorf("%d says %s, and %s too", k.Status, first, k.Code)
		}
	}
	for status, want := range map[int]Code{404: NotFound, 418: BadRequest, 410: BadRequest, 504: Internal, 507: Internal} {
		if got := OfStatus(status); got != want {
			t.Errorf("%d: %s", status, got)
		}
	}
}

// Every problem that this server answers with has a code of the table: no call makes one past it, and no code is there that nothing says.
func TestEveryAnswerHasACodeAndEveryCodeAnAnswer(t *testing.T) {
	said := map[string]bool{}
	walk(t, "..", func(path string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, ok := sel.X.(*ast.Ident)
			switch {
			case !ok:
			case of.Name == "problem":
				said[sel.Sel.Name] = true
			case of.Name == "huma" && (regexp.MustCompile(`^Error\d|^NewError`).MatchString(sel.Sel.Name) || strings.HasPrefix(sel.Sel.Name, "ErrorModel") || sel.Sel.Name == "ErrorDetail"):
				t.Errorf("%s: huma.%s makes a problem without a code: problem.New", path, sel.Sel.Name)
			}
			return true
		})
	})
	names := constants(t, "code.go")
	if len(names) != len(Kinds) {
		t.Errorf("%d codes are named, and %d are in the table", len(names), len(Kinds))
	}
	implicit := []Code{BadRequest, NotAcceptable, TooSlow, UnsupportedMedia, TooLarge, Unauthorized, Forbidden} // of huma's own faults, by their status
	for name, code := range names {
		if !slices.Contains(Codes(), code) {
			t.Errorf("%s is not in the table", code)
		}
		if !said[name] && !slices.Contains(implicit, code) {
			t.Errorf("nothing answers %s", code)
		}
	}
}

// walk gives every Go file that is no test, of the folders beside this one.
func walk(t *testing.T, root string, each func(path string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.Dir(path) == "../problem" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err == nil {
			each(path, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// constants gives the codes that a file names.
func constants(t *testing.T, path string) map[string]Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Code{}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == "Code" {
				text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				out[v.Names[0].Name] = Code(text)
			}
		}
		return true
	})
	return out
}

func TestADocument(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("ETag", `"1"`)
	Write(w, New(FileTooLarge, "at most 20 MB", AtLimit("body", Most, 20, "too large")).With("limit", 20))
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	errs := got["errors"].([]any)[0].(map[string]any)
	if w.Code != 413 || w.Header().Get("Content-Type") != Media || w.Header().Get("ETag") != "" || got["code"] != "file-too-large" || got["title"] != "the file is too large" ||
		got["params"].(map[string]any)["limit"] != 20.0 || errs["code"] != "most" || errs["limit"] != 20.0 {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if New(Starting, "").Error() != "starting" || New(Starting, "soon").Error() != "soon" {
		t.Error("an error says its detail, else its title")
	}
}

// What huma finds wrong is told by codes too, at its exact place, and without what was sent.
func TestHumasFaults(t *testing.T) {
	Speak()
	registry := huma.NewMapRegistry("#/", huma.DefaultSchemaNamer)
	type sent struct {
		Name  string   `json:"name" minLength:"2" maxLength:"4"`
		Kind  string   `json:"kind,omitempty" enum:"a,b"`
		Count int      `json:"count,omitempty" minimum:"3" maximum:"5"`
		Tags  []string `json:"tags,omitempty" maxItems:"1"`
	}
	schema := huma.SchemaFromType(registry, reflect.TypeFor[sent]())
	for body, want := range map[string]string{
		`{}`:                             "body.name missing <nil>",
		`{"name":"x"}`:                   "body.name short 2",
		`{"name":"rahasia"}`:             "body.name long 4",
		`{"name":7}`:                     "body.name type string",
		`{"name":"xy","kind":"c"}`:       "body.kind one-of a, b",
		`{"name":"xy","count":1}`:        "body.count least 3",
		`{"name":"xy","count":9}`:        "body.count most 5",
		`{"name":"xy","tags":["a","b"]}`: "body.tags long 1",
		`{"name":"xy","colour":"red"}`:   "body.colour unasked <nil>",
	} {
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatal(err)
		}
		path, res := huma.NewPathBuffer(nil, 0), &huma.ValidateResult{}
		path.Push("body")
		huma.Validate(registry, schema, path, huma.ModeWriteToServer, value, res)
		var doc *Document
		if err := huma.NewError(422, "validation failed", res.Errors...); !errors.As(err, &doc) || len(doc.Errors) != 1 || doc.Code != Invalid {
			t.Errorf("%s: %v", body, err)
			continue
		}
		one := doc.Errors[0]
		limit := strings.Trim(strings.ReplaceAll(string(must(json.Marshal(one.Limit))), "null", "<nil>"), `"`)
		if got := one.Location + " " + string(one.Code) + " " + limit; got != want || strings.Contains(string(must(json.Marshal(doc))), "rahasia") {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
