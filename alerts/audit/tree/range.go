package tree

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Range is a tree of which nothing is kept but what its root is made of: the roots of its perfect subtrees. The zero Range is empty. It
// grows by a leaf at a time in a memory of 63 hashes; it proves nothing and writes no tiles (Edge does).
type Range struct {
	size  int64
	peaks []tlog.Hash // the largest, leftmost first
}

// NewRange begins behind a tree of this size with these peaks, as Peaks gave them.
func NewRange(size int64, peaks []tlog.Hash) (*Range, error) {
	if size < 0 || bits.OnesCount64(uint64(size)) != len(peaks) {
		return nil, fmt.Errorf("a tree of %d has %d peaks, not %d", size, bits.OnesCount64(uint64(size)), len(peaks))
	}
	return &Range{size, slices.Clone(peaks)}, nil
}

// Size is how many leaves the tree has.
func (r *Range) Size() int64 { return r.size }

// Append adds a leaf.
func (r *Range) Append(leaf tlog.Hash) {
	for n := r.size; n&1 == 1; n >>= 1 {
		last := len(r.peaks) - 1
		leaf = tlog.NodeHash(r.peaks[last], leaf)
		r.peaks = r.peaks[:last]
	}
	r.peaks = append(r.peaks, leaf)
	r.size++
}

// Peaks are the roots of its perfect subtrees, the largest first.
func (r *Range) Peaks() []tlog.Hash { return slices.Clone(r.peaks) }

// Root is the tree's root.
func (r *Range) Root() tlog.Hash { return fold(r.peaks) }

// fold makes the root of peaks: from the right, each is the left neighbour of all that was folded before it.
func fold(peaks []tlog.Hash) tlog.Hash {
	if len(peaks) == 0 {
		return Empty()
	}
	root := peaks[len(peaks)-1]
	for i := len(peaks) - 2; i >= 0; i-- {
		root = tlog.NodeHash(peaks[i], root)
	}
	return root
}

// Peaks are the roots of the edge's perfect subtrees, the largest first: what a Range goes on from.
func (e *Edge) Peaks() []tlog.Hash {
	var out []tlog.Hash
	for _, open := range e.levels {
		for end := len(open); end > 0; {
			w := end & -end
			out = append(out, subtree(open[end-w:end]))
			end -= w
		}
	}
	slices.Reverse(out)
	return out
}

// Peaks reads those of the first size records of a tree; its tiles are checked against its root first.
func Peaks(ctx context.Context, size int64, at tlog.Tree, from Tiles) ([]tlog.Hash, error) {
	if size < 0 || size > at.N {
		return nil, fmt.Errorf("a tree of %d is not the beginning of one of %d", size, at.N)
	}
	var want []int64
	for level, done := 62, int64(0); level >= 0; level-- {
		if w := int64(1) << level; size&w != 0 {
			want = append(want, tlog.StoredHashIndex(level, done>>level))
			done += w
		}
	}
	return read(ctx, want, at, from)
}

// Leaves reads the leaf hashes of records first (0 and up) to first+n of a tree; its tiles are checked against its root first.
func Leaves(ctx context.Context, first, n int64, at tlog.Tree, from Tiles) ([]tlog.Hash, error) {
	if first < 0 || n < 0 || first+n > at.N {
		return nil, fmt.Errorf("records %d to %d are not among the %d of the tree", first, first+n, at.N)
	}
	want := make([]int64, n)
	for i := range want {
		want[i] = tlog.StoredHashIndex(0, first+int64(i))
	}
	return read(ctx, want, at, from)
}

func read(ctx context.Context, want []int64, at tlog.Tree, from Tiles) ([]tlog.Hash, error) {
	if len(want) == 0 {
		return nil, nil
	}
	h, err := hashes(ctx, at, from).ReadHashes(want)
	if err != nil {
		return nil, fmt.Errorf("hashes of the tree of %d: %w", at.N, err)
	}
	return h, nil
}
