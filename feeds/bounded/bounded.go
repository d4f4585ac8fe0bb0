// Package bounded is careful readers: size, depth, compression and time bounds for bytes from outside.
package bounded

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// ErrTooLarge marks bytes beyond a bound: HTTP answers it with 413.
var ErrTooLarge = errors.New("too large")

// The default bounds of a delivery (INTERFACES, section 3, refused bodies).
const (
	DefaultBody     int64 = 16 << 20 // as sent
	DefaultInflated int64 = 64 << 20 // after inflation
	DefaultDepth          = 64       // nesting of a JSON or XML document
)

// ReadAll reads at most max bytes; one byte more is ErrTooLarge, and nothing is returned with it.
func ReadAll(r io.Reader, max int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > max {
		return nil, fmt.Errorf("body: %w: more than %d bytes", ErrTooLarge, max)
	}
	return body, nil
}

// IsGzip tells gzip by its first two bytes (RFC 1952, section 2.3.1).
func IsGzip(body []byte) bool { return len(body) >= 2 && body[0] == 0x1f && body[1] == 0x8b }

// Gunzip inflates a body to at most max bytes. The bound holds while inflating, so a small bomb stays small.
func Gunzip(body []byte, max int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	defer z.Close()
	out, err := ReadAll(z, max)
	if err != nil {
		if errors.Is(err, ErrTooLarge) {
			return nil, fmt.Errorf("gzip: %w: more than %d bytes inflated", ErrTooLarge, max)
		}
		return nil, fmt.Errorf("gzip: %w", err)
	}
	return out, nil
}

// Place turns an offset into a line and a column, both from 1; the column counts bytes.
func Place(body []byte, offset int) (line, column int) {
	offset = min(max(offset, 0), len(body))
	before := body[:offset]
	return 1 + bytes.Count(before, []byte{'\n'}), offset - bytes.LastIndexByte(before, '\n')
}

// TrimBOM drops the UTF-8 byte order mark that some producers put before a document.
func TrimBOM(body []byte) []byte { return bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")) }
