package json

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
)

// gauge is the example of INTERFACES, section 3.
const gauge = `{thing: .dev, property: "water_level", value: .lvl, unit: "m", at: .ts, lat: .lat, lng: .lng}`

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

const one = `{"dev":"dev-12","lvl":3.4,"ts":"2026-11-25T08:59:00+07:00","lat":-0.83,"lng":100.63}`

func TestExample(t *testing.T) {
	b := decode(t, map[string]any{"map": gauge}, "\xef\xbb\xbf"+one+"\n")
	if len(b.Observations) != 1 {
		t.Fatalf("got %+v", b)
	}
	o := b.Observations[0]
	if o.Thing != "dev-12" || o.Property != "water_level" || o.Value.Num != 3.4 || o.Unit != "m" || !o.Placed || o.At.String() != "2026-11-25T01:59:00.000Z" {
		t.Errorf("got %+v", o)
	}
}

func TestContract(t *testing.T) {
	f := format(t, map[string]any{"map": gauge, "each": ".[]"})
	sample := []byte("[" + one + "," + strings.Replace(one, "3.4", `"high"`, 1) + ",\n {}]")
	feedtest.Contract(t, f, sample)
	for cut := 1; cut < len(sample); cut++ {
		if _, err := f.Decode(sample[:cut], feedtest.Meta()); err == nil {
			t.Errorf("cut at byte %d: want an error", cut)
		}
	}
}

func TestOneBadItem(t *testing.T) {
	feedtest.OneBad(t, format(t, map[string]any{"map": gauge, "each": ".[]"}), []byte("["+one+`,{"dev":"x","lvl":[],"ts":0}]`), 1, "value: want a number")
}

func TestLines(t *testing.T) {
	b := decode(t, map[string]any{"map": gauge}, one+"\n\n{\"dev\":\n"+strings.Replace(one, "12", "13", 1)+"\n[1]\n{\"dev\":1,\"dev\":2}\n")
	if len(b.Observations) != 2 || len(b.Rejected) != 3 || b.Observations[1].Index != 2 {
		t.Fatalf("got %+v", b)
	}
	for i, want := range []string{"line 3: ", "line 5: map: ", "line 6: key \"dev\" given twice"} {
		if !strings.HasPrefix(b.Rejected[i].Reason, want) {
			t.Errorf("reason %q, want %q", b.Rejected[i].Reason, want)
		}
	}
}

func TestRefusedDocuments(t *testing.T) {
	f := format(t, map[string]any{"map": gauge})
	for _, body := range []string{"{", one + "x", "<rss/>", `{"a":1,"a":2}`, `{"a":1,"A":2}`, "{\"a\":\"\xff\"}", strings.Repeat("[", 70) + strings.Repeat("]", 70), "\x00\x01"} {
		b, err := f.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.40q was taken: %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
	if b := decode(t, map[string]any{"map": gauge}, " \n"); b.Records()+len(b.Rejected)+len(b.Ignored) != 0 {
		t.Errorf("an empty body: %+v", b)
	}
}

func TestOptions(t *testing.T) {
	_, err := New(map[string]any{"map": "{", "mpa": "."})
	if err == nil || !strings.Contains(err.Error(), "map: ") || !strings.Contains(err.Error(), "mpa: ") {
		t.Errorf("not all faults at once: %v", err)
	}
	if _, err := New(nil); err == nil || !strings.Contains(err.Error(), "map: a jq program is required") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkDecode(b *testing.B) {
	f := format(b, map[string]any{"map": gauge, "each": ".[]"})
	body := []byte("[" + strings.TrimSuffix(strings.Repeat(one+",", 10000), ",") + "]")
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if batch, err := f.Decode(body, feedtest.Meta()); err != nil || len(batch.Observations) != 10000 {
			b.Fatal(err)
		}
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
	each := format(f, map[string]any{"map": gauge, "each": ".[]?"})
	whole := format(f, map[string]any{"map": ".. | objects"})
	f.Fuzz(func(t *testing.T, body []byte) {
		keep := bytes.Clone(body)
		for _, format := range []feeds.Format{each, whole} {
			b, err := format.Decode(body, feedtest.Meta())
			feedtest.Check(t, b, err)
		}
		if !bytes.Equal(keep, body) {
			t.Error("the body was changed")
		}
	})
}
