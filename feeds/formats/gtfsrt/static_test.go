package gtfsrt

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

// tables of a small timetable; a stop without a place of its own has that of its station.
var tables = map[string]string{
	"agency.txt":     "agency_timezone\nAsia/Jakarta\n",
	"stops.txt":      "\ufeffstop_id,stop_name,stop_lat,stop_lon,parent_station\ns1,Pasar Raya,-0.79,100.65,\ns2,,,,s1\ns3,Nowhere,0,0,\n",
	"routes.txt":     "route_id,route_type\n24,3\nT,0\n",
	"trips.txt":      "route_id,trip_id\n24,t\nT,night\n",
	"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nt,15:00:00,15:01:00,s1,1\nt,,,s2,2\nt,16:00:00,16:00:00,s3,3\nnight,25:00:00,25:00:00,s1,1\nnight,25:30:00,25:30:00,s1,2\n",
}

func archive(t testing.TB, change map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range tables {
		if other, ok := change[name]; ok {
			text = other
		}
		if text == "" {
			continue
		}
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func timetable(t testing.TB) Format {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gtfs.zip")
	if err := os.WriteFile(path, archive(t, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := New(map[string]any{"static": path})
	if err != nil {
		t.Fatal(err)
	}
	return f.(Format)
}

func with(t testing.TB, f Format, entities ...string) feeds.Batch {
	t.Helper()
	b, err := f.Decode(message(t, entities...), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStopOnly(t *testing.T) {
	f := timetable(t)
	for stop, name := range map[string]string{"s1": "Pasar Raya", "s2": "s2"} {
		b := with(t, f, `id: "1" vehicle {trip {trip_id: "night"} stop_id: "`+stop+`" timestamp: 1799999990}`)
		if len(b.Positions) != 1 {
			t.Fatalf("%s: %+v", stop, b)
		}
		if p := b.Positions[0]; p.Position != (geo.Position{Lat: -0.79, Lng: 100.65}) || p.Kind != "tram" || p.SpeedMps != nil || p.At.Unix() != 1799999990 {
			t.Errorf("%s: %+v", stop, p)
		}
		if o := b.Observations[0]; o.Property != "stop" || o.Value.Text != name {
			t.Errorf("%s: %+v", stop, o)
		}
	}
	if b := with(t, f, `id: "1" vehicle {trip {trip_id: "t"} stop_id: "s3"}`); len(b.Ignored) != 1 {
		t.Errorf("a stop at 0,0: %+v", b)
	}
	if b := with(t, f, bus); b.Positions[0].Kind != "bus" || len(b.Observations) != 2 {
		t.Errorf("a bus with a position: %+v", b)
	}
	if b := with(t, f, closed[:strings.Index(closed, "informed_entity")]+`informed_entity {stop_id: "s2"} header_text {translation {text: "x"}}}`); len(b.Alerts[0].Message.Infos[0].Areas[0].Shape.Points) != 1 {
		t.Errorf("an alert at a stop: %+v", b.Alerts)
	}
}

// TestTimetable: 1800000000 is 2027-01-15 15:00:00 in Jakarta.
func TestTimetable(t *testing.T) {
	f := timetable(t)
	for _, c := range []struct {
		name, trip, stop string
		delay            float64
		known            bool
	}{
		{"arrival", `trip_id: "t" start_date: "20270115"`, `stop_sequence: 1 arrival {time: 1800000120} departure {time: 1800000300}`, 120, true},
		{"departure", `trip_id: "t" start_date: "20270115"`, `stop_sequence: 1 departure {time: 1800000120}`, 60, true},
		{"by the stop's id", `trip_id: "t" start_date: "20270115"`, `stop_id: "s3" arrival {time: 1800003000}`, -600, true},
		{"without a date", `trip_id: "t"`, `stop_sequence: 1 arrival {time: 1800000120}`, 120, true},
		{"after midnight", `trip_id: "night" start_date: "20270114"`, `stop_sequence: 1 arrival {time: 1799949660}`, 60, true},
		{"after midnight without a date", `trip_id: "night"`, `stop_sequence: 2 arrival {time: 1799951400}`, 0, true},
		{"no time in the table", `trip_id: "t"`, `stop_sequence: 2 arrival {time: 1800000120}`, 0, false},
		{"a stop that is called at twice", `trip_id: "night"`, `stop_id: "s1" arrival {time: 1800000120}`, 0, false},
		{"sequence and id disagree", `trip_id: "t"`, `stop_sequence: 1 stop_id: "s3" arrival {time: 1800000120}`, 0, false},
		{"another trip", `trip_id: "x"`, `stop_sequence: 1 arrival {time: 1800000120}`, 0, false},
		{"a wrong date", `trip_id: "t" start_date: "15 Jan"`, `stop_sequence: 1 arrival {time: 1800000120}`, 0, false},
		{"another year", `trip_id: "t" start_date: "20250115"`, `stop_sequence: 1 arrival {time: 1800000120}`, 0, false},
		{"a time of its own", `trip_id: "t"`, `stop_sequence: 1 arrival {time: 1800000120 delay: 7}`, 7, true},
	} {
		b := with(t, f, `id: "1" trip_update {trip {`+c.trip+`} stop_time_update {`+c.stop+`}}`)
		if !c.known {
			if len(b.Ignored) != 1 || len(b.Observations) != 0 {
				t.Errorf("%s: %+v", c.name, b.Observations)
			}
			continue
		}
		if len(b.Observations) != 1 || b.Observations[0].Value.Num != c.delay {
			t.Errorf("%s: %+v, want %v", c.name, b.Observations, c.delay)
		}
	}
}

func TestStaticFaults(t *testing.T) {
	for name, c := range map[string]struct {
		body []byte
		want string
	}{
		"no archive":    {[]byte("x"), "zip"},
		"no stops":      {archive(t, map[string]string{"stops.txt": ""}), "stops.txt: missing"},
		"no column":     {archive(t, map[string]string{"stops.txt": "name\nx\n"}), "stops.txt: column stop_id is missing"},
		"column twice":  {archive(t, map[string]string{"stops.txt": "stop_id,stop_id\n1,2\n"}), "given twice"},
		"zone":          {archive(t, map[string]string{"agency.txt": "agency_timezone\nMars/Base\n"}), `agency_timezone "Mars/Base"`},
		"route type":    {archive(t, map[string]string{"routes.txt": "route_id,route_type\n24,bus\n"}), "routes.txt: row 1: route_type"},
		"time":          {archive(t, map[string]string{"stop_times.txt": "trip_id,stop_sequence,arrival_time\nt,1,noon\n"}), `time "noon"`},
		"stop sequence": {archive(t, map[string]string{"stop_times.txt": "trip_id,stop_sequence\nt,-1\n"}), "stop_sequence"},
	} {
		if _, err := ReadStatic(bytes.NewReader(c.body), int64(len(c.body))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
	body := archive(t, map[string]string{"stop_times.txt": ""})
	if _, err := ReadStatic(bytes.NewReader(body), int64(len(body))); err != nil {
		t.Errorf("without times: %v", err)
	}
	for _, options := range []map[string]any{{"static": 7}, {"static": ""}, {"static": filepath.Join(t.TempDir(), "none.zip")}, {"map": "."}} {
		if _, err := New(options); err == nil {
			t.Errorf("%v was taken", options)
		}
	}
}

func TestClock(t *testing.T) {
	for text, want := range map[string]int32{"": -1, "0:00:00": 0, "25:10:05": 90605, "07:58:00": 28680} {
		if got, err := clock(text); err != nil || got != want {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"7:58", "x", "7:58:xx", "-1:00:00", "1:2:3:4"} {
		if got, err := clock(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}

// TestRecordedTimetableOfBART: trip updates that tell their delays themselves stay as they are beside their timetable; the trips are its.
func TestRecordedTimetableOfBART(t *testing.T) {
	f, err := New(map[string]any{"static": feedtest.Recorded(t, "gtfs-static/bart-2019.zip")[0]})
	if err != nil {
		t.Fatal(err)
	}
	body := feedtest.Read(t, feedtest.Recorded(t, "gtfs-rt/bart-trip-updates-2019.pb")[0])
	plain, timed := decode(t, body), feeds.Batch{}
	if timed, err = f.Decode(body, feedtest.Meta()); err != nil {
		t.Fatal(err)
	}
	feedtest.Check(t, timed, err)
	if len(plain.Observations) == 0 || len(timed.Observations) != len(plain.Observations) {
		t.Fatalf("%d delays, with the timetable %d", len(plain.Observations), len(timed.Observations))
	}
	for i, o := range timed.Observations {
		if o.Value != plain.Observations[i].Value || o.Thing != plain.Observations[i].Thing {
			t.Errorf("%+v became %+v", plain.Observations[i], o)
		}
	}
}

// TestRecordedTimetable: what RABA's trip updates leave out stands in its timetable.
func TestRecordedTimetable(t *testing.T) {
	f, err := New(map[string]any{"static": feedtest.Recorded(t, "gtfs-static/raba.zip")[0]})
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Decode(feedtest.Read(t, feedtest.Recorded(t, "gtfs-rt/raba-trip-updates.pb")[0]), feedtest.Meta())
	feedtest.Check(t, b, err)
	// Of nine trips one has a time; of the others all stops are skipped.
	if len(b.Observations) != 1 || len(b.Ignored) != 8 || err != nil {
		t.Fatalf("%d known, %d not, %v", len(b.Observations), len(b.Ignored), err)
	}
	if o := b.Observations[0]; o.Thing != "5701" || o.Kind != "bus" || o.Value.Num != 541 {
		t.Errorf("%s is late by %v", o.Thing, o.Value.Num)
	}
}
