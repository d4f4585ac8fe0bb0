package hub

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/server/wire"
)

// What may be asked of Cells: resolutions, and how many cells an answer may hold.
const (
	LeastRes  geo.Resolution = 3
	MostRes   geo.Resolution = 10
	mostAsked                = 20_000
)

// ErrEnded tells that the hub runs no more.
var ErrEnded = errors.New("the hub has ended")

// ManyCells tells that an answer would hold too many cells, and at which resolution it would not.
type ManyCells struct {
	Cells int
	Fits  geo.Resolution // 0: at none
}

func (e *ManyCells) Error() string {
	if e.Fits == 0 {
		return fmt.Sprintf("%d cells, at most %d: ask for a smaller bbox", e.Cells, mostAsked)
	}
	return fmt.Sprintf("%d cells, at most %d: res=%d fits", e.Cells, mostAsked, e.Fits)
}

// Cells gives the cells that a bound touches, as the socket shows them: of each cell and kind one row, by cell and layer. Res 0 is the
// finest that fits the bound; no layers, or "*", are all; cells of units are given only where asked for. Errors: *ManyCells, ErrEnded, and the context's. It walks the picture in the
// caller's goroutine, one call at a time, so that no viewer waits for it.
func (h *Hub) Cells(ctx context.Context, bound geo.Bound, res geo.Resolution, layers []string, units bool) ([]wire.Cell, error) {
	if res == 0 {
		res = max(fitting(MostRes, bound, mostCells), LeastRes)
	}
	select {
	case h.asking <- struct{}{}:
		defer func() { <-h.asking }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	held, err := h.held(ctx)
	if err != nil {
		return nil, err
	}
	of, shown := every, ""
	if len(layers) > 0 {
		of = layersOf(layers)
	}
	if units {
		shown = every
	}
	wants := wantsOf(of, shown, false)
	cells := map[geo.Cell][]*index.Entry{}
	h.d.Picture.Within(grown(bound, res), func(e *index.Entry) bool {
		if e.Cell != 0 && wants(e.Kind, "") {
			c := e.Cell.Parent(res)
			cells[c] = append(cells[c], e)
		}
		return true
	})
	for c := range cells {
		if !bound.Intersects(geo.BoundOf(c.Boundary()...)) {
			delete(cells, c)
		}
	}
	if len(cells) > mostAsked {
		return nil, &ManyCells{len(cells), fits20k(cells, res)}
	}
	return h.foldAsked(ctx, cells, held)
}

// held copies the worst alert of every Thing that has one.
func (h *Hub) held(ctx context.Context) (alarms, error) {
	got := make(chan alarms, 1)
	asked := h.call(func() {
		out := make(alarms, len(h.city.alarms))
		for thing := range h.city.alarms {
			out[thing] = map[string]uint8{"": h.city.alarms.worst(thing)}
		}
		got <- out
	})
	if !asked {
		return nil, ErrEnded
	}
	select {
	case a := <-got:
		return a, nil
	case <-h.ended:
		return nil, ErrEnded
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// foldAsked folds Things by cell in a small city of its own, which numbers names and holds nothing else.
func (h *Hub) foldAsked(ctx context.Context, cells map[geo.Cell][]*index.Entry, held alarms) ([]wire.Cell, error) {
	own := newCity()
	own.alarms = held
	now := h.d.Now().UnixMilli()
	out := make([]wire.Cell, 0, len(cells))
	for cell, list := range cells {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var f folds
		for _, e := range list {
			s := own.sumOf(e, thingOf(e))
			f.of(s.kind, s.simulated).add(&s, now)
		}
		for _, a := range shown(f) {
			out = append(out, own.wireCell(cell, &a))
		}
	}
	slices.SortFunc(out, func(a, b wire.Cell) int {
		switch {
		case a.Cell < b.Cell:
			return -1
		case a.Cell > b.Cell:
			return 1
		case a.Layer < b.Layer:
			return -1
		}
		return 1
	})
	return out, nil
}

// wireCell is cellRow as the type of the JSON form.
func (c *city) wireCell(cell geo.Cell, a *agg) wire.Cell {
	r := c.cellRow(cell, a)
	w := wire.Cell{Cell: cell, Layer: c.kinds.names[a.kind], Count: r.Count, Severity: r.Severity, ObservedAt: r.ObservedAt, StaleAfter: r.StaleAfter,
		Observers: r.Observers, Unobserved: r.Unobserved}
	if !math.IsNaN(r.Value) {
		w.Value = &r.Value
	}
	return w
}

// fits20k is the finest coarser resolution at which as many cells may be asked for; 0: none.
func fits20k(cells map[geo.Cell][]*index.Entry, res geo.Resolution) geo.Resolution {
	for r := res - 1; r >= LeastRes; r-- {
		parents := map[geo.Cell]struct{}{}
		for c := range cells {
			parents[c.Parent(r)] = struct{}{}
		}
		if len(parents) <= mostAsked {
			return r
		}
	}
	return 0
}

// grown widens a bound by the width of a cell, so that all Things of the cells at its edge are found.
func grown(b geo.Bound, r geo.Resolution) geo.Bound {
	const perDegree = 111.0 // km
	lat := 2.2 * math.Sqrt(cellArea[r]) / perDegree
	far := min(89, max(math.Abs(b.South), math.Abs(b.North)))
	lng := lat / math.Cos(far*math.Pi/180)
	out := geo.Bound{West: b.West - lng, South: max(-90, b.South-lat), East: b.East + lng, North: min(90, b.North+lat)}
	if b.West <= b.East {
		if out.East-out.West >= 360 {
			out.West, out.East = -180, 180
		}
		return wrapped(out)
	}
	if out.East >= out.West { // it met itself on the far side
		out.West, out.East = -180, 180
	}
	return out
}

// wrapped brings a bound that has grown past the antimeridian back into degrees: it crosses it then.
func wrapped(b geo.Bound) geo.Bound {
	switch {
	case b.West < -180 && b.East > 180:
		b.West, b.East = -180, 180
	case b.West < -180:
		b.West += 360
	case b.East > 180:
		b.East -= 360
	}
	return b
}
