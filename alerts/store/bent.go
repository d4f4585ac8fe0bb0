package store

import (
	"slices"
	"sync"
	"sync/atomic"

	"kentongan/alerts/audit"
)

// bent is documents whose bytes were not those of the hash beside them when they were read last: should an act start from one, its step says
// so. Safe for concurrent use; the zero value is ready.
type bent struct {
	some atomic.Int32 // how many there are: in an honest house nobody waits for the lock
	mu   sync.Mutex
	of   map[string]forgery // by key
}

type forgery struct{ expected, found string }

// mostBent bounds them: whoever forges more is told of all the same, by the check.
const mostBent = 10_000

// note says what a document was when it was read.
func (b *bent) note(key, expected, found string) {
	if found == expected && b.some.Load() == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case found == expected:
		delete(b.of, key)
	case b.of == nil:
		b.of = map[string]forgery{key: {expected, found}}
	case len(b.of) < mostBent:
		b.of[key] = forgery{expected, found}
	}
	b.some.Store(int32(len(b.of)))
}

func (b *bent) read(key string) (forgery, bool) {
	if b.some.Load() == 0 {
		return forgery{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.of[key]
	return f, ok
}

// overtaken puts before the first record of each document that the step writes, and that was forged when it was read, one that says so.
func (s *Store) overtaken(st *step, records []audit.Record) []audit.Record {
	if s.bent.some.Load() == 0 {
		return records
	}
	for object, d := range st.docs {
		f, ok := s.bent.read(d.key)
		if !ok || d.first {
			continue
		}
		forged := audit.Forged(d.key, f.expected, f.found)
		forged.Time = st.now
		at := slices.IndexFunc(records, func(r audit.Record) bool { return r.Object == object })
		records = slices.Insert(records, at, forged)
	}
	return records
}

// honest forgets them of documents that a step has written anew.
func (s *Store) honest(st *step) {
	if s.bent.some.Load() == 0 {
		return
	}
	for _, d := range st.docs {
		s.bent.note(d.key, "", "")
	}
}
