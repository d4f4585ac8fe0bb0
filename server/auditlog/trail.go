package auditlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/store"
	"kentongan/geo/moment"
)

// trail is what the log says of each object: which records, and how its document stands after the last. It follows the log from its beginning;
// what of the log it cannot read it names, and goes on behind it.
type trail struct {
	reading chan struct{} // one reads at a time; others wait, as long as they may
	mu      sync.Mutex
	next    int64
	objects map[string]*path
	names   []string // of the objects, in the order in which the log first names them
	fault   string   // the first record that is missing or is not one; empty: none

	based bool            // what is kept as a field has a record each: store.Baselined
	fresh map[string]bool // objects of indexes that have records since they were read last
	stand map[string]bool // objects that some index must name, as they were read last
	taken []Difference    // what was changed without an act, and taken for true by an act
	told  int64           // the last record that says so before an act of the same step
}

type path struct {
	seqs  []int64
	after string // hash of the document; empty: there is none
	held  bool   // some record had a hash
	last  moment.Time
	was   string // hash before the last record that had one
}

func newTrail() *trail {
	t := &trail{reading: make(chan struct{}, 1)}
	t.begin()
	return t
}

// follow reads what has been written since. A log that is shorter than it was is read anew: the store has lost its end.
func (t *trail) follow(ctx context.Context, s *store.Store) error {
	select {
	case t.reading <- struct{}{}:
		defer func() { <-t.reading }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if length, err := s.LogLength(ctx); err != nil {
		return err
	} else if length < t.length() {
		t.begin()
	}
	for ctx.Err() == nil {
		records, err := s.LogRecords(ctx, t.length()+1, 2000)
		t.take(records)
		var gap *store.Gap
		switch {
		case errors.As(err, &gap):
			t.skip(gap)
		case err != nil || len(records) == 0:
			return err
		}
	}
	return context.Cause(ctx)
}

func (t *trail) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next, t.objects, t.names = 1, map[string]*path{}, nil
	t.based, t.fresh, t.stand, t.taken, t.told = false, map[string]bool{}, map[string]bool{}, nil, 0
}

func (t *trail) skip(g *store.Gap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.blame(fmt.Sprintf("records %d to %d are missing", g.From, g.Next-1))
	t.next = g.Next
}

// blame keeps the first fault.
func (t *trail) blame(text string) {
	if t.fault == "" {
		t.fault = text
	}
}

// take notes records that follow what is known.
func (t *trail) take(records [][]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range records {
		r, err := audit.Parse(b)
		switch {
		case err != nil:
			t.blame(fmt.Sprintf("record %d: %v", t.next, err))
		case r.Seq != t.next:
			t.blame(fmt.Sprintf("record %d says that it is %d", t.next, r.Seq))
		default:
			t.note(&r)
		}
		t.next++
	}
}

func (t *trail) note(r *audit.Record) {
	p := t.objects[r.Object]
	if p == nil {
		p = &path{}
		t.objects[r.Object] = p
		t.names = append(t.names, r.Object)
	}
	p.seqs = append(p.seqs, r.Seq)
	if documented(r.Object) && store.Indexed(r.Object) {
		t.fresh[r.Object] = true
	}
	if r.Action == store.Baselined && r.Actor == audit.Watcher {
		t.based = true
	}
	if key, expected, found, ok := audit.ReadForged(r); ok {
		t.overtook(Difference{Object: r.Object, Key: key, Expected: expected, Found: found, Since: r.Time})
		t.told = r.Seq
	}
	gone := strings.HasSuffix(r.Action, ".dropped") || strings.HasSuffix(r.Action, ".deleted")
	if r.AfterHash != "" || r.BeforeHash != "" || gone {
		same := r.BeforeHash == p.was && r.AfterHash == p.after && r.Time.Equal(p.last.Time) // of one step
		kept := keptNoun(r.Object)
		tells := documented(r.Object) || kept && (t.based || p.after != "") // an older server's records of the latter told less
		if r.BeforeHash == "" {                                             // what stood beside it was taken away
			tells = kept && t.based && r.AfterHash != ""
		}
		if tells && r.BeforeHash != p.after && !same && t.told != r.Seq-1 { // else the record before it says so
			t.overtook(Difference{Object: r.Object, Expected: p.after, Found: r.BeforeHash, Since: r.Time})
		}
		p.was, p.after, p.last = r.BeforeHash, r.AfterHash, r.Time
		p.held = true
	}
}

// overtook notes what was changed without an act, and is what an act started from.
func (t *trail) overtook(d Difference) {
	d.What = overtaken
	if t.taken = append(t.taken, d); len(t.taken) > mostDifferences {
		t.taken = t.taken[1:]
	}
}

// overtakenSince gives what acts have taken for true that no act made, from a time on.
func (t *trail) overtakenSince(from time.Time) (out []Difference) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.taken {
		if d.Since.After(from) {
			out = append(out, d)
		}
	}
	return out
}

// of gives the records about an object, the oldest first, and the hash that its document should have.
func (t *trail) of(object string) (seqs []int64, after string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.objects[object]; p != nil {
		return append([]int64(nil), p.seqs...), p.after
	}
	return nil, ""
}

// baselined tells whether every account, key, device, rule and feed has a record of what it was when the log began to hold it.
func (t *trail) baselined() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.based
}

// toRead gives objects of indexes: those that should be named by one, and at most so many of those that have new records.
func (t *trail) toRead(most int) (out []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for o := range t.stand {
		out = append(out, o)
	}
	for o := range t.fresh {
		if most--; most < 0 {
			break
		}
		out = append(out, o)
	}
	return out
}

// wasRead notes an object that was read when it had so many records, and whether an index must name it.
func (t *trail) wasRead(object string, records int, stands bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.objects[object]; p == nil || len(p.seqs) != records {
		return
	}
	delete(t.fresh, object)
	if stands {
		t.stand[object] = true
	} else {
		delete(t.stand, object)
	}
}

// held tells whether some record has told the hash of an object.
func (t *trail) held(object string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.objects[object]
	return p != nil && p.held
}

// named tells how many records there are about an object.
func (t *trail) named(object string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.objects[object]; p != nil {
		return len(p.seqs)
	}
	return 0
}

// length is how many records were read, unreadable ones too.
func (t *trail) length() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next - 1
}

// broken is the first record that is missing or is not one; empty: none.
func (t *trail) broken() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fault
}

// expected gives objects with documents, from a place on, and the next place.
func (t *trail) expected(from, most int) (objects []string, next int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for next = from; next < len(t.names) && len(objects) < most; next++ {
		if name := t.names[next]; documented(name) || t.objects[name].held && keptNoun(name) {
			objects = append(objects, t.names[next])
		}
	}
	if next >= len(t.names) {
		next = 0
	}
	return objects, next
}

// Of gives the numbers of the records about an object, the oldest first, up to now. Errors: feeds.ErrBusy.
func (l *Log) Of(ctx context.Context, object string) ([]int64, error) {
	if err := l.trail.follow(ctx, l.d.Store); err != nil {
		return nil, err
	}
	seqs, _ := l.trail.of(object)
	return seqs, nil
}

// Follow reads the log as it grows, so that Of has little left to read; until ctx ends.
func (l *Log) Follow(ctx context.Context) error {
	for {
		if err := l.trail.follow(ctx, l.d.Store); err != nil && ctx.Err() == nil {
			l.d.Log.Debug().Err(err).Msg("the audit log is not followed")
		}
		if text := l.trail.broken(); l.fault(placeTrail, text) && text != "" {
			l.d.Log.Error().Msg("audit log: " + text)
		}
		if !pause(ctx, checkEvery/4) {
			return nil
		}
	}
}
