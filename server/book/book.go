// Package book writes accounts, keys, devices and sessions in one step with the audit records of what becomes of them.
package book

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
)

//go:embed book.lua
var source string

var script = redis.NewScript(source)

// mostWords is how many words of one command the script takes, for Lua's unpack takes no more.
const mostWords = 7000

// ErrLong tells that a command has more words than a step takes, and is none that can be done in parts.
var ErrLong = errors.New("a command is too long for one step")

// inParts is how many words behind the key belong together, of commands that may be done in parts.
var inParts = map[string]int{"hdel": 1, "srem": 1, "zrem": 1, "sadd": 1, "hset": 2}

// confirmTime is how long replicas have for a change.
const confirmTime = 2 * time.Second

// ErrUnconfirmed tells that a change may be lost with the store's primary: too few replicas have it.
var ErrUnconfirmed = errors.New("too few replicas have the change")

// Book writes changes of a jurisdiction. A nil one writes changes and no records: they are their caller's. Safe for concurrent use.
type Book struct {
	rdb    redis.UniversalClient
	keys   keyspace.Keys
	now    func() time.Time
	needed func() int
}

// New gives the book of a jurisdiction. needed is how many replicas must have a change, nil for none.
func New(rdb redis.UniversalClient, keys keyspace.Keys, now func() time.Time, needed func() int) *Book {
	return &Book{rdb, keys, now, needed}
}

// On is what a change is written by: a client, or a transaction that watches keys.
type On interface {
	TxPipelined(ctx context.Context, fn func(redis.Pipeliner) error) ([]redis.Cmder, error)
}

// Step is a change that is being put together. Its commands are of one key each, the key their first argument.
type Step struct {
	redis.Pipeliner
	book    *Book
	records []audit.Record
	kept    []kept
}

// kept is a document that the change leaves; an empty hash: it goes.
type kept struct {
	object, salt, hash string
	record             int // of the step's, which is its own
}

// changeTries is how often a change is tried that rests on nothing, while others write the same keys.
const changeTries = 50

type actKey struct{}

// With says by whom changes are made, and, where the record names an action, which one.
func With(ctx context.Context, act audit.Record) context.Context {
	return context.WithValue(ctx, actKey{}, act)
}

// Acting gives a record the actor of the context where it names none.
func Acting(ctx context.Context, r audit.Record) audit.Record {
	if act, _ := ctx.Value(actKey{}).(audit.Record); r.Actor == "" || r.Actor == audit.Anonymous && act.Actor != "" {
		r.Actor, r.Agency, r.Request = act.Actor, act.Agency, act.Request
	}
	return r
}

// actOf is the record of a change of an object; house does it where nobody is named.
func actOf(ctx context.Context, object, action, house string) audit.Record {
	act, _ := ctx.Value(actKey{}).(audit.Record)
	if act.Actor == "" {
		act.Actor = house
	}
	if act.Action == "" {
		act.Action = action
	}
	act.Object = object
	return act
}

// Keep says what becomes of a document: its text, nil where it goes. Outside a step of a book it does nothing.
func Keep(ctx context.Context, p redis.Pipeliner, noun, id string, text []byte) {
	st, ok := p.(*Step)
	if !ok {
		return
	}
	k := kept{object: noun + ":" + id}
	action := noun + ".changed"
	if text == nil {
		action = noun + ".dropped"
		ctx = With(ctx, audit.Record{}) // it goes beside what is done
	} else {
		k.salt = rand.Text()
		k.hash = audit.HashOf(text, k.salt)
	}
	r := actOf(ctx, k.object, action, "house:"+noun)
	r.AfterHash = k.hash
	k.record = len(st.records)
	st.records, st.kept = append(st.records, r), append(st.kept, k)
}

// Note adds a record of the step of what has no document, with the hashes that its caller knows. Outside a step of a book it does nothing.
func Note(p redis.Pipeliner, r audit.Record) {
	if st, ok := p.(*Step); ok {
		st.records = append(st.records, r)
	}
}

// Write carries out the commands and writes the records of a change, all or nothing. The commands have their answers then, where they are
// numbers or lists. A document that is not what its last record left is told by a record before that of the change. Whoever has read a document
// watches its key; a change that rests on none is written whatever was there. Errors: those of the function and of the store, redis.TxFailedErr
// where a watched key has changed, ErrUnconfirmed.
func (b *Book) Write(ctx context.Context, on On, change func(redis.Pipeliner) error) error {
	if b == nil {
		_, err := on.TxPipelined(ctx, change)
		return err
	}
	st := &Step{Pipeliner: b.rdb.Pipeline(), book: b}
	if err := change(st); err != nil {
		return err
	}
	needed := 0
	if b.needed != nil {
		needed = b.needed()
	}
	if tx, ok := on.(*redis.Tx); ok {
		return b.write(ctx, tx, tx, st, needed)
	}
	if needed == 0 && len(st.kept) == 0 {
		return b.write(ctx, on, nil, st, 0)
	}
	watched := []string{b.keys.AuditSigner()} // WAIT speaks only of what its own connection wrote; this key never changes
	for _, k := range st.kept {
		key, _ := keyspace.Kept(b.keys, k.object)
		watched = append(watched, key)
	}
	var err error
	for range changeTries {
		err = b.rdb.Watch(ctx, func(tx *redis.Tx) error { return b.write(ctx, tx, tx, st, needed) }, watched...)
		if !errors.Is(err, redis.TxFailedErr) {
			break
		}
	}
	return err
}

// write writes a step by one connection; tx watches the documents that it keeps.
func (b *Book) write(ctx context.Context, on On, tx *redis.Tx, st *Step, needed int) error {
	records := slices.Clone(st.records)
	if len(st.kept) > 0 {
		var err error
		if records, err = st.held(ctx, tx); err != nil {
			return err
		}
	}
	cmds := st.Cmds()
	keys, args, parts, err := st.asked(cmds, records)
	if err != nil {
		return err
	}
	var ran *redis.Cmd
	_, err = on.TxPipelined(ctx, func(p redis.Pipeliner) error {
		ran = script.Eval(ctx, p, keys, args...)
		return nil
	})
	if err != nil {
		return err
	}
	if err := answer(cmds, parts, ran); err != nil {
		return err
	}
	if needed == 0 {
		return nil
	}
	have := redis.NewCmd(ctx, "WAIT", needed, confirmTime.Milliseconds())
	_ = tx.Process(ctx, have)
	if n, err := have.Int(); err != nil || n < needed {
		return errors.Join(fmt.Errorf("%w: %d of %d", ErrUnconfirmed, n, needed), err)
	}
	return nil
}

// held gives the records of the step, before each of a document that is not as its last record left it one that says so. What it reads is of one
// moment where the step comes to be written: the documents are watched, and whoever writes one writes what is beside it.
func (st *Step) held(ctx context.Context, tx *redis.Tx) ([]audit.Record, error) {
	k := st.book.keys
	fields := []string{keyspace.BaselineField}
	docs := make([]*redis.StringCmd, len(st.kept))
	pipe := tx.Pipeline()
	for i, d := range st.kept {
		key, field := keyspace.Kept(k, d.object)
		docs[i], fields = pipe.HGet(ctx, key, field), append(fields, d.object)
	}
	beside := pipe.HMGet(ctx, k.AuditKept(), fields...)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	if err := beside.Err(); err != nil {
		return nil, err
	}
	based := beside.Val()[0] != nil
	var out []audit.Record
	done := 0
	for i, d := range st.kept {
		stood, _ := beside.Val()[i+1].(string)
		if expected, found, ok := audit.Held(stood, docs[i].Val(), based); !ok {
			key, field := keyspace.Kept(k, d.object)
			out = append(append(out, st.records[done:d.record]...), audit.Forged(key+" "+field, expected, found))
			done = d.record
		}
	}
	return append(out, st.records[done:]...), nil
}

// divided gives a command as the script takes it: in parts, where it is too long.
func divided(words []any) ([][]any, error) {
	if len(words) <= mostWords {
		return [][]any{words}, nil
	}
	unit := inParts[strings.ToLower(fmt.Sprint(words[0]))]
	if unit == 0 || (len(words)-2)%unit != 0 {
		return nil, fmt.Errorf("%w: %v of %v has %d words, %d at most", ErrLong, words[0], words[1], len(words), mostWords)
	}
	var out [][]any
	for part := range slices.Chunk(words[2:], (mostWords-2)/unit*unit) {
		out = append(out, slices.Concat(words[:2], part))
	}
	return out, nil
}

// asked gives keys and arguments of the script, and into how many parts each command goes. Errors: ErrLong.
func (st *Step) asked(cmds []redis.Cmder, records []audit.Record) (keys []string, args []any, parts []int, err error) {
	k := st.book.keys
	keys = []string{k.Audit(), k.AuditSeq(), k.AuditWords(), k.AuditKept()}
	parts = make([]int, len(cmds))
	commands := []any{}
	n := 0
	for i, c := range cmds {
		words := c.Args()
		if len(words) > 1 {
			keys = append(keys, fmt.Sprint(words[1]))
		}
		list, err := divided(words)
		if err != nil {
			return nil, nil, nil, err
		}
		parts[i] = len(list)
		n += len(list)
		for _, words := range list {
			commands = append(append(commands, len(words)), words...)
		}
	}
	args = append(append(args, n), commands...)
	at := moment.Of(st.book.now())
	var said []any
	for i, r := range records {
		r.Time = at
		if r.Personal() {
			var w audit.Words
			r, w = r.Apart()
			doc, err := json.Marshal(w)
			if err != nil {
				return nil, nil, nil, fmt.Errorf("words of a record: %w", err)
			}
			said = append(said, w.Hash(), doc)
		}
		records[i] = r
	}
	args = append(append(args, len(said)/2), said...)
	args = append(args, len(st.kept))
	for _, d := range st.kept {
		becomes := ""
		if d.hash != "" {
			becomes = d.salt + ":" + d.hash
		}
		args = append(args, d.object, becomes)
	}
	args = append(args, len(records))
	for _, r := range records {
		head, middle, tail := r.Parts()
		args = append(args, append(head, r.BeforeHash...), r.Object, middle, tail) // of a document the script knows it
	}
	return keys, args, parts, nil
}

// answer gives the commands what the script says of them; numbers of parts are one.
func answer(cmds []redis.Cmder, parts []int, ran *redis.Cmd) error {
	list, err := ran.Slice()
	if err != nil {
		return err
	}
	n := 0
	for _, of := range parts {
		n += of
	}
	if len(list) != n {
		return fmt.Errorf("the step answered %d of %d commands", len(list), n)
	}
	for i, c := range cmds {
		said := list[:parts[i]]
		list = list[parts[i]:]
		switch c := c.(type) {
		case *redis.IntCmd:
			var sum int64
			for _, one := range said {
				n, _ := one.(int64)
				sum += n
			}
			c.SetVal(sum)
		case *redis.StringSliceCmd:
			var texts []string
			words, _ := said[0].([]any)
			for _, w := range words {
				text, _ := w.(string)
				texts = append(texts, text)
			}
			c.SetVal(texts)
		}
	}
	return nil
}
