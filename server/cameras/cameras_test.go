package cameras

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/runner"
)

// What must never be told: a password, and a key in an address.
const (
	password = "rahasia-sekali-9481"
	queryKey = "kunci-alamat-7730"
)

// clock is a clock that a test moves.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC).UnixMilli())
	return c
}
func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func jpegOf(w, h int, shade uint8) []byte {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = shade
	}
	var out bytes.Buffer
	_ = jpeg.Encode(&out, m, nil) // into memory
	return out.Bytes()
}

func pngOf(w, h int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	m.Set(1, 1, color.White)
	var out bytes.Buffer
	_ = png.Encode(&out, m) // into memory
	return out.Bytes()
}

// house is a set of one camera at a server of the test, with everything that it logs.
type house struct {
	*Set
	clock *clock
	log   *bytes.Buffer
}

// looking gives a set of one camera; its still is at /still and its playlist at /hls/live.m3u8.
func looking(t *testing.T, at string, change func(*Config)) *house {
	t.Helper()
	c := Config{ID: "pasar", Name: "Pasar Raya", Lng: 100.65, Lat: -0.79, Still: runner.Secret(at + "/still?key=" + queryKey), HLS: runner.Secret(at + "/hls/live.m3u8?key=" + queryKey),
		Every: 10 * time.Second, AllowPrivate: true, Auth: runner.Auth{User: "kota", Password: password}}
	if change != nil {
		change(&c)
	}
	if faults := Validate([]Config{c}); len(faults) > 0 {
		t.Fatal(errors.Join(faults...))
	}
	h := &house{clock: newClock(), log: &bytes.Buffer{}}
	var err error
	if h.Set, err = New(Options{Cameras: []Config{c}, Secret: []byte("of the house"), UserAgent: "Kentongan/test", Now: h.clock.now, Log: zerolog.New(h.log)}); err != nil {
		t.Fatal(err)
	}
	return h
}

// silent fails where a text holds a credential, or the address of a camera.
func silent(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range []string{password, queryKey, "127.0.0.1:", "a290YTpy"} { // the last begins kota:r in base64
		if strings.Contains(text, secret) {
			t.Errorf("%s tells %q: %.300s", where, secret, text)
		}
	}
}

func TestAStillIsAskedOnceForAllAndMadeAnew(t *testing.T) {
	var asked atomic.Int64
	hold := make(chan struct{})
	photo := append(jpegOf(64, 36, 90), []byte("<script>alert(1)</script>")...)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, pass, _ := r.BasicAuth(); user != "kota" || pass != password {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		asked.Add(1)
		<-hold
		_, _ = w.Write(photo)
	}))
	defer srv.Close()
	h := looking(t, srv.URL, nil)
	var all sync.WaitGroup
	frames := make([]Frame, 40)
	for i := range frames {
		all.Go(func() {
			var err error
			if frames[i], err = h.Still(t.Context(), "camera:pasar"); err != nil {
				t.Error(err)
			}
		})
	}
	close(hold)
	all.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	for _, f := range frames {
		if f.Type != "image/jpeg" || bytes.Contains(f.Body, []byte("script")) || !f.At.Equal(h.clock.now()) {
			t.Fatalf("%s of %s, %d bytes", f.Type, f.At, len(f.Body))
		}
	}
	h.clock.advance(9 * time.Second)
	_, _ = h.Still(t.Context(), "camera:pasar")
	if n := asked.Load(); n != 1 {
		t.Errorf("within the interval it was asked again: %d", n)
	}
	h.clock.advance(2 * time.Second)
	f, err := h.Still(t.Context(), "camera:pasar")
	if n := asked.Load(); n != 2 || err != nil || !f.At.Equal(h.clock.now()) {
		t.Errorf("after the interval: asked %d times, %v, %v", n, f.At, err)
	}
	if _, err := h.Still(t.Context(), "camera:other"); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
}

// Each row breaks a camera that has given one picture: the picture stays with its age, the fault has its code, and nothing is told of the address.
func TestABrokenCameraLeavesItsLastPicture(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(jpegOf(8, 8, 1)) }))
	defer elsewhere.Close()
	huge := pngOf(4000, 3000) // made once: it takes seconds
	for name, c := range map[string]struct {
		code  string
		serve http.HandlerFunc
	}{
		"401":             {"http", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }},
		"a page":          {"picture", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>login") }},
		"an SVG":          {"picture", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<svg onload=alert(1)>") }},
		"half a JPEG":     {"picture", func(w http.ResponseWriter, _ *http.Request) { b := jpegOf(640, 360, 7); _, _ = w.Write(b[:len(b)/2]) }},
		"half a PNG":      {"picture", func(w http.ResponseWriter, _ *http.Request) { b := pngOf(640, 360); _, _ = w.Write(b[:len(b)/2]) }},
		"garbage":         {"picture", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("\xff\xd8\xff\xe0garbage")) }},
		"too many points": {"picture", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(huge) }},
		"too many bytes":  {"size", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, mostStill+1)) }},
		"nothing":         {"picture", func(http.ResponseWriter, *http.Request) {}},
		"another host": {"address", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/still?key="+queryKey, http.StatusFound)
		}},
		"our metadata": {"address", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		}},
		"a file": {"address", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}},
		"round and round": {"address", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }},
		"breaks off": {"broken", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "999")
			_, _ = w.Write(jpegOf(8, 8, 1))
		}},
		"hangs up at once": {"broken", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if broken.Load() {
					c.serve(w, r)
					return
				}
				_, _ = w.Write(jpegOf(64, 36, 50))
			}))
			defer srv.Close()
			h := looking(t, srv.URL, nil)
			first, err := h.Still(t.Context(), "camera:pasar")
			if err != nil {
				t.Fatal(err)
			}
			broken.Store(true)
			h.clock.advance(time.Minute)
			last, err := h.Still(t.Context(), "camera:pasar")
			if err != nil || !bytes.Equal(last.Body, first.Body) || !last.At.Equal(first.At) {
				t.Errorf("the picture before: %v, of %s", err, last.At)
			}
			if got := h.List()[0]; got.Fault != c.code || !got.TakenAt.Equal(first.At) {
				t.Errorf("fault %q, want %q; taken %s", got.Fault, c.code, got.TakenAt)
			}
			silent(t, "the log", h.log.String())
			if h.log.Len() == 0 {
				t.Error("nothing is logged")
			}
			h = looking(t, srv.URL, nil) // one that never gave any
			if _, err = h.Still(t.Context(), "camera:pasar"); !errors.Is(err, ErrUnseen) {
				t.Error(err)
			}
			silent(t, "the error", fmt.Sprint(err))
		})
	}
}

// A camera that hangs keeps nobody longer than they are willing to wait, and nobody asks it again meanwhile.
func TestACameraThatHangs(t *testing.T) {
	var asked atomic.Int64
	end := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		select {
		case <-end:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(end)
	h := looking(t, srv.URL, nil)
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := h.Still(ctx, "camera:pasar"); !errors.Is(err, ErrUnseen) {
			t.Error(err)
		}
		cancel()
	}
	if n := asked.Load(); n > 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestTheAddressIsCheckedAsItIsDialled(t *testing.T) {
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer srv.Close()
	h := looking(t, srv.URL, func(c *Config) { c.AllowPrivate = false })
	_, err := h.Still(t.Context(), "camera:pasar")
	if f := (*bounded.Fault)(nil); !errors.As(err, &f) || f.Code != "address" || asked.Load() != 0 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
	h = looking(t, "http://169.254.169.254", nil) // metadata of a cloud: never, allow_private or not
	if _, err = h.Still(t.Context(), "camera:pasar"); !strings.Contains(fmt.Sprint(err), "address") {
		t.Error(err)
	}
}

// Our password goes to the camera's own host, not to another that is allowed.
func TestCredentialsStayWithTheirHost(t *testing.T) {
	var told atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" {
			told.Add(1)
		}
		_, _ = w.Write(jpegOf(8, 8, 1))
	}))
	defer other.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+"/x", http.StatusFound) }))
	defer srv.Close()
	h := looking(t, srv.URL, func(c *Config) { c.Hosts = []string{strings.TrimPrefix(other.URL, "http://")} })
	if _, err := h.Still(t.Context(), "camera:pasar"); err != nil || told.Load() != 0 {
		t.Errorf("%v; the other host was told who we are %d times", err, told.Load())
	}
}

func TestACameraOfOurOwnAuthority(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(jpegOf(8, 8, 1)) }))
	defer srv.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	h := looking(t, srv.URL, func(c *Config) { c.TLS.CAFile = ca })
	if _, err := h.Still(t.Context(), "camera:pasar"); err != nil {
		t.Error(err)
	}
	h = looking(t, srv.URL, nil)
	if _, err := h.Still(t.Context(), "camera:pasar"); !strings.Contains(fmt.Sprint(err), "tls") {
		t.Errorf("an authority that nobody knows: %v", err)
	}
}

// Watch tells of each picture once, as a Thing with its interval; of a restricted camera it tells nothing.
func TestWatchMakesThings(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(jpegOf(8, 8, 1)) }))
	defer srv.Close()
	one := Config{ID: "a", Name: "A", Lng: 100.6, Lat: -0.7, Still: runner.Secret(srv.URL), AllowPrivate: true, Every: time.Second, Agency: "dishub"}
	two := one
	two.ID, two.Restricted = "b", true
	s, err := New(Options{Cameras: []Config{one, two}, Secret: []byte("x"), Now: time.Now, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	told := make(chan feeds.Batch, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Watch(ctx, func(_ context.Context, b feeds.Batch, m feeds.Meta) (feeds.Receipt, error) {
			if m.Feed != Feed || m.Interval != time.Second || m.Agency != "dishub" || m.ReceivedAt.IsZero() {
				t.Errorf("%+v", m)
			}
			told <- b
			return feeds.Receipt{}, nil
		})
	}()
	var last time.Time
	for range 2 {
		select {
		case b := <-told:
			o := b.Observations[0]
			if len(b.Observations) != 1 || o.Thing != "a" || o.Kind != Kind || !o.Placed || o.Name != "A" || !o.At.After(last) {
				t.Errorf("%+v", o)
			}
			last = o.At.Time
		case <-ctx.Done():
			t.Fatal("nothing is told")
		}
	}
	if got := s.List()[1]; got.TakenAt.IsZero() {
		t.Error("the restricted camera is not asked")
	}
	cancel()
	<-done
}
