package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"kentongan/server/access"
	"kentongan/server/problem"
)

// asset is one file of the screens, kept in memory in both forms. The second is made when it is first asked for: the map alone would
// cost the start more than it may take.
type asset struct {
	plain  []byte
	zipped func() []byte // nil where compressing saves nothing
	media  string
	tag    string
	cache  string
}

// Hashed names never change their content; pages and marks are asked for again.
const (
	forever = "public, max-age=31536000, immutable"
	revisit = "no-cache"
)

// administrative is what the parts of /admin need: whoever holds one of them has something to do there.
var administrative = []access.Action{access.WriteFeeds, access.WriteKeys, access.ReadPeople, access.Approve, access.WriteDevices, access.ReadPrivacy, access.WriteContacts}

// pages registers the screens and every file they need. The files are public: they hold no data.
func (s *server) pages() error {
	if s.Files == nil {
		return nil
	}
	html := map[string]*asset{}
	err := fs.WalkDir(s.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		text, err := fs.ReadFile(s.Files, name)
		if err != nil {
			return err
		}
		a := assetOf(name, text)
		if path.Ext(name) == ".html" {
			html[strings.TrimSuffix(name, ".html")] = a
			return nil
		}
		if strings.ContainsAny(name, "{} ") {
			return fmt.Errorf("screens: %q is no name for an address", name)
		}
		s.table.handle("GET /"+name, anyone(), a.serve)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the screens: %w", err)
	}
	s.table.handle("GET /{$}", screen(access.ReadThings), func(w http.ResponseWriter, r *http.Request) {
		to := "/wall"
		if s.sees(r.Context()).who.Who.Unit != "" { // a crew has a task, and a phone that shows no wall
			to = "/field"
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
	s.table.handle("GET /wall", screen(access.ReadThings), pageOf(html["wall"]))
	s.table.handle("GET /console", screen(access.ReadIncidents), pageOf(html["console"]))
	s.table.handle("GET /briefing", screen(access.ReadBriefing), pageOf(html["briefing"]))
	s.table.handle("GET /field", screen(access.ArriveIncident), placed(pageOf(html["field"])))
	s.table.handle("GET /admin", screen(access.ReadFeeds).or(administrative...), pageOf(html["admin"]))
	s.table.handle("GET /admin/gallery", screen(access.ReadFeeds).or(administrative...), pageOf(html["gallery"]))
	s.table.handle("GET /login", anyone(), pageOf(html["login"]))
	s.table.handle("GET /public", anyone(), pageOf(html["public"]))
	return nil
}

// placed serves a page that may ask its browser where it is, as no other page of ours may.
func placed(page http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Permissions-Policy", placedPolicy)
		page(w, r)
	}
}

func pageOf(a *asset) http.HandlerFunc {
	if a == nil {
		return func(w http.ResponseWriter, _ *http.Request) {
			tell(w, problem.NoScreens, "run make build")
		}
	}
	return a.serve
}

func assetOf(name string, text []byte) *asset {
	sum := sha256.Sum256(text)
	a := &asset{plain: text, media: mediaOf(name), tag: `"` + hex.EncodeToString(sum[:12]) + `"`, cache: revisit}
	if strings.HasPrefix(name, "assets/") {
		a.cache = forever
	}
	a.zipped = sync.OnceValue(func() []byte { return zip(a.media, a.plain) })
	return a
}

// zip compresses what is text.
func zip(media string, text []byte) []byte {
	if !strings.HasPrefix(media, "text/") && !strings.Contains(media, "json") && !strings.Contains(media, "svg") {
		return nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(text) // a buffer takes everything
	_ = z.Close()
	if b.Len() > len(text)*9/10 {
		return nil
	}
	return b.Bytes()
}

// mediaOf names the types we build; the system's own table may lack or twist them.
func mediaOf(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".json", ".geojson":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.media)
	h.Set("Cache-Control", a.cache)
	h.Set("ETag", a.tag)
	h.Add("Vary", "Accept-Encoding")
	for have := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if have = strings.TrimPrefix(strings.TrimSpace(have), "W/"); have == a.tag || have == "*" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	out := a.plain
	if takesGzip(r) {
		if z := a.zipped(); z != nil {
			h.Set("Content-Encoding", "gzip")
			out = z
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(out)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(out)
	}
}
