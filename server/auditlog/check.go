package auditlog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
)

// How the store is held against the log.
const (
	checkEvery      = 20 * time.Second
	checkAtOnce     = 20_000 // documents each time, beside those that stand open: a house with more is gone through in turns
	checkBatch      = 500
	mostTold        = 100  // differences that are told one by one
	mostDifferences = 1000 // that are kept
	agreeTries      = 3    // while others write, what is read and what the log says may be of two moments
)

// documents are the nouns of objects that have a document of their own in the store, each written by a step with its record.
var documents = []string{"alarm", "alert", "contact", "dispatch", "incident", "plan", "report", "statement", "status", "suggestion", "unit"}

func documented(object string) bool {
	noun, id, ok := strings.Cut(object, ":")
	return ok && id != "" && slices.Contains(documents, noun)
}

// Difference is a place where the store is not what the log says.
type Difference struct {
	Object   string      `json:"object"`
	Key      string      `json:"key" doc:"Of the store"`
	What     string      `json:"what" enum:"changed,gone,added,back" doc:"changed: without an act; gone: no act took it away; added: no act made it; back: an act took it away"`
	Expected string      `json:"expected" doc:"after_hash of the last record about it; empty: there should be none"`
	Found    string      `json:"found" doc:"Hash of what stands there; empty: nothing"`
	Since    moment.Time `json:"since" doc:"When it was first seen"`
}

// Checked is how a check came out.
type Checked struct {
	At          moment.Time  `json:"at"`
	Whole       bool         `json:"whole" doc:"Every object of the log; else what stands open and the next of the rest"`
	Records     int64        `json:"records" doc:"Of the log, up to which it was held against"`
	Objects     int          `json:"objects" doc:"That were read"`
	Differences []Difference `json:"differences"`
}

// LastChecked is the last check of this server; false: none yet.
func (l *Log) LastChecked() (Checked, bool) {
	c := l.checked.Load()
	if c == nil {
		return Checked{}, false
	}
	return *c, true
}

// watch checks until ctx ends.
func (l *Log) watch(ctx context.Context, cases *store.Store) {
	from := 0
	for pause(ctx, checkEvery) {
		c, next, err := l.check(ctx, from, false)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			l.d.Log.Warn().Err(err).Msg("the store could not be held against the audit log")
			l.fault(placeCheck, "the store could not be held against it: "+err.Error())
			continue
		}
		l.fault(placeCheck, "")
		from = next
		l.tellDifferences(ctx, cases, c)
	}
}

// Check holds the whole store against the whole log; one at a time. Errors: feeds.ErrBusy.
func (l *Log) Check(ctx context.Context) (Checked, error) {
	if !l.wholly.TryLock() {
		return Checked{}, fmt.Errorf("%w: another check of everything is under way", feeds.ErrBusy)
	}
	defer l.wholly.Unlock()
	c, _, err := l.check(ctx, 0, true)
	if err == nil {
		l.tellDifferences(ctx, l.d.Store, c)
	}
	return c, err
}

func (l *Log) check(ctx context.Context, from int, whole bool) (Checked, int, error) {
	out := Checked{At: moment.Of(l.d.Now()), Whole: whole, Differences: []Difference{}}
	if err := l.trail.follow(ctx, l.d.Store); err != nil {
		return out, from, err
	}
	most := checkAtOnce
	if whole {
		most = int(^uint(0) >> 1)
	}
	objects, next := l.trail.expected(from, most)
	if !whole {
		open, err := l.d.Store.OpenObjects(ctx)
		if err != nil {
			return out, from, err
		}
		objects = append(objects, open...)
	}
	if last := l.checked.Load(); last != nil { // a difference stands until it was looked at again
		for _, d := range last.Differences {
			objects = append(objects, d.Object)
		}
	}
	known := map[string]bool{}
	for _, o := range objects {
		known[o] = true
	}
	strangers, err := l.strangers(ctx, known)
	if err != nil {
		return out, from, err
	}
	objects = append(objects, strangers...)
	slices.Sort(objects)
	objects = slices.Compact(objects)
	for part := range slices.Chunk(objects, checkBatch) {
		list, err := l.differing(ctx, part)
		if err != nil {
			return out, from, err
		}
		out.Differences = append(out.Differences, list[:min(len(list), mostDifferences-len(out.Differences))]...)
	}
	out.Objects, out.Records = len(objects), l.trail.length()
	return out, next, nil
}

// strangers lists documents of the store that the log does not name.
func (l *Log) strangers(ctx context.Context, known map[string]bool) (out []string, err error) {
	err = l.d.Store.EachKey(ctx, l.d.Keys.Prefix+":*:{"+l.d.Keys.Jurisdiction+"}:*", func(keys []string) error {
		for _, k := range keys {
			o := keyspace.Object(k)
			if known[o] || !documented(o) {
				continue
			}
			if seqs, _ := l.trail.of(o); len(seqs) == 0 {
				out = append(out, o)
			}
		}
		return nil
	})
	return out, err
}

// differing reads objects and gives those that are not what the log says, both of one moment.
func (l *Log) differing(ctx context.Context, objects []string) ([]Difference, error) {
	var out []Difference
	for try := 1; len(objects) > 0; try++ {
		before := make(map[string]int, len(objects))
		for _, o := range objects {
			before[o] = l.trail.named(o)
		}
		found, err := l.d.Store.Standings(ctx, objects)
		if err != nil {
			return nil, err
		}
		if err := l.trail.follow(ctx, l.d.Store); err != nil {
			return nil, err
		}
		out, objects = nil, nil
		for _, f := range found {
			_, want := l.trail.of(f.Object)
			if f.Hash == want {
				continue
			}
			if before[f.Object] != l.trail.named(f.Object) { // somebody acted on it meanwhile: undecided
				objects = append(objects, f.Object)
				continue
			}
			objects = append(objects, f.Object)
			out = append(out, Difference{Object: f.Object, Key: f.Key, What: what(want, f.Hash, l.trail, f.Object), Expected: want, Found: f.Hash})
		}
		if try == agreeTries || len(objects) == 0 {
			break
		}
		if !pause(ctx, 100*time.Millisecond) {
			return nil, context.Cause(ctx)
		}
	}
	return out, nil
}

func what(want, found string, t *trail, object string) string {
	switch seqs, _ := t.of(object); {
	case len(seqs) == 0:
		return "added"
	case found == "":
		return "gone"
	case want == "":
		return "back"
	}
	return "changed"
}

// tellDifferences says what is new among them: in our log, and in the audit log itself.
func (l *Log) tellDifferences(ctx context.Context, cases *store.Store, c Checked) {
	was := map[string]Difference{}
	if old := l.checked.Load(); old != nil {
		for _, d := range old.Differences {
			was[d.Key] = d
		}
	}
	for i := range c.Differences {
		d := &c.Differences[i]
		if old, known := was[d.Key]; known && old.Found == d.Found && old.Expected == d.Expected {
			d.Since = old.Since
			continue
		}
		d.Since = c.At
		if i >= mostTold {
			continue
		}
		l.d.Log.Error().Str("key", d.Key).Str("object", d.Object).Str("what", d.What).Str("expected", d.Expected).Str("found", d.Found).Msg("the store differs from the audit log")
		err := cases.Record(ctx, audit.Record{Actor: "house:audit", Action: "store.differs", Object: "store:" + d.Key, Reason: fmt.Sprintf("%s: %s instead of %s", d.What, orNone(d.Found), orNone(d.Expected))})
		if err != nil {
			l.d.Log.Error().Err(err).Msg("a difference is not in the audit log")
		}
	}
	l.checked.Store(&c)
}

func orNone(hash string) string {
	if hash == "" {
		return "nothing"
	}
	return hash
}

// tellForged tells of a document that was read and is not what its step wrote: before an act makes a new one of it.
func (l *Log) tellForged(key, hash, found string) {
	l.mu.Lock()
	known := l.forged[key+found]
	if len(l.forged) < mostDifferences {
		l.forged[key+found] = true
	}
	l.mu.Unlock()
	if known {
		return
	}
	l.d.Log.Error().Str("key", key).Str("expected", hash).Str("found", found).Msg("a document that was read is not what was written: the store differs from the audit log")
	go func() { // whoever reads does not wait for it
		ctx, cancel := context.WithTimeout(context.Background(), checkEvery)
		defer cancel()
		err := l.d.Store.Record(ctx, audit.Record{Actor: "house:audit", Action: "store.differs", Object: "store:" + key, Reason: "read: " + found + " instead of " + hash})
		if err != nil {
			l.d.Log.Error().Err(err).Msg("a difference is not in the audit log")
		}
	}()
}

// pause waits, and tells whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
