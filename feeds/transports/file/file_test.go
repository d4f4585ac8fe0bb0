package file

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kentongan/feeds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// played is one delivery: its bytes, and when it came after the beginning.
type played struct {
	after time.Duration
	topic string
	body  string
}

type sink struct {
	mu    sync.Mutex
	began time.Time
	got   []played
	fail  func(n int) error
}

func (s *sink) deliver(_ context.Context, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, played{time.Since(s.began), meta.Topic, string(body)})
	if s.fail != nil {
		return feeds.Outcome{}, s.fail(len(s.got))
	}
	return feeds.Outcome{}, nil
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		if strings.HasSuffix(name, ".gz") {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			z.Write([]byte(body))
			z.Close()
			body = b.String()
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// play runs a recording in a bubble of its own time for so long.
func play(t *testing.T, c Config, long time.Duration, fail func(int) error) (s *sink, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.Log = zerolog.Nop()
		s = &sink{began: time.Now(), fail: fail}
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		err = New(c).Run(ctx, s.deliver)
	})
	return s, err
}

func (s *sink) String() string {
	var out []string
	for _, p := range s.got {
		out = append(out, fmt.Sprintf("%s %s=%s", p.after.Round(10*time.Millisecond), p.topic, strings.Join(strings.Fields(p.body), "")))
	}
	return strings.Join(out, "; ")
}

func TestFolderPlaysAtTheTimesInItsNames(t *testing.T) {
	dir := folder(t, map[string]string{"x2024-03-14T002558-0400.pb": "1", "2024-03-14T042658Z.pb.gz": "2", "2024-03-14T002758-0400.pb": "3", ".hidden": "no"})
	for speed, want := range map[float64]string{
		1:  "0s x2024-03-14T002558-0400.pb=1; 1m0s 2024-03-14T042658Z.pb=2; 2m0s 2024-03-14T002758-0400.pb=3",
		60: "0s x2024-03-14T002558-0400.pb=1; 1s 2024-03-14T042658Z.pb=2; 2s 2024-03-14T002758-0400.pb=3",
	} {
		s, err := play(t, Config{Path: dir, Speed: speed, Every: time.Hour}, 10*time.Minute, nil)
		if err != nil || s.String() != want {
			t.Errorf("speed %v: %v\n got %s\nwant %s", speed, err, s, want)
		}
	}
}

func TestUntimedFilesComeEverySoOftenAndLoop(t *testing.T) {
	dir := folder(t, map[string]string{"b.json": "[2]", "a.json": "[1]"})
	passes := 0
	s, err := play(t, Config{Path: dir, Every: 10 * time.Second, Loop: true, Pass: func() { passes++ }}, 35*time.Second, nil)
	if want := "0s a.json=[1]; 10s b.json=[2]; 20s a.json=[1]; 30s b.json=[2]"; err != nil || s.String() != want || passes != 2 {
		t.Errorf("%v, %d passes\n got %s\nwant %s", err, passes, s, want)
	}
}

func TestLinesPlayAtTheirOwnTimes(t *testing.T) {
	dir := folder(t, map[string]string{"x.ndjson.gz": `{"at":"2026-01-01T00:00:00Z","n":1}
{"at":"2026-01-01T00:00:00.010Z","n":2}

{"at":1767225605,"n":3}
{"n":4}
`})
	s, err := play(t, Config{Path: filepath.Join(dir, "x.ndjson.gz")}, time.Minute, nil)
	want := `0s x.ndjson={"at":"2026-01-01T00:00:00Z","n":1}{"at":"2026-01-01T00:00:00.010Z","n":2}; 5s x.ndjson={"at":1767225605,"n":3}{"n":4}`
	if err != nil || s.String() != want {
		t.Errorf("%v\n got %s\nwant %s", err, s, want)
	}
}

func TestBusyStoreHoldsTheRecording(t *testing.T) {
	dir := folder(t, map[string]string{"a": "1", "b": "2"})
	s, _ := play(t, Config{Path: dir, Every: time.Second}, 30*time.Second, func(n int) error {
		switch {
		case n < 4:
			return feeds.ErrBusy
		case n == 5:
			return feeds.Permanentf("rubbish")
		}
		return nil
	})
	if len(s.got) != 5 || s.got[3].body != "1" || s.got[4].body != "2" || s.got[3].after < 600*time.Millisecond {
		t.Errorf("played %s", s)
	}
}

func TestFaultyRecordings(t *testing.T) {
	if _, err := play(t, Config{Path: filepath.Join(t.TempDir(), "none")}, time.Second, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := play(t, Config{Path: t.TempDir()}, time.Second, nil); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty folder: %v", err)
	}
	dir := folder(t, map[string]string{"a.gz": strings.Repeat("x", 5000), "b": "good"})
	s, err := play(t, Config{Path: dir, MaxInflated: 1000}, time.Minute, nil)
	if err != nil || len(s.got) != 1 || s.got[0].body != "good" {
		t.Errorf("a bomb beside a good file: %v, %s", err, s)
	}
	if err := os.Remove(filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if _, err := play(t, Config{Path: dir, MaxInflated: 1000}, time.Minute, nil); err == nil || !strings.Contains(err.Error(), "inflated") {
		t.Errorf("nothing but a bomb: %v", err)
	}
}

func TestNameTime(t *testing.T) {
	for name, want := range map[string]string{
		"2024-03-14T002558-0400.pb": "2024-03-14T04:25:58Z", "/x/a_2024-03-14T00:25:58+07:00.json": "2024-03-13T17:25:58Z",
		"2024-03-14T002558": "2024-03-14T00:25:58Z", "2024-13-14T002558.pb": "0001-01-01T00:00:00Z", "plain.json": "0001-01-01T00:00:00Z",
	} {
		if got := NameTime(name).Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
