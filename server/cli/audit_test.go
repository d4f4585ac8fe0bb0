package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/alerts/audit/tree"
	"kentongan/alerts/audit/verify/verifytest"
	"kentongan/server/witness"
)

// kept is what an auditor has in hand: an export, a witness's checkpoints, keys and tiles.
func kept(t *testing.T) (dir string, l *verifytest.Log) {
	t.Helper()
	dir = t.TempDir()
	keys, err := verifytest.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	if l, err = verifytest.Make(11, 1500, keys, nil); err != nil {
		t.Fatal(err)
	}
	var edge tree.Edge
	if err := witness.NewMirror(filepath.Join(dir, "saksi")).Write(edge.Append(l.Leaves)); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "checkpoints", l.Kept())
	put(t, dir, "keys", []byte("# the log's, and the ombudsman's\n"+l.Log+"\n\n"+l.Witness+"\n"))
	export(t, dir, l, l.Entries)
	return dir, l
}

func put(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func export(t *testing.T, dir string, l *verifytest.Log, entries []verifytest.Entry) {
	t.Helper()
	var b bytes.Buffer
	if err := l.Export(&b, entries); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "export", b.Bytes())
}

func TestAuditVerify(t *testing.T) {
	dir, l := kept(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	all := []string{"audit", "verify", at("export"), "--checkpoints", at("checkpoints"), "--key", at("keys"), "--tiles", at("saksi")}

	code, out, _ := run(append(all, "--lang", "en")...)
	if code != 0 || !strings.HasPrefix(out, "GOOD: log "+verifytest.Name+", records 1 to 1500") {
		t.Fatalf("%d\n%s", code, out)
	}
	if code, out, _ = run(all...); code != 0 || !strings.HasPrefix(out, "BAIK: jejak") {
		t.Errorf("%d\n%s", code, out)
	}
	if code, out, _ = run("audit", "verify", at("export"), "--key", l.Log, "--json"); code != 0 || !strings.Contains(out, `"signatures_checked": true`) {
		t.Errorf("a key by itself: %d\n%s", code, out)
	}
	if code, out, _ = run("audit", "verify", at("export"), "--lang", "en"); code != 0 || !strings.Contains(out, "Signatures were NOT checked") {
		t.Errorf("without a key: %d\n%s", code, out)
	}

	// One record changed, and everything made and signed anew.
	bent := append([]verifytest.Entry(nil), l.Entries...)
	bent[776].Canonical = bytes.Replace(bent[776].Canonical, []byte(`"actor":"`), []byte(`"actor":"x`), 1)
	export(t, dir, l, bent)
	code, out, errOut := run(append(all, "--lang", "en")...)
	if code != 1 || !strings.Contains(out, "BAD: log "+verifytest.Name+". Record 777 is not what the witness keeps") || errOut == "" {
		t.Errorf("%d\n%s", code, out)
	}
	code, out, _ = run(append(all[:len(all)-2:len(all)-2], "--json")...)
	var r struct {
		OK    bool `json:"ok"`
		First struct {
			From, To int64
			Kind     string
		} `json:"first_bad"`
		Said string
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 1 || r.OK || r.First.Kind != "root" || r.First.From > 777 || r.First.To < 777 || r.Said == "" {
		t.Errorf("%d %v\n%s", code, err, out)
	}
}

func TestAuditVerifyMisused(t *testing.T) {
	dir, _ := kept(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	put(t, dir, "hello", []byte("hello\n"))
	for name, args := range map[string][]string{
		"no export":           {},
		"an export not there": {at("nothing")},
		"no export in it":     {at("hello")},
		"no checkpoints":      {at("export"), "--checkpoints", at("hello")},
		"no key":              {at("export"), "--key", "abc"},
		"no tiles":            {at("export"), "--tiles", dir},
	} {
		if code, out, errOut := run(append([]string{"audit", "verify"}, args...)...); code != 2 || errOut == "" {
			t.Errorf("%s: %d\n%s%s", name, code, out, errOut)
		}
	}
	for name, args := range map[string][]string{
		"no address": {"--data", dir},
		"a file":     {"--data", dir, "--log", "file:///etc/passwd"},
		"too often":  {"--data", dir, "--log", "http://127.0.0.1:1", "--every", "1ms"},
		"a bad key":  {"--data", dir, "--log", "http://127.0.0.1:1", "--key", "abc"},
	} {
		if code, _, errOut := run(append([]string{"witness"}, args...)...); code != 2 || errOut == "" {
			t.Errorf("witness, %s: %d %s", name, code, errOut)
		}
	}
}
