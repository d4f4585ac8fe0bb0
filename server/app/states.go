package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/runner"
	"kentongan/geo/keyspace"
)

// How often servers tell each other of their feeds, and for how long one that says nothing new counts as there.
const (
	statesEvery = time.Second
	statesAlive = 4 * time.Second
)

// saying is what one server says of itself and its feeds, once a second.
type saying struct {
	Seq    int64              `json:"seq"`
	At     int64              `json:"at"` // ms of its clock: a hint for whoever hears it the first time
	Gone   bool               `json:"gone,omitempty"`
	Drives []string           `json:"drives"`
	Feeds  []feeds.FeedStatus `json:"feeds"` // those it drives, and those that are pushed
}

// neighbour is another server as we have heard it.
type neighbour struct {
	saying
	heard time.Time // when it last said something new, by our monotonic clock
}

// states is what every server says of its feeds. Safe for concurrent use.
type states struct {
	me  string
	log zerolog.Logger

	mu       sync.Mutex
	declared map[string]time.Duration // cadence by pushed feed
	pulled   []string                 // every feed that somebody must drive
	seq      int64
	others   map[string]neighbour
	last     map[string]feeds.FeedStatus // by pulled feed: what its driver said last
	even     time.Time                   // when we last thought about handing a feed over
}

func newStates(me string, configs []runner.FeedConfig, log zerolog.Logger) *states {
	s := &states{me: me, log: log.With().Str("component", "leases").Logger(), others: map[string]neighbour{}, last: map[string]feeds.FeedStatus{}}
	s.set(configs)
	return s
}

// set tells which feeds there are.
func (s *states) set(configs []runner.FeedConfig) {
	declared, pulled := map[string]time.Duration{}, []string{}
	for _, c := range configs {
		if c.Driven() {
			declared[c.Name] = c.Interval
		} else {
			pulled = append(pulled, c.Name)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.declared, s.pulled = declared, pulled
	maps.DeleteFunc(s.last, func(name string, _ feeds.FeedStatus) bool { return !slices.Contains(pulled, name) })
}

// exchange says what we drive and hears what others do, in one round trip.
func (a *App) exchange(ctx context.Context, gone bool) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	own := a.states.own(a.driven(), a.push.Status(), a.pull.Status(), gone, time.Now())
	b, err := json.Marshal(own)
	if err != nil {
		return err
	}
	key := a.keys.FeedStatus()
	pipe := a.rdb.Pipeline()
	pipe.HSet(ctx, key, a.me, b)
	pipe.PExpire(ctx, key, keyspace.StatusLifetime)
	all := pipe.HGetAll(ctx, key)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("tell other servers of the feeds: %w", err)
	}
	if old := a.states.hear(all.Val(), time.Now()); len(old) > 0 {
		return a.rdb.HDel(ctx, key, old...).Err()
	}
	return nil
}

// driven lists the feeds we drive.
func (a *App) driven() []string {
	out := []string{}
	for _, lease := range a.leases.holds() {
		if feed, ok := strings.CutPrefix(lease, feedLease("")); ok {
			out = append(out, feed)
		}
	}
	return out
}

// tellStates exchanges until ctx ends; its last word is that we are gone, so that nobody waits for us.
func (a *App) tellStates(ctx context.Context) error {
	tick := time.NewTicker(statesEvery)
	defer tick.Stop()
	for {
		if err := a.exchange(ctx, false); err != nil && ctx.Err() == nil {
			a.log.Debug().Err(err).Msg("states of feeds are not exchanged")
		}
		if feed := a.states.surplus(a.driven(), time.Now()); feed != "" {
			a.leases.handOver(feedLease(feed))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// own makes our saying, and remembers the states of what we drive.
func (s *states) own(drives []string, pushed, pulled []feeds.FeedStatus, gone bool, now time.Time) saying {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	out := saying{Seq: s.seq, At: now.UnixMilli(), Gone: gone, Drives: drives, Feeds: slices.Clone(pushed)}
	for _, st := range pulled {
		if slices.Contains(drives, st.Name) {
			out.Feeds = append(out.Feeds, st)
			s.last[st.Name] = st
		}
	}
	return out
}

// hear takes what is known of all servers, and gives those that nobody need remember.
func (s *states) hear(all map[string]string, now time.Time) (old []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.others {
		if _, ok := all[name]; !ok {
			delete(s.others, name)
		}
	}
	for name, text := range all {
		if name == s.me {
			continue
		}
		var said saying
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			s.log.Warn().Err(err).Str("server", name).Msg("what another server says of its feeds cannot be read; are they of one version?")
			continue
		}
		before, met := s.others[name]
		age := now.Sub(time.UnixMilli(said.At))
		if age > keyspace.StatusLifetime {
			old = append(old, name)
		}
		heard := before.heard
		if met && said.Seq != before.Seq || !met && age.Abs() < statesAlive {
			heard = now
		}
		s.others[name] = neighbour{said, heard}
		if !said.Gone && now.Sub(heard) < statesAlive {
			for _, st := range said.Feeds {
				if slices.Contains(said.Drives, st.Name) {
					s.last[st.Name] = st
				}
			}
		}
	}
	return old
}

func (n neighbour) live(now time.Time) bool { return !n.Gone && now.Sub(n.heard) < statesAlive }

// elsewhere tells whether another server that is there says that it drives a feed.
func (s *states) elsewhere(feed string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.others {
		if n.live(now) && slices.Contains(n.Drives, feed) {
			return true
		}
	}
	return false
}

// willing tells how long to let others go first for a feed; negative: it is driven.
func (s *states) willing(feed string, drives int, now time.Time) time.Duration {
	if s.elsewhere(feed, now) {
		return -1
	}
	if share, _ := s.share(now); drives >= share {
		return leaseYield
	}
	return 0
}

// share is how many feeds each server should drive, and the least that one of the others does.
func (s *states) share(now time.Time) (share, least int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	servers := 1
	least = len(s.pulled)
	for _, n := range s.others {
		if n.live(now) {
			servers++
			least = min(least, len(n.Drives))
		}
	}
	return (len(s.pulled) + servers - 1) / servers, least
}

// surplus names a feed to hand over, where we drive more than our share and somebody drives less than his; now and then, so that hand-overs
// do not chase each other.
func (s *states) surplus(drives []string, now time.Time) string {
	share, least := s.share(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(drives) <= share || least+1 >= len(drives) {
		s.even = now
		return ""
	}
	if now.Sub(s.even) < leaseEven {
		return ""
	}
	s.even = now
	return drives[len(drives)-1]
}

// of gives the truth of every feed: a driven one's from its driver, a pushed one's from all.
func (s *states) of(pushed, pulled []feeds.FeedStatus, drives []string, now time.Time) []feeds.FeedStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]feeds.FeedStatus, 0, len(pushed)+len(pulled))
	for _, own := range pushed {
		all := []runner.Said{{FeedStatus: own, Live: true}}
		for _, n := range s.others {
			for _, st := range n.Feeds {
				if st.Name == own.Name {
					all = append(all, runner.Said{FeedStatus: st, Live: n.live(now)})
				}
			}
		}
		out = append(out, identical(runner.Combine(all, s.declared[own.Name], now), own))
	}
	for _, own := range pulled {
		last, known := s.last[own.Name]
		if !known || slices.Contains(drives, own.Name) {
			out = append(out, own)
			continue
		}
		out = append(out, identical(runner.Aged(last, now), own))
	}
	return out
}

// identical lets a state bear what our own configuration says of the feed.
func identical(st, own feeds.FeedStatus) feeds.FeedStatus {
	st.Name, st.Format, st.Transport, st.Agency, st.Simulated, st.Attribution = own.Name, own.Format, own.Transport, own.Agency, own.Simulated, own.Attribution
	st.Kind, st.Source = own.Kind, own.Source
	return st
}
