package basemap

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds/bounded"
)

var (
	mvt  = []byte{0x1a, 0x05, 0x0a, 0x01, 'a', 0x78, 0x02}
	png  = append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 16)...)
	font = []byte{0x0a, 0x03, 0x0a, 0x01, 'x'}
)

// outsider is a tile server of somebody else.
type outsider struct {
	*httptest.Server
	mu     sync.Mutex
	asked  map[string]int
	broken atomic.Bool
	pages  map[string]func(http.ResponseWriter, *http.Request)
}

func newOutsider(t *testing.T) *outsider {
	t.Helper()
	o := &outsider{asked: map[string]int{}, pages: map[string]func(http.ResponseWriter, *http.Request){}}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.asked[r.URL.RequestURI()]++
		page := o.pages[r.URL.Path]
		o.mu.Unlock()
		switch {
		case o.broken.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case page != nil:
			page(w, r)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *outsider) give(path string, body []byte) {
	o.pages[path] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html") // never believed
		_, _ = w.Write(body)
	}
}

func (o *outsider) times(uri string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[uri]
}

// clock is a time that the test moves.
type clock struct{ ms atomic.Int64 }

func (c *clock) now() time.Time { return time.UnixMilli(1_800_000_000_000 + c.ms.Load()) }

func (c *clock) pass(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func open(t *testing.T, c Config, dir string, clk *clock) *Map {
	t.Helper()
	if faults := c.Validate(); len(faults) > 0 {
		t.Fatal(faults)
	}
	m, err := Open(c, Deps{Dir: dir, UserAgent: "test", Now: clk.now, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

const cityStyle = `{"version":8,"name":"City","metadata":{"at":"https://elsewhere.example"},"imports":[{"url":"https://elsewhere.example"}],
"glyphs":"%[1]s/font/{fontstack}/{range}.pbf","sprite":"%[1]s/sprite?key=1",
"sources":{
 "roads":{"type":"vector","url":"/tiles.json?key=secret"},
 "photo":{"type":"raster","tiles":["photo/{z}/{x}/{y}{ratio}.png"],"maxzoom":3,"attribution":"<a href=\"https://osm.org\">&copy; OSM</a>"},
 "shapes":{"type":"geojson","data":"%[1]s/shapes.geojson"},
 "here":{"type":"geojson","data":{"type":"FeatureCollection","features":[]}},
 "far":{"type":"vector","tiles":["https://far.example/{z}/{x}/{y}.pbf"]},
 "box":{"type":"raster","tiles":["%[1]s/wms?bbox={bbox-epsg-3857}"]},
 "film":{"type":"video","urls":["%[1]s/film.mp4"]}},
"layers":[{"id":"bg","type":"background","paint":{"background-color":"#fff"}},
 {"id":"road","type":"line","source":"roads","source-layer":"roads"},
 {"id":"name","type":"symbol","source":"roads","source-layer":"places","layout":{"text-font":["step",["zoom"],["literal",["Noto Sans"]],8,["literal",["Noto Sans Bold"]]]}},
 {"id":"gone","type":"fill","source":"far","source-layer":"x"}]}`

func city(t *testing.T) *outsider {
	o := newOutsider(t)
	o.give("/style.json", fmt.Appendf(nil, cityStyle, o.URL))
	o.give("/tiles.json", []byte(`{"tilejson":"3.0.0","tiles":["`+o.URL+`/t/{z}/{x}/{y}.pbf?key=secret"],"minzoom":0,"maxzoom":6,"attribution":"Data: BIG","bounds":[95,-11,141,6]}`))
	o.give("/t/2/1/1.pbf", mvt)
	o.give("/t/3/1/1.pbf", zipped(mvt))
	o.give("/t/4/1/1.pbf", []byte("<script>alert(1)</script>"))
	o.give("/photo/1/0/1@2x.png", png)
	o.give("/shapes.geojson", []byte(`{"type":"FeatureCollection","features":[]}`))
	o.give("/sprite@2x.png", png)
	o.give("/sprite.json", []byte(`{}`))
	o.give("/font/Noto Sans/0-255.pbf", font)
	return o
}

func TestAStyleBecomesOurs(t *testing.T) {
	o, clk := city(t), &clock{}
	m := open(t, Config{Style: o.URL + "/style.json", AllowPrivate: true}, t.TempDir(), clk)
	a, err := m.Get(t.Context(), "style.json")
	if err != nil {
		t.Fatal(err)
	}
	body := string(a.Body)
	for _, leak := range []string{o.URL, "elsewhere", "far.example", "secret", "http", "film", "gone", "\"box\""} {
		if strings.Contains(body, leak) {
			t.Errorf("the style still holds %q:\n%s", leak, body)
		}
	}
	for _, want := range []string{`"/basemap/source/5/{z}/{x}/{y}"`, `{z}/{x}/{y}{ratio}`, `"/basemap/glyphs/{fontstack}/{range}.pbf"`, `"/basemap/sprite/0"`, `"/basemap/data/6"`, `"bounds":[95,-11,141,6]`, `"maxzoom":6`, `"id":"road"`, `"metadata":{"attribution":"© OSM, Data: BIG"}`} {
		if !strings.Contains(body, want) {
			t.Errorf("the style lacks %s:\n%s", want, body)
		}
	}
	if got := m.Info(); got.Kind != "style" || got.URL != "/basemap/style.json" || got.Attribution != "© OSM, Data: BIG" {
		t.Errorf("info %+v", got)
	}
	if n := len(m.outside.current().refused); n != 3 {
		t.Errorf("%d refusals: %q", n, m.outside.current().refused)
	}
	for path, want := range map[string]string{
		"source/5/2/1/1": "application/vnd.mapbox-vector-tile", "source/5/3/1/1": "application/vnd.mapbox-vector-tile", "source/4/1/0/1@2x": "image/png",
		"data/6": "application/json", "sprite/0@2x.png": "image/png", "sprite/0.json": "application/json", "glyphs/Noto Sans/0-255.pbf": "application/x-protobuf",
	} {
		a, err := m.Get(t.Context(), path)
		if err != nil || a.Type != want || len(a.Body) == 0 {
			t.Errorf("%s: %q, %d bytes, %v", path, a.Type, len(a.Body), err)
		}
		if path == "source/5/3/1/1" && !bytes.Equal(a.Body, mvt) {
			t.Errorf("a compressed tile came as % x", a.Body)
		}
	}
	if o.times("/sprite@2x.png?key=1") != 1 {
		t.Errorf("the sprite's key is lost: %v", o.asked)
	}
	if a, err := m.Get(t.Context(), "source/5/2/3/3"); err != nil || !a.Empty {
		t.Errorf("a tile that is not there: %+v, %v", a, err)
	}
	if _, err := m.Get(t.Context(), "source/5/4/1/1"); !errors.Is(err, ErrOutside) {
		t.Errorf("a page in place of a tile: %v", err)
	}
}

func TestWhatDoesNotFollowFromTheStyleIsNotThere(t *testing.T) {
	o, clk := city(t), &clock{}
	m := open(t, Config{Style: o.URL + "/style.json", AllowPrivate: true}, t.TempDir(), clk)
	if _, err := m.Get(t.Context(), "style.json"); err != nil {
		t.Fatal(err)
	}
	before := len(o.asked)
	for _, path := range []string{
		"", "tiles.pmtiles", "source/5", "source/9/0/0/0", "source/2/0/0/0", "source/5/7/0/0", "source/5/2/4/0", "source/5/2/-1/0", "source/5/02/1/1", "source/5/2/1/1@2x",
		"source/5/2/1/..", "source/4/4/0/0", "data/2", "data/9", "sprite/1.png", "sprite/0.svg", "sprite/0@3x.png", "glyphs/Arial/0-255.pbf", "glyphs/Noto Sans/1-256.pbf",
		"glyphs/Noto Sans/0-256.pbf", "glyphs/Noto Sans/00-255.pbf", "glyphs/Noto Sans/65536-65791.pbf", "../style.json", "http://169.254.169.254/", "image/0",
	} {
		if _, err := m.Get(t.Context(), path); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if len(o.asked) != before {
		t.Errorf("the outside was asked: %v", o.asked)
	}
}

func TestTheLastAnswerServesWhenTheOutsideIsDown(t *testing.T) {
	o, clk, dir := city(t), &clock{}, t.TempDir()
	m := open(t, Config{Style: o.URL + "/style.json", AllowPrivate: true}, dir, clk)
	for range 3 {
		if _, err := m.Get(t.Context(), "source/5/2/1/1"); err != nil {
			t.Fatal(err)
		}
	}
	if n := o.times("/t/2/1/1.pbf?key=secret"); n != 1 {
		t.Errorf("a fresh tile was asked for %d times", n)
	}
	o.broken.Store(true)
	clk.pass(25 * time.Hour)
	a, err := m.Get(t.Context(), "source/5/2/1/1")
	if err != nil || !bytes.Equal(a.Body, mvt) || a.Age != 25*time.Hour {
		t.Errorf("age %v, % x, %v", a.Age, a.Body, err)
	}
	if _, err := m.Get(t.Context(), "source/5/1/0/0"); !errors.Is(err, ErrOutside) {
		t.Errorf("a tile we never had: %v", err)
	}
	asked := len(o.asked)
	if _, err := m.Get(t.Context(), "source/5/1/1/0"); !errors.Is(err, ErrOutside) || len(o.asked) != asked {
		t.Errorf("a host that failed a moment ago is asked again: %v", err)
	}
	// A new life without the outside: style and tile come from disk.
	_ = m.Close()
	m = open(t, Config{Style: o.URL + "/style.json", AllowPrivate: true}, dir, clk)
	if a, err = m.Get(t.Context(), "style.json"); err != nil || a.Age != 25*time.Hour {
		t.Errorf("the style of yesterday: age %v, %v", a.Age, err)
	}
	if a, err = m.Get(t.Context(), "source/5/2/1/1"); err != nil || len(a.Body) != len(mvt) {
		t.Errorf("the tile of yesterday: %v", err)
	}
	// Without a word of it there is none, and nothing hangs.
	m = open(t, Config{Style: o.URL + "/style.json", AllowPrivate: true}, t.TempDir(), clk)
	if _, err := m.Get(t.Context(), "style.json"); !errors.Is(err, ErrOutside) {
		t.Errorf("no style at all: %v", err)
	}
}

// The server is never led to where the configuration does not send it: not by the style, not by a redirect, not by a name.
func TestNobodyLeadsUsAstray(t *testing.T) {
	var victim atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		victim.Add(1)
		_, _ = w.Write(mvt)
	}))
	t.Cleanup(inner.Close)
	innerURL, _ := url.Parse(inner.URL)
	o, clk := newOutsider(t), &clock{}
	to := func(address string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, address, http.StatusFound) }
	}
	o.give("/style.json", []byte(`{"version":8,"sources":{"a":{"type":"vector","tiles":["`+o.URL+`/{z}/{x}/{y}"]}},"layers":[]}`))
	o.pages["/0/0/0"] = to(inner.URL + "/x")
	o.pages["/1/0/0"] = to("http://169.254.169.254/latest/meta-data")
	o.pages["/1/0/1"] = to("file:///etc/passwd")
	o.pages["/1/1/0"] = to("http://user:pass@" + innerURL.Host + "/")
	o.pages["/1/1/1"] = to(o.URL + "/1/1/1")
	m := open(t, Config{Style: o.URL + "/style.json", AllowPrivate: true, Hosts: []string{"169.254.169.254"}}, t.TempDir(), clk)
	for _, path := range []string{"0/0/0", "1/0/0", "1/0/1", "1/1/0", "1/1/1"} {
		if _, err := m.Get(t.Context(), "source/0/"+path); !errors.Is(err, bounded.ErrAddress) {
			t.Errorf("%s: %v", path, err)
		}
	}
	// Without allow_private the house's own networks are closed, by address and by name, and hosts alone opens nothing.
	for _, at := range []string{o.URL, strings.Replace(o.URL, "127.0.0.1", "localhost", 1), "http://[::1]:1", "http://10.255.255.1:1", "http://169.254.169.254"} {
		m := open(t, Config{Style: at + "/style.json"}, t.TempDir(), clk)
		before := len(o.asked)
		if _, err := m.Get(t.Context(), "style.json"); !errors.Is(err, bounded.ErrAddress) || len(o.asked) != before {
			t.Errorf("%s: %v", at, err)
		}
	}
	if victim.Load() != 0 {
		t.Errorf("%d requests reached the inner server", victim.Load())
	}
	if !strings.Contains(inner.URL, "127.0.0.1") {
		t.Error("the inner server is not where the test thinks")
	}
}

func TestBoundsOfWhatComes(t *testing.T) {
	o, clk := newOutsider(t), &clock{}
	o.give("/style.json", []byte(`{"version":8,"sources":{"a":{"type":"vector","tiles":["`+o.URL+`/{z}/{x}/{y}"]}},"layers":[]}`))
	o.give("/0/0/0", append(append([]byte{}, mvt...), make([]byte, vectorTile.most)...))
	o.give("/1/0/0", zipped(append(append([]byte{}, mvt...), make([]byte, 5*vectorTile.most)...)))
	m := open(t, Config{Style: o.URL + "/style.json", AllowPrivate: true}, t.TempDir(), clk)
	for _, path := range []string{"0/0/0", "1/0/0"} {
		if _, err := m.Get(t.Context(), "source/0/"+path); !errors.Is(err, ErrOutside) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for name, bad := range map[string]string{"not JSON": "<html>", "old": `{"version":7,"sources":{}}`, "nothing of use": `{"version":8,"sources":{"a":{"type":"video"}}}`, "twice": `{"version":8,"version":8}`} {
		o.give("/bad.json", []byte(bad))
		m := open(t, Config{Style: o.URL + "/bad.json", AllowPrivate: true}, t.TempDir(), clk)
		if _, err := m.Get(t.Context(), "style.json"); !errors.Is(err, ErrOutside) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Get(ctx, "source/0/1/1/1"); err == nil {
		t.Error("an answer for nobody")
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	clk := &clock{}
	c, err := openCache(filepath.Join(t.TempDir(), "cache"), clk.now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.close() }()
	c.most = 10_000
	for i := range 50 {
		clk.pass(time.Second)
		if err := c.put(fmt.Sprint(i), make([]byte, 992)); err != nil {
			t.Fatal(err)
		}
		c.get("0") // whoever is asked for stays
	}
	if c.total > c.most {
		t.Errorf("%d bytes", c.total)
	}
	if _, ok := c.get("0"); !ok {
		t.Error("the one in use is gone")
	}
	if _, ok := c.get("1"); ok {
		t.Error("the oldest is still there")
	}
}

func TestConfigFaults(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{Style: "https://a.example/s.json", PMTiles: "x"}, "style: pmtiles is given as well"},
		{Config{Style: "tiles"}, "style: "},
		{Config{Style: "ftp://a/b"}, "style: "},
		{Config{Style: "https://u:p@a/b"}, "style: an address with a user"},
		{Config{Style: "https://a/b", Hosts: []string{"https://x"}}, "hosts[0]: "},
		{Config{Hosts: []string{"x"}}, "hosts: is of use with style only"},
		{Config{AllowPrivate: true}, "allow_private: "},
		{Config{Attribution: "x"}, "attribution: "},
	} {
		faults := c.config.Validate()
		if len(faults) == 0 || !strings.HasPrefix(errors.Join(faults...).Error(), c.want) && !strings.Contains(errors.Join(faults...).Error(), "\n"+c.want) {
			t.Errorf("%+v: %v", c.config, faults)
		}
	}
	if m, err := Open(Config{}, Deps{Log: zerolog.Nop()}); m != nil || err != nil || m.Info().Kind != "none" {
		t.Errorf("none: %v, %v", m, err)
	}
}
