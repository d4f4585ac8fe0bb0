package store

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
)

//go:embed step.lua
var stepSource string

var stepScript = redis.NewScript(stepSource)

// errConflict tells that what the step was decided on has changed; it is decided again.
var errConflict = errors.New("the case changed meanwhile")

// maxTries is how often a step is decided anew before the store counts as too busy; each failed try means somebody else's succeeded.
const maxTries = 100

// step collects one act: what it rests on, what it writes, whom it tells, and its audit record.
type step struct {
	id     string
	keys   []string
	index  map[string]int
	checks []any
	writes []any
	events []any
	nCheck int
	nWrite int
	nEvent int
	fenced bool // the first check is of the lease
	record audit.Record
	more   []audit.Record // of a step that is several acts
}

func (s *Store) newStep(now time.Time) *step {
	st := &step{id: rand.Text(), index: map[string]int{}, record: audit.Record{Time: moment.Of(now)}}
	for _, k := range []string{s.keys.Case(), s.keys.CaseOffset(), s.keys.Audit(), s.keys.AuditSeq()} {
		st.key(k)
	}
	if s.fence != nil {
		st.fenced = true
		st.check("str", s.keys.Fence(s.fence.Name), "", strconv.FormatInt(s.fence.Token, 10))
	}
	return st
}

// key gives the key's index in KEYS, from 1.
func (st *step) key(k string) int {
	if i, ok := st.index[k]; ok {
		return i
	}
	st.keys = append(st.keys, k)
	st.index[k] = len(st.keys)
	return len(st.keys)
}

func (st *step) check(kind, key, field, want string) {
	st.checks = append(st.checks, kind, st.key(key), field, want)
	st.nCheck++
}

func (st *step) write(kind, key string, args ...string) {
	var a [3]string
	copy(a[:], args)
	st.writes = append(st.writes, kind, st.key(key), a[0], a[1], a[2])
	st.nWrite++
}

func (st *step) set(key, value string, life time.Duration) {
	st.write("set", key, value, strconv.FormatInt(life.Milliseconds(), 10))
}

func (st *step) event(kind, id string, doc []byte) {
	st.events = append(st.events, kind, id, doc)
	st.nEvent++
}

// audited names the act; the hashes are of what stands before and after, nil for nothing. Named again the step is several acts.
func (st *step) audited(who audit.Actor, action, object, reason string, before, after any) error {
	if st.record.Action != "" {
		st.more = append(st.more, st.record)
	}
	b, err := audit.Hash(before)
	if err != nil {
		return err
	}
	a, err := audit.Hash(after)
	if err != nil {
		return err
	}
	st.record.Actor, st.record.Agency, st.record.Request, st.record.OnBehalf = who.Subject, who.Agency, who.Request, who.OnBehalf
	st.record.Action, st.record.Object, st.record.Reason = action, object, reason
	st.record.BeforeHash, st.record.AfterHash = b, a
	return nil
}

// apart puts what people wrote of the acts beside their records.
func (s *Store) apart(st *step, records []audit.Record) error {
	for i, r := range records {
		if !r.Personal() {
			continue
		}
		var w audit.Words
		records[i], w = r.Apart()
		doc, err := marshal(w)
		if err != nil {
			return err
		}
		st.write("hset", s.keys.AuditWords(), w.Hash(), string(doc))
	}
	return nil
}

// run takes the step, or says errConflict or ErrFenced. An error otherwise means that nothing is known to be written.
func (s *Store) run(ctx context.Context, st *step) error {
	records := st.more
	if st.record.Action != "" {
		records = append(records, st.record)
	}
	if err := s.apart(st, records); err != nil {
		return err
	}
	args := append([]any{st.id, st.record.Time.Milli(), st.nCheck}, st.checks...)
	args = append(append(args, st.nWrite), st.writes...)
	args = append(append(args, st.nEvent), st.events...)
	args = append(args, len(records))
	for i := range records {
		head, tail := records[i].Frame()
		args = append(args, head, tail)
	}
	args = append(args, keyspace.CaseStreamLength)
	needed := int(s.needed.Load())
	reply, err := s.script(ctx, stepScript, needed, st.keys, args...)
	switch {
	case err != nil:
		return fmt.Errorf("%w: step %s: %w", feeds.ErrBusy, st.record.Action, err)
	case reply[0] == "conflict" && st.fenced && reply[1] == "1":
		return fmt.Errorf("step %s: %w", st.record.Action, ErrFenced)
	case reply[0] == "conflict", reply[0] == "done" && needed > 0: // done before: found by the next try, and confirmed then
		return errConflict
	}
	return nil
}

// retry decides and takes a step until nothing has changed in between.
func (s *Store) retry(ctx context.Context, decide func() error) error {
	for range maxTries {
		err := decide()
		if !errors.Is(err, errConflict) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", feeds.ErrBusy, ctx.Err())
		}
	}
	return fmt.Errorf("%w: a case changed %d times while it was decided", feeds.ErrBusy, maxTries)
}

// marshal writes a document; Go's structs of ours always marshal, a float that is no number does not.
func marshal(doc any) ([]byte, error) {
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("document %T: %w", doc, err)
	}
	return b, nil
}
