package status

// Words are by language: {id: banjir, en: flood}.
type Words = map[string]string

// Hazard is what a status is about: some types of incidents, or the area as a whole.
type Hazard struct {
	Code  string
	Names Words
	Types []string // of incidents; of the area: every one
}

// Hazards lists the hazards of a house, the area first. A type of incident belongs to one at most; what belongs to none, such as a crime,
// counts for the area alone.
func Hazards() []Hazard {
	return []Hazard{
		{House, Words{"id": "Status wilayah", "en": "Area status"}, nil},
		{"flood", Words{"id": "Banjir", "en": "Flood"}, []string{"flood", "flash_flood", "river_high"}},
		{"landslide", Words{"id": "Tanah longsor", "en": "Landslide"}, []string{"landslide"}},
		{"eq", Words{"id": "Gempa bumi", "en": "Earthquake"}, []string{"eq"}},
		{"volcano", Words{"id": "Gunung api", "en": "Volcano"}, []string{"volcano", "ashfall"}},
		{"weather", Words{"id": "Cuaca", "en": "Weather"}, []string{"wind", "tree_down", "drought"}},
		{"fire", Words{"id": "Kebakaran", "en": "Fire"}, []string{"fire_building", "fire_vehicle", "wildfire", "hazmat"}},
		{"road", Words{"id": "Jalan", "en": "Roads"}, []string{"road_blocked", "bridge_damage", "traffic_injury", "traffic_damage", "truck_stall", "congestion", "road_damage"}},
	}
}

// byType is the hazard of each type of incident.
var byType = func() map[string]string {
	out := map[string]string{}
	for _, h := range Hazards() {
		for _, t := range h.Types {
			out[t] = h.Code
		}
	}
	return out
}()

// HazardCodes lists the codes of Hazards.
func HazardCodes() []string {
	var out []string
	for _, h := range Hazards() {
		out = append(out, h.Code)
	}
	return out
}
