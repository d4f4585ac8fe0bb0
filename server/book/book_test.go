package book

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
)

func records(t *testing.T, rdb redis.UniversalClient, keys keyspace.Keys) (out []audit.Record) {
	t.Helper()
	list, err := rdb.XRange(t.Context(), keys.Audit(), "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range list {
		text, _ := e.Values["record"].(string)
		r, err := audit.Parse([]byte(text))
		if err != nil || r.Seq != int64(i+1) {
			t.Fatalf("record %d: %v: %s", i+1, err, text)
		}
		out = append(out, r)
	}
	return out
}

func put(ctx context.Context, b *Book, on On, key, text string) error {
	return b.Write(ctx, on, func(p redis.Pipeliner) error {
		var doc []byte
		if text != "" {
			doc = []byte(text)
			p.HSet(ctx, key, "K", text)
		} else {
			p.HDel(ctx, key, "K")
		}
		Keep(ctx, p, "key", "K", doc)
		return nil
	})
}

// TestAChangeAndItsRecordAreOneStep follows one key from its making to its end: each hash before is the hash after of the record before it.
func TestAChangeAndItsRecordAreOneStep(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	b := New(rdb, keys, time.Now, nil)
	ctx := With(t.Context(), audit.Record{Actor: "user:a", Action: "key.made", Reason: "for Siti", Request: "r1"})
	if err := errors.Join(put(ctx, b, rdb, keys.Key(), "one"), put(t.Context(), b, rdb, keys.Key(), "two"), put(ctx, b, rdb, keys.Key(), "")); err != nil {
		t.Fatal(err)
	}
	got := records(t, rdb, keys)
	if len(got) != 3 {
		t.Fatalf("%d records: %v", len(got), got)
	}
	if r := got[0]; r.Actor != "user:a" || r.Action != "key.made" || r.Object != "key:K" || r.BeforeHash != "" || r.AfterHash == "" || strings.Contains(r.Reason, "Siti") {
		t.Errorf("made: %+v", r)
	}
	if r := got[1]; r.Actor != "house:key" || r.Action != "key.changed" || r.BeforeHash != got[0].AfterHash || r.AfterHash == r.BeforeHash {
		t.Errorf("changed: %+v", r)
	}
	if r := got[2]; r.Action != "key.dropped" || r.BeforeHash != got[1].AfterHash || r.AfterHash != "" {
		t.Errorf("dropped: %+v", r)
	}
	if n := rdb.HLen(t.Context(), keys.AuditKept()).Val(); n != 0 {
		t.Errorf("%d salts outlive their objects", n)
	}
	if n := rdb.HLen(t.Context(), keys.AuditWords()).Val(); n != 1 {
		t.Errorf("%d words, want those of the making", n)
	}
}

// TestARecordThatCannotBeWrittenFailsTheChange breaks the log.
func TestARecordThatCannotBeWrittenFailsTheChange(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	b := New(rdb, keys, time.Now, nil)
	for _, broken := range []string{keys.Audit(), keys.AuditWords(), keys.AuditKept(), keys.AuditSeq()} {
		rdb.LPush(t.Context(), broken, "x")
		if err := put(t.Context(), b, rdb, keys.Key(), "one"); err == nil {
			t.Errorf("%s is a list, and the change was made", broken)
		}
		if rdb.HExists(t.Context(), keys.Key(), "K").Val() {
			t.Errorf("%s is a list, and the key is there", broken)
		}
		rdb.Del(t.Context(), broken)
	}
}

// TestAWatchedKeyThatChangesUndoesBoth has somebody else write between reading and writing.
func TestAWatchedKeyThatChangesUndoesBoth(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	b := New(rdb, keys, time.Now, nil)
	err := rdb.Watch(t.Context(), func(tx *redis.Tx) error {
		rdb.HSet(t.Context(), keys.Key(), "other", "x")
		return put(t.Context(), b, tx, keys.Key(), "one")
	}, keys.Key())
	if !errors.Is(err, redis.TxFailedErr) {
		t.Errorf("got %v", err)
	}
	if n := rdb.XLen(t.Context(), keys.Audit()).Val(); n != 0 || rdb.HExists(t.Context(), keys.Key(), "K").Val() {
		t.Errorf("%d records of a change that was not made", n)
	}
}

// TestCommandsHaveTheirAnswers reads what a step says.
func TestCommandsHaveTheirAnswers(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	b := New(rdb, keys, time.Now, nil)
	rdb.ZAdd(t.Context(), keys.SessionSeen(), redis.Z{Score: 1, Member: "a"}, redis.Z{Score: 2, Member: "b"})
	var list *redis.StringSliceCmd
	var gone *redis.IntCmd
	err := b.Write(t.Context(), rdb, func(p redis.Pipeliner) error {
		list, gone = p.ZRange(t.Context(), keys.SessionSeen(), 0, -1), p.Del(t.Context(), keys.SessionSeen())
		Note(p, audit.Record{Actor: "user:a", Action: "session.closed", Object: "session:x"})
		return nil
	})
	if err != nil || strings.Join(list.Val(), " ") != "a b" || gone.Val() != 1 || len(records(t, rdb, keys)) != 1 {
		t.Errorf("%v, %v, %v", list.Val(), gone.Val(), err)
	}
}

// TestACommandThatFailsLeavesNoRecord has a key of another type under one of the commands.
func TestACommandThatFailsLeavesNoRecord(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	b := New(rdb, keys, time.Now, nil)
	rdb.Set(t.Context(), keys.PersonLogin(), "x", 0)
	err := b.Write(t.Context(), rdb, func(p redis.Pipeliner) error {
		Keep(t.Context(), p, "person", "P1", []byte("{}"))
		p.HSet(t.Context(), keys.Person(), "P1", "{}")
		p.HSet(t.Context(), keys.PersonLogin(), "l", "P1")
		return nil
	})
	if err == nil || rdb.HExists(t.Context(), keys.Person(), "P1").Val() || rdb.HExists(t.Context(), keys.AuditKept(), "person:P1").Val() || len(records(t, rdb, keys)) != 0 {
		t.Errorf("%v; %d records, %v", err, len(records(t, rdb, keys)), rdb.HGetAll(t.Context(), keys.Person()).Val())
	}
}

// TestASequenceThatWasSetBackGoesOn counts records past the server's back.
func TestASequenceThatWasSetBackGoesOn(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	b := New(rdb, keys, time.Now, nil)
	for _, back := range []string{"3", "1", "none", " 7", "1e3", "12.5", "9223372036854775807"} {
		rdb.Set(t.Context(), keys.AuditSeq(), back, 0)
		if back == "3" {
			rdb.Del(t.Context(), keys.AuditSeq())
		}
		if err := errors.Join(put(t.Context(), b, rdb, keys.Key(), "one"), put(t.Context(), b, rdb, keys.Key(), "two")); err != nil {
			t.Errorf("set back to %s: %v", back, err)
		}
	}
	if n := len(records(t, rdb, keys)); n != 14 {
		t.Errorf("%d records", n)
	}
}

// TestAForgedDocumentIsToldBeforeTheNextWrite writes past the book between two writes by it.
func TestAForgedDocumentIsToldBeforeTheNextWrite(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	b := New(rdb, keys, time.Now, nil)
	ctx := With(t.Context(), audit.Record{Actor: "user:a", Reason: "for Siti"})
	if err := put(ctx, b, rdb, keys.Key(), "one"); err != nil {
		t.Fatal(err)
	}
	rdb.HSet(t.Context(), keys.Key(), "K", "forged")
	if err := errors.Join(put(ctx, b, rdb, keys.Key(), "two"), put(ctx, b, rdb, keys.Key(), "three")); err != nil {
		t.Fatal(err)
	}
	rdb.HDel(t.Context(), keys.Key(), "K")
	if err := put(ctx, b, rdb, keys.Key(), "four"); err != nil {
		t.Fatal(err)
	}
	rdb.HSet(t.Context(), keys.Key(), "F", "nobody made it")
	other := func() error {
		return b.Write(ctx, rdb, func(p redis.Pipeliner) error {
			Keep(ctx, p, "key", "F", []byte("next"))
			p.HSet(ctx, keys.Key(), "F", "next")
			return nil
		})
	}
	if err := other(); err != nil { // an older server may have made it: nobody has looked yet
		t.Fatal(err)
	}
	rdb.HSet(t.Context(), keys.AuditKept(), keyspace.BaselineField, "then")
	rdb.HDel(t.Context(), keys.AuditKept(), "key:F")
	if err := other(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records(t, rdb, keys) {
		got = append(got, r.Action+" "+r.Object)
		if key, expected, found, ok := audit.ReadForged(&r); ok != (r.Action == "store.differs") || ok && (expected == found || !strings.HasPrefix(key, keys.Key()+" ")) {
			t.Errorf("%+v", r)
		}
	}
	k, f := "store.differs store:"+keys.Key()+" K", "store.differs store:"+keys.Key()+" F"
	want := []string{"key.changed key:K", k, "key.changed key:K", "key.changed key:K", k, "key.changed key:K", "key.changed key:F", f, "key.changed key:F"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestALongCommandIsDoneInPartsOrNamed forgets more keys at once than Lua takes words, and writes what cannot be parted.
func TestALongCommandIsDoneInPartsOrNamed(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	b := New(rdb, keys, time.Now, nil)
	const many = 15_001
	ids, pairs := make([]string, many), make([]any, 0, 2*many)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
		pairs = append(pairs, ids[i], "x")
	}
	var set, gone *redis.IntCmd
	err := b.Write(t.Context(), rdb, func(p redis.Pipeliner) error {
		set = p.HSet(t.Context(), keys.KeyUsed(), pairs...)
		Note(p, audit.Record{Actor: "user:a", Action: "keys.used", Object: "key:all"})
		return nil
	})
	if err != nil || set.Val() != many || rdb.HLen(t.Context(), keys.KeyUsed()).Val() != many {
		t.Fatalf("%d are set, %v", set.Val(), err)
	}
	var last *redis.IntCmd
	err = b.Write(t.Context(), rdb, func(p redis.Pipeliner) error {
		for _, id := range ids {
			Keep(t.Context(), p, "key", id, nil)
		}
		gone, last = p.HDel(t.Context(), keys.KeyUsed(), ids...), p.HDel(t.Context(), keys.KeyUsed(), "none")
		return nil
	})
	if err != nil || gone.Val() != many || last.Val() != 0 || len(records(t, rdb, keys)) != many+1 || rdb.HLen(t.Context(), keys.KeyUsed()).Val() != 0 {
		t.Errorf("%d are gone, %d of the next, %v", gone.Val(), last.Val(), err)
	}
	err = b.Write(t.Context(), rdb, func(p redis.Pipeliner) error {
		p.RPush(t.Context(), keys.KeyUsed(), pairs...)
		Note(p, audit.Record{Actor: "user:a", Action: "keys.used", Object: "key:all"})
		return nil
	})
	if !errors.Is(err, ErrLong) || !strings.Contains(err.Error(), "rpush of "+keys.KeyUsed()) || len(records(t, rdb, keys)) != many+1 {
		t.Errorf("got %v", err)
	}
}
