package usgs

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "earthquake/usgs-*") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, Format{}, feedtest.Read(t, file)) })
	}
}

const event = `{"type":"Feature","id":"us1","properties":{"mag":5.1,"place":"Solok","time":1478198296090,"updated":1478198670585,"status":"reviewed",` +
	`"tsunami":1,"ids":",pt2,us1,","type":"earthquake"},"geometry":{"type":"Point","coordinates":[100.6,-0.9,-1.5]}}`

func collection(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + "\n" + strings.Join(features, ",\n") + `]}`
}

func decode(t *testing.T, body string) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEvent(t *testing.T) {
	a := decode(t, event).Alerts[0]
	if diff := cmp.Diff([]string{"us1", "pt2"}, a.Keys); diff != "" {
		t.Error(diff)
	}
	if a.Message.Sent.Milli() != 1478198670585 || a.Quake.OriginAt.Milli() != 1478198296090 || a.Quake.DepthKm != -1.5 || !a.Quake.Reviewed ||
		a.Quake.Position != (geo.Position{Lat: -0.9, Lng: 100.6}) || a.Message.Infos[0].Headline != "M 5.1 - Solok" || a.Quake.Tsunami == "" {
		t.Errorf("got %+v %+v", a.Message, a.Quake)
	}
	b := decode(t, collection(strings.Replace(event, `"mag":5.1`, `"mag":null`, 1))).Alerts[0]
	if b.Quake.Magnitude != nil || b.Message.Infos[0].Headline != "M ? - Solok" {
		t.Errorf("null magnitude: %+v", b.Quake)
	}
	d := decode(t, strings.Replace(event, "reviewed", "deleted", 1)).Alerts[0]
	if d.Message.MsgType != "Cancel" {
		t.Errorf("deleted: msgType %s", d.Message.MsgType)
	}
}

func TestItems(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(event, old, new, 1) }
	cases := []struct {
		name, feature, reason string
		ignored               bool
	}{
		{"quarry blast", swap(`"earthquake"`, `"quarry blast"`), `type is "quarry blast"`, true},
		{"no position", swap(`{"type":"Point","coordinates":[100.6,-0.9,-1.5]}`, "null"), "geometry is not a Point", false},
		{"swapped", swap("100.6,-0.9", "-0.9,100.6"), "seem swapped", false},
		{"null island", swap("100.6,-0.9", "0,0"), "unknown place", false},
		{"null coordinates", swap("100.6,-0.9", "null,-0.9"), "coordinates are null", false},
		{"depth in metres", swap("-1.5", "10000"), "depth 10000 km", false},
		{"time in seconds as text", swap("1478198296090", `"1478198296"`), "time is a string", false},
		{"no time", swap(`"time":1478198296090,`, ""), "time is missing", false},
		{"other case", swap(`"coordinates"`, `"coordinates":[1,2],"Coordinates"`), "differ only in case", false},
		{"property in other case", swap(`"mag"`, `"Mag"`), `"Mag" should be written "mag"`, false},
		{"key twice", swap(`"mag"`, `"mag":9,"mag"`), "given twice", false},
		{"not an object", "[]", "not an object", false},
		{"another feature", `{"type":"Feature","properties":{},"geometry":null}`, "not an event", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := decode(t, collection(c.feature, event))
			refused := b.Rejected
			if c.ignored {
				refused = b.Ignored
			}
			if len(b.Alerts) != 1 || b.Alerts[0].Index != 1 || len(b.Ignored)+len(b.Rejected) != 1 || len(refused) != 1 {
				t.Fatalf("got %d alerts, ignored %v, rejected %v", len(b.Alerts), b.Ignored, b.Rejected)
			}
			if r := refused[0]; r.Index != 0 || !strings.Contains(r.Reason, c.reason) || !c.ignored && !strings.Contains(r.Reason, "line 2") {
				t.Errorf("reason %q, want %q", r.Reason, c.reason)
			}
		})
	}
}

func TestOneBadFeature(t *testing.T) {
	feedtest.OneBad(t, Format{}, []byte(collection(event, `{"type":"Feature","properties":7}`)), 1, "line 3")
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "{}", event + "x", `{"type":"FeatureCollection"}`, `{"type":"FeatureCollection","features":{}}`, `<rss/>`,
		`{"type":"FeatureCollection","features":[],"features":[]}`, collection(`{"type":"Feature","properties":{"name":"x"},"geometry":null}`)} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q: want an error, got %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
	if b := decode(t, collection()); b.Records() != 0 {
		t.Errorf("a quiet hour: %+v", b)
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
