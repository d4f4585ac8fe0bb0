package formats

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
)

// owners says which format reads which recorded files.
var owners = map[string][]string{
	"ngsi":         {"ngsi/*"},
	"sensorthings": {"sensorthings/*"},
	"geojson":      {"maps/*.geojson", "boundaries/*.geojson"},
	"petabencana":  {"petabencana/*"},
	"gbfs":         {"gbfs/*/*"},
	"open311":      {"open311/*"},
	"wzdx":         {"wzdx/*"},
	"cap":          {"cap/*"},
	"bmkg":         {"earthquake/bmkg-*"},
	"siri":         {"siri/*"},
	"usgs":         {"earthquake/usgs-*"},
	"owntracks":    {"owntracks/*"},
	"traccar":      {"traccar/*"},
	"ttn":          {"lorawan/ttn-*"},
	"chirpstack":   {"lorawan/chirpstack-*"},
	"alertmanager": {"alertmanager/*"},
	"nmea":         {"nmea/*"},
	"ais":          {"ais/*.nmea", "ais/*.txt"},
	"adsb":         {"adsb/*"},
	"cot":          {"cot/*"},
	"gtfsrt":       {"gtfs-rt/*.pb", "gtfs-rt/*.json", "gtfs-rt/nyct-subway-series/*"},
}

// shared says which other formats have a good reading of a file too: GDACS lists CAP messages in the RSS that says all of them itself.
var shared = map[string][]string{
	"gdacs-rss-24h-2019.xml": {"georss"},
}

// mappedNames are the formats that read whatever their map says; without one they are not made.
var mappedNames = map[string]bool{"csv": true, "json": true, "xml": true}

// TestWrongFormat sends every recorded file to every other format: an error and nothing stored, except that native may read the
// document and refuse each item, or find records in GeoJSON, and geojson reads every GeoJSON, whoever's it is.
func TestWrongFormat(t *testing.T) {
	for owner, patterns := range owners {
		for _, file := range feedtest.Recorded(t, patterns...) {
			body := feedtest.Read(t, file)
			for _, name := range Names() {
				if name == owner || mappedNames[name] || slices.Contains(shared[filepath.Base(file)], name) {
					continue
				}
				format, err := New(name, nil)
				if err != nil {
					t.Fatal(err)
				}
				b, err := format.Decode(body, feedtest.Meta())
				feedtest.Check(t, b, err)
				if name == "geojson" && err == nil && bytes.Contains(body, []byte(`"Feature`)) {
					continue
				}
				if b.Records() > 0 || err == nil && (name != "native" || len(b.Rejected) == 0) {
					t.Errorf("%s by %s: %d records, %d rejected, error %v", filepath.Base(file), name, b.Records(), len(b.Rejected), err)
				}
			}
		}
	}
}

func TestNew(t *testing.T) {
	if !slices.IsSorted(Names()) || len(Names()) != len(All()) {
		t.Errorf("names %v", Names())
	}
	if _, err := New("fax", nil); err == nil {
		t.Error("an unknown format was made")
	}
	for _, name := range Names() {
		if _, err := New(name, map[string]any{"no such option": 1}); err == nil {
			t.Errorf("%s: an unknown option was taken", name)
		}
	}
}

// TestOneDeviceThroughTwoNetworks: a device that moves from The Things Stack to ChirpStack stays the same Thing with the same properties,
// though payload, time and id have other names there, and though one writes its EUI in large letters.
func TestOneDeviceThroughTwoNetworks(t *testing.T) {
	var got []feeds.Observation
	for name, body := range map[string]string{
		"ttn": `{"end_device_ids":{"device_id":"awlr-1","application_ids":{"application_id":"a"},"dev_eui":"70B3D57BA0000BCE"},"received_at":"2026-11-25T08:59:02Z",` +
			`"uplink_message":{"session_key_id":"AXA=","f_cnt":7,"decoded_payload":{"level":2.5},"rx_metadata":[{"time":"2026-11-25T08:59:01Z"}]}}`,
		"chirpstack": `{"deduplicationId":"e","time":"2026-11-25T08:59:02Z","deviceInfo":{"deviceName":"awlr-1","devEui":"70b3d57ba0000bce"},"fPort":1,"object":{"level":2.5},` +
			`"rxInfo":[{"gwTime":"2026-11-25T08:59:01Z"}]}`,
	} {
		format, err := New(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := format.Decode([]byte(body), feedtest.Meta())
		feedtest.Check(t, b, err)
		if err != nil || len(b.Observations) != 1 {
			t.Fatalf("%s: %+v, %v", name, b, err)
		}
		got = append(got, b.Observations[0])
	}
	if a, b := got[0], got[1]; a.Thing != b.Thing || a.Property != b.Property || a.Value != b.Value || !a.At.Equal(b.At.Time) || a.Placed || b.Placed {
		t.Errorf("%+v and %+v", a, b)
	}
}
