package cameras

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds/bounded"
	"kentongan/feeds/runner"
)

// More cameras hang than may be asked at once of one host, on two hosts; one that answers is not held up by them.
func TestCamerasThatHangHoldUpNobodyElse(t *testing.T) {
	stop := make(chan struct{})
	var asked atomic.Int64
	hangs := func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}
	good := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(jpegOf(16, 16, 9)) }))
	defer good.Close()
	all := []Config{{ID: "good", Still: runner.Secret(good.URL)}}
	const hosts, each = 2, 3 * mostOfHost
	for i := range hosts {
		srv := httptest.NewServer(http.HandlerFunc(hangs))
		defer srv.Close()
		for k := range each {
			all = append(all, Config{ID: fmt.Sprintf("h%d-%d", i, k), Still: runner.Secret(srv.URL)})
		}
	}
	defer close(stop)
	for i := range all {
		all[i].Name, all[i].Lng, all[i].Lat, all[i].Every, all[i].AllowPrivate = "x", 100, -1, 10*time.Second, true
	}
	s, err := New(Options{Cameras: all, Secret: []byte("of the house"), Now: time.Now, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	for _, c := range all[1:] {
		if _, err := s.Still(gone, Feed+":"+c.ID); !errors.Is(err, ErrUnseen) {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(askTime / 2); asked.Load() < hosts*mostOfHost && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	if _, err := s.Still(t.Context(), Feed+":good"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > askTime/2 {
		t.Errorf("the camera that answers took %v", took)
	}
	if n := asked.Load(); n != hosts*mostOfHost {
		t.Errorf("%d questions to %d hosts under way, want %d of each", n, hosts, mostOfHost)
	}
}

// A camera that let a question run out has as many turns as its lane, and back in all of them once it answers.
func TestASlowCameraStandsInItsOwnLane(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(jpegOf(16, 16, 9)) }))
	defer srv.Close()
	h := looking(t, srv.URL, nil)
	c := h.byID["camera:pasar"]
	c.slow = true
	for range mostSlow {
		h.turns.slow <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := h.picture(ctx, c)
	if f := (*bounded.Fault)(nil); !errors.As(err, &f) || f.Code != "turn" || !c.slow {
		t.Fatalf("with its lane full: %v", err)
	}
	if len(h.turns.asked) != 0 || len(c.host) != 0 {
		t.Fatal("lanes are held by nobody")
	}
	<-h.turns.slow
	if _, err := h.picture(t.Context(), c); err != nil || c.slow {
		t.Fatalf("it answers again: %v, slow %v", err, c.slow)
	}
	h.turns.slow <- struct{}{}
	if _, err := h.picture(t.Context(), c); err != nil {
		t.Errorf("one that answers waits for the slow: %v", err)
	}
}

func TestSlownessIsATimeout(t *testing.T) {
	h := looking(t, "http://127.0.0.1:1", nil)
	c := h.byID["camera:pasar"]
	for code, want := range map[string]bool{"timeout": true, "http": false} {
		_ = h.inTurn(t.Context(), c, func() error { return &bounded.Fault{Code: code} })
		if c.slow != want {
			t.Errorf("after %s: slow %v", code, c.slow)
		}
	}
}
