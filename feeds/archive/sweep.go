package archive

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// file is one hour of one feed.
type file struct {
	path string
	feed string
	hour time.Time // its beginning
	size int64
}

// files lists the archive, the oldest first.
func files(dir string) ([]file, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*"+fileEnd))
	if err != nil {
		return nil, err
	}
	var out []file
	for _, p := range paths {
		hour, err := time.Parse(fileHour, strings.TrimSuffix(filepath.Base(p), fileEnd))
		info, gone := os.Lstat(p)
		if err != nil || gone != nil || !info.Mode().IsRegular() {
			continue // not ours
		}
		out = append(out, file{p, filepath.Base(filepath.Dir(p)), hour, info.Size()})
	}
	slices.SortFunc(out, func(a, b file) int { return a.hour.Compare(b.hour) })
	return out, nil
}

// Sweep removes hours that are older than their feed keeps them, and the oldest where the folder is larger than it may be.
func (a *Archive) Sweep() {
	list, err := files(a.c.Dir)
	if err != nil {
		a.c.Log.Warn().Err(err).Msg("the archive cannot be listed")
		return
	}
	now, total := a.c.Now(), int64(0)
	for _, f := range list {
		total += f.size
	}
	for _, f := range list {
		if now.Sub(f.hour.Add(time.Hour)) < a.c.Keeps(f.feed) && total <= a.c.Space {
			continue
		}
		if err := os.Remove(f.path); err != nil {
			a.c.Log.Warn().Err(err).Str("feed", f.feed).Msg("an old hour of raw bytes cannot be removed")
			continue
		}
		total -= f.size
	}
}

// enough refuses to write where that would take the room the store needs.
func enough(dir string, spare int64) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if free := int64(s.Bavail) * int64(s.Bsize); free < spare {
		return fmt.Errorf("archive: the disk has %d MiB left, and %d MiB are for the store", free>>20, spare>>20)
	}
	return nil
}
