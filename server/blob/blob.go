// Package blob is files by what is in them: kept once under their sum, sniffed by their bytes, pictures made anew without what they say besides.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// Faults of files.
var (
	ErrNotHere = errors.New("there is no such file here")
	ErrFull    = errors.New("there is no room for more files") // 507
)

// sums are how files are named: nothing of what a sender says is part of a path.
var sums = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Store keeps files in a folder. It is safe for concurrent use.
type Store struct {
	dir   string
	space int64
	now   func() time.Time

	mu   sync.Mutex
	used int64
}

// Open opens the folder, and makes it where it is not there, for its owner only. Space bounds all files together, in bytes.
func Open(dir string, space int64, now func() time.Time) (*Store, error) {
	s := &Store{dir: dir, space: space, now: now}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	err := s.each(func(path, sum string, f fs.FileInfo) error {
		if sum == "" { // a write that was cut short
			return os.Remove(path)
		}
		s.used += f.Size()
		return nil
	})
	return s, err
}

// each goes through what is in the folder; sum is empty for a file that is not whole.
func (s *Store) each(give func(path, sum string, f fs.FileInfo) error) error {
	return filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		sum := d.Name()
		if !sums.MatchString(sum) {
			sum = ""
		}
		return give(path, sum, f)
	})
}

func (s *Store) path(sum string) string { return filepath.Join(s.dir, sum[:2], sum) }

// Sum names bytes.
func Sum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Put keeps bytes and gives their name, once they are on the disk. What is there already counts as new, so that a sweep leaves it. Errors: ErrFull.
func (s *Store) Put(b []byte) (string, error) {
	sum := Sum(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	path, now := s.path(sum), s.now()
	if f, err := os.Stat(path); err == nil && f.Size() == int64(len(b)) {
		return sum, os.Chtimes(path, now, now)
	}
	if s.used+int64(len(b)) > s.space {
		return "", fmt.Errorf("%w: %d of %d bytes are taken", ErrFull, s.used, s.space)
	}
	if err := write(path, b); err != nil {
		return "", fmt.Errorf("keep a file: %w", err)
	}
	s.used += int64(len(b))
	return sum, nil
}

// write makes a file whole or not at all: beside its place, flushed, then renamed, and the folder flushed.
func write(path string, b []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get gives the bytes of a name. Errors: ErrNotHere, also where they are no longer what was kept.
func (s *Store) Get(sum string) ([]byte, error) {
	if !sums.MatchString(sum) {
		return nil, ErrNotHere
	}
	b, err := os.ReadFile(s.path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotHere
	}
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", sum, err)
	}
	if Sum(b) != sum {
		return nil, fmt.Errorf("%w: file %s has changed on the disk", ErrNotHere, sum)
	}
	return b, nil
}

// Sweep deletes files that nothing needs and that are older than some time: of an incident that is gone, or of an act that was cut short between
// the file and its record. It counts them.
func (s *Store) Sweep(ctx context.Context, needed map[string]bool, older time.Duration) (n int, err error) {
	before := s.now().Add(-older)
	err = s.each(func(path, sum string, f fs.FileInfo) error {
		if ctx.Err() != nil || needed[sum] || !f.ModTime().Before(before) {
			return ctx.Err()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if f, err := os.Stat(path); err != nil || !f.ModTime().Before(before) { // somebody has put it again
			return nil
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		if sum != "" {
			s.used -= f.Size()
		}
		n++
		return nil
	})
	if err != nil {
		return n, fmt.Errorf("sweep files: %w", err)
	}
	return n, nil
}
