package tree

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Edge is a tree's right edge, all that is needed to grow it: at each level the hashes of its partial tile. The zero Edge is that of
// the empty tree. Not safe for several goroutines at once.
type Edge struct {
	size   int64
	levels [][]tlog.Hash // fewer than Width each
}

// WrittenTile is a tile with its hashes.
type WrittenTile struct {
	Tile
	Data []byte // Width*32 bytes
}

// ErrRoot says that tiles do not lead to the root they should: one of them is not of this tree, or the root is not.
var ErrRoot = errors.New("the tiles do not lead to the root of the tree")

// ReadEdge reads the edge of a tree and checks it against the tree's root.
func ReadEdge(ctx context.Context, at tlog.Tree, from Tiles) (*Edge, error) {
	e, err := readEdge(ctx, at.N, from)
	if err != nil {
		return nil, err
	}
	if e.Root() != at.Hash {
		return nil, fmt.Errorf("edge at size %d: %w", at.N, ErrRoot)
	}
	return e, nil
}

func readEdge(ctx context.Context, size int64, from Tiles) (*Edge, error) {
	if size < 0 {
		return nil, fmt.Errorf("tree of size %d", size)
	}
	e := &Edge{size: size}
	var want []Tile
	for level := 0; size>>(height*level) > 0; level++ {
		n := size >> (height * level)
		e.levels = append(e.levels, nil)
		if w := int(n % Width); w > 0 {
			want = append(want, Tile{level, n / Width, w})
		}
		if level == top {
			break
		}
	}
	data, err := fetch(ctx, want, from)
	if err != nil {
		return nil, fmt.Errorf("edge at size %d: %w", size, err)
	}
	for i, t := range want {
		e.levels[t.Level] = split(data[i])
	}
	return e, nil
}

// Size is how many leaves the tree has.
func (e *Edge) Size() int64 { return e.size }

// Append adds leaves and gives the tiles that are new: each full one, and at last the partial ones that became wider.
func (e *Edge) Append(leaves []tlog.Hash) []WrittenTile {
	var written []WrittenTile
	changed := 0 // levels below it
	for _, leaf := range leaves {
		for level := 0; ; level++ {
			if level == len(e.levels) {
				e.levels = append(e.levels, make([]tlog.Hash, 0, Width))
			}
			changed = max(changed, level+1)
			e.levels[level] = append(e.levels[level], leaf)
			if len(e.levels[level]) < Width {
				break
			}
			written = append(written, WrittenTile{Tile{level, e.size >> (height * (level + 1)), Width}, join(e.levels[level])})
			leaf = subtree(e.levels[level])
			e.levels[level] = e.levels[level][:0]
		}
		e.size++
	}
	for level := range changed {
		if open := e.levels[level]; len(open) > 0 {
			written = append(written, WrittenTile{Tile{level, e.size >> (height * (level + 1)), len(open)}, join(open)})
		}
	}
	return written
}

// Root is the tree's root; that of the empty tree is the SHA-256 of nothing (RFC 6962 section 2.1).
func (e *Edge) Root() tlog.Hash { return fold(e.Peaks()) }

// Empty is the root of the tree without leaves.
func Empty() tlog.Hash {
	h, err := tlog.TreeHash(0, nil)
	if err != nil {
		panic(err) // it is a constant
	}
	return h
}

// Grow appends leaves to a tree of size old whose tiles from holds, and gives the tiles to write and the root that it then has. Who
// knows the root of the old tree uses ReadEdge and Append, which check the tiles.
func Grow(ctx context.Context, old int64, leaves []tlog.Hash, from Tiles) (written []WrittenTile, root tlog.Hash, err error) {
	e, err := readEdge(ctx, old, from)
	if err != nil {
		return nil, tlog.Hash{}, err
	}
	written = e.Append(leaves)
	return written, e.Root(), nil
}

// subtree is the root over 1, 2, 4 … hashes.
func subtree(h []tlog.Hash) tlog.Hash {
	if len(h) == 1 {
		return h[0]
	}
	return tlog.NodeHash(subtree(h[:len(h)/2]), subtree(h[len(h)/2:]))
}

func join(h []tlog.Hash) []byte {
	b := make([]byte, 0, len(h)*tlog.HashSize)
	for i := range h {
		b = append(b, h[i][:]...)
	}
	return b
}

func split(b []byte) []tlog.Hash {
	h := make([]tlog.Hash, len(b)/tlog.HashSize, Width)
	for i := range h {
		copy(h[i][:], b[i*tlog.HashSize:])
	}
	return h
}
