package walls

import (
	_ "embed"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"kentongan/alerts/incident"
	"kentongan/alerts/status"
	"kentongan/server/access"
	"kentongan/server/strict"
)

//go:embed scenes.json
var builtIn []byte

// mostBytes bounds a file of scenes.
const mostBytes = 256 << 10

const mostLevel = 9 // of an area's status

var (
	sceneForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	layerForm = regexp.MustCompile(`^(\*|[a-z][a-z0-9_]{0,62})$`)
)

// Load gives the scenes of a house: the built-in ones, and those of a file, which replace those of the same id and come after all others.
// Empty: the built-in ones alone. Errors: strict.Faults, each with its line; that the file cannot be read.
func Load(file string) (Scenes, error) {
	scenes, err := Parse("scenes.json", builtIn)
	if err != nil || file == "" {
		return scenes, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("scenes: %w", err)
	}
	own, err := Parse(file, text)
	if err != nil {
		return nil, err
	}
	for _, one := range own {
		if i := slices.IndexFunc(scenes, func(s Scene) bool { return s.ID == one.ID }); i >= 0 {
			scenes[i] = one
		} else {
			scenes = append(scenes, one)
		}
	}
	if len(scenes) > MostScenes {
		return nil, strict.Faults{{Source: file, Path: "scenes", Text: fmt.Sprintf("%d with those of the house: at most %d", len(scenes), MostScenes)}}
	}
	return scenes, nil
}

// Parse reads {"scenes": [...]}, as JSON or as YAML, and checks every scene. What a scene does not
// say has its default: no tiles, no map, 20 seconds. Errors: strict.Faults, every one at once, each with its line.
func Parse(source string, text []byte) (Scenes, error) {
	if len(text) > mostBytes {
		return nil, strict.Faults{{Source: source, Text: fmt.Sprintf("has %d bytes: at most %d", len(text), mostBytes)}}
	}
	var file struct {
		Scenes Scenes `yaml:"scenes"`
	}
	r := &reading{strict.New(source)}
	r.Read(text, &file)
	if len(file.Scenes) == 0 && len(r.Faults) == 0 {
		r.bad("scenes", "is empty")
	}
	if len(file.Scenes) > MostScenes {
		r.bad("scenes", "%d: at most %d", len(file.Scenes), MostScenes)
	}
	seen := map[string]bool{}
	for i := range file.Scenes {
		s, path := &file.Scenes[i], fmt.Sprintf("scenes[%d]", i)
		if seen[s.ID] {
			r.bad(path+".id", "%q is the scene above as well", s.ID)
		}
		seen[s.ID] = true
		r.scene(s, path)
	}
	if len(r.Faults) > 0 {
		return nil, r.Faults.Sorted()
	}
	return file.Scenes, nil
}

// reading is one file on its way from bytes to scenes.
type reading struct{ *strict.Reader }

// bad reports a value, unless the reader could not read it and has said so.
func (r *reading) bad(path, format string, args ...any) {
	if r.Faulty(path) {
		return
	}
	at := r.Locate(path)
	r.Faults = append(r.Faults, strict.Fault{Source: r.Source, Line: max(at.Line, 1), Column: max(at.Column, 1), Path: path, Text: fmt.Sprintf(format, args...)})
}

func (r *reading) scene(s *Scene, path string) {
	if !sceneForm.MatchString(s.ID) {
		r.bad(path+".id", "%.60q is not small letters, digits and hyphens", s.ID)
	}
	for _, lang := range []string{"id", "en"} {
		if n := len([]rune(s.Name[lang])); n < 1 || n > 40 || strings.TrimSpace(s.Name[lang]) == "" {
			r.bad(path+".name", "want %s: 1 to 40 letters", lang)
		}
	}
	r.tiles(path+".rail", &s.Rail)
	r.tiles(path+".over", &s.Over)
	r.tiles(path+".foot", &s.Foot)
	if n := len(s.Rail) + len(s.Over); n > MostTiles {
		r.bad(path+".rail", "%d tiles with those over the map: at most %d", n, MostTiles)
	}
	if len(s.Foot) > MostFoot {
		r.bad(path+".foot", "%d tiles: at most %d", len(s.Foot), MostFoot)
	}
	if twice := repeated(slices.Concat(s.Rail, s.Over, s.Foot)); twice != "" {
		r.bad(path, "the tile %s stands in it twice", twice)
	}
	switch {
	case s.Map != nil:
		r.maps(s.Map, path+".map")
	case len(s.Rail)+len(s.Over) == 0:
		r.bad(path, "has neither a map nor tiles")
	}
	if s.When != nil {
		r.when(s.When, path+".when")
	}
	if s.Frame != "" && s.Frame != "exercise" {
		r.bad(path+".frame", "%.40q is not exercise", s.Frame)
	}
	s.Redact = orNone(s.Redact)
	for i, slug := range s.Redact {
		if slug != "police" {
			r.bad(fmt.Sprintf("%s.redact[%d]", path, i), "%.40q is not police", slug)
		}
	}
	if len(s.Redact) > 0 && s.Map != nil {
		for i, l := range s.Map.Layers {
			if !access.Open(l) {
				r.bad(fmt.Sprintf("%s.map.layers[%d]", path, i), "%.60q may be a unit: a scene with redact draws only %s", l, strings.Join(access.OpenKinds(), ", "))
			}
		}
	}
	if len(s.Redact) > 0 {
		tiles := slices.Concat(s.Rail, s.Over, s.Foot)
		if slices.Contains(tiles, "cameras") {
			r.bad(path, "cameras show faces and plates: not in a scene with redact")
		}
		for _, id := range []string{"units", "duty"} {
			if slices.Contains(tiles, id) {
				r.bad(path, "the tile %s is of units, which a wall before visitors is not told of: not in a scene with redact", id)
			}
		}
	}
	if !(s.Dim >= 0 && s.Dim <= 0.8) {
		r.bad(path+".dim", "%v is not 0 to 0.8", s.Dim)
	}
	if s.DwellS == 0 && !r.Faulty(path+".dwell_s") {
		s.DwellS = DefaultDwell
	}
	if s.DwellS < LeastDwell || s.DwellS > MostDwell {
		r.bad(path+".dwell_s", "%d is not %d to %d", s.DwellS, LeastDwell, MostDwell)
	}
}

func (r *reading) tiles(path string, list *[]string) {
	*list = orNone(*list)
	for i, id := range *list {
		r.oneOf(fmt.Sprintf("%s[%d]", path, i), id, Tiles())
	}
}

func (r *reading) maps(m *SceneMap, path string) {
	r.oneOf(path+".fit", m.Fit, []string{"incidents", "area", "focus"})
	m.Layers, m.Types = orNone(m.Layers), orNone(m.Types)
	if len(m.Layers) > MostLayers {
		r.bad(path+".layers", "%d: at most %d", len(m.Layers), MostLayers)
	}
	for i, l := range m.Layers {
		if !layerForm.MatchString(l) {
			r.bad(fmt.Sprintf("%s.layers[%d]", path, i), "%.60q is not a kind such as river_gauge, or *", l)
		}
	}
	for i, code := range m.Types {
		at := fmt.Sprintf("%s.types[%d]", path, i)
		switch t, known := incident.TypeOf(code); {
		case !known:
			r.oneOf(at, code, strings.Split(incident.Codes(), ", "))
		case t.Restricted:
			r.bad(at, "%s is never shown on a wall", code)
		}
	}
}

func (r *reading) when(w *SceneWhen, path string) {
	if w.Level < 2 || w.Level > mostLevel {
		r.bad(path+".level", "%d is not 2 to %d: a level that the area does not have never comes", w.Level, mostLevel)
	}
	if w.Hazards = orNone(w.Hazards); len(w.Hazards) == 0 {
		r.bad(path+".hazards", "names none")
	}
	for i, h := range w.Hazards {
		r.oneOf(fmt.Sprintf("%s.hazards[%d]", path, i), h, status.HazardCodes())
	}
}

// oneOf reports a word that is none of the known ones.
func (r *reading) oneOf(path, got string, known []string) {
	if slices.Contains(known, got) {
		return
	}
	hint := ""
	if near := strict.Nearest(got, known); near != "" {
		hint = "; did you mean " + near + "?"
	}
	r.bad(path, "%.60q is none of %s%s", got, strings.Join(known, ", "), hint)
}

// orNone makes a list that was not given one that is empty: on the wire it is [], never null.
func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// repeated gives a word that stands twice in a list; empty: none does.
func repeated(list []string) string {
	for i, one := range list {
		if slices.Contains(list[:i], one) {
			return one
		}
	}
	return ""
}
