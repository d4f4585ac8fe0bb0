package geo

import (
	"fmt"
	"strconv"

	"github.com/uber/h3-go/v4"
)

// Cell is an H3 cell (https://h3geo.org); zero is no cell. Written as lower-case hex.
type Cell uint64

// Resolution is an H3 resolution, 0 (coarsest) to 15.
type Resolution int

// The resolutions in use, each with its reason. Index once at ResThing and derive the rest with Parent:
// the cell of a point at a coarser resolution is NOT always the parent of its finer cell.
const (
	ResThing Resolution = 10 // a Thing's own cell: about 65 m edge, the scale of a junction
	ResMatch Resolution = 9  // matching of evidence, and jurisdiction
	ResArea  Resolution = 8  // kecamatan, profiles
	ResFrame Resolution = 7  // one shared live frame, one bucket of the picture: about 5 km²
	ResShard Resolution = 6  // one Redis stream and one hash: about 36 km²
)

// CellAt gives the cell of a position; the position is checked first, since h3-go takes latitude 91 for a place.
func CellAt(p Position, r Resolution) (Cell, error) {
	if err := p.Validate(); err != nil {
		return 0, err
	}
	c, err := h3.LatLngToCell(h3.LatLng{Lat: p.Lat, Lng: p.Lng}, int(r))
	if err != nil {
		return 0, fmt.Errorf("cell of %v,%v at resolution %d: %w", p.Lat, p.Lng, r, err)
	}
	return Cell(c), nil
}

// ParseCell reads a cell from hex and checks that it is one.
func ParseCell(s string) (Cell, error) {
	v, err := strconv.ParseUint(s, 16, 64)
	if err != nil || !h3.Cell(v).IsValid() {
		return 0, fmt.Errorf("%q is not an H3 cell", s)
	}
	return Cell(v), nil
}

// String is lower-case hex; empty for no cell.
func (c Cell) String() string {
	if c == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(c), 16)
}

// MarshalText and UnmarshalText make a Cell travel as hex in JSON, YAML and as a map key.
func (c Cell) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads hex; empty is no cell.
func (c *Cell) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*c = 0
		return nil
	}
	v, err := ParseCell(string(b))
	*c = v
	return err
}

// Resolution of the cell, read off its bits.
func (c Cell) Resolution() Resolution { return Resolution(uint64(c) >> 52 & 0xf) }

// Parent is the ancestor at a coarser resolution, by bit arithmetic; the cell itself where r is not coarser.
func (c Cell) Parent(r Resolution) Cell {
	own := c.Resolution()
	if c == 0 || r >= own || r < 0 {
		return c
	}
	v := uint64(c)&^(0xf<<52) | uint64(r)<<52
	for d := r + 1; d <= own; d++ {
		v |= 7 << (3 * (15 - uint(d)))
	}
	return Cell(v)
}

// Center of the cell.
func (c Cell) Center() Position {
	ll, err := h3.Cell(c).LatLng()
	if err != nil {
		return Position{}
	}
	return Position{ll.Lat, ll.Lng}
}

// Boundary is the outline, counter-clockwise and not closed: 6 corners, 5 for a pentagon, more where an icosahedron edge crosses.
func (c Cell) Boundary() []Position {
	b, err := h3.Cell(c).Boundary()
	if err != nil {
		return nil
	}
	out := make([]Position, len(b))
	for i, ll := range b {
		out[i] = Position{ll.Lat, ll.Lng}
	}
	return out
}

// Disk is every cell within k steps, the cell itself included; near a pentagon it has fewer than 1+3k(k+1).
func (c Cell) Disk(k int) ([]Cell, error) {
	if !h3.Cell(c).IsValid() { // h3-go gives a disk around anything
		return nil, fmt.Errorf("disk of %x: not an H3 cell", uint64(c))
	}
	cs, err := h3.Cell(c).GridDisk(k)
	if err != nil {
		return nil, fmt.Errorf("disk of %s: %w", c, err)
	}
	out := make([]Cell, len(cs))
	for i, v := range cs {
		out[i] = Cell(v)
	}
	return out, nil
}
