package area

import (
	"fmt"
	"math"
	"slices"

	"kentongan/geo"
)

// outside is the owner of cells that no area of a resolution claims.
const outside = -1

// passes is how often an arc is smoothed with the weights 1-2-1: enough to take the zigzag of hexagons away.
const passes = 6

// edge is a side of a cell, with the cell on its left.
type edge struct{ from, to geo.Corner }

// arc is a part of an outline between two corners where three owners meet, or a closed one on which none do. Its neighbours share it,
// one forwards and one backwards, so that between them there is neither gap nor overlap.
type arc struct {
	corners     []geo.Corner
	line        []geo.Position // smoothed; first equals last where closed
	left, right int            // owners
}

// draw makes outlines, hull and bound. Areas of cells are drawn together with all others of the same finest resolution.
func (s *Set) draw() error {
	groups := map[geo.Resolution][]int{}
	shapes := make([]geo.Shape, len(s.areas))
	var bound []geo.Position
	for i, a := range s.areas {
		shapes[i].Polygons = append(shapes[i].Polygons, a.Shape.Polygons...)
		if a.Ours() {
			s.hull.Polygons = append(s.hull.Polygons, a.Shape.Polygons...)
		}
		if len(a.Cells) > 0 {
			r := finestOf(a.Cells)
			groups[r] = append(groups[r], i)
		}
	}
	for r := s.coarsest; r <= s.finest; r++ {
		if err := s.drawGroup(r, groups[r], shapes); err != nil {
			return err
		}
	}
	for i, a := range s.areas {
		s.outlines = append(s.outlines, Outline{a, shapes[i]})
	}
	for _, p := range s.hull.Polygons {
		for _, ring := range p.Rings {
			bound = append(bound, ring...)
		}
	}
	s.bound = geo.BoundOf(bound...)
	return nil
}

func finestOf(cells []geo.Cell) geo.Resolution {
	r := cells[0].Resolution()
	for _, c := range cells {
		r = max(r, c.Resolution())
	}
	return r
}

func (s *Set) drawGroup(r geo.Resolution, members []int, shapes []geo.Shape) error {
	if len(members) == 0 {
		return nil
	}
	owner := map[edge]int{}
	for _, i := range members {
		cells, err := geo.Expand(s.areas[i].Cells, r)
		if err != nil {
			return fmt.Errorf("area %s %q: %w", s.areas[i].Code, s.areas[i].Name, err)
		}
		for _, c := range cells {
			vs, err := c.Corners()
			if err != nil {
				return fmt.Errorf("area %s %q: %w", s.areas[i].Code, s.areas[i].Name, err)
			}
			for n, v := range vs {
				e := edge{v, vs[(n+1)%len(vs)]}
				if j, taken := owner[e]; taken && j != i {
					return fmt.Errorf("area %s %q: cell %s belongs to %q already", s.areas[i].Code, s.areas[i].Name, c, s.areas[j].Name)
				}
				owner[e] = i
			}
		}
	}
	arcs := arcsOf(owner)
	for _, i := range members {
		shapes[i].Polygons = append(shapes[i].Polygons, assemble(arcs, func(o int) bool { return o == i })...)
	}
	s.hull.Polygons = append(s.hull.Polygons, assemble(arcs, func(o int) bool { return o != outside && s.areas[o].Ours() })...)
	return nil
}

// arcsOf cuts all sides between two owners into arcs, smoothed, in an order that depends on the cells alone.
func arcsOf(owner map[edge]int) []arc {
	at := func(e edge) int {
		if i, ok := owner[e]; ok {
			return i
		}
		return outside
	}
	// Each side between two owners once, in both directions from its ends.
	next := map[geo.Corner][]geo.Corner{}
	for e, left := range owner {
		back := edge{e.to, e.from}
		right, both := owner[back]
		if both && (left == right || e.from > e.to) {
			continue
		}
		next[e.from] = append(next[e.from], e.to)
		next[e.to] = append(next[e.to], e.from)
	}
	corners := make([]geo.Corner, 0, len(next))
	for v, to := range next {
		slices.Sort(to)
		corners = append(corners, v)
	}
	slices.Sort(corners)
	used := map[edge]bool{}
	var arcs []arc
	walk := func(from, to geo.Corner) {
		if used[edge{from, to}] {
			return
		}
		a := arc{corners: []geo.Corner{from}, left: at(edge{from, to}), right: at(edge{to, from})}
		for {
			used[edge{from, to}], used[edge{to, from}] = true, true
			a.corners = append(a.corners, to)
			if len(next[to]) != 2 || to == a.corners[0] {
				break
			}
			on := next[to][0]
			if on == from {
				on = next[to][1]
			}
			from, to = to, on
		}
		a.line = smooth(a.corners, to == a.corners[0] && len(next[to]) == 2)
		arcs = append(arcs, a)
	}
	for _, v := range corners { // from the corners where three meet, then what is left: closed ones
		if len(next[v]) != 2 {
			for _, to := range next[v] {
				walk(v, to)
			}
		}
	}
	for _, v := range corners {
		for _, to := range next[v] {
			walk(v, to)
		}
	}
	return arcs
}

// smooth gives the positions of an arc after six passes of 1-2-1 with fixed ends. A closed arc, on which no three owners meet, has no
// ends; as passes shrink it, a short one gets fewer: a single cell one.
func smooth(corners []geo.Corner, closed bool) []geo.Position {
	line := make([]geo.Position, len(corners))
	for i, v := range corners {
		line[i] = v.Position()
	}
	n := len(line)
	times := passes
	if closed {
		times = max(1, min(passes, n/8))
	}
	mid := func(a, b, c geo.Position) geo.Position {
		return geo.Position{Lat: (a.Lat + 2*b.Lat + c.Lat) / 4, Lng: (a.Lng + 2*b.Lng + c.Lng) / 4}
	}
	for range times {
		was := slices.Clone(line)
		for i := 1; i < n-1; i++ {
			line[i] = mid(was[i-1], was[i], was[i+1])
		}
		if closed {
			line[0] = mid(was[n-2], was[0], was[1])
			line[n-1] = line[0]
		}
	}
	return line
}

// assemble joins the arcs around all owners that are in into polygons: outlines counter-clockwise, holes clockwise.
func assemble(arcs []arc, in func(owner int) bool) []geo.Polygon {
	type piece struct {
		line []geo.Position
		end  geo.Corner
	}
	starts := map[geo.Corner][]piece{} // closed arcs may share no corner with others; open ones start once at each corner
	var order []geo.Corner
	for _, a := range arcs {
		l, r := in(a.left), in(a.right)
		if l == r {
			continue
		}
		from, to, line := a.corners[0], a.corners[len(a.corners)-1], a.line
		if r {
			from, to, line = to, from, reversed(line)
		}
		starts[from] = append(starts[from], piece{line, to})
		order = append(order, from)
	}
	var outer, holes [][]geo.Position
	for _, first := range order {
		if len(starts[first]) == 0 {
			continue
		}
		var ring []geo.Position
		for v := first; ; {
			ps := starts[v]
			if len(ps) == 0 {
				break
			}
			starts[v] = ps[1:]
			if len(ring) > 0 {
				ring = ring[:len(ring)-1]
			}
			ring = append(ring, ps[0].line...)
			if v = ps[0].end; v == first {
				break
			}
		}
		if signedArea(ring) > 0 {
			outer = append(outer, ring)
		} else {
			holes = append(holes, ring)
		}
	}
	return nest(outer, holes)
}

// nest gives each hole to the smallest outline around it.
func nest(outer, holes [][]geo.Position) []geo.Polygon {
	out := make([]geo.Polygon, len(outer))
	for i, r := range outer {
		out[i].Rings = [][]geo.Position{r}
	}
	for _, h := range holes {
		best, size := -1, math.Inf(1)
		for i, r := range outer {
			if a := signedArea(r); a < size && (geo.Polygon{Rings: [][]geo.Position{r}}).Contains(h[len(h)/2]) {
				best, size = i, a
			}
		}
		if best >= 0 {
			out[best].Rings = append(out[best].Rings, h)
		}
	}
	return out
}

func reversed(line []geo.Position) []geo.Position {
	out := slices.Clone(line)
	slices.Reverse(out)
	return out
}

// signedArea in square degrees, positive where the ring runs counter-clockwise.
func signedArea(ring []geo.Position) float64 {
	var sum float64
	for i := 1; i < len(ring); i++ {
		// Relative to the first corner: the products stay small and keep their digits.
		a, b, o := ring[i-1], ring[i], ring[0]
		sum += (a.Lng-o.Lng)*(b.Lat-o.Lat) - (b.Lng-o.Lng)*(a.Lat-o.Lat)
	}
	return sum / 2
}
