package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// around Solok: latitude and longitude of Thing i, spread over the regency.
func place(i int) (lat, lng float64) {
	return -1.25 + float64(i*7919%1000)/1000*0.6, 100.5 + float64(i*104729%1000)/1000*0.6
}

func reading(thing int, value float64, at time.Time) string {
	lat, lng := place(thing)
	return fmt.Sprintf(`{"thing":"t%d","property":"level","value":%.3f,"unit":"m","at":"%s","lat":%.5f,"lng":%.5f}`, thing, value, at.UTC().Format("2006-01-02T15:04:05.000Z"), lat, lng)
}

func benchStart(bin string, short bool) ([]figure, error) {
	dir, done, err := scratch()
	if err != nil {
		return nil, err
	}
	defer done()
	s, err := start(bin, dir)
	if err != nil {
		return nil, err
	}
	out := []figure{{"ready on an empty store", "<= 2 s", ms(s.ready)}}
	things := 100_000
	if short {
		things = 10_000
	}
	at := time.Now()
	for from := 0; from < things; from += 1000 {
		if err := s.push("bench", lines(1000, func(i int) string { return reading(from+i, 1, at) }), 1000); err != nil {
			s.kill()
			return out, err
		}
	}
	if err := s.stop(); err != nil {
		return out, fmt.Errorf("drain: %w", err)
	}
	s, err = start(bin, dir)
	if err != nil {
		return out, err
	}
	out = append(out, figure{fmt.Sprintf("ready with %d Things", things), "<= 5 s", ms(s.ready)})
	return out, s.stop()
}

func benchIngest(bin string, short bool) ([]figure, error) {
	s, done, err := fresh(bin)
	if err != nil {
		return nil, err
	}
	defer done()
	length := 10 * time.Second
	if short {
		length = 2 * time.Second
	}
	const size, workers, things = 1000, 16, 5000
	var acked, seq atomic.Int64
	var wg sync.WaitGroup
	var failure atomic.Value
	rates := make([]float64, 0, 3)
	for range 3 {
		acked.Store(0)
		began := time.Now()
		for range workers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for time.Since(began) < length {
					n := seq.Add(1)
					at := time.Now()
					body := lines(size, func(i int) string { return reading(int(n*size+int64(i))%things, float64(n), at) })
					if err := s.push("bench", body, size); err != nil {
						failure.Store(err)
						return
					}
					acked.Add(size)
				}
			}()
		}
		wg.Wait()
		rates = append(rates, float64(acked.Load())/time.Since(began).Seconds())
	}
	if err, ok := failure.Load().(error); ok {
		return nil, err
	}
	median := rates[0] + rates[1] + rates[2] - max(rates[0], rates[1], rates[2]) - min(rates[0], rates[1], rates[2])
	fig := figure{"readings/s over HTTP NDJSON, acknowledged after commit, fsync always", ">= 50,000", fmt.Sprintf("%.0f (median of 3; load generator on the same 2 cores)", median)}
	return []figure{fig}, s.stop()
}

// steady sends rate readings/s in small posts until stop, each value the moment it was due, in microseconds since began.
func steady(s *server, rate int, began time.Time, stop <-chan struct{}) *sync.WaitGroup {
	const perPost = 10
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		step := time.Second * perPost / time.Duration(rate)
		for n := 0; ; n++ {
			due := began.Add(time.Duration(n) * step)
			select {
			case <-stop:
				return
			case <-time.After(time.Until(due)):
			}
			wg.Add(1)
			go func() {
				defer wg.Done()
				us := float64(due.Sub(began).Microseconds())
				body := lines(perPost, func(i int) string { return reading(n*perPost+i, us, due) })
				_ = s.push("bench", body, perPost)
			}()
		}
	}()
	return &wg
}

func benchLatency(bin string, short bool) ([]figure, error) {
	s, done, err := fresh(bin)
	if err != nil {
		return nil, err
	}
	defer done()
	length := 20 * time.Second
	if short {
		length = 4 * time.Second
	}
	var began time.Time // set once every viewer looks; read by them only for what is sent after it
	var mu sync.Mutex
	var seen []time.Duration
	for range 20 {
		c, err := s.view("100,-2,102,0", func(kind string, raw []byte) {
			if kind != "things" {
				return
			}
			at := time.Now()
			var m struct {
				Things []struct {
					State map[string]struct{ Value float64 }
				}
			}
			if json.Unmarshal(raw, &m) != nil {
				return
			}
			mu.Lock()
			now := at.Sub(began)
			for _, t := range m.Things {
				seen = append(seen, now-time.Duration(t.State["level"].Value)*time.Microsecond)
			}
			mu.Unlock()
		})
		if err != nil {
			return nil, err
		}
		defer c.Close()
	}
	stop := make(chan struct{})
	mu.Lock()
	began = time.Now()
	mu.Unlock()
	wg := steady(s, 1000, began, stop)
	time.Sleep(length)
	close(stop)
	wg.Wait()
	time.Sleep(500 * time.Millisecond)
	mu.Lock()
	defer mu.Unlock()
	return []figure{{"reading to socket, 1,000 readings/s, 20 viewers", "p50 80, p99 250 ms", spread(seen)}}, nil
}

func benchCrossing(bin string, short bool) ([]figure, error) {
	s, done, err := fresh(bin)
	if err != nil {
		return nil, err
	}
	defer done()
	got := make(chan time.Time, 1000)
	c, err := s.view("100,-2,102,0", func(kind string, raw []byte) {
		if kind == "incident" && bytes.Contains(raw, []byte(`"status":"new"`)) {
			got <- time.Now()
		}
	})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	stop := make(chan struct{})
	wg := steady(s, 1000, time.Now(), stop)
	defer wg.Wait()
	defer close(stop)
	n := 200
	if short {
		n = 20
	}
	var took []time.Duration
	for i := range n {
		lat, lng := -1.10+rand.Float64()*.06, 100.74+rand.Float64()*.08 // Lembah Gumanti: ours, so that an incident opens
		body := fmt.Sprintf(`{"thing":"g%d","property":"water_level","value":3.4,"unit":"m","lat":%.5f,"lng":%.5f}`, i, lat, lng)
		sent := time.Now()
		if err := s.push("gauge", []byte(body), 1); err != nil {
			return nil, err
		}
		select {
		case at := <-got:
			took = append(took, at.Sub(sent))
		case <-time.After(5 * time.Second):
			return nil, fmt.Errorf("crossing %d: no incident on the socket within 5 s", i)
		}
		time.Sleep(time.Duration(20+rand.IntN(40)) * time.Millisecond)
	}
	return []figure{{"crossing to incident on the socket, 1,000 readings/s beside it", "p99 100 ms", spread(took)}}, nil
}

// benchWeb weighs the wall's scripts that load first, without the map library and its worker.
func benchWeb(string, bool) ([]figure, error) {
	files, err := filepath.Glob(filepath.Join("frontend", "dist", "assets", "*.js"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("frontend/dist/assets holds no script: run make build (%v)", err)
	}
	own, lib := 0, 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		var z bytes.Buffer
		w, _ := gzip.NewWriterLevel(&z, 9)
		_, _ = w.Write(b)
		_ = w.Close()
		if strings.Contains(filepath.Base(f), "maplibre") {
			lib += z.Len()
		} else {
			own += z.Len()
		}
	}
	return []figure{{"JavaScript of every screen without the map library, gzip", "<= 120 KB", fmt.Sprintf("%.1f KB (map library %.0f KB)", float64(own)/1000, float64(lib)/1000)}}, nil
}

// benchPaint loads the wall in a real browser, each time with an empty cache.
func benchPaint(bin string, _ bool) ([]figure, error) {
	s, done, err := fresh(bin)
	if err != nil {
		return nil, err
	}
	defer done()
	cmd := exec.Command("node", "e2e/paint.mjs", s.base, token)
	cmd.Dir, cmd.Stderr = "frontend", os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("e2e/paint.mjs: %w", err)
	}
	var took []time.Duration
	for _, f := range strings.Fields(string(out)) {
		n, err := strconv.Atoi(f)
		if err != nil {
			return nil, fmt.Errorf("e2e/paint.mjs printed %q", f)
		}
		took = append(took, time.Duration(n)*time.Millisecond)
	}
	return []figure{{"wall, first contentful paint of a cold load over loopback", "<= 2 s", fmt.Sprintf("median %s, worst %s, n %d", ms(percentile(took, .5)), ms(percentile(took, 1)), len(took))}}, nil
}
