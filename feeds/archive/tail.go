package archive

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// mend cuts a frame that is not whole off the end of a file, as a kill or a failing power supply leaves it: what is written behind it could
// not be read. It gives the bytes that were cut off.
func mend(f *os.File) (cut int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	size, whole := info.Size(), int64(0)
	for whole < size {
		end, err := frameEnd(f, whole)
		if err != nil {
			return 0, err
		}
		if end == 0 || end > size {
			return size - whole, f.Truncate(whole)
		}
		whole = end
	}
	return 0, nil
}

// The forms of a block (RFC 8878, section 3.1.1.2).
const (
	blockHeader   = 3
	blockRepeated = 1
	blockReserved = 3
	checksumSize  = 4
)

// frameEnd finds where the frame ends that begins at an offset, by its headers alone; 0: no frame begins there, or it has no end.
func frameEnd(r io.ReaderAt, at int64) (int64, error) {
	var buf [zstd.HeaderMaxSize]byte
	n, err := r.ReadAt(buf[:], at)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	var h zstd.Header
	if h.Decode(buf[:n]) != nil || h.Skippable {
		return 0, nil
	}
	for at += int64(h.HeaderSize); ; {
		n, err := r.ReadAt(buf[:blockHeader], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if n < blockHeader {
			return 0, nil
		}
		block := int64(buf[0]) | int64(buf[1])<<8 | int64(buf[2])<<16
		size := block >> 3
		switch block >> 1 & 3 {
		case blockRepeated:
			size = 1
		case blockReserved:
			return 0, nil
		}
		if at += blockHeader + size; block&1 == 1 {
			break
		}
	}
	if h.HasCheckSum {
		at += checksumSize
	}
	return at, nil
}

// mended mends a file that this process has not written to yet.
func (a *Archive) mended(feed string, f *os.File) error {
	if a.tails[feed] == f.Name() {
		return nil
	}
	cut, err := mend(f)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if cut > 0 {
		a.c.Log.Warn().Str("feed", feed).Int64("bytes", cut).Msg("a piece of raw bytes was written in part before a sudden end; it is cut off")
	}
	a.tails[feed] = f.Name()
	return nil
}
