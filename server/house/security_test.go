package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	named    = regexp.MustCompile("`(Test[A-Z][A-Za-z0-9]*|[a-z-]+\\.(?:spec|test)\\.ts)`")
	declared = regexp.MustCompile(`(?m)^func (Test[A-Z][A-Za-z0-9]*)\(t \*testing\.T\)`)
	place    = regexp.MustCompile("`([a-z][A-Za-z0-9_./-]+)`")
)

// tests lists every test of the repository: functions in Go, files of the frontend.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, top := range []string{"geo", "feeds", "alerts", "server", "frontend/src", "frontend/e2e"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || d.IsDir():
				return err
			case strings.HasSuffix(path, ".spec.ts"), strings.HasSuffix(path, ".test.ts"):
				all[filepath.Base(path)] = true
			case strings.HasSuffix(path, "_test.go"):
				text, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
					all[m[1]] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// Each threat has a control, a place and tests that exist, or says why there are none; no row is missing.
func TestEveryThreatHasItsProof(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "deploy", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := tests(t)
	for _, m := range named.FindAllStringSubmatch(string(text), -1) {
		if !there[m[1]] {
			t.Errorf("deploy/SECURITY.md names %s, which does not exist", m[1])
		}
	}
	row := regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+)\|([^|]*)\|([^|]*)\|([^|]*)\|$`)
	seen := map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		number, control, where, proof := m[1], strings.TrimSpace(m[3]), strings.TrimSpace(m[4]), strings.TrimSpace(m[5])
		seen[number] = true
		proven := named.MatchString(proof)
		if !proven && !strings.Contains(proof, "yet") {
			t.Errorf("threat %s has neither a test nor a reason", number)
		}
		if proven && (control == "" || where == "") {
			t.Errorf("threat %s does not say what holds it off, and where", number)
		}
		for _, p := range place.FindAllStringSubmatch(where, -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(p[1]))); err != nil {
				t.Errorf("threat %s stands at %s, which does not exist", number, p[1])
			}
		}
	}
	for _, number := range strings.Fields("1 2 3 4 5 6 7 8 9 10 11 13 14 15 16 17 18 19 20") {
		if !seen[number] {
			t.Errorf("threat %s is missing", number)
		}
	}
}
