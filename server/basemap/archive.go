package basemap

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"kentongan/feeds/bounded"
)

// Figures of PMTiles version 3 (https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md).
const (
	headerLength = 127
	rootWithin   = 16384 // bytes from the start of the file in which header and root directory lie
	maxMetadata  = 8 << 20
)

// archive is an open PMTiles file. The handle is held, so that a file that is replaced while we run keeps its bytes for us.
type archive struct {
	file        *os.File
	header      header
	changed     time.Time
	tag         string
	attribution string
	layers      []string // of vector tiles
}

// header is what we need of the fixed part.
type header struct {
	RootOffset, RootLength         uint64
	MetadataOffset, MetadataLength uint64
	LeafOffset, LeafLength         uint64
	DataOffset, DataLength         uint64
	Internal, Tile, Kind           byte
	MinZoom, MaxZoom               byte
	West, South, East, North       float64
}

// kinds of tiles by their number; zero is unknown.
var kinds = []string{"", "vector", "raster", "raster", "raster", "raster"}

// kind is vector or raster.
func (a *archive) kind() string { return kinds[a.header.Kind] }

// openArchive opens and checks a file. The error says what is wrong with it, in words for whoever put it there.
func openArchive(path string) (*archive, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	a := &archive{file: f}
	if err := a.read(); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

func (a *archive) read() error {
	info, err := a.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("is not a file")
	}
	head := make([]byte, headerLength)
	if _, err := a.file.ReadAt(head, 0); err != nil {
		return fmt.Errorf("is not a PMTiles file: it has %d bytes, fewer than its header", info.Size())
	}
	if a.header, err = readHeader(head, uint64(info.Size())); err != nil {
		return err
	}
	root, err := a.part(a.header.RootOffset, a.header.RootLength)
	if err != nil {
		return fmt.Errorf("its directory cannot be read: %w", err)
	}
	if n, size := binary.Uvarint(root); size <= 0 || n == 0 {
		return errors.New("its directory is empty: it holds no tile")
	}
	if err := a.metadata(); err != nil {
		return fmt.Errorf("its metadata cannot be read: %w", err)
	}
	a.changed = info.ModTime()
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%x %d %d", head, info.Size(), info.ModTime().UnixNano()) // a hash takes everything
	a.tag = `"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`
	return nil
}

func readHeader(b []byte, size uint64) (h header, err error) {
	if string(b[:7]) != "PMTiles" {
		return h, errors.New("is not a PMTiles file")
	}
	if b[7] != 3 {
		return h, fmt.Errorf("is PMTiles of version %d; 3 is read (convert it with: pmtiles convert)", b[7])
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }
	deg := func(i int) float64 { return float64(int32(binary.LittleEndian.Uint32(b[i:]))) / 1e7 }
	h = header{at(8), at(16), at(24), at(32), at(40), at(48), at(56), at(64), b[97], b[98], b[99], b[100], b[101], deg(102), deg(106), deg(110), deg(114)}
	for _, part := range []struct {
		name         string
		from, length uint64
	}{{"directory", h.RootOffset, h.RootLength}, {"metadata", h.MetadataOffset, h.MetadataLength}, {"leaf directories", h.LeafOffset, h.LeafLength}, {"tiles", h.DataOffset, h.DataLength}} {
		if part.from > size || part.length > size-part.from {
			return h, fmt.Errorf("is cut short: its %s end at byte %d of %d", part.name, part.from+part.length, size)
		}
	}
	switch {
	case h.RootOffset < headerLength || h.RootLength == 0 || h.RootOffset+h.RootLength > rootWithin:
		return h, errors.New("has its directory where none may be")
	case h.Internal != 1 && h.Internal != 2:
		return h, fmt.Errorf("is compressed by method %d inside; browsers read none and gzip", h.Internal)
	case h.Tile > 2:
		return h, fmt.Errorf("has tiles compressed by method %d; browsers read none and gzip", h.Tile)
	case h.Kind == 0 || int(h.Kind) >= len(kinds):
		return h, fmt.Errorf("has tiles of kind %d; read are vector tiles (MVT), PNG, JPEG, WebP and AVIF", h.Kind)
	case h.MinZoom > h.MaxZoom || h.MaxZoom > 30:
		return h, fmt.Errorf("has zooms %d to %d", h.MinZoom, h.MaxZoom)
	case h.West > h.East || h.South > h.North || h.West < -180 || h.East > 180 || h.South < -90 || h.North > 90:
		return h, fmt.Errorf("has bounds %v,%v,%v,%v", h.West, h.South, h.East, h.North)
	}
	return h, nil
}

// part reads a section that is compressed as the header says, at most maxMetadata bytes of it.
func (a *archive) part(from, length uint64) ([]byte, error) {
	if length > maxMetadata {
		return nil, fmt.Errorf("%d bytes are more than %d", length, maxMetadata)
	}
	var r io.Reader = io.NewSectionReader(a.file, int64(from), int64(length))
	if a.header.Internal == 2 {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		r = z
	}
	return bounded.ReadAll(r, maxMetadata)
}

func (a *archive) metadata() error {
	if a.header.MetadataLength == 0 {
		return nil
	}
	text, err := a.part(a.header.MetadataOffset, a.header.MetadataLength)
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return err
	}
	var doc struct {
		Attribution string `json:"attribution"`
		Layers      []struct {
			ID string `json:"id"`
		} `json:"vector_layers"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	a.attribution = plain(doc.Attribution)
	for _, l := range doc.Layers {
		a.layers = append(a.layers, l.ID)
	}
	return nil
}

// odd says why a sound file may show little; empty where it should show all.
func (a *archive) odd() string {
	if a.kind() != "vector" || len(a.layers) == 0 || slices.Contains(a.layers, "roads") || slices.Contains(a.layers, "water") {
		return ""
	}
	return "the PMTiles file is not in Protomaps' schema: screens draw water, roads, boundaries and places, it has " + strings.Join(a.layers[:min(8, len(a.layers))], ", ")
}

// serve answers with the file or ranges of it. Browsers ask for its directories and single tiles.
func (a *archive) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/vnd.pmtiles")
	w.Header().Set("ETag", a.tag)
	w.Header().Set("Cache-Control", "private, no-cache")
	// A reader of its own for each request: they share the handle, not the place in it.
	http.ServeContent(w, r, "", a.changed, io.NewSectionReader(a.file, 0, a.size()))
}

func (a *archive) size() int64 {
	info, err := a.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

func (a *archive) close() error { return a.file.Close() }
