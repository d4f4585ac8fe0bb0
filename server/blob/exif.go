package blob

import (
	"bytes"
	"encoding/binary"
)

// tagOrientation is where a camera says how it was held (Exif 2.32, section 4.6.4).
const tagOrientation = 0x0112

// orientation of a JPEG, 1 to 8; 1 where it says none that can be read.
func orientation(b []byte) int {
	for at := 2; at+4 <= len(b) && b[at] == 0xFF; {
		mark, size := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if mark == 0xDA || size < 2 || at+2+size > len(b) { // the picture itself begins
			return 1
		}
		if body := b[at+4 : at+2+size]; mark == 0xE1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return fromTIFF(body[6:])
		}
		at += 2 + size
	}
	return 1
}

// fromTIFF reads the orientation from the first directory of a TIFF.
func fromTIFF(t []byte) int {
	if len(t) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(t[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(t[4:]))
	if at+2 > int64(len(t)) {
		return 1
	}
	for i := range int64(order.Uint16(t[at:])) {
		entry := at + 2 + 12*i
		if entry+12 > int64(len(t)) {
			return 1
		}
		if order.Uint16(t[entry:]) == tagOrientation {
			if turn := int(order.Uint16(t[entry+8:])); turn >= 1 && turn <= 8 {
				return turn
			}
			return 1
		}
	}
	return 1
}
