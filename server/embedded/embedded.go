// Package embedded is the store that comes along: a supervised redis-server or valkey-server, or miniredis.
//
// The child listens on a unix socket in the data folder and keeps an append-only file. It lives exactly as long as this process: the
// parent-death signal ends it when we are killed, Stop ends it after the drain, and the supervisor starts it again when it dies alone.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
)

// Waiting, as INTERFACES section 1 has it.
const (
	orphanGrace  = time.Second      // a store may end this long after its parent's death
	serverWait   = 15 * time.Second // for another server to leave the folder; a drain takes at most 10 s
	answerWait   = 60 * time.Second // for a store to load its file and answer
	pollInterval = 20 * time.Millisecond
	restartMin   = 100 * time.Millisecond
	restartMax   = 5 * time.Second
)

// Options say where and how.
type Options struct {
	DataDir     string // created 0700
	AppendFsync string // always (default) or everysec
	Log         zerolog.Logger
}

// Store is a running store.
type Store struct {
	opts   Options
	log    zerolog.Logger
	kind   string
	binary string
	socket string
	folder *lock // this server's hold on the data folder
	mini   *miniredis.Miniredis
	addr   string

	stopping chan struct{}
	stopped  chan struct{} // the supervisor has returned
	stopOnce sync.Once

	mu    sync.Mutex
	child *child // nil while adopted or between two lives
}

// Start brings up a store and returns once it answers. Where neither redis-server nor valkey-server of a fit version is on PATH it is a
// miniredis, which forgets everything at its end. Stop must be called, also when ctx has ended.
func Start(ctx context.Context, o Options) (*Store, error) {
	if o.AppendFsync == "" {
		o.AppendFsync = "always"
	}
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", o.DataDir, err)
	}
	o.DataDir = dir
	s := &Store{opts: o, log: o.Log.With().Str("component", "store").Logger(), stopping: make(chan struct{}), stopped: make(chan struct{})}
	if err := os.MkdirAll(s.storeDir(), 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if s.folder, err = takeLock(ctx, filepath.Join(dir, "server.lock"), serverWait); err != nil {
		return nil, fmt.Errorf("data folder %s: another kentongan uses it: %w", dir, err)
	}
	if err := s.start(ctx); err != nil {
		s.folder.release()
		return nil, err
	}
	return s, nil
}

func (s *Store) start(ctx context.Context) error {
	s.kind, s.binary = find(s.log)
	if s.binary == "" {
		return s.startMini()
	}
	var err error
	if s.socket, err = socketPath(s.opts.DataDir); err != nil {
		return err
	}
	s.addr = (&url.URL{Scheme: "unix", Path: s.socket}).String()
	adopted, err := s.settle(ctx)
	if err != nil {
		return err
	}
	if !adopted {
		if err := s.launch(ctx); err != nil {
			return err
		}
	}
	go s.supervise(adopted)
	return nil
}

// URL is the address of the store, in the form redis.ParseURL reads.
func (s *Store) URL() string { return s.addr }

// Kind is redis-server, valkey-server or miniredis.
func (s *Store) Kind() string { return s.kind }

// Volatile tells a store that forgets everything when the server ends.
func (s *Store) Volatile() bool { return s.mini != nil }

func (s *Store) storeDir() string { return filepath.Join(s.opts.DataDir, "store") }
func (s *Store) lockPath() string { return filepath.Join(s.opts.DataDir, "store.lock") }

// startMini serves from memory. It asks for a password drawn now, since every program of this machine can reach a loopback port.
func (s *Store) startMini() error {
	m := miniredis.NewMiniRedis()
	password, err := draw()
	if err != nil {
		return err
	}
	m.RequireAuth(password)
	if err := m.StartAddr("127.0.0.1:0"); err != nil {
		return fmt.Errorf("start miniredis: %w", err)
	}
	s.kind, s.mini = "miniredis", m
	s.addr = (&url.URL{Scheme: "redis", User: url.UserPassword("", password), Host: m.Addr()}).String()
	s.log.Warn().Msg("neither redis-server nor valkey-server is on PATH: storage: volatile, everything is forgotten at the end of this process")
	go s.age()
	return nil
}

// age lets lifetimes pass: miniredis has no clock of its own.
func (s *Store) age() {
	defer close(s.stopped)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.stopping:
			return
		case <-tick.C:
			s.mini.FastForward(time.Second)
		}
	}
}

// settle deals with a store that is already in the folder: it waits for one that is ending, and adopts one that goes on living.
// We hold the folder's lock here, so whoever started that store is dead.
func (s *Store) settle(ctx context.Context) (adopted bool, err error) {
	began, told := time.Now(), false
	for {
		living, err := held(s.lockPath())
		if err != nil {
			return false, fmt.Errorf("data folder: %w", err)
		}
		answers := s.ping(ctx) == nil
		if !living && !answers {
			return false, nil
		}
		age := time.Since(began)
		if age >= orphanGrace && answers {
			if err := s.fit(ctx); err != nil {
				return false, err
			}
			s.log.Warn().Str("socket", s.socket).Msg("a store of an earlier server is alive in the folder: adopted")
			return true, nil
		}
		if age >= answerWait {
			return false, fmt.Errorf("a store lives in %s but neither answers nor ends (%s)", s.opts.DataDir, s.socket)
		}
		if !told {
			told = true
			s.log.Info().Msg("a store of an earlier server is still in the folder: waiting for its end")
		}
		if err := pause(ctx, pollInterval); err != nil {
			return false, err
		}
	}
}

// fit refuses to adopt a store that keeps its file elsewhere, and brings its flushing to what is configured.
func (s *Store) fit(ctx context.Context) error {
	c := s.client()
	defer func() { _ = c.Close() }()
	got, err := c.ConfigGet(ctx, "*").Result()
	if err != nil {
		return fmt.Errorf("a store lives at %s but does not tell its configuration: %w", s.socket, err)
	}
	here, _ := filepath.EvalSymlinks(s.storeDir())
	if there, _ := filepath.EvalSymlinks(got["dir"]); there != here {
		return fmt.Errorf("a store lives at %s but keeps its file in %s, not in %s: stop it first", s.socket, got["dir"], here)
	}
	for _, kv := range [][2]string{{"appendonly", "yes"}, {"appendfsync", s.opts.AppendFsync}, {"maxmemory-policy", "noeviction"}} {
		if got[kv[0]] == kv[1] {
			continue
		}
		if err := c.ConfigSet(ctx, kv[0], kv[1]).Err(); err != nil {
			return fmt.Errorf("adopt the store at %s: set %s: %w", s.socket, kv[0], err)
		}
	}
	return nil
}

func (s *Store) client() *redis.Client {
	return redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket, MaxRetries: -1, PoolSize: 1, DialTimeout: time.Second, ReadTimeout: time.Second,
		DialerRetries: 1, DisableIdentity: true})
}

func (s *Store) ping(ctx context.Context) error {
	// Nobody listens: ask no further. The client would try again, and say so.
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", s.socket)
	if err != nil {
		return err
	}
	_ = conn.Close()
	c := s.client()
	defer func() { _ = c.Close() }()
	return c.Ping(ctx).Err()
}

// launch starts a child and waits until it has loaded its file. A child that does not come up is ended.
func (s *Store) launch(ctx context.Context) error {
	c, err := startChild(s)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.child = c
	s.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, answerWait, fmt.Errorf("no answer within %s", answerWait))
	defer cancel()
	for {
		err := s.ping(ctx)
		if err == nil {
			s.log.Debug().Int("pid", c.pid()).Str("kind", s.kind).Str("socket", s.socket).Msg("store started")
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("%s ended while starting: %w\n%s", s.kind, c.err, c.tail.String())
		case <-ctx.Done():
			c.kill()
			<-c.done
			return fmt.Errorf("%s does not answer: %w (%w)", s.kind, context.Cause(ctx), err)
		case <-time.After(pollInterval):
		}
	}
}

// supervise starts the store again whenever it dies before Stop.
func (s *Store) supervise(adopted bool) {
	defer close(s.stopped)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { <-s.stopping; cancel() }()
	wait := restartMin
	for {
		began := time.Now()
		if adopted {
			s.watch(ctx)
		} else if c := s.current(); c != nil {
			select {
			case <-c.done:
			case <-s.stopping:
			}
		}
		if ctx.Err() != nil || s.isStopping() {
			return
		}
		adopted = false
		if time.Since(began) > restartMax {
			wait = restartMin
		}
		s.log.Error().Str("kind", s.kind).Str("again_in", wait.String()).Str("tail", s.tail()).Msg("the store has ended; starting it again")
		if pause(ctx, wait) != nil {
			return
		}
		wait = min(wait*2, restartMax)
		if err := s.launch(ctx); err != nil && ctx.Err() == nil {
			s.log.Error().Err(err).Msg("the store does not start")
		}
	}
}

// watch returns when an adopted store has ended.
func (s *Store) watch(ctx context.Context) {
	for pause(ctx, 250*time.Millisecond) == nil {
		living, err := held(s.lockPath())
		if err == nil && !living && s.ping(ctx) != nil && ctx.Err() == nil {
			return
		}
	}
}

func (s *Store) current() *child {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child
}

func (s *Store) tail() string {
	if c := s.current(); c != nil {
		return c.tail.String()
	}
	return ""
}

func (s *Store) isStopping() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// Stop ends the store, gently at first; when ctx ends it is killed, which loses nothing that was flushed. Safe to call twice.
func (s *Store) Stop(ctx context.Context) error {
	var err error
	s.stopOnce.Do(func() {
		close(s.stopping)
		<-s.stopped
		switch {
		case s.mini != nil:
			s.mini.Close()
		case s.current() != nil:
			err = s.current().stop(ctx)
		default:
			err = s.shutdown(ctx)
		}
		s.folder.release()
	})
	return err
}

// shutdown ends an adopted store, whose process is not our child.
func (s *Store) shutdown(ctx context.Context) error {
	c := s.client()
	defer func() { _ = c.Close() }()
	if err := c.Shutdown(ctx).Err(); err != nil && ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	for s.ping(ctx) == nil {
		if err := pause(ctx, pollInterval); err != nil {
			return fmt.Errorf("the adopted store does not end: %w", err)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
