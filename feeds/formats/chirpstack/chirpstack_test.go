package chirpstack

import (
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "lorawan/chirpstack-*") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, Format{}, feedtest.Read(t, file)) })
	}
}

const sample = `{"deduplicationId":"ede7","time":"2025-11-25T09:00:02+00:00","deviceInfo":{"deviceName":"ARR Salayo","devEui":"70B3d57ba0003bb8"},` +
	`"devAddr":"017d1f70","fCnt":20,"fPort":1,"data":"AgE=","object":{"rainfall":1.2,"wet":true,"in":{"volt":3.6},"note":"ok","none":null},` +
	`"rxInfo":[{"gwTime":"2025-11-25T09:00:01.2+00:00","location":{"latitude":-0.8,"longitude":100.6}},{"time":"2025-11-25T16:00:01.1+07:00"},{}]}`

const health = `{"deduplicationId":"a1","time":"2025-11-25T09:00:02Z","deviceInfo":{"devEui":"70b3d57ba0003bb8"},"margin":7,"externalPowerSource":false,` +
	`"batteryLevelUnavailable":false,"batteryLevel":75.5}`

func decodeAt(t *testing.T, topic, body string) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), feeds.Meta{Topic: topic})
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t *testing.T, body string) feeds.Batch { t.Helper(); return decodeAt(t, "", body) }

func TestUplink(t *testing.T) {
	var got []string
	for _, o := range decode(t, sample).Observations {
		got = append(got, o.Property)
		if o.Thing != "70b3d57ba0003bb8" || o.Name != "ARR Salayo" || o.ID != "ede7" || o.At.String() != "2025-11-25T09:00:01.100Z" || o.Placed {
			t.Errorf("got %+v", o)
		}
	}
	if strings.Join(got, " ") != "in.volt note rainfall wet" {
		t.Errorf("properties %v", got)
	}
	raw := decode(t, strings.Replace(sample, `"object"`, `"tags"`, 1)).Observations
	if len(raw) != 1 || raw[0].Property != "data" || raw[0].Value.Text != "AgE=" {
		t.Errorf("no codec: %+v", raw)
	}
	if o := decode(t, strings.Replace(sample, `"deduplicationId":"ede7",`, "", 1)).Observations[0]; o.ID != "017d1f70/20" {
		t.Errorf("no deduplicationId: %q", o.ID)
	}
	if o := decode(t, strings.Replace(sample, `"rxInfo"`, `"rx"`, 1)).Observations[0]; o.At.String() != "2025-11-25T09:00:02.000Z" {
		t.Errorf("no gateway's time: %s", o.At)
	}
}

func TestStatus(t *testing.T) {
	b := decode(t, health)
	if o := b.Observations; len(o) != 2 || o[0].Property != "battery" || o[0].Value.Num != 75.5 || o[1].Property != "margin" || o[1].Unit != "dB" {
		t.Errorf("got %+v", o)
	}
	mains := decode(t, strings.Replace(health, `"externalPowerSource":false`, `"externalPowerSource":true`, 1))
	if len(mains.Observations) != 1 || mains.Observations[0].Property != "margin" {
		t.Errorf("on mains the battery level says nothing: %+v", mains.Observations)
	}
}

// The topic tells the kind of the event and whose it is; letters of the EUI may be large or small.
func TestTopic(t *testing.T) {
	for _, device := range []string{"70b3d57ba0003bb8", "70B3D57BA0003BB8"} {
		b := decodeAt(t, "application/5f6/device/"+device+"/event/up", sample)
		if len(b.Observations) != 4 || b.Observations[0].Thing != "70b3d57ba0003bb8" || b.Observations[0].ID != "ede7" {
			t.Errorf("%s: %+v", device, b)
		}
	}
	if b := decodeAt(t, "city/application/5f6/device/70b3d57ba0003bb8/event/status", health); len(b.Observations) != 2 {
		t.Errorf("below a prefix: %+v", b)
	}
	if b := decodeAt(t, "application/5f6/device/70b3d57ba0003bb9/event/up", sample); b.Records() != 0 || len(b.Rejected) != 1 || !strings.Contains(b.Rejected[0].Reason, "70b3d57ba0003bb9 of the topic") {
		t.Errorf("another device's topic: %+v", b)
	}
	if b := decodeAt(t, "sensors/river", sample); len(b.Observations) != 4 {
		t.Errorf("a topic that says nothing: %+v", b)
	}
}

func TestItems(t *testing.T) {
	cases := []struct {
		name, topic, body, reason string
		ignored                   bool
	}{
		{"join by topic", "application/a/device/70b3d57ba0003bb8/event/join", sample, "join", true},
		{"join by content", "", `{"deviceInfo":{"devEui":"70b3d57ba0003bb8"},"devAddr":"1","time":"x"}`, "join", true},
		{"ack", "", `{"deviceInfo":{"devEui":"70b3d57ba0003bb8"},"acknowledged":true}`, "ack", true},
		{"txack", "", `{"deviceInfo":{"devEui":"70b3d57ba0003bb8"},"downlinkId":1}`, "txack", true},
		{"log", "", `{"deviceInfo":{"devEui":"70b3d57ba0003bb8"},"level":"ERROR","code":"UPLINK_CODEC"}`, "log", true},
		{"location", "", `{"deviceInfo":{"devEui":"70b3d57ba0003bb8"},"location":{}}`, "location", true},
		{"something else", "", `{"deviceInfo":{"devEui":"70b3d57ba0003bb8"}}`, "without a sign", true},
		{"no payload", "", `{"deviceInfo":{"devEui":"70b3d57ba0003bb8"},"time":"2025-11-25T09:00:02Z","fPort":1}`, "without payload", true},
		{"status without a value", "", strings.NewReplacer(`"margin":7,`, "", "75.5", "null").Replace(health), "neither battery", true},
		{"an empty EUI", "", strings.Replace(sample, "70B3d57ba0003bb8", "", 1), "devEui is missing", false},
		{"an EUI that is none", "", strings.Replace(sample, "70B3d57ba0003bb8", "7", 1), "16 hex digits", false},
		{"no time", "", strings.Replace(health, `"time"`, `"at"`, 1), "time is missing", false},
		{"battery as 0..254", "", strings.Replace(health, "75.5", "254", 1), "batteryLevel 254", false},
		{"other letters", "", strings.Replace(sample, `"data"`, `"Data"`, 1), `should be written "data"`, false},
		{"gateway time without zone", "", strings.Replace(sample, "09:00:01.2+00:00", "09:00:01", 1), "is not a time", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := decodeAt(t, c.topic, c.body)
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
	for _, body := range []string{"", "null", "[]", "{}", sample + "x", `{"devEUI":"AA==","applicationID":"1"}`, `{"deviceInfo":{"brand":"x"},"location":{}}`, `{"deviceInfo":7}`, `{"deviceInfo":{"DevEui":"1"}}`, `{"end_device_ids":{},"uplink_message":{}}`, "<x/>",
		strings.Replace(sample, `"data"`, `"data":"","data"`, 1)} {
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
