package witness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit/tree"
)

// Mirror is the tiles of a log in a folder, by their paths of C2SP tlog-tiles: the widest of each.
type Mirror struct{ dir string }

// NewMirror reads and writes tiles below a folder.
func NewMirror(dir string) *Mirror { return &Mirror{dir} }

// Tiles reads tiles; narrower ones are the beginning of what is there.
func (m *Mirror) Tiles(_ context.Context, want []tree.Tile) ([][]byte, error) {
	out := make([][]byte, len(want))
	for i, t := range want {
		data, err := m.widest(t.Level, t.Index)
		if err != nil {
			return nil, err
		}
		if len(data) < t.Width*tlog.HashSize {
			return nil, fmt.Errorf("%s: %w", t.Path(), fs.ErrNotExist)
		}
		out[i] = data[:t.Width*tlog.HashSize]
	}
	return out, nil
}

// Leaves gives the leaf hashes of a tile of level 0, as many as are there; none is no error.
func (m *Mirror) Leaves(index int64) ([]tlog.Hash, error) {
	data, err := m.widest(0, index)
	if err != nil {
		return nil, err
	}
	if len(data)%tlog.HashSize != 0 {
		return nil, fmt.Errorf("%s has %d bytes, which are no hashes", m.full(0, index), len(data))
	}
	leaves := make([]tlog.Hash, len(data)/tlog.HashSize)
	for i := range leaves {
		copy(leaves[i][:], data[i*tlog.HashSize:])
	}
	return leaves, nil
}

func (m *Mirror) full(level int, index int64) string {
	return filepath.Join(m.dir, filepath.FromSlash(tree.Tile{Level: level, Index: index, Width: tree.Width}.Path()))
}

// widest is what is there of a tile; nil for nothing.
func (m *Mirror) widest(level int, index int64) ([]byte, error) {
	path := m.full(level, index)
	data, err := os.ReadFile(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	width, err := m.partial(path)
	if err != nil || width == 0 {
		return nil, err
	}
	return os.ReadFile(filepath.Join(path+".p", strconv.Itoa(width)))
}

// partial is the greatest width of which there is a partial tile.
func (m *Mirror) partial(path string) (int, error) {
	list, err := os.ReadDir(path + ".p")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	width := 0
	for _, e := range list {
		if w, err := strconv.Atoi(e.Name()); err == nil && w < tree.Width {
			width = max(width, w)
		}
	}
	return width, nil
}

// Write keeps tiles, and lets the narrower ones go that they replace.
func (m *Mirror) Write(tiles []tree.WrittenTile) error {
	for _, t := range tiles {
		path := filepath.Join(m.dir, filepath.FromSlash(t.Path()))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := replace(path, t.Data, 0o644); err != nil {
			return err
		}
		whole := m.full(t.Level, t.Index)
		if t.Width == tree.Width {
			if err := os.RemoveAll(whole + ".p"); err != nil {
				return err
			}
			continue
		}
		list, err := os.ReadDir(whole + ".p")
		if err != nil {
			return err
		}
		for _, e := range list {
			if w, err := strconv.Atoi(e.Name()); err == nil && w < t.Width {
				if err := os.Remove(filepath.Join(whole+".p", e.Name())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// replace writes a file so that after a crash it is the old one or the new one, whole.
func replace(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
