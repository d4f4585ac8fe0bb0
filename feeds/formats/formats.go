// Package formats is the list of all formats, in one readable file.
package formats

import (
	"fmt"
	"slices"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/formats/adsb"
	"kentongan/feeds/formats/ais"
	"kentongan/feeds/formats/alertmanager"
	"kentongan/feeds/formats/bmkg"
	"kentongan/feeds/formats/cap"
	"kentongan/feeds/formats/chirpstack"
	"kentongan/feeds/formats/cot"
	"kentongan/feeds/formats/csv"
	"kentongan/feeds/formats/gbfs"
	"kentongan/feeds/formats/geojson"
	"kentongan/feeds/formats/georss"
	"kentongan/feeds/formats/gtfsrt"
	"kentongan/feeds/formats/json"
	"kentongan/feeds/formats/native"
	"kentongan/feeds/formats/ngsi"
	"kentongan/feeds/formats/nmea"
	"kentongan/feeds/formats/open311"
	"kentongan/feeds/formats/owntracks"
	"kentongan/feeds/formats/petabencana"
	"kentongan/feeds/formats/sensorthings"
	"kentongan/feeds/formats/siri"
	"kentongan/feeds/formats/traccar"
	"kentongan/feeds/formats/ttn"
	"kentongan/feeds/formats/usgs"
	"kentongan/feeds/formats/wzdx"
	"kentongan/feeds/formats/xml"
)

// Factory makes a format from its options; unknown options are an error.
type Factory func(options map[string]any) (feeds.Format, error)

// All gives every format by the name that a feed's settings use. A new format is one line here.
func All() map[string]Factory {
	return map[string]Factory{
		"adsb":         adsb.New,
		"ais":          ais.New,
		"alertmanager": alertmanager.New,
		"bmkg":         bmkg.New,
		"cap":          cap.New,
		"chirpstack":   chirpstack.New,
		"cot":          cot.New,
		"csv":          csv.New,
		"gbfs":         gbfs.New,
		"geojson":      geojson.New,
		"georss":       georss.New,
		"gtfsrt":       gtfsrt.New,
		"json":         json.New,
		"native":       native.New,
		"ngsi":         ngsi.New,
		"nmea":         nmea.New,
		"open311":      open311.New,
		"owntracks":    owntracks.New,
		"petabencana":  petabencana.New,
		"sensorthings": sensorthings.New,
		"siri":         siri.New,
		"traccar":      traccar.New,
		"ttn":          ttn.New,
		"usgs":         usgs.New,
		"wzdx":         wzdx.New,
		"xml":          xml.New,
	}
}

// New makes one format. An unknown name gives an error that lists the known ones.
func New(name string, options map[string]any) (feeds.Format, error) {
	make, ok := All()[name]
	if !ok {
		return nil, fmt.Errorf("format %.40q is not known; there are %s", name, strings.Join(Names(), ", "))
	}
	return make(options)
}

// Names lists the formats in alphabetical order.
func Names() []string {
	var names []string
	for name := range All() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
