package blob

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"
)

// The tags of Exif 2.32 that are read before all of it is left out (sections 4.6.3, 4.6.4 and 4.6.5).
const (
	tagOrientation = 0x0112 // how the camera was held
	tagExif        = 0x8769 // where the camera's own directory lies
	tagTaken       = 0x9003 // DateTimeOriginal, by the camera's clock
	tagOffset      = 0x9011 // OffsetTimeOriginal, of that clock from UTC
)

// camera is what a JPEG says of how and when it was taken.
type camera struct {
	turn  int       // 1 to 8; 1 where it says none that can be read
	taken time.Time // by its clock, written as if that were UTC where zoned is false; zero: it does not say
	zoned bool      // its clock's offset is known
}

// cameraOf reads what a JPEG says.
func cameraOf(b []byte) camera {
	for at := 2; at+4 <= len(b) && b[at] == 0xFF; {
		mark, size := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if mark == 0xDA || size < 2 || at+2+size > len(b) { // the picture itself begins
			break
		}
		if body := b[at+4 : at+2+size]; mark == 0xE1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return fromTIFF(body[6:])
		}
		at += 2 + size
	}
	return camera{turn: 1}
}

// tiff is a TIFF as Exif uses it: directories of entries of twelve bytes.
type tiff struct {
	bytes []byte
	order binary.ByteOrder
}

// each visits the entries of a directory that lie within the bytes.
func (t tiff) each(at int64, visit func(tag uint16, entry []byte)) {
	if at < 0 || at+2 > int64(len(t.bytes)) {
		return
	}
	for i := range int64(t.order.Uint16(t.bytes[at:])) {
		from := at + 2 + 12*i
		if from+12 > int64(len(t.bytes)) {
			return
		}
		visit(t.order.Uint16(t.bytes[from:]), t.bytes[from:from+12])
	}
}

// text of an ASCII entry, which lies elsewhere where it is longer than four bytes.
func (t tiff) text(entry []byte) string {
	n, at := int64(t.order.Uint32(entry[4:])), int64(t.order.Uint32(entry[8:]))
	if t.order.Uint16(entry[2:]) != 2 || n <= 4 || n > 64 || at+n > int64(len(t.bytes)) {
		return ""
	}
	return strings.TrimRight(string(t.bytes[at:at+n]), "\x00 ")
}

// fromTIFF reads orientation and time from the first directory of a TIFF, and the one that it points to.
func fromTIFF(b []byte) camera {
	c := camera{turn: 1}
	if len(b) < 8 {
		return c
	}
	t := tiff{b, binary.BigEndian}
	if string(b[:2]) == "II" {
		t.order = binary.LittleEndian
	}
	var inner int64
	t.each(int64(t.order.Uint32(b[4:])), func(tag uint16, e []byte) {
		switch tag {
		case tagOrientation:
			if turn := int(t.order.Uint16(e[8:])); turn >= 1 && turn <= 8 {
				c.turn = turn
			}
		case tagExif:
			inner = int64(t.order.Uint32(e[8:]))
		}
	})
	if inner == 0 {
		return c
	}
	var taken, offset string
	t.each(inner, func(tag uint16, e []byte) {
		switch tag {
		case tagTaken:
			taken = t.text(e)
		case tagOffset:
			offset = t.text(e)
		}
	})
	const clock = "2006:01:02 15:04:05"
	if at, err := time.Parse(clock+"-07:00", taken+offset); err == nil {
		c.taken, c.zoned = at, true
	} else if at, err := time.Parse(clock, taken); err == nil {
		c.taken = at
	}
	return c
}

// in is when the picture was taken, its clock being one of a zone where it does not say; zero: it does not say when.
func (c camera) in(zone *time.Location) time.Time {
	if c.zoned || c.taken.IsZero() {
		return c.taken
	}
	t := c.taken
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
}
