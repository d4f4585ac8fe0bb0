package native

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo/moment"
)

var received = time.Date(2026, 11, 23, 7, 4, 11, 412e6, time.UTC)

func meta() feeds.Meta { return feeds.Meta{Feed: "awlr", Kind: "river_gauge", ReceivedAt: received} }

func decode(t *testing.T, body string, m feeds.Meta) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), m)
	if err != nil {
		t.Fatalf("%.80s: %v", body, err)
	}
	return b
}

const good = `{"thing":"dev-12","property":"water_level","value":3.4,"unit":"m","at":"2026-11-23T14:04:11.5+07:00","lng":100.63,"lat":-0.83}`

func TestObservationIsReadWhole(t *testing.T) {
	forms := map[string]string{
		"one record":   good,
		"array":        "[" + good + "]",
		"two lines":    good + "\n\n" + good + "\n",
		"GeoJSON":      `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[100.63,-0.83]},"properties":{"thing":"dev-12","property":"water_level","value":3.4,"unit":"m","at":"2026-11-23T07:04:11.5Z"}}]}`,
		"escapes":      strings.Replace(good, "dev-12", `dev\u002d12`, 1),
		"milliseconds": strings.Replace(good, `"2026-11-23T14:04:11.5+07:00"`, "1795417451500", 1),
		"seconds":      strings.Replace(good, `"2026-11-23T14:04:11.5+07:00"`, "1795417451.5", 1),
		"byte mark":    "\xef\xbb\xbf" + good,
	}
	for name, body := range forms {
		t.Run(name, func(t *testing.T) {
			b := decode(t, body, meta())
			if len(b.Rejected) > 0 || len(b.Observations) == 0 {
				t.Fatalf("%d observations, refused %v", len(b.Observations), b.Rejected)
			}
			o := b.Observations[0]
			if o.Thing != "dev-12" || o.Property != "water_level" || o.Value.Any() != 3.4 || o.Unit != "m" || o.Kind != "river_gauge" || o.Quality != feeds.Good {
				t.Errorf("read as %+v", o)
			}
			if got := o.At.String(); got != "2026-11-23T07:04:11.500Z" {
				t.Errorf("at %s", got)
			}
			if !o.Placed || o.Position.Lat != -0.83 || o.Position.Lng != 100.63 {
				t.Errorf("place %v %v", o.Placed, o.Position)
			}
		})
	}
	if b := decode(t, forms["two lines"], meta()); len(b.Observations) != 2 || b.Observations[1].Index != 1 {
		t.Errorf("two lines give %d observations", len(b.Observations))
	}
}

func TestRefusalsNameTheField(t *testing.T) {
	with := func(field, value string) string {
		return fmt.Sprintf(`{"thing":"a","property":"p","value":1,%q:%s}`, field, value)
	}
	for _, c := range []struct{ body, want string }{
		{`{"property":"p","value":1}`, "thing: required"},
		{`{"thing":"","property":"p","value":1}`, "thing: required"},
		{`{"thing":"  ","property":"p","value":1}`, "thing: nothing but space"},
		{`{"thing":7,"property":"p","value":1}`, "thing: want a string, not a number"},
		{`{"thing":"a","value":1}`, "property: required"},
		{`{"thing":"a","property":"p"}`, "value: required"},
		{`{"thing":"a","property":"p","value":null}`, "value: want a number, string or bool, not null"},
		{`{"thing":"a","property":"p","value":[1]}`, "not an array"},
		{`{"thing":"a","property":"p","value":1e999}`, "value: 1e999 is beyond"},
		{`{"thing":"a","property":"p","value":1,"value":2}`, `key "value" given twice`},
		{`{"thing":"a","property":"p","value":1,"Value":2}`, "differ only in case"},
		{`{"thing":"a","property":"p","Value":2}`, `field "Value" is not known: say "value"`},
		{with("lng", "100"), "one is given without the other"},
		{`{"thing":"a","property":"p","value":1,"lng":100,"lat":91}`, "latitude 91 is not within"},
		{`{"thing":"a","property":"p","value":1,"lng":540,"lat":0}`, "longitude 540 is not within"},
		{`{"thing":"a","property":"p","value":1,"lng":"100","lat":"1"}`, "lng: want a number, not a string"},
		{with("lon", "100"), `say "lng"`},
		{with("timestamp", "1"), `say "at"`},
		{with("at", `"2026-11-23T07:04:11"`), "RFC 3339 with an offset"},
		{with("at", `"2026-11-23T07:04:60Z"`), "RFC 3339 with an offset"},
		{with("at", `"2026-02-29T07:04:00Z"`), "RFC 3339 with an offset"},
		{with("at", `"1950-01-01T00:00:00Z"`), "outside 1970 to 9999"},
		{with("at", "-5"), "neither seconds nor milliseconds"},
		{with("at", "1e18"), "neither seconds nor milliseconds"},
		{with("at", "true"), "at: want a number, not a bool"},
		{with("unit", `"`+strings.Repeat("m", maxName+1)+`"`), "unit: 257 bytes, more than 256"},
		{with("name", `"a\u0000b"`), "control character"},
		{with("name", "\"\xff\""), "not UTF-8"},
		{with("name", `"\ud800"`), "half a surrogate"},
		{with("attrs", "[]"), "attrs: want an object"},
		{with("quality", `"bad"`), "quality"},
		{with("record", `"alarm"`), "none of observation, alert, report, position"},
		{`[[]]`, "a record is a JSON object"},
		{`7`, "a record is a JSON object"},
	} {
		b := decode(t, c.body, meta())
		if len(b.Rejected) != 1 || !strings.Contains(b.Rejected[0].Reason, c.want) || b.Records() != 0 {
			t.Errorf("%.90s\n want %q\n  got %v with %d records", c.body, c.want, b.Rejected, b.Records())
		}
	}
}

func TestBadLineCostsItself(t *testing.T) {
	b := decode(t, good+"\nrubbish\n"+`{"thing":"x"`+"\n"+good, meta())
	if len(b.Observations) != 2 || b.Observations[1].Index != 3 || len(b.Rejected) != 2 {
		t.Fatalf("%d observations, refused %v", len(b.Observations), b.Rejected)
	}
	if r := b.Rejected[0]; r.Index != 1 || !strings.Contains(r.Reason, "line 2") {
		t.Errorf("refused as %+v", r)
	}
	m := meta()
	m.ContentType = "application/x-ndjson; charset=utf-8"
	if b := decode(t, "[]", m); len(b.Rejected) != 1 {
		t.Errorf("an array as a line: %v", b.Rejected)
	}
}

func TestOneDocumentIsReadToItsEndOrNotAtAll(t *testing.T) {
	for _, body := range []string{"[" + good, "[" + good + "," + good, good + "x", good[:40], "[" + good + "]]", "<html></html>", "\x00\x01", "[" + good + ",]", strings.Repeat("[", 100000), "{\n" + good[1:40]} {
		b, err := Format{}.Decode([]byte(body), meta())
		if err == nil || b.Records() != 0 || len(b.Rejected) != 0 {
			t.Errorf("%.50q: error %v, %d records", body, err, b.Records())
		} else if !strings.Contains(err.Error(), "line 1 column") && !strings.Contains(err.Error(), "line 2 column") {
			t.Errorf("%.50q: %v does not name the place", body, err)
		}
	}
	for _, body := range []string{"", " \n", "[]", `{"type":"FeatureCollection","features":[]}`} {
		if b := decode(t, body, meta()); b.Records() != 0 || len(b.Rejected) != 0 {
			t.Errorf("%q: %+v", body, b)
		}
	}
}

func TestMissingPlaceAndTime(t *testing.T) {
	for _, c := range []string{`"lng":0,"lat":0`, `"lng":null,"lat":null`, `"at":0`, `"at":null`, `"later_field":{"a":1}`} {
		b := decode(t, `{"thing":"a","property":"p","value":true,`+c+`}`, meta())
		if len(b.Observations) != 1 || b.Observations[0].Placed || b.Observations[0].Quality != feeds.Received || b.Observations[0].Value.Any() != true {
			t.Errorf("%s: %+v %v", c, b.Observations, b.Rejected)
		}
	}
}

func TestOtherRecords(t *testing.T) {
	b := decode(t, `[{"record":"alert","identifier":"a1","sent":"2026-11-23T07:00:00Z","event":"Banjir","severity":"severe?","category":"Met","area":{"type":"Feature","geometry":{"type":"Point","coordinates":[100.6,-0.8]},"properties":{"name":"Kubung"}}},
	{"record":"report","id":7,"text":"Pohon\ntumbang","address":"Jl. Sudirman","channel":"sms"},
	{"record":"position","unit":"bpbd/trc-1","lng":100.6,"lat":-0.8,"speed_mps":3,"heading":90},
	{"record":"position","unit":"bpbd/trc-1","lng":0,"lat":0},
	{"record":"position","unit":"bpbd/trc-1","lng":100.6,"lat":-0.8,"heading":720},
	{"record":"report","id":"8","text":"tanpa tempat"},
	{"record":"alert","identifier":"a2","event":"x"}]`, meta())
	if len(b.Alerts) != 1 || len(b.Reports) != 1 || len(b.Positions) != 1 || len(b.Ignored) != 1 || len(b.Rejected) != 3 {
		t.Fatalf("%d alerts, %d reports, %d positions, ignored %v, refused %v", len(b.Alerts), len(b.Reports), len(b.Positions), b.Ignored, b.Rejected)
	}
	a := b.Alerts[0].Message
	if a.Sender != "awlr" || a.Status != "Actual" || a.Infos[0].Severity != "Unknown" || a.Infos[0].Areas[0].Name != "Kubung" || len(a.Infos[0].Areas[0].Shape.Points) != 1 {
		t.Errorf("alert %+v", a)
	}
	if b.Reports[0].ID != "7" || b.Reports[0].Index != 1 || b.Ignored[0].Index != 3 || *b.Positions[0].SpeedMps != 3 {
		t.Errorf("report %+v, ignored %+v", b.Reports[0], b.Ignored)
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	m := meta()
	m.ContentType = "application/x-ndjson"
	b := decode(t, strings.Repeat("x\n", maxRefusals+5), m)
	if len(b.Rejected) != maxRefusals || !strings.Contains(b.Rejected[maxRefusals-1].Reason, "and 5 more refused") {
		t.Errorf("%d refusals, the last %v", len(b.Rejected), b.Rejected[len(b.Rejected)-1])
	}
}

func TestNewRefusesOptions(t *testing.T) {
	if _, err := New(map[string]any{"x": 1}); err == nil {
		t.Error("an option was taken")
	}
	if f, err := New(nil); err != nil || f == nil {
		t.Error(err)
	}
}

// slowly decodes one line by encoding/json alone.
func slowly(line []byte) (feeds.Batch, string) {
	d := newDecoder(meta())
	defer d.release()
	reason := d.slow(line, nil)
	return d.batch, reason
}

// FuzzFastAgreesWithSlow holds the one-pass scanner against encoding/json: what it takes, the slow path takes, and reads the same.
func FuzzFastAgreesWithSlow(f *testing.F) {
	for _, s := range []string{good, `{"thing":"a","property":"b","value":-0.0}`, `{"thing":"µ°","property":"b","value":"x","quality":"suspect","id":"1","kind":"k","name":"n"}`,
		`{ "thing" : "a", "property":"b" ,"value":false,"at":1700000000,"record":"observation"}`, `{"thing":"a","property":"b","value":123456789012345,"at":"2024-02-29T23:59:59.123456789-12:30"}`,
		`{"thing":"a","property":"b","value":0.00000000000001,"lng":-180,"lat":90}`, `{"thing":"a","property":"b","value":1,"at":99999999999}`, "{\"thing\":\"\u0085\",\"property\":\"b\",\"value\":1}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		d := newDecoder(meta())
		defer d.release()
		end, ok := d.fast(line, 0)
		if !ok {
			if len(d.batch.Observations) != 0 {
				t.Fatal("the fast path said no and kept something")
			}
			return
		}
		want, reason := slowly(line[:end])
		if reason != "" {
			t.Fatalf("the fast path took %q, the slow one refuses: %s", line[:end], reason)
		}
		got, exp := d.batch.Observations[0], want.Observations[0]
		if math.Float64bits(got.Value.Num) != math.Float64bits(exp.Value.Num) || !reflect.DeepEqual(got, exp) {
			t.Fatalf("%q\nfast %+v\nslow %+v", line[:end], got, exp)
		}
	})
}

// FuzzDecode looks for panics, and for documents of which something is stored although they do not parse.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("["+good+",{}]"), "")
	f.Add([]byte(good+"\n{}"), "application/x-ndjson")
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[1,2]},"properties":{"record":"alert"}}]}`), "")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		m := meta()
		m.ContentType = contentType
		b, err := Format{}.Decode(body, m)
		if err != nil && (b.Records() > 0 || len(b.Rejected) > 0) {
			t.Fatal("an error and a batch")
		}
		if err == nil && !isLines(body, contentType) && len(bytes.TrimSpace(body)) > 0 && b.Records() > 0 && !json.Valid(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))) {
			t.Fatalf("stored of what encoding/json does not parse: %q", body)
		}
		again, _ := Format{}.Decode(body, m)
		if !reflect.DeepEqual(b, again) && !strings.Contains(fmt.Sprint(b), "NaN") {
			t.Fatal("equal bytes, another batch")
		}
		for _, o := range b.Observations {
			if o.Thing == "" || o.Property == "" || math.IsNaN(o.Value.Num) || math.IsInf(o.Value.Num, 0) || o.Placed && o.Position.Validate() != nil {
				t.Fatalf("stored %+v", o)
			}
		}
	})
}

func TestTimesAgreeWithStandardLibrary(t *testing.T) {
	for at := time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC); at.Year() < 2405; at = at.Add(37*time.Hour + 11*time.Minute + 7*time.Second + 123*time.Millisecond) {
		ms, ok := rfc3339([]byte(at.Format(moment.Layout)))
		if !ok || ms != at.UnixMilli() {
			t.Fatalf("%s read as %d, %v", at.Format(moment.Layout), ms, ok)
		}
	}
}

func lines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"thing":"dev-%d","property":"water_level","value":%d.%02d,"unit":"m","at":"2026-11-23T07:04:%02d.%03dZ","lng":100.63%03d,"lat":-0.83%03d}`+"\n", i%500, i%9, i%100, i%60, i%1000, i%1000, i%1000)
	}
	return b.Bytes()
}

func BenchmarkLines(b *testing.B) {
	body := lines(2000)
	m := meta()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		batch, err := Format{}.Decode(body, m)
		if err != nil || len(batch.Observations) != 2000 {
			b.Fatal(err, len(batch.Observations))
		}
	}
}

func BenchmarkLinesByEncodingJSON(b *testing.B) {
	body := lines(2000)
	all := bytes.Split(bytes.TrimSpace(body), []byte{'\n'})
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		for _, l := range all {
			if _, reason := slowly(l); reason != "" {
				b.Fatal(reason)
			}
		}
	}
}
