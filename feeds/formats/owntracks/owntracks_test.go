package owntracks

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func TestRecorded(t *testing.T) {
	feedtest.Golden(t, Format{}, feedtest.Recorded(t, "owntracks/*.rec"))
}

const phone = `{"_type":"location","lat":-0.79,"lon":100.65,"tst":1764061200,"vel":36,"cog":120,"acc":8,"batt":71,"tid":"P1","topic":"owntracks/bpbd/pusat-1"}`

const crossing = `{"_type":"transition","event":"enter","desc":"Posko","lat":-0.79,"lon":100.65,"tst":1764061200,"tid":"P1"}`

func decode(t *testing.T, body string, meta feeds.Meta) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), meta)
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestContract(t *testing.T) {
	feedtest.Document(t, Format{}, []byte(phone))
	feedtest.Document(t, Format{}, []byte(crossing))
	for _, file := range feedtest.Recorded(t, "owntracks/*.rec") {
		feedtest.Contract(t, Format{}, feedtest.Read(t, file))
	}
}

func TestLocation(t *testing.T) {
	b := decode(t, phone, feeds.Meta{})
	p, o := b.Positions[0], b.Observations[0]
	if p.Unit != "bpbd/pusat-1" || p.Name != "pusat-1" || p.Position != (geo.Position{Lat: -0.79, Lng: 100.65}) || math.Abs(*p.SpeedMps-10) > 1e-9 ||
		*p.Heading != 120 || *p.AccuracyM != 8 || p.At.String() != "2025-11-25T09:00:00.000Z" {
		t.Errorf("got %+v", p)
	}
	if o.Thing != p.Unit || o.Property != "battery" || o.Value.Num != 71 || o.Unit != "%" || o.Kind != "unit" || !o.At.Equal(p.At.Time) {
		t.Errorf("got %+v", o)
	}
	unknown := decode(t, strings.NewReplacer(`"vel":36`, `"vel":-1`, `"cog":120`, `"cog":-1`, `"acc":8`, `"acc":0`, `"batt":71,`, "").Replace(phone), feeds.Meta{})
	if u := unknown.Positions[0]; u.SpeedMps != nil || u.Heading != nil || u.AccuracyM != nil || len(unknown.Observations) != 0 {
		t.Errorf("unknown: got %+v", u)
	}
}

func TestWhose(t *testing.T) {
	for _, c := range []struct{ topic, body, want string }{
		{"owntracks/damkar/a7", phone, "damkar/a7"},
		{"city/owntracks/damkar/a7/event", crossing, "damkar/a7"},
		{"phones.rec", phone, "bpbd/pusat-1"},
		{"", crossing, "P1"},
	} {
		b := decode(t, c.body, feeds.Meta{Topic: c.topic})
		got := b.Observations[0].Thing
		if len(b.Positions) > 0 {
			got = b.Positions[0].Unit
		}
		if got != c.want {
			t.Errorf("topic %q: unit %q, want %q", c.topic, got, c.want)
		}
	}
}

// A phone that had no answer sends the burst again: equal messages give equal positions. What is absent or -1 is not known, a 0 is a 0; a
// ping says with the time of now that the phone is where it was.
func TestSentAgain(t *testing.T) {
	line := "2025-11-25T09:00:01Z\t*                 \t"
	b := decode(t, line+phone+"\n"+line+phone+"\n", feeds.Meta{})
	if len(b.Positions) != 2 || b.Positions[0].Unit != b.Positions[1].Unit || !b.Positions[0].At.Equal(b.Positions[1].At.Time) || b.Positions[0].Position != b.Positions[1].Position {
		t.Errorf("got %+v", b.Positions)
	}
	still := decode(t, strings.NewReplacer(`"vel":36`, `"vel":0`, `"cog":120,`, "").Replace(phone), feeds.Meta{}).Positions[0]
	if still.SpeedMps == nil || *still.SpeedMps != 0 || still.Heading != nil {
		t.Errorf("standing: %+v", still)
	}
	ping := decode(t, strings.Replace(phone, `"tid"`, `"t":"p","created_at":1764061260,"tid"`, 1), feeds.Meta{}).Positions[0]
	if ping.At.Milli() != 1764061200000 {
		t.Errorf("a ping is of its tst, not of when it was made: %s", ping.At)
	}
}

func TestTransition(t *testing.T) {
	o := decode(t, crossing, feeds.Meta{}).Observations[0]
	if o.Property != "transition" || o.Value.Text != "enter" || o.Value.Type != feeds.Text || !o.Placed || string(o.Attrs) != `{"region":"Posko"}` {
		t.Errorf("got %+v", o)
	}
}

func TestItems(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(phone, old, new, 1) }
	cases := []struct {
		name, body, reason string
		ignored            bool
	}{
		{"lwt with tst as text", `{"_type":"lwt","tst":"1440363922"}`, "left the broker", true},
		{"waypoint", `{"_type":"waypoint","desc":"Home","lat":1,"lon":2,"tst":1}`, "region", true},
		{"card", `{"_type":"card","name":"x"}`, "card", true},
		{"encrypted", `{"_type":"encrypted","data":"x"}`, "no key", true},
		{"a kind of tomorrow", `{"_type":"steps","steps":9}`, `"steps"`, true},
		{"no place", swap(`"lat":-0.79,"lon":100.65,`, ""), "lat and lon are missing", false},
		{"half a place", swap(`"lat":-0.79,`, ""), "one is missing", false},
		{"swapped", swap(`"lat":-0.79,"lon":100.65`, `"lat":100.65,"lon":-0.79`), "swapped", false},
		{"null island", swap(`"lat":-0.79,"lon":100.65`, `"lat":0,"lon":0`), "unknown place", false},
		{"no time", swap(`"tst":1764061200,`, ""), "tst is missing", false},
		{"milliseconds", swap("1764061200", "1764061200000"), "seconds since 1970", false},
		{"text that is no time", swap("1764061200", `"now"`), "seconds since 1970", false},
		{"nobody", swap(`"tid":"P1","topic":"owntracks/bpbd/pusat-1"`, `"m":1`), "whose place", false},
		{"other letters", swap(`"lat"`, `"Lat"`), `should be written "lat"`, false},
		{"speed as text", swap(`"vel":36`, `"vel":"36"`), "vel is not a number", false},
		{"course beyond the circle", swap(`"cog":120`, `"cog":400`), "cog 400", false},
		{"an event that is neither", strings.Replace(crossing, "enter", "dwell", 1), "enter or leave", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := decode(t, c.body, feeds.Meta{})
			refused := b.Rejected
			if c.ignored {
				refused = b.Ignored
			}
			if b.Records() != 0 || len(b.Ignored)+len(b.Rejected) != 1 || len(refused) != 1 || !strings.Contains(refused[0].Reason, c.reason) {
				t.Errorf("got %d records, ignored %v, rejected %v; want %q", b.Records(), b.Ignored, b.Rejected, c.reason)
			}
		})
	}
	if b := decode(t, swap("1764061200", `"1764061200"`), feeds.Meta{}); b.Positions[0].At.Milli() != 1764061200000 {
		t.Errorf("tst as text: %+v", b.Positions)
	}
}

func TestRecorderFile(t *testing.T) {
	line := "2025-11-25T09:00:01Z\t*                 \t"
	feedtest.OneBad(t, Format{}, []byte(line+phone+"\n"+line+`{"_type":"location",`+"\n"+line+phone+"\n"), 1, "line 2")
	feedtest.OneBad(t, Format{}, []byte(line+phone+"\nsomething else\n"), 1, "line 2", "not a line of the recorder")
	feedtest.OneBad(t, Format{}, []byte(line+phone+"\n"+line+strings.Replace(phone, `"tst"`, `"tst":1,"tst"`, 1)), 1, "given twice")
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "{}", phone + "x", `{"_type":7}`, `{"type":"location"}`, `{"_type":"location","_type":"lwt"}`, `{"_Type":"location"}`, "<x/>", "a,b\n1,2\n"} {
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
