package rules

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"kentongan/geo"
)

// stateVersion of what Save writes. Version n reads n and n-1: what it does not read it forgets, with an error, and learns anew. Version 2 says of
// instruments when they were heard.
const stateVersion = 2

// begin reads the version that each part begins with.
func (r *reader) begin() error {
	if r.version = r.uint(); r.version != stateVersion && r.version != stateVersion-1 {
		return fmt.Errorf("%w: version %d, this one reads %d and %d", errState, r.version, stateVersion-1, stateVersion)
	}
	return r.err
}

// shards is in how many fields the state of one rule lies, so that a Thing that speaks does not make all others be written.
const shards = 64

// shardOf gives the shard of a Thing or a cell.
func shardOf(key string) int {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return int(h % shards)
}

func partName(rule string, shard int) string { return fmt.Sprintf("%s/%02x", rule, shard) }

// Save gives the parts of the state that have changed since the last Save, by the names under which Restore takes them: opaque, each begins
// with its rule's id. A part that is nil is no more, and its field is to be deleted. Equal states give equal bytes.
func (e *Engine) Save() map[string][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[string][]byte{}
	put := func(name string, b []byte) {
		switch {
		case b != nil:
			e.saved[name] = true
		case !e.saved[name]:
			return
		default:
			delete(e.saved, name)
		}
		out[name] = b
	}
	for id, s := range e.states {
		for shard := range shards {
			if s.dirty[shard] && e.ripe(s, shard) {
				s.dirty[shard], s.urgent[shard], s.savedAt[shard] = false, false, e.now
				put(partName(id, shard), e.encode(s, shard))
			}
		}
		s.saveUsual(put)
		s.saveClock(put)
	}
	for name := range e.saved {
		id, part, _ := strings.Cut(name, "/")
		if strings.HasPrefix(name, "#") {
			continue
		}
		s := e.states[id]
		thing, usual := strings.CutPrefix(part, usualPart)
		if s == nil || usual && s.usual[thing] == nil {
			put(name, nil)
		}
	}
	e.tracks.save(put)
	e.saveBegan(put)
	w := &writer{}
	w.uint(stateVersion)
	w.int(e.now)
	w.int(e.swept)
	put(clockField, w.b)
	return out
}

// calmSave is how often what is learned of instruments in order is saved: it changes with each reading, and tells at once when one is not.
const calmSave = 30_000

func (e *Engine) ripe(s *standing, shard int) bool {
	return s.rule.kind != KindFault || s.urgent[shard] || e.now-s.savedAt[shard] >= calmSave
}

// Restore takes up the state that Saves gave, each field's latest; what the engine held is gone. Rules that are no more, or do something else
// now, are forgotten; what they had firing is cleared by the next input or Tick. The error joins what could not be read, each with its
// field; all else is taken up.
func (e *Engine) Restore(fields map[string][]byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reset(e.program.Load())
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		b := fields[name]
		if b == nil {
			continue
		}
		e.saved[name] = true
		id, part, ok := strings.Cut(name, "/")
		err := errState
		switch {
		case name == clockField:
			err = e.restoreNow(b)
		case name == beganField:
			err = e.restoreBegan(b)
		case !ok:
		case id == tracksField:
			err = e.tracks.restore(b)
		case part == clockPart:
			err = e.restoreClock(id, b)
		case strings.HasPrefix(part, usualPart):
			err = e.restoreUsual(id, part[len(usualPart):], b)
		default:
			err = e.decode(id, part, b)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("state %q: %w", name, err))
		}
	}
	for _, s := range e.states {
		e.armPiles(s)
	}
	return errors.Join(errs...)
}

// clockField is the part of the state that tells how far our clock has come.
const clockField = "#clock"

func (e *Engine) restoreNow(b []byte) error {
	r := &reader{b: b}
	if err := r.begin(); err != nil {
		return err
	}
	now, swept := r.int(), r.int()
	if r.err == nil {
		e.now, e.swept = now, swept
	}
	return r.err
}

// encode writes one shard of a rule; nil where it holds nothing.
func (e *Engine) encode(s *standing, shard int) []byte {
	w := &writer{}
	w.uint(stateVersion)
	w.uint(printHash(s.rule.print))
	w.text(string(s.rule.kind))
	w.flags(s.near != nil)
	w.int(s.began)
	keys := keysOf(s.pairs, shard)
	rest := keysOf(s.rest, shard)
	w.uint(uint64(len(keys)))
	for _, k := range keys {
		w.pair(s.pairs[k])
	}
	w.uint(uint64(len(rest)))
	for _, k := range rest {
		w.text(k)
		w.int(s.rest[k])
	}
	some := len(keys)+len(rest) > 0
	if s.near != nil {
		some = s.near.encode(w, shard) || some
	}
	if s.piles != nil {
		some = s.piles.encode(w, shard) || some
	}
	if s.rule.kind == KindFault {
		some = e.series.encode(w, shard) || some
	}
	if !some {
		return nil
	}
	return w.b
}

// keysOf lists the keys of a shard, in order.
func keysOf[V any](m map[string]V, shard int) []string {
	var out []string
	for k := range m {
		if shardOf(k) == shard {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

func printHash(print string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(print))
	return h.Sum64()
}

// decode takes up one shard.
func (e *Engine) decode(id, part string, b []byte) error {
	r := &reader{b: b}
	if err := r.begin(); err != nil {
		return err
	}
	print, kind := r.uint(), Kind(r.text())
	var corroborated bool
	r.flags(&corroborated)
	began := r.int()
	s, faults := e.states[id], e.series
	same := s != nil && printHash(s.rule.print) == print
	if !same { // only what fires is of interest, to clear it
		s, faults = newStanding(gone(id, kind)), newWatch()
		s.near = newNear(&Corroborate{})
	} else if corroborated != (s.near != nil) {
		r.fail()
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		p := r.pair(s.rule)
		if r.err == nil {
			s.pairs[p.key] = p
		}
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		key := r.text()
		s.rest[key] = r.int()
	}
	if corroborated && r.err == nil {
		s.near.decode(r)
	}
	if s.piles != nil {
		s.piles.decode(r)
	}
	if s.rule.kind == KindFault {
		faults.decode(r, e.now)
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail()
	}
	switch {
	case r.err != nil:
		return r.err
	case !same:
		e.end(s, faults)
		if now := e.states[id]; now != nil { // it does something else since the last Save
			now.began, e.fresh = e.now, true
		}
		return nil
	}
	s.began = began
	for _, p := range s.pairs {
		e.wind(p)
	}
	return nil
}

// wind sets the clock of a pair that has been restored as it was.
func (e *Engine) wind(p *pair) {
	if p.timer != 0 {
		e.timers.push(timer{due: p.timer, pair: p})
	}
}

// gone stands for a rule of which only the state is left.
func gone(id string, kind Kind) *compiled {
	c := &compiled{rule: &Rule{ID: id}, kind: kind, pace: pace{samples: 1}, historyMs: historyMs}
	if kind == KindCount {
		c.rule.Count = &Count{Of: CountThings, AtLeast: 2, Within: time.Minute}
	}
	return c
}

// ended clears what fired under a rule that is no more.
func (e *Engine) ended(p *pair) {
	if p.open() {
		e.out = append(e.out, Decision{Rule: p.rule.rule, Key: p.key, Thing: p.thing, Position: p.thing.Position, Placed: p.thing.Placed,
			Sources: []string{p.key}, At: timeOf(max(e.now, p.head.last)), Since: timeOf(p.head.fired), Why: WhyChanged})
	}
}

func (w *writer) fold(f *fold) {
	w.flags(f.firing, f.armed, f.claimed)
	w.uint(uint64(f.prop))
	w.int(int64(f.agree))
	for _, t := range []int64{f.since, f.enough, f.fired, f.last, f.moved} {
		w.int(t)
	}
}

func (r *reader) fold() (f fold) {
	r.flags(&f.firing, &f.armed, &f.claimed)
	f.prop = uint8(r.uint())
	f.agree = int32(min(r.span(), math.MaxInt32))
	for _, t := range []*int64{&f.since, &f.enough, &f.fired, &f.last, &f.moved} {
		*t = r.int()
	}
	return f
}

func (w *writer) pair(p *pair) {
	w.text(p.key)
	w.thing(p.thing)
	w.flags(p.inside, p.at.simulated)
	w.num(p.position.Lat)
	w.num(p.position.Lng)
	w.uint(uint64(p.at.cell))
	w.int(p.lag)
	w.uint(uint64(len(p.props)))
	for _, name := range p.props {
		w.text(name)
	}
	w.int(p.timer)
	w.fold(&p.base)
	w.fold(&p.head)
	w.int(p.floor)
	last := int64(0)
	w.uint(uint64(len(p.kept())))
	for _, m := range p.kept() {
		w.int(m.at - last)
		last = m.at
		w.uint(uint64(m.said)<<1 | bitsOf([]bool{m.value != nil}))
		w.uint(uint64(m.prop))
		if m.value != nil {
			w.value(m.value.value)
			w.text(m.value.unit)
		}
	}
	w.uint(uint64(len(p.raised)))
	for _, s := range p.raised {
		w.int(s.from)
		w.int(s.to)
		w.int(s.since)
		w.int(s.said)
		w.flags(s.withdrawn)
	}
}

func (r *reader) pair(c *compiled) *pair {
	p := &pair{rule: c, key: r.text(), thing: r.thing()}
	r.flags(&p.inside, &p.at.simulated)
	p.position = geo.Position{Lat: r.num(), Lng: r.num()}
	p.at.cell = cellOf(r.uint())
	p.lag = r.span()
	for n := r.count(); n > 0 && r.err == nil; n-- {
		p.props = append(p.props, r.text())
	}
	p.timer = r.int()
	p.base, p.head = r.fold(), r.fold()
	p.floor = r.int()
	last := int64(0)
	for n := r.count(); n > 0 && r.err == nil; n-- {
		if last += r.int(); last > mostInt || last < -mostInt {
			r.fail()
		}
		bits := r.uint()
		m := mark{at: last, said: said(bits >> 1), prop: uint8(r.uint())}
		if bits&1 != 0 {
			m.value = &sample{r.value(), r.text()}
		}
		if int(m.prop) >= len(p.props) || len(p.marks) > 0 && m.at < p.marks[len(p.marks)-1].at {
			r.fail()
		}
		p.marks = append(p.marks, m)
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		s := span{from: r.int(), to: r.int(), since: r.int(), said: r.int()}
		r.flags(&s.withdrawn)
		p.raised = append(p.raised, s)
	}
	if p.thing == nil || len(p.raised) > 0 && slices.ContainsFunc(p.raised[:len(p.raised)-1], func(s span) bool { return s.to == 0 }) {
		r.fail()
	}
	return p
}
