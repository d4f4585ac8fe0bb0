package basemap

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/singleflight"

	"kentongan/feeds/bounded"
)

// renewEvery is how often the style is read again; retryEvery while it could not be read at all.
const (
	renewEvery = time.Hour
	retryEvery = 30 * time.Second
)

// kindOf is what an address of the outside holds: how large it may be, how long it is fresh, and how its bytes are known to be that.
type kindOf struct {
	name  string
	most  int64
	fresh time.Duration
	media func(body []byte) string // empty: it is not what it should be
}

var (
	styleKind   = kindOf{"style", 4 << 20, renewEvery, jsonMedia}
	tileJSON    = kindOf{"TileJSON", 1 << 20, renewEvery, jsonMedia}
	vectorTile  = kindOf{"vector tile", 4 << 20, 24 * time.Hour, vectorMedia}
	rasterTile  = kindOf{"picture", 4 << 20, 24 * time.Hour, pictureMedia}
	dataKind    = kindOf{"GeoJSON", 16 << 20, 24 * time.Hour, jsonMedia}
	spriteJSON  = kindOf{"sprite index", 2 << 20, 24 * time.Hour, jsonMedia}
	spriteImage = kindOf{"sprite", 4 << 20, 24 * time.Hour, pictureMedia}
	glyphKind   = kindOf{"glyphs", 2 << 20, 30 * 24 * time.Hour, glyphMedia}
)

func jsonMedia(body []byte) string {
	if bounded.JSONDocument(body) != nil {
		return ""
	}
	return "application/json"
}

// vectorMedia knows a vector tile by its first field, a layer (Mapbox Vector Tile 2.1, field 3).
func vectorMedia(body []byte) string {
	if len(body) > 0 && body[0] != 0x1a {
		return ""
	}
	return "application/vnd.mapbox-vector-tile"
}

// glyphMedia knows glyphs by their first field, a font stack (field 1).
func glyphMedia(body []byte) string {
	if len(body) > 0 && body[0] != 0x0a {
		return ""
	}
	return "application/x-protobuf"
}

// pictureMedia lets through what a browser only ever draws: no SVG, which may hold a program.
func pictureMedia(body []byte) string {
	switch t := http.DetectContentType(body); {
	case slices.Contains([]string{"image/png", "image/jpeg", "image/webp"}, t):
		return t
	case len(body) > 12 && bytes.Equal(body[4:12], []byte("ftypavif")):
		return "image/avif"
	default:
		return ""
	}
}

// outside is the style of somebody else, and what we have of it.
type outside struct {
	address string
	client  *client
	cache   *cache
	flights singleflight.Group
	now     func() time.Time
	log     zerolog.Logger

	mu    sync.Mutex
	style *style // nil until it was read
}

func newOutside(c Config, d Deps) (*outside, error) {
	kept, err := openCache(d.Dir, d.Now)
	if err != nil {
		return nil, err
	}
	return &outside{address: c.Style, client: newClient(c, d), cache: kept, now: d.Now, log: d.Log}, nil
}

func (o *outside) close() error {
	o.client.http.CloseIdleConnections()
	return o.cache.close()
}

func (o *outside) run(ctx context.Context) error {
	for {
		wait := renewEvery
		if err := o.renew(ctx); err != nil && ctx.Err() == nil {
			o.log.Warn().Err(err).Msg("the base map's style cannot be read; screens show our own layers")
			wait = retryEvery
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// renew reads the style and everything that it takes to rewrite it.
func (o *outside) renew(ctx context.Context) error {
	next, err := readStyle(ctx, o.address, o.client.allowed, func(ctx context.Context, address string, kind kindOf) (Answer, error) {
		return o.fetch(ctx, address, kind)
	})
	if err != nil {
		return err
	}
	next.at = o.now().Add(-next.age)
	o.mu.Lock()
	first := o.style == nil
	o.style = next
	o.mu.Unlock()
	if first {
		for _, why := range next.refused {
			o.log.Warn().Msg("base map: " + why)
		}
		o.log.Info().Int("targets", len(next.targets)).Msg("the base map's style is read")
	}
	return nil
}

func (o *outside) current() *style {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.style
}

func (o *outside) attribution() string {
	if s := o.current(); s != nil {
		return s.attribution
	}
	return ""
}

var glyphRange = regexp.MustCompile(`^(\d{1,5})-(\d{1,5})\.pbf$`)

// answer finds what a path below Root stands for. Only what follows from the style is there.
func (o *outside) answer(ctx context.Context, path string) (Answer, error) {
	s := o.current()
	if s == nil {
		// Nobody has read it yet: a screen that is quicker than we waits for it.
		read := o.flights.DoChan("the style", func() (any, error) { return nil, o.renew(context.WithoutCancel(ctx)) })
		var err error
		select {
		case got := <-read:
			err = got.Err
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		if s = o.current(); s == nil {
			return Answer{}, fmt.Errorf("%w: %w", ErrOutside, err)
		}
	}
	if path == stylePath {
		return Answer{Body: s.body, Type: "application/json", Age: o.now().Sub(s.at)}, nil
	}
	address, kind, ok := s.find(path)
	if !ok {
		return Answer{}, ErrNotFound
	}
	a, err := o.fetch(ctx, address, kind)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrOutside, err)
	}
	return a, nil
}

// fetch gives what is at an address: from the cache while it is fresh, else from outside, else from the cache with its age. Many who ask
// for one address at once are one question, which goes on when they leave.
func (o *outside) fetch(ctx context.Context, address string, kind kindOf) (Answer, error) {
	have, ok := o.cache.get(address)
	if ok && o.now().Sub(have.at) < kind.fresh {
		return o.made(have, kind), nil
	}
	flight := o.flights.DoChan(address, func() (any, error) {
		body, err := o.client.get(context.WithoutCancel(ctx), address, kind.most)
		if err != nil {
			return nil, err
		}
		if body != nil && kind.media(body) == "" {
			return nil, fmt.Errorf("what came is no %s", kind.name)
		}
		if err := o.cache.put(address, body); err != nil {
			o.log.Debug().Err(err).Msg("an answer could not be kept")
		}
		return kept{body, o.now()}, nil
	})
	select {
	case got := <-flight:
		if got.Err == nil {
			return o.made(got.Val.(kept), kind), nil
		}
		if ok {
			return o.made(have, kind), nil
		}
		return Answer{}, got.Err
	case <-ctx.Done():
		if ok {
			return o.made(have, kind), nil
		}
		return Answer{}, context.Cause(ctx)
	}
}

func (o *outside) made(k kept, kind kindOf) Answer {
	return Answer{Body: k.body, Type: kind.media(k.body), Age: max(0, o.now().Sub(k.at)), Empty: len(k.body) == 0}
}

// find turns a path below Root into an address of the outside.
func (s *style) find(path string) (address string, kind kindOf, ok bool) {
	parts := strings.Split(path, "/")
	switch {
	case parts[0] == "source" && len(parts) == 5:
		return s.tile(parts[1:])
	case (parts[0] == "data" || parts[0] == "image") && len(parts) == 2:
		t, ok := s.targets[path]
		return t.address, t.kind, ok
	case parts[0] == "sprite" && len(parts) == 2:
		return s.sprite(parts[1])
	case parts[0] == "glyphs" && len(parts) == 3:
		return s.glyph(parts[1], parts[2])
	}
	return "", kind, false
}

func (s *style) tile(parts []string) (address string, kind kindOf, ok bool) {
	t, ok := s.targets["source/"+parts[0]]
	if !ok {
		return "", kind, false
	}
	last := strings.TrimSuffix(parts[3], "@2x")
	var n [3]int
	for i, text := range []string{parts[1], parts[2], last} {
		v, err := strconv.Atoi(text)
		if err != nil || v < 0 || strconv.Itoa(v) != text {
			return "", kind, false
		}
		n[i] = v
	}
	z, x, y := n[0], n[1], n[2]
	if z < t.minZoom || z > t.maxZoom || x >= 1<<z || y >= 1<<z {
		return "", kind, false
	}
	ratio := ""
	if last != parts[3] {
		if !t.ratio {
			return "", kind, false
		}
		ratio = "@2x"
	}
	template := t.templates[(x+y)%len(t.templates)]
	return strings.NewReplacer("{z}", strconv.Itoa(z), "{x}", strconv.Itoa(x), "{y}", strconv.Itoa(y), "{ratio}", ratio).Replace(template), t.kind, true
}

// sprite knows "0.json", "0.png", "0@2x.json" and "0@2x.png".
func (s *style) sprite(name string) (address string, kind kindOf, ok bool) {
	base, ext, ok := strings.Cut(name, ".")
	if !ok || ext != "json" && ext != "png" {
		return "", kind, false
	}
	number, ratio := strings.CutSuffix(base, "@2x")
	t, ok := s.targets["sprite/"+number]
	if !ok {
		return "", kind, false
	}
	suffix := "." + ext
	if ratio {
		suffix = "@2x" + suffix
	}
	// The suffix belongs before a query: https://h/sprite?key=1.
	at, query, cut := strings.Cut(t.address, "?")
	if address = at + suffix; cut {
		address += "?" + query
	}
	if ext == "png" {
		return address, spriteImage, true
	}
	return address, spriteJSON, true
}

// glyph knows the font stacks that the style's layers name, in ranges of 256 characters.
func (s *style) glyph(stack, name string) (address string, kind kindOf, ok bool) {
	t, ok := s.targets["glyphs"]
	m := glyphRange.FindStringSubmatch(name)
	if !ok || m == nil {
		return "", kind, false
	}
	from, _ := strconv.Atoi(m[1]) // digits, by the pattern
	to, _ := strconv.Atoi(m[2])
	if from%256 != 0 || to != from+255 || to > 65535 || name != fmt.Sprintf("%d-%d.pbf", from, to) {
		return "", kind, false
	}
	for font := range strings.SplitSeq(stack, ",") {
		if !s.fonts[font] {
			return "", kind, false
		}
	}
	return strings.NewReplacer("{fontstack}", escape(stack), "{range}", fmt.Sprintf("%d-%d", from, to)).Replace(t.address), t.kind, true
}
