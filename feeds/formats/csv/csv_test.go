package csv

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
)

const gauge = `{thing: .id, property: "water_level", value: (.level|num), unit: "m", at: (.time|zoned("WIB")), lat: (.lat|num), lng: (.lng|num)}`

const table = "id,time,lat,lng,level\nG1,2026-11-25 08:59:00,-0.83,100.63,3.4\nG2,2026-11-25 08:59:30,,,0.5\n"

func format(t testing.TB, options map[string]any) feeds.Format {
	t.Helper()
	f, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func decode(t testing.TB, options map[string]any, body string) feeds.Batch {
	t.Helper()
	b, err := format(t, options).Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTable(t *testing.T) {
	for name, body := range map[string]string{
		"comma": table, "semicolon": strings.ReplaceAll(table, ",", ";"), "tab": strings.ReplaceAll(table, ",", "\t"), "bar": strings.ReplaceAll(table, ",", "|"),
		"CRLF and a mark": "\xef\xbb\xbf\r\n" + strings.ReplaceAll(table, "\n", "\r\n"), "no end of the last line": strings.TrimSpace(table),
	} {
		t.Run(name, func(t *testing.T) {
			b := decode(t, map[string]any{"map": gauge}, body)
			if len(b.Observations) != 2 || len(b.Rejected) > 0 {
				t.Fatalf("got %+v", b)
			}
			o := b.Observations[0]
			if o.Thing != "G1" || o.Value.Num != 3.4 || !o.Placed || o.At.String() != "2026-11-25T01:59:00.000Z" || b.Observations[1].Placed {
				t.Errorf("got %+v", b.Observations)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	b := decode(t, map[string]any{"map": `{thing: .a, property: "p", value: .b}`, "delimiter": "tab", "columns": []any{"a", "b"}}, "x,y\tz\n")
	if len(b.Observations) != 1 || b.Observations[0].Thing != "x,y" || b.Observations[0].Value.Text != "z" {
		t.Errorf("got %+v", b)
	}
	_, err := New(map[string]any{"map": "[", "delimiter": ",,", "columns": []any{"a", "a"}, "each": "."})
	for _, want := range []string{"map: ", "delimiter: want one character", `columns: two columns are named "a"`, "each: the format csv has no such option"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	for _, bad := range []map[string]any{{}, {"map": ".", "delimiter": 7}, {"map": ".", "columns": "a"}, {"map": ".", "columns": []any{}}, {"map": ".", "delimiter": "\n"}} {
		if _, err := New(bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

func TestRows(t *testing.T) {
	type row struct {
		Line   int
		Fields []string
		Fault  string
	}
	for name, c := range map[string]struct {
		body string
		want []row
	}{
		"quotes":              {`"a ""b""",c,""` + "\n", []row{{1, []string{`a "b"`, "c", ""}, ""}}},
		"a text of two lines": {"1,\"x\ny\"\n2,z\n", []row{{1, []string{"1", "x\ny"}, ""}, {3, []string{"2", "z"}, ""}}},
		"a quote never closed costs its line": {"1,\"x\n2,y\n3,\"z\"\n", []row{{1, nil, "a quote is not closed"}, {2, []string{"2", "y"}, ""},
			{3, []string{"3", "z"}, ""}}},
		"a quote inside":       {"1,5\" pipe\n2,y\n", []row{{1, nil, "a quote inside a field that is not quoted"}, {2, []string{"2", "y"}, ""}}},
		"after a quote":        {"\"a\"b,c\n", []row{{1, nil, "something stands between a closing quote and the delimiter"}}},
		"empty lines":          {"\n\na\n \n", []row{{3, []string{"a"}, ""}}},
		"the last field empty": {"a,\n", []row{{1, []string{"a", ""}, ""}}},
		"not UTF-8":            {"a\xff\nb\n", []row{{1, nil, "the row is not UTF-8"}, {2, []string{"b"}, ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []row
			for r := (&rows{rest: []byte(c.body), delimiter: ','}); ; {
				fields, line, fault := r.next()
				if line == 0 {
					break
				}
				got = append(got, row{line, fields, fault})
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestContract(t *testing.T) {
	feedtest.Contract(t, format(t, map[string]any{"map": gauge}), []byte(table))
}

func TestOneBadRow(t *testing.T) {
	f := format(t, map[string]any{"map": gauge})
	feedtest.OneBad(t, f, []byte(table+"G3,2026-11-25 08:59:30,1\n"), 2, "line 4: 3 fields where there are 5 columns")
	feedtest.OneBad(t, f, []byte(table+"G3,2026-11-25 08:59:30,-0.8,100.6,tinggi\n"), 2, "line 4: map: ", "no number")
	feedtest.OneBad(t, f, []byte(table+"G3,2026-11-25 08:59:30,100.6,-0.8,1\n"), 2, "line 4: ", "lat")
}

func TestOtherDocuments(t *testing.T) {
	f := format(t, map[string]any{"map": gauge})
	for _, body := range []string{"{}", "[1]", "<a/>", "a\x00b", "a,a\n", "\"a\n", strings.Repeat("a,", 2000)} {
		b, err := f.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.40q was taken: %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
	if b := decode(t, map[string]any{"map": gauge}, "id,time\n"); b.Records()+len(b.Rejected) != 0 {
		t.Errorf("a head alone: %+v", b)
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/seed/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds under testdata/seed")
	}
	for _, file := range files {
		f.Add(feedtest.Read(f, file))
	}
	table := format(f, map[string]any{"map": `{thing: (.id // "x"), property: "row", value: tojson}`})
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := table.Decode(body, feedtest.Meta())
		feedtest.Check(t, b, err)
		if lines := strings.Count(string(body), "\n") + 1; b.Records()+len(b.Rejected) > lines {
			t.Errorf("%d records of %d lines", b.Records(), lines)
		}
	})
}
