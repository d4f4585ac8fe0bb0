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
	mostTold        = 100     // differences that are told one by one
	mostDifferences = 1000    // that are kept
	agreeTries      = 3       // while others write, what is read and what the log says may be of two moments
	freshAtOnce     = 100_000 // documents each time that were written since: at a start that is all of them
	overtaken       = "overtaken"
	overtakenTold   = 7 * 24 * time.Hour // how long a forgery is told of that an act has overtaken: the log has it for ever
)

// documents are the nouns of objects that have a document of their own in the store, each written by a step with its record.
var documents = []string{"alarm", "alert", "contact", "dispatch", "incident", "plan", "report", "statement", "status", "suggestion", "unit"}

func documented(object string) bool {
	noun, id, ok := strings.Cut(object, ":")
	return ok && id != "" && slices.Contains(documents, noun)
}

// keptNoun tells whether an object is a field of a hash.
func keptNoun(object string) bool {
	noun, id, ok := strings.Cut(object, ":")
	return ok && id != "" && slices.Contains(keyspace.KeptNouns, noun)
}

// Difference is a place where the store is not what the log says.
type Difference struct {
	Object   string      `json:"object"`
	Key      string      `json:"key" doc:"Of the store, with the member or field that is meant"`
	What     string      `json:"what" enum:"changed,gone,added,back,unlisted,listed,overtaken" doc:"changed: without an act; gone: no act took it away; added: no act made it; back: an act took it away; unlisted: it stands, and the index of those that stand does not name it; listed: the index names it, and it does not stand; overtaken: it was changed without an act, and an act has started from that: told for a week"`
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
	for from := 0; ; {
		l.based(ctx, cases)
		if !pause(ctx, checkEvery) {
			return
		}
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

// based takes the baseline where none was taken, and tells whoever asks for the log's health while it does not come to its end: until then
// nothing of accounts, keys, devices, rules and feeds is held against the log.
func (l *Log) based(ctx context.Context, cases *store.Store) {
	err := l.baseline(ctx, cases)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		l.fault(placeBaseline, "")
	case l.fault(placeBaseline, "accounts, keys, devices, rules and feeds are not held against it yet, for how they stood at its beginning could not be written: "+err.Error()):
		l.d.Log.Warn().Err(err).Msg("what an older server wrote has no record of how it stands yet")
	}
}

// baseline gives what an older server wrote a record each of how it stands: once in the life of a log.
func (l *Log) baseline(ctx context.Context, cases *store.Store) error {
	if err := l.trail.follow(ctx, l.d.Store); err != nil || l.trail.baselined() {
		return err
	}
	n, err := cases.Baseline(ctx)
	if err == nil && n > 0 {
		l.d.Log.Info().Int("objects", n).Msg("accounts, keys, devices, rules and feeds that an older server wrote are held against the audit log from now on")
	}
	return err
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
	open, err := l.d.Store.OpenObjects(ctx)
	if err != nil {
		return out, from, err
	}
	objects = append(append(objects, open...), l.trail.toRead(freshAtOnce)...)
	if last := l.checked.Load(); last != nil { // a difference stands until it was looked at again
		for _, d := range last.Differences {
			objects = append(objects, d.Object)
		}
	}
	known := map[string]bool{}
	for _, o := range objects {
		known[o] = true
	}
	unmarked, err := l.unmarked(ctx)
	if err != nil {
		return out, from, err
	}
	out.Differences = append(out.Differences, unmarked...)
	strangers, err := l.strangers(ctx, known)
	if err != nil {
		return out, from, err
	}
	objects = append(objects, strangers...)
	kept, err := l.d.Store.KeptObjects(ctx)
	if err != nil {
		return out, from, err
	}
	objects = append(objects, kept...)
	if !l.trail.baselined() { // what they should be is being written down
		objects = slices.DeleteFunc(objects, keptNoun)
	}
	objects = slices.DeleteFunc(objects, func(o string) bool { return !documented(o) && !keptNoun(o) })
	slices.Sort(objects)
	objects = slices.Compact(objects)
	for part := range slices.Chunk(objects, checkBatch) {
		list, err := l.differing(ctx, part)
		if err != nil {
			return out, from, err
		}
		out.Differences = append(out.Differences, list[:min(len(list), mostDifferences-len(out.Differences))]...)
	}
	for _, d := range l.trail.overtakenSince(out.At.Add(-overtakenTold)) {
		if d.Key == "" {
			d.Key = keyOf(l.d.Keys, d.Object)
		}
		if len(out.Differences) < mostDifferences {
			out.Differences = append(out.Differences, d)
		}
	}
	out.Objects, out.Records = len(objects), l.trail.length()
	return out, next, nil
}

// unmarked holds the mark of the baseline in the store, by which writers know that a document without a hash is nobody's, against the log.
func (l *Log) unmarked(ctx context.Context) ([]Difference, error) {
	there, err := l.d.Store.Baselined(ctx)
	if err != nil {
		return nil, err
	}
	if there && !l.trail.baselined() { // it is written in one step with its record
		if err := l.trail.follow(ctx, l.d.Store); err != nil {
			return nil, err
		}
	}
	d := Difference{Object: store.BaselineObject, Key: l.d.Keys.AuditKept() + " " + keyspace.BaselineField, What: "gone"}
	switch based := l.trail.baselined(); {
	case based == there:
		return nil, nil
	case there:
		d.What = "added"
	}
	return []Difference{d}, nil
}

// keyOf is where an object stands.
func keyOf(k keyspace.Keys, object string) string {
	if key, field := keyspace.Kept(k, object); key != "" {
		return key + " " + field
	}
	return keyspace.Document(k, object)
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
			list := l.mislisted(f, before[f.Object])
			if _, want := l.trail.of(f.Object); f.Hash != want { // indexes are held against what should be there
				list = []Difference{{Object: f.Object, Key: f.Key, What: what(want, f.Hash, l.trail, f.Object), Expected: want, Found: f.Hash}}
			}
			if len(list) == 0 {
				continue
			}
			objects = append(objects, f.Object)
			if before[f.Object] == l.trail.named(f.Object) { // else somebody acted on it meanwhile: undecided
				out = append(out, list...)
			}
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

// mislisted gives the indexes that name an object which does not stand, or do not name one that does: both are of one moment.
func (l *Log) mislisted(f store.Standing, records int) (out []Difference) {
	stands := false
	for _, x := range f.Listings {
		stands = stands || x.Must
		d := Difference{Object: f.Object, Key: x.Key, What: "unlisted"}
		if x.Listed {
			d.What = "listed"
		}
		if x.Listed && !x.May || !x.Listed && x.Must {
			out = append(out, d)
		}
	}
	l.trail.wasRead(f.Object, records, stands)
	return out
}

func what(want, found string, t *trail, object string) string {
	switch {
	case !t.held(object):
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
			was[d.place()] = d
		}
	}
	for i := range c.Differences {
		d := &c.Differences[i]
		if old, known := was[d.place()]; known && old.Found == d.Found && old.Expected == d.Expected {
			d.Since = old.Since
			continue
		}
		if d.Since.IsZero() {
			d.Since = c.At
		}
		if i >= mostTold {
			continue
		}
		l.d.Log.Error().Str("key", d.Key).Str("object", d.Object).Str("what", d.What).Str("expected", d.Expected).Str("found", d.Found).Msg("the store differs from the audit log")
		if d.What == overtaken { // the log has it
			continue
		}
		err := cases.Record(ctx, d.record())
		if err != nil {
			l.d.Log.Error().Err(err).Msg("a difference is not in the audit log")
		}
	}
	l.checked.Store(&c)
}

// place tells differences from one another: one place can be overtaken more than once.
func (d *Difference) place() string {
	if d.What == overtaken {
		return d.Key + d.What + d.Expected + ":" + d.Found
	}
	return d.Key + d.What
}

// record is the difference as the log itself has it.
func (d *Difference) record() audit.Record {
	reason := fmt.Sprintf("%s: %s instead of %s", d.What, audit.OrNothing(d.Found), audit.OrNothing(d.Expected))
	if d.Found == "" && d.Expected == "" { // of an index
		reason = d.What + ": " + d.Object
	}
	return audit.Record{Actor: audit.Watcher, Action: audit.Differs, Object: "store:" + d.Key, Reason: reason}
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
		d := Difference{Key: key, What: "changed", Expected: hash, Found: found} // should an act follow, its step says that it overtook this
		err := l.d.Store.Record(ctx, d.record())
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
