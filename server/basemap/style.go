package basemap

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"kentongan/feeds/bounded"
)

// maxSources bounds what one style may make us ask.
const maxSources = 64

// style is an outside style whose addresses are ours, and where each of ours leads.
type style struct {
	body        []byte
	age         time.Duration // since the outside gave it, when it was read
	at          time.Time     // when that was, by our clock
	targets     map[string]target
	fonts       map[string]bool // that layers name
	attribution string
	refused     []string // what was left out, and why
}

// target is where an address of ours leads.
type target struct {
	kind             kindOf
	address          string   // of one document, or a template of glyphs
	templates        []string // of tiles, with {z}, {x}, {y} and perhaps {ratio}
	minZoom, maxZoom int
	ratio            bool
}

// object is a JSON object whose numbers stay as they were written.
type object = map[string]any

// topKeys are the parts of a style that are passed on. All others may name addresses that we do not know of.
var topKeys = []string{"version", "name", "center", "zoom", "bearing", "pitch", "light", "sky", "terrain", "projection", "transition", "sources", "sprite", "glyphs", "layers"}

// sourceKeys are the parts of a source that are passed on.
var sourceKeys = []string{"type", "minzoom", "maxzoom", "bounds", "scheme", "tileSize", "encoding", "redFactor", "greenFactor", "blueFactor", "baseShift", "buffer", "tolerance",
	"cluster", "clusterRadius", "clusterMaxZoom", "clusterMinPoints", "clusterProperties", "lineMetrics", "generateId", "promoteId", "filter", "coordinates"}

// reader rewrites one style.
type reader struct {
	style   *style
	allowed func(*url.URL) error
	fetch   func(ctx context.Context, address string, kind kindOf) (Answer, error)
	words   []string // attributions
}

// readStyle fetches a style and makes it ours.
func readStyle(ctx context.Context, address string, allowed func(*url.URL) error, fetch func(ctx context.Context, address string, kind kindOf) (Answer, error)) (*style, error) {
	root, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("style: an address that cannot be read")
	}
	r := &reader{style: &style{targets: map[string]target{}, fonts: map[string]bool{}}, allowed: allowed, fetch: fetch}
	doc, age, err := r.document(ctx, address, styleKind)
	if err != nil {
		return nil, fmt.Errorf("style: %w", err)
	}
	if v, _ := doc["version"].(json.Number); v != "8" {
		return nil, fmt.Errorf("style: it is of version %q; 8 is read", v)
	}
	maps.DeleteFunc(doc, func(k string, _ any) bool { return !slices.Contains(topKeys, k) })
	sources, _ := doc["sources"].(object)
	if len(sources) > maxSources {
		return nil, fmt.Errorf("style: %d sources; %d are read", len(sources), maxSources)
	}
	for i, name := range slices.Sorted(maps.Keys(sources)) {
		source, _ := sources[name].(object)
		if err := r.source(ctx, root, i, source); err != nil {
			r.refuse("source %.60q is left out: %v", name, err)
			delete(sources, name)
		}
	}
	r.sprites(root, doc)
	r.layers(doc, sources)
	r.glyphs(root, doc)
	if len(sources) == 0 {
		return nil, errors.New("style: none of its sources can be used: " + strings.Join(r.style.refused, "; "))
	}
	r.style.age = age
	r.style.attribution = strings.Join(r.words, ", ")
	doc["metadata"] = object{"attribution": r.style.attribution} // for screens that asked who we are before we knew
	if r.style.body, err = json.Marshal(doc); err != nil {
		return nil, fmt.Errorf("style: %w", err)
	}
	return r.style, nil
}

func (r *reader) refuse(format string, args ...any) {
	r.style.refused = append(r.style.refused, fmt.Sprintf(format, args...))
}

// document fetches a JSON object.
func (r *reader) document(ctx context.Context, address string, kind kindOf) (object, time.Duration, error) {
	a, err := r.fetch(ctx, address, kind)
	if err != nil {
		return nil, 0, err
	}
	if err := bounded.JSON(a.Body, bounded.DefaultDepth); err != nil {
		return nil, 0, err
	}
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	var doc object
	if err := d.Decode(&doc); err != nil {
		return nil, 0, err
	}
	return doc, a.Age, nil
}

// resolve makes an address absolute and checks that we may ask it. Braces of templates stay as they are.
func (r *reader) resolve(base *url.URL, text string) (string, error) {
	// url.Parse would escape the braces of a template; they stand in the path or query only, where x is as good.
	u, err := base.Parse(braces.Replace(text))
	if err != nil {
		return "", errors.New("an address that cannot be read")
	}
	if err := r.allowed(u); err != nil {
		return "", err
	}
	u.Fragment = ""
	return unbraces.Replace(u.String()), nil
}

var (
	braces   = strings.NewReplacer("{", "kt-open-", "}", "-kt-close")
	unbraces = strings.NewReplacer("kt-open-", "{", "-kt-close", "}")
)

// source rewrites one source in place.
func (r *reader) source(ctx context.Context, root *url.URL, number int, source object) error {
	kind, _ := source["type"].(string)
	own := fmt.Sprint(number)
	switch kind {
	case "vector":
		return r.tiles(ctx, root, own, source, vectorTile)
	case "raster", "raster-dem":
		return r.tiles(ctx, root, own, source, rasterTile)
	case "geojson":
		return r.one(root, "data/"+own, source, "data", dataKind)
	case "image":
		return r.one(root, "image/"+own, source, "url", rasterTile)
	default:
		return fmt.Errorf("a source of type %.30q is not read", kind)
	}
}

// one rewrites a source of one document.
func (r *reader) one(root *url.URL, path string, source object, key string, kind kindOf) error {
	text, outside := source[key].(string)
	r.attribute(source)
	kept := source[key]
	r.strip(source)
	if !outside { // GeoJSON may stand in the style itself
		source[key] = kept
		return nil
	}
	address, err := r.resolve(root, text)
	if err != nil {
		return err
	}
	r.style.targets[path] = target{kind: kind, address: address}
	source[key] = Root + path
	return nil
}

func (r *reader) tiles(ctx context.Context, root *url.URL, own string, source object, kind kindOf) error {
	base := root
	if text, ok := source["url"].(string); ok {
		address, err := r.resolve(root, text)
		if err != nil {
			return err
		}
		doc, _, err := r.document(ctx, address, tileJSON)
		if err != nil {
			return fmt.Errorf("its TileJSON: %w", err)
		}
		if base, err = url.Parse(address); err != nil {
			return err
		}
		for _, key := range []string{"tiles", "minzoom", "maxzoom", "bounds", "scheme", "attribution"} {
			if v, given := doc[key]; given && source[key] == nil {
				source[key] = v
			}
		}
	}
	t := target{kind: kind, minZoom: zoom(source["minzoom"], 0), maxZoom: zoom(source["maxzoom"], 22)}
	list, _ := source["tiles"].([]any)
	for _, v := range list {
		text, _ := v.(string)
		address, err := r.template(base, text)
		if err != nil {
			return err
		}
		t.templates = append(t.templates, address)
		t.ratio = t.ratio || strings.Contains(address, "{ratio}")
	}
	if len(t.templates) == 0 {
		return errors.New("it names no tiles")
	}
	r.attribute(source)
	r.strip(source)
	r.style.targets["source/"+own] = t
	ratio := ""
	if t.ratio {
		ratio = "{ratio}"
	}
	source["tiles"] = []string{Root + "source/" + own + "/{z}/{x}/{y}" + ratio}
	return nil
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// template checks the address of tiles.
func (r *reader) template(base *url.URL, text string) (string, error) {
	for _, p := range placeholder.FindAllString(text, -1) {
		if !slices.Contains([]string{"{z}", "{x}", "{y}", "{ratio}"}, p) {
			return "", fmt.Errorf("tiles addressed by %.30s are not read", p)
		}
	}
	for _, p := range []string{"{z}", "{x}", "{y}"} {
		if !strings.Contains(text, p) {
			return "", fmt.Errorf("the address of its tiles lacks %s", p)
		}
	}
	address, err := r.resolve(base, text)
	if err != nil {
		return "", err
	}
	if at := strings.IndexByte(address, '{'); at < len("https://")+1 || strings.Count(address[:at], "/") < 3 {
		return "", errors.New("a placeholder stands in the host of its tiles")
	}
	return address, nil
}

// strip leaves of a source only what cannot lead elsewhere.
func (r *reader) strip(source object) {
	maps.DeleteFunc(source, func(k string, _ any) bool { return !slices.Contains(sourceKeys, k) })
}

func (r *reader) attribute(source object) {
	text, _ := source["attribution"].(string)
	if text = plain(text); text != "" && !slices.Contains(r.words, text) {
		r.words = append(r.words, text)
	}
}

func zoom(v any, without int) int {
	n, ok := v.(json.Number)
	if !ok {
		return without
	}
	f, err := n.Float64()
	if err != nil || f < 0 || f > 30 {
		return without
	}
	return int(f)
}

// sprites rewrites the one sprite, or the list of them.
func (r *reader) sprites(root *url.URL, doc object) {
	var list []any
	switch v := doc["sprite"].(type) {
	case string:
		list = []any{object{"id": "default", "url": v}}
	case []any:
		list = v
	}
	delete(doc, "sprite")
	var out []object
	for i, v := range list {
		one, _ := v.(object)
		text, _ := one["url"].(string)
		address, err := r.resolve(root, text)
		if err != nil {
			r.refuse("a sprite is left out: %v", err)
			continue
		}
		path := fmt.Sprintf("sprite/%d", i)
		r.style.targets[path] = target{address: address}
		out = append(out, object{"id": one["id"], "url": Root + path})
	}
	if len(out) > 0 {
		doc["sprite"] = out
	}
}

// layers drops those whose source is not there, and remembers the fonts of the others.
func (r *reader) layers(doc, sources object) {
	list, _ := doc["layers"].([]any)
	out := []any{}
	for _, v := range list {
		layer, ok := v.(object)
		if !ok {
			continue
		}
		if name, given := layer["source"].(string); given && sources[name] == nil {
			continue
		}
		delete(layer, "metadata")
		if layout, ok := layer["layout"].(object); ok {
			r.fontsOf(layout["text-font"])
		}
		out = append(out, layer)
	}
	doc["layers"] = out
}

func (r *reader) fontsOf(v any) {
	switch t := v.(type) {
	case string:
		r.style.fonts[t] = true
	case []any:
		for _, e := range t {
			r.fontsOf(e)
		}
	case object:
		for _, e := range t {
			r.fontsOf(e)
		}
	}
}

func (r *reader) glyphs(root *url.URL, doc object) {
	text, given := doc["glyphs"].(string)
	delete(doc, "glyphs")
	if !given || len(r.style.fonts) == 0 {
		return
	}
	address, err := r.resolve(root, text)
	if err != nil || !strings.Contains(address, "{fontstack}") || !strings.Contains(address, "{range}") {
		r.refuse("the glyphs are left out: %v", err)
		return
	}
	r.style.targets["glyphs"] = target{kind: glyphKind, address: address}
	doc["glyphs"] = Root + "glyphs/{fontstack}/{range}.pbf"
}

// escape writes a font stack into a path.
func escape(stack string) string { return strings.ReplaceAll(url.PathEscape(stack), ",", "%2C") }

var (
	tag    = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// plain takes the marks off an attribution, which is HTML by custom: what others write is never more than text to us.
func plain(text string) string {
	text = spaces.ReplaceAllString(html.UnescapeString(tag.ReplaceAllString(text, " ")), " ")
	text = strings.TrimSpace(text)
	if r := []rune(text); len(r) > 200 {
		text = string(r[:200])
	}
	return text
}
