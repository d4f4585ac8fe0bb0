// Package index is the live picture in Redis: which kind and id is where now, by cell; the payload is opaque to it.
//
// A shard is a cell at geo.ResShard: one stream of readings and one hash of last states, in one slot of a cluster. Things without a
// place share one shard. Picture holds the last states in memory; Store writes and reads what it is rebuilt from, tells other servers of
// every commit, and hears of theirs (Follow).
package index

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo"
	"kentongan/geo/keyspace"
)

// Payload is what a Thing's last state says; its owner gives it bytes and reads them again.
type Payload interface {
	// AppendRecord appends the versioned record to b.
	AppendRecord(b []byte) []byte
}

// Entry is a Thing's last state. Others may hold it: it is never changed, only replaced.
type Entry struct {
	ID       string
	Kind     string
	Position geo.Position
	Placed   bool     // Position is known
	Slot     uint32   // its number in this picture, from 0 and without great gaps, the same as long as the Thing is there; set by Picture.Put
	Cell     geo.Cell // at geo.ResThing; zero where not placed
	Payload  any      // what else its owner knows of it, in whatever form; a Payload, or Change.State says what is written
}

// Stored is a last state as the store holds it.
type Stored struct {
	ID       string
	Kind     string
	Position geo.Position
	Placed   bool
	Cell     geo.Cell
	Payload  []byte     // what AppendRecord wrote; valid during the call only
	Trail    []geo.Cell // shards that it has left, as far as its writer knew
}

// Left tells that the writer of the state knew of an earlier one in the shard of a cell, and has seen to it.
func (s *Stored) Left(c geo.Cell) bool { return slices.Contains(s.Trail, shardOf(c)) }

// Shard is the shard that holds a cell, as a cell; zero is that of Things without a place.
func Shard(c geo.Cell) geo.Cell { return shardOf(c) }

// Change is what one commit says of one Thing.
type Change struct {
	Entry    *Entry   // its state after the change, always given; it says where the readings go
	From     geo.Cell // where it was before; zero: it was not placed. Counts only when Moved
	Moved    bool     // it was known before, at From, and its cell differs now
	State    Payload  // what is written of it; nil: the entry's payload, which must be one
	Keep     bool     // the last state is as it was (a late reading): only the readings are written
	Readings [][]byte // records of readings, opaque, in order; their owner tells them apart
}

// Config of a Store.
type Config struct {
	Retention time.Duration // how long readings are kept; zero: keyspace.DefaultRetention
	Publish   bool          // tell other servers of every commit (Follow); false: nobody else is there, and nothing is spent on them
	// Identity gives the key under which a reading is known, from its record; equal ones are copies, and History gives one of them. Nil: all
	// readings are given.
	Identity func(reading []byte) (uint64, error)
	// Unreadable is told of what is stored and cannot be read, by its key and its field in there: an entry of a stream, a last state, a reading, or
	// a message of another server. Tail, History, Load and Follow pass over what is unreadable of it and go on. Nil: they end with an error.
	Unreadable func(key, id string, err error)
}

// NewStore gives the store of a jurisdiction's readings. Nothing is asked of Redis yet. A nil now is time.Now.
func NewStore(rdb redis.UniversalClient, keys keyspace.Keys, cfg Config, now func() time.Time) *Store {
	if cfg.Retention <= 0 {
		cfg.Retention = keyspace.DefaultRetention
	}
	if now == nil {
		now = time.Now
	}
	s := &Store{rdb: rdb, keys: keys, retention: cfg.Retention, identity: cfg.Identity, unreadable: cfg.Unreadable, now: now, expires: map[string]time.Time{}, trails: map[string][]stay{}}
	s.cluster, _ = rdb.(*redis.ClusterClient)
	if cfg.Publish {
		s.sequence = map[string]uint64{}
		s.publisher.Store(rand.Uint64() | 1)
	}
	return s
}
