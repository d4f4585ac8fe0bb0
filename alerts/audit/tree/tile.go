// Package tree is the Merkle log over the records: tiles, checkpoints, proofs; pure, no I/O.
//
// A leaf is a record's canonical bytes, exactly; leaf 0 is the record with seq 1. Hashes are those of RFC 6962 section 2.1, made by
// golang.org/x/mod/sumdb/tlog; the texts are those of C2SP: tlog-tiles, tlog-checkpoint, tlog-cosignature, tlog-witness and tlog-proof.
package tree

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Width is how many hashes a full tile holds; Entries is the level by which a path of bundles of records parses (tile/entries/…).
const (
	Width   = 256
	Entries = -1

	height = 8
	top    = 7 // the highest level that a tree of 2^63 leaves has
)

// Tile names one tile of C2SP tlog-tiles: at Level 0 hashes of leaves, above that roots of full tiles of the level below.
type Tile struct {
	Level int   // 0 to 7, or Entries
	Index int64 // 0 and up within its level
	Width int   // 1 to 256 hashes; fewer than 256 make a partial tile
}

// Tiles reads tiles: as many as are wanted, in their order, each of exactly Width*32 bytes. A store keeps the widest of each level and
// index and serves narrower ones by their beginning. What it gives is believed only where it leads to a root that is known.
type Tiles interface {
	Tiles(ctx context.Context, want []Tile) ([][]byte, error)
}

// Path is where the tile is served: tile/0/x001/x234/067, with .p/W behind a partial one.
func (t Tile) Path() string {
	level := "entries"
	if t.Level != Entries {
		level = strconv.Itoa(t.Level)
	}
	n := fmt.Sprintf("%03d", t.Index%1000)
	for rest := t.Index / 1000; rest > 0; rest /= 1000 {
		n = fmt.Sprintf("x%03d/%s", rest%1000, n)
	}
	path := "tile/" + level + "/" + n
	if t.Width != Width {
		path += ".p/" + strconv.Itoa(t.Width)
	}
	return path
}

// ParseTile reads a path; any other spelling than that of Path is an error.
func ParseTile(path string) (Tile, error) {
	bad := fmt.Errorf("tile path %q is not of the form tile/<level>/<index>[.p/<width>] (C2SP tlog-tiles)", path)
	parts := strings.Split(path, "/")
	if len(path) > 100 || len(parts) < 3 || parts[0] != "tile" {
		return Tile{}, bad
	}
	t := Tile{Level: Entries, Width: Width}
	if parts[1] != "entries" {
		level, err := strconv.Atoi(parts[1])
		if err != nil || level < 0 || level > top {
			return Tile{}, bad
		}
		t.Level = level
	}
	parts = parts[2:]
	if n := len(parts); n > 1 && strings.HasSuffix(parts[n-2], ".p") {
		width, err := strconv.Atoi(parts[n-1])
		if err != nil || width < 1 || width >= Width {
			return Tile{}, bad
		}
		t.Width = width
		parts = parts[:n-1]
		parts[n-2] = strings.TrimSuffix(parts[n-2], ".p")
	}
	if len(parts) > 6 {
		return Tile{}, bad
	}
	for _, p := range parts {
		n, err := strconv.Atoi(strings.TrimPrefix(p, "x"))
		if err != nil || n < 0 {
			return Tile{}, bad
		}
		t.Index = t.Index*1000 + int64(n)
	}
	if t.Path() != path {
		return Tile{}, bad
	}
	return t, nil
}

// fetch reads tiles and holds the reader to its word on their lengths.
func fetch(ctx context.Context, want []Tile, from Tiles) ([][]byte, error) {
	if len(want) == 0 {
		return nil, nil
	}
	data, err := from.Tiles(ctx, want)
	if err != nil {
		return nil, err
	}
	if len(data) != len(want) {
		return nil, fmt.Errorf("%d tiles came for %d wanted", len(data), len(want))
	}
	for i, t := range want {
		if len(data[i]) != t.Width*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes, not %d", t.Path(), len(data[i]), t.Width*tlog.HashSize)
		}
	}
	return data, nil
}

// reading is Tiles as tlog reads them.
type reading func([]tlog.Tile) ([][]byte, error)

func (reading) Height() int                                    { return height }
func (reading) SaveTiles([]tlog.Tile, [][]byte)                {}
func (r reading) ReadTiles(want []tlog.Tile) ([][]byte, error) { return r(want) }

// hashes reads single hashes of a tree; every tile behind them is checked against its root first.
func hashes(ctx context.Context, at tlog.Tree, from Tiles) tlog.HashReader {
	return tlog.TileHashReader(at, reading(func(want []tlog.Tile) ([][]byte, error) {
		mine := make([]Tile, len(want))
		for i, t := range want {
			mine[i] = Tile{t.L, t.N, t.W}
		}
		return fetch(ctx, mine, from)
	}))
}
