package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/alerts/rules/ruletest"
)

// The samples that people copy from do what their own tests say.
func TestTheSampleRulesDoWhatTheirTestsSay(t *testing.T) {
	files, err := filepath.Glob("../../deploy/rules/*.test.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v %v", files, err)
	}
	for _, lang := range []string{"id", "en"} {
		code, out, errOut := run(append([]string{"rules", "test", "--lang", lang}, files...)...)
		if code != 0 || errOut != "" || !strings.Contains(out, map[string]string{"id": ", 0 gagal", "en": ", 0 failed"}[lang]) {
			t.Errorf("code %d\n%s%s", code, out, errOut)
		}
	}
	code, out, _ := run(append([]string{"rules", "test", "--json"}, files...)...)
	var list []ruletest.Result
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 || len(list) != len(files) || len(list[0].Tests) == 0 {
		t.Errorf("code %d, %v: %s", code, err, out)
	}
}

func TestATestThatFailsSaysWhereAndWhy(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("air.yaml", `rules:
  - id: air
    when: obs.property == "water_level" && obs.value >= 3.0
    samples: 1
    alert: {event: "Air tinggi", category: Met, severity: Severe, urgency: Immediate, certainty: Observed}
`)
	wrong := write("wrong.test.yaml", `rules_file: air.yaml
tests:
  - name: never so high
    series:
      - {thing: "awlr:1", property: water_level, unit: m, values: "2.0x5 every 1m"}
    expect:
      - {rule: air, on: "awlr:1", at: 2m}
`)
	code, out, errOut := run("rules", "test", "--lang", "en", wrong)
	if code != exitFailed || !strings.Contains(out, "wrong.test.yaml:7") || !strings.Contains(out, "0 passed, 1 failed") || !strings.Contains(errOut, errTests.Error()) {
		t.Errorf("code %d\n%s\n%s", code, out, errOut)
	}
	for name, text := range map[string]string{
		"no.test.yaml":      "tests: [",
		"unknown.test.yaml": "rules_file: air.yaml\ntests:\n  - nmae: x\n",
		"missing.test.yaml": "rules_file: nowhere.yaml\ntests: []\n",
	} {
		if code, _, errOut := run("rules", "test", write(name, text)); code != exitFailed || !strings.Contains(errOut, strings.TrimSuffix(name, ".test.yaml")) {
			t.Errorf("%s: code %d, %s", name, code, errOut)
		}
	}
}
