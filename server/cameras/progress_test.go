package cameras

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// live is a playlist of three segments of 4 s that begins with a number.
func live(first int64, more string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	for n := first; n < first+3; n++ {
		fmt.Fprintf(&b, "#EXTINF:4,\ns%d.ts?token=%d\n", n, time.Now().UnixNano())
	}
	return b.String() + more
}

// A stream whose playlist stands still, is empty or has ended gives no picture, though the camera answers: the picture's time stays where it was.
func TestAStreamThatStandsStill(t *testing.T) {
	for _, multivariant := range []bool{false, true} {
		var first atomic.Int64
		var more atomic.Pointer[string]
		more.Store(new(string))
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if multivariant && r.URL.Path == "/hls/live.m3u8" {
				_, _ = io.WriteString(w, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n")
				return
			}
			_, _ = io.WriteString(w, live(first.Load(), *more.Load()))
		}))
		h := looking(t, srv.URL, func(c *Config) { c.Still = "" })
		c := h.byID["camera:pasar"]
		look := func() Sight { h.look(t.Context(), c); return h.List()[0] }
		for range 5 { // it goes on: each look is a newer picture
			if got := look(); got.Fault != "" || !got.TakenAt.Equal(h.clock.now()) {
				t.Fatalf("it goes on: %+v", got)
			}
			first.Add(1)
			h.clock.advance(10 * time.Second)
		}
		look()
		moved := h.clock.now()
		h.clock.advance(20 * time.Second) // within its patience: nothing new, and no fault
		if got := look(); got.Fault != "" || !got.TakenAt.Equal(moved) {
			t.Errorf("a short pause: %+v", got)
		}
		h.clock.advance(10 * time.Second)
		if got := look(); got.Fault != "stopped" || !got.TakenAt.Equal(moved) {
			t.Errorf("it stands still: %+v", got)
		}
		first.Add(1)
		h.clock.advance(10 * time.Second)
		if got := look(); got.Fault != "" || !got.TakenAt.Equal(h.clock.now()) {
			t.Errorf("it goes on again: %+v", got)
		}
		moved = h.clock.now()
		end := "#EXT-X-ENDLIST\n"
		more.Store(&end)
		first.Add(1)
		h.clock.advance(10 * time.Second)
		if got := look(); got.Fault != "stopped" || !got.TakenAt.Equal(moved) {
			t.Errorf("it has ended: %+v", got)
		}
		srv.Close()
	}
}

func TestProgressOfAPlaylist(t *testing.T) {
	p := progressOf([]byte("#EXTM3U\r\n#EXT-X-TARGETDURATION:6\r\n#EXT-X-MEDIA-SEQUENCE:41\r\n#EXTINF:6,\r\na.ts?x=1\r\n#EXTINF:6,\r\nb.ts?x=2\r\n"))
	if p.end != 43 || p.last != "b.ts" || p.target != 6*time.Second || p.ended {
		t.Errorf("%+v", p)
	}
	if p := progressOf([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:1e99\n#EXT-X-MEDIA-SEQUENCE:x\n#EXT-X-ENDLIST")); p.end != 0 || p.target != time.Hour || !p.ended {
		t.Errorf("%+v", p)
	}
	if got := patience(0, 30*time.Second); got != time.Minute {
		t.Errorf("%v", got)
	}
	if got := patience(40*time.Second, 30*time.Second); got != 2*time.Minute {
		t.Errorf("%v", got)
	}
}
