package rules

import (
	"maps"
	"slices"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/report"
)

// Report judges a report by the rules that count reports. Stored is our clock when it was stored, and now how far our clock may go by it, no later
// than that: while readings of before wait to be judged nobody is silent. The same report again counts once, and one that comes closed calls nobody.
func (e *Engine) Report(r *report.Report, stored, now time.Time) []Decision {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.advance(now.UnixMilli())
	p := e.program.Load()
	if r.Status == report.Closed {
		return e.take()
	}
	v := reportView{report: r, places: p.places}
	pos, placed := placeOf(r)
	for _, c := range p.reports {
		if c.when.eval(&v) {
			e.count(e.states[c.rule.ID], pos, placed, r.Simulated, counted{millis(r.At.Milli(), stored), r.ID, r.Feed}, stored.UnixMilli())
		}
	}
	return e.take()
}

// Alert judges an agency's alert by the rules that count alerts; alerts of our own rules do not count, so that no rule feeds itself.
// Stored and now are as with Report.
func (e *Engine) Alert(a *alerts.Alert, stored, now time.Time) []Decision {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.advance(now.UnixMilli())
	p := e.program.Load()
	if a.Rule != "" || a.State != alerts.Active {
		return e.take()
	}
	v := alertView{alert: a, places: p.places}
	pos, placed := middleOf(a)
	at, feed := a.Sent.Milli(), ""
	if len(a.Sources) > 0 {
		feed = a.Sources[0]
	}
	for _, c := range p.alerts {
		if c.when.eval(&v) {
			e.count(e.states[c.rule.ID], pos, placed, a.Simulated, counted{millis(at, stored), a.ID, feed}, stored.UnixMilli())
		}
	}
	return e.take()
}

// millis is a time, else our clock; what is dated ahead of that counts from now on.
func millis(at int64, now time.Time) int64 {
	if at == 0 || at > now.UnixMilli() {
		return now.UnixMilli()
	}
	return at
}

// encode writes what was counted and what fires in the cells of a shard; false where there is nothing.
func (ps *piles) encode(w *writer, shard int) bool {
	var cells []place
	for at := range ps.cells {
		if shardOf(at.keyOf()) == shard {
			cells = append(cells, at)
		}
	}
	slices.SortFunc(cells, func(a, b place) int { return compareText(a.keyOf(), b.keyOf()) })
	w.uint(uint64(len(cells)))
	for _, at := range cells {
		w.place(at)
		w.uint(uint64(len(ps.cells[at])))
		for _, x := range ps.cells[at] {
			w.int(x.at)
			w.text(x.source)
			w.text(x.feed)
		}
	}
	keys := keysOf(ps.list, shard)
	w.uint(uint64(len(keys)))
	for _, k := range keys {
		w.uint(uint64(len(ps.list[k])))
		for _, n := range ps.list[k] {
			w.place(n.at)
			w.int(n.from)
			w.int(n.to)
			w.int(n.due)
			w.flags(n.stands)
			w.text(n.feed)
			w.uint(uint64(len(n.sources)))
			for _, s := range n.sources {
				w.text(s)
			}
		}
	}
	return len(cells)+len(keys) > 0
}

func (w *writer) place(p place) {
	w.uint(uint64(p.cell))
	w.flags(p.simulated)
}

func (r *reader) place() (p place) {
	p.cell = cellOf(r.uint())
	r.flags(&p.simulated)
	if p.cell == 0 {
		r.fail()
	}
	return p
}

// decode takes up what encode wrote.
func (ps *piles) decode(r *reader) {
	cells, list := map[place][]counted{}, map[string][]*pile{}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		at := r.place()
		for m := r.count(); m > 0 && r.err == nil; m-- {
			x := counted{r.int(), r.text(), r.text()}
			if k := len(cells[at]); k > 0 && cells[at][k-1].at > x.at {
				r.fail()
			}
			cells[at] = append(cells[at], x)
		}
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		for m := r.count(); m > 0 && r.err == nil; m-- {
			p := &pile{rule: ps.rule, at: r.place(), from: r.int(), to: r.int(), due: r.int()}
			r.flags(&p.stands)
			p.key, p.feed = p.at.keyOf(), r.text()
			for s := r.count(); s > 0 && r.err == nil; s-- {
				p.sources = append(p.sources, r.text())
			}
			list[p.key] = append(list[p.key], p)
		}
	}
	if r.err != nil {
		return
	}
	for at, l := range cells {
		if len(l) > 0 {
			ps.cells[at] = l
		}
	}
	maps.Copy(ps.list, list)
}

// armPiles sets the clock for the places that fire.
func (e *Engine) armPiles(s *standing) {
	if s.piles == nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(s.piles.list)) {
		for _, n := range s.piles.list[key] {
			if n.stands {
				e.timers.push(timer{due: n.due, pile: n})
			}
		}
	}
}

// endPiles clears the places that fired under a rule that is no more.
func (e *Engine) endPiles(s *standing) {
	if s.piles == nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(s.piles.list)) {
		for _, n := range s.piles.list[key] {
			if n.stands {
				n.stands = false
				e.pile(n, false, max(e.now, n.from), e.now)
				e.out[len(e.out)-1].Why = WhyChanged
			}
		}
	}
}

func (s *standing) takePiles(c *compiled) {
	if s.piles == nil {
		return
	}
	s.piles.rule = c
	for _, list := range s.piles.list {
		for _, n := range list {
			n.rule = c
		}
	}
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
