package gbfs

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "gbfs/*/*.json") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range append(recorded(t), seeds(t)...) {
		feedtest.Document(t, Format{}, feedtest.Read(t, file))
	}
}

// TestRecordedStations: what station_information and station_status say meets in one Thing.
func TestRecordedStations(t *testing.T) {
	read := func(name string) feeds.Batch {
		return decode(t, string(feedtest.Read(t, feedtest.Recorded(t, "gbfs/oslo-lillestrom/"+name)[0])))
	}
	places, counts := map[string]bool{}, map[string]int{}
	for _, o := range read("station_information.json").Observations {
		places[o.Thing] = o.Placed && o.Property == "capacity" && o.Kind == StationKind
	}
	for _, o := range read("station_status.json").Observations {
		if !places[o.Thing] || o.Placed || o.Kind != StationKind || o.At.Unix() != 1631258631 {
			t.Errorf("%+v", o)
		}
		counts[o.Property]++
	}
	if diff := cmp.Diff(map[string]int{"available": 6, "docks": 6, "installed": 6, "renting": 6, "returning": 6}, counts); diff != "" || len(places) != 6 {
		t.Errorf("%d places %s", len(places), diff)
	}
}

func document(data string) string {
	return `{"last_updated":1793588400,"ttl":60,"version":"2.3","data":{` + "\n" + data + `}}`
}

const (
	info    = `{"station_id":"1","name":"Pasar","lat":-0.79,"lon":100.65,"capacity":10}`
	status  = `{"station_id":1,"num_bikes_available":3,"num_docks_available":7,"num_bikes_disabled":1,"is_installed":1,"is_renting":0,"is_returning":true,"last_reported":1793588390}`
	bike    = `{"bike_id":"b","lat":-0.79,"lon":100.65,"is_reserved":0,"is_disabled":false,"current_range_meters":900.5,"current_fuel_percent":0.4,"last_reported":1793588390}`
	closure = `{"alert_id":"a","type":"SYSTEM_CLOSURE","times":[{"start":1793500000,"end":1793600000}],"station_ids":["1",2],"url":"https://example.org/a","summary":"Tutup","description":"Semua","last_updated":1793550000}`
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

func values(t *testing.T, b feeds.Batch) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, o := range b.Observations {
		out[o.Property] = o.Value.Any()
	}
	return out
}

func TestStations(t *testing.T) {
	b := decode(t, document(`"stations":[`+info+`]`))
	if o := b.Observations[0]; o.Thing != "1" || o.Name != "Pasar" || o.Position != (geo.Position{Lat: -0.79, Lng: 100.65}) || o.At.Unix() != 1793588400 || o.Value.Num != 10 || !b.Snapshot {
		t.Errorf("got %+v", o)
	}
	b = decode(t, document(`"stations":[`+strings.Replace(info, `,"capacity":10`, "", 1)+`]`))
	if len(b.Positions) != 1 || len(b.Observations) != 0 || b.Positions[0].Unit != "1" {
		t.Errorf("without a capacity: %+v", b)
	}
	b = decode(t, document(`"stations":[`+strings.Replace(info, `"Pasar"`, `[{"text":"Pasar Raya","language":"id"},{"text":"Market","language":"en"}]`, 1)+`]`))
	if b.Observations[0].Name != "Pasar Raya" {
		t.Errorf("a name of version 3: %+v", b.Observations[0])
	}
	b = decode(t, document(`"stations":[`+status+`]`))
	want := map[string]any{"available": 3.0, "docks": 7.0, "disabled": 1.0, "installed": true, "renting": false, "returning": true}
	if diff := cmp.Diff(want, values(t, b)); diff != "" || b.Observations[0].Thing != "1" || b.Observations[0].At.Unix() != 1793588390 {
		t.Errorf("status %s %+v", diff, b.Observations[0])
	}
	b = decode(t, document(`"stations":[`+strings.NewReplacer("num_bikes", "num_vehicles", `1793588390`, `"2026-11-02T10:19:50+07:00"`).Replace(status)+`]`))
	if b.Observations[0].At.String() != "2026-11-02T03:19:50.000Z" || values(t, b)["available"] != 3.0 {
		t.Errorf("version 3: %+v", b.Observations[0])
	}
	for _, never := range []string{"0", "null"} {
		b = decode(t, document(`"stations":[`+strings.Replace(status, "1793588390", never, 1)+`]`))
		if !b.Observations[0].At.IsZero() {
			t.Errorf("never reported became %s", b.Observations[0].At)
		}
	}
}

func TestVehicles(t *testing.T) {
	b := decode(t, document(`"bikes":[`+bike+`]`))
	want := map[string]any{"available": true, "range": 900.5, "charge": 40.0}
	if diff := cmp.Diff(want, values(t, b)); diff != "" || b.Observations[0].Kind != "thing" || !b.Observations[0].Placed {
		t.Errorf("%s %+v", diff, b.Observations[0])
	}
	b = decode(t, document(`"vehicles":[`+strings.NewReplacer("bike_id", "vehicle_id", `"is_disabled":false`, `"is_disabled":true`).Replace(bike)+`]`))
	if v := values(t, b); v["available"] != false || v["disabled"] != true {
		t.Errorf("disabled: %v", v)
	}
	m := feedtest.Meta()
	m.Kind = ""
	if b, err := (Format{}).Decode([]byte(document(`"bikes":[`+bike+`]`)), m); err != nil || b.Observations[0].Kind != VehicleKind {
		t.Errorf("%v %+v", err, b)
	}
	b = decode(t, document(`"bikes":[`+strings.Replace(bike, `"lat":-0.79,"lon":100.65`, `"station_id":"1"`, 1)+`]`))
	if len(b.Ignored) != 1 || b.Records() != 0 {
		t.Errorf("at a station: %+v", b)
	}
	if b := decode(t, document(`"bikes":[]`)); b.Records() != 0 || b.Snapshot {
		t.Errorf("no bikes: %+v", b)
	}
}

// Version 3 has other names and times: vehicle_status, RFC 3339 in every time, the document's own too.
func TestVersion3(t *testing.T) {
	body := `{"last_updated":"2026-11-02T10:20:00+07:00","ttl":0,"version":"3.0","data":{"vehicles":[{"vehicle_id":"v","lat":-0.79,"lon":100.65,"is_reserved":false,"is_disabled":false,` +
		`"last_reported":"2026-11-02T10:19:50+07:00"},{"vehicle_id":"w","lat":-0.79,"lon":100.65,"is_reserved":true,"is_disabled":false}]}}`
	b := decode(t, body)
	if len(b.Observations) != 2 || b.Observations[0].At.String() != "2026-11-02T03:19:50.000Z" || !b.Observations[1].At.IsZero() || b.Observations[1].Value.Any() != false {
		t.Errorf("got %+v", b)
	}
	if len(b.Positions) != 0 {
		t.Errorf("ids of vehicles change with every trip: they leave no track, got %+v", b.Positions)
	}
}

func TestAlerts(t *testing.T) {
	one := func(old, new string) feeds.Alert {
		t.Helper()
		b := decode(t, document(`"alerts":[`+strings.Replace(closure, old, new, 1)+`]`))
		if len(b.Alerts) != 1 {
			t.Fatalf("%s: %v %v", new, b.Ignored, b.Rejected)
		}
		return b.Alerts[0]
	}
	a := one("", "")
	in := a.Message.Infos[0]
	if !strings.HasPrefix(a.Message.Identifier, "a-") || a.Keys[0] != "gbfs test a" || a.Message.Sent.Unix() != 1793550000 || in.Event != "System closure" || in.Headline != "Tutup" ||
		in.Severity != cap.Unknown || in.Urgency != "Immediate" || in.Onset.Unix() != 1793500000 || in.Expires.Unix() != 1793600000 || len(in.Areas[0].Geocodes) != 2 || in.Web == "" {
		t.Errorf("got %+v", a)
	}
	if b := one("Tutup", "Buka"); b.Message.Identifier == a.Message.Identifier || one("", "").Message.Identifier != a.Message.Identifier {
		t.Error("new words are no new version")
	}
	if m := one(`,"end":1793600000`, "").Message; m.Sent.String() != "2026-11-02T00:00:00.000Z" || m.Infos[0].Expires.Sub(m.Sent.Time) != openLife {
		t.Errorf("without an end: sent %s expires %s", m.Sent, m.Infos[0].Expires)
	}
	if m := one(`,"last_updated":1793550000`, "").Message; m.Sent.Unix() != 1793500000 {
		t.Errorf("without last_updated: %s", m.Sent)
	}
	if in := one(`"start":1793500000`, `"start":1793599999`).Message.Infos[0]; in.Urgency != "Future" {
		t.Errorf("to come: %+v", in)
	}
	if m := one(`"summary":"Tutup"`, `"summary":[{"text":"Tutup","language":"id"},{"text":"Closed","language":"en"}]`).Message; len(m.Infos) != 3 || m.Infos[1].Headline != "Closed" {
		t.Errorf("languages: %+v", m.Infos)
	}
	if b := decode(t, document(`"alerts":[`+strings.Replace(closure, `"end":1793600000`, `"end":1793500001`, 1)+`]`)); len(b.Ignored) != 1 || len(b.Alerts) != 0 {
		t.Errorf("over: %+v", b)
	}
	if b := decode(t, document(`"alerts":[]`)); b.Snapshot {
		t.Error("no alerts do not end stations")
	}
}

func TestIndex(t *testing.T) {
	feeds3 := `"feeds":[{"name":"station_status","url":"https://feed.example/s.json"},{"name":"station_information","url":"i.json"},{"name":"gbfs","url":"https://feed.example/gbfs.json"},` +
		"\n" + `{"name":"system_alerts","url":"file:a.json"},{"name":"vehicle_status","url":"v.json"}]`
	b := decode(t, document(feeds3))
	if diff := cmp.Diff([]string{"i.json", "https://feed.example/s.json", "v.json"}, b.Next); diff != "" || len(b.Ignored) != 1 || len(b.Rejected) != 1 || !strings.Contains(b.Rejected[0].Reason, "line 3") {
		t.Errorf("%s ignored %v rejected %v", diff, b.Ignored, b.Rejected)
	}
	b = decode(t, document(`"nb":{"feeds":[{"name":"station_status","url":"nb.json"}]},"en":{"feeds":[{"name":"station_status","url":"en.json"}]}`))
	if diff := cmp.Diff([]string{"en.json"}, b.Next); diff != "" || !b.Snapshot {
		t.Error(diff)
	}
	for ttl, want := range map[string]time.Duration{"60": time.Minute, "0": 0, "-1": 0, "1e99": 24 * time.Hour, `"60"`: 0, "0.5": 500 * time.Millisecond} {
		if b := decode(t, strings.Replace(document(`"bikes":[]`), `"ttl":60`, `"ttl":`+ttl, 1)); b.TTL != want {
			t.Errorf("ttl %s gives %v, want %v", ttl, b.TTL, want)
		}
	}
}

func TestItems(t *testing.T) {
	swap := func(s, old, new string) string {
		return strings.NewReplacer(`"1"`, `"2"`, `"station_id":1,`, `"station_id":2,`, `"b"`, `"c"`, `"a"`, `"d"`).Replace(strings.Replace(s, old, new, 1))
	}
	for _, c := range []struct{ name, list, good, bad, reason string }{
		{"swapped", "stations", info, swap(info, `"lat":-0.79,"lon":100.65`, `"lat":100.65,"lon":-0.79`), "seem swapped"},
		{"null island", "bikes", bike, swap(bike, `"lat":-0.79,"lon":100.65`, `"lat":0,"lon":0`), "unknown place"},
		{"half a place", "bikes", bike, swap(bike, `,"lon":100.65`, ""), "belong together"},
		{"nowhere", "bikes", bike, swap(bike, `"lat":-0.79,"lon":100.65,`, ""), "lat and lon are missing"},
		{"no id", "stations", info, swap(info, `"station_id":"1",`, ""), "station_id is missing"},
		{"id again", "stations", info, info, "was given before, by item 0"},
		{"nothing said", "stations", status, `{"station_id":"2"}`, "neither lat and lon nor counts"},
		{"negative", "stations", status, swap(status, `"num_bikes_available":3`, `"num_bikes_available":-3`), "is not within"},
		{"half a bike", "stations", status, swap(status, `"num_bikes_available":3`, `"num_bikes_available":3.5`), "not a whole number"},
		{"number as text", "stations", status, swap(status, `"num_bikes_available":3`, `"num_bikes_available":"3"`), "is not a number"},
		{"milliseconds", "stations", status, swap(status, "1793588390", "1793588390000000"), "not seconds"},
		{"other letters", "stations", status, swap(status, `"num_bikes_available"`, `"Num_Bikes_Available"`), "should be written"},
		{"twice", "stations", status, swap(status, `"is_renting":0`, `"is_renting":0,"is_renting":1`), "given twice"},
		{"charge in percent", "bikes", bike, swap(bike, "0.4", "40"), "is not within 0..1"},
		{"flag", "bikes", bike, swap(bike, `"is_disabled":false`, `"is_disabled":"no"`), "not true or false"},
		{"no words", "alerts", closure, swap(closure, `"summary":"Tutup","description":"Semua"`, `"summary":""`), "summary and description are missing"},
		{"backwards", "alerts", closure, swap(closure, "1793600000", "1793400000"), "end is before start"},
		{"not an object", "stations", info, "7", "not an object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			feedtest.OneBad(t, Format{}, []byte(document(`"`+c.list+`":[`+c.good+",\n"+c.bad+`]`)), 1, "item at line 3", c.reason)
		})
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "{}", "[]", "<rss/>", document(`"bikes":[]`) + "x", `{"data":{"stations":[]}}`, `{"last_updated":1,"ttl":1,"data":{"stations":[]}}`,
		`{"last_updated":1793588400,"ttl":60,"data":[]}`, document(`"stations":{}`), document(`"stations":[],"stations":[]`), `{"last_updated":"yesterday","ttl":60,"data":{}}`} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q: want an error, got %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
	if b := decode(t, document(`"system_id":"x"`)); len(b.Ignored) != 1 || b.Records() != 0 || b.Snapshot {
		t.Errorf("another document of GBFS: %+v", b)
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
