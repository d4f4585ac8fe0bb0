package ttn

import (
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "lorawan/ttn-*") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, Format{}, feedtest.Read(t, file)) })
	}
}

const sample = `{"end_device_ids":{"device_id":"awlr-1","application_ids":{"application_id":"pusdalops"},"dev_eui":"70B3D57BA0000BCE"},` +
	`"received_at":"2025-11-25T09:00:02.5Z","uplink_message":{"session_key_id":"AXA=","f_cnt":7,"f_port":1,"frm_payload":"AQI=",` +
	`"decoded_payload":{"level":2.5,"door":true,"state":"ok","in":{"volt":3.6},"none":null,"list":[1]},` +
	`"rx_metadata":[{"time":"2025-11-25T09:00:01.2Z"},{"time":"2025-11-25T09:00:01.1Z","location":{"latitude":-0.8,"longitude":100.6}},{}],` +
	`"locations":{"user":{"latitude":-0.79,"longitude":100.65}},"received_at":"2025-11-25T09:00:02Z"}}`

func decode(t *testing.T, body string) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUplink(t *testing.T) {
	b := decode(t, sample)
	var got []string
	for _, o := range b.Observations {
		got = append(got, o.Property)
		if o.Thing != "70b3d57ba0000bce" || o.Name != "awlr-1" || o.ID != "AXA=/7" || o.At.String() != "2025-11-25T09:00:01.100Z" || !o.Placed ||
			o.Position != (geo.Position{Lat: -0.79, Lng: 100.65}) {
			t.Errorf("got %+v", o)
		}
	}
	if strings.Join(got, " ") != "door in.volt level state" {
		t.Fatalf("properties %v", got)
	}
	if b.Observations[0].Value.Any() != true || b.Observations[1].Value.Any() != 3.6 || b.Observations[3].Value.Any() != "ok" {
		t.Errorf("values %+v", b.Observations)
	}
}

func TestLeftOut(t *testing.T) {
	first := decode(t, strings.Replace(sample, `"f_cnt":7,`, "", 1)).Observations[0]
	if first.ID != "AXA=/0" {
		t.Errorf("no f_cnt is 0: id %q", first.ID)
	}
	raw := decode(t, strings.Replace(sample, `"decoded_payload"`, `"settings"`, 1)).Observations
	if len(raw) != 1 || raw[0].Property != "frm_payload" || raw[0].Value.Text != "AQI=" {
		t.Errorf("no decoder: %+v", raw)
	}
	noEUI := decode(t, strings.Replace(sample, `,"dev_eui":"70B3D57BA0000BCE"`, "", 1)).Observations[0]
	if noEUI.Thing != "pusdalops/awlr-1" {
		t.Errorf("no EUI: %q", noEUI.Thing)
	}
	noGateway := decode(t, strings.Replace(sample, `"rx_metadata"`, `"rx"`, 1)).Observations[0]
	if noGateway.At.String() != "2025-11-25T09:00:02.000Z" {
		t.Errorf("no gateway's time: %s", noGateway.At)
	}
	noPlace := decode(t, strings.Replace(sample, `"user"`, `"other"`, 1)).Observations[0]
	if noPlace.Placed {
		t.Errorf("a gateway's place was taken for the device's: %+v", noPlace)
	}
	gps := decode(t, strings.Replace(sample, `"user"`, `"frm-payload":{"latitude":-0.7,"longitude":100.7},"user"`, 1)).Observations[0]
	if gps.Position.Lat != -0.7 {
		t.Errorf("the payload's place comes first: %+v", gps.Position)
	}
}

// The topic names the device; what the body says of another is not believed.
func TestTopic(t *testing.T) {
	at := func(topic string) feeds.Batch {
		meta := feedtest.Meta()
		meta.Topic = topic
		b, err := Format{}.Decode([]byte(sample), meta)
		feedtest.Check(t, b, err)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, topic := range []string{"", "v3/pusdalops@ttn/devices/awlr-1/up", "city/v3/pusdalops@ttn/devices/awlr-1/up", "sensors/river"} {
		if b := at(topic); len(b.Observations) != 4 || b.Observations[0].Thing != "70b3d57ba0000bce" {
			t.Errorf("%s: %+v", topic, b)
		}
	}
	if b := at("v3/pusdalops@ttn/devices/awlr-2/up"); b.Records() != 0 || len(b.Rejected) != 1 || !strings.Contains(b.Rejected[0].Reason, `"awlr-2" of the topic`) {
		t.Errorf("another device's topic: %+v", b)
	}
}

func TestBattery(t *testing.T) {
	b := decode(t, strings.Replace(sample, `"f_port":1`, `"last_battery_percentage":{"value":88.5}`, 1))
	if o := b.Observations[len(b.Observations)-1]; o.Property != "battery" || o.Value.Num != 88.5 || o.Unit != "%" {
		t.Errorf("got %+v", o)
	}
}

func TestItems(t *testing.T) {
	cases := []struct {
		name, old, new, reason string
		ignored                bool
	}{
		{"join", `"uplink_message"`, `"join_accept"`, "join_accept", true},
		{"simulated", `"received_at"`, `"simulated":true,"received_at"`, "simulated", true},
		{"no payload", `"frm_payload":"AQI=","decoded_payload"`, `"settings"`, "without payload", true},
		{"no device", `"device_id":"awlr-1",`, "", "device_id is missing", false},
		{"an EUI that is none", "70B3D57BA0000BCE", "70B3", "16 hex digits", false},
		{"swapped", `"latitude":-0.79,"longitude":100.65`, `"latitude":100.65,"longitude":-0.79`, "swapped", false},
		{"gateway time without zone", "09:00:01.2Z", "09:00:01", "is not a time", false},
		{"a payload that is a list", `"decoded_payload":{"level":2.5`, `"decoded_payload":[],"x":{"level":2.5`, "not an object", false},
		{"a number beyond numbers", `2.5,"door"`, `1e999,"door"`, "uplink_message.decoded_payload.level is not a number", false},
		{"too deep", `{"volt":3.6}`, `{"a":{"b":{"c":{"d":1}}}}`, "lies too deep", false},
		{"other letters", `"f_cnt"`, `"F_cnt"`, `should be written "f_cnt"`, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := decode(t, strings.Replace(sample, c.old, c.new, 1))
			refused := b.Rejected
			if c.ignored {
				refused = b.Ignored
			}
			if b.Records() != 0 || len(b.Ignored)+len(b.Rejected) != 1 || len(refused) != 1 || !strings.Contains(refused[0].Reason, c.reason) {
				t.Errorf("got %d records, ignored %v, rejected %v; want %q", b.Records(), b.Ignored, b.Rejected, c.reason)
			}
		})
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "{}", sample + "x", `{"end_device_ids":{}}`, `{"uplink_message":{}}`, `{"deviceInfo":{"devEui":"1"}}`, "<x/>",
		strings.Replace(sample, `"f_cnt"`, `"f_cnt":1,"f_cnt"`, 1), strings.Replace(sample, `"level"`, `"Level":1,"level"`, 1)} {
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
