package petabencana

import (
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/cap"
	"kentongan/feeds/feedtest"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "petabencana/*") }

func format(t testing.TB) feeds.Format {
	t.Helper()
	f, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// inflating does what the transports do.
type inflating struct{ feeds.Format }

func (f inflating) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	if bounded.IsGzip(body) {
		var err error
		if body, err = bounded.Gunzip(body, bounded.DefaultInflated); err != nil {
			return feeds.Batch{}, err
		}
	}
	return f.Format.Decode(body, meta)
}

func TestRecorded(t *testing.T) { feedtest.Golden(t, inflating{format(t)}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			body := feedtest.Read(t, file)
			if bounded.IsGzip(body) {
				body, _ = bounded.Gunzip(body, bounded.DefaultInflated)
			}
			feedtest.Document(t, format(t), body)
		})
	}
}

// An unchanged hour says the same; an hour in which areas drained is a snapshot without them.
func TestHours(t *testing.T) {
	hour := func(name string) feeds.Batch {
		b, err := inflating{format(t)}.Decode(feedtest.Read(t, feedtest.Recorded(t, "petabencana/jakarta-floods-2017-02-21T"+name+"*")[0]), feedtest.Meta())
		if err != nil || !b.Snapshot {
			t.Fatal(err)
		}
		return b
	}
	six, seven := hour("06"), hour("07")
	for i := range six.Alerts {
		if six.Alerts[i].Message.Reference() != seven.Alerts[i].Message.Reference() {
			t.Errorf("an unchanged area looks new: %v", seven.Alerts[i].Message)
		}
	}
	if thirteen, fourteen := hour("13"), hour("14"); len(thirteen.Alerts) <= len(fourteen.Alerts) {
		t.Errorf("%d areas, then %d", len(thirteen.Alerts), len(fourteen.Alerts))
	}
}

func wrap(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + "\n" + strings.Join(features, ",\n") + `]}`
}

func decode(t testing.TB, body string) feeds.Batch {
	t.Helper()
	b, err := format(t).Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	report = `{"type":"Feature","geometry":{"type":"Point","coordinates":[106.86,-6.15]},"properties":{"pkey":"96723","created_at":"2017-02-21T06:34:07.672Z","source":"grasp","status":"confirmed",` +
		`"image_url":null,"disaster_type":"flood","title":" ","report_data":{"flood_depth":39,"report_type":"flood"},"text":"banjir, tanya @ketua_rt atau 0812-3456-7890"}}`
	area = `{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[106.78,-6.14],[106.79,-6.14],[106.79,-6.15],[106.78,-6.14]]]},"properties":{"area_id":"5","state":3,` +
		`"last_updated":"2017-02-21T08:39:36.885","area_name":"RW 05","parent_name":"PETOJO"}}`
	gauge = `{"type":"Feature","geometry":{"type":"Point","coordinates":[106.86,-6.15]},"properties":{"gaugeid":"TMA-1","gaugenameid":"Bendung Katulampa","observations":[` +
		`{"f1":"2017-06-07T21:00:00+07:00","f2":80,"f3":3,"f4":"SIAGA III "},{"f1":"2017-06-07T22:00:00+07:00","f2":40,"f3":4,"f4":"SIAGA IV "}]}}`
)

func TestReport(t *testing.T) {
	b := decode(t, `{"statusCode":200,"result":`+wrap(report)+`}`)
	if len(b.Reports) != 1 || b.Snapshot {
		t.Fatalf("got %+v", b)
	}
	if r := b.Reports[0]; r.ID != "96723" || r.Type != "flood" || r.Text != "banjir, tanya *** atau *** (flood_depth 39 cm)" || !r.Placed || r.Position.Lng != 106.86 ||
		r.At.String() != "2017-02-21T06:34:07.672Z" || r.Channel != "petabencana/grasp" {
		t.Errorf("got %+v", r)
	}
	swap := func(pairs ...string) feeds.Report {
		t.Helper()
		b := decode(t, wrap(strings.NewReplacer(pairs...).Replace(report)))
		if len(b.Reports) != 1 {
			t.Fatalf("got %+v", b)
		}
		return b.Reports[0]
	}
	if r := swap(`"pkey":"96723",`, "", "07.672Z", "07.672"); r.ID != "2017-02-20T23:34:07.672Z/106.86000,-6.15000/grasp" || r.At.String() != "2017-02-20T23:34:07.672Z" {
		t.Errorf("the archive: %+v", r)
	}
	if r := swap(`{"flood_depth":39,"report_type":"flood"}`, "null", `"title":" "`, `"title":"Banjir "`, `"banjir, tanya @ketua_rt atau 0812-3456-7890"`, "null"); r.Text != "Banjir:" && r.Text != "Banjir" {
		t.Errorf("a title alone: %+v", r)
	}
	if r := swap(`"report_type":"flood"`, `"report_type":"road"`, `"flood_depth":39,`, "", `"pkey":"96723"`, `"pkey":96723`); r.Type != "road" || r.ID != "96723" {
		t.Errorf("another kind: %+v", r)
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{"@ahokbtp tolong": "*** tolong", "surat a.b@c.go.id ya": "surat *** ya", "+62 812 3456 7890": "***", "rt 08/05 rw 11, 120 cm": "rt 08/05 rw 11, 120 cm"} {
		if got := Mask(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}

func TestArea(t *testing.T) {
	b := decode(t, wrap(area))
	if len(b.Alerts) != 1 || !b.Snapshot {
		t.Fatalf("got %+v", b)
	}
	m := b.Alerts[0].Message
	if m.Identifier != "flooded/5/moderate" || b.Alerts[0].Keys[0] != "flooded/5" || m.Sent.String() != "2017-02-21T01:39:36.885Z" || m.Infos[0].Severity != cap.Moderate || m.Infos[0].Areas[0].Name != "RW 05, PETOJO" || len(m.Infos[0].Areas[0].Shape.Polygons) != 1 {
		t.Errorf("got %+v", m)
	}
	for state, want := range map[string]cap.Severity{"1": cap.Unknown, "2": cap.Minor, "4": cap.Severe, "9": cap.Unknown} {
		b := decode(t, wrap(strings.Replace(area, `"state":3`, `"state":`+state, 1)))
		if len(b.Alerts) != 1 || b.Alerts[0].Message.Infos[0].Severity != want {
			t.Errorf("state %s: %+v", state, b)
		}
	}
}

// A state that changes without its time, up or down, is a new version; asked again it is the same.
func TestAreaIsOneOverItsStates(t *testing.T) {
	at := func(state string) feeds.Alert {
		return decode(t, wrap(strings.Replace(area, `"state":3`, `"state":`+state, 1))).Alerts[0]
	}
	three, four := at("3"), at("4")
	if three.Message.Reference() == four.Message.Reference() || three.Keys[0] != four.Keys[0] || at("3").Message.Reference() != three.Message.Reference() {
		t.Errorf("%s and %s, keys %v and %v", three.Message.Identifier, four.Message.Identifier, three.Keys, four.Keys)
	}
}

func TestGauge(t *testing.T) {
	b := decode(t, wrap(gauge))
	if len(b.Observations) != 4 {
		t.Fatalf("got %+v", b)
	}
	if o := b.Observations[2]; o.Thing != "TMA-1" || o.Property != "water_level" || o.Value.Num != 40 || o.Unit != "cm" || o.At.String() != "2017-06-07T15:00:00.000Z" || b.Observations[3].Value.Text != "SIAGA IV" {
		t.Errorf("got %+v", b.Observations)
	}
}

func TestItems(t *testing.T) {
	for _, c := range []struct{ name, feature, reason string }{
		{"swapped", strings.Replace(report, "106.86,-6.15", "-6.15,106.86", 1), "latitude 106.86"},
		{"null island", strings.Replace(report, "106.86,-6.15", "0,0", 1), "unknown place"},
		{"no geometry", strings.Replace(report, `{"type":"Point","coordinates":[106.86,-6.15]}`, "null", 1), "geometry is not a Point"},
		{"no time", strings.Replace(report, "2017-02-21T06:34:07.672Z", "kemarin", 1), "created_at"},
		{"given twice", strings.Replace(report, `"text"`, `"text":"a","text"`, 1), "given twice"},
		{"other letters", strings.Replace(report, `"text"`, `"Text"`, 1), `should be written "text"`},
		{"state of words", strings.Replace(area, `"state":3`, `"state":"3"`, 1), "state is not a number"},
		{"an area of a point", strings.Replace(report, `"created_at"`, `"area_id":1,"state":2,"last_updated":"2017-02-21T08:39:36","made"`, 1), "geometry is not a Polygon"},
		{"a gauge without times", strings.Replace(gauge, "2017-06-07T21:00:00+07:00", "", 1), "f1 is missing"},
		{"another feature", `{"type":"Feature","geometry":null,"properties":{"a":1}}`, "neither a report"},
		{"no object", "7", "not an object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			feedtest.OneBad(t, format(t), []byte(wrap(report, c.feature)), 1, c.reason, "line 3")
		})
	}
	for _, passed := range []string{strings.Replace(report, `"title"`, `"is_training":true,"title"`, 1),
		strings.NewReplacer(`{"flood_depth":39,"report_type":"flood"}`, "null", `"disaster_type":"flood"`, `"disaster_type":null`, "banjir, tanya @ketua_rt atau 0812-3456-7890", " ").Replace(report)} {
		if b := decode(t, wrap(passed)); len(b.Ignored) != 1 || b.Records() > 0 {
			t.Errorf("got %+v", b)
		}
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "{}", report, wrap(report) + "x", `{"type":"Topology","objects":{},"arcs":[]}`, `{"statusCode":200,"result":{"type":"Topology"}}`,
		`{"statusCode":429}`, `{"type":"FeatureCollection","features":{}}`, wrap(`{"type":"Feature","properties":{"mag":1},"geometry":null}`)} {
		b, err := format(t).Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q was taken: %+v", body, b)
		} else if strings.Contains(body, "Topology") && !strings.Contains(err.Error(), "geoformat=geojson") {
			t.Errorf("no remedy: %v", err)
		}
		feedtest.Check(t, b, err)
	}
	if b := decode(t, wrap()); b.Records() != 0 {
		t.Errorf("a dry day: %+v", b)
	}
	meta := feedtest.Meta()
	meta.URL = "https://api.petabencana.id/floods?geoformat=geojson"
	if b, err := format(t).Decode([]byte(wrap()), meta); err != nil || !b.Snapshot {
		t.Errorf("all areas have drained: %+v %v", b, err)
	}
	for _, bad := range []map[string]any{{"zone": "Moon"}, {"zone": 7}, {"a": "b"}} {
		if _, err := New(bad); err == nil {
			t.Errorf("%v was taken", bad)
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
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := format(t).Decode(body, feedtest.Meta())
		feedtest.Check(t, b, err)
	})
}
