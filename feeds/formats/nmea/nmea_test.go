package nmea

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "nmea/*.txt") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		feedtest.Contract(t, Format{}, feedtest.Read(t, file))
	}
}

// sum writes sentences with their checksums, one a line.
func sum(sentences ...string) string {
	var b strings.Builder
	for _, s := range sentences {
		var x byte
		for _, c := range []byte(s) {
			x ^= c
		}
		fmt.Fprintf(&b, "$%s*%02X\r\n", s, x)
	}
	return b.String()
}

const (
	rmcA = "GPRMC,090000.500,A,0047.4000,S,10039.0000,E,19.4384,120.0,251125,,,A"
	ggaA = "GPGGA,090000.500,0047.4000,S,10039.0000,E,1,10,0.8,36.1,M,41.5,M,,0000"
	ggaB = "GPGGA,090001.500,0047.5000,S,10039.0000,E,1,10,0.8,36.1,M,41.5,M,,0000"
)

func decode(t *testing.T, body string) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFix(t *testing.T) {
	b := decode(t, sum(ggaA, rmcA, "GPGSV,1,1,00", ggaB))
	if len(b.Positions) != 2 || len(b.Rejected) != 0 {
		t.Fatalf("got %+v", b)
	}
	p, q := b.Positions[0], b.Positions[1]
	if p.Unit != "test" || p.Index != 0 || math.Abs(p.Position.Lat+0.79) > 1e-9 || math.Abs(p.Position.Lng-100.65) > 1e-9 || math.Abs(*p.SpeedMps-10) > 1e-4 ||
		*p.Heading != 120 || p.At.String() != "2025-11-25T09:00:00.500Z" {
		t.Errorf("RMC and GGA of one time: %+v", p)
	}
	if q.Index != 3 || q.SpeedMps != nil || q.At.String() != "2025-11-25T09:00:01.500Z" {
		t.Errorf("GGA with the date of the RMC before: %+v", q)
	}
	if len(b.Ignored) != 1 || b.Ignored[0].Reason != "GSV says no place: 1 sentences" || b.Ignored[0].Index != 2 {
		t.Errorf("ignored %v", b.Ignored)
	}
}

func TestTimes(t *testing.T) {
	at := func(i int, sentences ...string) string { return decode(t, sum(sentences...)).Positions[i].At.String() }
	gga := func(hms string) string { return strings.Replace(ggaA, "090000.500", hms, 1) }
	if got := at(0, ggaA); got != "" {
		t.Errorf("no date: %s", got)
	}
	if got := at(0, "GPZDA,090000.00,25,11,2025,00,00", ggaA); got != "2025-11-25T09:00:00.500Z" {
		t.Errorf("date of ZDA: %s", got)
	}
	if got := at(1, strings.Replace(rmcA, "090000.500", "235959.000", 1), gga("000000.000")); got != "2025-11-26T00:00:00.000Z" {
		t.Errorf("over midnight: %s", got)
	}
	if got := at(0, gga("235959.000"), strings.Replace(rmcA, "090000.500", "000000.000", 1)); got != "2025-11-24T23:59:59.000Z" {
		t.Errorf("before midnight: %s", got)
	}
	if got := at(0, strings.Replace(rmcA, "251125", "041194", 1)); got != "1994-11-04T09:00:00.500Z" {
		t.Errorf("last century: %s", got)
	}
}

func TestSources(t *testing.T) {
	line := func(source string) string {
		tag := "s:" + source
		var x byte
		for _, c := range []byte(tag) {
			x ^= c
		}
		return fmt.Sprintf(`\%s*%02X\%s`, tag, x, sum(rmcA))
	}
	b := decode(t, line("truck1")+line("truck2")+sum("GPGLL,0047.4000,S,10039.0000,E,090003.000,A,A", "GNGNS,090004.000,0047.4000,S,10039.0000,E,NA,10,0.8,36.1,41.5,,,V"))
	var units []string
	for _, p := range b.Positions {
		units = append(units, p.Unit)
	}
	if strings.Join(units, " ") != "truck1 truck2 test test" {
		t.Errorf("units %v, rejected %v", units, b.Rejected)
	}
}

func TestPassed(t *testing.T) {
	for _, c := range []struct{ sentence, reason string }{
		{strings.Replace(rmcA, ",A,0047", ",V,0047", 1), "no fix"},
		{"GPRMC,090000.500,V,,,,,,,251125,,,N", "no fix"},
		{"GPGGA,090000.500,,,,,0,00,,,M,,M,,", "no fix"},
		{"GPGLL,,,,,090003.000,V,N", "no fix"},
		{"GNGNS,090004.000,,,,,NN,00,,,,,,V", "no fix"},
		{strings.Replace(rmcA, ",,,A", ",,,S", 1), "simulated"},
		{"PMTK010,001", "manufacturer"},
		{"GPWPL,5540.2823,N,01231.1182,E,00001", "WPL says no place"},
	} {
		b := decode(t, sum(c.sentence, rmcA))
		if len(b.Positions) != 1 || len(b.Rejected) != 0 || len(b.Ignored) != 1 || !strings.Contains(b.Ignored[0].Reason, c.reason) {
			t.Errorf("%s: got %d, ignored %v, rejected %v", c.sentence, len(b.Positions), b.Ignored, b.Rejected)
		}
	}
	meta := feedtest.Meta()
	meta.Simulated = true
	if b, err := (Format{}).Decode([]byte(sum(strings.Replace(rmcA, ",,,A", ",,,S", 1))), meta); err != nil || len(b.Positions) != 1 {
		t.Errorf("a simulated feed takes simulated fixes: %+v %v", b, err)
	}
}

func TestLines(t *testing.T) {
	swap := func(old, new string) string { return sum(strings.Replace(rmcA, old, new, 1)) }
	for _, c := range []struct{ name, line, reason string }{
		{"checksum", strings.Replace(sum(rmcA), "120.0", "121.0", 1), "checksum mismatch"},
		{"no checksum", "$" + rmcA, "checksum"},
		{"cut", sum(rmcA)[:40], "checksum"},
		{"empty latitude", swap("0047.4000,S", ","), "latitude"},
		{"a decimal latitude", swap("0047.4000,S", "-0.79,S"), "latitude"},
		{"60 minutes", swap("0047.4000", "0060.0000"), "latitude"},
		{"longitude as latitude", swap("10039.0000,E", "1003.9000,E"), "longitude"},
		{"null island", swap("0047.4000,S,10039.0000", "0000.0000,S,00000.0000"), "unknown place"},
		{"speed that is none", swap("19.4384", "NaN"), "speed"},
		{"negative speed", swap("19.4384", "-1"), "speed"},
		{"course", swap("120.0", "400.0"), "course"},
		{"day 32", swap("251125", "321125"), "date"},
		{"hour 25", swap("090000.500", "250000.500"), "time"},
		{"too few fields", sum("GPRMC,090000.500"), "line 2"},
		{"prose", "hello", "not a sentence"},
		{"too long", "$GPRMC," + strings.Repeat("9", 2000), "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			feedtest.OneBad(t, Format{}, []byte(sum(ggaB)+strings.TrimSpace(c.line)+"\r\n"+sum(rmcA)), 1, "line 2", c.reason)
		})
	}
}

func TestManyRefusals(t *testing.T) {
	b := decode(t, sum(rmcA)+strings.Repeat("x\n", 5000))
	if len(b.Rejected) != maxRefusals+1 || b.Rejected[maxRefusals].Reason != "and 4000 more lines" {
		t.Errorf("got %d, last %v", len(b.Rejected), b.Rejected[len(b.Rejected)-1])
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "\n", "{}", "<x/>", "a,b\n1,2\n", "!AIVDM,1,1,,B,,0*25\n", "$ADPMB,5,0\n", "$PMTK010,001*2E\n"} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil && body != "$ADPMB,5,0\n" {
			t.Errorf("%.60q: want an error, got %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
}

func TestTwoDigitYear(t *testing.T) {
	b, err := Format{}.Decode([]byte(sum(rmcA)), feeds.Meta{ReceivedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil || b.Positions[0].Unit != "GP" || b.Positions[0].At.Year() != 2025 {
		t.Errorf("got %+v %v", b, err)
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
