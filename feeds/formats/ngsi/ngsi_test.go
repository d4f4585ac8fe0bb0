package ngsi

import (
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/feedtest"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "ngsi/*") }

func format(t testing.TB, options map[string]any) feeds.Format {
	t.Helper()
	f, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRecorded(t *testing.T) { feedtest.Golden(t, format(t, nil), recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, format(t, nil), feedtest.Read(t, file)) })
	}
}

func decode(t testing.TB, body string) feeds.Batch {
	t.Helper()
	b, err := format(t, nil).Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	ld = `{"id":"urn:ngsi-ld:FloodMonitoring:1","type":"FloodMonitoring","currentLevel":{"type":"Property","value":1.98,"unitCode":"MTR","observedAt":"2026-11-25T08:00:00Z"},` +
		`"location":{"type":"GeoProperty","value":{"type":"Point","coordinates":[100.63,-0.83]}},"name":{"type":"Property","value":"Batang Lembang"}}`
	v2 = `{"id":"gauge-1","type":"FloodMonitoring","currentLevel":{"type":"Number","value":1.98,"metadata":{"unitCode":{"type":"Text","value":"MTR"},"timestamp":{"type":"DateTime","value":"2026-11-25T08:00:00Z"}}},` +
		`"location":{"type":"geo:json","value":{"type":"Point","coordinates":[100.63,-0.83]}},"name":{"type":"Text","value":"Batang Lembang"}}`
	values  = `{"id":"gauge-1","type":"FloodMonitoring","currentLevel":1.98,"location":{"type":"Point","coordinates":[100.63,-0.83]},"observationDateTime":"2026-11-25T15:00:00+07:00","name":"Batang Lembang"}`
	geojson = `{"id":"urn:ngsi-ld:FloodMonitoring:1","type":"Feature","geometry":{"type":"Point","coordinates":[100.63,-0.83]},"properties":{"type":"FloodMonitoring","name":"Batang Lembang",` +
		`"currentLevel":{"type":"Property","value":1.98,"unitCode":"MTR","observedAt":"2026-11-25T08:00:00Z"}}}`
)

// The four ways of writing say the same, but that key-values lose the unit.
func TestForms(t *testing.T) {
	for name, body := range map[string]string{"LD": ld, "v2": v2, "key-values": values, "GeoJSON": geojson, "a list": "[" + ld + "]",
		"a notification of LD":   `{"id":"urn:n:1","type":"Notification","subscriptionId":"urn:s","notifiedAt":"2026-11-25T09:00:00Z","data":[` + ld + `]}`,
		"a notification of v2":   `{"subscriptionId":"57f","data":[` + v2 + `]}`,
		"a collection":           `{"type":"FeatureCollection","features":[` + geojson + `]}`,
		"a collection, notified": `{"id":"urn:n:1","type":"Notification","subscriptionId":"urn:s","notifiedAt":"2026-11-25T09:00:00Z","data":{"type":"FeatureCollection","features":[` + geojson + `]}}`,
		"expanded names":         strings.Replace(ld, `"currentLevel"`, `"https://uri.fiware.org/ns/data-models#currentLevel"`, 1),
	} {
		b := decode(t, body)
		if len(b.Observations) != 1 || len(b.Ignored)+len(b.Rejected) > 0 {
			t.Errorf("%s: %+v", name, b)
			continue
		}
		o := b.Observations[0]
		if o.Property != "currentLevel" || o.Value.Num != 1.98 || o.At.String() != "2026-11-25T08:00:00.000Z" || !o.Placed || o.Position.Lng != 100.63 || o.Name != "Batang Lembang" ||
			o.Unit != "m" && name != "key-values" || o.Quality != feeds.Good || len(o.Attrs) > 0 {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// Where no time of observation is told, what stands in is told.
func TestTimes(t *testing.T) {
	bare := strings.Replace(ld, `,"observedAt":"2026-11-25T08:00:00Z"`, "", 1)
	for name, c := range map[string]struct{ body, at, attrs string }{
		"dateObserved, an interval": {strings.Replace(bare, `"name"`, `"dateObserved":{"type":"Property","value":"2026-11-25T07:00:00Z/2026-11-25T08:00:00Z"},"name"`, 1), "2026-11-25T08:00:00.000Z", ""},
		"@value":                    {strings.Replace(bare, `"name"`, `"dateObservedTo":{"type":"Property","value":{"@type":"DateTime","@value":"2026-11-25T08:00:00Z"}},"name"`, 1), "2026-11-25T08:00:00.000Z", ""},
		"of the attribute":          {strings.Replace(bare, `"unitCode"`, `"modifiedAt":"2026-11-25T08:00:00Z","unitCode"`, 1), "2026-11-25T08:00:00.000Z", `{"time_quality":"modified"}`},
		"modifiedAt":                {strings.Replace(bare, `"name"`, `"modifiedAt":"2026-11-25T08:00:00Z","name"`, 1), "2026-11-25T08:00:00.000Z", `{"time_quality":"modified"}`},
		"notifiedAt":                {`{"type":"Notification","subscriptionId":"s","notifiedAt":"2026-11-25T08:00:00Z","data":[` + bare + `]}`, "2026-11-25T08:00:00.000Z", `{"time_quality":"notified"}`},
		"UTC":                       {strings.Replace(bare, `"name"`, `"dateObserved":"2026-11-25T08:00:00","name"`, 1), "2026-11-25T08:00:00.000Z", ""},
	} {
		if b := decode(t, c.body); len(b.Observations) != 1 || b.Observations[0].At.String() != c.at || string(b.Observations[0].Attrs) != c.attrs {
			t.Errorf("%s: %+v", name, b)
		}
	}
	if o := decode(t, bare).Observations[0]; !o.At.IsZero() || o.Quality != feeds.Received {
		t.Errorf("no time at all: %+v", o)
	}
	b, err := format(t, map[string]any{"zone": "WIB"}).Decode([]byte(strings.Replace(bare, `"name"`, `"dateObserved":"2026-11-25T15:00:00","name"`, 1)), feedtest.Meta())
	if err != nil || len(b.Observations) != 1 || b.Observations[0].At.String() != "2026-11-25T08:00:00.000Z" {
		t.Errorf("local times: %+v %v", b, err)
	}
}

func TestAttributes(t *testing.T) {
	b := decode(t, `{"id":"Madrid-28079004-2016-03-15T11:00:00","type":"AirQualityObserved","dateObserved":"2016-03-15T11:00:00Z","co":500,"coLevel":"moderate","raining":false,"refDevice":"urn:x:1","wardId":"4","source":"http://x.example",
		"address":{"a":1},"list":[1,2],"referenceLevel":4.2,"heat":1,"nextActuationDeadline":"2016-06-28T15:05:59Z","empty":" ","gone":null,"owner":{"type":"Relationship","object":"urn:x"},
		"speed":[{"type":"Property","value":55,"datasetId":"urn:ngsi-ld:Property:gps"},{"type":"Property","value":54,"unitCode":"KMH","datasetId":"urn:ngsi-ld:Property:can"}],"odd":{"type":"Number","value":1,"metadata":{"unitCode":{"value":"ZZ"}}}}`)
	got := map[string]any{}
	for _, o := range b.Observations {
		got[o.Property+" "+o.Unit] = o.Value.Any()
		if o.Thing != "Madrid-28079004" || o.Kind != "thing" {
			t.Errorf("got %+v", o)
		}
	}
	want := map[string]any{"co ": 500.0, "coLevel ": "moderate", "raining ": false, "speed.gps ": 55.0, "speed.can km/h": 54.0, "odd {ZZ}": 1.0, "referenceLevel ": 4.2, "heat ": 1.0}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
	meta := feedtest.Meta()
	meta.Kind = ""
	if b, err := format(t, nil).Decode([]byte(ld), meta); err != nil || b.Observations[0].Kind != "flood_monitoring" {
		t.Errorf("kind: %+v %v", b, err)
	}
}

func TestVehicle(t *testing.T) {
	body := `{"id":"vehicle:1","type":"Vehicle","name":"Truk 1","location":{"type":"geo:json","value":{"type":"Point","coordinates":[100.63,-0.83]},"metadata":{"timestamp":{"value":"2026-11-25T08:00:00"}}},
		"speed":{"type":"Number","value":36},"bearing":{"type":"Number","value":43},"battery":{"type":"Number","value":0.8}}`
	b := decode(t, body)
	if len(b.Positions) != 1 || len(b.Observations) != 1 || b.Observations[0].Property != "battery" {
		t.Fatalf("got %+v", b)
	}
	p := b.Positions[0]
	if p.Unit != "vehicle:1" || *p.SpeedMps != 10 || *p.Heading != 43 || p.At.String() != "2026-11-25T08:00:00.000Z" || p.Name != "Truk 1" {
		t.Errorf("got %+v", p)
	}
	if p := decode(t, strings.NewReplacer("43", "-1", `"value":36`, `"value":36,"metadata":{"unitCode":{"value":"MTS"}}`).Replace(body)).Positions[0]; p.Heading != nil || *p.SpeedMps != 36 {
		t.Errorf("got %+v", p)
	}
}

const alert = `{"id":"Alert:1","type":"Alert","category":"traffic","subCategory":"trafficJam","severity":"high","location":{"type":"Point","coordinates":[100.63,-0.83]},"dateIssued":"2026-11-25T08:00:00.00Z",` +
	`"validFrom":"2026-11-25T08:00:00Z","validTo":"2026-11-25T09:00:00Z","description":"Macet","alertSource":"https://x.example/8"}`

func TestAlert(t *testing.T) {
	b := decode(t, alert)
	if len(b.Alerts) != 1 || len(b.Observations) > 0 {
		t.Fatalf("got %+v", b)
	}
	m := b.Alerts[0].Message
	if i := m.Infos[0]; !strings.HasPrefix(m.Identifier, "Alert:1-h") || b.Alerts[0].Keys[0] != "ngsi Alert:1" || m.Sender != "https://x.example/8" || i.Event != "trafficJam" || i.Severity != cap.Severe || i.Categories[0] != "Transport" ||
		i.Expires.String() != "2026-11-25T09:00:00.000Z" || len(i.Areas) != 1 || i.Description != "Macet" {
		t.Errorf("got %+v", m)
	}
	for old, new := range map[string]string{`"high"`: `"terrible"`, `"https://x.example/8"`: `"two words"`} {
		m := decode(t, strings.Replace(alert, old, new, 1)).Alerts[0].Message
		if m.Infos[0].Severity == cap.Severe && m.Sender != "test" {
			t.Errorf("%s: %+v", new, m)
		}
	}
}

// An entity is changed in place: the alert it tells of is the next version of the same, not a second one beside it.
func TestAlertChangedInPlace(t *testing.T) {
	first := decode(t, alert).Alerts[0]
	for old, new := range map[string]string{`"high"`: `"critical"`, "Macet": "Macet total", "T09:00:00Z": "T11:00:00Z"} {
		next := decode(t, strings.Replace(alert, old, new, 1)).Alerts[0]
		if next.Message.Reference() == first.Message.Reference() || next.Keys[0] != first.Keys[0] {
			t.Errorf("%s: %s after %s, keys %v", new, next.Message.Identifier, first.Message.Identifier, next.Keys)
		}
	}
	if again := decode(t, `{"subscriptionId":"s","data":[`+alert+`]}`).Alerts[0]; again.Message.Reference() != first.Message.Reference() {
		t.Errorf("notified again it looks new: %s", again.Message.Identifier)
	}
}

// The geo:point of NGSI v2 is a text, and its latitude comes first; all else is GeoJSON.
func TestGeoPoint(t *testing.T) {
	point := func(s string) string {
		return strings.Replace(v2, `{"type":"geo:json","value":{"type":"Point","coordinates":[100.63,-0.83]}}`, `{"type":"geo:point","value":"`+s+`"}`, 1)
	}
	for _, s := range []string{"-0.83,100.63", " -0.83, 100.63 "} {
		if b := decode(t, point(s)); len(b.Observations) != 1 || !b.Observations[0].Placed || b.Observations[0].Position.Lat != -0.83 || b.Observations[0].Position.Lng != 100.63 {
			t.Errorf("%q: %+v", s, b)
		}
	}
	for s, reason := range map[string]string{"100.63, -0.83": "latitude 100.63", "0, 0": "unknown place", "-0.83": "neither GeoJSON nor", "Solok, Padang": "neither GeoJSON nor"} {
		if b := decode(t, point(s)); len(b.Rejected) != 1 || b.Records() > 0 || !strings.Contains(b.Rejected[0].Reason, reason) {
			t.Errorf("%q: %+v", s, b)
		}
	}
}

// What a broker tells of an end is no reading and no fault; what was read stands until it is old.
func TestDeletions(t *testing.T) {
	for name, entity := range map[string]string{
		"an entity": `{"id":"urn:ngsi-ld:FloodMonitoring:1","type":"FloodMonitoring","deletedAt":"2026-11-25T08:00:00Z"}`,
		"an alert":  `{"id":"urn:ngsi-ld:Alert:1","type":"Alert","deletedAt":"2026-11-25T08:00:00Z"}`,
	} {
		if b := decode(t, `{"id":"urn:n:1","type":"Notification","subscriptionId":"s","notifiedAt":"2026-11-25T09:00:00Z","data":[`+entity+`]}`); b.Records() > 0 || len(b.Rejected) > 0 ||
			len(b.Ignored) != 1 || !strings.Contains(b.Ignored[0].Reason, "deleted at the broker") {
			t.Errorf("%s: %+v", name, b)
		}
	}
	gone := strings.Replace(ld, `"name"`, `"turbidity":{"type":"Property","value":"urn:ngsi-ld:null","deletedAt":"2026-11-25T08:00:00Z"},"name"`, 1)
	if b := decode(t, gone); len(b.Observations) != 1 || b.Observations[0].Property != "currentLevel" {
		t.Errorf("an attribute: %+v", b)
	}
}

func TestItems(t *testing.T) {
	swap := func(s, old, new string) string { return strings.Replace(s, old, new, 1) }
	for _, c := range []struct{ name, item, reason string }{
		{"swapped", swap(ld, "100.63,-0.83", "-0.83,100.63"), "latitude 100.63"},
		{"null island", swap(ld, "100.63,-0.83", "0,0"), "unknown place"},
		{"half a place", swap(ld, "100.63,-0.83", "100.63"), "location"},
		{"a time of words", swap(ld, "2026-11-25T08:00:00Z", "noon"), "currentLevel: its time"},
		{"too large", swap(ld, "1.98", "1e999"), "beyond what a number can hold"},
		{"given twice", swap(ld, `"name"`, `"name":1,"name"`), "given twice"},
		{"only in case", swap(ld, `"name"`, `"Name":1,"name"`), "differ only in case"},
		{"an alert without a time", swap(alert, "dateIssued", "issued"), "dateIssued is missing"},
		{"no id", swap(ld, `"id"`, `"ident"`), "not an entity"},
		{"no object", "7", "not an object"},
		{"a feature of another kind", `{"type":"Feature","id":"us1","properties":{"type":"earthquake","mag":5},"geometry":{"type":"Point","coordinates":[1,2]}}`, "not an entity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			feedtest.OneBad(t, format(t, nil), []byte("["+v2+",\n"+c.item+"]"), 1, c.reason, "line 2")
		})
	}
	// A time that cannot be read costs its attribute; on one that describes it costs nothing.
	if b := decode(t, swap(ld, `"name"`, `"rain":{"type":"Property","value":3,"observedAt":"2020-02-01TT17:25:00Z"},"startDate":{"type":"DateTime","value":"x","metadata":{"TimeInstant":{"value":"2020-02-01TT17:25:00Z"}}},"name"`)); len(b.Observations) != 1 || len(b.Rejected) != 1 || !strings.Contains(b.Rejected[0].Reason, "rain: its time") {
		t.Errorf("got %+v", b)
	}
	if b := decode(t, `{"id":"a","type":"Park","name":"Taman"}`); len(b.Ignored) != 1 {
		t.Errorf("nothing to read: %+v", b)
	}
	for shape, lng := range map[string]float64{`{"type":"LineString","coordinates":[[100,-1],[100.5,-1],[101,-1]]}`: 100.5, `{"type":"Polygon","coordinates":[[[100,-1],[102,-1],[102,0],[100,-1]]]}`: 101} {
		if b := decode(t, strings.Replace(values, `{"type":"Point","coordinates":[100.63,-0.83]}`, shape, 1)); b.Observations[0].Position.Lng != lng {
			t.Errorf("%s: %+v", shape, b.Observations)
		}
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "null", "{}", "7", ld + "x", `{"id":1,"type":"x","a":1}`, `{"type":"FeatureCollection"}`, `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{}}]}`,
		`{"type":"Notification","subscriptionId":"s","notifiedAt":"noon","data":[]}`, `[{"a":1}]`, `<a/>`, `{"id":"a","id":"b","type":"c","x":1}`} {
		b, err := format(t, nil).Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q was taken: %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
	for _, quiet := range []string{"[]", `{"subscriptionId":"s","data":[]}`, `{"type":"FeatureCollection","features":[]}`} {
		if b := decode(t, quiet); b.Records()+len(b.Ignored)+len(b.Rejected) > 0 {
			t.Errorf("%s: %+v", quiet, b)
		}
	}
	for _, bad := range []map[string]any{{"zone": "Moon"}, {"context": "x"}} {
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
	ngsi := format(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := ngsi.Decode(body, feedtest.Meta())
		feedtest.Check(t, b, err)
		for _, o := range b.Observations {
			if o.Thing == "" || o.Property == "" || o.Placed && o.Position.Validate() != nil {
				t.Errorf("got %+v", o)
			}
		}
	})
}
