package alerts

import (
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// BMKG says "Potensi tsunami untuk diteruskan pada masyarakat" where there is a threat and "Tidak berpotensi tsunami" where there is none.
func TestTsunamiByBMKGsWords(t *testing.T) {
	magnitude := 7.4
	for words, want := range map[string]cap.Severity{
		"Potensi tsunami untuk diteruskan pada masyarakat": cap.Severe,
		"Berpotensi TSUNAMI":             cap.Severe,
		"Tidak berpotensi tsunami":       cap.Minor,
		"see the tsunami warning centre": cap.Minor, // the flag of USGS is no warning
		"":                               cap.Minor,
	} {
		q := feeds.Quake{OriginAt: moment.Of(noon), Position: geo.Position{Lat: center.Lat - 200/111.195, Lng: center.Lng}, Magnitude: &magnitude, Tsunami: words}
		coast := place(t)
		coast.Coastal = true
		in := feeds.Alert{Message: cap.Message{Identifier: "q", Sent: moment.Of(noon), Status: "Actual", Infos: []cap.Info{info("id", cap.Unknown)}}, Quake: &q}
		if a := FromAgency(in, feeds.Meta{Feed: "f"}, coast, noon); a.Severity != want {
			t.Errorf("%q on the coast: %s, want %s", words, a.Severity, want)
		}
		if a := FromAgency(in, feeds.Meta{Feed: "f"}, place(t), noon); a.Severity != cap.Minor {
			t.Errorf("%q inland: %s", words, a.Severity)
		}
	}
}
