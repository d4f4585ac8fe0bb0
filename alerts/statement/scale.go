package statement

import (
	"slices"
	"strings"
)

// Words are by language: {id: Siaga, en: Watch}.
type Words = map[string]string

// Scale is a scale of an authority. Its steps run from the calmest to the worst, whatever they are called: a river gate's IV is its
// calmest, a volcano's its worst.
type Scale struct {
	Code   string
	Hazard string // that its steps are about: volcano, flood, weather, road; empty: the area as a whole
	Names  Words
	Steps  []Step
}

// Step is one step of a scale.
type Step struct {
	Code   string
	Names  Words
	Status int // the least status level of the area that it is worth: the only way from one scale to another
}

// Scales are all that statements may be made in.
type Scales []Scale

// Find gives a scale by its code.
func (s Scales) Find(code string) (Scale, bool) {
	i := slices.IndexFunc(s, func(one Scale) bool { return one.Code == code })
	if i < 0 {
		return Scale{}, false
	}
	return s[i], true
}

// Rank is the place of a step in its scale, from 1, the calmest; 0: there is no such step. A step is known in any case, and with spaces.
func (s Scale) Rank(step string) int {
	want := strings.ReplaceAll(strings.TrimSpace(step), " ", "_")
	return slices.IndexFunc(s.Steps, func(t Step) bool { return strings.EqualFold(t.Code, want) }) + 1
}

// Codes lists the steps, for who named none of them.
func (s Scale) Codes() string {
	var out []string
	for _, t := range s.Steps {
		out = append(out, t.Code)
	}
	return strings.Join(out, ", ")
}

// The scales that every house has.
const (
	ScaleRoad       = "road"
	ScaleDecree     = "decree"
	ScaleEvacuation = "evacuation"
	ScaleCapacity   = "capacity"
)

// Steps of them that the rules of the area's status ask for.
const (
	RoadClosed        = "tertutup"
	EmergencyResponse = "tanggap_darurat" // the legal state, decreed by the head of the region
	EvacuationUnder   = "berlangsung"
	CapacityExceeded  = "terlampaui"
)

// House is the scales that every house has beside those of its profile: of roads; of legal disaster states, which have dates of their own
// (domain.md section 3); of evacuations and of the house's own resources, which nobody else publishes.
func House() Scales {
	return Scales{
		{Code: ScaleRoad, Hazard: "road", Names: Words{"id": "Keadaan jalan", "en": "State of a road"}, Steps: []Step{
			{"terbuka", Words{"id": "Terbuka", "en": "Open"}, 1}, {"satu_lajur", Words{"id": "Satu lajur", "en": "One lane"}, 1}, {RoadClosed, Words{"id": "Tertutup", "en": "Closed"}, 1}}},
		{Code: ScaleDecree, Names: Words{"id": "Status keadaan darurat (penetapan)", "en": "Legal disaster state (decree)"}, Steps: []Step{
			{"transisi_darurat", Words{"id": "Transisi darurat ke pemulihan", "en": "Transition to recovery"}, 1}, {"siaga_darurat", Words{"id": "Siaga darurat", "en": "Emergency standby"}, 1},
			{EmergencyResponse, Words{"id": "Tanggap darurat", "en": "Emergency response"}, 4}}},
		{Code: ScaleEvacuation, Names: Words{"id": "Pengungsian", "en": "Evacuation"}, Steps: []Step{
			{"tidak_ada", Words{"id": "Tidak ada", "en": "None"}, 1}, {EvacuationUnder, Words{"id": "Berlangsung", "en": "Under way"}, 4}}},
		{Code: ScaleCapacity, Names: Words{"id": "Sumber daya sendiri", "en": "Own resources"}, Steps: []Step{
			{"cukup", Words{"id": "Cukup", "en": "Sufficient"}, 1}, {CapacityExceeded, Words{"id": "Terlampaui", "en": "Exceeded"}, 4}}},
	}
}
