package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"kentongan/alerts/audit"
	"kentongan/alerts/store"
	"kentongan/feeds/runner"
	"kentongan/server/api"
	"kentongan/server/config"
	"kentongan/server/problem"
)

// How often the store is asked whether feeds have changed; the word of another server makes it at once.
const feedsEvery = time.Second

// feedSet is the feeds of the file, which stay, and those of the store, which come and go: it brings the runners in step with both. Safe for
// concurrent use.
type feedSet struct {
	app     *App
	log     zerolog.Logger
	poke    chan struct{} // another server says that there is something new
	changed chan struct{} // the feeds that somebody must drive are others
	apply   sync.Mutex    // one change of the runners at a time

	mu       sync.Mutex
	file     map[string]runner.FeedConfig
	stored   map[string]store.Feed        // as they were seen last
	running  map[string]runner.FeedConfig // those of stored that the runners have
	revision string
	warnings []string
}

func newFeedSet(a *App) *feedSet {
	f := &feedSet{app: a, log: a.log.With().Str("component", "feeds").Logger(), poke: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		file: map[string]runner.FeedConfig{}, stored: map[string]store.Feed{}, running: map[string]runner.FeedConfig{}}
	for _, c := range a.cfg.Feeds {
		f.file[c.Name] = c
	}
	return f
}

// follow keeps in step with the store until ctx ends.
func (f *feedSet) follow(ctx context.Context) {
	tick := time.NewTicker(feedsEvery)
	defer tick.Stop()
	for {
		if err := f.refresh(ctx); err != nil && ctx.Err() == nil {
			f.log.Debug().Err(err).Msg("the feeds of the store cannot be seen now")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-f.poke:
		}
	}
}

// wake makes follow look now.
func (f *feedSet) wake() {
	select {
	case f.poke <- struct{}{}:
	default:
	}
}

// refresh brings the runners in step, where anything has changed.
func (f *feedSet) refresh(ctx context.Context) error {
	f.apply.Lock()
	defer f.apply.Unlock()
	ctx, cancel := context.WithTimeout(ctx, announceLimit)
	defer cancel()
	revision, err := f.app.cases.FeedRevision(ctx)
	if err != nil || revision == f.seen() {
		return err
	}
	list, revision, err := f.app.cases.Feeds(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		list[i] = f.app.unsealFeed(list[i])
	}
	f.take(list)
	f.mu.Lock()
	f.revision = revision
	f.mu.Unlock()
	return nil
}

func (f *feedSet) seen() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.revision
}

// take puts, replaces and removes feeds until the runners have what the store lists. The file's own are never touched.
func (f *feedSet) take(list []store.Feed) {
	f.mu.Lock()
	was, running := f.stored, maps.Clone(f.running)
	f.mu.Unlock()
	stored := map[string]store.Feed{}
	var warnings []string
	for _, one := range list {
		stored[one.Name] = one
		if _, taken := f.file[one.Name]; taken {
			warnings = append(warnings, fmt.Sprintf("feed %s: the configuration file has a feed of this name, and the interface has made one as well: the file's is in force", one.Name))
			continue
		}
		if before, ok := was[one.Name]; ok && before.Version == one.Version && before.Act == one.Act {
			if _, ok := running[one.Name]; ok {
				continue
			}
		}
		c, err := readStored(one)
		if err == nil && f.app.rests(c) {
			continue
		}
		if err == nil {
			err = f.put(c, running)
		}
		if err != nil {
			warnings = append(warnings, fmt.Sprintf("feed %s: its settings in the store (version %d) cannot be used here: %v", one.Name, one.Version, err))
		}
	}
	for name, c := range running {
		if _, there := stored[name]; !there {
			f.remove(c)
			delete(running, name)
			f.log.Info().Str("feed", name).Msg("feed removed")
		}
	}
	f.note(stored, running, warnings)
}

// rests tells a feed that must not ask outside: a recording is played instead.
func (a *App) rests(c runner.FeedConfig) bool { return a.cfg.Replaying && !c.Driven() }

// readStored reads and checks what was kept.
func readStored(one store.Feed) (runner.FeedConfig, error) {
	if one.Version == 0 {
		return runner.FeedConfig{}, errors.New("they cannot be read; was it a newer server that wrote them?")
	}
	c, faults := config.ReadFeed("", string(one.Config), one.Name)
	faults.Check(c.ValidateForeign())
	if len(faults.Faults) > 0 {
		return c, errors.New(c.Scrub(strings.ReplaceAll(faults.Error(), "\n", "; ")))
	}
	return c, nil
}

// put gives settings to the runner of their lane, and takes the feed out of the other.
func (f *feedSet) put(c runner.FeedConfig, running map[string]runner.FeedConfig) error {
	before, there := running[c.Name]
	if there && before.Driven() != c.Driven() {
		f.remove(before)
		delete(running, c.Name)
	}
	if err := f.app.lane(c).Put(c); err != nil {
		return err
	}
	running[c.Name] = c
	f.log.Info().Str("feed", c.Name).Str("transport", c.Transport).Bool("new", !there).Msg("feed put")
	return nil
}

func (f *feedSet) remove(c runner.FeedConfig) {
	if err := f.app.lane(c).Remove(c.Name); err != nil {
		f.log.Error().Err(err).Str("feed", c.Name).Msg("feed is not removed")
	}
}

// lane is the runner that a feed belongs to.
func (a *App) lane(c runner.FeedConfig) *runner.Runner {
	if c.Driven() {
		return a.push
	}
	return a.pull
}

// note keeps what is in force now, and tells those who need to know.
func (f *feedSet) note(stored map[string]store.Feed, running map[string]runner.FeedConfig, warnings []string) {
	f.mu.Lock()
	for _, w := range warnings {
		if !slices.Contains(f.warnings, w) {
			f.log.Warn().Msg(w)
		}
	}
	f.stored, f.running, f.warnings = stored, running, warnings
	f.mu.Unlock()
	if f.app.states != nil {
		f.app.states.set(f.all())
	}
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// all lists the settings that are in force.
func (f *feedSet) all() []runner.FeedConfig {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Concat(slices.Collect(maps.Values(f.file)), slices.Collect(maps.Values(f.running)))
}

// warned lists what /readyz warns of.
func (f *feedSet) warned() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.warnings)
}

// config gives the settings of a feed: those of the file, else those of the store.
func (f *feedSet) config(name string) (runner.FeedConfig, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.file[name]
	if !ok {
		c, ok = f.running[name]
	}
	return c, ok
}

// made tells a feed that was made through the interface, and no other of its name is in the file.
func (f *feedSet) made(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, filed := f.file[name]
	_, stored := f.stored[name]
	return stored && !filed
}

// source is where the settings of a feed stand.
func (f *feedSet) source(name string) (source string, version int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.file[name]; ok {
		return fromFile, 0
	}
	return fromAPI, f.stored[name].Version
}

// The sources of settings.
const (
	fromFile = "file"
	fromAPI  = "api"
)

// Entry is api.FeedSet's.
func (f *feedSet) Entry(name string, editor bool) (api.FeedEntry, bool) {
	f.mu.Lock()
	c, filed := f.file[name]
	one, stored := f.stored[name]
	f.mu.Unlock()
	switch {
	case filed:
		return api.FeedEntry{Source: fromFile, Config: shownConfig(c, editor)}, true
	case !stored:
		return api.FeedEntry{}, false
	}
	return entryOf(one, editor), true
}

// entryOf shows what is kept of a feed. Settings that cannot be read are shown as far as they can.
func entryOf(one store.Feed, editor bool) api.FeedEntry {
	c, _ := config.ReadFeed("", string(one.Config), one.Name)
	return api.FeedEntry{Source: fromAPI, Version: one.Version, Config: shownConfig(c, editor), At: one.At, By: one.By}
}

// shownConfig is settings as people see them: never with secrets, and with queries of addresses only for who may change them.
func shownConfig(c runner.FeedConfig, editor bool) map[string]any {
	if u, err := url.Parse(c.URL); err == nil && c.URL != "" {
		if u.User != nil {
			u.User = url.User("secret")
			c.URL = u.String()
		}
		if at, _, found := strings.Cut(c.URL, "?"); found && !editor {
			c.URL = at + "?" + runner.Shown
		}
	}
	out := config.FeedTree(c, false)
	out["transport"] = c.Transport
	return out
}

// Put is api.FeedSet's.
func (f *feedSet) Put(ctx context.Context, name string, ask []byte, who audit.Actor) (api.FeedEntry, error) {
	next, version, faults := config.ReadFeedChange(string(ask), name)
	if source, _ := f.source(name); source == fromFile {
		return api.FeedEntry{}, f.filed(name)
	}
	now, there, err := f.app.feedOf(ctx, name)
	if err != nil {
		return api.FeedEntry{}, err
	}
	if now.Version != version {
		return api.FeedEntry{}, stale(now, there)
	}
	before := runner.DefaultConfig()
	if there {
		before, _ = config.ReadFeed("", string(now.Config), name) // its faults are no concern of what replaces it
	}
	faults.Check(next.KeepSecrets(before))
	faults.Check(next.ValidateForeign())
	if len(faults.Faults) > 0 {
		return api.FeedEntry{}, api.NewFeedFaults(faultsOf(next, faults))
	}
	kept, err := config.FeedJSON(next, true)
	if err != nil {
		return api.FeedEntry{}, err
	}
	if kept, err = f.app.sealFeed(name, kept); err != nil {
		return api.FeedEntry{}, err
	}
	change := store.FeedChange{Name: name, Version: version, Config: kept, Reason: reasonOf(before, next)}
	if err := f.change(ctx, change, who); err != nil {
		return api.FeedEntry{}, err
	}
	e, _ := f.Entry(name, true)
	return e, nil
}

// Remove is api.FeedSet's.
func (f *feedSet) Remove(ctx context.Context, name string, version int64, who audit.Actor) error {
	now, there, err := f.app.feedOf(ctx, name)
	source, _ := f.source(name)
	switch {
	case err != nil:
		return err
	case !there && source == fromFile:
		return f.filed(name)
	case !there:
		return api.ErrNoFeed
	case now.Version != version:
		return stale(now, there)
	}
	return f.change(ctx, store.FeedChange{Name: name, Version: version, Reason: "removed"}, who)
}

// change keeps a change, tells the other servers, and brings our own runners in step.
func (f *feedSet) change(ctx context.Context, c store.FeedChange, who audit.Actor) error {
	if _, err := f.app.cases.PutFeed(ctx, c, who); err != nil {
		if !errors.Is(err, store.ErrFeedVersion) {
			return err
		}
		now, there, bad := f.app.feedOf(ctx, c.Name)
		if bad != nil {
			return bad
		}
		return stale(now, there)
	}
	f.app.announce(word{FeedsChanged: true})
	if err := f.refresh(context.WithoutCancel(ctx)); err != nil {
		f.wake() // it is kept; follow takes it up
	}
	return nil
}

func (f *feedSet) filed(name string) error {
	e, _ := f.Entry(name, true)
	return api.NewFeedConflict(problem.InFile, "the feed stands in the configuration file: it is changed there", fromFile, &e)
}

// stale is the conflict of a change that was made of other settings than there are.
func stale(now store.Feed, there bool) error {
	if !there {
		return api.NewFeedConflict(problem.NoLonger, "there is no such feed any longer: make it with version 0", fromAPI, nil)
	}
	e := entryOf(now, true)
	return api.NewFeedConflict(problem.Changed, "the feed was changed meanwhile", fromAPI, &e)
}

// reasonOf names the keys that a change is of.
func reasonOf(before, next runner.FeedConfig) string {
	was, is := config.FeedTree(before, true), config.FeedTree(next, true)
	var keys []string
	for key, v := range is {
		if !reflect.DeepEqual(v, was[key]) {
			keys = append(keys, key)
		}
	}
	for key := range was {
		if _, ok := is[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return "changed: " + strings.Join(keys, ", ")
}

// Versions is api.FeedSet's.
func (f *feedSet) Versions(ctx context.Context, name string) ([]api.FeedVersion, error) {
	list, err := f.app.cases.FeedVersions(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, known := f.config(name); len(list) == 0 && !known {
		return nil, api.ErrNoFeed
	}
	var out []api.FeedVersion
	for _, one := range list {
		v := api.FeedVersion{Version: one.Version, At: one.At, By: one.By, Removed: one.Removed}
		if !one.Removed {
			v.Config = entryOf(f.app.unsealFeed(one), true).Config
		}
		out = append(out, v)
	}
	return out, nil
}

// announce tells the other servers that something has changed. Who does not hear it sees it within a second.
func (a *App) announce(w word) {
	if a.alone() {
		return
	}
	ctx, cancel := context.WithTimeout(a.workCtx, announceLimit)
	defer cancel()
	w.From = a.me
	b, err := json.Marshal(w)
	if err == nil {
		err = a.rdb.SPublish(ctx, a.keys.Announce(), b).Err()
	}
	if err != nil {
		a.log.Debug().Err(err).Msg("other servers are not told of a change: they will see it")
	}
}
