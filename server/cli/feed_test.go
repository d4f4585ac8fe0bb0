package cli

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the goldens")

// The table that a person reads, and the code that a script reads.
func TestFeedTry(t *testing.T) {
	sungai, body := "testdata/try/sungai.yaml", "testdata/try/body.json"
	broken, empty := filepath.Join(t.TempDir(), "broken.json"), filepath.Join(t.TempDir(), "empty.json")
	for file, text := range map[string]string{broken: `{"data":[`, empty: `{"data":[]}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		golden string
		code   int
		args   []string
		err    string
	}{
		{"table", 0, []string{sungai, "--feed", "sungai", "--body", body}, ""},
		{"broken", 1, []string{sungai, "--feed", "sungai", "--body", broken}, "nothing would be stored"},
		{"", 1, []string{sungai, "--feed", "sungai", "--body", empty}, "nothing would be stored"},
		{"", 2, []string{sungai, "--body", body}, "name: holds several feeds; name one of: other, sungai"},
		{"", 2, []string{sungai, "--feed", "none", "--body", body}, `there is no feed "none" here; there are: other, sungai`},
		{"", 2, []string{"nowhere.yaml"}, "cannot be read"},
		{"", 1, []string{sungai, "--feed", "other", "--fetch", "--body", body}, "one of them is enough"},
		{"", 1, []string{sungai, "--feed", "other", "--fetch"}, "nothing would be stored"},
	} {
		code, out, errOut := run(append([]string{"feed", "try"}, c.args...)...)
		if code != c.code || !strings.Contains(errOut, c.err) {
			t.Errorf("%v: code %d\n%s%s", c.args, code, out, errOut)
		}
		if c.golden == "" {
			continue
		}
		golden := filepath.Join("testdata/try", c.golden+".txt")
		if *update {
			if err := os.WriteFile(golden, []byte(out), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || string(want) != out {
			t.Errorf("%s: %v\n%s", golden, err, out)
		}
	}
	_, out, _ := run("feed", "try", sungai, "--feed", "sungai", "--body", body, "--json")
	var got struct {
		Receipt struct{ Accepted int }
		Records struct{ Observations []map[string]any }
		Places  struct{ Inside, Outside, Unplaced int }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Receipt.Accepted != 3 || got.Records.Observations[0]["value"] != 3.4 || got.Places.Outside != 1 || got.Places.Unplaced != 1 {
		t.Errorf("%v %+v", err, got)
	}
}

// Every shipped sample can be tried, feed by feed.
func TestFeedTryReadsTheSamples(t *testing.T) {
	code, out, errOut := run("feed", "try", "../../deploy/feeds/airquality.yaml", "--feed", "airrohr", "--body", "-")
	if code != 1 || !strings.Contains(out, "airrohr") && !strings.Contains(errOut, "nothing") {
		t.Errorf("%d %s %s", code, out, errOut)
	}
}
