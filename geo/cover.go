package geo

import (
	"fmt"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"github.com/uber/h3-go/v4"
)

// Corner names a corner of cells: the same number for all cells that meet there, however their outlines round it.
type Corner uint64

// Position of the corner.
func (v Corner) Position() Position {
	ll, err := h3.VertexToLatLng(h3.Vertex(v))
	if err != nil {
		return Position{}
	}
	return Position{ll.Lat, ll.Lng}
}

// Corners of the cell, counter-clockwise: 6, or 5 of a pentagon.
func (c Cell) Corners() ([]Corner, error) {
	vs, err := h3.Cell(c).Vertexes()
	if err != nil {
		return nil, fmt.Errorf("corners of %s: %w", c, err)
	}
	out := make([]Corner, len(vs))
	for i, v := range vs {
		out[i] = Corner(v)
	}
	return out, nil
}

// Expand writes cells of mixed resolutions as their descendants at r. A cell finer than r is an error.
func Expand(cells []Cell, r Resolution) ([]Cell, error) {
	out, err := h3.UncompactCells(toH3(cells), int(r))
	if err != nil {
		return nil, fmt.Errorf("expand %d cells to resolution %d: %w", len(cells), r, err)
	}
	return fromH3(out), nil
}

// Compact joins the seven children of a cell into it, wherever all are there. The cells must be of one resolution and differ.
func Compact(cells []Cell) ([]Cell, error) {
	out, err := h3.CompactCells(toH3(cells))
	if err != nil {
		return nil, fmt.Errorf("compact %d cells: %w", len(cells), err)
	}
	return fromH3(out), nil
}

// Cover gives the cells at r that touch the polygon: whole ones lie inside, edge ones are cut by its outline. Nothing outside both
// touches it. More than limit cells are an error.
func (p Polygon) Cover(r Resolution, limit int) (whole, edge []Cell, err error) {
	if len(p.Rings) == 0 || len(p.Rings[0]) < 4 {
		return nil, nil, fmt.Errorf("cover polygon: its outline has fewer than 4 positions")
	}
	g := h3.GeoPolygon{GeoLoop: loop(p.Rings[0])}
	for _, h := range p.Rings[1:] {
		g.Holes = append(g.Holes, loop(h))
	}
	touch, err := h3.PolygonToCellsExperimental(g, int(r), h3.ContainmentOverlapping, int64(limit))
	if err != nil {
		return nil, nil, fmt.Errorf("cover polygon at resolution %d with at most %d cells: %w", r, limit, err)
	}
	full, err := h3.PolygonToCellsExperimental(g, int(r), h3.ContainmentFull, int64(limit))
	if err != nil {
		return nil, nil, fmt.Errorf("cover polygon at resolution %d with at most %d cells: %w", r, limit, err)
	}
	in := make(map[h3.Cell]bool, len(full))
	for _, c := range full {
		in[c] = true
	}
	for _, c := range touch {
		if in[c] {
			whole = append(whole, Cell(c))
		} else {
			edge = append(edge, Cell(c))
		}
	}
	return whole, edge, nil
}

// Contains tells whether the polygon holds the position: within its outline, which counts as inside, and in none of its holes.
func (p Polygon) Contains(q Position) bool { return planar.PolygonContains(p.orb(), point(q)) }

// Fence is a polygon made ready to be asked many times. The zero Fence holds nothing. Safe for concurrent use.
type Fence struct {
	bound orb.Bound
	rings orb.Polygon
}

// Fence makes the polygon ready.
func (p Polygon) Fence() Fence {
	g := p.orb()
	if len(g) == 0 {
		return Fence{}
	}
	return Fence{g.Bound(), g}
}

// Contains is Polygon.Contains.
func (f *Fence) Contains(q Position) bool {
	v := point(q)
	return len(f.rings) > 0 && f.bound.Contains(v) && planar.PolygonContains(f.rings, v)
}

func loop(ring []Position) h3.GeoLoop {
	if n := len(ring); n > 1 && ring[0] == ring[n-1] {
		ring = ring[:n-1]
	}
	out := make(h3.GeoLoop, len(ring))
	for i, p := range ring {
		out[i] = h3.LatLng{Lat: p.Lat, Lng: p.Lng}
	}
	return out
}

func toH3(cells []Cell) []h3.Cell {
	out := make([]h3.Cell, len(cells))
	for i, c := range cells {
		out[i] = h3.Cell(c)
	}
	return out
}

func fromH3(cells []h3.Cell) []Cell {
	out := make([]Cell, len(cells))
	for i, c := range cells {
		out[i] = Cell(c)
	}
	return out
}
