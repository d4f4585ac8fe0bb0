package wzdx

import (
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "wzdx/*.geojson") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range append(recorded(t), seeds(t)...) {
		feedtest.Document(t, Format{}, feedtest.Read(t, file))
	}
}

const road = `{"id":"1","type":"Feature","properties":{"core_details":{"event_type":"work-zone","road_names":["Jl. Solok","Jl. Padang"],"direction":"northbound","description":"x",` +
	`"creation_date":"2026-10-01T00:00:00Z","update_date":"2026-11-01T00:00:00Z"},"start_date":"2026-11-02T00:00:00Z","end_date":"2026-11-03T00:00:00Z","is_start_date_verified":true,` +
	`"vehicle_impact":"all-lanes-closed","restrictions":[{"type":"no-trucks"}],"worker_presence":{"are_workers_present":true}},` +
	`"geometry":{"type":"LineString","coordinates":[[100.6,-0.8],[100.7,-0.8]]}}`

const board = `{"id":"2","type":"Feature","properties":{"core_details":{"device_type":"arrow-board","device_status":"ok","name":"AB 1","update_date":"2026-11-01T00:00:00Z","is_moving":true},` +
	`"pattern":"blank"},"geometry":{"type":"Point","coordinates":[100.6,-0.8]}}`

func feed(features ...string) string {
	return `{"feed_info":{"publisher":"dishub","update_date":"2026-11-02T03:00:00Z","version":"4.2"},"type":"FeatureCollection","features":[` + "\n" + strings.Join(features, ",\n") + `]}`
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
	one := func(old, new string) feeds.Alert {
		t.Helper()
		b := decode(t, feed(strings.Replace(road, old, new, 1)))
		if len(b.Alerts) != 1 {
			t.Fatalf("%s: %v", new, b.Rejected)
		}
		return b.Alerts[0]
	}
	a := one("", "")
	in := a.Message.Infos[0]
	if a.Message.Identifier != "1" || a.Message.Sender != "dishub" || a.Message.Sent.String() != "2026-11-01T00:00:00.000Z" || in.Severity != cap.Moderate ||
		in.Headline != "Work zone: Jl. Solok, Jl. Padang northbound, all lanes closed" || in.Urgency != "Immediate" || in.Certainty != "Observed" ||
		in.Onset.String() != "2026-11-02T00:00:00.000Z" || in.Expires.String() != "2026-11-03T00:00:00.000Z" || in.Areas[0].Shape.Lines[0][1] != (geo.Position{Lat: -0.8, Lng: 100.7}) {
		t.Errorf("got %+v", a)
	}
	if s := one("all-lanes-closed", "unknown").Message.Infos[0].Severity; s != cap.Unknown {
		t.Errorf("an unknown impact is %s", s)
	}
	if i := one(`"start_date":"2026-11-02`, `"start_date":"2026-11-03`).Message.Infos[0]; i.Urgency != "Future" || i.Certainty != "Likely" {
		t.Errorf("to come: %+v", i)
	}
	if m := one(`"vehicle_impact"`, `"event_status":"completed","vehicle_impact"`).Message; m.MsgType != "Cancel" || m.References[0] != a.Message.Reference() || m.Identifier != "1-completed" {
		t.Errorf("completed: %+v", m)
	}
	if m := one(`,"update_date":"2026-11-01T00:00:00Z"`, "").Message; m.Sent.String() != "2026-10-01T00:00:00.000Z" {
		t.Errorf("sent %s", m.Sent)
	}
	if m := one(`"creation_date":"2026-10-01T00:00:00Z","update_date":"2026-11-01T00:00:00Z"`, `"x":1`).Message; m.Sent.String() != "2026-11-02T00:00:00.000Z" {
		t.Errorf("the day of the feed: %s", m.Sent)
	}
	if m := one(`"id":"1"`, `"id":17`).Message; m.Identifier != "17" {
		t.Errorf("id %q", m.Identifier)
	}
	if m := one("work-zone", "parade").Message; m.Infos[0].Event != "Road event parade" {
		t.Errorf("event %q", m.Infos[0].Event)
	}
	old := `{"road_event_feed_info":{"publisher":"p"},"type":"FeatureCollection","features":[{"type":"Feature","properties":{"road_event_id":"r","event_type":"detour","road_name":"Jl. A",` +
		`"direction":"unknown","update_date":"2026-11-01T00:00:00Z","start_date":"2026-11-02T00:00:00Z","end_date":"2026-11-03T00:00:00Z"},"geometry":{"type":"MultiPoint","coordinates":[[100.6,-0.8]]}}]}`
	if a := decode(t, old).Alerts[0]; a.Message.Identifier != "r" || a.Message.Infos[0].Headline != "Detour: Jl. A" {
		t.Errorf("version 2: %+v", a.Message)
	}
}

func TestDevice(t *testing.T) {
	b := decode(t, feed(board))
	want := map[string]any{"device_status": "ok", "pattern": "blank", "is_moving": true}
	for _, o := range b.Observations {
		if o.Thing != "2" || o.Kind != "arrow_board" || o.Name != "AB 1" || !o.Placed || o.At.String() != "2026-11-01T00:00:00.000Z" || want[o.Property] != o.Value.Any() {
			t.Errorf("got %+v", o)
		}
	}
	if len(b.Observations) != 3 || !b.Snapshot {
		t.Errorf("%d observations", len(b.Observations))
	}
}

func TestFeatures(t *testing.T) {
	swap := func(old, new string) string {
		return strings.Replace(strings.Replace(road, `"id":"1"`, `"id":"3"`, 1), old, new, 1)
	}
	for _, c := range []struct{ name, feature, reason string }{
		{"swapped", swap("[100.6,-0.8]", "[-0.8,100.6]"), "swapped?"},
		{"null island", swap("[100.6,-0.8]", "[0,0]"), "unknown place"},
		{"half a position", swap("[100.6,-0.8]", "[100.6]"), "a position of one number"},
		{"no geometry", swap(`{"type":"LineString","coordinates":[[100.6,-0.8],[100.7,-0.8]]}`, "null"), "geometry is missing"},
		{"no id", swap(`"id":"3",`, ""), "id is missing"},
		{"id again", road, "was given before, by feature 0"},
		{"no start", swap(`"start_date":"2026-11-02T00:00:00Z",`, ""), "start_date or end_date is missing"},
		{"backwards", swap(`"end_date":"2026-11-03`, `"end_date":"2026-11-01`), "before start_date"},
		{"local time", swap(`"2026-11-02T00:00:00Z"`, `"2026-11-02 00:00"`), "is not a time"},
		{"other letters", swap(`"event_type"`, `"Event_Type"`), "should be written"},
		{"twice", swap(`"vehicle_impact"`, `"vehicle_impact":"unknown","vehicle_impact"`), "given twice"},
		{"neither", swap(`"event_type":"work-zone",`, ""), "neither event_type nor device_type"},
		{"device on a line", strings.Replace(strings.Replace(board, `"Point"`, `"LineString"`, 1), "[100.6,-0.8]", "[[100.6,-0.8],[100.7,-0.8]]", 1), "not a Point"},
		{"not an object", "7", "not an object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			feedtest.OneBad(t, Format{}, []byte(feed(road, c.feature)), 1, "line 3", c.reason)
		})
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "{}", "[]", "<rss/>", feed(road) + "x", `{"type":"FeatureCollection","features":[]}`, `{"feed_info":{},"type":"FeatureCollection","features":[]}`,
		`{"feed_info":7,"type":"FeatureCollection","features":[]}`, `{"feed_info":{"publisher":"p"},"type":"FeatureCollection","features":{}}`,
		`{"feed_info":{"publisher":"p"},"type":"Feature","features":[]}`, `{"feed_info":{"publisher":"p"},"type":"FeatureCollection","features":[],"Features":[]}`} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q: want an error, got %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
	if b := decode(t, feed()); b.Records() != 0 || !b.Snapshot {
		t.Errorf("no works: %+v", b)
	}
}

func seeds(t testing.TB) []string {
	files, err := filepath.Glob("testdata/seed/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no seeds under testdata/seed")
	}
	return files
}

func FuzzDecode(f *testing.F) {
	for _, file := range seeds(f) {
		f.Add(feedtest.Read(f, file))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Format{}.Decode(body, feedtest.Meta())
		feedtest.Check(t, b, err)
	})
}
