package profile

import (
	"time"

	"kentongan/alerts/status"
	"kentongan/feeds/cap"
	"kentongan/geo"
)

// Text is words by language: {id: Siaga, en: Watch}.
type Text map[string]string

// Agency is an OPD or partner.
type Agency struct {
	Slug    string   `yaml:"slug" json:"slug"`
	Name    string   `yaml:"name" json:"name"`
	Names   Text     `yaml:"names" json:"names,omitempty"`
	Role    Text     `yaml:"role" json:"role,omitempty"`       // what it answers for
	ActsAs  []string `yaml:"acts_as" json:"acts_as,omitempty"` // slugs of the incident type table that it stands for here
	Hotline string   `yaml:"hotline" json:"hotline,omitempty"` // as people dial it
	Partner bool     `yaml:"partner" json:"partner,omitempty"` // no office of the regency itself
}

// Neighbour is another authority beside or inside ours.
type Neighbour struct {
	Slug      string            `yaml:"slug" json:"slug"`
	Name      string            `yaml:"name" json:"name"`
	Codes     map[string]string `yaml:"codes" json:"codes,omitempty"`
	Relation  string            `yaml:"relation" json:"relation"`                 // enclosed or borders
	Areas     []string          `yaml:"areas" json:"areas,omitempty"`             // codes of areas of kind neighbour
	Emergency string            `yaml:"emergency_number" json:"emergency_number"` // whom to call for a hand-over; empty: not known
	Note      Text              `yaml:"note" json:"note,omitempty"`
}

// Capability is what a unit can do.
type Capability struct {
	Code  string `yaml:"code" json:"code"`
	Names Text   `yaml:"names" json:"names"`
}

// Unit is a response team or vehicle as the roster lists it.
type Unit struct {
	Agency       string   `yaml:"agency" json:"agency"`
	CallSign     string   `yaml:"call_sign" json:"call_sign"`
	Name         string   `yaml:"name" json:"name"`
	Capabilities []string `yaml:"capabilities" json:"capabilities"`
	Post         Post     `yaml:"post" json:"post"`
	Example      bool     `yaml:"example" json:"example"` // made up for a demonstration: no such roster was published
}

// ID is the unit's identity, "bpbd/trc-1".
func (u Unit) ID() string { return u.Agency + "/" + u.CallSign }

// Post is where a unit waits.
type Post struct {
	Name string  `yaml:"name" json:"name"`
	Lat  float64 `yaml:"lat" json:"lat"`
	Lng  float64 `yaml:"lng" json:"lng"`
}

// Hazard is a place that is known to be dangerous.
type Hazard struct {
	Slug       string  `yaml:"slug" json:"slug"`
	Name       string  `yaml:"name" json:"name"`
	Kind       string  `yaml:"kind" json:"kind"` // volcano, fault, lake, road, landslide, flood, coast
	Lat        float64 `yaml:"lat" json:"lat"`
	Lng        float64 `yaml:"lng" json:"lng"`
	RadiusM    float64 `yaml:"radius_m" json:"radius_m"`
	ElevationM float64 `yaml:"elevation_m" json:"elevation_m,omitempty"`
	Neighbour  string  `yaml:"neighbour" json:"neighbour,omitempty"` // slug, where the place is not ours
	Note       Text    `yaml:"note" json:"note,omitempty"`
	Source     string  `yaml:"source" json:"source"` // "V: who says so", "G" general knowledge, "D" our default
}

// Position of the middle.
func (h Hazard) Position() geo.Position { return geo.Position{Lat: h.Lat, Lng: h.Lng} }

// hazardKinds are the kinds that screens have words for.
var hazardKinds = []string{"volcano", "fault", "lake", "road", "landslide", "flood", "coast"}

// Levels are the status of the area and the scales of others.
type Levels struct {
	Status      []Level       `yaml:"status" json:"status"`
	Scales      []Scale       `yaml:"scales" json:"scales"`             // with those that every house has
	StatusRules []status.Rule `yaml:"status_rules" json:"status_rules"` // that propose a level
	LowerAfter  time.Duration `yaml:"lower_after" json:"-"`             // how long less must have been found before a lower level is proposed
}

// Level is one status of the area (tingkat status), 1 the calmest.
type Level struct {
	Level  int                 `yaml:"level" json:"level"`
	Code   string              `yaml:"code" json:"code"`
	Names  Text                `yaml:"names" json:"names"`
	Colour string              `yaml:"colour" json:"colour"`
	Rules  map[string][]string `yaml:"rules" json:"rules,omitempty"`   // by language: the system suggests it when any holds
	SetBy  Text                `yaml:"set_by" json:"set_by,omitempty"` // who confirms it
}

// Scale is a scale of levels that somebody else publishes. Its steps run from the calmest to the worst, whatever they are called: river gates
// count downwards. A level is kept with its scale and only ever converted through this table.
type Scale struct {
	Scale     string `yaml:"scale" json:"scale"`
	Names     Text   `yaml:"names" json:"names"`
	Hazard    string `yaml:"hazard" json:"hazard,omitempty"` // that its steps are about: flood, volcano, weather …; empty: the area as a whole
	Direction string `yaml:"direction" json:"direction"`     // up: a higher numeral or later word is worse; down: I is the worst
	Steps     []Step `yaml:"steps" json:"steps"`
}

// Step is one level of another scale, with what it is in ours.
type Step struct {
	Code     string       `yaml:"code" json:"code"`
	Names    Text         `yaml:"names" json:"names"`
	Colour   string       `yaml:"colour" json:"colour,omitempty"`
	Severity cap.Severity `yaml:"severity" json:"severity,omitempty"` // empty: calm, it clears an alert
	Status   int          `yaml:"status" json:"status"`               // the least status of the area that it suggests
}

// Service is within how many minutes each class must be served.
type Service struct {
	DefaultZone string         `yaml:"default_zone" json:"default_zone,omitempty"`
	Zones       []ZoneName     `yaml:"zones" json:"zones,omitempty"`
	Classes     []ServiceClass `yaml:"classes" json:"classes,omitempty"`
}

// ZoneName names a zone of service: town, rural, remote.
type ZoneName struct {
	Code  string   `yaml:"code" json:"code"`
	Names Text     `yaml:"names" json:"names"`
	Areas []string `yaml:"areas" json:"areas,omitempty"` // codes of the areas that lie in it; all others lie in the default zone
}

// Checklist is what is done about every incident of some types, in its order.
type Checklist struct {
	Types []string    `yaml:"types" json:"types"`
	Lines []CheckLine `yaml:"lines" json:"lines"`
}

// CheckLine is one line of a checklist.
type CheckLine struct {
	Key   string `yaml:"key" json:"key"`
	Names Text   `yaml:"names" json:"names"`
}

// ServiceClass is a class of service; the clocks start at t_signal, figures are for the 90th percentile. Zero: no such step.
type ServiceClass struct {
	Code        string             `yaml:"code" json:"code"`
	Names       Text               `yaml:"names" json:"names"`
	AckMin      float64            `yaml:"ack_min" json:"ack_min,omitempty"`
	DispatchMin float64            `yaml:"dispatch_min" json:"dispatch_min,omitempty"`
	DecideMin   float64            `yaml:"decide_min" json:"decide_min,omitempty"`
	OnSceneMin  map[string]float64 `yaml:"on_scene_min" json:"on_scene_min,omitempty"` // by zone
	DoneMin     float64            `yaml:"done_min" json:"done_min,omitempty"`
}

// DefaultStatus are the four levels of domain.md section 3, without rules, for a profile that gives none.
func DefaultStatus() []Level {
	return []Level{
		{Level: 1, Code: "normal", Names: Text{"id": "Normal", "en": "Normal"}, Colour: "#5E7F6E"},
		{Level: 2, Code: "waspada", Names: Text{"id": "Waspada", "en": "Advisory"}, Colour: "#F0E442"},
		{Level: 3, Code: "siaga", Names: Text{"id": "Siaga", "en": "Watch"}, Colour: "#E69F00"},
		{Level: 4, Code: "awas", Names: Text{"id": "Awas", "en": "Warning"}, Colour: "#E5243B"},
	}
}
