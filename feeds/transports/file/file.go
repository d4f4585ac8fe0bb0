// Package file is recorded bytes played from disk, and files that are laid into a folder.
//
// A file of NDJSON whose lines carry "at" plays at the pace of those times; a folder plays its files in the order of the times in
// their names (2024-03-14T002558-0400), else of the names. What tells no time comes every so often. A delivery is waited for until it
// is stored; while the store is busy the recording stands still.
package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/patient"
)

// Config of one recording.
type Config struct {
	Path        string        // a file or a folder; .gz is inflated
	Every       time.Duration // between bytes that tell no time
	Speed       float64       // times faster than recorded
	Loop        bool          // begin again at the end, one Every later
	MaxBody     int64         // bytes of one file on disk
	MaxInflated int64         // bytes of one file inflated
	Pass        func()        // told before each time that the recording begins; may be nil
	Ended       func()        // told when a recording without Loop has been played; may be nil
	Now         func() time.Time
	Log         zerolog.Logger
}

// Transport plays one recording.
type Transport struct{ config Config }

// New gives a transport that has not begun.
func New(c Config) *Transport {
	if c.Every <= 0 {
		c.Every = time.Second
	}
	if c.Speed <= 0 {
		c.Speed = 1
	}
	if c.MaxBody <= 0 {
		c.MaxBody = bounded.DefaultBody
	}
	if c.MaxInflated <= 0 {
		c.MaxInflated = bounded.DefaultInflated
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Transport{c}
}

// ErrEmpty says that a recording holds nothing to play.
var ErrEmpty = errors.New("nothing to play")

// Run plays the recording once, or for ever with Loop, and then waits for the end of ctx.
func (t *Transport) Run(ctx context.Context, deliver feeds.Deliver) error {
	for {
		paths, err := list(t.config.Path)
		if err != nil {
			return err
		}
		if t.config.Pass != nil {
			t.config.Pass()
		}
		if err := t.play(ctx, paths, deliver); err != nil || ctx.Err() != nil {
			return ignoreEnd(ctx, err)
		}
		if !t.config.Loop {
			t.config.Log.Info().Str("path", t.config.Path).Msg("recording played to its end")
			if t.config.Ended != nil {
				t.config.Ended()
			}
			<-ctx.Done()
			return nil
		}
		if !patient.Wait(ctx, t.config.Every) {
			return nil
		}
	}
}

// ignoreEnd makes the end of ctx no error.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// list gives the files of a recording in playing order.
func list(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	var paths []string
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			paths = append(paths, filepath.Join(path, e.Name()))
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("recording %s: %w", path, ErrEmpty)
	}
	slices.SortStableFunc(paths, func(a, b string) int {
		ta, tb := NameTime(a), NameTime(b)
		if ta.IsZero() || tb.IsZero() {
			return strings.Compare(a, b)
		}
		return ta.Compare(tb)
	})
	return paths, nil
}

var stamp = regexp.MustCompile(`(\d{4}-\d{2}-\d{2})T(\d{2}):?(\d{2}):?(\d{2})(Z|[+-]\d{2}:?\d{2})?`)

// NameTime finds the time in a file's name, as in 2024-03-14T002558-0400.pb; without an offset it is UTC. Zero where there is none.
func NameTime(name string) time.Time {
	m := stamp.FindStringSubmatch(filepath.Base(name))
	if m == nil {
		return time.Time{}
	}
	zone := strings.Replace(m[5], ":", "", 1)
	if zone == "" {
		zone = "Z"
	}
	t, err := time.Parse("2006-01-02T150405Z0700", m[1]+"T"+m[2]+m[3]+m[4]+zone)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// clock turns recorded times into pauses: the first frame plays at once.
type clock struct {
	began    time.Time // our clock at the first frame that told a time
	recorded time.Time // that frame's own
}

// play delivers every file, each at its time.
func (t *Transport) play(ctx context.Context, paths []string, deliver feeds.Deliver) error {
	var (
		c      clock
		played int
		faults []error
	)
	for i, path := range paths {
		at := NameTime(path)
		pause := time.Duration(0)
		if i > 0 && at.IsZero() {
			pause = time.Duration(float64(t.config.Every) / t.config.Speed)
		}
		if !patient.Wait(ctx, max(pause, t.due(&c, at))) {
			return nil
		}
		body, err := t.read(path)
		if err != nil {
			t.config.Log.Warn().Err(err).Msg("file of a recording passed over")
			faults = append(faults, err)
			continue
		}
		played++
		meta := feeds.Meta{Topic: filepath.Base(strings.TrimSuffix(path, ".gz")), ContentType: contentType(path)}
		if lines := timed(body); at.IsZero() && len(lines) > 1 {
			meta.ContentType = "application/x-ndjson"
			t.playLines(ctx, lines, meta, deliver)
			continue
		}
		t.store(ctx, deliver, body, meta)
	}
	if played == 0 {
		return errors.Join(faults...)
	}
	return nil
}

// due is how long to wait for a frame; nothing where it tells no time or is the first that does.
func (t *Transport) due(c *clock, at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	if c.recorded.IsZero() {
		c.began, c.recorded = t.config.Now(), at
		return 0
	}
	return c.began.Add(time.Duration(float64(at.Sub(c.recorded)) / t.config.Speed)).Sub(t.config.Now())
}

// Lines that fall due together go together, within these bounds: one delivery is one commit.
const (
	together      = 50 * time.Millisecond
	maxLines      = 2000
	maxLinesBytes = 1 << 20
)

func (t *Transport) playLines(ctx context.Context, lines []line, meta feeds.Meta, deliver feeds.Deliver) {
	var (
		c       clock
		pending []byte
		count   int
	)
	flush := func() {
		if count > 0 {
			t.store(ctx, deliver, pending, meta)
		}
		pending, count = nil, 0
	}
	for _, l := range lines {
		pause := t.due(&c, l.at)
		if pause > together || count >= maxLines || len(pending) > maxLinesBytes {
			flush()
			if !patient.Wait(ctx, t.due(&c, l.at)) {
				return
			}
		}
		pending = append(append(pending, l.text...), '\n')
		count++
	}
	flush()
}

func (t *Transport) read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	defer f.Close()
	body, err := bounded.ReadAll(f, t.config.MaxBody)
	if err != nil {
		return nil, fmt.Errorf("recording %s: %w", path, err)
	}
	if bounded.IsGzip(body) {
		if body, err = bounded.Gunzip(body, t.config.MaxInflated); err != nil {
			return nil, fmt.Errorf("recording %s: %w", path, err)
		}
	}
	return body, nil
}

// contentType by the name's end, as a server would have said.
func contentType(path string) string {
	switch filepath.Ext(strings.TrimSuffix(path, ".gz")) {
	case ".ndjson", ".jsonl":
		return "application/x-ndjson"
	case ".json":
		return "application/json"
	case ".geojson":
		return "application/geo+json"
	case ".xml", ".cap":
		return "application/xml"
	case ".csv":
		return "text/csv"
	}
	return ""
}

// store delivers until the bytes are stored, or refused for good: a refused frame is counted by the runner and the recording goes on.
func (t *Transport) store(ctx context.Context, deliver feeds.Deliver, body []byte, meta feeds.Meta) {
	meta.ReceivedAt = t.config.Now()
	_, _ = patient.Deliver(ctx, deliver, body, meta) // any other error is the end of ctx, at which whoever called looks
}
