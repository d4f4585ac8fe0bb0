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

	"kentongan/server/auth"
)

// asset is one file of the screens, kept in memory in both forms.
type asset struct {
	plain, zipped []byte // zipped is nil where it saves nothing
	media         string
	tag           string
	cache         string
}

// Hashed names never change their content; pages and marks are asked for again.
const (
	forever = "public, max-age=31536000, immutable"
	revisit = "no-cache"
)

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
	s.table.handle("GET /{$}", screen(auth.ReadThings), func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/wall", http.StatusSeeOther)
	})
	s.table.handle("GET /wall", screen(auth.ReadThings), pageOf(html["wall"]))
	s.table.handle("GET /login", anyone(), pageOf(html["login"]))
	return nil
}

func pageOf(a *asset) http.HandlerFunc {
	if a == nil {
		return func(w http.ResponseWriter, _ *http.Request) {
			problem(w, http.StatusServiceUnavailable, "the screens are not built into this binary", "run make build")
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
	if strings.HasPrefix(a.media, "text/") || strings.Contains(a.media, "json") || strings.Contains(a.media, "svg") || strings.Contains(a.media, "javascript") {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a valid one
		_, _ = z.Write(text)
		_ = z.Close()
		if b.Len() < len(text)*9/10 {
			a.zipped = b.Bytes()
		}
	}
	return a
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
	if a.zipped != nil && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		out = a.zipped
	}
	h.Set("Content-Length", strconv.Itoa(len(out)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(out)
	}
}
