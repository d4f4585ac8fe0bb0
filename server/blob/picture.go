package blob

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"time"
)

// Bounds of pictures. A picture is refused by what its head says before any of it is drawn up: 25 million points are 300 MB in the worst form of JPEG.
const (
	MostPoints = 25_000_000
	mostSide   = 2560 // of a picture as it is kept
	smallSide  = 320  // of its small form
	quality    = 85
)

// Faults of pictures: 422.
var (
	ErrBroken = errors.New("the picture cannot be read")
	ErrPoints = errors.New("the picture has too many points")
)

// Picture is a photo made anew: the points and nothing else, the right way up.
type Picture struct {
	Bytes, Small  []byte
	Mime          string // of both
	Width, Height int

	camera camera
}

// TakenIn is when the camera says that it took the picture: by the offset that it gives, else by a clock of the zone; zero: it does not say.
func (p Picture) TakenIn(zone *time.Location) time.Time { return p.camera.in(zone) }

// room lets one picture be made at a time: that bounds the memory of all of them.
type room chan struct{}

// Maker makes pictures anew, one at a time.
type Maker struct{ room room }

// NewMaker gives one.
func NewMaker() *Maker { return &Maker{make(room, 1)} }

// Picture makes a photo anew. Errors: ErrKind, ErrBroken, ErrPoints.
func (m *Maker) Picture(b []byte) (Picture, error) {
	is, err := Check(Photo, b)
	if err != nil {
		return Picture{}, err
	}
	head, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return Picture{}, fmt.Errorf("%w: it begins as %s: %w", ErrBroken, is, err)
	}
	if head.Width <= 0 || head.Height <= 0 || int64(head.Width)*int64(head.Height) > MostPoints {
		return Picture{}, fmt.Errorf("%w: %d x %d, at most %d million in all", ErrPoints, head.Width, head.Height, MostPoints/1_000_000)
	}
	m.room <- struct{}{}
	defer func() { <-m.room }()
	src, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return Picture{}, fmt.Errorf("%w: it begins as %s: %w", ErrBroken, is, err)
	}
	by := camera{turn: 1}
	if is == "image/jpeg" {
		by = cameraOf(b)
	}
	whole := upright(shrink(src, mostSide), by.turn)
	out := Picture{camera: by, Mime: is, Width: whole.Bounds().Dx(), Height: whole.Bounds().Dy()}
	if out.Bytes, err = encode(whole, is); err != nil {
		return Picture{}, err
	}
	out.Small, err = encode(shrink(whole, smallSide), is)
	return out, err
}

func encode(m image.Image, mime string) ([]byte, error) {
	var out bytes.Buffer
	var err error
	if mime == "image/png" {
		err = png.Encode(&out, m)
	} else {
		err = jpeg.Encode(&out, m, &jpeg.Options{Quality: quality})
	}
	if err != nil {
		return nil, fmt.Errorf("write a picture: %w", err)
	}
	return out.Bytes(), nil
}

// shrink gives a picture whose longer side is at most some points: each point is the mean of those that it stands for.
func shrink(src image.Image, most int) *image.RGBA {
	from := src.Bounds()
	w, h := from.Dx(), from.Dy()
	if long := max(w, h); long > most {
		w, h = max(1, w*most/long), max(1, h*most/long)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if w == from.Dx() && h == from.Dy() {
		draw.Draw(out, out.Bounds(), src, from.Min, draw.Src)
		return out
	}
	row := image.NewRGBA(image.Rect(0, 0, from.Dx(), 1))
	for y := range h {
		y0, y1 := y*from.Dy()/h, (y+1)*from.Dy()/h
		sum := make([][4]uint32, w)
		count := make([]uint32, w)
		for sy := y0; sy < y1; sy++ {
			draw.Draw(row, row.Bounds(), src, image.Pt(from.Min.X, from.Min.Y+sy), draw.Src)
			for x := range w {
				for sx := x * from.Dx() / w; sx < (x+1)*from.Dx()/w; sx++ {
					for c := range 4 {
						sum[x][c] += uint32(row.Pix[4*sx+c])
					}
					count[x]++
				}
			}
		}
		for x := range w {
			if n := count[x]; n > 0 {
				out.SetRGBA(x, y, color.RGBA{uint8(sum[x][0] / n), uint8(sum[x][1] / n), uint8(sum[x][2] / n), uint8(sum[x][3] / n)})
			}
		}
	}
	return out
}

// upright turns a picture by its orientation (Exif 2.32, tag 274): 1 is as it is, 5 to 8 change width and height.
func upright(m *image.RGBA, turn int) *image.RGBA {
	if turn < 2 || turn > 8 {
		return m
	}
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	ow, oh := w, h
	if turn >= 5 {
		ow, oh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, ow, oh))
	for y := range h {
		for x := range w {
			var ox, oy int
			switch turn {
			case 2:
				ox, oy = w-1-x, y
			case 3:
				ox, oy = w-1-x, h-1-y
			case 4:
				ox, oy = x, h-1-y
			case 5:
				ox, oy = y, x
			case 6:
				ox, oy = h-1-y, x
			case 7:
				ox, oy = h-1-y, w-1-x
			case 8:
				ox, oy = y, w-1-x
			}
			out.SetRGBA(ox, oy, m.RGBAAt(x, y))
		}
	}
	return out
}
