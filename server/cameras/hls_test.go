package cameras

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"kentongan/feeds/bounded"
)

const master = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-SESSION-DATA:DATA-ID="x",URI="http://elsewhere.example/leak.json?key=` + queryKey + `"
# a comment with http://user:` + password + `@127.0.0.1/
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="suara, pasar",URI="audio/a.m3u8?key=` + queryKey + `"
#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a"

low/index.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="/hls/low/i.m3u8"
`

const media = `#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-KEY:METHOD=AES-128,URI="key?key=` + queryKey + `",IV=0x01
#EXT-X-MAP:URI="init.mp4",BYTERANGE="10@0"
#EXTINF:4.0,a title with http://127.0.0.1:1/
seg7.m4s?key=` + queryKey + `
#EXTINF:4,
#EXT-X-BYTERANGE:5@3
/hls/low/all.m4s
#EXT-X-PART:DURATION=1,URI="part.m4s"
`

// stream is a camera with playlists.
func stream(t *testing.T, more map[string]http.HandlerFunc) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
	}
	for path, serve := range map[string]http.HandlerFunc{
		"/hls/live.m3u8": text(master), "/hls/low/index.m3u8": text(media), "/hls/audio/a.m3u8": text(media), "/hls/low/i.m3u8": text(media),
		"/hls/low/seg7.m4s": text("0123456789"), "/hls/low/init.mp4": text("init-bytes"), "/hls/low/key": text("sixteen bytes ok"),
		"/hls/low/all.m4s": func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", newClock().now(), strings.NewReader("abcdefghij"))
		},
	} {
		if more[path] == nil {
			mux.HandleFunc(path, serve)
		}
	}
	for path, serve := range more {
		mux.HandleFunc(path, serve)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pass, _ := r.BasicAuth(); pass != password {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv
}

// get asks for a name as a browser does.
func get(t *testing.T, h *house, name string, head ...string) (*httptest.ResponseRecorder, error) {
	t.Helper()
	r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
	for i := 0; i < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	err := h.HLS(w, r, "camera:pasar", name, "user:dewi")
	silent(t, name, w.Body.String()+fmt.Sprint(w.Header(), err))
	return w, err
}

// named lists the names that a playlist gives.
func named(t *testing.T, playlist string) (names []string) {
	t.Helper()
	for line := range strings.Lines(playlist) {
		line = strings.TrimSpace(line)
		if _, after, found := strings.Cut(line, `URI="`); found {
			line, _, _ = strings.Cut(after, `"`)
		} else if strings.HasPrefix(line, "#") {
			continue
		}
		names = append(names, line)
	}
	return names
}

func TestPlaylistsNameOnlyUs(t *testing.T) {
	h := looking(t, stream(t, nil).URL, nil)
	w, err := get(t, h, Start)
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"SESSION-DATA", "comment", "elsewhere", "http"} {
		if strings.Contains(w.Body.String(), gone) {
			t.Errorf("%q stands in %s", gone, w.Body)
		}
	}
	lists := named(t, w.Body.String())
	if len(lists) != 3 || !strings.Contains(w.Body.String(), `NAME="suara, pasar",URI="`) {
		t.Fatalf("%s", w.Body)
	}
	for _, name := range lists {
		w, err := get(t, h, name)
		if err != nil || !strings.HasSuffix(name, ".m3u8") || w.Header().Get("Content-Type") != "application/vnd.apple.mpegurl" {
			t.Fatalf("%s: %v, %v", name, err, w.Header())
		}
		if strings.Contains(w.Body.String(), "title") || strings.Contains(w.Body.String(), "PART") {
			t.Errorf("%s", w.Body)
		}
	}
	w, _ = get(t, h, lists[1])
	again, _ := get(t, h, lists[1])
	if w.Body.String() != again.Body.String() {
		t.Error("a segment has another name the second time")
	}
	parts := named(t, w.Body.String())
	if len(parts) != 4 {
		t.Fatalf("%s", w.Body)
	}
	for i, want := range []string{"sixteen bytes ok", "init-bytes", "0123456789", "abcdefghij"} {
		if w, err := get(t, h, parts[i]); err != nil || w.Body.String() != want || w.Header().Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: %v, %q", parts[i], err, w.Body)
		}
	}
	w, err = get(t, h, parts[3], "Range", "bytes=3-7")
	if err != nil || w.Code != http.StatusPartialContent || w.Body.String() != "defgh" || w.Header().Get("Content-Range") != "bytes 3-7/10" {
		t.Errorf("a part: %v, %d, %q, %v", err, w.Code, w.Body, w.Header())
	}
	for name, err := range map[string]error{
		"other.m3u8": ErrNotNamed, "": ErrNotNamed, "../../etc/passwd": ErrNotNamed, "http://169.254.169.254/": ErrNotNamed,
		parts[0][:len(parts[0])-5] + "A.bin": ErrNotNamed, strings.TrimSuffix(parts[0], ".bin") + ".m3u8": ErrNotNamed,
	} {
		if _, got := get(t, h, name); !errors.Is(got, err) {
			t.Errorf("%q: %v", name, got)
		}
	}
	other, err := newSealer([]byte("another house"))
	if err != nil {
		t.Fatal(err)
	}
	forged, err := other.name("camera:pasar", "http://127.0.0.1/", false)
	if _, got := get(t, h, forged); err != nil || !errors.Is(got, ErrNotNamed) {
		t.Errorf("a name of another house: %v, %v", err, got)
	}
	foreign, err := h.sealer.name("camera:other", "http://127.0.0.1/", false)
	if _, got := get(t, h, foreign); err != nil || !errors.Is(got, ErrNotNamed) {
		t.Errorf("a name of another camera: %v, %v", err, got)
	}
}

// Each playlist is refused whole, and nothing that it names is asked.
func TestPlaylistsThatAreRefused(t *testing.T) {
	var asked atomic.Int64
	foreign := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer foreign.Close()
	for name, body := range map[string]string{
		"a page":           "<html>",
		"empty":            "",
		"another host":     "#EXTM3U\n#EXTINF:4,\n" + foreign.URL + "/seg.ts\n",
		"another scheme":   "#EXTM3U\n#EXTINF:4,\nfile:///etc/passwd\n",
		"no scheme":        "#EXTM3U\n#EXTINF:4,\n//169.254.169.254/latest\n",
		"data":             "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"data:text/plain,x\"\n",
		"skd":              "#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://x\"\n",
		"with a password":  "#EXTM3U\n#EXTINF:4,\nhttp://kota:" + password + "@127.0.0.1/seg.ts\n",
		"an open text":     "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\n",
		"a broken address": "#EXTM3U\n#EXTINF:4,\nhttp://[::1/seg\n",
		"variables":        "#EXTM3U\n#EXT-X-DEFINE:NAME=\"h\",VALUE=\"x\"\n#EXTINF:4,\n{$h}/seg.ts\n",
		"too long a line":  "#EXTM3U\n#EXTINF:4,\n" + strings.Repeat("a", mostAddress) + "\n",
		"too many lines":   "#EXTM3U\n" + strings.Repeat("\n", mostLines),
		"an address amiss": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,NAME=\"http://127.0.0.1:99/\"\nlow.m3u8\n",
		"too many bytes":   "#EXTM3U\n" + strings.Repeat("# "+strings.Repeat("x", 1000)+"\n", mostPlaylist/1000),
	} {
		t.Run(name, func(t *testing.T) {
			h := looking(t, stream(t, map[string]http.HandlerFunc{"/hls/live.m3u8": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }}).URL, nil)
			w, err := get(t, h, Start)
			if f := (*bounded.Fault)(nil); !errors.As(err, &f) || w.Body.Len() > 0 {
				t.Errorf("%v, %q", err, w.Body)
			}
		})
	}
	if asked.Load() > 0 {
		t.Error("a foreign host was asked")
	}
}

func TestSegmentsAreBounded(t *testing.T) {
	list := "#EXTM3U\n#EXTINF:4,\nseg.ts\n"
	var serve http.HandlerFunc
	h := looking(t, stream(t, map[string]http.HandlerFunc{
		"/hls/live.m3u8": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, list) },
		"/hls/seg.ts":    func(w http.ResponseWriter, r *http.Request) { serve(w, r) },
	}).URL, nil)
	w, err := get(t, h, Start)
	if err != nil {
		t.Fatal(err)
	}
	seg := named(t, w.Body.String())[0]
	serve = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>login</title>")
	}
	if _, err := get(t, h, seg); err == nil {
		t.Error("a page was passed on")
	}
	for _, mark := range []string{"", "\xef\xbb\xbf"} {
		serve = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, mark+media) }
		if _, err := get(t, h, seg); err == nil {
			t.Error("a playlist was passed on as it is")
		}
	}
	serve = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
	}
	if _, err := get(t, h, seg); err == nil {
		t.Error("a redirect to elsewhere was followed")
	}
	serve = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(mostSegment+1))
		w.WriteHeader(http.StatusOK)
	}
	if _, err := get(t, h, seg); err == nil {
		t.Error("a segment that says it is too long was passed on")
	}
	serve = func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte{0x47}, 1<<20)
		for range mostSegment>>20 + 2 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	cut := func() (v any) {
		defer func() { v = recover() }()
		_, err := get(t, h, seg)
		return err
	}()
	if cut != http.ErrAbortHandler {
		t.Errorf("an endless segment: %v", cut)
	}
	// As many as may are under way: one more is told so, and once they have ended it is not.
	hold, began := make(chan struct{}), make(chan struct{}, mostStreams)
	serve = func(w http.ResponseWriter, _ *http.Request) {
		began <- struct{}{}
		<-hold
		_, _ = w.Write([]byte{0x47})
	}
	done := make(chan error, mostStreams)
	for i := range mostStreams {
		go func() { _, err := get(t, h, seg, "Range", fmt.Sprintf("bytes=%d-", i)); done <- err }()
	}
	for range mostStreams {
		<-began
	}
	if _, err := get(t, h, seg); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	close(hold)
	for range mostStreams {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Whatever a camera sends, a playlist that is given holds no address.
func FuzzRewrite(f *testing.F) {
	f.Add([]byte(master))
	f.Add([]byte(media))
	names, err := newSealer([]byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	base, _ := url.Parse("http://camera.example/live.m3u8")
	f.Fuzz(func(t *testing.T, body []byte) {
		out, err := rewrite(body, base, func(u *url.URL, list bool) (string, error) { return names.name("c", u.String(), list) })
		if err == nil && (bytes.Contains(out, []byte("://")) || !bytes.HasPrefix(out, []byte("#EXTM3U"))) {
			t.Fatalf("%q", out)
		}
	})
}
