package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/audit/tree"
	"kentongan/feeds"
	"kentongan/geo/keyspace"
)

// ErrNoRecord tells that the log has no such record, or that it is missing.
var ErrNoRecord = errors.New("the log has no such record")

// Gap tells which records of the log are missing; it is an ErrNoRecord.
type Gap struct{ From, Next int64 } // the first that is missing, and the first that is there again

func (g *Gap) Error() string {
	return fmt.Sprintf("%v: record %d; record %d follows", ErrNoRecord, g.From, g.Next)
}
func (g *Gap) Unwrap() error { return ErrNoRecord }

// tileField is where the widest of a tile stands.
func tileField(t tree.Tile) string {
	return strconv.Itoa(t.Level) + "/" + strconv.FormatInt(t.Index, 10)
}

// Tiles reads tiles of the log (tree.Tiles). Errors: ErrNoRecord where one is not there or narrower, feeds.ErrBusy.
func (s *Store) Tiles(ctx context.Context, want []tree.Tile) ([][]byte, error) {
	if len(want) == 0 {
		return nil, nil
	}
	fields := make([]string, len(want))
	for i, t := range want {
		fields[i] = tileField(t)
	}
	got, err := s.rdb.HMGet(ctx, s.keys.AuditTile(), fields...).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: tiles of the log: %w", feeds.ErrBusy, err)
	}
	out := make([][]byte, len(want))
	for i, t := range want {
		hashes, _ := got[i].(string)
		if len(hashes) < t.Width*hashSize {
			return nil, fmt.Errorf("%w: tile %s has %d of %d hashes", ErrNoRecord, t.Path(), len(hashes)/hashSize, t.Width)
		}
		out[i] = []byte(hashes[:t.Width*hashSize])
	}
	return out, nil
}

// hashSize is bytes of one hash in a tile.
const hashSize = 32

// LogLength is how many records the log has, sealed by a checkpoint or not.
func (s *Store) LogLength(ctx context.Context) (int64, error) {
	n, err := s.rdb.Get(ctx, s.keys.AuditSeq()).Int64()
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, fmt.Errorf("%w: length of the log: %w", feeds.ErrBusy, err)
	}
	return n, nil
}

// LogRecords gives the canonical bytes of records from seq on, at most as many as asked for, without gaps. Errors: *Gap where
// one is missing that another follows, with those before it; feeds.ErrBusy.
func (s *Store) LogRecords(ctx context.Context, from int64, most int) ([][]byte, error) {
	entries, err := s.rdb.XRangeN(ctx, s.keys.Audit(), strconv.FormatInt(from, 10)+"-0", "+", int64(most)).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: the log from record %d on: %w", feeds.ErrBusy, from, err)
	}
	out := make([][]byte, 0, len(entries))
	for _, e := range entries {
		next := from + int64(len(out))
		if e.ID != strconv.FormatInt(next, 10)+"-0" {
			at, _, _ := strings.Cut(e.ID, "-")
			follows, _ := strconv.ParseInt(at, 10, 64)
			return out, &Gap{next, follows}
		}
		text, _ := e.Values["record"].(string)
		out = append(out, []byte(text))
	}
	return out, nil
}

// LogRecord gives the canonical bytes of one record. Errors: ErrNoRecord, feeds.ErrBusy.
func (s *Store) LogRecord(ctx context.Context, seq int64) ([]byte, error) {
	list, err := s.LogRecords(ctx, seq, 1)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%w: record %d", ErrNoRecord, seq)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// Checkpoint gives the last signed checkpoint; nil: none has been made.
func (s *Store) Checkpoint(ctx context.Context) ([]byte, error) {
	text, err := s.rdb.Get(ctx, s.keys.AuditCheckpoint()).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the log's checkpoint: %w", feeds.ErrBusy, err)
	}
	return text, nil
}

// Checkpoints gives those that are kept, one of each hour, the oldest first.
func (s *Store) Checkpoints(ctx context.Context) ([]string, error) {
	list, err := s.rdb.ZRange(ctx, s.keys.AuditCheckpoints(), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: the log's checkpoints: %w", feeds.ErrBusy, err)
	}
	return list, nil
}

// KeepCheckpoint puts a checkpoint in the place of the one that was, nil for none, with the tiles that are new, as one step; it tells whether
// the place was still that. kept: it is the first of its hour and is kept beside. Errors: feeds.ErrBusy, ErrFenced.
func (s *Store) KeepCheckpoint(ctx context.Context, was, now []byte, size int64, tiles []tree.WrittenTile, kept bool) (bool, error) {
	st := s.newStep(s.now())
	st.check("str", s.keys.AuditCheckpoint(), "", string(was))
	for _, t := range tiles {
		st.write("hset", s.keys.AuditTile(), tileField(t.Tile), string(t.Data))
	}
	st.set(s.keys.AuditCheckpoint(), string(now), 0)
	if kept {
		st.write("zadd", s.keys.AuditCheckpoints(), strconv.FormatInt(size, 10), string(now))
	}
	err := s.run(ctx, st)
	if errors.Is(err, errConflict) {
		return false, nil
	}
	return err == nil, err
}

// OpenObjects names every object that an index names. Errors: feeds.ErrBusy.
func (s *Store) OpenObjects(ctx context.Context) ([]string, error) {
	pipe := s.rdb.Pipeline()
	cmds := make([]*redis.StringSliceCmd, len(indexes))
	for i, x := range indexes {
		if x.scored {
			cmds[i] = pipe.ZRange(ctx, x.key(s.keys), 0, -1)
		} else {
			cmds[i] = pipe.SMembers(ctx, x.key(s.keys))
		}
	}
	logins := pipe.HVals(ctx, s.keys.PersonLogin())
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("%w: what stands open: %w", feeds.ErrBusy, err)
	}
	var out []string
	for _, id := range logins.Val() {
		out = append(out, "person:"+id)
	}
	for i, x := range indexes {
		for _, id := range cmds[i].Val() {
			out = append(out, x.noun+":"+id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Standing is what the store has of an object that the log speaks of.
type Standing struct {
	Object   string
	Key      string
	Hash     string    // of the document as it stands; empty: there is none
	Listings []Listing // of every index of such objects
}

// Standings reads the documents of objects, each with the indexes that name it, as of one moment, and gives their hashes, in their order.
// Errors: feeds.ErrBusy.
func (s *Store) Standings(ctx context.Context, objects []string) ([]Standing, error) {
	pipe := s.rdb.TxPipeline() // what is kept and its salt, a document and its indexes are of one moment
	cmds := make([]*redis.SliceCmd, len(objects))
	salts := make([]*redis.StringCmd, len(objects))
	listings := make([]func(doc string, there bool) []Listing, len(objects))
	logins := pipe.HGetAll(ctx, s.keys.PersonLogin())
	for i, o := range objects {
		if key, field := keyspace.Kept(s.keys, o); key != "" {
			cmds[i], salts[i] = pipe.HMGet(ctx, key, field), pipe.HGet(ctx, s.keys.AuditKept(), o)
			continue
		}
		cmds[i], listings[i] = pipe.HMGet(ctx, keyspace.Document(s.keys, o), "doc", "own"), s.listings(ctx, pipe, o)
	}
	_, _ = pipe.Exec(ctx) // each has its own answer
	if err := unanswered(cmds); err != nil {
		return nil, fmt.Errorf("%w: what stands of %d objects: %w", feeds.ErrBusy, len(objects), err)
	}
	out := make([]Standing, len(objects))
	for i, o := range objects {
		out[i] = Standing{Object: o, Key: keyspace.Document(s.keys, o)}
		v := cmds[i].Val()
		if salts[i] != nil {
			out[i].Key, out[i].Hash = keptHash(s.keys, o, cmds[i], salts[i])
			out[i].Listings = s.login(o, cmds[i], logins.Val())
			continue
		}
		if err := cmds[i].Err(); err != nil { // it is of another type
			out[i].Hash = "?"
			continue
		}
		doc, there := v[0].(string)
		out[i].Listings = listings[i](doc, there)
		if !there {
			continue
		}
		own, _ := v[1].(string)
		out[i].Hash = audit.HashOf([]byte(doc), saltOf(own))
	}
	return out, nil
}

// keptHash is the key and the hash of what is a field of a hash, behind the salt that its last record left.
func keptHash(keys keyspace.Keys, object string, text *redis.SliceCmd, salt *redis.StringCmd) (key, hash string) {
	key, field := keyspace.Kept(keys, object)
	key += " " + field
	if text.Err() != nil { // it is of another type
		return key, "?"
	}
	doc, there := text.Val()[0].(string)
	if !there {
		return key, ""
	}
	before, _, _ := strings.Cut(salt.Val(), ":")
	return key, audit.HashOf([]byte(doc), before)
}

// keep says what the step's last act makes of its object, a field of a hash; empty: it goes. was is what the act started from, which the step
// must rest on: where that is not what the last record left, a record before the act says so.
func (s *Store) keep(ctx context.Context, st *step, was, text string) error {
	last := len(st.acts) - 1
	object := st.acts[last].Object
	got, err := s.rdb.HMGet(ctx, s.keys.AuditKept(), object, keyspace.BaselineField).Result()
	if err != nil {
		return fmt.Errorf("%w: hash of %s: %w", feeds.ErrBusy, object, err)
	}
	stood, _ := got[0].(string)
	_, based := got[1].(string)
	st.check("field", s.keys.AuditKept(), object, stood)
	if expected, found, ok := audit.Held(stood, was, based); !ok {
		key, field := keyspace.Kept(s.keys, object)
		forged := audit.Forged(key+" "+field, expected, found)
		forged.Time = st.now
		st.acts = slices.Insert(st.acts, last, entry{Record: forged})
		last++
	}
	act := &st.acts[last]
	_, act.BeforeHash, _ = strings.Cut(stood, ":")
	act.hashed = true
	if text == "" {
		st.write("hdel", s.keys.AuditKept(), object)
		return nil
	}
	salt := rand.Text()
	act.AfterHash = audit.HashOf([]byte(text), salt)
	st.write("hset", s.keys.AuditKept(), object, salt+":"+act.AfterHash)
	return nil
}

// KeptObjects names every account, key, device, and rule and feed made through the interface of the store, as the log does. Errors: feeds.ErrBusy.
func (s *Store) KeptObjects(ctx context.Context) ([]string, error) {
	var out []string
	for _, noun := range keyspace.KeptNouns {
		key, _ := keyspace.Kept(s.keys, noun+":")
		ids, err := s.rdb.HKeys(ctx, key).Result()
		if err != nil {
			return nil, fmt.Errorf("%w: every %s: %w", feeds.ErrBusy, noun, err)
		}
		for _, id := range ids {
			if id != ruleRevision && id != feedRevision {
				out = append(out, noun+":"+id)
			}
		}
	}
	return out, nil
}

// OnForged says whom to tell of a document whose bytes are not those of the hash beside it: somebody has written it past every step. It is told
// whenever such a one is read; where somebody acts on it, a record before that of the act says so, and the act goes on.
func (s *Store) OnForged(tell func(key, hash, found string)) { s.forged.Store(&tell) }

// held holds a document that was read (rev, doc, own, hash) against the hash beside it.
func (s *Store) held(key string, v []any) {
	hash, _ := v[3].(string)
	tell := s.forged.Load()
	if hash == "" || tell == nil {
		return
	}
	doc, _ := v[1].(string)
	own, _ := v[2].(string)
	found := audit.HashOf([]byte(doc), saltOf(own))
	s.bent.note(key, hash, found)
	if found != hash {
		(*tell)(key, hash, found)
	}
}

// saltOf is the salt of a document's hash, as its internals hold it.
func saltOf(own string) string {
	var inside struct {
		Salt string `json:"salt"`
	}
	if !strings.Contains(own, `"salt"`) || json.Unmarshal([]byte(own), &inside) != nil {
		return "" // internals that cannot be read make another hash, and are told by it
	}
	return inside.Salt
}
