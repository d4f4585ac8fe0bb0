package contract

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"kentongan/feeds"
	"kentongan/geo/moment"
)

// Small deliveries share a window: as many messages as there are Things, at most longWindow.
const (
	longWindow = 32
	windowLife = 6 * time.Hour // an older window says nothing of now
)

// Watch judges the deliveries of one feed, one after the other, and learns from those that are good. Safe for concurrent use: the lock is held for
// the figures of one delivery, which are bounded.
type Watch struct {
	config Config
	bound  box // declared

	mu       sync.Mutex
	profile  *Profile
	rev      int64 // of the profile as it was loaded or saved
	changed  bool  // since it was saved
	one, sum sample
	cur, old sample // the window: what comes now, and what came before
	began    time.Time
}

// Verdict is what is found of one delivery. Its zero value: nothing.
type Verdict struct {
	Findings  []Finding
	Readings  bool // readings are to be held back
	Positions bool // positions are to be held back
}

// Reason is the first finding in one language, for logs and the feed's state.
func (v *Verdict) Reason() string {
	if len(v.Findings) == 0 {
		return ""
	}
	return v.Findings[0].TextEN
}

// Fingerprint is the same for deliveries that are at fault in the same way.
func (v *Verdict) Fingerprint() string {
	keys := make([]string, len(v.Findings))
	for i := range v.Findings {
		keys[i] = v.Findings[i].key()
	}
	return strings.Join(keys, "\n")
}

// NewWatch gives a watch over a feed of which nothing is known; nil where the contract is off.
func NewWatch(c Config, now time.Time) *Watch {
	if c.Off {
		return nil
	}
	w := &Watch{config: c, profile: New(now)}
	if b, ok := c.bound(); ok {
		w.bound = boxOf(b)
	}
	return w
}

// Check judges a delivery and, where it is good, learns from it.
func (w *Watch) Check(b *feeds.Batch, m feeds.Meta) Verdict {
	if w == nil {
		return Verdict{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := m.ReceivedAt
	k := known{w.profile.Bound, w.bound, &w.profile.things, &w.profile.homes}
	w.one.reset()
	w.one.read(b, now, k)
	v := w.look(b, m)
	if len(v.Findings) == 0 {
		return v
	}
	for i := range v.Findings {
		f := &v.Findings[i]
		f.exemplify(b, k, moment.Of(now))
		v.Readings, v.Positions = v.Readings || f.readings(), v.Positions || f.positions()
	}
	v.Readings, v.Positions = v.Readings && len(b.Observations) > 0, v.Positions && len(b.Positions) > 0
	return v
}

// look judges the sample by itself where it says enough, else with those before it.
func (w *Watch) look(b *feeds.Batch, m feeds.Meta) Verdict {
	now, p, s := m.ReceivedAt, w.profile, &w.one
	paged := len(b.Follow) > 0 || len(b.Next) > 0 || m.Part
	source := sourceOf(m)
	if s.messages >= enoughAlone || s.messages == 0 || 2*float64(s.messages) >= p.things.count()-0.5 {
		j := judgement{p: p, s: s, c: w.config, now: now}
		j.out = judge(p, s, w.config, now, false, false)
		j.amount(source, paged)
		if b.Snapshot {
			j.kinds()
		}
		if len(j.out) == 0 {
			p.volume(source, s.messages, paged)
			if b.Snapshot {
				p.whole(s)
			}
			w.take(now)
		}
		slices.SortStableFunc(j.out, func(a, b Finding) int { return rank(a.What) - rank(b.What) })
		return Verdict{Findings: j.out}
	}
	w.roll(now)
	symptoms := judge(p, s, w.config, now, true, false)
	j := judgement{p: p, s: s, c: w.config, now: now}
	j.amount(source, paged)
	if len(symptoms) == 0 || len(j.out) > 0 {
		if len(j.out) == 0 {
			w.cur.add(s)
			p.volume(source, s.messages, paged)
		}
		return Verdict{Findings: j.out}
	}
	w.cur.add(s)
	w.sum.reset()
	w.sum.add(&w.old)
	w.sum.add(&w.cur)
	var out []Finding
	for _, f := range judge(p, &w.sum, w.config, now, false, true) {
		for i := range symptoms {
			if same(&f, &symptoms[i]) {
				out = append(out, f)
				break
			}
		}
	}
	return Verdict{Findings: out}
}

// take learns from a good delivery: at once where it is large, else with others.
func (w *Watch) take(now time.Time) {
	w.changed = true
	if w.one.messages >= enoughAlone || w.one.messages == 0 {
		w.profile.learn(&w.one, now)
		return
	}
	w.roll(now)
	w.cur.add(&w.one)
	w.roll(now)
}

// roll ends the window where it is full, and learns from it where it is good.
func (w *Watch) roll(now time.Time) {
	if w.cur.messages == 0 {
		w.began = now
		return
	}
	size := min(w.profile.things.count(), longWindow)
	if now.Sub(w.began) > windowLife {
		w.old.reset()
	} else if float64(w.cur.messages) < size-0.5 {
		return
	}
	if len(judge(w.profile, &w.cur, w.config, now, false, true)) == 0 {
		w.profile.learn(&w.cur, now)
		w.changed = true
	}
	w.old, w.cur = w.cur, w.old
	w.cur.reset()
	w.began = now
}

// sourceOf is the address or topic whose deliveries are of one size.
func sourceOf(m feeds.Meta) string {
	if m.URL == "" {
		return m.Topic
	}
	plain, _, _ := strings.Cut(m.URL, "?")
	return plain + m.Topic
}

// rank lets the finding that explains the others stand first.
func rank(what string) int {
	switch what {
	case Collapse, Burst, Refused, Swapped, Future:
		return 0
	case Absent:
		return 2
	}
	return 1
}

// Accept learns a new shape: what contradicts the findings is forgotten, and the delivery is learned.
func (w *Watch) Accept(findings []Finding, b *feeds.Batch, m feeds.Meta) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range findings {
		findings[i].restore()
	}
	w.profile.accept(findings, m.ReceivedAt)
	w.one.reset()
	w.one.read(b, m.ReceivedAt, known{declared: w.bound, things: &w.profile.things, homes: &w.profile.homes})
	w.profile.learn(&w.one, m.ReceivedAt)
	w.profile.volume(sourceOf(m), w.one.messages, false)
	w.cur.reset()
	w.old.reset()
	w.changed = true
}

// restore fills what does not travel as JSON.
func (f *Finding) restore() {
	f.prop, _, _ = strings.Cut(f.Field, ".")
	if f.What == Renamed || f.What == Unit || f.What == Type {
		f.to = f.Now
	}
}

// Save gives the profile as it is kept, with the revision it rests on; nil where nothing has changed since.
func (w *Watch) Save() (doc []byte, rev int64, err error) {
	if w == nil {
		return nil, 0, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.changed {
		return nil, w.rev, nil
	}
	if doc, err = json.Marshal(w.profile); err == nil {
		w.changed = false
	}
	return doc, w.rev, err
}

// Load takes a profile that was kept. What is known of single Things stays where the revision is the one we have.
func (w *Watch) Load(doc []byte, rev int64) error {
	p := &Profile{}
	if err := json.Unmarshal(doc, p); err != nil {
		return fmt.Errorf("contract: profile: %w", err)
	}
	if p.Version > 1 {
		return fmt.Errorf("contract: a profile of version %d: this server reads 1", p.Version)
	}
	p.ready()
	w.mu.Lock()
	defer w.mu.Unlock()
	p.things = w.profile.things
	if rev == w.rev {
		p.table = w.profile.table
	}
	w.profile, w.rev, w.changed = p, rev, false
	w.cur.reset()
	w.old.reset()
	return nil
}

// Unsaved tells that what Save gave was not kept.
func (w *Watch) Unsaved() { w.mu.Lock(); w.changed = true; w.mu.Unlock() }

// Rev is the revision of the profile that the watch rests on; SetRev is told the one under which it was saved.
func (w *Watch) Rev() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rev
}

// SetRev notes the revision under which the profile was saved.
func (w *Watch) SetRev(rev int64) { w.mu.Lock(); w.rev = rev; w.mu.Unlock() }

// Shown is a contract as people see it.
type Shown struct {
	Off        bool            `json:"off"`
	Learning   bool            `json:"learning"` // too little has come to judge by
	Since      moment.Time     `json:"since"`
	Deliveries int64           `json:"deliveries"`
	Items      int64           `json:"items"`
	Declared   Config          `json:"declared"`
	Properties []ShownProperty `json:"properties"`
	Bbox       []float64       `json:"bbox"` // learned: west, south, east, north; empty: no place is known
	Placed     float64         `json:"placed"`
	Things     int             `json:"things"` // about so many were heard within two days
}

// ShownProperty is one line of a contract.
type ShownProperty struct {
	Kind     string           `json:"kind"`
	Property string           `json:"property"`
	Readings int64            `json:"readings"`
	Type     string           `json:"type"` // number, text or bool
	Units    map[string]int64 `json:"units"`
	Low      float64          `json:"low"` // 1 % lie below, of numbers
	Median   float64          `json:"median"`
	High     float64          `json:"high"`     // 1 % lie above
	Presence float64          `json:"presence"` // least share of a Thing's messages that have it
}

// Show gives the contract.
func (w *Watch) Show(now time.Time) Shown {
	if w == nil {
		return Shown{Off: true, Properties: []ShownProperty{}, Bbox: []float64{}}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.profile
	out := Shown{Learning: !p.Ripe(now), Since: p.Since, Deliveries: p.Deliveries, Items: p.Items, Declared: w.config, Properties: []ShownProperty{}, Bbox: []float64{},
		Things: int(math.Round(p.things.count()))}
	if p.Bound.Any {
		out.Bbox = []float64{p.Bound.West, p.Bound.South, p.Bound.East, p.Bound.North}
	}
	out.Placed, _, _ = p.Placed.span()
	for _, kind := range sortedKeys(p.Kinds) {
		for _, name := range sortedKeys(p.Kinds[kind].Properties) {
			out.Properties = append(out.Properties, p.Kinds[kind].Properties[name].shown(kind, name))
		}
	}
	return out
}

func (e *Expected) shown(kind, name string) ShownProperty {
	out := ShownProperty{Kind: kind, Property: name, Readings: e.Readings, Type: "number", Units: map[string]int64{}}
	if e.Texts > e.Numbers {
		out.Type = "text"
	}
	if e.Truths > e.Texts+e.Numbers {
		out.Type = "bool"
	}
	for u, n := range e.Units {
		out.Units[u] = n
	}
	if out.Type == "number" {
		out.Low, out.Median, out.High = e.Values.quantile(0.01), e.Values.quantile(0.5), e.Values.quantile(0.99)
	}
	out.Presence, _, _ = e.Presence.span()
	return out
}
