package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// ledger is what the server acknowledged.
type ledger struct {
	mu    sync.Mutex
	acked map[string]bool // thing + " " + at
	sent  map[string]bool
}

// benchKill kills server and store together in mid-ingest, starts again over the same folder, and compares what was acknowledged with what is there.
func benchKill(bin string, short bool) ([]figure, error) {
	rounds := 20
	if short {
		rounds = 3
	}
	dir, done, err := scratch()
	if err != nil {
		return nil, err
	}
	defer done()
	l := &ledger{acked: map[string]bool{}, sent: map[string]bool{}}
	var seq atomic.Int64
	var slowest time.Duration
	for round := range rounds {
		s, err := start(bin, dir)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", round, err)
		}
		slowest = max(slowest, s.ready)
		var wg sync.WaitGroup
		for range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for l.post(s, &seq) == nil {
				}
			}()
		}
		time.Sleep(time.Duration(150+rand.IntN(700)) * time.Millisecond)
		s.kill()
		wg.Wait()
	}
	s, err := start(bin, dir)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	present, doubled, err := readBack(s)
	if err != nil {
		return nil, err
	}
	lost, ghosts := 0, 0
	for k := range l.acked {
		if !present[k] {
			lost++
		}
	}
	for k := range present {
		if !l.sent[k] {
			ghosts++
		}
	}
	fig := figure{fmt.Sprintf("kill -9 of server and store in mid-ingest, %d times", rounds), "0 lost",
		fmt.Sprintf("acknowledged %d, present %d, lost %d, doubled %d, never sent %d; slowest restart %s", len(l.acked), len(present), lost, doubled, ghosts, ms(slowest))}
	if lost+doubled+ghosts > 0 {
		return []figure{fig}, errors.New("the ledger does not hold")
	}
	return []figure{fig}, nil
}

const killThings = 50

func (l *ledger) post(s *server, seq *atomic.Int64) error {
	const size = 50
	n := seq.Add(1)
	base := time.Now().Add(-time.Minute)
	keys := make([]string, size)
	body := lines(size, func(i int) string {
		thing := i % killThings
		at := base.Add(time.Duration(n%20_000) * time.Millisecond).UTC().Truncate(time.Millisecond)
		keys[i] = fmt.Sprintf("t%d %s %d", thing, at.Format("2006-01-02T15:04:05.000Z"), n)
		return reading(thing, float64(n), at)
	})
	l.mu.Lock()
	for _, k := range keys {
		l.sent[k] = true
	}
	l.mu.Unlock()
	code, b, err := s.request("POST", "/api/v1/ingest/bench", body)
	if err != nil {
		return err
	}
	var r struct{ Accepted, Duplicates int }
	if code == http.StatusServiceUnavailable {
		return nil
	}
	if code != http.StatusAccepted || json.Unmarshal(b, &r) != nil {
		return fmt.Errorf("ingest answered %d", code)
	}
	if r.Accepted != size { // two posts met on the same thing and time: neither counts
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		l.acked[k] = true
	}
	return nil
}

func readBack(s *server) (present map[string]bool, doubled int, err error) {
	present = map[string]bool{}
	for t := range killThings {
		page := ""
		for {
			path := fmt.Sprintf("/api/v1/things/%s/observations?limit=1000&from=%s", url.PathEscape(fmt.Sprintf("bench:t%d", t)), url.QueryEscape(time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)))
			if page != "" {
				path += "&page=" + url.QueryEscape(page)
			}
			code, b, err := s.request("GET", path, nil)
			if err != nil {
				return nil, 0, err
			}
			var list struct {
				Items []struct {
					Value float64 `json:"value"`
					At    string  `json:"at"`
				} `json:"items"`
				NextPage string `json:"next_page"`
			}
			if code != http.StatusOK {
				return nil, 0, fmt.Errorf("%s answered %d: %.200s", path, code, b)
			}
			if err := json.Unmarshal(b, &list); err != nil && !errors.Is(err, io.EOF) {
				return nil, 0, err
			}
			for _, o := range list.Items {
				k := fmt.Sprintf("t%d %s %d", t, o.At, int64(o.Value))
				if present[k] {
					doubled++
				}
				present[k] = true
			}
			if page = list.NextPage; page == "" {
				break
			}
		}
	}
	return present, doubled, nil
}
