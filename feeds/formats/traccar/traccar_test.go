package traccar

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "traccar/*.json") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, Format{}, feedtest.Read(t, file)) })
	}
}

const client = `{"location":{"timestamp":"2025-11-25T09:00:00.000Z","coords":{"latitude":-0.79,"longitude":100.65,"accuracy":8,"speed":10,"heading":120},` +
	`"battery":{"level":0.5}},"device_id":"48241179"}`

const forwarded = `{"event":{"id":7,"type":"alarm","attributes":{"alarm":"sos"},"eventTime":"2025-11-25T09:00:02.000+00:00"},` +
	`"position":{"fixTime":"2025-11-25T16:00:00.000+07:00","outdated":false,"valid":true,"latitude":-0.79,"longitude":100.65,"speed":10,"course":120,"accuracy":0,` +
	`"attributes":{"batteryLevel":71}},"device":{"name":"Ambulans 2","uniqueId":"356"}}`

func decode(t *testing.T, body string) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), feeds.Meta{})
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var solok = geo.Position{Lat: -0.79, Lng: 100.65}

func TestClient(t *testing.T) {
	b := decode(t, client)
	p, o := b.Positions[0], b.Observations[0]
	if p.Unit != "48241179" || p.Position != solok || *p.SpeedMps != 10 || *p.Heading != 120 || *p.AccuracyM != 8 || p.At.String() != "2025-11-25T09:00:00.000Z" {
		t.Errorf("got %+v", p)
	}
	if o.Property != "battery" || o.Value.Num != 50 || o.Unit != "%" || o.Thing != p.Unit || o.Kind != "unit" {
		t.Errorf("got %+v", o)
	}
	u := decode(t, strings.NewReplacer(`"speed":10`, `"speed":-1`, `"heading":120`, `"heading":-1`, `"accuracy":8`, `"accuracy":0`, `0.5`, "-1",
		`"48241179"`, "48241179", `"2025-11-25T09:00:00.000Z"`, "1764061200000").Replace(client))
	if p := u.Positions[0]; p.SpeedMps != nil || p.Heading != nil || p.AccuracyM != nil || len(u.Observations) != 0 || p.Unit != "48241179" || p.At.Milli() != 1764061200000 {
		t.Errorf("unknown: got %+v", u)
	}
}

func TestForwarded(t *testing.T) {
	b := decode(t, forwarded)
	p := b.Positions[0]
	if p.Unit != "356" || p.Name != "Ambulans 2" || p.Position != solok || math.Abs(*p.SpeedMps-5.14444) > 1e-4 || *p.Heading != 120 || p.AccuracyM != nil ||
		p.At.String() != "2025-11-25T09:00:00.000Z" {
		t.Errorf("got %+v", p)
	}
	battery, alarm := b.Observations[0], b.Observations[1]
	if battery.Value.Num != 71 || alarm.Property != "alarm" || alarm.Value.Text != "sos" || alarm.ID != "event 7" || alarm.At.String() != "2025-11-25T09:00:02.000Z" || !alarm.Placed {
		t.Errorf("got %+v", b.Observations)
	}
	for _, c := range []struct{ old, new, reason string }{
		{`"valid":true`, `"valid":false`, "not valid"},
		{`"outdated":false`, `"outdated":true`, "outdated"},
	} {
		body := strings.Replace(forwarded, c.old, c.new, 1)
		if b := decode(t, body); len(b.Positions) != 0 || len(b.Observations) != 1 || b.Observations[0].Placed {
			t.Errorf("%s: got %+v", c.new, b)
		}
		alone := body[:1] + body[strings.Index(body, `"position"`):]
		if b := decode(t, alone); b.Records() != 0 || len(b.Ignored) != 1 || !strings.Contains(b.Ignored[0].Reason, c.reason) {
			t.Errorf("%s: got %+v", c.new, b)
		}
	}
}

func TestItems(t *testing.T) {
	cases := []struct{ name, body, old, new, reason string }{
		{"null island", client, "-0.79,\"longitude\":100.65", "0,\"longitude\":0.0", "unknown place"},
		{"swapped", client, "-0.79,\"longitude\":100.65", "100.65,\"longitude\":-0.79", "swapped"},
		{"no place", client, `"latitude":-0.79,"longitude":100.65,`, "", "latitude and longitude are missing"},
		{"no time", client, `"timestamp":"2025-11-25T09:00:00.000Z",`, "", "timestamp is missing"},
		{"time without zone", client, "09:00:00.000Z", "09:00:00", "is not a time"},
		{"battery in percent", client, "0.5", "50", "battery.level 50"},
		{"no device", client, `"48241179"`, `""`, "device_id is missing"},
		{"speed as text", client, `"speed":10`, `"speed":"10"`, "coords.speed is not a number"},
		{"other letters", client, `"latitude"`, `"Latitude"`, `should be written "latitude"`},
		{"no uniqueId", forwarded, `"uniqueId":"356"`, `"id":1`, "uniqueId is missing"},
		{"no fixTime", forwarded, `"fixTime"`, `"deviceTime"`, "fixTime is missing"},
		{"no eventTime", forwarded, `"eventTime"`, `"serverTime"`, "eventTime is missing"},
		{"forwarded null island", forwarded, "-0.79,\"longitude\":100.65", "0,\"longitude\":0.0", "unknown place"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := decode(t, strings.Replace(c.body, c.old, c.new, 1))
			if b.Records() != 0 || len(b.Rejected) != 1 || !strings.Contains(b.Rejected[0].Reason, c.reason) {
				t.Errorf("got %d records, rejected %v; want %q", b.Records(), b.Rejected, c.reason)
			}
		})
	}
}

func TestOneBadLocation(t *testing.T) {
	one := client[len(`{"location":`):strings.Index(client, `,"device_id"`)]
	body := `{"location":[` + one + `,{"coords":7},` + one + `],"device_id":"1"}`
	feedtest.OneBad(t, Format{}, []byte(body), 1, "location[1]", "not an object")
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "{}", client + "x", `{"location":{}}`, `{"device":{}}`, `{"event":{},"position":{}}`, `<x/>`,
		strings.Replace(client, `"coords"`, `"coords":{},"coords"`, 1)} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q: want an error, got %+v", body, b)
		}
		feedtest.Check(t, b, err)
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
