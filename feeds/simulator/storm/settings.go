package storm

import _ "embed"

// Settings are the feeds and rules of a house that takes the storm, as its configuration has them: the words of those who own the
// instruments, written by what such instruments mean and not by what is in any one storm.
//
//go:embed settings.yaml
var Settings string

// Feeds are the inlets by which the items come, each with the agency that owns it.
var Feeds = []struct{ Name, Agency, Kind string }{
	{"awlr", "pupr", "river_gauge"}, {"lereng", "bpbd", "sensor"}, {"alarm", "damkar", "sensor"}, {"jalan", "dishub", "road_sensor"},
	{"meter", "pln", "power_meter"}, {"sos", "dinkes", "call_point"},
	{"cap-bmkg", "bmkg", ""}, {"cap-usgs", "", ""}, {"cap-bpbd", "bpbd", ""}, {"cap-damkar", "damkar", ""}, {"cap-polres", "polres-arosuka", ""}, {"cap-pupr", "pupr", ""},
	{"cap-pln", "pln", ""}, {"cap-hub", "kominfo", ""},
	{"lapor112", "kominfo", ""}, {"warga", "kominfo", ""}, {"wa", "bpbd", ""}, {"radio", "damkar", ""},
}
