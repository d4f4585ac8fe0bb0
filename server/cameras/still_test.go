package cameras

import (
	"bytes"
	"testing"
)

// scans is a JPEG of 2896 x 2896 grey points in so many scans, each of a few bytes that say that nothing changes.
func scans(n int) []byte {
	b := []byte("\xff\xd8" + "\xff\xc2\x00\x0b\x08\x0b\x50\x0b\x50\x01\x01\x11\x00" + "\xff\xdb\x00\x43\x00")
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	b = append(b, "\xff\xc4\x00\x14\x10\x01"...) // one code of one bit: a run of blocks without anything, whose length is in the next 14
	b = append(b, make([]byte, 15)...)
	b = append(b, 0xe0)
	for range n {
		b = append(b, "\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00"...)
		b = append(b, make([]byte, 16)...) // eight runs of 16,384 blocks
	}
	return append(b, "\xff\xd9"...)
}

// Each scan goes over all points: a file of 100 kB would take a processor for a minute, and the lane of those that are drawn up with it.
func TestAPictureOfManyScansIsRefused(t *testing.T) {
	if _, err := remade(scans(2)); err != nil {
		t.Fatalf("a few scans: %v", err)
	}
	if _, err := remade(scans(mostScans + 1)); err == nil {
		t.Error("as many scans as anybody likes were drawn up")
	}
}
