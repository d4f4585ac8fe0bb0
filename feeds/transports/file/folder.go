package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/patient"
)

// FolderConfig of one watched folder. Path and Watch are required.
type FolderConfig struct {
	Path        string
	MaxBody     int64 // bytes of one file on disk
	MaxInflated int64 // bytes of one file inflated
	Watch       patient.Watch
	Now         func() time.Time
	Log         zerolog.Logger
}

// Folder takes each file that is laid into a folder, once.
//
// A file is taken when it is whole: it appeared with its last change behind it (renamed into the folder), or has kept size and time for
// 2 s; an empty one is given 30 s. It is one delivery, in order of name, and leaves the folder only after that is stored: into done/, or
// into failed/ beside a .why that names the fault. Where the house dies between storing and moving, the file is delivered again, and the
// store knows its records. Hidden files and folders are passed over, links are not followed.
type Folder struct {
	config  FolderConfig
	polling bool             // never asks the kernel to tell of changes
	seen    map[string]look  // by name
	stuck   map[string]aside // done with, but could not be moved
	moaned  patient.Seldom

	mu      sync.Mutex
	arrived map[string]bool // names that the kernel told of since the last look
}

// look is how a file looked when it was last looked at.
type look struct {
	size  int64
	time  time.Time
	since time.Time // when it began to look so
}

// aside is a file that is done with, and where it belongs.
type aside struct {
	look
	folder, why string
}

// The folders of what was taken, and how long a file must stay as it is.
const (
	doneFolder   = "done"
	failedFolder = "failed"
	lookEvery    = time.Second
	settled      = 2 * time.Second
	settledEmpty = 30 * time.Second
)

// NewFolder gives a transport that has not begun.
func NewFolder(c FolderConfig) *Folder {
	if c.MaxBody <= 0 {
		c.MaxBody = bounded.DefaultBody
	}
	if c.MaxInflated <= 0 {
		c.MaxInflated = bounded.DefaultInflated
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Folder{config: c, seen: map[string]look{}, stuck: map[string]aside{}, arrived: map[string]bool{}}
}

// Run takes files until ctx ends. An error is of the folder itself.
func (f *Folder) Run(ctx context.Context, deliver feeds.Deliver) error {
	root, err := os.OpenRoot(f.config.Path)
	if err != nil {
		return fmt.Errorf("watched folder: %w", err)
	}
	defer root.Close()
	for _, name := range []string{doneFolder, failedFolder} {
		if err := root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("watched folder: %w", err)
		}
		if info, err := root.Lstat(name); err != nil || !info.IsDir() {
			return fmt.Errorf("watched folder: %s in it is no folder", name)
		}
	}
	told, stop := f.listen()
	defer stop()
	f.config.Watch.Well()
	for {
		if err := f.round(ctx, root, deliver); err != nil {
			return ignoreEnd(ctx, err)
		}
		timer := time.NewTimer(lookEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-told:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// listen has the kernel tell of changes, so that a file is taken at once; where it cannot, looking once a second is enough.
func (f *Folder) listen() (told <-chan struct{}, stop func()) {
	if f.polling {
		return nil, func() {}
	}
	w, err := fsnotify.NewWatcher()
	if err == nil {
		if err = w.Add(f.config.Path); err != nil {
			w.Close()
		}
	}
	if err != nil {
		f.config.Log.Info().Err(err).Msg("the kernel does not tell of files: the folder is looked at once a second")
		return nil, func() {}
	}
	tell := make(chan struct{}, 1)
	var all sync.WaitGroup
	all.Go(func() {
		for e := range w.Events {
			if e.Has(fsnotify.Create) {
				f.mu.Lock()
				f.arrived[path.Base(e.Name)] = true
				f.mu.Unlock()
				select {
				case tell <- struct{}{}:
				default:
				}
			}
		}
	})
	all.Go(func() {
		for range w.Errors { // an overflow loses names; the next look finds the files
		}
	})
	return tell, func() { w.Close(); all.Wait() }
}

// news gives the names that the kernel told of, and forgets them.
func (f *Folder) news() map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := f.arrived
	f.arrived = map[string]bool{}
	return names
}

// round takes every file that is whole, in order of name.
func (f *Folder) round(ctx context.Context, root *os.Root, deliver feeds.Deliver) error {
	news := f.news()
	if err := f.same(root); err != nil {
		return err
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return fmt.Errorf("watched folder: %w", err)
	}
	there := map[string]bool{}
	for _, e := range entries { // by name
		name := e.Name()
		if e.IsDir() || strings.HasPrefix(name, ".") {
			continue
		}
		there[name] = true
		if !f.whole(root, name, news[name]) {
			continue
		}
		if f.take(ctx, root, name, deliver); ctx.Err() != nil {
			return nil
		}
	}
	maps.DeleteFunc(f.seen, func(name string, _ look) bool { return !there[name] })
	maps.DeleteFunc(f.stuck, func(name string, _ aside) bool { return !there[name] })
	return nil
}

// same tells whether the path still leads to the folder that was opened.
func (f *Folder) same(root *os.Root) error {
	now, err := os.Stat(f.config.Path)
	if err != nil {
		return fmt.Errorf("watched folder: %w", err)
	}
	opened, err := root.Stat(".")
	if err != nil || !os.SameFile(now, opened) {
		return errors.New("watched folder: another one stands in its place")
	}
	return nil
}

// whole tells whether a file is whole, and notes how it looks. A new one that the kernel told of with its last change behind it was
// renamed into the folder.
func (f *Folder) whole(root *os.Root, name string, told bool) bool {
	info, err := root.Lstat(name)
	if err != nil {
		return false // gone since, or the next round says why
	}
	now := time.Now()
	is := look{info.Size(), info.ModTime(), now}
	if old, ok := f.stuck[name]; ok && old.size == is.size && old.time.Equal(is.time) {
		return true // to be moved, not to be taken
	}
	was, known := f.seen[name]
	if !known || was.size != is.size || !was.time.Equal(is.time) {
		f.seen[name] = is
		return !known && told && is.size > 0 && now.Sub(is.time) >= settled
	}
	if is.size == 0 {
		return now.Sub(was.since) >= settledEmpty
	}
	return now.Sub(was.since) >= settled
}

// errChanges says that a file is being written after all.
var errChanges = errors.New("the file changes while it is read")

// take delivers a file and moves it.
func (f *Folder) take(ctx context.Context, root *os.Root, name string, deliver feeds.Deliver) {
	if old, ok := f.stuck[name]; ok {
		f.move(root, name, old.folder, old.why)
		return
	}
	body, err := f.read(root, name)
	switch {
	case errors.Is(err, errChanges), errors.Is(err, fs.ErrNotExist):
		delete(f.seen, name)
		return
	case err != nil:
		f.config.Watch.Reject(1, &bounded.Fault{Code: "file", Text: err.Error(), Err: err})
		f.config.Log.Warn().Err(err).Str("file", name).Msg("file not taken")
		f.move(root, name, failedFolder, err.Error())
		return
	}
	meta := feeds.Meta{Topic: strings.TrimSuffix(name, ".gz"), ContentType: contentType(name), ReceivedAt: f.config.Now()}
	out, err := patient.Deliver(ctx, deliver, body, meta)
	switch {
	case errors.Is(err, feeds.ErrPermanent):
		f.move(root, name, failedFolder, err.Error())
	case err != nil: // ctx has ended: the file stays
	case out.Barren():
		f.move(root, name, failedFolder, "every item was refused, the first: "+out.Rejected[0].Reason)
	default:
		f.move(root, name, doneFolder, "")
	}
}

// read gives the bytes of a file that did not change meanwhile.
func (f *Folder) read(root *os.Root, name string) ([]byte, error) {
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, errors.New("it is a link, which is not followed")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no regular file")
	case info.Size() > f.config.MaxBody:
		return nil, fmt.Errorf("%w: %d bytes, more than %d", bounded.ErrTooLarge, info.Size(), f.config.MaxBody)
	}
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe that took its place would otherwise hold us
	if err != nil {
		return nil, err
	}
	defer file.Close()
	before, err := file.Stat()
	if err != nil || !os.SameFile(info, before) {
		return nil, errChanges
	}
	body, err := bounded.ReadAll(file, f.config.MaxBody)
	if err != nil {
		return nil, err
	}
	was := f.seen[name]
	if after, err := file.Stat(); err != nil || after.Size() != was.size || !after.ModTime().Equal(was.time) || int64(len(body)) != was.size {
		return nil, errChanges
	}
	if bounded.IsGzip(body) {
		return bounded.Gunzip(body, f.config.MaxInflated)
	}
	return body, nil
}

// move lays a file aside, beside the fault where there is one. Nothing that lies there is overwritten. A file that cannot be moved is
// kept in mind: it is not delivered again.
func (f *Folder) move(root *os.Root, name, folder, why string) {
	to, err := free(root, folder, name)
	if err == nil && why != "" {
		text := fmt.Sprintf("%s\nBerkas ini tidak diterima: %s\nThis file was not taken: %s\n", name, why, why)
		err = root.WriteFile(path.Join(folder, to+".why"), []byte(text), 0o644)
	}
	if err == nil {
		err = root.Rename(name, path.Join(folder, to))
	}
	if err == nil {
		delete(f.seen, name)
		delete(f.stuck, name)
		return
	}
	f.stuck[name] = aside{f.seen[name], folder, why}
	err = &bounded.Fault{Code: "file", Text: fmt.Sprintf("%.100q is done with, but cannot be moved into %s", name, folder), Err: err}
	f.config.Watch.Fault(err)
	if _, ok := f.moaned.Count(1); ok {
		f.config.Log.Warn().AnErr("why", errors.Unwrap(err)).Str("file", name).Msg("file cannot be moved")
	}
}

// free gives a name that nothing in a folder bears yet: the file's own, or with a number before its ending.
func free(root *os.Root, folder, name string) (string, error) {
	ending := path.Ext(name)
	for n := 1; n < 100_000; n++ {
		to := name
		if n > 1 {
			to = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ending), n, ending)
		}
		taken := slices.ContainsFunc([]string{to, to + ".why"}, func(one string) bool {
			_, err := root.Lstat(path.Join(folder, one))
			return err == nil
		})
		if !taken {
			return to, nil
		}
	}
	return "", fmt.Errorf("%s holds too many files of this name", folder)
}
