package basemap

import (
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// pmtiles writes an archive of one tile, by the specification of version 3.
func pmtiles(metadata string) []byte {
	dir := zipped([]byte{1, 0, 1, byte(len(mvt)), 1}) // one entry: id 0, run 1, length, offset 0
	meta := zipped([]byte(metadata))
	b := make([]byte, headerLength)
	copy(b, "PMTiles\x03")
	at := uint64(headerLength)
	for i, n := range []int{len(dir), len(meta), 0, len(mvt)} {
		binary.LittleEndian.PutUint64(b[8+16*i:], at)
		binary.LittleEndian.PutUint64(b[16+16*i:], uint64(n))
		at += uint64(n)
	}
	b[97], b[98], b[99], b[100], b[101] = 2, 1, 1, 0, 0
	deg := func(i int, v int32) { binary.LittleEndian.PutUint32(b[i:], uint32(v)) }
	deg(102, 1_000_000_000)
	deg(106, -20_000_000)
	deg(110, 1_020_000_000)
	deg(114, 0)
	return append(append(append(b, dir...), meta...), mvt...)
}

const protomaps = `{"attribution":"<a href='https://osm.org'>&copy; OpenStreetMap</a>","vector_layers":[{"id":"water"},{"id":"roads"}]}`

func file(t *testing.T, body []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "city.pmtiles")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestArchiveIsServedInRanges(t *testing.T) {
	body := pmtiles(protomaps)
	path := file(t, body)
	m := open(t, Config{PMTiles: path}, t.TempDir(), &clock{})
	if got := m.Info(); got != (Info{Kind: "pmtiles", URL: "/basemap/tiles.pmtiles", Tiles: "vector", Attribution: "© OpenStreetMap"}) {
		t.Errorf("%+v", got)
	}
	ask := func(head ...string) *httptest.ResponseRecorder {
		r, w := httptest.NewRequest(http.MethodGet, "/basemap/tiles.pmtiles", nil), httptest.NewRecorder()
		for i := 0; i < len(head); i += 2 {
			r.Header.Set(head[i], head[i+1])
		}
		if !m.File(w, r, "tiles.pmtiles") {
			t.Fatal("not its own path")
		}
		return w
	}
	// The file may be replaced: what was opened stays whole.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w := ask("Range", "bytes=0-126")
	tag := w.Header().Get("ETag")
	if w.Code != http.StatusPartialContent || w.Body.Len() != 127 || w.Body.String() != string(body[:127]) || tag == "" || w.Header().Get("Content-Type") != "application/vnd.pmtiles" {
		t.Errorf("%d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
	if w := ask("Range", "bytes=0-126", "If-Match", tag); w.Code != http.StatusPartialContent {
		t.Errorf("its own tag: %d", w.Code)
	}
	if w := ask("Range", "bytes=0-126", "If-Match", `"other"`); w.Code != http.StatusPreconditionFailed {
		t.Errorf("another tag: %d", w.Code)
	}
	if w := ask("If-None-Match", tag); w.Code != http.StatusNotModified {
		t.Errorf("unchanged: %d", w.Code)
	}
	if w := ask("Range", "bytes=99999999-"); w.Code != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("beyond the end: %d", w.Code)
	}
	if m.File(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), "style.json") {
		t.Error("another's path was served")
	}
	if _, err := m.Get(t.Context(), "style.json"); err == nil {
		t.Error("a file has no style")
	}
}

func TestArchiveFaultsAreSaid(t *testing.T) {
	good := pmtiles(protomaps)
	with := func(at int, b ...byte) []byte {
		out := append([]byte{}, good...)
		copy(out[at:], b)
		return out
	}
	for want, body := range map[string][]byte{
		"fewer than its header":         good[:50],
		"is not a PMTiles file":         with(0, 'G', 'I', 'F'),
		"version 2; 3 is read":          with(7, 2),
		"is cut short: its tiles end":   good[:len(good)-2],
		"where none may be":             with(8, 0),
		"compressed by method 4 inside": with(97, 4),
		"tiles compressed by method 3":  with(98, 3),
		"tiles of kind 0":               with(99, 0),
		"zooms 9 to 0":                  with(100, 9),
		"has bounds":                    with(102, 0xff, 0xff, 0xff, 0x7f),
		"its directory cannot be read":  with(headerLength, 0, 0, 0),
		"its metadata cannot be read":   pmtiles(`{"attribution":7}`),
	} {
		faults := (Config{PMTiles: file(t, body)}).Validate()
		if len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), "pmtiles: ") || !strings.Contains(faults[0].Error(), want) {
			t.Errorf("want %q, got %v", want, faults)
		}
	}
	if faults := (Config{PMTiles: filepath.Join(t.TempDir(), "none")}).Validate(); len(faults) != 1 || !strings.Contains(faults[0].Error(), "cannot be read") {
		t.Errorf("no file: %v", faults)
	}
	if faults := (Config{PMTiles: t.TempDir()}).Validate(); len(faults) != 1 {
		t.Errorf("a folder: %v", faults)
	}
}

func TestAForeignSchemaIsWarnedOf(t *testing.T) {
	for metadata, odd := range map[string]bool{protomaps: false, `{"vector_layers":[{"id":"transportation"}]}`: true, `{}`: false} {
		a, err := openArchive(file(t, pmtiles(metadata)))
		if err != nil {
			t.Fatal(err)
		}
		if (a.odd() != "") != odd {
			t.Errorf("%s: %q", metadata, a.odd())
		}
		_ = a.close()
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(pmtiles(protomaps))
	f.Add([]byte("PMTiles\x03"))
	f.Fuzz(func(t *testing.T, body []byte) {
		path := filepath.Join(t.TempDir(), "a")
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Skip()
		}
		if m, err := Open(Config{PMTiles: path}, Deps{Log: zerolog.Nop()}); err == nil {
			_ = m.Close()
		}
	})
}
