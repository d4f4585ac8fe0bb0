package walls

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/server/devices"
	"kentongan/server/strict"
	"kentongan/server/wire"
)

func TestTheHouseHasTenScenes(t *testing.T) {
	scenes, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(scenes.IDs(), " "); got != "normal flood quake volcano traffic event briefing exercise visitor night" {
		t.Errorf("scenes: %s", got)
	}
	b, err := json.Marshal(scenes)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse("again", fmt.Appendf(nil, `{"scenes":%s}`, b)); err != nil || fmt.Sprint(again.IDs()) != fmt.Sprint(scenes.IDs()) {
		t.Errorf("what is written cannot be read: %v", err)
	}
}

// one is a scene with one of its lines put in place of another.
func one(line string) string {
	return `{"scenes": [
{"id": "a", "name": {"id": "A", "en": "A"},
 "rail": ["list"],
 ` + line + `
}]}`
}

func TestAFaultyScene(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"unknown key":  {`"mapp": null`, "x.json:4:2: scenes[0].mapp: unknown key; did you mean map?"},
		"unknown tile": {`"over": ["camera"]`, `x.json:4:11: scenes[0].over[0]: "camera" is none of`},
		"too many":     {`"over": ["focus","units","rain","gauges","quakes"]`, "x.json:3:10: scenes[0].rail: 6 tiles with those over the map: at most 5"},
		"foot":         {`"foot": ["focus","units","rain","gauges","quakes","duty"]`, "x.json:4:10: scenes[0].foot: 6 tiles: at most 5"},
		"twice":        {`"foot": ["list"]`, "the tile list stands in it twice"},
		"layers":       {`"map": {"fit":"area","layers":["a","b","c","d","e","f","g","h","i"]}`, "scenes[0].map.layers: 9: at most 8"},
		"fit":          {`"map": {"fit":"everything"}`, `"everything" is none of incidents, area, focus`},
		"restricted":   {`"map": {"fit":"area","types":["corruption_tip"]}`, "corruption_tip is never shown on a wall"},
		"type":         {`"map": {"fit":"area","types":["floods"]}`, "did you mean flood?"},
		"hazard":       {`"when": {"level":2,"hazards":["dragon"]}`, `x.json:4:32: scenes[0].when.hazards[0]: "dragon" is none of area, flood`},
		"level":        {`"when": {"level":1,"hazards":["flood"]}`, "scenes[0].when.level: 1 is not 2 to 9"},
		"dim":          {`"dim": 1`, "1 is not 0 to 0.8"},
		"dwell":        {`"dwell_s": 2`, "2 is not 5 to 600"},
		"frame":        {`"frame": "gold"`, `"gold" is not exercise`},
		"redact":       {`"redact": ["fire"]`, `"fire" is not police`},
		"redact all":   {`"redact": ["police"], "map": {"fit":"area","layers":["*"]}`, `scenes[0].map.layers[0]: "*" may be a unit`},
		"redact unit":  {`"redact": ["police"], "map": {"fit":"area","layers":["river_gauge","phone"]}`, `scenes[0].map.layers[1]: "phone" may be a unit`},
		"redact seen":  {`"redact": ["police"], "over": ["cameras"]`, "cameras show faces and plates"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("x.json", []byte(one(c.line)))
			var faults strict.Faults
			if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAFileReplacesAndAdds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scenes.yaml")
	text := "scenes:\n  - {id: night, name: {id: Larut, en: Late}, rail: [list]}\n  - {id: market, name: {id: Pasar, en: Market}, rail: [weather]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	scenes, err := Load(file)
	if err != nil || len(scenes) != 11 || scenes[9].Name["en"] != "Late" || scenes[10].ID != "market" || scenes[10].DwellS != DefaultDwell || scenes[10].Over == nil {
		t.Errorf("%v %+v", err, scenes)
	}
	if _, err := Load(file + "x"); err == nil {
		t.Error("a file that is not there is read")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(builtIn)
	f.Add([]byte(one(`"dim": .nan`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		scenes, err := Parse("f", text)
		for _, s := range scenes {
			if err == nil && (len(s.Rail)+len(s.Over) > MostTiles || len(s.Foot) > MostFoot || s.Map != nil && len(s.Map.Layers) > MostLayers || s.DwellS < LeastDwell || !(s.Dim <= 0.8)) {
				t.Errorf("let through: %+v", s)
			}
		}
	})
}

func TestATourOfAnOlderServerIsMended(t *testing.T) {
	scenes, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tour, want []string
		scene      string
	}{
		{[]string{"normal", "flood"}, []string{"normal", "flood"}, "normal"},
		{[]string{"normal", "gone"}, []string{}, "normal"},
		{[]string{"normal", "visitor", "flood"}, []string{}, "visitor"},
		{nil, []string{}, "normal"},
	} {
		w := Unset("01", "wall", "")
		w.Tour = c.tour
		if scenes.mend(&w); !slices.Equal(w.Tour, c.want) || w.Scene != c.scene {
			t.Errorf("%v: %v, %s", c.tour, w.Tour, w.Scene)
		}
		if err := check(w, scenes); err != nil {
			t.Errorf("%v: %v", c.tour, err)
		}
	}
}

func TestSteering(t *testing.T) {
	scenes, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	text := func(s string) *string { return &s }
	num := func(n int) *int { return &n }
	desk := Desk{By: "Rina", Levels: map[string]int{"flood": 3}, Now: now, At: now.Add(Lead)}
	w := Unset("01", "wall", "utama")
	w.Tour = []string{"normal", "flood"}
	next, err := Steering{Scene: text("quake"), Focus: text("01J"), View: &wire.WallView{Bbox: [4]float64{100, -1, 101, 0}}, HoldMinutes: num(10)}.Apply(w, scenes, desk)
	if err != nil || next.Scene != "quake" || len(next.Tour) != 0 || *next.Focus != "01J" || next.View == nil || next.HeldBy != "Rina" || !next.HeldUntil.Equal(now.Add(10*time.Minute)) ||
		next.Version != now.UnixMilli() || !next.ApplyAt.Equal(now.Add(Lead)) {
		t.Errorf("%+v %v", next, err)
	}
	over, err := Steering{Focus: text(""), View: &wire.WallView{}, HoldMinutes: num(0)}.Apply(next, scenes, desk)
	if err != nil || over.Focus != nil || over.View != nil || over.HeldBy != "" || !over.HeldUntil.IsZero() || over.Scene != "quake" {
		t.Errorf("released: %+v %v", over, err)
	}
	chosen, err := Steering{Scene: text("briefing")}.Apply(next, scenes, desk)
	if err != nil || next.Chosen != nil || chosen.Chosen == nil || chosen.Chosen.Levels["flood"] != 3 || !chosen.Chosen.At.Equal(now) || chosen.Version <= next.Version {
		t.Errorf("chosen over a level: %+v %v", chosen, err)
	}
	if let, err := (Steering{HoldMinutes: num(0)}).Apply(chosen, scenes, desk); err != nil || let.Chosen != nil || let.Scene != "briefing" {
		t.Errorf("let go: %+v %v", let, err)
	}
	for field, s := range map[string]Steering{"scene": {Scene: text("party")}, "tour": {Tour: &[]string{"flood"}}, "view": {View: &wire.WallView{Bbox: [4]float64{1, 0, 0, 1}}}, "hold_minutes": {HoldMinutes: num(-1)}} {
		var f *Fault
		if _, err := s.Apply(w, scenes, desk); !errors.As(err, &f) || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	lobby := append(slices.Clone(scenes), Scene{ID: "lobby", Redact: []string{"police"}, Rail: []string{"level"}})
	for tour, want := range map[string]bool{
		"normal flood": true, "visitor lobby": true, "visitor normal": false, "exercise normal": false, "exercise visitor": false, "normal flood visitor": false,
	} {
		list := strings.Fields(tour)
		var f *Fault
		_, err := (WallPatch{Tour: &list}).Apply(w, lobby, now)
		if (err == nil) != want || err != nil && (!errors.As(err, &f) || f.Field != "tour" || !strings.Contains(f.Reason, "redact")) {
			t.Errorf("patch of tour %q: %v", tour, err)
		}
		if _, err := (Steering{Tour: &list}).Apply(w, lobby, desk); (err == nil) != want {
			t.Errorf("steering to tour %q: %v", tour, err)
		}
	}
	for scene, want := range map[string]string{"visitor": "flood", "exercise": "flood", "briefing": "briefing"} {
		set, list := w, []string{"flood", "quake"}
		set.Scene = scene
		steered, err := Steering{Tour: &list}.Apply(set, scenes, desk)
		if err != nil || steered.Scene != want || scenes.Guests(steered) {
			t.Errorf("a tour over %s: %s, %v", scene, steered.Scene, err)
		}
		if patched, err := (WallPatch{Tour: &list}).Apply(set, scenes, now); err != nil || patched.Scene != want {
			t.Errorf("a tour set over %s: %s, %v", scene, patched.Scene, err)
		}
		list = []string{}
		if ended, err := (Steering{Tour: &list}).Apply(set, scenes, desk); err != nil || ended.Scene != scene {
			t.Errorf("no tour over %s: %s, %v", scene, ended.Scene, err)
		}
	}
	for part, want := range map[string]bool{"": true, "2/4": true, "16/16": true, "5/4": false, "1/1": false, "1/17": false, "a/b": false} {
		if _, err := (WallPatch{Part: &part}).Apply(w, scenes, now); (err == nil) != want {
			t.Errorf("part %q: %v", part, err)
		}
	}
}

// Visitors stand before a wall whose scene hides something, and before one whose tour comes to such a scene.
func TestWhoStandsBeforeAWall(t *testing.T) {
	scenes, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		wall wire.Wall
		want bool
	}{
		"normal":            {wire.Wall{Scene: "normal"}, false},
		"visitor":           {wire.Wall{Scene: "visitor"}, true},
		"a tour of theirs":  {wire.Wall{Scene: "normal", Tour: []string{"visitor", "tamu"}}, true},
		"a tour of others":  {wire.Wall{Scene: "normal", Tour: []string{"normal", "flood"}}, false},
		"a scene that left": {wire.Wall{Scene: "gone"}, false},
	} {
		if got := scenes.Guests(c.wall); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

// One wall's settings that cannot be read stop no list, and show nobody more than guests may see.
func TestSettingsThatCannotBeRead(t *testing.T) {
	scenes, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Deps{Scenes: scenes, Now: time.Now})
	for text, want := range map[string]string{"": "normal", `{"scene":"flood"}`: "flood", `{"scene":"flood","tour":`: "visitor", `{"scene":"flood","dwell_s":"long"}`: "visitor"} {
		w, err := s.settingsOf(t.Context(), devices.Device{ID: "a"}, text)
		if err != nil || w.Scene != want || w.ID != "a" || w.Language == "" {
			t.Errorf("%s: %+v, %v", text, w, err)
		}
	}
}

// Until somebody says how long scenes stay, each stays as long as it says itself; what was said can be taken back.
func TestHowLongScenesStay(t *testing.T) {
	scenes, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	w := Unset("a", "A", "a")
	if w.DwellS != 0 {
		t.Errorf("a new wall says %d", w.DwellS)
	}
	for _, c := range []struct {
		seconds int
		ok      bool
	}{{45, true}, {0, true}, {LeastDwell - 1, false}, {MostDwell + 1, false}, {-1, false}} {
		next, err := WallPatch{DwellS: &c.seconds}.Apply(w, scenes, time.Now())
		if (err == nil) != c.ok || c.ok && next.DwellS != c.seconds {
			t.Errorf("%d: %d, %v", c.seconds, next.DwellS, err)
		}
	}
}
