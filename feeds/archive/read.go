package archive

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"
)

// ErrTorn marks a file that ends in mid-frame, as after a kill: everything before was given.
var ErrTorn = errors.New("the file ends in the middle of a frame")

// longestLine bounds one delivery: 64 MiB of body, as base64 or with every quote escaped.
const longestLine = 160 << 20

// Read gives every delivery of a file in its order. An error of give ends it; others name the file, and ErrTorn that its end is missing.
func Read(path string, give func(Delivery) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer z.Close()
	lines := bufio.NewScanner(z)
	lines.Buffer(make([]byte, 64<<10), longestLine)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var d Delivery
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			if lines.Scan() {
				return fmt.Errorf("%s: line %d: %w", path, n, err)
			}
			break // cut in mid-line: what is wrong with the file follows
		}
		if err := give(d); err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, zstd.ErrMagicMismatch), errors.Is(err, zstd.ErrCRCMismatch):
		return fmt.Errorf("%s: %w: %w", path, ErrTorn, err)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Files lists the files of a feed that may hold deliveries received in [from, to), the oldest first.
func (a *Archive) Files(feed string, from, to time.Time) ([]string, error) {
	list, err := files(a.c.Dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range list {
		// What was received in the last second of an hour is written in the next.
		if f.feed == feed && f.hour.Before(to.Add(time.Minute)) && f.hour.Add(time.Hour+time.Minute).After(from) {
			out = append(out, f.path)
		}
	}
	return out, nil
}

// Expand takes files and folders, and gives files.
func Expand(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, p)
			continue
		}
		for _, pattern := range []string{"*" + fileEnd, filepath.Join("*", "*"+fileEnd)} {
			more, err := filepath.Glob(filepath.Join(p, pattern))
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	return out, nil
}
