// Package walls is the big screens as a fleet: scenes as data, what each wall is set to, and steering several of them in one step.
//
// A scene is a layout of a map and of tiles, and knows nothing of how it is drawn. A wall is a device (server/devices) with settings; what
// it reports of itself is kept beside them with its time. A screen that a person opens has no settings that are kept.
package walls

import (
	"slices"
	"strings"

	"kentongan/server/wire"
)

// Scene is one layout of a wall (domain.md section 9). The first seven fields are what stands where, the rest how it behaves.
type Scene struct {
	ID   string            `yaml:"id" json:"id"`
	Name map[string]string `yaml:"name" json:"name" doc:"By language: id and en"`
	Map  *SceneMap         `yaml:"map" json:"map" doc:"null: tiles fill the screen"`
	Rail []string          `yaml:"rail" json:"rail" doc:"Tiles of the right column, from top to bottom"`
	Over []string          `yaml:"over" json:"over" doc:"Tiles over the map, on the side without open incidents"`
	Foot []string          `yaml:"foot" json:"foot" doc:"Tiles of the lower edge"`

	When    *SceneWhen `yaml:"when" json:"when" doc:"null: it never comes by itself"`
	Frame   string     `yaml:"frame" json:"frame,omitempty" doc:"exercise: the purple frame LATIHAN stands on every screen"`
	Redact  []string   `yaml:"redact" json:"redact" doc:"police: units of police, all free text and every incident of another type are hidden, and the map names kinds that bear no unit"`
	Dim     float64    `yaml:"dim" json:"dim" doc:"How much darker than by day, 0 to 0.8"`
	Message bool       `yaml:"message" json:"message" doc:"One line of the scene's own stands above the picture"`
	DwellS  int        `yaml:"dwell_s" json:"dwell_s" doc:"Seconds that a tour stays here, where the wall says none of its own"`
}

// SceneMap is what the map of a scene shows.
type SceneMap struct {
	Fit    string   `yaml:"fit" json:"fit" enum:"incidents,area,focus" doc:"What the picture is cut to"`
	Layers []string `yaml:"layers" json:"layers" doc:"Kinds of Things; * is all that there are"`
	Types  []string `yaml:"types" json:"types" doc:"Types of incidents that are marked; none: every type"`
	Inset  bool     `yaml:"inset" json:"inset" doc:"A small map of the whole area stands beside the large one"`
}

// SceneWhen is what brings a scene by itself: only upward, and only where nobody holds the wall; else it is suggested.
type SceneWhen struct {
	Level   int      `yaml:"level" json:"level" doc:"Least status level of the area for one of the hazards"`
	Hazards []string `yaml:"hazards" json:"hazards" doc:"Of alerts/status; area: the area as a whole"`
}

// Limits of domain.md section 9: what a person takes in at a glance.
const (
	MostTiles  = 5 // of rail and over together
	MostFoot   = 5
	MostLayers = 8
	MostScenes = 40
)

// Tiles lists the tiles that screens can draw, by id.
func Tiles() []string {
	return []string{"focus", "list", "units", "cameras", "gauges", "rain", "quakes", "volcano", "weather", "roads", "notices", "duty", "level", "figures", "sources",
		"latency", "alarms", "hazard"}
}

// Scenes are those of a house, in the order they are offered.
type Scenes []Scene

// Has tells whether there is a scene of this id.
func (s Scenes) Has(id string) bool {
	return slices.ContainsFunc(s, func(one Scene) bool { return one.ID == id })
}

// Guests tells whether visitors stand before a wall: the scene that it is set to hides something, or one of its tour does.
func (s Scenes) Guests(w wire.Wall) bool {
	return slices.ContainsFunc(s, func(one Scene) bool {
		return len(one.Redact) > 0 && (one.ID == w.Scene || slices.Contains(w.Tour, one.ID))
	})
}

// guard is what a scene hides and marks: scenes of one guard may follow each other by themselves.
func (s *Scene) guard() string {
	hidden := slices.Clone(s.Redact)
	slices.Sort(hidden)
	return strings.Join(slices.Compact(hidden), " ") + "/" + s.Frame
}

// mixed gives two scenes of a tour of which one hides or marks what the other shows bare; false: there are none.
func (s Scenes) mixed(tour []string) (first, other string, found bool) {
	at := -1
	for i := range s {
		if !slices.Contains(tour, s[i].ID) {
			continue
		}
		if at < 0 {
			at = i
		} else if s[at].guard() != s[i].guard() {
			return s[at].ID, s[i].ID, true
		}
	}
	return "", "", false
}

// settle lets a tour that a person has chosen begin where the scene that stood hides or marks something else: a wall leaves such a scene by a
// person's word alone, and this is one.
func (s Scenes) settle(w *wire.Wall) {
	guard := func(id string) string {
		if i := slices.IndexFunc(s, func(one Scene) bool { return one.ID == id }); i >= 0 {
			return s[i].guard()
		}
		return "/"
	}
	if len(w.Tour) > 0 && s.Has(w.Tour[0]) && guard(w.Scene) != guard(w.Tour[0]) {
		w.Scene = w.Tour[0]
	}
}

// mend takes out of a wall's tour what has left the house's file, and what an older server let stand beside scenes that hide or mark: those that
// do stay. Of one scene that is left there is no tour; one that hides or marks is shown then.
func (s Scenes) mend(w *wire.Wall) {
	w.Tour = slices.DeleteFunc(orNone(w.Tour), func(id string) bool { return !s.Has(id) })
	if _, _, found := s.mixed(w.Tour); found {
		guard := ""
		for _, id := range w.Tour {
			if i := slices.IndexFunc(s, func(one Scene) bool { return one.ID == id }); guard == "" && s[i].guard() != "/" {
				guard = s[i].guard()
			}
		}
		w.Tour = slices.DeleteFunc(w.Tour, func(id string) bool {
			return !slices.ContainsFunc(s, func(one Scene) bool { return one.ID == id && one.guard() == guard })
		})
		if len(w.Tour) == 1 {
			w.Scene = w.Tour[0]
		}
	}
	if len(w.Tour) == 1 {
		w.Tour = []string{}
	}
}

// IDs lists the scenes by id.
func (s Scenes) IDs() []string {
	out := make([]string, len(s))
	for i := range s {
		out[i] = s[i].ID
	}
	return out
}
