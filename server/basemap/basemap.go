// Package basemap is the base map: a PMTiles file or an outside style, fetched by the server for its screens.
//
// Screens only ever ask our own origin, below /basemap/. Of an outside style every address is rewritten to one of ours; what does not follow
// from the configured style is not there. The server asks only the hosts that the configuration names, checks the address of every hop as
// it dials, and bounds time and size. What it got is kept on disk: where the outside does not answer, the last answer serves, with its age.
package basemap

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// Config says where the base map comes from: at most one of PMTiles and Style. The zero Config is none.
type Config struct {
	PMTiles      string   `yaml:"pmtiles" doc:"A PMTiles file of version 3 (vector tiles in Protomaps' schema, or pictures). Replacing it takes effect at the next start."`
	Style        string   `yaml:"style" doc:"Instead of pmtiles: the address of a MapLibre style. The server fetches it and its tiles; screens never leave us."`
	Hosts        []string `yaml:"hosts" doc:"Further hosts that the style's tiles and redirects may lead to, beside its own."`
	AllowPrivate bool     `yaml:"allow_private" doc:"true lets the style lead to loopback and private networks, such as a tile server of the house."`
	Attribution  string   `yaml:"attribution" doc:"Whose map it is. Empty: as the file or the style says."`
}

// Validate gives every fault, each beginning with its key and a colon.
func (c Config) Validate() (faults []error) {
	bad := func(key, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if c.PMTiles != "" && c.Style != "" {
		bad("style", "pmtiles is given as well; one of them is the base map")
	}
	if c.PMTiles != "" {
		if a, err := openArchive(c.PMTiles); err != nil {
			bad("pmtiles", "%v", err)
		} else {
			_ = a.close()
		}
	}
	if c.Style != "" {
		u, err := url.Parse(c.Style)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			bad("style", "%.100q is not an address such as https://tiles.example/style.json", c.Style)
		case u.User != nil:
			bad("style", "an address with a user and a password is not asked")
		}
	}
	for i, h := range c.Hosts {
		if h == "" || strings.ContainsAny(h, "/@ ") || strings.Contains(h, "://") {
			bad(fmt.Sprintf("hosts[%d]", i), "%.100q is not a host such as tiles.example or 10.1.2.3:8080", h)
		}
	}
	if c.Style == "" && (len(c.Hosts) > 0 || c.AllowPrivate) {
		bad(map[bool]string{true: "hosts", false: "allow_private"}[len(c.Hosts) > 0], "is of use with style only")
	}
	if c.PMTiles == "" && c.Style == "" && c.Attribution != "" {
		bad("attribution", "there is no base map to be attributed")
	}
	return faults
}

// Info is the base map as screens are told of it.
type Info struct {
	Kind        string `json:"kind" enum:"none,pmtiles,style"`
	URL         string `json:"url" doc:"On our own origin; empty where there is none"`
	Tiles       string `json:"tiles,omitempty" doc:"pmtiles: vector or raster"`
	Attribution string `json:"attribution" doc:"Shown wherever the base map is"`
}

// Paths of the base map, below /basemap/.
const (
	Root      = "/basemap/"
	tilesPath = "tiles.pmtiles"
	stylePath = "style.json"
)

// Map is the base map of this server. A nil Map is none. Safe for concurrent use.
type Map struct {
	config  Config
	archive *archive
	outside *outside
}

// Errors of an answer.
var (
	ErrNotFound = errors.New("not part of the base map")
	ErrOutside  = errors.New("the outside does not answer")
)

// Deps are what a Map needs of the house.
type Deps struct {
	Dir       string // where answers of the outside are kept; created for its owner only
	UserAgent string
	Now       func() time.Time
	Log       zerolog.Logger
}

// Open makes the base map ready; it asks nobody outside. It gives nil where none is configured.
func Open(c Config, d Deps) (*Map, error) {
	d.Log = d.Log.With().Str("component", "basemap").Logger()
	switch {
	case c.PMTiles != "":
		a, err := openArchive(c.PMTiles)
		if err != nil {
			return nil, fmt.Errorf("basemap: %w", err)
		}
		if odd := a.odd(); odd != "" {
			d.Log.Warn().Str("file", c.PMTiles).Msg(odd)
		}
		return &Map{config: c, archive: a}, nil
	case c.Style != "":
		o, err := newOutside(c, d)
		if err != nil {
			return nil, fmt.Errorf("basemap: %w", err)
		}
		return &Map{config: c, outside: o}, nil
	default:
		return nil, nil
	}
}

// Run keeps an outside style fresh until ctx ends. It never fails: a base map is of help, not of need.
func (m *Map) Run(ctx context.Context) error {
	if m == nil || m.outside == nil {
		<-ctx.Done()
		return nil
	}
	return m.outside.run(ctx)
}

// Close lets go of the file.
func (m *Map) Close() error {
	switch {
	case m == nil:
		return nil
	case m.archive != nil:
		return m.archive.close()
	default:
		return m.outside.close()
	}
}

// Info tells what there is now. The attribution of an outside style is known once it has been read.
func (m *Map) Info() Info {
	switch {
	case m == nil:
		return Info{Kind: "none"}
	case m.archive != nil:
		return Info{Kind: "pmtiles", URL: Root + tilesPath, Tiles: m.archive.kind(), Attribution: first(m.config.Attribution, m.archive.attribution)}
	default:
		return Info{Kind: "style", URL: Root + stylePath, Attribution: first(m.config.Attribution, m.outside.attribution())}
	}
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// Answer is one document of the base map.
type Answer struct {
	Body  []byte
	Type  string        // media type, ours to say: never what the outside claims
	Age   time.Duration // since the outside gave it
	Empty bool          // there is nothing at this tile
}

// File serves the PMTiles file in ranges where the path is its own; it tells whether it did.
func (m *Map) File(w http.ResponseWriter, r *http.Request, path string) bool {
	if m == nil || m.archive == nil || path != tilesPath {
		return false
	}
	m.archive.serve(w, r)
	return true
}

// Get gives the document at a path below Root. Errors: ErrNotFound, ErrOutside, those of ctx.
func (m *Map) Get(ctx context.Context, path string) (Answer, error) {
	if m == nil || m.outside == nil {
		return Answer{}, ErrNotFound
	}
	if ctx.Err() != nil { // whoever asked has gone
		return Answer{}, context.Cause(ctx)
	}
	return m.outside.answer(ctx, path)
}
