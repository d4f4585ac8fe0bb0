package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// wallActs are what a desk does to an incident again and again; each can follow the one before it.
var wallActs = []map[string]any{
	{"to": "acknowledged"},
	{"to": "resolved", "outcome": "no_unit_needed", "cause": "hujan"},
	{"to": "reopened", "reason": "air naik lagi"},
}

// benchWall measures from the writing of an act at the desk to another client's socket having it, as a wall's has, while readings come in.
func benchWall(bin string, short bool) ([]figure, error) {
	s, done, err := fresh(bin)
	if err != nil {
		return nil, err
	}
	defer done()
	acts, incidents := 600, 50
	if short {
		acts, incidents = 60, 10
	}
	w := &awaited{came: map[string]chan time.Time{}}
	wall, err := s.view("100,-2,102,0", w.take)
	if err != nil {
		return nil, err
	}
	defer wall.Close()
	ids := make([]string, incidents)
	for i := range ids {
		lat, lng := place(i)
		var in struct{ ID string }
		if err := s.made("/api/v1/incidents", map[string]any{"type": "flood", "severity": "Moderate", "lng": lng, "lat": lat}, &in); err != nil {
			return nil, err
		}
		ids[i] = in.ID
	}
	stop := make(chan struct{})
	wg := steady(s, 1000, time.Now(), stop)
	defer wg.Wait()
	defer close(stop)
	time.Sleep(time.Second) // the readings come in as they will
	var seen, answered []time.Duration
	for n := range acts {
		id, round := ids[n%incidents], n/incidents
		act := wallActs[0]
		if round > 0 {
			act = wallActs[1+(round-1)%2]
		}
		to := act["to"].(string)
		if to == "reopened" {
			to = "acknowledged"
		}
		came := w.await(id, to)
		sent := time.Now()
		code, b, err := s.do("POST", "/api/v1/incidents/"+id+"/transitions", act)
		answered = append(answered, time.Since(sent))
		if err != nil || code != http.StatusOK {
			return nil, fmt.Errorf("act %d answered %d: %.200s %w", n, code, b, err)
		}
		select {
		case at := <-came:
			seen = append(seen, at.Sub(sent))
		case <-time.After(5 * time.Second):
			return nil, fmt.Errorf("act %d: the wall has not seen %s %s within 5 s", n, id, to)
		}
		time.Sleep(time.Duration(10+rand.IntN(30)) * time.Millisecond)
	}
	return []figure{
		{"act at the desk to the wall's socket, 1,000 readings/s beside it", "p99 <= 100 ms", spread(seen)},
		{"act at the desk to its own answer, at the same time", "-", spread(answered)},
	}, nil
}

// awaited gives the time when an incident came with a status.
type awaited struct {
	mu   sync.Mutex
	came map[string]chan time.Time // id and status
}

func (w *awaited) await(id, status string) <-chan time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan time.Time, 1)
	w.came[id+" "+status] = c
	return c
}

func (w *awaited) take(kind string, raw []byte) {
	if kind != "incident" {
		return
	}
	at := time.Now()
	var m struct {
		Incident struct{ ID, Status string }
	}
	if json.Unmarshal(raw, &m) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key := m.Incident.ID + " " + m.Incident.Status
	if c := w.came[key]; c != nil {
		c <- at
		delete(w.came, key)
	}
}
