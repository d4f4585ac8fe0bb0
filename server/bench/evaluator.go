package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/rules"
	"kentongan/feeds/simulator/storm"
	"kentongan/feeds/simulator/storm/tally"
	"kentongan/geo/keyspace"
	"kentongan/server/bench/rage"
)

// outside is a redis-server of our own, for two servers.
type outside struct {
	cmd  *exec.Cmd
	addr string
	rdb  *redis.Client
}

func startStore(dir string) (*outside, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", dir, "--appendonly", "yes", "--appendfsync", "everysec", "--save", "")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("redis-server: %w", err)
	}
	o := &outside{cmd, addr, redis.NewClient(&redis.Options{Addr: addr})}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if o.rdb.Ping(context.Background()).Err() == nil {
			return o, nil
		}
	}
	o.stop()
	return nil, errors.New("redis-server does not answer within 10 s")
}

func (o *outside) stop() {
	_ = o.rdb.Close()
	_ = o.cmd.Process.Kill()
	_ = o.cmd.Wait()
}

// token is how often the right to judge has been taken.
func (o *outside) token(keys keyspace.Keys) int64 {
	n, _ := o.rdb.Get(context.Background(), keys.Fence("rules")).Int64()
	return n
}

// pair is two servers over one store.
type pair struct {
	bin, dir string
	store    *outside
	servers  [2]atomic.Pointer[server]
}

func (p *pair) start(n int) (err error) {
	dir := filepath.Join(p.dir, fmt.Sprint("server", n))
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	secret := filepath.Join(p.dir, "secret") // both seal with one key
	s, err := startOn(p.bin, dir, storm.Settings+"\nsecret_key_file: "+secret+"\n", "KENTONGAN_REDIS_URL=redis://"+p.store.addr)
	if err == nil {
		p.servers[n].Store(s)
	}
	return err
}

// push gives a portion to the first server that takes it; what one took before it died is a duplicate for the other.
func (p *pair) push(part portion, from int) error {
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for i := range p.servers {
			if s := p.servers[(from+i)%2].Load(); s != nil {
				if err = s.push(part.feed, part.body, part.items); err == nil {
					return nil
				}
			}
		}
	}
	return err
}

// benchEvaluator kills the server that judges in mid-storm, fifty times, and holds what stands afterwards against a house that nobody killed:
// every crossing once, every account in one incident, once.
func benchEvaluator(bin string, short bool) ([]figure, error) {
	kills := 50
	if short {
		kills = 4
	}
	seeds, err := stormSeeds(1)
	if err != nil {
		return nil, err
	}
	g, s, err := stormNow(seeds[0])
	if err != nil {
		return nil, err
	}
	dir, done, err := scratch()
	if err != nil {
		return nil, err
	}
	defer done()
	store, err := startStore(dir)
	if err != nil {
		return nil, err
	}
	defer store.stop()
	keys := keyspace.New(g.Profile.Slug)
	p := &pair{bin: bin, dir: dir, store: store}
	defer func() {
		for n := range p.servers {
			if s := p.servers[n].Load(); s != nil {
				s.kill()
			}
		}
	}()
	for n := range p.servers {
		if err := p.start(n); err != nil {
			return nil, err
		}
	}
	parts, err := portions(s, time.Minute)
	if err != nil {
		return nil, err
	}
	leader, hit := 0, 0
	var slowest time.Duration
	for n, part := range parts {
		pushed := make(chan error, 1)
		first := leader
		go func() { pushed <- together(part, func(one portion) error { return p.push(one, first) }) }()
		if (n+1)*kills/len(parts) == n*kills/len(parts) {
			if err := <-pushed; err != nil {
				return nil, fmt.Errorf("minute %d: %w", n, err)
			}
			continue
		}
		time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond) // somewhere in the middle of it
		before, began := store.token(keys), time.Now()
		p.servers[leader].Swap(nil).kill()
		for time.Since(began) < 60*time.Second && store.token(keys) == before {
			time.Sleep(20 * time.Millisecond)
		}
		if store.token(keys) != before {
			hit++
			slowest = max(slowest, time.Since(began))
		}
		if err := errors.Join(<-pushed, p.start(leader)); err != nil {
			return nil, err
		}
		leader = 1 - leader
	}
	return ledgerOf(p, g, s, hit, slowest)
}

// ledgerOf waits until all that was acknowledged is judged, and counts.
func ledgerOf(p *pair, g *rage.Ground, s *storm.Storm, hit int, slowest time.Duration) ([]figure, error) {
	truth := tally.Of(s)
	pure := rage.NewHouse(g)
	pure.Rage(s.Items)
	want := map[string]bool{}
	for _, c := range pure.Fired() {
		if c.Rule == rules.FaultRule { // what an instrument's clock is wrong by depends on when its reading comes in
			continue
		}
		if label := truth.About(tally.Piece{Kind: "observation", Ref: c.Key, At: c.At}); label != "" {
			want[c.Rule+" "+c.Key+" "+label] = true
		}
	}
	var got map[string]int
	var stands *standing
	var err error
	lost := len(want)
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end) && lost > 0; time.Sleep(time.Second) {
		if stands, err = readStanding(p.servers[0].Load()); err != nil {
			return nil, err
		}
		got, lost = map[string]int{}, 0
		crossings := map[string]bool{}
		for _, a := range stands.alerts {
			at := a.Rule + " " + a.Thing + " " + a.Onset.String()
			if label := truth.About(tally.Piece{Kind: "observation", Ref: a.Thing, At: a.Onset.Time}); a.Rule != "" && a.Rule != rules.FaultRule && label != "" {
				if crossings[at] {
					got[a.Rule+" "+a.Thing+" "+label] += 100 // the same crossing twice
				}
				crossings[at] = true
				got[a.Rule+" "+a.Thing+" "+label]++
			}
		}
		for c := range want {
			if got[c] == 0 {
				lost++
			}
		}
	}
	doubled, ghosts := 0, 0
	for c, n := range got {
		if n >= 100 {
			doubled++
		}
		if !want[c] {
			ghosts++
			fmt.Fprintln(os.Stderr, "  not in a house that nobody killed:", c)
		}
	}
	held := map[string]string{}
	twice := 0
	for _, in := range stands.incidents {
		once := map[string]bool{}
		for _, e := range in.Evidence {
			key := e.Kind + " " + e.Ref + " " + e.At.String()
			if once[key] || e.Kind != "observation" && held[e.Ref] != "" && held[e.Ref] != in.ID {
				twice++
				fmt.Fprintln(os.Stderr, "  twice:", in.Number, key)
			}
			once[key], held[e.Ref] = true, in.ID
		}
	}
	fig := figure{fmt.Sprintf("evaluator killed in mid-storm %d times (seed %d)", hit, s.Seed), "0 lost, 0 doubled",
		fmt.Sprintf("crossings %d, lost %d, doubled %d, others %d; evidence twice %d; slowest take-over %s", len(want), lost, doubled, ghosts, twice, slowest.Round(10*time.Millisecond))}
	if lost+doubled+twice > 0 {
		return []figure{fig}, errors.New("the ledger of the storm does not hold")
	}
	return []figure{fig}, nil
}
