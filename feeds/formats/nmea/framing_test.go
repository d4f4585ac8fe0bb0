package nmea

import (
	"testing"

	"kentongan/feeds/feedtest"
)

func TestSentencesOfOneTimeWait(t *testing.T) {
	const (
		rmc1 = "$GPRMC,134731.361,A,5540.3252,N,01231.2946,E,1.42,93.80,041112,,,A*51\r\n"
		gga1 = "$GPGGA,134731.361,5540.3252,N,01231.2946,E,1,10,0.8,36.1,M,41.5,M,,0000*6C\r\n"
		gga2 = "$GPGGA,134732.000,5540.3244,N,01231.2941,E,1,10,0.8,31.7,M,41.5,M,,0000*6A\r\n"
		gll2 = "$GPGLL,5540.3244,N,01231.2941,E,134732.000,A,A*5A\r\n"
		view = "$GPGSV,3,1,11,19,65,185,25,11,54,274,22,22,51,072,28,01,37,274,18*7D\r\n"
	)
	for _, c := range []struct{ name, done, waits string }{
		{"nothing", "", ""},
		{"no time", view + view, ""},
		{"one time", "", gga1 + view + rmc1},
		{"the second time", rmc1 + gga1 + view, gga2 + view + gll2 + view},
		{"a sentence cut short", "", rmc1 + "$GPGGA,1\n"},
	} {
		if got := unfinished([]byte(c.done + c.waits)); got != len(c.done) {
			t.Errorf("%s: waits from %d, want %d", c.name, got, len(c.done))
		}
	}
}

// A receiver is named by its TAG block, else by the host it sends from, else by the feed.
func TestReceiversOfOneFeed(t *testing.T) {
	const body = "$GPRMC,134731.361,A,5540.3252,N,01231.2946,E,1.42,93.80,041112,,,A*51\n"
	for _, c := range []struct {
		options map[string]any
		peer    string
		want    string
	}{
		{nil, "", "test"},
		{nil, "10.0.0.7", "10.0.0.7"},
		{map[string]any{"unit": "feed"}, "10.0.0.7", "test"},
		{map[string]any{"unit": "peer"}, "10.0.0.7", "10.0.0.7"},
	} {
		f, err := New(c.options)
		if err != nil {
			t.Fatal(err)
		}
		meta := feedtest.Meta()
		meta.Peer = c.peer
		b, err := f.Decode([]byte(body), meta)
		if err != nil || len(b.Positions) != 1 || b.Positions[0].Unit != c.want {
			t.Errorf("%v, peer %q: %+v, %v", c.options, c.peer, b, err)
		}
	}
	for _, bad := range []map[string]any{{"unit": "ship"}, {"unit": 1}, {"units": "feed"}} {
		if _, err := New(bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}
