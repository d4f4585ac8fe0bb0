package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// caseSettings are a house without feeds of devices, whose receivers may be on this machine.
const caseSettings = `profile: solok
feeds:
  - {name: bench, format: native, transport: push, kind: river_gauge}
outbox: {allow_private: true}
`

// benchCases works incidents from opening to closure by proof and kills the server with -9 at each step. Whoever does not hear an answer asks
// again under the same Idempotency-Key. Afterwards every act must be in effect exactly once, and every order have come to its crew.
func benchCases(bin string, short bool) ([]figure, error) {
	return drill(bin, short, "server killed -9, %[1]d acts of each of %[2]d steps under way", (*play).killServer)
}

// benchCasesStore is benchCases where the store is killed with -9, at random.
func benchCasesStore(bin string, short bool) ([]figure, error) {
	return drill(bin, short, "store killed -9 %[1]d times at random under %[2]d at work", (*play).killStore)
}

func drill(bin string, short bool, name string, kill func(*play, int) (time.Duration, error)) ([]figure, error) {
	kills := 50
	if short {
		kills = 3
	}
	dir, done, err := scratch()
	if err != nil {
		return nil, err
	}
	defer done()
	p, err := newPlay(bin, dir, len(script))
	if err != nil {
		return nil, err
	}
	defer p.end()
	began := time.Now()
	slowest, err := kill(p, kills)
	if err != nil {
		return nil, err
	}
	return p.ledger(fmt.Sprintf(name, kills, len(script)), kills, slowest, time.Since(began))
}

// play is a house, those who act, and those who read on.
type play struct {
	bin, dir string
	house    atomic.Pointer[server] // nil: it is down
	desk     caller
	aid      caller // of the agency that supports
	lanes    []*lane
	offers   *offers
	readers  *readers
	repeats  atomic.Int64 // acts that were asked again
	unheard  atomic.Int64 // acts under way at a kill whose answer did not come
}

// newPlay starts a house with two units and their crews for each of so many lanes, a desk, and whoever reads on.
func newPlay(bin, dir string, lanes int) (p *play, err error) {
	p = &play{bin: bin, dir: dir}
	s, err := startOn(bin, dir, caseSettings)
	if err != nil {
		return nil, err
	}
	p.house.Store(s)
	defer func() {
		if err != nil {
			p.end()
		}
	}()
	for agency, into := range map[string]*caller{"": &p.desk, "pupr": &p.aid} {
		var key struct{ Token string }
		if err = s.made("/api/v1/keys", map[string]any{"name": "desk", "scope": "automation", "agency": agency}, &key); err != nil {
			return p, err
		}
		into.bearer = key.Token
	}
	if p.readers, err = newReaders(p); err != nil {
		return p, err
	}
	crewOf := func(agency, sign string) (*crew, error) {
		c, err := s.crew(agency, sign)
		if err == nil {
			p.readers.follow(c)
		}
		return c, err
	}
	for n := range lanes {
		l := &lane{play: p}
		if l.first, err = crewOf("bpbd", fmt.Sprint("lead-", n)); err != nil {
			return p, err
		}
		if l.second, err = crewOf("pupr", fmt.Sprint("aid-", n)); err != nil {
			return p, err
		}
		p.lanes = append(p.lanes, l)
	}
	p.offers = &offers{play: p}
	for n := range 2 {
		c, err := crewOf("bpbd", fmt.Sprint("deaf-", n))
		if err != nil {
			return p, err
		}
		p.offers.units = append(p.offers.units, c.unit)
	}
	return p, p.readers.seated(30 * time.Second)
}

func (p *play) end() {
	if p.readers != nil {
		p.readers.stop()
	}
	if s := p.house.Load(); s != nil {
		s.kill()
	}
}

// killServer brings each lane to a step of its own, and then kills the server as often as is asked while every lane has asked for its next act:
// at once when the last request is written, or within 20 ms. So each step is under way at as many kills.
func (p *play) killServer(kills int) (slowest time.Duration, err error) {
	if err := p.all(func(n int, l *lane) error {
		for range n {
			if err := l.next(nil); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return 0, err
	}
	for k := range kills {
		if err := errors.Join(p.readers.seated(30*time.Second), p.offers.look()); err != nil {
			return 0, err
		}
		var written sync.WaitGroup
		written.Add(len(p.lanes))
		restarted := make(chan error, 1)
		go func() {
			written.Wait()
			if k%2 == 1 {
				time.Sleep(time.Duration(rand.Int64N(int64(20 * time.Millisecond))))
			}
			p.house.Swap(nil).kill()
			s, err := startOn(p.bin, p.dir, caseSettings)
			if err == nil {
				slowest = max(slowest, s.ready)
				p.house.Store(s)
			}
			restarted <- err
		}()
		err := p.all(func(_ int, l *lane) error { return l.next(sync.OnceFunc(written.Done)) })
		if err = errors.Join(<-restarted, err); err != nil {
			return 0, fmt.Errorf("kill %d: %w", k, err)
		}
	}
	return slowest, p.all(func(_ int, l *lane) error { return l.finish() })
}

// killStore lets every lane work on by itself, and kills the store at random as often as is asked.
func (p *play) killStore(kills int) (slowest time.Duration, err error) {
	var over atomic.Bool
	worked := make(chan error, 1)
	go func() {
		worked <- p.all(func(_ int, l *lane) error {
			for !over.Load() {
				if err := l.next(nil); err != nil {
					return err
				}
			}
			return l.finish()
		})
	}()
	for range kills {
		time.Sleep(time.Duration(rand.Int64N(int64(400 * time.Millisecond))))
		pid, err := storePID(p.dir)
		if err != nil {
			return 0, err
		}
		began := time.Now()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return 0, fmt.Errorf("kill the store: %w", err)
		}
		if err := p.house.Load().back(pid, p.dir); err != nil {
			return 0, err
		}
		slowest = max(slowest, time.Since(began))
		if err := p.offers.look(); err != nil {
			return 0, err
		}
	}
	over.Store(true)
	return slowest, <-worked
}

// all does something in every lane at once.
func (p *play) all(do func(n int, l *lane) error) error {
	errs := make([]error, len(p.lanes))
	var wg sync.WaitGroup
	for n, l := range p.lanes {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[n] = do(n, l)
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}

// storePID is the process of the store that came along, by the file that it writes.
func storePID(dir string) (int, error) {
	b, err := os.ReadFile(filepath.Join(dir, "data", "store.pid"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// back waits until another store than the one that was killed answers.
func (s *server) back(killed int, dir string) error {
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if pid, err := storePID(dir); err != nil || pid == killed {
			continue
		}
		if code, _, err := s.request("GET", "/readyz", nil); err == nil && code == 200 {
			return nil
		}
	}
	return errors.New("no store within 60 s of its kill")
}

// made posts as the administrator and reads what was made.
func (s *server) made(path string, doc, into any) error {
	code, b, err := s.do("POST", path, doc)
	if err != nil {
		return err
	}
	if code != 201 {
		return fmt.Errorf("%s answered %d: %.200s", path, code, b)
	}
	return json.Unmarshal(b, into)
}
