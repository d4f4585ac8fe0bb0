package cot

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "cot/*.xml") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, Format{}, feedtest.Read(t, file)) })
	}
}

const unit = `<event version="2.0" uid="ANDROID-1" type="a-f-G-U-C" time="2025-11-25T09:00:05.5Z" start="2025-11-25T09:00:05.5Z" stale="2025-11-25T09:02:05Z" how="m-g">` +
	`<point lat="-0.79" lon="100.65" hae="390.1" ce="8.5" le="9999999.0"/><detail><contact callsign="DAMKAR 3"/><track speed="10.5" course="120"/><status battery="71"/><takv os="30"/></detail></event>`

func decode(t *testing.T, body string) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func swap(body string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(body) }

var solok = geo.Position{Lat: -0.79, Lng: 100.65}

func TestUnit(t *testing.T) {
	b := decode(t, unit)
	p := b.Positions[0]
	if p.Unit != "ANDROID-1" || p.Name != "DAMKAR 3" || p.Position != solok || *p.SpeedMps != 10.5 || *p.Heading != 120 || *p.AccuracyM != 8.5 || p.At.String() != "2025-11-25T09:00:05.500Z" {
		t.Errorf("got %+v", p)
	}
	if o := b.Observations[0]; o.Property != "battery" || o.Value.Num != 71 || o.Thing != "ANDROID-1" {
		t.Errorf("got %+v", o)
	}
	for _, ce := range []string{"9999999.0", "9999999", "999999.0", "0"} {
		if p := decode(t, swap(unit, `ce="8.5"`, `ce="`+ce+`"`)).Positions[0]; p.AccuracyM != nil {
			t.Errorf("ce %s is not known: %v", ce, *p.AccuracyM)
		}
	}
	for _, v := range []string{"-1.0", "NaN", ""} {
		if p := decode(t, swap(unit, `speed="10.5" course="120"`, `speed="`+v+`" course="`+v+`"`)).Positions[0]; p.SpeedMps != nil || p.Heading != nil {
			t.Errorf("track %q is not known: %+v", v, p)
		}
	}
}

func TestSeveralEvents(t *testing.T) {
	b := decode(t, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+unit+"\n<!-- -->"+unit+`<?xml version="1.0"?>`+unit+"\n")
	if len(b.Positions) != 3 || b.Positions[2].Index != 2 {
		t.Errorf("got %+v", b.Positions)
	}
	feedtest.OneBad(t, Format{}, []byte(unit+swap(unit, `lat="-0.79"`, `lat="x"`)+unit), 1, "event 1", "not a number")
}

const distress = `<event version="2.0" uid="ANDROID-1-9-1-1" type="b-a-o-tbl" time="2025-11-25T09:00:05Z" start="2025-11-25T09:00:05Z" stale="2025-11-25T09:05:05Z" how="m-g">` +
	`<point lat="-0.79" lon="100.65" hae="0" ce="8" le="8"/><detail><contact callsign="DAMKAR 3-Alert"/><emergency type="911 Alert">DAMKAR 3</emergency></detail></event>`

func TestEmergency(t *testing.T) {
	a := decode(t, distress).Alerts[0]
	i := a.Message.Infos[0]
	if a.Message.Identifier != "ANDROID-1-9-1-1-20251125T0900" || a.Message.Sender != "cot.test" || a.Message.Sent.String() != "2025-11-25T09:00:00.000Z" || a.Message.MsgType != "Update" ||
		a.Keys[0] != "cot test ANDROID-1-9-1-1" || i.Severity != cap.Extreme || i.Urgency != "Immediate" || i.Effective.String() != "2025-11-25T09:00:05.000Z" ||
		i.Headline != "911 alert: DAMKAR 3-Alert" || i.Areas[0].Shape.Points[0] != solok || i.Expires.String() != "2025-11-25T09:05:05.000Z" {
		t.Errorf("got %+v", a)
	}
	again := decode(t, swap(distress, `time="2025-11-25T09:00:05Z"`, `time="2025-11-25T09:00:15Z"`)).Alerts[0]
	if again.Message.Reference() != a.Message.Reference() {
		t.Error("sent again within the minute: another message")
	}
	later := swap(distress, `time="2025-11-25T09:00:05Z"`, `time="2025-11-25T09:03:59Z"`)
	if next := decode(t, later).Alerts[0].Message; next.Reference() == a.Message.Reference() || !slices.Contains(next.References, a.Message.Reference()) {
		t.Errorf("some minutes later: a version that follows the first: %+v", next)
	}
	for _, c := range []string{distress, later} {
		for _, c := range []string{swap(c, "b-a-o-tbl", "b-a-o-can"), swap(c, `type="911 Alert"`, `cancel="true"`)} {
			if end := decode(t, c).Alerts[0].Message; end.MsgType != "Cancel" || !slices.Contains(end.References, a.Message.Reference()) || end.Reference() == a.Message.Reference() {
				t.Errorf("end: %+v", end)
			}
		}
	}
	for kind, want := range map[string]cap.Severity{"b-a-o-opn": cap.Extreme, "b-a-o-pan": cap.Severe, "b-a-g": cap.Moderate, "b-a-x": cap.Unknown} {
		if got := decode(t, swap(distress, "b-a-o-tbl", kind)).Alerts[0].Message.Infos[0].Severity; got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
	if nowhere := decode(t, swap(distress, "-0.79", "0.0", "100.65", "0.0")).Alerts; len(nowhere) != 1 || len(nowhere[0].Message.Infos[0].Areas[0].Shape.Points) != 0 {
		t.Errorf("a call for help without a place is one: %+v", nowhere)
	}
	if spaced := decode(t, swap(distress, "ANDROID-1-9-1-1", "S 1,2")).Alerts[0]; strings.ContainsAny(spaced.Message.Identifier, " ,") {
		t.Errorf("identifier %q", spaced.Message.Identifier)
	}
}

func TestReports(t *testing.T) {
	marker := swap(unit, "a-f-G-U-C", "b-m-p-s-m", `<takv os="30"/>`, "<remarks>Jembatan putus</remarks>")
	r := decode(t, marker).Reports[0]
	if r.ID != "ANDROID-1" || r.Channel != "tak" || r.Type != "marker" || r.Text != "DAMKAR 3: Jembatan putus" || r.Position != solok || !r.Placed {
		t.Errorf("got %+v", r)
	}
	if r := decode(t, swap(marker, "b-m-p-s-m", "b-r-f-h-c")).Reports[0]; r.Type != "evacuation" {
		t.Errorf("got %+v", r)
	}
}

func TestItems(t *testing.T) {
	cases := []struct {
		name, body, reason string
		ignored            bool
	}{
		{"hostile", swap(unit, "a-f-G-U-C", "a-h-G"), "only friendly", true},
		{"unknown", swap(unit, "a-f-G-U-C", "a-u-G"), "only friendly", true},
		{"capital U", swap(unit, "a-f-G-U-C", "a-U-G"), "only friendly", true},
		{"neutral", swap(unit, "a-f-G-U-C", "a-n-G"), "only friendly", true},
		{"chat without a place", swap(unit, "a-f-G-U-C", "b-t-f", "-0.79", "0.0", "100.65", "0.0"), "chat", true},
		{"drawing", swap(unit, "a-f-G-U-C", "u-d-c-e"), "a drawing", true},
		{"ping", swap(unit, "a-f-G-U-C", "t-x-c-t"), "a task, a ping", true},
		{"deletion", swap(unit, "a-f-G-U-C", "t-x-d-d"), "deletion", true},
		{"waypoint", swap(unit, "a-f-G-U-C", "b-m-p-w"), "waypoint", true},
		{"a type of tomorrow", swap(unit, "a-f-G-U-C", "z-1"), "not one that is read", true},
		{"a marker without a word", swap(unit, "a-f-G-U-C", "b-m-p-s-m", `callsign="DAMKAR 3"`, ""), "without a word", true},
		{"no place", swap(unit, "-0.79", "0.0", "100.65", "0.0"), "unknown place", false},
		{"swapped", swap(unit, "-0.79", "100.65", "100.65", "-0.79"), "swapped", false},
		{"the mark of unknown as a place", swap(unit, "-0.79", "9999999.0"), "latitude", false},
		{"no uid", swap(unit, `uid="ANDROID-1"`, ""), "uid of <event> is missing", false},
		{"no time", swap(unit, `time="2025-11-25T09:00:05.5Z"`, ""), "time of <event> is missing", false},
		{"time without zone", swap(unit, `time="2025-11-25T09:00:05.5Z"`, `time="2025-11-25T09:00:05"`), "is not a time", false},
		{"two times", swap(unit, `how="m-g"`, `time="2025-11-25T10:00:00Z"`), "given twice", false},
		{"other letters", swap(unit, `lat="`, `Lat="`), `should be written "lat"`, false},
		{"two points", swap(unit, "<detail>", `<point lat="1" lon="2"/><detail>`), "2 elements <point>", false},
		{"no point", swap(unit, "<point", "<p0int"), "0 elements <point>", false},
		{"hexadecimal", swap(unit, `lat="-0.79"`, `lat="0x1p-2"`), "not a number", false},
		{"speed", swap(unit, `speed="10.5"`, `speed="5000"`), "speed 5000", false},
		{"course", swap(unit, `course="120"`, `course="420"`), "course 420", false},
		{"a long uid", swap(unit, "ANDROID-1", strings.Repeat("x", 300)), "longer than", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := decode(t, c.body)
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
	for _, body := range []string{"", "{}", "<x/>", "<event/>", unit + "x", unit + "<x/>", unit[:len(unit)-3], "</event>" + unit, `<!DOCTYPE event>` + unit, `<event xmlns="urn:x" uid="1" type="a-f"/>`,
		"\xbf\x01\xbf\x12", strings.Replace(unit, "</detail>", "</details>", 1), `<!DOCTYPE e [<!ENTITY a "b">]><event uid="&a;" type="a-f"/>`} {
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
