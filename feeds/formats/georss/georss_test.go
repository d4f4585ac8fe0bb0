package georss

import (
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "cap/gdacs-*") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		feedtest.Document(t, Format{}, feedtest.Read(t, file))
	}
	for _, seed := range seeds(t) {
		feedtest.Document(t, Format{}, feedtest.Read(t, seed))
	}
}

// TestRecordedEvents holds the quirks of the recorded channel that a summary does not show.
func TestRecordedEvents(t *testing.T) {
	b := decode(t, string(feedtest.Read(t, recorded(t)[0])))
	if !b.Snapshot {
		t.Error("the channel is the whole state")
	}
	keys := map[string]bool{}
	quakes, cyclones := 0, 0
	for _, a := range b.Alerts {
		if keys[a.Keys[0]] {
			t.Errorf("%s comes twice", a.Keys[0])
		}
		keys[a.Keys[0]] = true
		info := a.Message.Infos[0]
		switch info.Event {
		case "Drought":
			if got := a.Message.Sent.String(); got != "2019-12-30T00:00:00.000Z" {
				t.Errorf("a drought is one version a day, sent %s", got)
			}
		case "Earthquake":
			quakes++
			if a.Quake == nil || a.Quake.Magnitude == nil || a.Quake.DepthKm < 10 || !a.Quake.OriginAt.Equal(a.Message.Sent.Time) {
				t.Errorf("%s: %+v", a.Message.Identifier, a.Quake)
			}
		case "Tropical cyclone":
			cyclones++
		}
		if len(info.Areas[0].Shape.Polygons) > 0 {
			t.Errorf("%s: gdacs:bbox became an area", a.Message.Identifier)
		}
	}
	if quakes != 8 || cyclones != 2 || len(b.Alerts) != 21 {
		t.Errorf("%d quakes, %d cyclones of %d", quakes, cyclones, len(b.Alerts))
	}
	sulawesi := b.Alerts[15]
	if q := sulawesi.Quake; sulawesi.Message.Identifier != "EQ1200014-1287934-Green" || *q.Magnitude != 4.7 || q.DepthKm != 65.42 ||
		q.Position != (geo.Position{Lat: 4.4091, Lng: 125.1504}) || q.Place != "Indonesia" {
		t.Errorf("%s: %+v", sulawesi.Message.Identifier, q)
	}
}

const item = `<item><title>Orange earthquake</title><link>https://www.gdacs.org/report.aspx?eventid=7</link><pubDate>Mon, 02 Nov 2026 03:00:00 GMT</pubDate>` +
	`<gdacs:fromdate>Mon, 02 Nov 2026 02:50:00 GMT</gdacs:fromdate><gdacs:eventtype>EQ</gdacs:eventtype><gdacs:eventid>7</gdacs:eventid>` +
	`<gdacs:episodeid>1</gdacs:episodeid><gdacs:alertlevel>Orange</gdacs:alertlevel><gdacs:severity unit="M" value="6.2">Magnitude 6.2M, Depth:12km</gdacs:severity>` +
	`<gdacs:country>Indonesia</gdacs:country><geo:Point><geo:lat>-0.9</geo:lat><geo:long>100.6</geo:long></geo:Point><georss:point>-0.9 100.6</georss:point></item>`

func channel(items ...string) string {
	return `<rss version="2.0" xmlns:gdacs="http://www.gdacs.org" xmlns:georss="http://www.georss.org/georss" xmlns:geo="http://www.w3.org/2003/01/geo/wgs84_pos#">` +
		"<channel>\n" + strings.Join(items, "\n") + `</channel></rss>`
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

func TestItem(t *testing.T) {
	a := decode(t, channel(item)).Alerts[0]
	info := a.Message.Infos[0]
	if a.Message.Identifier != "EQ7-1-Orange" || a.Keys[0] != "gdacs EQ7" || info.Severity != cap.Severe || info.Urgency != "Past" || a.Quake.DepthKm != 12 ||
		*a.Quake.Magnitude != 6.2 || info.Web == "" || info.Areas[0].Name != "Indonesia" {
		t.Errorf("got %+v %+v", a, a.Quake)
	}
	swap := func(old, new string) feeds.Alert {
		t.Helper()
		b := decode(t, channel(strings.Replace(item, old, new, 1)))
		if len(b.Alerts) != 1 {
			t.Fatalf("%s: %v", new, b.Rejected)
		}
		return b.Alerts[0]
	}
	if s := swap("Orange</gdacs", "Purple</gdacs").Message.Infos[0].Severity; s != cap.Unknown {
		t.Errorf("an unknown level is %s", s)
	}
	if s := swap("Orange</gdacs", "Red</gdacs").Message; s.Infos[0].Severity != cap.Extreme || s.Identifier == a.Message.Identifier {
		t.Errorf("a raised level is no new version: %+v", s)
	}
	if s := swap("03:00:00 GMT", "10:00:00 +0700").Message.Sent; !s.Equal(a.Message.Sent.Time) {
		t.Errorf("a time with an offset: %s", s)
	}
	if s := swap("<gdacs:fromdate>", "<gdacs:datemodified>Mon, 02 Nov 2026 04:00:00 GMT</gdacs:datemodified><gdacs:fromdate>").Message.Sent.String(); s != "2026-11-02T04:00:00.000Z" {
		t.Errorf("datemodified: %s", s)
	}
	if s := swap(">EQ<", ">FL<"); s.Quake != nil || s.Message.Infos[0].Event != "Flood" || s.Message.Infos[0].Urgency != "Unknown" {
		t.Errorf("a flood: %+v", s)
	}
	if s := swap(">EQ<", ">XX<").Message.Infos[0]; s.Categories[0] != "Other" {
		t.Errorf("an unknown type: %+v", s)
	}
	if s := swap(`unit="M" value="6.2"`, `unit="" value=""`).Quake; s.Magnitude != nil {
		t.Errorf("no magnitude: %+v", s)
	}
	if s := swap("https://www.gdacs.org", "javascript:x").Message.Infos[0].Web; s != "" {
		t.Errorf("web %q", s)
	}
	flood := strings.Replace(strings.Replace(item, ">EQ<", ">FL<", 1), "<georss:point>", "<georss:polygon>-1 100 -1 101 0 101 -1 100</georss:polygon><georss:point>", 1)
	if s := decode(t, channel(flood)).Alerts[0].Message.Infos[0].Areas[0].Shape; len(s.Polygons) != 1 || s.Polygons[0].Rings[0][1] != (geo.Position{Lat: -1, Lng: 101}) {
		t.Errorf("polygon: %+v", s)
	}
}

func TestItems(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(item, old, new, 1) }
	for _, c := range []struct{ name, item, reason string }{
		{"swapped", strings.NewReplacer("-0.9 100.6", "100.6 -0.9").Replace(item), "seem swapped"},
		{"null island", strings.NewReplacer("-0.9 100.6", "0 0").Replace(item), "unknown place"},
		{"points apart", swap("<geo:lat>-0.9", "<geo:lat>0.9"), "km apart"},
		{"no place", strings.NewReplacer("georss:point", "georss:dot", "geo:Point", "geo:Dot").Replace(item), "are missing"},
		{"half a place", swap("-0.9 100.6", "-0.9"), "is not latitude and longitude"},
		{"open polygon", swap("<georss:point>", "<georss:polygon>-1 100 -1 101 0 101</georss:polygon><georss:point>"), "not a closed ring"},
		{"no id", swap("<gdacs:eventid>7</gdacs:eventid>", ""), "<eventid> is missing"},
		{"id with spaces", swap("<gdacs:eventid>7", "<gdacs:eventid>7 8"), "no code"},
		{"level twice", swap("<gdacs:alertlevel>", "<gdacs:alertlevel>Green</gdacs:alertlevel><gdacs:alertlevel>"), "a second time"},
		{"other letters", swap("<gdacs:alertlevel>", "<gdacs:AlertLevel>Green</gdacs:AlertLevel><gdacs:alertlevel>"), "should be written <alertlevel>"},
		{"no time", swap("<pubDate>Mon, 02 Nov 2026 03:00:00 GMT</pubDate>", ""), "<pubDate> is missing"},
		{"zone by name", swap("03:00:00 GMT", "03:00:00 CET"), "is not a time"},
		{"quake without origin", swap("<gdacs:fromdate>Mon, 02 Nov 2026 02:50:00 GMT</gdacs:fromdate>", ""), "without a time"},
		{"magnitude", swap(`value="6.2"`, `value="62"`), "not a magnitude"},
		{"depth in metres", swap("Depth:12km", "Depth:12000km"), "depth"},
		{"elements in text", swap("Indonesia", "<b>x</b>"), "holds elements"},
		{"another item", "<item><title>x</title></item>", "<eventtype> is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			feedtest.OneBad(t, Format{}, []byte(channel(strings.Replace(item, ">7<", ">8<", 1), c.item)), 1, "item at line 3", c.reason)
		})
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "{}", "<rss/>", "<feed/>", channel(item) + "x", "<!DOCTYPE rss>" + channel(item), `<rss><channel><item><title>x</title></item></channel></rss>`,
		`<rss><channel></channel></rss>`, channel("<item><title>x</title></item>")} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q: want an error, got %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
	if b := decode(t, channel()); b.Records() != 0 || !b.Snapshot {
		t.Errorf("a quiet day: %+v", b)
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
