// Package verify holds an export of the log against checkpoints, and names the first bad record; pure over io.Reader.
package verify

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit"
	"kentongan/alerts/audit/tree"
	"kentongan/geo/moment"
)

// Header is the first line of an export.
type Header struct {
	Version int    `json:"kentongan_audit"` // 1
	Origin  string `json:"origin"`
	Size    int64  `json:"size"` // seq of the last record
	// From is the seq of the first record; 0 stands for 1. Left are the peaks of the tree to its left (tree.Peaks), without which
	// nothing that begins later than 1 can be held against a checkpoint.
	From   int64       `json:"from,omitempty"`
	Left   []tlog.Hash `json:"left,omitempty"`
	MadeAt moment.Time `json:"made_at"`
	MadeBy string      `json:"made_by,omitempty"` // who took it: the actor of the record of that
	// Checkpoint is the last signed one when it was made: what is cut off behind it is missed.
	Checkpoint string `json:"checkpoint,omitempty"`
}

// words are what goes with a record whose words are kept apart, until they are erased.
type words struct {
	Salt string `json:"salt"`
	Text string `json:"text"`
}

// Writer writes an export as lines of JSON: the header; each record with its leaf hash and, where they are kept, its words; signed
// checkpoints behind the last record that they cover.
type Writer struct {
	out  *bufio.Writer
	last int64
	size int64
}

// NewWriter begins an export.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	h.Version = 1
	line, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("header of an export: %w", err)
	}
	out := &Writer{out: bufio.NewWriterSize(w, 64<<10), last: max(h.From, 1) - 1, size: h.Size}
	_, err = out.out.Write(append(line, '\n'))
	return out, err
}

// Record writes the next record, in its canonical form. Words are those that are kept apart; nil where there are none, or none any more.
func (w *Writer) Record(canonical []byte, apart *audit.Words) error {
	leaf := tlog.RecordHash(canonical)
	b := append([]byte(`{"leaf":"`), base64.StdEncoding.EncodeToString(leaf[:])...)
	b = append(append(b, `","record":`...), canonical...)
	if apart != nil {
		said, err := json.Marshal(words{apart.Salt, apart.Text})
		if err != nil {
			return fmt.Errorf("words of an export: %w", err)
		}
		b = append(append(b, `,"words":`...), said...)
	}
	w.last++
	_, err := w.out.Write(append(b, '}', '\n'))
	return err
}

// Checkpoint writes a signed checkpoint, right behind the last record that it covers: so it is checked without keeping anything.
func (w *Writer) Checkpoint(signed []byte) error {
	c, _, err := tree.Peek(signed)
	if err != nil {
		return err
	}
	if c.Size != w.last {
		return fmt.Errorf("a checkpoint of %d records behind record %d of an export", c.Size, w.last)
	}
	line, err := json.Marshal(map[string]string{"checkpoint": string(signed)})
	if err != nil {
		return fmt.Errorf("checkpoint of an export: %w", err)
	}
	_, err = w.out.Write(append(line, '\n'))
	return err
}

// Close ends the export; one that is shorter or longer than its header says is an error, after all has been written.
func (w *Writer) Close() error {
	if err := w.out.Flush(); err != nil {
		return err
	}
	if w.last != w.size {
		return fmt.Errorf("the export ends at record %d, its header says %d", w.last, w.size)
	}
	return nil
}

// line is one line of an export; exactly one of header, record and checkpoint is there.
type line struct {
	header     *Header
	leaf       *tlog.Hash
	record     []byte
	words      *words
	checkpoint []byte
}

// longest is the most bytes that a line may have.
const longest = 4 << 20

var errLine = errors.New("it is neither a record, nor a header, nor a checkpoint")

// parseLine reads a line: what it is, is seen from its beginning. A bare canonical record stands for itself.
func parseLine(b []byte) (line, error) {
	switch {
	case bytes.HasPrefix(b, []byte(`{"leaf":`)):
		var l struct {
			Leaf   tlog.Hash       `json:"leaf"`
			Record json.RawMessage `json:"record"`
			Words  *words          `json:"words"`
		}
		if err := json.Unmarshal(b, &l); err != nil {
			return line{}, err
		}
		return line{leaf: &l.Leaf, record: l.Record, words: l.Words}, nil
	case bytes.HasPrefix(b, []byte(`{"kentongan_audit":`)):
		var h Header
		if err := json.Unmarshal(b, &h); err != nil {
			return line{}, err
		}
		if h.Version != 1 || h.Size < 0 || h.From < 0 {
			return line{}, fmt.Errorf("an export of version %d, records %d to %d", h.Version, h.From, h.Size)
		}
		return line{header: &h}, nil
	case bytes.HasPrefix(b, []byte(`{"checkpoint":`)):
		var l struct {
			Checkpoint string `json:"checkpoint"`
		}
		if err := json.Unmarshal(b, &l); err != nil {
			return line{}, err
		}
		return line{checkpoint: []byte(l.Checkpoint)}, nil
	case bytes.HasPrefix(b, []byte(`{"action":`)):
		return line{record: b}, nil
	}
	return line{}, errLine
}

// lines gives each line that is not empty, without its end. The bytes are good until the next one.
func lines(r io.Reader, give func([]byte) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), longest)
	for s.Scan() {
		if b := bytes.TrimSuffix(s.Bytes(), []byte("\r")); len(b) > 0 {
			if err := give(b); err != nil {
				return err
			}
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("read the export: %w", err)
	}
	return nil
}
