package ruletest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the goldens")

func TestExamplesOfTheDemoPass(t *testing.T) {
	files, err := filepath.Glob("../../../deploy/rules/*.test.yaml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		r, err := Run(f)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Passed() || len(r.Tests) < 5 {
			t.Error(r.Text("en"))
		}
	}
}

// What went wrong is told so that a person finds the line and sees the difference, in both languages.
func TestFailuresAreTold(t *testing.T) {
	r, err := Run("testdata/wrong.test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := r.Text("id") + "\n" + r.Text("en")
	const golden = "testdata/wrong.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestFaultsOfAFileNameTheirLine(t *testing.T) {
	const rule = "rules:\n  - id: a\n    when: obs.property == \"x\" && obs.value > 1.0\n    alert: {event: X, category: Met, severity: Severe, urgency: Immediate, certainty: Observed}\n"
	const tests = "tests:\n  - name: one\n    series:\n      - "
	for name, c := range map[string]struct{ text, want string }{
		"empty":                {"", "rules_file or rules"},
		"no tests":             {rule, "it has no tests"},
		"an unknown key":       {rule + tests + "{thing: a, property: x, value: 1 every 1m}\n", `unknown field "value"`},
		"values":               {rule + tests + "{thing: a, property: x, values: 1 2y every 1m}\n", "8: tests[0].series[0]: value \"2y\""},
		"no interval":          {rule + tests + "{thing: a, property: x, values: 1 2}\n", "8: tests[0].series[0]: \"1 2\": want values and then how often"},
		"a position":           {rule + tests + "{thing: a, positions: \"100,-91 every 1m\"}\n", "8: tests[0].series[0]: position"},
		"a rule that is none":  {strings.Replace(rule, "obs.value", "obs.valu", 1) + tests + "{thing: a, property: x, values: 1 every 1m}\n", `rule "a": when: ERROR: <input>:1:27`},
		"a step without times": {rule + tests + "{thing: a, property: x, values: 1+2 every 1m}\n", `value "1+2"`},
		"a start":              {"start: tomorrow\n" + rule + tests + "{thing: a, property: x, values: 1 every 1m}\n", ":1: start:"},
		"no such rules":        {"rules_file: none.yaml\n" + tests + "{thing: a, property: x, values: 1 every 1m}\n", ":1: rules_file:"},
	} {
		path := filepath.Join(t.TempDir(), "a.test.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Run(path)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestValues(t *testing.T) {
	for text, want := range map[string]string{
		"2.8+0.1x3 every 1m":     "0s 2.8|1m0s 2.9|2m0s 3|3m0s 3.1",
		"3x2 _ -1e2 every 10s":   "0s 3|10s 3|20s 3|40s -100",
		"_x2 1-0.5x1 every 1s":   "2s 1|3s 0.5",
		"true 'on air' every 1h": "0s true|1h0m0s on air",
		"-1--1x1 every 1s":       "",
	} {
		points, err := parseValues(text)
		var got []string
		for _, p := range points {
			got = append(got, fmt.Sprint(p.at, " ", p.value.Any()))
		}
		if want == "" {
			if err == nil {
				t.Errorf("%s: %v", text, got)
			}
			continue
		}
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
	way, err := parsePositions("100,-1 to 102,-1 x2 100,0 every 1m")
	if err != nil || len(way) != 4 || way[1].place.Lng != 101 || way[3].at != 3*time.Minute {
		t.Errorf("%+v %v", way, err)
	}
}

func FuzzValues(f *testing.F) {
	for _, s := range []string{"2.8+0.1x10 every 1m", "_x3 'a b' true every 5s", "1--2x3 every 1s", "x every 1m", "'  every 1m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		points, err := parseValues(text)
		for i := 1; err == nil && i < len(points); i++ {
			if points[i].at <= points[i-1].at {
				t.Fatalf("%q: reading %d is not after the one before", text, i)
			}
		}
		_, _ = parsePositions(text)
	})
}
