package ingest

import (
	"hash/maphash"
	"math"
	"time"

	"kentongan/feeds"
)

// recentWindow is how long a reading is remembered against its copies (FAULTS, row 14).
const recentWindow = 10 * time.Minute

// recentMost bounds what one Thing remembers; a Thing with more than this in ten minutes is told apart by its newest ones.
const recentMost = 1024

// recent is the memory of one Thing's readings, in the order in which they came.
type recent struct {
	keys []uint64
	when []uint32 // seconds since 1970 at which each came
}

var seed = maphash.MakeSeed() // one per process: keys never leave it

// identity gives the key under which a reading is known: its own id, else property and time; where our clock stands in for the time,
// the value belongs to it as well, so that two readings of one delivery are two.
func identity(id, property string, at int64, quality feeds.Quality, v feeds.Value) uint64 {
	k := maphash.String(seed, property)
	switch {
	case id != "":
		return mix(k ^ maphash.String(seed, id))
	case quality == feeds.Received:
		k ^= mix(math.Float64bits(v.Num)) ^ maphash.String(seed, v.Text)
	}
	return mix(k ^ mix(uint64(at)))
}

// Identity gives the key under which a reading of history is known, from its record (index.Config): two servers may have stored one at
// the same time.
func Identity(record []byte) (uint64, error) {
	r, err := DecodeReading(record)
	if err != nil {
		return 0, err
	}
	return identity(r.ID, r.Property, r.At.Milli(), r.Quality, r.Value), nil
}

// mix is the finaliser of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// has looks from the newest back: copies mostly follow soon.
func (r *recent) has(key uint64) bool {
	for i := len(r.keys) - 1; i >= 0; i-- {
		if r.keys[i] == key {
			return true
		}
	}
	return false
}

func (r *recent) add(key uint64, sec uint32) {
	r.keys = append(r.keys, key)
	r.when = append(r.when, sec)
}

// cut forgets all from n on: the commit failed.
func (r *recent) cut(n int) { r.keys, r.when = r.keys[:n], r.when[:n] }

// prune forgets what is too old or too much, once a quarter of the memory is so.
func (r *recent) prune(now uint32) {
	n, gone := len(r.keys), 0
	for gone < n && r.when[gone]+uint32(recentWindow/time.Second) < now {
		gone++
	}
	if n-gone > recentMost {
		gone = n - recentMost
	}
	if gone*4 <= n {
		return
	}
	r.keys = r.keys[:copy(r.keys, r.keys[gone:])]
	r.when = r.when[:copy(r.when, r.when[gone:])]
}
