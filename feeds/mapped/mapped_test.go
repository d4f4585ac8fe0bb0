package mapped

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
)

func value(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func run(t testing.TB, options map[string]any, doc string) (feeds.Batch, error) {
	t.Helper()
	m, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	meta := feedtest.Meta()
	meta.Topic = "awlr/dev-12/up"
	r := m.Begin(meta, len(doc))
	if err := r.Document(value(t, doc), ""); err != nil {
		return feeds.Batch{}, err
	}
	return r.Batch(), nil
}

// Faults are found before the first byte arrives, each with its key.
func TestFaultsOfPrograms(t *testing.T) {
	for _, c := range []struct {
		name, program string
		want          []string
	}{
		{"empty", " ", []string{"map: a jq program is required"}},
		{"grammar", "{thing: .dev,\n value: }", []string{"map: line 2 column 9 of the program: unexpected token"}},
		{"not closed", "{thing: .dev", []string{"unexpected EOF"}},
		{"unknown function", "{thing: .dev | tostrng}", []string{"tostrng"}},
		{"unknown variable", "{thing: $device}", []string{"$device"}},
		{"environment", "{thing: env.HOME, property: $ENV.PATH}", []string{"map: $ENV: the environment", "map: env: the environment"}},
		{"further input, also inside a text", `{thing: "\(input)", value: [inputs]}`, []string{"map: input: there is one input", "map: inputs: there is one input"}},
		{"clock", "{at: now} | debug", []string{"map: now: a map has no clock", "map: debug: "}},
		{"the machine's zone", "def f: localtime; f", []string{"use zoned"}},
		{"modules", `import "a" as a; .`, []string{"there are no modules"}},
		{"too long", strings.Repeat(" .", maxSource), []string{"more than"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(map[string]any{"map": c.program})
			if err == nil {
				t.Fatal("taken")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
	_, err := New(map[string]any{"map": 7, "each": "["})
	if err == nil || !strings.Contains(err.Error(), "map: want a jq program") || !strings.Contains(err.Error(), "each: ") {
		t.Errorf("not all at once: %v", err)
	}
	var f *Fault
	if !errors.As(err, &f) || f.Key != "map" {
		t.Errorf("the fault names no key: %v", err)
	}
}

func TestRecords(t *testing.T) {
	b, err := run(t, map[string]any{"map": `{thing: ($topic / "/")[1], property: "water_level", value: .lvl, unit: "m", at: .ts, lat: .lat, lng: .lng},
		[{record: "report", id: (.n|tostring), text: "x", lat: .lat, lng: .lng}, {record: "position", unit: "u", lat: .lat, lng: .lng}],
		{record: "alert", identifier: "a", sent: "2026-11-25T07:00:00Z", event: "Banjir"}, null`},
		`{"lvl":3.40,"ts":1795590251,"lat":-0.83,"lng":100.63,"n":9007199254740993}`)
	if err != nil || len(b.Observations) != 1 || len(b.Reports) != 1 || len(b.Positions) != 1 || len(b.Alerts) != 1 || len(b.Rejected)+len(b.Ignored) > 0 {
		t.Fatalf("%v %+v", err, b)
	}
	o := b.Observations[0]
	if o.Thing != "dev-12" || o.Value.Num != 3.4 || !o.Placed || o.Position.Lat != -0.83 || o.At.Milli() != 1795590251000 || o.Kind != "thing" {
		t.Errorf("got %+v", o)
	}
	if b.Reports[0].ID != "9007199254740993" {
		t.Errorf("a long id lost digits: %s", b.Reports[0].ID)
	}
}

func TestEachItemAlone(t *testing.T) {
	b, err := run(t, map[string]any{"each": ".results[]", "map": `{thing: .id, property: "x", value: (.v|num), at: $doc.at}`},
		`{"at":"2026-11-25T07:00:00Z","results":[{"id":"a","v":"1.5"},{"id":"b","v":"n/a"},{"id":"c","v":2},{"id":7,"v":3}]}`)
	if err != nil || len(b.Observations) != 2 || len(b.Rejected) != 2 {
		t.Fatalf("%v %+v", err, b)
	}
	if r := b.Rejected; r[0].Index != 1 || !strings.Contains(r[0].Reason, `"n/a" is no number`) || r[1].Index != 3 || !strings.Contains(r[1].Reason, "thing: want a string") {
		t.Errorf("rejected %+v", r)
	}
	if b.Observations[1].At.IsZero() {
		t.Error("$doc was not seen")
	}
}

func TestWhatAProgramGetsWrong(t *testing.T) {
	for program, want := range map[string]string{
		`.a.b.c[]`:                              "map: cannot iterate over",
		`7`:                                     "the map gives number where a record should be",
		`{thing: "a", property: "b", valeu: 1}`: `a field that no record has: "valeu"`,
		`{thing: "a", property: "b", value: 1, lon: 3}`:                `say "lng"`,
		`{thing: "a", property: "b", value: infinite}`:                 "value: not a finite number",
		`{thing: "a", property: "b", value: nan}`:                      "value: not a finite number",
		`{thing: "a", property: "b", value: 1, lat: 100.6, lng: -0.9}`: "lat",
		`{thing: "a", property: "b", value: 1, at: "yesterday"}`:       "at: ",
		`error("no level")`: "no level",
	} {
		b, err := run(t, map[string]any{"map": program}, `{"a":1}`)
		feedtest.Check(t, b, err)
		if err != nil || len(b.Rejected) != 1 || !strings.Contains(b.Rejected[0].Reason, want) && !strings.Contains(b.Rejected[0].Reason, "expected an object") {
			t.Errorf("%s: %v %+v, want %q", program, err, b.Rejected, want)
		}
	}
	for _, program := range []string{"empty", "null", "[]", "[null]"} {
		b, err := run(t, map[string]any{"map": program}, `{}`)
		if err != nil || len(b.Ignored) != 1 || b.Records()+len(b.Rejected) > 0 {
			t.Errorf("%s: %v %+v", program, err, b)
		}
	}
	if b, err := run(t, map[string]any{"map": ".", "each": ".list[]"}, `{"list":[]}`); err != nil || len(b.Ignored) != 1 {
		t.Errorf("no items: %v %+v", err, b)
	}
	if _, err := run(t, map[string]any{"map": ".", "each": ".list[]"}, `[1]`); err == nil {
		t.Error("each does not fit, and the document was taken")
	}
}

// A program that never ends costs its delivery, and not the house.
func TestBounds(t *testing.T) {
	for _, program := range []string{"def f: f; f", "last(range(1e12))", "[limit(1e9; repeat(1))]", "try (def f: 1 + f; f) catch 1", "until(false; .)",
		`range(1e9) | {thing: "a", property: "b", value: .}`} {
		b, err := run(t, map[string]any{"map": program}, `{}`)
		if err == nil || b.Records() > 0 || !errors.Is(err, errSpent) && !errors.Is(err, errMany) {
			t.Errorf("%s: %v, %d records", program, err, b.Records())
		}
	}
}

func TestNumAndZoned(t *testing.T) {
	for program, want := range map[string]string{
		`"35.67"|num`: "35.67", `" -2 "|num`: "-2", `null|num|tojson`: "null", `""|num|tojson`: "null", `7|num`: "7", `"3,40"|sub(",";".")|num`: "3.4",
		`"2026-01-26 15:57:02"|zoned("Europe/London")`:        "2026-01-26T15:57:02Z",
		`"2015-08-16 09:51:25.000"|zoned("America/New_York")`: "2015-08-16T13:51:25Z",
		`"2026-11-23T14:04:11.5"|zoned("WIB")`:                "2026-11-23T07:04:11.5Z",
		`"2026-11-23 14:04"|zoned("+07:00")`:                  "2026-11-23T07:04:00Z",
		`"2026-11-23T14:04:11+08:00"|zoned("WIB")`:            "2026-11-23T06:04:11Z",
		`""|zoned("WIT")|tojson`:                              "null",
	} {
		m, err := New(map[string]any{"map": `{thing: "a", property: "b", value: (` + program + `|tostring)}`})
		if err != nil {
			t.Fatal(err)
		}
		r := m.Begin(feedtest.Meta(), 2)
		if err := r.Document(map[string]any{}, ""); err != nil {
			t.Fatal(err)
		}
		if b := r.Batch(); len(b.Observations) != 1 || b.Observations[0].Value.Text != want {
			t.Errorf("%s: %+v, want %s", program, b, want)
		}
	}
	for _, program := range []string{`"0x10"|num`, `"Inf"|num`, `{}|num`, `"12 m"|num`, `"soon"|zoned("WIB")`, `"2026-01-01"|zoned("Mars/Base")`, `"2026-01-01"|zoned("+99:00")`, `7|zoned("WIB")`, `"x"|zoned(7)`, `"2026-01-01"|zoned("Local")`} {
		b, err := run(t, map[string]any{"map": program}, `{}`)
		if err != nil || len(b.Rejected) != 1 {
			t.Errorf("%s: %v %+v", program, err, b)
		}
	}
}
