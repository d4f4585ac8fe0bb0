package adsb

import (
	"bytes"
	"compress/gzip"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "adsb/*") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, Format{}, feedtest.Read(t, file)) })
	}
}

const entry = `{"hex":"8A0123","flight":"GIA150  ","alt_baro":1000,"gs":100,"track":90.5,"lat":-0.79,"lon":100.65,"seen_pos":2.5,"nac_p":9,"squawk":"2274","emergency":"none","mlat":[]}`

const flown = `{"timestamp":1764061200000,"icao24":"4b43ac","latitude":-0.79,"longitude":100.65,"groundspeed":100,"track":90.5,"callsign":"REGA1","squawk":7100,` +
	`"altitude":1000,"last_position":1764061199500,"onground":false,"hour":null}`

func picture(entries ...string) string {
	return `{"now":1764061200.5,"messages":9,"aircraft":[` + "\n" + strings.Join(entries, ",\n") + `]}`
}

func track(records ...string) string { return "[" + strings.Join(records, ",\n") + "]" }

func decode(t *testing.T, body string) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPicture(t *testing.T) {
	b := decode(t, picture(entry))
	p, o := b.Positions[0], b.Observations[0]
	if p.Unit != "8a0123" || p.Name != "GIA150" || p.Kind != "aircraft" || p.Position != (geo.Position{Lat: -0.79, Lng: 100.65}) || math.Abs(*p.SpeedMps-51.444) > 1e-3 ||
		*p.Heading != 90.5 || *p.AccuracyM != 30 || p.At.String() != "2025-11-25T08:59:58.000Z" || !b.Snapshot {
		t.Errorf("got %+v", p)
	}
	if len(b.Observations) != 1 || o.Property != "altitude" || math.Abs(o.Value.Num-304.8) > 1e-9 || o.Unit != "m" || !o.At.Equal(p.At.Time) {
		t.Errorf("got %+v", b.Observations)
	}
	swap := func(old, new string) feeds.Batch { return decode(t, picture(strings.Replace(entry, old, new, 1))) }
	if b := swap(`"alt_baro":1000`, `"alt_baro":"ground"`); len(b.Observations) != 1 || b.Observations[0].Property != "on_ground" || b.Observations[0].Value.Any() != true {
		t.Errorf("ground: %+v", b.Observations)
	}
	if b := swap("2274", "7700"); b.Observations[1].Property != "emergency" || b.Observations[1].Value.Text != "general emergency" {
		t.Errorf("7700: %+v", b.Observations)
	}
	if b := swap(`"none"`, `"lifeguard"`); b.Observations[1].Value.Text != "lifeguard" {
		t.Errorf("lifeguard: %+v", b.Observations)
	}
	if b := swap("8A0123", "~2a0123"); b.Positions[0].Unit != "~2a0123" {
		t.Errorf("not ICAO's: %+v", b.Positions)
	}
	if b := swap(`"lat":-0.79,"lon":100.65,"seen_pos":2.5,`, ""); b.Records() != 0 || len(b.Ignored) != 1 || b.Ignored[0].Reason != "no place heard: 1 aircraft" {
		t.Errorf("no place: %+v", b)
	}
}

func TestTrack(t *testing.T) {
	b := decode(t, track(flown, strings.NewReplacer("1764061199500", "null", "7100", `"7700"`, "-0.79", "-0.78").Replace(flown)))
	p, q := b.Positions[0], b.Positions[1]
	if p.Unit != "4b43ac" || p.Name != "REGA1" || p.At.String() != "2025-11-25T08:59:59.500Z" || q.At.String() != "2025-11-25T09:00:00.000Z" || b.Snapshot ||
		math.Abs(*p.SpeedMps-51.444) > 1e-3 || math.Abs(b.Observations[0].Value.Num-304.8) > 1e-9 || b.Observations[2].Property != "emergency" {
		t.Errorf("got %+v", b)
	}
	if b := decode(t, track(strings.Replace(flown, `"onground":false`, `"onground":true`, 1))); len(b.Observations) != 1 || b.Observations[0].Property != "on_ground" {
		t.Errorf("ground: %+v", b.Observations)
	}
}

func TestGzip(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(picture(entry))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if b := decode(t, z.String()); len(b.Positions) != 1 {
		t.Errorf("got %+v", b)
	}
	if _, err := (Format{}).Decode(z.Bytes()[:z.Len()/2], feedtest.Meta()); err == nil {
		t.Error("a cut gzip was taken")
	}
}

func TestItems(t *testing.T) {
	cases := []struct{ name, item, old, new, reason string }{
		{"no address", entry, `"hex":"8A0123",`, "", "hex is missing"},
		{"an address that is none", entry, "8A0123", "GARUDA", "six hex digits"},
		{"half a place", entry, `"lat":-0.79,`, "", "one is missing"},
		{"swapped", entry, `"lat":-0.79,"lon":100.65`, `"lat":100.65,"lon":-0.79`, "swapped"},
		{"null island", entry, `"lat":-0.79,"lon":100.65`, `"lat":0,"lon":0`, "unknown place"},
		{"no age of the place", entry, `"seen_pos":2.5,`, "", "seen_pos is missing"},
		{"a word of altitude", entry, `"alt_baro":1000`, `"alt_baro":"high"`, "not a number or ground"},
		{"altitude beyond", entry, `"alt_baro":1000`, `"alt_baro":200000`, "alt_baro 200000"},
		{"speed as text", entry, `"gs":100`, `"gs":"100"`, "gs is not a number"},
		{"other letters", entry, `"lat"`, `"Lat"`, `should be written "lat"`},
		{"name twice", entry, `"lat"`, `"lat":1,"lat"`, "given twice"},
		{"not an object", "7", "7", "7", "not an object"},
		{"no time", flown, `"timestamp":1764061200000,`, "", "timestamp is missing"},
		{"time in seconds", flown, "1764061200000", "1764061200", "milliseconds"},
		{"squawk with an 8", flown, "7100", "7180", "four digits from 0 to 7"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(c.item, c.old, c.new, 1)
			body := picture(entry, bad, entry)
			if c.item == flown {
				body = track(flown, bad, flown)
			}
			feedtest.OneBad(t, Format{}, []byte(body), 1, "line", c.reason)
		})
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "{}", `[{"a":1}]`, `[7]`, picture(entry) + "x", `{"now":1764061200,"aircraft":{}}`, `{"aircraft":[]}`, `{"now":null,"aircraft":[]}`,
		`{"now":1764061200000,"aircraft":[]}`, `{"now":"x","aircraft":[]}`, `{"now":1764061200,"aircraft":[],"aircraft":[]}`, "<x/>", "\x1f\x8bx"} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q: want an error, got %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
	if b := decode(t, picture()); b.Records() != 0 || !b.Snapshot {
		t.Errorf("an empty sky: %+v", b)
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
