package sensorthings

import (
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "sensorthings/*") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, Format{}, feedtest.Read(t, file)) })
	}
}

func decode(t testing.TB, topic, address, body string) feeds.Batch {
	t.Helper()
	meta := feedtest.Meta()
	meta.Topic = topic
	if address != "" {
		meta.URL = address
	}
	b, err := Format{}.Decode([]byte(body), meta)
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	bare     = `{"@iot.id":7,"phenomenonTime":"2026-11-25T08:00:00Z","resultTime":"2026-11-25T08:00:01Z","result":3.4}`
	expanded = `{"@iot.id":7,"phenomenonTime":"2026-11-25T08:00:00+07:00","result":3.4,"resultQuality":{"quality":"Good"},"Datastream":{"@iot.id":5,"name":"level of the gauge",` +
		`"unitOfMeasurement":{"name":"metre","symbol":"m","definition":"ucum:m"},"ObservedProperty":{"name":"water_level"},` +
		`"Thing":{"@iot.id":"g-1","name":"AWLR Batang Lembang","Locations":[{"encodingType":"application/geo+json","location":{"type":"Point","coordinates":[100.63,-0.83]}}]}}}`
)

func TestExpanded(t *testing.T) {
	b := decode(t, "", "", `{"@iot.count":9,"@iot.nextLink":"Observations?$skip=1","value":[`+expanded+`]}`)
	if len(b.Observations) != 1 {
		t.Fatalf("got %+v", b)
	}
	o := b.Observations[0]
	if o.Thing != "g-1" || o.Name != "AWLR Batang Lembang" || o.Property != "water_level" || o.Unit != "m" || o.Value.Num != 3.4 || !o.Placed || o.Position.Lng != 100.63 ||
		o.ID != "Datastreams(5)/2026-11-25T01:00:00.000Z" || o.Quality != feeds.Good {
		t.Errorf("got %+v", o)
	}
	if len(b.Next) != 1 || b.Next[0] != "https://feed.example/dir/Observations?$skip=1" {
		t.Errorf("follow %q", b.Next)
	}
}

// The Datastream may be known from the topic, from the address, or from the link of the page.
func TestWhere(t *testing.T) {
	for name, b := range map[string]feeds.Batch{
		"topic":        decode(t, "v1.1/Datastreams(5)/Observations", "", bare),
		"text id":      decode(t, "FROST/v1.1/Datastreams('5')/Observations", "", bare),
		"address":      decode(t, "", "https://x.example/v1.1/Datastreams(5)/Observations?$top=1000", "["+bare+"]"),
		"escaped":      decode(t, "", "https://x.example/v1.1/Datastreams%285%29/Observations", "["+bare+"]"),
		"link of page": decode(t, "", "", `{"value":[`+bare+`],"@iot.nextLink":"https://x.example/v1.1/Datastreams(5)/Observations?$skip=1"}`),
	} {
		if len(b.Observations) != 1 || b.Observations[0].Thing != "Datastreams(5)" || b.Observations[0].Property != "result" || b.Observations[0].ID != "Datastreams(5)/2026-11-25T08:00:00.000Z" {
			t.Errorf("%s: %+v", name, b)
		}
	}
	if b := decode(t, "", "", bare); len(b.Rejected) != 1 || !strings.Contains(b.Rejected[0].Reason, "$expand=Datastream") {
		t.Errorf("of nowhere: %+v", b)
	}
}

// A list without its Datastreams is read where the address tells of which one it is.
func TestRecordedByAddress(t *testing.T) {
	body := feedtest.Read(t, feedtest.Recorded(t, "sensorthings/bgs-observations-min.json")[0])
	b := decode(t, "", "https://sensors.bgs.ac.uk/FROST-Server/v1.1/Datastreams(92)/Observations", string(body))
	if len(b.Observations) != 2 || b.Observations[0].Value.Num != 1.2 || b.Observations[0].ID != "Datastreams(92)/2023-03-28T12:15:00.000Z" {
		t.Errorf("got %+v", b)
	}
}

func TestObservedArea(t *testing.T) {
	for area, placed := range map[string]bool{`{"type":"Point","coordinates":[-4.2,55.8]}`: true, `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`: false} {
		b := decode(t, "", "", `{"@iot.id":92,"name":"GGA01_01 Water Level","unitOfMeasurement":{"definition":"ucum:m"},"phenomenonTime":"2020-08-11T12:00:00Z/2022-03-03T14:15:00Z",
			"observedArea":`+area+`,"Observations":[`+bare+`]}`)
		if len(b.Observations) != 1 || b.Observations[0].Placed != placed || b.Observations[0].Thing != "Datastreams(92)" || b.Observations[0].Property != "GGA01_01 Water Level" {
			t.Errorf("%s: %+v", area, b)
		}
	}
}

// The place is the FeatureOfInterest's before the Thing's: what was observed may lie elsewhere than what observed it.
func TestFeatureOfInterest(t *testing.T) {
	foi := func(feature string) feeds.Observation {
		return decode(t, "", "", strings.Replace(expanded, `"Datastream"`, `"FeatureOfInterest":{"@iot.id":2,"feature":`+feature+`},"Datastream"`, 1)).Observations[0]
	}
	for _, feature := range []string{`{"type":"Point","coordinates":[100.7,-0.9]}`, `{"type":"Feature","geometry":{"type":"Point","coordinates":[100.7,-0.9]}}`} {
		if o := foi(feature); !o.Placed || o.Position.Lng != 100.7 || o.Position.Lat != -0.9 || o.Thing != "g-1" {
			t.Errorf("%s: %+v", feature, o)
		}
	}
	if o := foi(`{"type":"Polygon","coordinates":[[[100,-1],[101,-1],[101,0],[100,-1]]]}`); o.Position.Lng != 100.63 {
		t.Errorf("a ground is no place of a reading: %+v", o)
	}
}

// What MQTT publishes anew after an update, and what is read again with another @iot.id, keeps the identity of its time.
func TestPublishedAnew(t *testing.T) {
	const topic = "v1.1/Datastreams(5)/Observations"
	first := decode(t, topic, "", bare).Observations[0]
	for _, again := range []string{strings.Replace(bare, `"@iot.id":7`, `"@iot.id":99`, 1), strings.Replace(bare, "3.4", "3.5", 1)} {
		if o := decode(t, topic, "", again).Observations[0]; o.ID != first.ID || o.Thing != first.Thing {
			t.Errorf("%s: id %s, was %s", again, o.ID, first.ID)
		}
	}
}

func TestDeep(t *testing.T) {
	b := decode(t, "", "", `{"name":"pole","@iot.id":3,"Locations":[{"location":{"type":"Feature","geometry":{"type":"Point","coordinates":[100.63,-0.83]}}}],"Datastreams":[
		{"@iot.id":8,"name":"t","unitOfMeasurement":{"name":"degree Celsius","symbol":"C","definition":"x"},"ObservedProperty":{"name":"temperature"},
		 "Observations":[{"phenomenonTime":"2026-11-25T07:00:00Z/2026-11-25T08:00:00Z","result":21},{"resultTime":"2026-11-25T08:00:00Z","@iot.id":1,"result":"dry"},{"phenomenonTime":"soon","result":1}],
		 "Observations@iot.nextLink":"/v1.1/Datastreams(8)/Observations?$skip=3"},
		{"@iot.id":9,"name":"empty","unitOfMeasurement":{},"observationType":"x"}]}`)
	if len(b.Observations) != 2 || len(b.Rejected) != 1 || len(b.Ignored) != 1 || len(b.Next) != 0 {
		t.Fatalf("got %+v", b)
	}
	o := b.Observations
	if o[0].Thing != "3" || o[0].Unit != "Cel" || !o[0].Placed || o[0].At.String() != "2026-11-25T08:00:00.000Z" || string(o[0].Attrs) != `{"phenomenon_start":"2026-11-25T07:00:00Z"}` {
		t.Errorf("got %+v %s", o[0], o[0].Attrs)
	}
	if o[1].Value.Text != "dry" || string(o[1].Attrs) != `{"time_quality":"result"}` {
		t.Errorf("got %+v %s", o[1], o[1].Attrs)
	}
	if b.Rejected[0].Index != 2 || !strings.Contains(b.Rejected[0].Reason, `"soon" is not a time`) {
		t.Errorf("rejected %+v", b.Rejected)
	}
}

func TestResults(t *testing.T) {
	one := func(result string) feeds.Batch {
		return decode(t, "v1.1/Datastreams(5)/Observations", "", strings.Replace(bare, "3.4", result, 1))
	}
	for result, want := range map[string]any{"true": true, "false": false, `"wet"`: "wet", "-2e3": -2000.0, "0": 0.0} {
		if b := one(result); len(b.Observations) != 1 || b.Observations[0].Value.Any() != want {
			t.Errorf("%s: %+v", result, b)
		}
	}
	if b := one(`{"speed":{"x":1},"ok":true,"list":[1]}`); len(b.Observations) != 2 || b.Observations[0].Property != "result.ok" || b.Observations[1].Property != "result.speed.x" ||
		b.Observations[0].ID == b.Observations[1].ID {
		t.Errorf("an object: %+v", b.Observations)
	}
	for _, none := range []string{"null", "[1,2]", "{}"} {
		if b := one(none); len(b.Ignored) != 1 || b.Records() > 0 {
			t.Errorf("%s: %+v", none, b)
		}
	}
}

func TestItems(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(expanded, old, new, 1) }
	for _, c := range []struct{ name, item, reason string }{
		{"swapped", swap("100.63,-0.83", "-0.83,100.63"), "latitude 100.63"},
		{"null island", swap("100.63,-0.83", "0,0"), "0,0 stands for an unknown place"},
		{"a time of words", swap("2026-11-25T08:00:00+07:00", "noon"), `"noon" is not a time`},
		{"a time without offset", swap("+07:00", ""), "is not a time"},
		{"too large a number", swap("3.4", "1e999"), "result is not a number"},
		{"given twice", swap(`"result"`, `"result":1,"result"`), "given twice"},
		{"other letters", swap(`"phenomenonTime"`, `"resultTime":null,"PhenomenonTime"`), `should be written "phenomenonTime"`},
		{"another entity", `{"a":1}`, "no Observation, Datastream or Thing"},
		{"no object", "7", "not an object"},
		{"no result inside", `{"Datastreams":[{"Observations":[{}]}]}`, "result is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			feedtest.OneBad(t, Format{}, []byte("["+expanded+",\n"+c.item+"]"), 1, c.reason, "line 2")
		})
	}
	if b := decode(t, "", "", swap("Good", "Suspect value")); b.Observations[0].Quality != feeds.Suspect {
		t.Errorf("got %+v", b.Observations[0])
	}
	for link, kept := range map[string]bool{"https://other.example/x": true, "javascript:1": false, "https://a:b@c/": false, "::": false} {
		if b := decode(t, "", "", `{"value":[`+expanded+`],"@iot.nextLink":"`+link+`"}`); (len(b.Next) == 1) != kept || (len(b.Ignored) == 1) == kept {
			t.Errorf("%s: %+v", link, b)
		}
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "null", "7", "{}", bare + "x", `{"value":{}}`, `{"value":[{"name":"Things","url":"x"}]}`, `{"code":404,"type":"error","message":"no"}`, `{"value":[],"value":[]}`,
		`{"value":[],"@iot.nextLink":7}`, `[{"a":1},{"b":2}]`, `{"type":"FeatureCollection","features":[]}`, "<a/>"} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q was taken: %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
	for _, quiet := range []string{"[]", `{"value":[]}`, " {\"@iot.count\":0,\"value\":[]}\n"} {
		if b := decode(t, "", "", quiet); b.Records()+len(b.Rejected)+len(b.Ignored) > 0 {
			t.Errorf("%s: %+v", quiet, b)
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
	meta := feedtest.Meta()
	meta.Topic = "v1.1/Datastreams(5)/Observations"
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Format{}.Decode(body, meta)
		feedtest.Check(t, b, err)
		for _, o := range b.Observations {
			if o.Thing == "" || o.Property == "" || o.Placed && o.Position.Validate() != nil {
				t.Errorf("got %+v", o)
			}
		}
	})
}
