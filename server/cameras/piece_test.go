package cameras

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pieces gives a house whose camera names n pieces, which serve answers, and their names.
func pieces(t *testing.T, n int, serve http.HandlerFunc) (*house, []string) {
	t.Helper()
	list := "#EXTM3U\n"
	for i := range n {
		list += fmt.Sprintf("#EXTINF:4,\nseg/%d.ts\n", i)
	}
	h := looking(t, stream(t, map[string]http.HandlerFunc{
		"/hls/live.m3u8": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, list) },
		"/hls/seg/":      serve,
	}).URL, nil)
	w, err := get(t, h, Start)
	if err != nil {
		t.Fatal(err)
	}
	return h, named(t, w.Body.String())
}

// soon waits for what must come without a reader's doing.
func soon[T any](t *testing.T, from <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(20 * time.Second):
		t.Fatal(what)
	}
	return v
}

// Somebody who reads a byte a second, as often as he may, holds no way to the camera: its bytes are read to their end, and another is served.
func TestASlowReaderHurtsHimselfAlone(t *testing.T) {
	const size = 8 << 20 // more than a socket holds
	sent := make(chan error, 2*mostOfOne)
	body := []byte(strings.Repeat("\x47", size))
	h, names := pieces(t, mostOfOne+1, func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(body)
		sent <- err
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h.HLS(w, r, "camera:pasar", r.URL.Path[1:], r.Header.Get("X-Who")); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	stop := make(chan struct{})
	defer close(stop)
	for _, name := range names[:mostOfOne] {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		if _, err := fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: x\r\nX-Who: user:slow\r\n\r\n", name); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReaderSize(conn, 16)
		if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Fatalf("%q, %v", line, err)
		}
		go func() {
			second := time.NewTicker(time.Second)
			defer second.Stop()
			for {
				select {
				case <-second.C:
					_, _ = in.ReadByte() // until the connection is closed
				case <-stop:
					return
				}
			}
		}()
		if err := soon(t, sent, "a slow reader holds the camera"); err != nil {
			t.Fatal(err)
		}
	}
	for who, want := range map[string]int{"user:slow": http.StatusServiceUnavailable, "user:prompt": http.StatusOK} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/"+names[mostOfOne], nil)
		r.Header.Set("X-Who", who)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		cancel()
		if err != nil || res.StatusCode != want || want == http.StatusOK && n != size {
			t.Errorf("%s: %d, %d bytes, %v", who, res.StatusCode, n, err)
		}
	}
}

// One question serves all who want a piece while it comes; it ends with the last of them, and then nothing is held.
func TestAPieceIsAskedOnceForAll(t *testing.T) {
	var asked atomic.Int64
	began, hold, left := make(chan struct{}, 4), make(chan struct{}), make(chan struct{}, 4)
	h, names := pieces(t, 1, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, strings.Repeat("a", 600))
		w.(http.Flusher).Flush()
		began <- struct{}{}
		select {
		case <-hold:
			_, _ = io.WriteString(w, "b")
		case <-r.Context().Done():
			left <- struct{}{}
		}
	})
	take := func(ctx context.Context, done chan<- any) {
		w := httptest.NewRecorder()
		defer func() {
			if v := recover(); v != nil {
				done <- v
				return
			}
			done <- w.Body.Len()
		}()
		if err := h.HLS(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), "camera:pasar", names[0], "user:dewi"); err != nil {
			panic(err)
		}
	}
	taken := func(n int) {
		for range 2000 {
			h.takers.mu.Lock()
			now := h.takers.of["user:dewi"]
			h.takers.mu.Unlock()
			if now == n {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatalf("there are not %d who take", n)
	}
	done := make(chan any, 4)
	first, leave := context.WithCancel(t.Context())
	go take(first, done)
	soon(t, began, "the camera is not asked")
	go take(t.Context(), done)
	taken(2)
	leave() // who asked first goes; the other has it all
	if v := soon(t, done, "who has left is still there"); v == 601 {
		t.Error("who has left has it all")
	}
	hold <- struct{}{}
	if v := soon(t, done, "the other waits"); v != 601 || asked.Load() != 1 {
		t.Errorf("%v bytes, asked %d times", v, asked.Load())
	}
	last, leave := context.WithCancel(t.Context())
	go take(last, done)
	soon(t, began, "what is past is given again")
	leave()
	soon(t, left, "the camera is read for nobody")
	soon(t, done, "who has left is still there")
	for i := 0; h.held.Load() != 0; i++ {
		if i == 2000 {
			t.Fatalf("%d bytes are held for nobody", h.held.Load())
		}
		time.Sleep(time.Millisecond)
	}
	h.held.Store(mostHeld)
	if _, err := get(t, h, names[0]); !errors.Is(err, ErrBusy) || h.held.Load() != mostHeld {
		t.Errorf("without room: %v, %d", err, h.held.Load())
	}
}

// sluggish is a connection that takes each write only after a time, and knows a deadline.
type sluggish struct {
	*httptest.ResponseRecorder
	takes time.Duration
	until time.Time
}

func (s *sluggish) SetWriteDeadline(at time.Time) error { s.until = at; return nil }

func (s *sluggish) Write(b []byte) (int, error) {
	if s.takes > time.Until(s.until) {
		time.Sleep(time.Until(s.until))
		return 0, os.ErrDeadlineExceeded
	}
	time.Sleep(s.takes)
	return s.ResponseRecorder.Write(b)
}

func TestHowLongOneMayTake(t *testing.T) {
	for name, c := range map[string]struct {
		takes, most time.Duration
		whole       bool
	}{
		"prompt":        {time.Second, 20 * time.Second, true},
		"stands still":  {time.Hour, takeTime, false},
		"ever so often": {takeTime - time.Second, segmentTime + takeTime, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &piece{moved: make(chan struct{}), takers: 1, stop: func() {}}
				var held atomic.Int64
				for range 20 {
					p.keep([]byte{0x47}, &held)
				}
				p.end(nil, &held)
				began, whole := time.Now(), true
				func() {
					defer func() { whole = recover() == nil }()
					_ = p.hand(t.Context(), &sluggish{ResponseRecorder: httptest.NewRecorder(), takes: c.takes})
				}()
				if took := time.Since(began); took > c.most || whole != c.whole {
					t.Errorf("%v, whole %t", took, whole)
				}
			})
		})
	}
}
