package rules

import "slices"

// beganField is the part of the state that tells when each fence was taken up. A fence that nothing has touched has no state of its own, and must
// not be taken for one that is new: nor a new one, after a restart, for one that was always there.
const beganField = "#fence"

// saveBegan writes it, where it has changed.
func (e *Engine) saveBegan(put func(string, []byte)) {
	if !e.fresh {
		return
	}
	e.fresh = false
	var ids []string
	for id, s := range e.states {
		if s.rule.kind == KindFence {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	w := &writer{}
	w.uint(stateVersion)
	w.uint(uint64(len(ids)))
	for _, id := range ids {
		w.text(id)
		w.uint(printHash(e.states[id].rule.print))
		w.int(e.states[id].began)
	}
	put(beganField, w.b)
}

// restoreBegan takes it up: a fence that it does not know, or knows as another, begins where our clock stands. The parts of rules come behind it.
func (e *Engine) restoreBegan(b []byte) error {
	r := &reader{b: b}
	if err := r.begin(); err != nil {
		return err
	}
	known := map[string]int64{}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		id, print, began := r.text(), r.uint(), r.int()
		if s := e.states[id]; r.err == nil && s != nil && printHash(s.rule.print) == print {
			known[id] = began
		}
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail()
	}
	if r.err != nil {
		return r.err
	}
	e.fresh = false
	for id, s := range e.states {
		began, there := known[id]
		switch {
		case s.rule.kind != KindFence:
		case there:
			s.began = began
		default:
			s.began, e.fresh = e.now, true
		}
	}
	return nil
}
