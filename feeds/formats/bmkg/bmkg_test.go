package bmkg

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "earthquake/bmkg-*") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, Format{}, feedtest.Read(t, file)) })
	}
}

const quakeJSON = `{"DateTime":"2021-10-13T05:00:47+00:00","Coordinates":"-8.87,110.97","Lintang":"8.87 LS","Bujur":"110.97 BT","Magnitude":"4.8","Kedalaman":"55 km","Wilayah":"laut"}`

func decode(t *testing.T, body string) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return b
}

func TestForms(t *testing.T) {
	forms := map[string]string{
		"object":      `{"Infogempa":{"gempa":` + quakeJSON + `}}`,
		"list":        `{"Infogempa":{"gempa":[` + quakeJSON + `]}}`,
		"bare array":  `[` + quakeJSON + `]`,
		"bare object": quakeJSON,
		"BOM":         "\xef\xbb\xbf" + quakeJSON,
		"XML": `<Infogempa><gempa><DateTime>2021-10-13T05:00:47+00:00</DateTime><point><coordinates>-8.87,110.97</coordinates></point>` +
			`<Lintang>8.87 LS</Lintang><Bujur>110.97 BT</Bujur><Magnitude>4.8</Magnitude><Kedalaman>55 km</Kedalaman><Wilayah>laut</Wilayah></gempa></Infogempa>`,
	}
	want := decode(t, forms["object"]).Alerts
	for name, body := range forms {
		if diff := cmp.Diff(want, decode(t, body).Alerts); diff != "" || len(want) != 1 {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := decode(t, `{"Infogempa":{"gempa":[]}}`); got.Records()+len(got.Rejected) != 0 {
		t.Errorf("empty list: %+v", got)
	}
}

func TestRealtime(t *testing.T) {
	body, err := os.ReadFile("testdata/seed/realtime.json")
	if err != nil {
		t.Fatal(err)
	}
	q := decode(t, string(body)).Alerts[0]
	if q.Quake.Position != (geo.Position{Lat: -0.78, Lng: 119.98}) || *q.Quake.Magnitude != 2.66 || q.Quake.DepthKm != 10 || !q.Quake.Reviewed ||
		q.Quake.OriginAt.String() != "2026-10-03T09:06:46.123Z" || q.Message.Identifier != "bmg2026abcd" {
		t.Errorf("got %+v, identifier %s", q.Quake, q.Message.Identifier)
	}
}

func TestRefused(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(quakeJSON, old, new, 1) }
	cases := []struct{ name, quake, reason string }{
		{"swapped out of range", swap(`"-8.87,110.97"`, `"110.97,-8.87"`), "seem swapped"},
		{"swapped against words", `{"DateTime":"2021-10-13T05:00:47+00:00","Coordinates":"80.1,10.2","Lintang":"10.2 LU","Bujur":"80.1 BT"}`, "are swapped against Lintang"},
		{"words disagree", swap("8.87 LS", "8.87 LU"), "disagree with Lintang"},
		{"null island", `{"DateTime":"2021-10-13T05:00:47+00:00","Coordinates":"0,0"}`, "unknown place"},
		{"not numbers", swap("-8.87,110.97", "NaN,110.97"), "latitude NaN"},
		{"no place", `{"DateTime":"2021-10-13T05:00:47+00:00","Magnitude":"5"}`, "Coordinates are missing"},
		{"no offset word", `{"Tanggal":"13 Okt 2021","Jam":"12:00:47","Coordinates":"-8.87,110.97"}`, "WIB, WITA or WIT"},
		{"no such day", `{"Tanggal":"31 Feb 2021","Jam":"12:00:47 WIB","Coordinates":"-8.87,110.97"}`, "31 Feb 2021"},
		{"magnitude", swap(`"4.8"`, `"kuat"`), "is not a magnitude"},
		{"depth", swap(`"55 km"`, `"55 m"`), "is not a depth"},
		{"other case", swap(`"Coordinates"`, `"coordinates"`), `should be written "Coordinates"`},
		{"case variants", swap(`"Coordinates"`, `"coordinates":"1,2","Coordinates"`), "differ only in case"},
		{"twice", swap(`"Magnitude"`, `"Magnitude":"9.9","Magnitude"`), "given twice"},
		{"object as text", swap(`"4.8"`, `{"v":4.8}`), "Magnitude is not a text"},
		{"not an object", `7`, "not an object"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := feedtest.OneBad(t, Format{}, []byte("[\n"+c.quake+",\n"+quakeJSON+"]"), 0, c.reason, "line 2")
			if len(b.Alerts) != 1 || b.Alerts[0].Index != 1 {
				t.Errorf("got %d alerts", len(b.Alerts))
			}
		})
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "null", "7", `"x"`, "{}", `{"Infogempa":{}}`, `{"Infogempa":[]}`, `[1`, quakeJSON + "x", `[{"a":1}]`, "<html></html>",
		`{"Infogempa":{"gempa":[]},"Infogempa":{"gempa":[]}}`, `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":null}]}`} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q: want an error, got %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
}

func TestFelt(t *testing.T) {
	cases := map[string][]feeds.Felt{
		"III Pekalongan, II Batang":   {{Place: "Pekalongan", Low: 3, High: 3}, {Place: "Batang", Low: 2, High: 2}},
		"II - III Cianjur":            {{Place: "Cianjur", Low: 2, High: 3}},
		"III-II Kab. Manggarai, , ":   {{Place: "Kab. Manggarai", Low: 2, High: 3}},
		"IV Solok, Padang, II Bukit,": {{Place: "Solok", Low: 4, High: 4}, {Place: "Padang", Low: 4, High: 4}, {Place: "Bukit", Low: 2, High: 2}},
		"III VI Koto":                 {{Place: "VI Koto", Low: 3, High: 3}},
		"-":                           nil,
		"":                            nil,
		"Padang":                      nil,
		"IIII Padang":                 nil,
	}
	for text, want := range cases {
		if diff := cmp.Diff(want, felt(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestLocalTime(t *testing.T) {
	for i, name := range []string{"Jan", "Peb", "Maret", "April", "Mei", "Jun", "Juli", "Agu", "Sep", "Okt", "Nop", "Des"} {
		got, err := local("12 "+name+" 2025", "07:00:01 WITA")
		if want := fmt.Sprintf("2025-%02d-11T23:00:01.000Z", i+1); err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, want)
		}
	}
	for zone, want := range map[string]string{"WIB": "T05:00:00.000Z", "WITA": "T04:00:00.000Z", "WIT": "T03:00:00.000Z"} {
		if got, err := local("13 Okt 2021", "12:00:00 "+zone); err != nil || got.String() != "2021-10-13"+want {
			t.Errorf("%s: got %s, %v", zone, got, err)
		}
	}
}

func TestKeysJoinLists(t *testing.T) {
	with := decode(t, strings.Replace(quakeJSON, `"Magnitude"`, `"Shakemap":"20211013120047.mmi.jpg","Magnitude"`, 1)).Alerts[0]
	without := decode(t, quakeJSON).Alerts[0]
	if with.Message.Identifier != "20211013120047" || with.Keys[1] != without.Keys[0] || without.Keys[0] != "20211013T050047Z_-8.9_111.0" {
		t.Errorf("keys %v and %v", with.Keys, without.Keys)
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
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Format{}.Decode(body, feedtest.Meta())
		feedtest.Check(t, b, err)
	})
}
