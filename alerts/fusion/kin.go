package fusion

import (
	"time"
)

// Scope is how far in place and time an account of a type may lie from an incident and still be about it (domain.md section 4, the rule
// below the table). Cells find what may be near, cheaply; ReachM is how far the disk of the domain's table reaches, and within it metres decide.
type Scope struct {
	Type   string
	Group  string        // by what people call it in one word: water, fire, road …
	Window time.Duration // between two accounts: beyond it they are never of one incident
	Near   time.Duration // up to which the time speaks for it; from twice that on it speaks against
	ReachM float64
	Reason string
	Opens  int // how many reports make one ask whether an incident should be opened; 0: by the class of the type, below 0: never
}

// Kin is two types that one incident may be told as, and how well they go together, 0 to 1.
type Kin struct {
	A, B   string
	Weight float64
	Reason string
}

// Table is everything that matching knows of types; a site may put another in its place.
type Table struct {
	Scopes []Scope
	Kins   []Kin
}

// Reasons of the scopes below.
const (
	pointReason   = "one place: cell of resolution 9 or its ring 1, 30 min (domain.md 4)"
	roadReason    = "a road stays shut for long: 2 h (domain.md 4)"
	waterReason   = "water spreads and stays: resolution 8, 3 h (domain.md 4)"
	wideReason    = "it covers a neighbourhood, which no cell of resolution 9 holds"
	slowReason    = "it lasts for days, and is told of at any hour"
	serviceReason = "a service is asked for: the channel of complaints, not an incident (domain.md 13)"
	quakeReason   = "felt far off: by distance from the epicentre, not by cells"
)

// DefaultTable is domain.md section 4. Two types without a line in Kins never are one incident: a crash in a flood is a crash.
func DefaultTable() Table {
	point := func(code, group string) Scope {
		return Scope{code, group, time.Hour, 35 * time.Minute, 550, pointReason, 0}
	}
	road := func(code string) Scope {
		return Scope{code, "road", 2 * time.Hour, 45 * time.Minute, 550, roadReason, 0}
	}
	water := func(code string) Scope {
		return Scope{code, "water", 3 * time.Hour, 50 * time.Minute, 900, waterReason, 0}
	}
	wide := func(code, group string) Scope {
		return Scope{code, group, 2 * time.Hour, 45 * time.Minute, 800, wideReason, 0}
	}
	slow := func(code, group string) Scope {
		return Scope{code, group, 24 * time.Hour, 6 * time.Hour, 900, slowReason, 0}
	}
	service := func(code, group string) Scope {
		s := slow(code, group)
		s.Opens, s.Reason = -1, serviceReason
		return s
	}
	hour := func(s Scope) Scope { s.Window = 2 * time.Hour; s.Near = 40 * time.Minute; return s }
	return Table{
		Scopes: []Scope{
			water("river_high"), water("flood"), water("flash_flood"),
			hour(point("landslide", "slope")),
			{"eq", "quake", 2 * time.Hour, time.Hour, 60_000, quakeReason, 0},
			slow("volcano", "volcano"), slow("ashfall", "volcano"),
			hour(point("fire_building", "fire")), hour(wide("wildfire", "fire")), hour(point("fire_vehicle", "fire")), hour(point("hazmat", "fire")),
			wide("wind", "wind"), road("tree_down"),
			road("traffic_injury"), road("traffic_damage"), road("truck_stall"), road("road_blocked"), road("congestion"), service("road_damage", "road"), slow("bridge_damage", "road"),
			hour(point("medical", "person")), hour(wide("missing_person", "person")), hour(point("rescue_tech", "person")),
			point("animal", "animal"), point("crime", "order"), point("public_order", "order"), point("crowd", "order"),
			wide("power_out", "supply"), wide("water_out", "supply"), service("telecom_out", "supply"), service("streetlight", "supply"),
			slow("drought", "water_supply"), slow("fish_kill", "lake"), slow("water_quality", "lake"), slow("air_quality", "air"), slow("outbreak", "health"),
			service("waste", "waste"), service("price_spike", "market"), hour(wide("tourism", "person")), service("service_complaint", "service"), service("sensor_fault", "sensor"),
		},
		Kins: []Kin{
			{"river_high", "flood", .8, "the gauge measures what people see"},
			{"flood", "flash_flood", .8, "people call both banjir"},
			{"river_high", "flash_flood", .6, "a gauge upstream rises first"},
			{"flash_flood", "landslide", .6, "galodo is water and earth"},
			{"landslide", "road_blocked", .7, "earth on the road"},
			{"tree_down", "road_blocked", .7, "a tree on the road"},
			{"tree_down", "wind", .7, "wind fells trees"},
			{"road_blocked", "congestion", .7, "what is shut is jammed"},
			{"truck_stall", "congestion", .7, "what stands is jammed behind"},
			{"truck_stall", "traffic_damage", .7, "an overturned truck is a crash"},
			{"traffic_injury", "traffic_damage", .8, "nobody knows at first who is hurt"},
			{"traffic_injury", "medical", .6, "who lies hurt is a patient"},
			{"traffic_injury", "fire_vehicle", .6, "a crash that burns"},
			{"fire_building", "fire_vehicle", .6, "smoke from afar is smoke"},
			{"fire_building", "wildfire", .6, "smoke from afar is smoke"},
			{"fire_building", "hazmat", .6, "gas burns"},
			{"power_out", "streetlight", .5, "dark is dark"},
			{"missing_person", "rescue_tech", .6, "who must be got out"},
			{"volcano", "ashfall", .7, "ash is of the volcano"},
			{"road_damage", "bridge_damage", .6, "a bridge is road"},
			{"fish_kill", "water_quality", .7, "dead fish tell of the water"},
			{"crowd", "public_order", .6, "a crowd that turns"},
			{"crime", "public_order", .6, "a brawl is both"},
			{"tourism", "missing_person", .6, "who is lost on the mountain"},
			{"tourism", "rescue_tech", .6, "who is stuck on the mountain"},
		},
	}
}

// table is a Table made ready to be asked.
type table struct {
	scopes map[string]Scope
	kins   map[string]map[string]float64
}

func ready(t Table) table {
	out := table{map[string]Scope{}, map[string]map[string]float64{}}
	pair := func(a, b string, w float64) {
		if out.kins[a] == nil {
			out.kins[a] = map[string]float64{}
		}
		out.kins[a][b] = w
	}
	for _, s := range t.Scopes {
		out.scopes[s.Type] = s
		pair(s.Type, s.Type, 1)
	}
	for _, k := range t.Kins {
		pair(k.A, k.B, k.Weight)
		pair(k.B, k.A, k.Weight)
	}
	return out
}

// kinship is how well two lists of guesses go together, and which two do.
func (t table) kinship(a, b []Guess) (best float64, of, with string) {
	for _, x := range a {
		for _, y := range b {
			if w := t.kins[x.Type][y.Type] * x.Certainty * y.Certainty; w > best {
				best, of, with = w, x.Type, y.Type
			}
		}
	}
	return best, of, with
}
