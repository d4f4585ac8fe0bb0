package store

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
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
	acts   []entry
	docs   map[string]written // object -> what the step makes of its document
	now    moment.Time
}

// entry is a record before it is written; its hashes are those of before and after where its object has no document.
type entry struct {
	audit.Record
	before, after any
	hashed        bool // the hashes are there already
}

// written is a document of the step.
type written struct {
	key   string
	hash  string // empty: it is deleted
	first bool   // there was none
	n     int    // number of the write, from 1; 0: it is deleted
	doc   []byte
}

func (s *Store) newStep(now time.Time) *step {
	st := &step{id: rand.Text(), index: map[string]int{}, docs: map[string]written{}, now: moment.Of(now)}
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

// event tells the case stream of a document, which goes to the store once where the step writes it too.
func (st *step) event(kind, id string, doc []byte) {
	n := 0
	if d := st.docs[kind+":"+id]; d.n > 0 && bytes.Equal(d.doc, doc) {
		n, doc = d.n, nil
	}
	st.events = append(st.events, kind, id, n, doc)
	st.nEvent++
}

// doc writes a document, whose hash stands beside it and in the record of the act. An object whose hash must not be guessed has a salt.
func (st *step) doc(key, rev string, doc []byte, own, salt string) {
	hash := audit.HashOf(doc, salt)
	st.write("doc", key, rev, string(doc), own)
	st.writes = append(st.writes, hash)
	st.docs[keyspace.Object(key)] = written{key, hash, rev == "1", st.nWrite, doc}
}

// gone deletes a document.
func (st *step) gone(key string) {
	st.write("gone", key)
	st.docs[keyspace.Object(key)] = written{key: key}
}

// audited names an act of the step: one of several, where it is called again. Of an object with a document in this step the store knows the
// hashes; of another they are of before and after, nil for nothing.
func (st *step) audited(who audit.Actor, action, object, reason string, before, after any) error {
	st.acts = append(st.acts, entry{Record: audit.Record{
		Time: st.now, Actor: who.Subject, Agency: who.Agency, OnBehalf: who.OnBehalf, Request: who.Request, Action: action, Object: object, Reason: reason,
	}, before: before, after: after})
	return nil
}

// recorded gives the records of the step. Each document that the step changes has one at least: where no act names it, the step's first act
// did it beside what it was about, or its clock.
func (s *Store) recorded(st *step) ([]audit.Record, error) {
	named := map[string]bool{}
	for _, a := range st.acts {
		named[a.Object] = true
	}
	for _, object := range slices.Sorted(maps.Keys(st.docs)) {
		if named[object] {
			continue
		}
		beside := audit.Record{Time: st.now, Actor: "house:" + s.office()}
		if len(st.acts) > 0 {
			beside = st.acts[0].Record
		}
		kind, _, _ := strings.Cut(object, ":")
		beside.Action, beside.Object, beside.Reason = kind+".changed", object, ""
		switch d := st.docs[object]; {
		case d.hash == "":
			beside.Action = kind + ".dropped"
		case d.first:
			beside.Action = kind + ".opened"
		}
		st.acts = append(st.acts, entry{Record: beside})
	}
	out := make([]audit.Record, len(st.acts))
	for i, a := range st.acts {
		out[i] = a.Record
		if d, ok := st.docs[a.Object]; ok {
			out[i].AfterHash = d.hash
			continue
		}
		if a.hashed {
			continue
		}
		var err1, err2 error
		out[i].BeforeHash, err1 = audit.Hash(a.before)
		out[i].AfterHash, err2 = audit.Hash(a.after)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// office is what of the house acts where nobody else does: the reader or clock whose lease it is.
func (s *Store) office() string {
	if s.fence != nil {
		return s.fence.Name
	}
	return "store"
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
	records, err := s.recorded(st)
	if err != nil {
		return err
	}
	records = s.overtaken(st, records)
	if err := s.apart(st, records); err != nil {
		return err
	}
	args := append([]any{st.id, st.now.Milli(), st.nCheck}, st.checks...)
	args = append(append(args, st.nWrite), st.writes...)
	args = append(append(args, st.nEvent), st.events...)
	args = append(args, len(records))
	for _, r := range records {
		head, middle, tail := r.Parts()
		doc := 0
		if d, ok := st.docs[r.Object]; ok {
			doc = st.key(d.key)
		} else {
			head = append(head, r.BeforeHash...)
		}
		args = append(args, head, doc, middle, tail)
	}
	args = append(args, keyspace.CaseStreamLength)
	needed := int(s.needed.Load())
	reply, err := s.script(ctx, stepScript, needed, st.keys, args...)
	switch {
	case err != nil:
		return fmt.Errorf("%w: step %s: %w", feeds.ErrBusy, st.name(), err)
	case reply[0] == "conflict" && st.fenced && reply[1] == "1":
		return fmt.Errorf("step %s: %w", st.name(), ErrFenced)
	case reply[0] == "conflict", reply[0] == "done" && needed > 0: // done before: found by the next try, and confirmed then
		return errConflict
	}
	s.honest(st)
	return nil
}

// name is how errors call the step.
func (st *step) name() string {
	if len(st.acts) == 0 {
		return "without an act"
	}
	return st.acts[len(st.acts)-1].Action
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
