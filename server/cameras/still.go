package cameras

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"

	"kentongan/feeds/bounded"
)

// Bounds of a picture. Its head is judged before any of it is drawn up.
const (
	mostPoints = 8_400_000 // 4K
	quality    = 80
	mostScans  = 100 // of a JPEG: each goes over all of its points anew, however few bytes it has, and cameras send some ten
)

// scan begins a scan of a JPEG; what is coded within one never holds it.
var scan = []byte("\xff\xda")

// remade makes a picture anew: its points and nothing else, so that neither what a camera writes beside them nor another file within the bytes
// reaches a browser. A picture that is cut short is no picture.
func remade(b []byte) ([]byte, error) {
	broken := func(text string, args ...any) error {
		return &bounded.Fault{Code: "picture", Text: fmt.Sprintf(text, args...)}
	}
	var read func([]byte) (image.Config, func() (image.Image, error), error)
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		read = func(b []byte) (image.Config, func() (image.Image, error), error) {
			head, err := jpeg.DecodeConfig(bytes.NewReader(b))
			return head, func() (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) }, err
		}
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		read = func(b []byte) (image.Config, func() (image.Image, error), error) {
			head, err := png.DecodeConfig(bytes.NewReader(b))
			return head, func() (image.Image, error) { return png.Decode(bytes.NewReader(b)) }, err
		}
	default:
		return nil, broken("the answer is neither JPEG nor PNG")
	}
	head, decode, err := read(b)
	if err != nil {
		return nil, broken("the picture cannot be read")
	}
	if head.Width <= 0 || head.Height <= 0 || int64(head.Width)*int64(head.Height) > mostPoints {
		return nil, broken("the picture has %d x %d points, more than %d in all", head.Width, head.Height, mostPoints)
	}
	if bytes.HasPrefix(b, []byte("\xff\xd8")) && bytes.Count(b, scan) > mostScans {
		return nil, broken("the picture has more than %d scans", mostScans)
	}
	points, err := decode()
	if err != nil {
		return nil, broken("the picture is cut short or broken")
	}
	if _, plain := points.(*image.YCbCr); !plain { // the encoder reads anything else point by point
		whole := image.NewRGBA(points.Bounds())
		draw.Draw(whole, whole.Bounds(), points, points.Bounds().Min, draw.Src)
		points = whole
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, points, &jpeg.Options{Quality: quality}); err != nil {
		return nil, broken("the picture cannot be made anew")
	}
	return out.Bytes(), nil
}
