package simulator

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"time"

	"kentongan/geo"
)

// Camera is a simulated camera. Its Thing's native id is ID.
type Camera struct {
	ID       string
	Name     string
	Position geo.Position
	Every    time.Duration
}

// placeCamera stands cameras at the gauges, on bridges, and then in the towns.
func (c *City) placeCamera(t *thing, i int) {
	t.id = fmt.Sprintf("cctv-%03d", i+1)
	if i%2 == 0 && i/2 < c.number[riverGauge] {
		gauge := &c.things[c.first[riverGauge]+i/2]
		t.line, t.km, t.extra = gauge.line, gauge.km, 1
		t.pos, t.name = moved(gauge.pos, 0.03, 0.02), "CCTV "+gauge.name
		return
	}
	town := c.land.towns[i/2%len(c.land.towns)]
	t.pos, t.name = moved(town.Position, bell(hash(t.seed, 2))*0.3, bell(hash(t.seed, 3))*0.3), "CCTV "+town.Name
	if round := i / 2 / len(c.land.towns); round > 0 {
		t.name = fmt.Sprintf("%s %d", t.name, round+1)
	}
}

// blind tells a camera that gives no picture: one in thirty is broken for days at a time, and a cut of power takes those around.
func (c *City) blind(t *thing, ms int64) bool {
	return unit(hash(t.seed, uint64(c.day(ms)/5), 3)) < 1.0/30 || c.powerCut(t.pos, ms)
}

// Cameras lists the cameras of the city.
func (c *City) Cameras() []Camera {
	var out []Camera
	for _, t := range c.things[c.first[camera] : c.first[camera]+c.number[camera]] {
		out = append(out, Camera{t.id, t.name, t.pos, specs[camera].interval})
	}
	return out
}

// Size of a picture, in points, and of its letters.
const (
	stillWidth  = 640
	stillHeight = 360
	horizon     = 150
	letter      = 3
)

// Still draws what a camera of the city sees at a time, as PNG: the hour's light, the rain and the water of the model, and on it in words that it is
// simulated, where, and when. False: there is no such camera, or it gives no picture now.
func (c *City) Still(id string, at time.Time) ([]byte, bool) {
	ms := at.UnixMilli()
	for i := range c.things[c.first[camera]:] {
		t := &c.things[c.first[camera]+i]
		if t.id != id || c.blind(t, ms) {
			continue
		}
		s := newScene(c.sun(t.pos, ms))
		if t.extra > 0 {
			gauge := *t
			gauge.seed = c.things[c.first[riverGauge]+i/2].seed // the bed that the gauge has
			s.river(c.level(&gauge, ms))
		} else {
			s.street(t.seed, ms)
		}
		s.rain(t.seed, c.rain(t.pos, ms), ms)
		s.write(12, 12, "SIMULASI", true)
		s.write(12, stillHeight-34, t.name, false)
		s.write(12, 46, at.In(c.city.Zone).Format("2006-01-02 15:04:05"), false) // the right is where screens write a picture's age
		var out bytes.Buffer
		if png.Encode(&out, s.points) != nil {
			return nil, false
		}
		return out.Bytes(), true
	}
	return nil, false
}

// scene is a picture that is being drawn, of few colours.
type scene struct {
	points *image.Paletted
	light  float64 // 0 night to 1 day
}

// The colours of a scene by their place in its palette. Sky takes skyShades of them.
const (
	black uint8 = iota
	white
	amber
	hill
	bank
	water
	foam
	tarmac
	wall
	wall2
	window
	streak
	sky
	skyShades = 16
)

func newScene(sun float64) *scene {
	light := min(1, max(0, (sun+6)/14))
	lit := func(r, g, b float64) color.Color {
		dim := 0.14 + 0.86*light
		return color.RGBA{uint8(r * dim), uint8(g * dim), uint8(b * (dim + 0.06*(1-light))), 255}
	}
	p := color.Palette{black: color.Black, white: color.White, amber: color.RGBA{255, 176, 0, 255}, hill: lit(58, 84, 70), bank: lit(86, 98, 66), water: lit(122, 96, 66), foam: lit(168, 148, 120),
		tarmac: lit(84, 86, 90), wall: lit(150, 140, 126), wall2: lit(120, 118, 124), window: lit(70, 84, 100), streak: lit(196, 204, 212)}
	if light < 0.4 {
		p[window] = color.RGBA{236, 200, 120, 255}
	}
	for i := range skyShades {
		x := float64(i) / (skyShades - 1)
		p = append(p, lit(120+80*x, 150+50*x, 190+20*x))
	}
	s := &scene{image.NewPaletted(image.Rect(0, 0, stillWidth, stillHeight), p), light}
	for y := range horizon {
		s.fill(0, y, stillWidth, 1, sky+uint8(y*skyShades/horizon))
	}
	for x := range stillWidth {
		h := 34 + 22*math.Sin(float64(x)/83) + 12*math.Sin(float64(x)/31+1)
		s.fill(x, horizon-int(h), 1, int(h), hill)
	}
	s.fill(0, horizon, stillWidth, stillHeight-horizon, bank)
	return s
}

func (s *scene) fill(x, y, w, h int, c uint8) {
	r := image.Rect(x, y, x+w, y+h).Intersect(s.points.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := s.points.Pix[s.points.PixOffset(r.Min.X, y):]
		for x := range r.Dx() {
			row[x] = c
		}
	}
}

// river draws water that fills its bed with the level in metres, and a staff that shows it.
func (s *scene) river(level float64) {
	full := min(1, max(0.08, level/6))
	for y := horizon; y < stillHeight; y++ {
		depth := float64(y-horizon) / (stillHeight - horizon)
		half := int((22 + 250*depth) * (0.35 + 0.9*full))
		s.fill(stillWidth/2-half, y, 2*half, 1, water)
		if y%9 == 0 {
			s.fill(stillWidth/2-half+int(40*depth), y, half/3, 1, foam)
		}
	}
	const foot, metre = stillHeight - 50, 34
	s.fill(520, foot-6*metre, 16, 6*metre, white)
	for m := range 6 {
		s.fill(520, foot-m*metre, 16, 3, black)
		s.write(542, foot-m*metre-10, fmt.Sprint(m), false)
	}
	top := foot - int(min(6, max(0, level))*metre)
	s.fill(508, top, 40, stillHeight-top-40, water)
	s.fill(508, top, 40, 3, foam)
}

// street draws houses along a road with what drives there.
func (s *scene) street(seed uint64, ms int64) {
	for i := range 9 {
		h := int(within(hash(seed, uint64(i), 1), 60, 150))
		x := i*72 - 4
		s.fill(x, 230-h, 66, h, wall+uint8(i%2))
		for row := 0; row*24 < h-24; row++ {
			for col := range 3 {
				if unit(hash(seed, uint64(i), uint64(row), uint64(col))) < 0.35+0.65*s.light {
					s.fill(x+8+col*20, 230-h+10+row*24, 11, 13, window)
				}
			}
		}
	}
	s.fill(0, 230, stillWidth, stillHeight-230, tarmac)
	for x := 0; x < stillWidth; x += 64 {
		s.fill(x, 288, 34, 4, white)
	}
	for i := range 3 {
		speed := within(hash(seed, uint64(i), 7), 20, 60) // points in a second
		x := int(math.Mod(float64(ms%dayMS)/1000*speed+float64(i)*230, stillWidth+80)) - 80
		s.fill(x, 250+i*30, 62, 22, wall)
		s.fill(x+44, 254+i*30, 12, 8, window)
	}
}

// rain draws as many streaks as it rains, mm/h.
func (s *scene) rain(seed uint64, rate float64, ms int64) {
	for i := range min(600, int(rate*14)) {
		h := hash(seed, uint64(ms), uint64(i))
		x, y := int(within(h, 0, stillWidth)), int(within(hash(h, 1), 0, stillHeight))
		for k := range 11 {
			s.fill(x-k/3, y+k, 1, 1, streak)
		}
	}
}

// write sets a line of letters on a dark ground; loud ones on amber. What the letters do not have is left out.
func (s *scene) write(x, y int, text string, loud bool) {
	ground, ink := black, white
	if loud {
		ground, ink = amber, black
	}
	text = strings.ToUpper(text)
	if most := (stillWidth - 2*12) / (6 * letter); len(text) > most {
		text = text[:most]
	}
	s.fill(x-4, y-4, len(text)*6*letter+5, 7*letter+8, ground)
	for i := range len(text) {
		glyph, ok := letters[text[i]]
		if !ok {
			continue
		}
		for col, bits := range glyph {
			for row := range 7 {
				if bits>>row&1 == 1 {
					s.fill(x+(i*6+col)*letter, y+row*letter, letter, letter, ink)
				}
			}
		}
	}
}

// letters are five columns of seven points, the lowest bit on top, as character displays have them.
var letters = map[byte][5]uint8{
	'0': {0x3e, 0x51, 0x49, 0x45, 0x3e}, '1': {0x00, 0x42, 0x7f, 0x40, 0x00}, '2': {0x42, 0x61, 0x51, 0x49, 0x46}, '3': {0x21, 0x41, 0x45, 0x4b, 0x31}, '4': {0x18, 0x14, 0x12, 0x7f, 0x10},
	'5': {0x27, 0x45, 0x45, 0x45, 0x39}, '6': {0x3c, 0x4a, 0x49, 0x49, 0x30}, '7': {0x01, 0x71, 0x09, 0x05, 0x03}, '8': {0x36, 0x49, 0x49, 0x49, 0x36}, '9': {0x06, 0x49, 0x49, 0x29, 0x1e},
	'A': {0x7e, 0x11, 0x11, 0x11, 0x7e}, 'B': {0x7f, 0x49, 0x49, 0x49, 0x36}, 'C': {0x3e, 0x41, 0x41, 0x41, 0x22}, 'D': {0x7f, 0x41, 0x41, 0x22, 0x1c}, 'E': {0x7f, 0x49, 0x49, 0x49, 0x41},
	'F': {0x7f, 0x09, 0x09, 0x09, 0x01}, 'G': {0x3e, 0x41, 0x49, 0x49, 0x7a}, 'H': {0x7f, 0x08, 0x08, 0x08, 0x7f}, 'I': {0x00, 0x41, 0x7f, 0x41, 0x00}, 'J': {0x20, 0x40, 0x41, 0x3f, 0x01},
	'K': {0x7f, 0x08, 0x14, 0x22, 0x41}, 'L': {0x7f, 0x40, 0x40, 0x40, 0x40}, 'M': {0x7f, 0x02, 0x0c, 0x02, 0x7f}, 'N': {0x7f, 0x04, 0x08, 0x10, 0x7f}, 'O': {0x3e, 0x41, 0x41, 0x41, 0x3e},
	'P': {0x7f, 0x09, 0x09, 0x09, 0x06}, 'Q': {0x3e, 0x41, 0x51, 0x21, 0x5e}, 'R': {0x7f, 0x09, 0x19, 0x29, 0x46}, 'S': {0x46, 0x49, 0x49, 0x49, 0x31}, 'T': {0x01, 0x01, 0x7f, 0x01, 0x01},
	'U': {0x3f, 0x40, 0x40, 0x40, 0x3f}, 'V': {0x1f, 0x20, 0x40, 0x20, 0x1f}, 'W': {0x3f, 0x40, 0x38, 0x40, 0x3f}, 'X': {0x63, 0x14, 0x08, 0x14, 0x63}, 'Y': {0x07, 0x08, 0x70, 0x08, 0x07},
	'Z': {0x61, 0x51, 0x49, 0x45, 0x43}, ':': {0x00, 0x36, 0x36, 0x00, 0x00}, '.': {0x00, 0x60, 0x60, 0x00, 0x00}, '-': {0x08, 0x08, 0x08, 0x08, 0x08}, '/': {0x20, 0x10, 0x08, 0x04, 0x02},
}
