package cap

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kentongan/geo"
)

func seed(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "seed", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestDecode(t *testing.T) {
	m, err := Decode([]byte(seed(t, "full.xml")))
	if err != nil {
		t.Fatal(err)
	}
	if m.Identifier != "SLK.1" || m.Sent.String() != "2026-02-16T15:50:00.000Z" || m.MsgType != "Update" || m.Source != "" || len(m.References) != 1 || len(m.Infos) != 2 {
		t.Errorf("message: %+v", m)
	}
	a := m.Infos[0].Areas[0]
	want := geo.Shape{
		Points:   []geo.Position{{Lat: -0.85, Lng: 100.65}},
		Polygons: []geo.Polygon{{Rings: [][]geo.Position{{{Lat: -0.8, Lng: 100.6}, {Lat: -0.8, Lng: 100.7}, {Lat: -0.9, Lng: 100.7}, {Lat: -0.8, Lng: 100.6}}}}},
	}
	if diff := cmp.Diff(want, a.Shape); diff != "" || !a.Repaired || len(a.Geocodes) != 1 {
		t.Errorf("area: %+v %s", a, diff)
	}
	second := m.Infos[1]
	if second.Language != "en-US" || second.Areas[0].Repaired || len(second.Areas[0].Shape.Polygons[0].Rings[0]) != 49 {
		t.Errorf("second info: %+v", second)
	}
}

func TestVersion10(t *testing.T) {
	m, err := Decode([]byte(seed(t, "v10.xml")))
	if err != nil {
		t.Fatal(err)
	}
	i := m.Infos[0]
	if i.Certainty != "Likely" || len(i.Areas[0].Geocodes) != 1 || i.Areas[0].Geocodes[0] != (Value{"fips6", "0001"}) || !i.Areas[0].Shape.IsZero() {
		t.Errorf("got %+v", i)
	}
}

func TestEncodings(t *testing.T) {
	base := strings.Replace(seed(t, "full.xml"), "Banjir &amp; longsor", "Awas é", 1)
	latin := strings.Replace(strings.Replace(base, "UTF-8", "ISO-8859-1", 1), "é", "\xe9", 1)
	windows := strings.Replace(strings.Replace(base, "UTF-8", "windows-1252", 1), "é", "\x80", 1)
	for name, c := range map[string][2]string{"BOM": {"\xef\xbb\xbf" + base, "Awas é"}, "latin": {latin, "Awas é"}, "windows": {windows, "Awas €"}} {
		m, err := Decode([]byte(c[0]))
		if err != nil || m.Infos[0].Headline != c[1] {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func TestRefused(t *testing.T) {
	full := seed(t, "full.xml")
	swap := func(old, new string) string {
		if !strings.Contains(full, old) {
			t.Fatalf("the seed has no %q", old)
		}
		return strings.Replace(full, old, new, 1)
	}
	cases := []struct{ name, body, want string }{
		{"empty", "", "no root element"},
		{"wrong namespace", swap("cap:1.2", "cap:9"), "<alert> at line 2: is not the <alert> of a CAP namespace"},
		{"wrong root", strings.ReplaceAll(full, "alert", "alarm"), "<alarm> at line 2"},
		{"two statuses", swap("<status>Actual", "<status>Test</status><status>Actual"), "<status> at line 4: stands a second time in <alert>; the first is at line 4"},
		{"two severities", swap("<severity>Severe", "<severity>Minor</severity><severity>Severe"), "<severity> at line 7: stands a second time"},
		{"two values", swap("<value>1</value>", "<value>1</value><value>2</value>"), "<value> at line 8"},
		{"other case", swap("<status>Actual</status>", "<status>Actual</status><Status>Test</Status>"), "<Status> at line 4: should be written <status>"},
		{"foreign status", swap("<status>Actual</status>", `<status xmlns="urn:x">Actual</status>`), "has no <status>"},
		{"second root", full + "<alert/>", "a second root element at line 17"},
		{"text after root", full + "x", "text outside the root element"},
		{"truncated", full[:len(full)-10], "unexpected EOF"},
		{"DTD", swap("<alert", `<!DOCTYPE a><alert`), "a DTD"},
		{"entity", swap("&amp;", "&x;"), "invalid character entity"},
		{"depth", swap("<note>n", "<note>"+strings.Repeat("<a>", 70)+strings.Repeat("</a>", 70)), "nesting deeper than 64"},
		{"encoding", swap("UTF-8", "UTF-7"), "is not read"},
		{"no identifier", swap("<identifier>SLK.1</identifier>", ""), "<alert> at line 2: has no <identifier>"},
		{"empty sender", swap("bpbd@solok.example</sender>", "</sender>"), "<sender> at line 3: is empty"},
		{"identifier with comma", swap("SLK.1", "SLK,1"), "has a space, comma"},
		{"status word", swap("Actual", "actual"), `<status> at line 4: "actual" is not one of Actual`},
		{"category word", swap("<category>Geo", "<category>Rain"), `<category> at line 6: "Rain"`},
		{"no category", swap("<info><category>Met</category>", "<info>"), "<info> at line 14: has no <category>"},
		{"time without offset", swap("22:50:00+07:00", "22:50:00"), "<sent> at line 3"},
		{"expires without offset", swap("02:00:00+07:00", "02:00:00"), "<expires> at line 8"},
		{"reference", swap("bpbd@solok.example,SLK.0,", "SLK.0,"), "is not sender,identifier,sent"},
		{"text with elements", swap("<event>Banjir", "<event><b/>Banjir"), "holds elements"},
		{"position", swap("-0.8,100.6 ", "100.6,-0.8 "), "latitude 100.6"},
		{"NaN", swap("-0.8,100.6 ", "NaN,100.6 "), "latitude NaN"},
		{"two corners", swap("-0.8,100.6 ", ""), "fewer than three corners"},
		{"radius", swap("100.65 2.5", "100.65 -1"), `radius "-1"`},
		{"circle", swap("100.65 2.5", "100.65"), "is not lat,lon radius"},
		{"no area name", swap("<areaDesc>Kubung</areaDesc>", ""), "has no <areaDesc>"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, err := Decode([]byte(c.body))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got error %v, want %q", err, c.want)
			}
			if !errors.Is(err, ErrMessage) && !errors.Is(err, ErrDocument) {
				t.Errorf("error %v is neither ErrMessage nor ErrDocument", err)
			}
			if diff := cmp.Diff(Message{}, m); diff != "" {
				t.Errorf("an error came with a message: %s", diff)
			}
		})
	}
}

func TestTaken(t *testing.T) {
	full := seed(t, "full.xml")
	for name, body := range map[string]string{
		"Z":               strings.Replace(full, "22:50:00+07:00", "15:50:00Z", 1),
		"minus zero":      strings.Replace(full, "22:50:00+07:00", "15:50:00-00:00", 1),
		"fraction":        strings.Replace(full, "22:50:00+07:00", "22:50:00.000+07:00", 1),
		"signature":       strings.Replace(full, "<info>", `<d:Signature xmlns:d="urn:d"><d:status>x</d:status><d:status/></d:Signature><info>`, 1),
		"unknown element": strings.Replace(full, "<info>", "<extra/><info>", 1),
		"empty elements":  strings.Replace(full, "<info>", "<incidents/><addresses></addresses><restriction/><info>", 1),
		"sound inside":    strings.Replace(full, "<area>", "<resource><resourceDesc>siren</resourceDesc><derefUri>"+strings.Repeat("UklGRg==", 20<<10)+"</derefUri></resource><area>", 1),
		"comment after":   full + "<!-- end -->\n",
		"instruction":     strings.Replace(full, "<alert", `<?xml-stylesheet href="a.xsl"?><alert`, 1),
	} {
		m, err := Decode([]byte(body))
		if err != nil || m.Sent.String() != "2026-02-16T15:50:00.000Z" {
			t.Errorf("%s: %s, %v", name, m.Sent, err)
		}
	}
}

// What a producer does not know it writes as 0,0: the warning gets through, and nothing of it is drawn in the Gulf of Guinea.
func TestAnAreaAtNullIsland(t *testing.T) {
	full := seed(t, "full.xml")
	polygon := full[strings.Index(full, "<polygon>") : strings.Index(full, "</polygon>")+len("</polygon>")]
	circle := full[strings.Index(full, "<circle>") : strings.Index(full, "</circle>")+len("</circle>")]
	for _, c := range []struct {
		old, new         string
		points, polygons int
	}{
		{polygon, "<polygon>0,0 0,0 0,0 0.0,0.0</polygon>", 1, 0},
		{polygon, "<polygon>0,0 -0.8,100.7 -0.9,100.7 0,0</polygon>", 1, 1},
		{circle, "<circle>0,0 0</circle>", 0, 1},
		{circle, "<circle>0.0,0.0 50</circle>", 0, 1},
		{polygon + "<polygon></polygon>" + circle, "<polygon>0,0 0,0</polygon><circle>0,0 5</circle>", 0, 0},
	} {
		body := strings.Replace(full, c.old, c.new, 1)
		m, err := Decode([]byte(body))
		if err != nil || body == full {
			t.Errorf("%s: %v", c.new, err)
			continue
		}
		if s := m.Infos[0].Areas[0].Shape; len(s.Points) != c.points || len(s.Polygons) != c.polygons {
			t.Errorf("%s: %+v", c.new, s)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	m, err := Decode([]byte(seed(t, "full.xml")))
	if err != nil {
		t.Fatal(err)
	}
	body, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	m.Infos[0].Areas[0].Repaired = false // written closed
	if diff := cmp.Diff(m, got); diff != "" {
		t.Error(diff)
	}
	if bytes.Contains(body, []byte("Z<")) {
		t.Errorf("a time in Z, which CAP does not allow:\n%s", body)
	}
}

func TestEncodeRefuses(t *testing.T) {
	good, err := Decode([]byte(seed(t, "full.xml")))
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Message){
		"status":     func(m *Message) { m.Status = "Real" },
		"no sent":    func(m *Message) { m.Sent.Time = m.Sent.Time.AddDate(-3000, 0, 0) },
		"identifier": func(m *Message) { m.Identifier = "a b" },
		"lines":      func(m *Message) { m.Infos[0].Areas[0].Shape.Lines = [][]geo.Position{{{}, {}}} },
	} {
		m := good
		m.Infos = append([]Info{}, good.Infos...)
		m.Infos[0].Areas = append([]Area{}, good.Infos[0].Areas...)
		spoil(&m)
		if body, err := Encode(m); err == nil || body != nil {
			t.Errorf("%s: got %d bytes, %v", name, len(body), err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"full.xml", "v10.xml"} {
		f.Add([]byte(seed(f, name)))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Decode(body)
		if err != nil {
			if cmp.Diff(Message{}, m) != "" {
				t.Error("an error came with a message")
			}
			return
		}
		if m.Identifier == "" || m.Sender == "" || m.Sent.IsZero() || m.Status == "" || m.MsgType == "" || m.Scope == "" {
			t.Errorf("taken without identity: %+v", m)
		}
		if _, err := Encode(m); err != nil {
			t.Errorf("taken but not written: %v", err)
		}
	})
}

func TestAJudgementThatNobodyKnowsIsUnknown(t *testing.T) {
	full := seed(t, "full.xml")
	for _, to := range []string{"<severity>Fatal", "<severity>", "<severity>severe"} {
		m, err := Decode([]byte(strings.Replace(full, "<severity>Severe", to, 1)))
		if err != nil || m.Infos[0].Severity != Unknown {
			t.Errorf("%s: %+v, %v", to, m, err)
		}
	}
}
