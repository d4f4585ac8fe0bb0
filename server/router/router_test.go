package router

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kentongan/geo"
)

var (
	here = geo.Position{Lat: -0.83, Lng: 100.63}
	from = []geo.Position{{Lat: -0.84, Lng: 100.63}, {Lat: -0.9, Lng: 100.6}}
)

func fake(t *testing.T, handle http.HandlerFunc) (*Client, *time.Time) {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	c := DefaultConfig()
	c.URL, c.Timeout = s.URL, 100*time.Millisecond
	return New(c, func() time.Time { return now }), &now
}

func TestTable(t *testing.T) {
	var asked string
	c, _ := fake(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		fmt.Fprint(w, `{"code":"Ok","durations":[[301.5],[null]]}`)
	})
	got, err := c.Table(t.Context(), from, here)
	if err != nil || got[0] != 301.5 || !math.IsNaN(got[1]) {
		t.Errorf("%v %v", got, err)
	}
	if want := "/table/v1/driving/100.630000,-0.830000;100.630000,-0.840000;100.600000,-0.900000?annotations=duration&destinations=0&sources=1;2"; asked != want {
		t.Errorf("%s, want %s", asked, want)
	}
	if _, err := c.Table(t.Context(), nil, here); err == nil {
		t.Error("nobody's table")
	}
	if New(DefaultConfig(), time.Now) != nil {
		t.Error("a client without a router")
	}
}

// A router that hangs, errs or babbles costs its time a few times, and is then left alone; one that is well again is asked again.
func TestARouterThatFails(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for name, bad := range map[string]http.HandlerFunc{
		"it hangs": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		},
		"it errs":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"no JSON":           func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"too few rows":      func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"code":"Ok","durations":[[1]]}`) },
		"too long rows":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"code":"Ok","durations":[[1,2],[3,4]]}`) },
		"a time below zero": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"code":"Ok","durations":[[1],[-2]]}`) },
		"no road network":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"code":"NoTable"}`) },
		"it leads away":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"an endless answer": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"code":"`+strings.Repeat("x", answered)) },
	} {
		t.Run(name, func(t *testing.T) {
			var well atomic.Bool
			var asked atomic.Int64 // the server answers in goroutines of its own
			c, now := fake(t, func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1); well.Load() {
					fmt.Fprint(w, `{"code":"Ok","durations":[[1],[2]]}`)
					return
				}
				bad(w, r)
			})
			for i := range fails {
				if _, err := c.Table(t.Context(), from, here); err == nil || errors.Is(err, ErrOpen) || strings.Contains(err.Error(), "100.63") {
					t.Errorf("try %d: %v", i, err)
				}
			}
			if _, err := c.Table(t.Context(), from, here); !errors.Is(err, ErrOpen) || asked.Load() != fails {
				t.Errorf("%v after %d questions", err, asked.Load())
			}
			*now = now.Add(rest)
			if _, err := c.Table(t.Context(), from, here); err == nil || errors.Is(err, ErrOpen) {
				t.Errorf("one tries: %v", err)
			}
			if _, err := c.Table(t.Context(), from, here); !errors.Is(err, ErrOpen) {
				t.Errorf("and no more: %v", err)
			}
			*now = now.Add(rest)
			well.Store(true)
			for range 2 {
				if got, err := c.Table(t.Context(), from, here); err != nil || got[1] != 2 {
					t.Errorf("well again: %v %v", got, err)
				}
			}
		})
	}
}

func TestConfig(t *testing.T) {
	for key, c := range map[string]Config{"url": {URL: "osrm", Profile: "driving", Timeout: time.Second}, "profile": {Profile: "a/b", Timeout: time.Second}, "timeout": {Profile: "driving"}} {
		if errs := c.Validate(); len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), key) {
			t.Errorf("%s: %v", key, errs)
		}
	}
	if errs := DefaultConfig().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
}
