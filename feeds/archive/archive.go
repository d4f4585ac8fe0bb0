// Package archive is the bytes of every delivery, kept for days, with what became of them.
//
// One folder a feed, one file an hour: `raw/awlr/2026-11-27T01Z.jsonl.zst`, lines of JSON (Delivery) in Zstandard frames, so that
// `zstdcat FILE | jq` reads it. Writing never holds up a delivery: lines gather in memory and are written once a second; a kill loses at
// most that second of bytes, and nothing of what they said, which lies in the store. Where the disk is too full, or more comes than is
// written, bytes are left out and counted.
package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	"github.com/rs/zerolog"

	"kentongan/geo/moment"
)

// Delivery is one delivery as its sender gave it. The body is text where it is valid UTF-8, else base64.
type Delivery struct {
	At          moment.Time `json:"at"`                 // received
	StoredAt    moment.Time `json:"stored_at,omitzero"` // its readings were committed: the clock by which rules judged them
	Feed        string      `json:"feed"`
	ContentType string      `json:"content_type,omitempty"`
	Topic       string      `json:"topic,omitempty"`
	Peer        string      `json:"peer,omitempty"` // host of who sent it over a stream
	URL         string      `json:"url,omitempty"`  // without its query: keys travel there
	Outcome     Outcome     `json:"outcome"`
	Reason      string      `json:"reason,omitempty"` // of a refusal
	Accepted    int         `json:"accepted,omitempty"`
	Duplicates  int         `json:"duplicates,omitempty"`
	Ignored     int         `json:"ignored,omitempty"`
	Rejected    int         `json:"rejected,omitempty"`
	Body        []byte      `json:"-"`
}

// Outcome is what became of a delivery.
type Outcome string

// Stored has items that were taken or known; Refused has none and never will.
const (
	Stored  Outcome = "stored"
	Refused Outcome = "refused"
)

// MarshalJSON writes the line of a delivery.
func (d Delivery) MarshalJSON() ([]byte, error) {
	type plain Delivery
	out := struct {
		plain
		Text   *string `json:"body,omitempty"`
		Base64 []byte  `json:"body_base64,omitempty"`
	}{plain: plain(d)}
	if utf8.Valid(d.Body) {
		text := string(d.Body)
		out.Text = &text
	} else {
		out.Base64 = d.Body
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // XML would be three times as long
	err := e.Encode(out)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// UnmarshalJSON reads it.
func (d *Delivery) UnmarshalJSON(b []byte) error {
	type plain Delivery
	in := struct {
		*plain
		Text   *string `json:"body"`
		Base64 []byte  `json:"body_base64"`
	}{plain: (*plain)(d)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if d.Body = in.Base64; in.Text != nil {
		d.Body = []byte(*in.Text)
	}
	return nil
}

// Bounds of what waits to be written.
const (
	pieceSize  = 256 << 10 // of one feed: then it is handed over without waiting for the second
	mostWait   = 32 << 20  // of all feeds
	writeEvery = time.Second
	sweepEvery = 10 * time.Minute
	fileHour   = "2006-01-02T15Z"
	fileEnd    = ".jsonl.zst"
)

// Config of an archive. Dir and Keeps are required.
type Config struct {
	Dir   string
	Keeps func(feed string) time.Duration // how long; 0: not at all
	Space int64                           // bytes of the whole folder; the oldest hours give way. 0: 2 GiB
	Spare int64                           // bytes that stay free on the disk. 0: 1 GiB
	Now   func() time.Time
	Log   zerolog.Logger
}

// Archive keeps deliveries. Keep is safe for concurrent use; Run must run.
type Archive struct {
	c    Config
	zip  *zstd.Encoder
	full chan struct{} // a piece is ready before its time

	writing sync.Mutex
	tails   map[string]string // the file that each feed was written to last, whose end is whole

	mu      sync.Mutex
	feeds   map[string][]byte // lines that wait, by feed
	waiting int
	lost    int64 // deliveries left out
	trouble error // why the last write failed; nil: it did not
}

// Open makes the folder, for its owner only.
func Open(c Config) (*Archive, error) {
	if c.Space == 0 {
		c.Space = 2 << 30
	}
	if c.Spare == 0 {
		c.Spare = 1 << 30
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Log = c.Log.With().Str("component", "archive").Logger()
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return &Archive{c: c, zip: zip, full: make(chan struct{}, 1), feeds: map[string][]byte{}, tails: map[string]string{}}, nil
}

var errTooLong = errors.New("longer than all that may wait")

// Keep takes a delivery; its body is copied. It waits for nothing. Whether a feed is kept at all, the caller knows.
func (a *Archive) Keep(d Delivery) {
	var b []byte
	err := errTooLong
	if len(d.Body) < mostWait { // what is left out is not copied first
		b, err = d.MarshalJSON()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil || a.waiting+len(b) > mostWait {
		a.lost++
		return
	}
	a.waiting += len(b) + 1
	was := a.feeds[d.Feed]
	a.feeds[d.Feed] = append(append(was, b...), '\n')
	if len(was)+len(b) >= pieceSize {
		select {
		case a.full <- struct{}{}:
		default:
		}
	}
}

// Trouble tells why bytes are being left out, and how many deliveries were; nil: all is kept.
func (a *Archive) Trouble() (lost int64, why error) {
	if a == nil {
		return 0, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lost, a.trouble
}

// Run writes what waits, and removes what is old, until ctx ends; what waits then is written still.
func (a *Archive) Run(ctx context.Context) error {
	write, sweep := time.NewTicker(writeEvery), time.NewTicker(sweepEvery)
	defer write.Stop()
	defer sweep.Stop()
	a.Sweep()
	for {
		select {
		case <-ctx.Done():
			a.Flush()
			return nil
		case <-sweep.C:
			a.Sweep()
		case <-a.full:
			a.Flush()
		case <-write.C:
			a.Flush()
		}
	}
}

// Flush writes what waits.
func (a *Archive) Flush() {
	a.writing.Lock()
	defer a.writing.Unlock()
	a.mu.Lock()
	feeds := a.feeds
	a.feeds = make(map[string][]byte, len(feeds))
	a.waiting = 0
	a.mu.Unlock()
	if len(feeds) == 0 {
		return
	}
	err := enough(a.c.Dir, a.c.Spare)
	lost := 0
	for feed, lines := range feeds {
		if err == nil {
			err = a.write(feed, lines)
		}
		if err != nil {
			lost += bytes.Count(lines, []byte("\n"))
		}
	}
	a.note(lost, err)
}

// note remembers trouble, and tells of it once when it begins.
func (a *Archive) note(lost int, err error) {
	a.mu.Lock()
	begins := err != nil && a.trouble == nil
	ends := err == nil && a.trouble != nil
	a.lost, a.trouble = a.lost+int64(lost), err
	a.mu.Unlock()
	switch {
	case begins:
		a.c.Log.Warn().Err(err).Msg("raw bytes are not kept; what they say is stored all the same")
	case ends:
		a.c.Log.Info().Msg("raw bytes are kept again")
	}
}

// write appends one frame. A frame that is cut by a full disk is cut away again, so that what follows can be read.
func (a *Archive) write(feed string, lines []byte) (err error) {
	dir := filepath.Join(a.c.Dir, feed)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, a.c.Now().UTC().Format(fileHour)+fileEnd), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := a.mended(feed, f); err != nil {
		return err
	}
	was, err := f.Stat()
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if _, err := f.Write(a.zip.EncodeAll(lines, nil)); err != nil {
		return errors.Join(fmt.Errorf("archive: %w", err), f.Truncate(was.Size()))
	}
	return nil
}
