package walls

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
	"kentongan/server/wire"
)

// Bounds of what a wall is set to.
const (
	LeastDwell   = 5 // seconds
	MostDwell    = 600
	DefaultDwell = 20 // of a scene that says none
	MostTour     = 12 // scenes
	MostParts    = 16 // screens that are one picture
	MostHold     = 12 * time.Hour
	Lead         = 400 * time.Millisecond // until a change takes effect: on every wall at once, however its message travels
)

var partForm = regexp.MustCompile(`^([1-9][0-9]?)/([1-9][0-9]?)$`)

// Fault is what a wall may not be set to. Field is the JSON field at fault.
type Fault = fault.Fault

// Unset is a wall to which nobody has said anything.
func Unset(id, name, screen string) wire.Wall {
	return wire.Wall{ID: id, Name: name, Screen: screen, Scene: "normal", Tour: []string{}, Language: "id", TextScale: 1, DistanceM: 6, Sound: true}
}

// WallPatch is what an administrator changes of a wall; nil leaves as it is.
type WallPatch struct {
	Name      *string   `json:"name,omitempty" maxLength:"100"`
	Screen    *string   `json:"screen,omitempty" maxLength:"40"`
	Place     *string   `json:"place,omitempty" maxLength:"100"`
	Scene     *string   `json:"scene,omitempty" maxLength:"40"`
	Tour      *[]string `json:"tour,omitempty" maxItems:"12"`
	DwellS    *int      `json:"dwell_s,omitempty" doc:"0 (as long as each scene says), or 5 to 600"`
	Language  *string   `json:"language,omitempty" enum:"id,en"`
	TextScale *float64  `json:"text_scale,omitempty" doc:"0.5 to 4"`
	DistanceM *float64  `json:"distance_m,omitempty" doc:"1 to 60"`
	MmPerPx   *float64  `json:"mm_per_px,omitempty" doc:"0 (not known) to 20"`
	Part      *string   `json:"part,omitempty" maxLength:"5" doc:"2/4: the second of four screens that are one picture"`
	Sound     *bool     `json:"sound,omitempty"`
}

// Apply gives a wall as it is after a patch. Errors: *Fault.
func (p WallPatch) Apply(w wire.Wall, scenes Scenes, now time.Time) (wire.Wall, error) {
	set(&w.Name, p.Name)
	set(&w.Screen, p.Screen)
	set(&w.Place, p.Place)
	set(&w.Scene, p.Scene)
	set(&w.Tour, p.Tour)
	set(&w.DwellS, p.DwellS)
	set(&w.Language, p.Language)
	set(&w.TextScale, p.TextScale)
	set(&w.DistanceM, p.DistanceM)
	set(&w.MmPerPx, p.MmPerPx)
	set(&w.Part, p.Part)
	set(&w.Sound, p.Sound)
	w.Place, w.Tour = strings.TrimSpace(w.Place), orNone(w.Tour)
	if p.Tour != nil && p.Scene == nil {
		scenes.settle(&w)
	}
	w.ApplyAt, w.Version = moment.Of(now.Add(Lead)), newer(w.Version, now)
	return w, check(w, scenes)
}

// Chooses tells whether a patch says what a wall shows, which is a desk's.
func (p WallPatch) Chooses() bool { return p.Scene != nil || p.Tour != nil }

// Names tells whether a patch changes what the wall's device is called.
func (p WallPatch) Names(w wire.Wall) bool {
	return p.Name != nil && *p.Name != w.Name || p.Screen != nil && *p.Screen != w.Screen
}

// newer is the version after one: it goes on with the clock, so that what a store said before it was restored is never the newer one.
func newer(version int64, now time.Time) int64 { return max(version+1, now.UnixMilli()) }

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// check tells what of a wall's settings cannot be. Errors: *Fault.
func check(w wire.Wall, scenes Scenes) error {
	within := func(v, least, most float64) bool { return v >= least && v <= most && !math.IsNaN(v) }
	switch {
	case utf8.RuneCountInString(w.Place) > 100 || !utf8.ValidString(w.Place):
		return fault.At("place", fault.Long, 100, "want at most 100 letters")
	case !scenes.Has(w.Scene):
		return fault.At("scene", fault.OneOf, strings.Join(scenes.IDs(), ", "), "%.40q is none of %s", w.Scene, strings.Join(scenes.IDs(), ", "))
	case len(w.Tour) > MostTour:
		return fault.At("tour", fault.Long, MostTour, "at most %d scenes", MostTour)
	case len(w.Tour) == 1:
		return fault.At("tour", fault.Short, 2, "want two scenes or more, each once; none ends the tour")
	case repeated(w.Tour) != "":
		return fault.At("tour", fault.Twice, nil, "want two scenes or more, each once; none ends the tour")
	case w.DwellS != 0 && (w.DwellS < LeastDwell || w.DwellS > MostDwell):
		return fault.At("dwell_s", fault.Between, fault.Range{LeastDwell, MostDwell}, "want %d to %d, or 0: as long as each scene says", LeastDwell, MostDwell)
	case w.Language != "id" && w.Language != "en":
		return fault.At("language", fault.OneOf, "id, en", "want id or en")
	case !within(w.TextScale, 0.5, 4):
		return fault.At("text_scale", fault.Between, fault.Range{0.5, 4}, "want 0.5 to 4")
	case !within(w.DistanceM, 1, 60):
		return fault.At("distance_m", fault.Between, fault.Range{1, 60}, "want 1 to 60")
	case !within(w.MmPerPx, 0, 20):
		return fault.At("mm_per_px", fault.Between, fault.Range{0, 20}, "want 0, which is not known, to 20")
	case w.Part != "" && !validPart(w.Part):
		return fault.At("part", fault.Form, "2/4", "want which of how many screens, such as 2/4; at most %d", MostParts)
	}
	if i := slices.IndexFunc(w.Tour, func(id string) bool { return !scenes.Has(id) }); i >= 0 {
		return fault.At("tour", fault.OneOf, strings.Join(scenes.IDs(), ", "), "%.40q is none of %s", w.Tour[i], strings.Join(scenes.IDs(), ", "))
	}
	if a, b, found := scenes.mixed(w.Tour); found {
		return fault.At("tour", fault.Unasked, nil, "%s and %s do not hide and mark the same (redact, frame): what one hides the other would show", a, b)
	}
	return nil
}

func validPart(text string) bool {
	if !partForm.MatchString(text) {
		return false
	}
	var i, n int
	_, err := fmt.Sscanf(text, "%d/%d", &i, &n)
	return err == nil && i <= n && n >= 2 && n <= MostParts
}

// Steering is what a desk does to walls; nil leaves as it is. An empty focus, an empty tour and hold_minutes 0 end what there is.
type Steering struct {
	Walls       []string       `json:"walls" minItems:"1" maxItems:"200" doc:"Ids, or * alone: every one"`
	Scene       *string        `json:"scene,omitempty" maxLength:"40" doc:"It ends a tour and a view, unless they are given too"`
	Tour        *[]string      `json:"tour,omitempty" maxItems:"12"`
	Focus       *string        `json:"focus,omitempty" maxLength:"64" doc:"Id of an incident that a wall may show; empty: the worst one again"`
	View        *wire.WallView `json:"view,omitempty" doc:"A box of zeros: as the scene says"`
	HoldMinutes *int           `json:"hold_minutes,omitempty" doc:"0: released; at most 720"`
}

// All tells whether every wall is meant.
func (s Steering) All() bool { return len(s.Walls) == 1 && s.Walls[0] == "*" }

// Desk is who steers, when, and over which levels of the area.
type Desk struct {
	By      string // as walls name who holds them
	Levels  map[string]int
	Now, At time.Time // At: when it takes effect
}

// Apply gives a wall as it is after steering. What is chosen without a hold stays until a level rises; a hold has its own end, and who lets a wall
// go leaves it to the situation. Errors: *Fault.
func (s Steering) Apply(w wire.Wall, scenes Scenes, d Desk) (wire.Wall, error) {
	by, at, now := d.By, d.At, d.Now
	if s.Scene != nil || s.Tour != nil {
		w.Chosen = &wire.WallChoice{At: moment.Of(now), Levels: d.Levels}
	}
	if s.HoldMinutes != nil && (*s.HoldMinutes > 0 || s.Scene == nil && s.Tour == nil) {
		w.Chosen = nil
	}
	if s.Scene != nil {
		w.Scene, w.Tour, w.View = *s.Scene, []string{}, nil
	}
	set(&w.Tour, s.Tour)
	w.Tour = orNone(w.Tour)
	if s.Tour != nil && s.Scene == nil {
		scenes.settle(&w)
	}
	if s.Focus != nil {
		if w.Focus = s.Focus; *s.Focus == "" {
			w.Focus = nil
		}
	}
	if s.View != nil {
		switch b := s.View.Bbox; {
		case b == [4]float64{}:
			w.View = nil
		case !validBox(b):
			return w, fault.At("view", fault.Outside, nil, "want west, south, east, north in degrees")
		default:
			w.View = s.View
		}
	}
	if s.HoldMinutes != nil {
		hold := time.Duration(*s.HoldMinutes) * time.Minute
		switch {
		case *s.HoldMinutes < 0 || *s.HoldMinutes > int(MostHold/time.Minute):
			return w, fault.At("hold_minutes", fault.Between, fault.Range{0, MostHold.Minutes()}, "want 0 to %d", int(MostHold/time.Minute))
		case hold == 0:
			w.HeldBy, w.HeldUntil = "", moment.Time{}
		default:
			w.HeldBy, w.HeldUntil = by, moment.Of(now.Add(hold))
		}
	}
	w.ApplyAt, w.Version = moment.Of(at), newer(w.Version, now)
	return w, check(w, scenes)
}

func validBox(b [4]float64) bool {
	for i, most := range []float64{180, 90, 180, 90} {
		if !(math.Abs(b[i]) <= most) {
			return false
		}
	}
	return b[0] < b[2] && b[1] < b[3]
}
