package hub

import (
	"math"

	"kentongan/feeds"
)

// leading is the property that a cell shows of a layer, by kind, where the largest value is the one to watch. A kind that is not here
// shows its only number; none, where it has several.
var leading = map[string]string{
	"river_gauge":   "water_level",
	"rain_gauge":    "rainfall",
	"air_quality":   "pm2_5",
	"seismometer":   "pga",
	"lake_buoy":     "turbidity",
	"water_quality": "turbidity",
	"streetlight":   "power",
	"road_sensor":   "water_depth",
	"weather":       "wind_speed",
	"market":        "price_red_chilli", // of what is sold it moves most
	"truck":         "speed",
	"bus":           "speed",
	"tram":          "speed",
	"train":         "speed",
	"ambulance":     "speed",
	"unit":          "speed",
	"phone":         "shaking",
}

// leadingValue is a Thing's value for its cell; NaN: none.
func leadingValue(t *feeds.Thing) float64 {
	if property, ok := leading[t.Kind]; ok {
		if r, ok := t.State[property]; ok && r.Value.Type == feeds.Number {
			return r.Value.Num
		}
		return math.NaN()
	}
	only := math.NaN()
	for _, r := range t.State {
		if r.Value.Type == feeds.Number {
			if !math.IsNaN(only) {
				return math.NaN()
			}
			only = r.Value.Num
		}
	}
	return only
}
