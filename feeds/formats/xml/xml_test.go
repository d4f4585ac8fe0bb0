package xml

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/feedtest"
)

const gauges = `<?xml version="1.0" encoding="UTF-8"?>
<pos:pengamatan xmlns:pos="urn:pos" waktu="2026-11-23 14:05"><!-- dinas -->
  <pos:pos kode="LB-1"><tma satuan="m">3,40</tma><lat>-0.83</lat><lng>100.63</lng></pos:pos>
  <pos:pos kode="LB-2"><tma satuan="m"/><lat>-0.80</lat><lng>100.61</lng></pos:pos>
  <pos:pos kode="LB-3"><tma satuan="m">tinggi</tma><lat>-0.80</lat><lng>100.61</lng></pos:pos>
</pos:pengamatan>`

const byKode = `def t: .[0]["#text"]; {thing: ."@kode", property: "water_level", unit: .tma[0]."@satuan", value: (.tma | t | values | sub(","; ".") | num),
  at: ($doc."@waktu" | zoned("WIB")), lat: (.lat | t | num), lng: (.lng | t | num)}`

func format(t testing.TB) feeds.Format {
	t.Helper()
	f, err := New(map[string]any{"each": ".pos[]", "map": byKode})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEveryElementIsAnObjectOfOneForm(t *testing.T) {
	got, err := read([]byte(`<a xmlns="urn:x" xmlns:y="urn:y" y:k="1"> one <b/><!-- no --><y:b>two</y:b><![CDATA[ three & ]]></a>`))
	want := map[string]any{"#name": "a", "@k": "1", "#text": "one  three &", "b": []any{map[string]any{}, map[string]any{"#text": "two"}}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func TestAMapMakesReadings(t *testing.T) {
	b, err := format(t).Decode([]byte(gauges), feedtest.Meta())
	feedtest.Check(t, b, err)
	if len(b.Observations) != 1 || len(b.Rejected) != 1 {
		t.Fatalf("%+v", b)
	}
	o := b.Observations[0]
	if o.Thing != "LB-1" || o.Value.Num != 3.4 || o.Unit != "m" || o.At.String() != "2026-11-23T07:05:00.000Z" || !o.Placed {
		t.Errorf("%+v", o)
	}
	if r := b.Rejected[0]; r.Index != 2 || !strings.Contains(r.Reason, "tinggi") {
		t.Errorf("%+v", r)
	}
}

func TestContract(t *testing.T) {
	feedtest.Contract(t, format(t), []byte(gauges))
	feedtest.Document(t, format(t), []byte(gauges))
}

func TestWhatIsNoPlainXML(t *testing.T) {
	for name, body := range map[string]string{
		"entities": `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, "two roots": `<a/><b/>`, "cut": gauges[:len(gauges)-20], "JSON": `{"a":1}`,
		"deep": strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200), "a foreign entity": `<a>&copy;</a>`, "crossed": `<a><b></a></b>`, "a name without end": "<?x?><" + strings.Repeat("\xd8", 5000),
	} {
		if b, err := format(t).Decode([]byte(body), feeds.Meta{}); err == nil || b.Records() > 0 || len(err.Error()) > 500 || !utf8.ValidString(err.Error()) {
			t.Errorf("%s was read: %+v", name, b)
		}
	}
	many := append([]byte("<a>"), bytes.Repeat([]byte("<b/>"), maxElements)...)
	if _, err := read(append(many, "</a>"...)); !errors.Is(err, bounded.ErrTooLarge) {
		t.Errorf("elements without end: %v", err)
	}
}

func TestOptionsNameTheirFaults(t *testing.T) {
	_, err := New(map[string]any{"depth": 3, "each": 1})
	for _, want := range []string{"depth: ", "each: ", "map: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no fault of %q in %v", want, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(gauges))
	f.Add([]byte(`<a b="1">x<c/></a>`))
	one := format(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := one.Decode(body, feedtest.Meta())
		feedtest.Check(t, b, err)
	})
}
