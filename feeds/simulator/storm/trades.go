package storm

import (
	"time"

	"kentongan/feeds/cap"
)

// ground is where incidents of a sort happen.
type ground int

const (
	onRiver ground = iota
	onUpperRiver
	onSlope // beside a road in the hills
	onRoad
	inTown
	inFields
	onFault
)

// trade is how incidents of one type go in a storm.
type trade struct {
	code     string
	share    float64 // among the incidents
	ground   ground
	extent   [2]float64       // metres
	lasts    [2]time.Duration // of the hazard, not of the clearing up
	severity cap.Severity
	life     float64  // chance that a life hangs on it
	sensor   string   // property of the instruments that can see it
	sensed   float64  // chance that it happens where one stands
	agency   string   // feed of the agency that publishes such things
	told     float64  // chance that it does
	calls    [2]int   // people who tell of it
	taken    []string // types that people and forms take it for
}

const m = time.Minute

// trades, by type. Shares follow what regencies like it report in a day of extreme weather: water and slopes first, then the crashes,
// fires and patients of any day. Extents and durations are those of situation reports.
var trades = []trade{
	{"flood", .13, onRiver, [2]float64{150, 600}, [2]time.Duration{60 * m, 150 * m}, cap.Severe, .1, "water_level", .6, "cap-bpbd", .7, [2]int{3, 12}, []string{"river_high", "flash_flood"}},
	{"flash_flood", .03, onUpperRiver, [2]float64{150, 500}, [2]time.Duration{20 * m, 60 * m}, cap.Extreme, 1, "water_level_rise", .6, "cap-bpbd", .9, [2]int{3, 14}, []string{"flood", "landslide"}},
	{"landslide", .12, onSlope, [2]float64{30, 150}, [2]time.Duration{20 * m, 90 * m}, cap.Severe, .3, "tilt", .4, "cap-bpbd", .7, [2]int{1, 6}, []string{"road_blocked", "flash_flood"}},
	{"road_blocked", .07, onRoad, [2]float64{30, 100}, [2]time.Duration{40 * m, 120 * m}, cap.Severe, 0, "", 0, "cap-pupr", .7, [2]int{1, 5}, []string{"landslide", "tree_down", "congestion"}},
	{"fire_building", .08, inTown, [2]float64{15, 50}, [2]time.Duration{30 * m, 90 * m}, cap.Extreme, .8, "smoke", .35, "cap-damkar", .6, [2]int{3, 14}, []string{"wildfire", "fire_vehicle"}},
	{"wildfire", .03, inFields, [2]float64{80, 300}, [2]time.Duration{40 * m, 120 * m}, cap.Severe, 0, "smoke_plume", .5, "cap-damkar", .5, [2]int{1, 5}, []string{"fire_building"}},
	{"fire_vehicle", .02, onRoad, [2]float64{10, 30}, [2]time.Duration{20 * m, 40 * m}, cap.Severe, .5, "", 0, "cap-damkar", .4, [2]int{2, 6}, []string{"traffic_injury", "traffic_damage", "fire_building"}},
	{"traffic_injury", .12, onRoad, [2]float64{20, 60}, [2]time.Duration{20 * m, 50 * m}, cap.Extreme, 1, "incident_detected", .3, "cap-polres", .4, [2]int{1, 6}, []string{"traffic_damage", "medical"}},
	{"traffic_damage", .07, onRoad, [2]float64{20, 60}, [2]time.Duration{15 * m, 40 * m}, cap.Moderate, 0, "incident_detected", .3, "cap-polres", .2, [2]int{1, 4}, []string{"traffic_injury", "truck_stall"}},
	{"truck_stall", .03, onRoad, [2]float64{20, 60}, [2]time.Duration{30 * m, 90 * m}, cap.Moderate, 0, "incident_detected", .3, "cap-polres", .4, [2]int{1, 4}, []string{"congestion", "traffic_damage", "traffic_injury"}},
	{"tree_down", .08, onRoad, [2]float64{15, 40}, [2]time.Duration{30 * m, 100 * m}, cap.Moderate, .05, "", 0, "cap-bpbd", .3, [2]int{1, 4}, []string{"road_blocked", "wind"}},
	{"wind", .04, inTown, [2]float64{100, 300}, [2]time.Duration{15 * m, 40 * m}, cap.Moderate, .05, "wind_gust", .4, "cap-bpbd", .6, [2]int{2, 7}, []string{"tree_down"}},
	{"power_out", .06, inTown, [2]float64{150, 400}, [2]time.Duration{40 * m, 120 * m}, cap.Moderate, 0, "voltage", .7, "cap-pln", .5, [2]int{2, 10}, []string{"streetlight"}},
	{"medical", .07, inTown, [2]float64{10, 30}, [2]time.Duration{15 * m, 40 * m}, cap.Extreme, 1, "sos", .1, "", 0, [2]int{1, 2}, []string{"traffic_injury"}},
	{"missing_person", .015, onRiver, [2]float64{50, 200}, [2]time.Duration{60 * m, 150 * m}, cap.Extreme, 1, "", 0, "cap-bpbd", .5, [2]int{1, 4}, []string{"rescue_tech"}},
	{"rescue_tech", .015, inTown, [2]float64{10, 40}, [2]time.Duration{30 * m, 80 * m}, cap.Severe, 1, "", 0, "cap-damkar", .4, [2]int{1, 3}, []string{"missing_person"}},
	{"hazmat", .01, inTown, [2]float64{30, 120}, [2]time.Duration{30 * m, 80 * m}, cap.Severe, .7, "gas", .5, "cap-damkar", .5, [2]int{1, 4}, []string{"fire_building"}},
	{"animal", .02, inTown, [2]float64{10, 30}, [2]time.Duration{20 * m, 60 * m}, cap.Minor, 0, "", 0, "", 0, [2]int{1, 2}, nil},
	{"water_out", .02, inTown, [2]float64{200, 500}, [2]time.Duration{60 * m, 150 * m}, cap.Minor, 0, "", 0, "", 0, [2]int{1, 6}, nil},
	{"eq", 0, onFault, [2]float64{8000, 8000}, [2]time.Duration{40 * m, 70 * m}, cap.Severe, .3, "pga", 1, "cap-bmkg", 1, [2]int{15, 35}, nil},
}

func tradeOf(code string) *trade {
	for i := range trades {
		if trades[i].code == code {
			return &trades[i]
		}
	}
	return nil
}

// confusable tells whether somebody could take an incident of one type for one of the other.
func confusable(a, b string) bool {
	takes := func(x, y string) bool {
		t := tradeOf(x)
		if t == nil {
			return false
		}
		for _, other := range t.taken {
			if other == y {
				return true
			}
		}
		return false
	}
	return a == b || takes(a, b) || takes(b, a)
}
