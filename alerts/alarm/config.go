package alarm

import (
	"fmt"
	"time"
)

// Config is the figures of domain.md section 6 that a site may dispute. Zero members mean the defaults.
type Config struct {
	ActUrgent  time.Duration `yaml:"act_urgent" doc:"To act within this makes an alarm P1, as severity Extreme does"`
	ActSoon    time.Duration `yaml:"act_soon" doc:"To act within this makes an alarm P2, as severity Severe does"`
	Budget     int           `yaml:"budget" doc:"Presentations at one desk within ten minutes, at most"`
	ForUrgent  int           `yaml:"for_urgent" doc:"Of these are kept for announcements of P1"`
	AtOnce     int           `yaml:"at_once" doc:"P2 and P3 that a desk gets one by one within ten minutes; what follows is gathered for a second, the worst first"`
	FloodFrom  int           `yaml:"flood_from" doc:"Raised at a desk within ten minutes: a flood begins"`
	FloodUntil int           `yaml:"flood_until" doc:"Fewer than this within ten minutes: it ends"`
	Announce   time.Duration `yaml:"announce" doc:"In a flood announcements of P1 keep this apart; P1 in between are rows at once and share the one before"`
	Chatter    int           `yaml:"chatter" doc:"Activations of one source within a minute: it chatters"`
	Quiet      time.Duration `yaml:"quiet" doc:"Without an activation for this long a source no longer chatters"`
	Stale      time.Duration `yaml:"stale" doc:"Active for longer than this is standing"`
	Shelf      time.Duration `yaml:"shelf" doc:"P2 and P3 may be shelved for this long at most"`
	ShelfP1    time.Duration `yaml:"shelf_urgent" doc:"P1 may be shelved for this long at most, by a supervisor"`
	Shelves    int           `yaml:"shelves" doc:"Shelved by one desk at a time, at most"`
}

// Window is what load is counted over (EEMUA 191); chatterWindow is for activations of one source.
const (
	Window        = 10 * time.Minute
	chatterWindow = time.Minute
)

// DefaultConfig is domain.md section 6.
func DefaultConfig() Config {
	return Config{ActUrgent: 5 * time.Minute, ActSoon: 30 * time.Minute, Budget: 10, ForUrgent: 4, AtOnce: 2, FloodFrom: 10, FloodUntil: 5, Announce: 150 * time.Second,
		Chatter: 3, Quiet: 10 * time.Minute, Stale: 24 * time.Hour, Shelf: 8 * time.Hour, ShelfP1: time.Hour, Shelves: 10}
}

// Filled gives the configuration with defaults for what is zero.
func (c Config) Filled() Config {
	d := DefaultConfig()
	for _, p := range []struct{ to, from *time.Duration }{{&c.ActUrgent, &d.ActUrgent}, {&c.ActSoon, &d.ActSoon}, {&c.Announce, &d.Announce}, {&c.Quiet, &d.Quiet},
		{&c.Stale, &d.Stale}, {&c.Shelf, &d.Shelf}, {&c.ShelfP1, &d.ShelfP1}} {
		if *p.to == 0 {
			*p.to = *p.from
		}
	}
	for _, p := range []struct{ to, from *int }{{&c.Budget, &d.Budget}, {&c.ForUrgent, &d.ForUrgent}, {&c.AtOnce, &d.AtOnce}, {&c.FloodFrom, &d.FloodFrom}, {&c.FloodUntil, &d.FloodUntil},
		{&c.Chatter, &d.Chatter}, {&c.Shelves, &d.Shelves}} {
		if *p.to == 0 {
			*p.to = *p.from
		}
	}
	return c
}

// Validate names every fault of a filled configuration by its key.
func (c Config) Validate() []error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(c.ActUrgent < 0 || c.ActSoon < c.ActUrgent, "act_soon: %s is less than act_urgent %s", c.ActSoon, c.ActUrgent)
	bad(c.ForUrgent < 1 || c.Budget < c.ForUrgent+3, "budget: %d leaves fewer than 3 beside for_urgent %d", c.Budget, c.ForUrgent)
	bad(c.AtOnce < 0 || c.AtOnce > c.Budget-c.ForUrgent-1, "at_once: %d is not within 0 and budget - for_urgent - 1", c.AtOnce)
	bad(c.FloodUntil < 1 || c.FloodFrom <= c.FloodUntil, "flood_from: %d is not above flood_until %d", c.FloodFrom, c.FloodUntil)
	bad(c.Announce < 0 || c.Announce > Window || time.Duration(c.ForUrgent)*c.Announce < Window, "announce: %s apart is more often than for_urgent %d in ten minutes, or longer than ten minutes", c.Announce, c.ForUrgent)
	bad(c.Chatter < 2, "chatter: %d is less than 2", c.Chatter)
	bad(c.Quiet < chatterWindow, "quiet: %s is less than a minute", c.Quiet)
	bad(c.Stale < time.Hour, "stale: %s is less than an hour", c.Stale)
	bad(c.Shelf < time.Minute || c.ShelfP1 < time.Minute || c.Shelf > 24*time.Hour || c.ShelfP1 > c.Shelf, "shelf: %s and shelf_urgent %s are not within a minute and 24h, in this order", c.Shelf, c.ShelfP1)
	bad(c.Shelves < 1, "shelves: %d is less than 1", c.Shelves)
	return errs
}
