package blob

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// halves is a picture of 40 x 20 whose left half is red and whose right half is blue.
func halves() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 40, 20))
	for y := range 20 {
		for x := range 40 {
			c := color.RGBA{200, 0, 0, 255}
			if x >= 20 {
				c = color.RGBA{0, 0, 200, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

// held is it as a JPEG of a camera that says how it was held, and where.
func held(t *testing.T, turn uint16) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, halves(), nil); err != nil {
		t.Fatal(err)
	}
	exif := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00GPS-0.83,100.63")
	binary.LittleEndian.PutUint16(exif[6+8+2+8:], turn)
	head := binary.BigEndian.AppendUint16([]byte{0xFF, 0xD8, 0xFF, 0xE1}, uint16(len(exif)+2))
	return append(append(head, exif...), out.Bytes()[2:]...)
}

// What a camera says beside the picture is gone, and the picture stands upright.
func TestAPhotoIsMadeAnewUpright(t *testing.T) {
	for turn, want := range map[uint16]struct {
		w, h     int
		red, blu image.Point
	}{1: {40, 20, image.Pt(5, 10), image.Pt(35, 10)}, 3: {40, 20, image.Pt(35, 10), image.Pt(5, 10)}, 6: {20, 40, image.Pt(10, 5), image.Pt(10, 35)}, 8: {20, 40, image.Pt(10, 35), image.Pt(10, 5)}} {
		p, err := NewMaker().Picture(held(t, turn))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(p.Bytes, []byte("GPS")) || bytes.Contains(p.Bytes, []byte("Exif")) || p.Width != want.w || p.Height != want.h || p.Mime != "image/jpeg" {
			t.Errorf("turn %d: %d x %d %s", turn, p.Width, p.Height, p.Mime)
		}
		m, err := jpeg.Decode(bytes.NewReader(p.Bytes))
		if err != nil {
			t.Fatal(err)
		}
		if r, _, b, _ := m.At(want.red.X, want.red.Y).RGBA(); r < b {
			t.Errorf("turn %d: no red at %v", turn, want.red)
		}
		if r, _, b, _ := m.At(want.blu.X, want.blu.Y).RGBA(); b < r {
			t.Errorf("turn %d: no blue at %v", turn, want.blu)
		}
	}
}

// dated is a TIFF whose camera says when, and perhaps by which offset.
func dated(taken, offset string) []byte {
	order := binary.BigEndian
	entry := func(b []byte, tag, kind uint16, n, value int) []byte {
		b = order.AppendUint16(order.AppendUint16(b, tag), kind)
		return order.AppendUint32(order.AppendUint32(b, uint32(n)), uint32(value))
	}
	b := append([]byte("MM\x00*"), 0, 0, 0, 8, 0, 1)
	b = entry(b, 0x8769, 4, 1, 26)
	b = append(b, 0, 0, 0, 0, 0, 2) // no directory after it; two entries
	at := len(b) + 24
	b = entry(b, 0x9003, 2, len(taken)+1, at)
	b = entry(b, 0x9011, 2, len(offset)+1, at+len(taken)+1)
	return append(append(append(b, taken...), 0), append([]byte(offset), 0)...)
}

// When a photo was taken is what its camera says, in the zone of its own or of the house; what cannot be read says nothing, and no bytes are a fault.
func TestWhenACameraTookIt(t *testing.T) {
	wib := time.FixedZone("WIB", 7*3600)
	for name, c := range map[string]struct {
		tiff []byte
		want string
	}{
		"by its offset":  {dated("2026:11:27 08:30:00", "+09:00"), "2026-11-26T23:30:00Z"},
		"by the house's": {dated("2026:11:27 08:30:00", ""), "2026-11-27T01:30:00Z"},
		"a bad offset":   {dated("2026:11:27 08:30:00", "WIB"), "2026-11-27T01:30:00Z"},
		"no time":        {dated("    :  :     :  :  ", ""), ""},
		"nothing":        {nil, ""},
	} {
		got := fromTIFF(c.tiff).in(wib)
		if want, _ := time.Parse(time.RFC3339, c.want); !got.Equal(want) {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
		for n := range c.tiff {
			fromTIFF(c.tiff[:n])
		}
	}
}

// A large picture is kept smaller, its small form smaller still.
func TestALargePictureShrinks(t *testing.T) {
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 3000, 150))); err != nil {
		t.Fatal(err)
	}
	p, err := NewMaker().Picture(out.Bytes())
	if err != nil || p.Width != mostSide || p.Height != 128 || p.Mime != "image/png" {
		t.Fatalf("%d x %d, %v", p.Width, p.Height, err)
	}
	if small, err := png.DecodeConfig(bytes.NewReader(p.Small)); err != nil || small.Width != smallSide || small.Height != 16 {
		t.Errorf("%+v %v", small, err)
	}
}

// What is no photo is told what it is, and what would fill the memory is refused by its head.
func TestWhatIsNoPhotoIsRefused(t *testing.T) {
	bomb := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x01\x86\xa0\x00\x01\x86\xa0\x08\x02\x00\x00\x00")
	bomb = binary.BigEndian.AppendUint32(bomb, crc32.ChecksumIEEE(bomb[12:]))
	for name, c := range map[string]struct {
		b    []byte
		want error
		is   string
	}{
		"script":    {[]byte("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), ErrKind, "text/"},
		"page":      {[]byte("<!DOCTYPE html><html>"), ErrKind, "text/html"},
		"gif":       {[]byte("GIF89a...."), ErrKind, "image/gif"},
		"heic":      {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), ErrKind, "image/heic"},
		"nothing":   {nil, ErrKind, "text/plain"},
		"cut short": {held(t, 1)[:300], ErrBroken, "image/jpeg"},
		"bomb":      {bomb, ErrPoints, "100000 x 100000"},
	} {
		if _, err := NewMaker().Picture(c.b); !errors.Is(err, c.want) || !bytes.Contains([]byte(err.Error()), []byte(c.is)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for kind, b := range map[string][]byte{Audio: []byte("OggS\x00\x02"), File: []byte("%PDF-1.7\n")} {
		if _, err := Check(kind, b); err != nil {
			t.Error(err)
		}
		if _, err := Check(Photo, b); !errors.Is(err, ErrKind) {
			t.Error(err)
		}
	}
}

func TestOrientationSurvivesAnything(t *testing.T) {
	whole := held(t, 6)
	for n := range 80 {
		if turn := cameraOf(whole[:n]).turn; turn != 1 && turn != 6 {
			t.Errorf("%d bytes: %d", n, turn)
		}
	}
}

// A file is there once, whole or not at all, within its room, and goes when nothing needs it.
func TestFilesAreKeptOnceAndSwept(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	open := func() *Store {
		t.Helper()
		s, err := Open(dir, 10, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	sum, err := s.Put([]byte("banjir"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Put([]byte("banjir")); err != nil || again != sum || s.used != 6 {
		t.Errorf("%s %v, %d bytes", again, err, s.used)
	}
	if _, err := s.Put([]byte("kebakaran")); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"", "../../etc/passwd", Sum([]byte("x"))} {
		if _, err := s.Get(name); !errors.Is(err, ErrNotHere) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, sum[:2], "new-1"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open()
	if b, err := s.Get(sum); err != nil || string(b) != "banjir" || s.used != 6 {
		t.Errorf("%q %v, %d bytes", b, err, s.used)
	}
	now = now.Add(2 * time.Hour)
	for _, c := range []struct {
		needed map[string]bool
		older  time.Duration
		want   int
	}{{map[string]bool{sum: true}, time.Hour, 0}, {nil, 3 * time.Hour, 0}, {nil, time.Hour, 1}} {
		if n, err := s.Sweep(t.Context(), c.needed, c.older); err != nil || n != c.want {
			t.Errorf("%v: %d, %v", c, n, err)
		}
	}
	if _, err := s.Get(sum); !errors.Is(err, ErrNotHere) || s.used != 0 {
		t.Errorf("%v, %d bytes", err, s.used)
	}
}
