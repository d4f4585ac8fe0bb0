package access

import "slices"

// openKinds are the kinds of Things that visitors may see: stations, and what runs for everybody by a timetable. Anything else may be a unit,
// or tell where one is.
var openKinds = []string{"river_gauge", "rain_gauge", "lake_buoy", "weather", "weather_station", "seismometer", "volcano", "air_quality", "water_quality", "road_sensor", "streetlight",
	"bus", "tram", "train"}

// OpenKinds lists the kinds of Things that visitors may see.
func OpenKinds() []string { return slices.Clone(openKinds) }

// Open tells whether visitors may see Things of a kind.
func Open(kind string) bool { return slices.Contains(openKinds, kind) }
