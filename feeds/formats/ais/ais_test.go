package ais

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	goais "github.com/BertoldVdb/go-ais"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
)

func recorded(t testing.TB) []string {
	return feedtest.Recorded(t, "ais/*.nmea", "ais/*.txt")
}

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		feedtest.Contract(t, Format{}, feedtest.Read(t, file))
	}
}

// TestAgainstAnotherDecoder holds the recorded examples of every message type against what libais reads in them.
func TestAgainstAnotherDecoder(t *testing.T) {
	files := feedtest.Recorded(t, "ais/typeexamples.nmea", "ais/typeexamples-decoded.json")
	b, err := Format{}.Decode(feedtest.Read(t, files[0]), feedtest.Meta())
	if err != nil {
		t.Fatal(err)
	}
	places := map[int]feeds.UnitPosition{}
	for _, p := range b.Positions {
		places[p.Index] = p
	}
	compared := 0
	for i, line := range bytes.Split(bytes.TrimSpace(feedtest.Read(t, files[1])), []byte{'\n'}) {
		var want struct {
			Type       int
			MMSI       int
			Lat, Lon   float64
			Speed, Cog *float64
		}
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		p, ok := places[i]
		if !ok {
			continue
		}
		compared++
		if p.Unit != fmt.Sprintf("%09d", want.MMSI) || math.Abs(p.Position.Lat-want.Lat) > 1e-5 || math.Abs(p.Position.Lng-want.Lon) > 1e-5 ||
			p.SpeedMps != nil && math.Abs(*p.SpeedMps-*want.Speed*knot) > 0.01 {
			t.Errorf("line %d, type %d: got %+v, want %+v", i+1, want.Type, p, want)
		}
	}
	if compared < 4 {
		t.Errorf("only %d places compared", compared)
	}
}

// sum ends a sentence with its checksum.
func sum(s string) string {
	var x byte
	for _, c := range []byte(s) {
		x ^= c
	}
	return fmt.Sprintf("!%s*%02X", s, x)
}

// sentence packs a message into one sentence, or into parts of at most n letters.
func sentence(t *testing.T, p goais.Packet, n int) []string {
	t.Helper()
	bits := goais.CodecNew(false, false).EncodePacket(p)
	if bits == nil {
		t.Fatalf("cannot pack %+v", p)
	}
	fill := (6 - len(bits)%6) % 6
	bits = append(bits, make([]byte, fill)...)
	var letters []byte
	for i := 0; i < len(bits); i += 6 {
		v := byte(0)
		for _, b := range bits[i : i+6] {
			v = v<<1 | b
		}
		if v += 48; v > 87 {
			v += 8
		}
		letters = append(letters, v)
	}
	if len(letters) <= n {
		return []string{sum(fmt.Sprintf("AIVDM,1,1,,A,%s,%d", letters, fill))}
	}
	var out []string
	parts := (len(letters) + n - 1) / n
	for i := range parts {
		part := letters[i*n : min(len(letters), (i+1)*n)]
		f := 0
		if i == parts-1 {
			f = fill
		}
		out = append(out, sum(fmt.Sprintf("AIVDM,%d,%d,3,A,%s,%d", parts, i+1, part, f)))
	}
	return out
}

func ship() goais.PositionReport {
	return goais.PositionReport{Header: goais.Header{MessageID: 1, UserID: 525012345}, Valid: true, Sog: 10, Longitude: 100.35, Latitude: -0.95, Cog: 120, TrueHeading: 118, PositionAccuracy: true}
}

func decode(t *testing.T, lines ...string) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(strings.Join(lines, "\r\n")), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestShip(t *testing.T) {
	p := decode(t, sentence(t, ship(), 80)...).Positions[0]
	if p.Unit != "525012345" || p.Kind != "ship" || math.Abs(p.Position.Lat+0.95) > 1e-5 || math.Abs(p.Position.Lng-100.35) > 1e-5 || math.Abs(*p.SpeedMps-5.1444) > 1e-3 ||
		*p.Heading != 118 || *p.AccuracyM != 10 || !p.At.IsZero() {
		t.Errorf("got %+v", p)
	}
	s := ship()
	s.TrueHeading, s.PositionAccuracy = 511, false
	if p := decode(t, sentence(t, s, 80)...).Positions[0]; *p.Heading != 120 || p.AccuracyM != nil {
		t.Errorf("course where the heading is not available: %+v", p)
	}
	s.Cog, s.Sog = 360, 102.3
	if p := decode(t, sentence(t, s, 80)...).Positions[0]; p.Heading != nil || p.SpeedMps != nil {
		t.Errorf("neither: %+v", p)
	}
	s.Longitude, s.Latitude = 181, 91
	if b := decode(t, sentence(t, s, 80)...); len(b.Positions) != 0 || len(b.Rejected) != 0 || b.Ignored[0].Reason != "message 1 without a place: 1" {
		t.Errorf("no place: %+v", b)
	}
	s.Longitude, s.Latitude = 0, 0
	if b := decode(t, sentence(t, s, 80)...); len(b.Rejected) != 1 || !strings.Contains(b.Rejected[0].Reason, "unknown place") {
		t.Errorf("null island: %+v", b)
	}
	s = ship()
	s.UserID = 972123456
	if p := decode(t, sentence(t, s, 80)...).Positions[0]; p.Kind != "distress_beacon" {
		t.Errorf("man overboard: %+v", p)
	}
}

func TestKinds(t *testing.T) {
	sar := goais.StandardSearchAndRescueAircraftReport{Header: goais.Header{MessageID: 9, UserID: 111525001}, Valid: true, Altitude: 300, Sog: 100, Longitude: 100.35, Latitude: -0.95, Cog: 90}
	buoy := goais.AidsToNavigationReport{Header: goais.Header{MessageID: 21, UserID: 995251234}, Valid: true, Name: "TELUK BAYUR 1", Longitude: 100.35, Latitude: -0.95}
	far := goais.LongRangeAisBroadcastMessage{Header: goais.Header{MessageID: 27, UserID: 525012345}, Valid: true, Longitude: 100.35, Latitude: -0.95, Sog: 63, Cog: 511}
	b := decode(t, sentence(t, sar, 80)[0], sentence(t, buoy, 80)[0], sentence(t, far, 80)[0])
	if len(b.Positions) != 3 || b.Positions[0].Kind != "aircraft" || b.Positions[1].Kind != "aid_to_navigation" || b.Positions[1].Name != "TELUK BAYUR 1" ||
		b.Positions[2].SpeedMps != nil || b.Positions[2].Heading != nil || math.Abs(*b.Positions[0].SpeedMps-51.444) > 1e-2 {
		t.Errorf("got %+v, rejected %v", b.Positions, b.Rejected)
	}
}

func static() goais.ShipStaticData {
	return goais.ShipStaticData{Header: goais.Header{MessageID: 5, UserID: 525012345}, Valid: true, CallSign: "YB1234", Name: "KM GAMBOLO", Type: 60, MaximumStaticDraught: 3.5, Destination: "PADANG"}
}

func TestParts(t *testing.T) {
	parts := sentence(t, static(), 56)
	if len(parts) != 2 {
		t.Fatalf("%d parts", len(parts))
	}
	for _, order := range [][]string{{parts[0], parts[1]}, {parts[1], parts[0]}, {parts[0], sentence(t, ship(), 80)[0], parts[1]}} {
		b := decode(t, order...)
		var got []string
		for _, o := range b.Observations {
			got = append(got, fmt.Sprint(o.Property, "=", o.Value.Any()))
			if o.Thing != "525012345" || o.Name != "KM GAMBOLO" || o.Kind != "ship" {
				t.Errorf("got %+v", o)
			}
		}
		if strings.Join(got, " ") != "name=KM GAMBOLO callsign=YB1234 ship_type=60 destination=PADANG draught=3.5" || len(b.Ignored)+len(b.Rejected) != 0 {
			t.Errorf("got %v, ignored %v, rejected %v", got, b.Ignored, b.Rejected)
		}
	}
	b := decode(t, parts[0], parts[0], parts[1], parts[0])
	if len(b.Observations) != 5 || b.Ignored[0].Reason != "a part of a message whose others did not come in this delivery: 2" {
		t.Errorf("lost parts: %+v", b.Ignored)
	}
	part := goais.StaticDataReport{Header: goais.Header{MessageID: 24, UserID: 525012345}, Valid: true, ReportA: goais.StaticDataReportA{Valid: true, Name: "KN TEST"}}
	if b := decode(t, sentence(t, part, 80)...); len(b.Observations) != 1 || b.Observations[0].Value.Text != "KN TEST" {
		t.Errorf("24A: %+v", b)
	}
}

func TestTimes(t *testing.T) {
	s := sentence(t, ship(), 80)[0]
	tag := sum("c:1764061200")[1:]
	tagMs := sum("c:1764061200500")[1:]
	for _, c := range []struct{ line, want string }{
		{s + ",d-109,S2105,t090000.00,T56.1,r003669946,1764061200,1764061000", "2025-11-25T09:00:00.000Z"},
		{`\` + tag + `\` + s, "2025-11-25T09:00:00.000Z"},
		{`\` + tagMs + `\` + s, "2025-11-25T09:00:00.500Z"},
		{s, ""},
	} {
		if b := decode(t, c.line); len(b.Positions) != 1 || b.Positions[0].At.String() != c.want {
			t.Errorf("%s: got %+v", c.line, b)
		}
	}
}

func TestLines(t *testing.T) {
	good := sentence(t, ship(), 80)[0]
	for _, c := range []struct{ name, line, reason string }{
		{"checksum", good[:len(good)-2] + "00", "checksum"},
		{"cut", good[:30], "no checksum"},
		{"letters after the checksum", good + "x", "does not end after it"},
		{"a letter that is none", sum("AIVDM,1,1,,A,15N1~,0"), "data byte"},
		{"too short", sum("AIVDM,1,1,,A,15N1,0"), "24 bits"},
		{"a position without its end", sum("AIVDM,1,1,,A,15N1u<PP1FJuvSRHOE,0"), "not of ITU-R"},
		{"part 3 of 2", sum("AIVDM,2,3,1,A,15N1u<PP1FJuvSRHOE6QIwwh0HQ6,0"), "part 3 of 2"},
		{"no MMSI", sum("AIVDM,1,1,,A,10000000001FJuvSRHOE6QIwwh0H,0"), "MMSI 0"},
		{"time of another century", good + ",r003669946,0000000001", "time"},
		{"prose", "hello", "not a sentence"},
		{"too long", "!AIVDM," + strings.Repeat("9", 2000), "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			feedtest.OneBad(t, Format{}, []byte(good+"\r\n"+c.line+"\r\n"+good), 1, "line 2", c.reason)
		})
	}
	b := decode(t, "# a note", "$GPZDA,1", sum("AIVDM,1,1,,B,,0"), sum("AIVDM,1,1,,A,403Ovl@000Htt<tSF0l4Q@100`Pq,0"), good)
	if len(b.Positions) != 1 || len(b.Ignored) != 3 || len(b.Rejected) != 0 || !strings.HasPrefix(b.Ignored[2].Reason, "message 4 ") {
		t.Errorf("ignored %v, rejected %v", b.Ignored, b.Rejected)
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "\n", "{}", "<x/>", "a,b\n1,2\n", "$GPRMC,1*00\n"} {
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
