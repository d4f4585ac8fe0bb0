package verify

import (
	"hash/maphash"
	"strings"

	"kentongan/alerts/audit"
)

// chained are the kinds of objects whose records follow on each other: both hashes are of the document as the store keeps it, and every
// change of it is a record. Others have hashes of what an act changed, or none.
var chained = map[string]bool{
	"alarm": true, "alert": true, "contact": true, "dispatch": true, "incident": true, "plan": true, "report": true, "statement": true,
	"status": true, "suggestion": true, "unit": true,
}

// generation is how many objects one of the two generations of a memory holds.
const generation = 250_000

// link is the last record of an object that had hashes.
type link struct {
	before, after uint64 // short forms of its hashes; 0: none
	at            int64  // milliseconds
	seq           int64
}

// chain remembers the last records of the objects that were last touched: of half a million at most, so that the memory is bounded. An
// object that was not touched while as many others were begins anew.
type chain struct {
	seed       maphash.Seed
	young, old map[uint64]link
	limit      int
}

func newChain(limit int) *chain {
	return &chain{seed: maphash.MakeSeed(), young: map[uint64]link{}, old: map[uint64]link{}, limit: limit}
}

func (c *chain) short(s string) uint64 {
	if s == "" {
		return 0
	}
	return maphash.String(c.seed, s) | 1
}

// follows tells whether a record follows on the one before it of its object, and which that is. Several records of one step all have
// the hashes of what was before the step and of what is after it.
func (c *chain) follows(r audit.Record) (other int64, ok bool) {
	kind, _, _ := strings.Cut(r.Object, ":")
	if !chained[kind] || strings.Contains(r.Object, "/attachment:") || r.BeforeHash == "" && r.AfterHash == "" {
		return 0, true
	}
	key := c.short(r.Object)
	last, found := c.young[key]
	if !found {
		last, found = c.old[key]
	}
	one := link{c.short(r.BeforeHash), c.short(r.AfterHash), r.Time.Milli(), r.Seq}
	same := one.before == last.before && one.after == last.after && one.at == last.at
	ok = !found || one.before == 0 || last.after == 0 || one.before == last.after || same
	if len(c.young) >= c.limit {
		c.young, c.old = make(map[uint64]link, c.limit), c.young
	}
	c.young[key] = one
	return last.seq, ok
}
