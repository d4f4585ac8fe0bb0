package file

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
)

// told is a Watch.
type told struct {
	mu      sync.Mutex
	faults  []string
	rejects []string
	well    chan struct{} // nil: nobody waits
}

func (w *told) Fault(err error) { w.mu.Lock(); w.faults = append(w.faults, err.Error()); w.mu.Unlock() }
func (w *told) Reject(_ int, err error) {
	w.mu.Lock()
	w.rejects = append(w.rejects, err.Error())
	w.mu.Unlock()
}

func (w *told) Well() {
	if w.well != nil {
		close(w.well)
	}
}

// watch runs a folder in a bubble of its own time, while people do things to it.
func watch(t *testing.T, dir string, long time.Duration, fail func(n int, body string) error, people func()) (s *sink, w *told, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = &told{}
		s = &sink{began: time.Now()}
		f := NewFolder(FolderConfig{Path: dir, MaxBody: 1000, MaxInflated: 2000, Watch: w, Log: zerolog.Nop()})
		f.polling = true
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		var all sync.WaitGroup
		if people != nil {
			all.Go(people)
		}
		err = f.Run(ctx, func(ctx context.Context, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
			out, err := s.deliver(ctx, body, meta)
			if fail != nil && err == nil {
				err = fail(len(s.got), string(body))
			}
			if strings.HasPrefix(string(body), "barren") {
				out.Rejected = []feeds.Refusal{{Reason: "line 1: no such thing"}}
			}
			return out, err
		})
		all.Wait()
	})
	return s, w, err
}

// lay writes a file into a folder.
func lay(t *testing.T, dir, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tree lists a folder and the two in it.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func topics(s *sink) string {
	var out []string
	for _, p := range s.got {
		out = append(out, p.topic)
	}
	return strings.Join(out, " ")
}

func TestFolderTakesEachFileOnceInOrderOfName(t *testing.T) {
	dir := folder(t, map[string]string{"c.json": "[3]", "a.json.gz": "[1]", "b.csv": "x,y\n1,2\n3,4\n", ".part": "no"})
	if err := os.Mkdir(filepath.Join(dir, "more"), 0o700); err != nil {
		t.Fatal(err)
	}
	s, w, err := watch(t, dir, time.Minute, nil, nil)
	if err != nil || topics(s) != "a.json b.csv c.json" || s.got[1].body != "x,y\n1,2\n3,4\n" || s.got[0].after < settled {
		t.Errorf("%v: %s", err, s)
	}
	if got := tree(t, dir); got != ".part done/a.json.gz done/b.csv done/c.json" || len(w.faults)+len(w.rejects) != 0 {
		t.Errorf("%s; %q %q", got, w.faults, w.rejects)
	}
	lay(t, dir, "b.csv", "x,y\n5,6\n") // the same name again, after a restart
	if s, _, _ := watch(t, dir, time.Minute, nil, nil); topics(s) != "b.csv" || tree(t, dir) != ".part done/a.json.gz done/b-2.csv done/b.csv done/c.json" {
		t.Errorf("%s: %s", s, tree(t, dir))
	}
}

func TestAHalfWrittenFileWaits(t *testing.T) {
	dir := t.TempDir()
	s, _, _ := watch(t, dir, time.Minute, nil, func() {
		for i := range 10 {
			lay(t, dir, "a", strings.Repeat("x", 10*(i+1)))
			time.Sleep(1500 * time.Millisecond)
		}
		lay(t, dir, "b", "")
		time.Sleep(5 * time.Second)
		lay(t, dir, "b", "late")
	})
	if topics(s) != "a b" || len(s.got[0].body) != 100 || s.got[1].body != "late" || s.got[0].after < 15*time.Second {
		t.Error(s)
	}
}

func TestFolderKeepsWhatIsNotStored(t *testing.T) {
	dir := folder(t, map[string]string{"a": "1", "b": "2"})
	busy := func(int, string) error { return feeds.ErrBusy }
	if s, _, _ := watch(t, dir, time.Minute, busy, nil); strings.Contains(topics(s), "b") || len(s.got) < 3 || tree(t, dir) != "a b" {
		t.Errorf("%s: %s", topics(s), tree(t, dir))
	}
	if s, _, _ := watch(t, dir, time.Minute, nil, nil); topics(s) != "a b" || tree(t, dir) != "done/a done/b" {
		t.Errorf("after a restart %s: %s", s, tree(t, dir))
	}
}

func TestFolderRefuses(t *testing.T) {
	dir := folder(t, map[string]string{"bad.json": "<html>", "barren.csv": "barren", "big": strings.Repeat("x", 1001), "bomb.gz": strings.Repeat("x", 5000), "good": "1"})
	outside := filepath.Join(t.TempDir(), "secret")
	lay(t, filepath.Dir(outside), "secret", "s3cr3t")
	for name, to := range map[string]string{"link": outside, "inner": "good", "up": "../" + filepath.Base(filepath.Dir(outside)) + "/secret"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s, w, err := watch(t, dir, time.Minute, func(_ int, body string) error {
		if body == "<html>" {
			return feeds.Permanentf("native: line 1 column 1: no JSON")
		}
		return nil
	}, nil)
	if err != nil || topics(s) != "bad.json barren.csv good" || len(w.rejects) != 5 {
		t.Errorf("%v: %s, rejects %q", err, s, w.rejects)
	}
	want := "done/good"
	for _, name := range []string{"bad.json", "barren.csv", "big", "bomb.gz", "inner", "link", "up"} {
		want += " failed/" + name + " failed/" + name + ".why"
	}
	if got := tree(t, dir); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	for name, why := range map[string]string{"bad.json": "line 1 column 1", "barren.csv": "no such thing", "big": "1001 bytes", "bomb.gz": "inflated", "link": "not followed"} {
		text, err := os.ReadFile(filepath.Join(dir, "failed", name+".why"))
		if err != nil || !strings.Contains(string(text), "tidak diterima: ") || strings.Count(string(text), why) != 2 {
			t.Errorf("%s: %v %q", name, err, text)
		}
	}
}

func TestAFileThatCannotBeMovedIsDeliveredOnce(t *testing.T) {
	dir := folder(t, map[string]string{"a": "1"})
	s, w, _ := watch(t, dir, 30*time.Second, func(int, string) error {
		// done goes away between storing and moving, and comes back later
		if err := os.Remove(filepath.Join(dir, "done")); err != nil {
			t.Error(err)
		}
		return nil
	}, func() {
		time.Sleep(15 * time.Second)
		if err := os.Mkdir(filepath.Join(dir, "done"), 0o700); err != nil {
			t.Error(err)
		}
	})
	if topics(s) != "a" || tree(t, dir) != "done/a" || len(w.faults) == 0 || !strings.HasPrefix(w.faults[0], "file: ") {
		t.Errorf("%s: %s, %q", topics(s), tree(t, dir), w.faults)
	}
}

func TestFaultyFolders(t *testing.T) {
	if _, _, err := watch(t, filepath.Join(t.TempDir(), "none"), time.Second, nil, nil); err == nil {
		t.Error("no folder: no error")
	}
	dir := folder(t, map[string]string{"done": "a file"})
	if _, _, err := watch(t, dir, time.Second, nil, nil); err == nil || !strings.Contains(err.Error(), "done") {
		t.Errorf("a file in the place of done: %v", err)
	}
	dir = filepath.Join(t.TempDir(), "dir")
	for _, link := range []string{dir, dir + ".new"} {
		if err := os.Symlink(t.TempDir(), link); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := watch(t, dir, time.Minute, nil, func() {
		time.Sleep(3 * time.Second)
		_ = os.Rename(dir+".new", dir) // in one step: between two there would be no folder, which is another fault
	}); err == nil || !strings.Contains(err.Error(), "another one") {
		t.Errorf("another folder in its place: %v", err)
	}
}

// What is renamed into the folder is taken at once, where the kernel tells.
func TestARenamedFileIsTakenAtOnce(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	s := &sink{began: time.Now()}
	w := &told{well: make(chan struct{})}
	f := NewFolder(FolderConfig{Path: dir, Watch: w, Log: zerolog.Nop()})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx, s.deliver) }()
	<-w.well
	lay(t, other, "a", "1")
	if err := os.Chtimes(filepath.Join(other, "a"), time.Time{}, time.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := os.Rename(filepath.Join(other, "a"), filepath.Join(dir, "a")); err != nil {
		t.Skip("the folders are on two disks: ", err)
	}
	for !exists(filepath.Join(dir, "done", "a")) {
		if time.Since(began) > settled {
			t.Fatal("not taken within 2 s")
		}
		time.Sleep(time.Millisecond)
	}
	t.Logf("taken after %v", time.Since(began).Round(time.Millisecond))
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// A table is one delivery, for its first row names the columns of all others.
func TestARecordedTableIsOneDelivery(t *testing.T) {
	dir := folder(t, map[string]string{"a.csv": "id,at\nx,2026-01-01T00:00:00Z\ny,2026-01-01T00:00:10Z\n"})
	s, err := play(t, Config{Path: filepath.Join(dir, "a.csv")}, time.Minute, nil)
	if err != nil || len(s.got) != 1 || strings.Count(s.got[0].body, "\n") != 3 {
		t.Errorf("%v: %s", err, s)
	}
}
