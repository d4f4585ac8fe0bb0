package verify

import (
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit/tree"
	"kentongan/geo/moment"
)

// tiles are what a witness keeps, a leaf at a time; after its last leaf there is nothing.
type tiles struct {
	read func(int64) ([]tlog.Hash, error)
	tree tree.Range
	tile []tlog.Hash
	pos  int64
	over bool
}

func (t *tiles) next() (*tlog.Hash, error) {
	if t.over {
		return nil, nil
	}
	at := int(t.pos % tree.Width)
	if at == 0 {
		var err error
		if t.tile, err = t.read(t.pos / tree.Width); err != nil {
			return nil, err
		}
	}
	if at >= len(t.tile) {
		t.over = true
		return nil, nil
	}
	t.pos++
	t.tree.Append(t.tile[at])
	return &t.tile[at], nil
}

// reached holds the known checkpoints against the export that cover as many records as came.
func (c *checker) reached() {
	for ; c.next < len(c.known) && c.known[c.next].Size == c.pos; c.next++ {
		k := c.known[c.next]
		c.hold(k)
		if since := k.SeenAt.Add(-Late); !k.SeenAt.IsZero() && since.After(c.since.Time) {
			c.since = moment.Of(since)
		}
	}
}

// hold compares one checkpoint with the tree at its size, and with the witness's.
func (c *checker) hold(k Known) {
	witnessed := c.tiles != nil && c.tiles.pos == c.pos && c.tiles.tree.Root() == k.Root
	same := c.rooted && c.tree.Root() == k.Root || !c.rooted && witnessed && c.suspect.Seq == 0
	if !c.rooted && !witnessed {
		return // nothing is known of the tree to the left
	}
	c.r.Checkpoints++
	switch {
	case same:
		c.r.Proven = max(c.r.Proven, c.pos)
		if c.suspect.Seq > 0 && c.rooted {
			c.suspect, c.tiles = Finding{}, nil // the witness's tiles are not those of this log
		}
	case c.broken == nil:
		f := Finding{Kind: Root, From: max(c.r.Proven+1, c.from), To: c.pos, Size: k.Size}
		c.broken = &f
		if witnessed && c.suspect.Seq >= f.From {
			c.suspect.Size = k.Size
			c.found(c.suspect)
		}
		c.found(f)
	case witnessed && c.suspect.Seq > 0 && c.suspect.Size == 0:
		c.suspect.Size = k.Size
		c.found(c.suspect)
	}
}

// end closes the report.
func (c *checker) end() Report {
	if h := c.head; h != nil && h.Size > c.pos {
		c.found(Finding{Kind: Tail, Seq: c.pos + 1, From: c.pos + 1, To: h.Size})
	} else if h != nil && h.Size < c.pos {
		c.found(Finding{Kind: Length, Size: h.Size})
	}
	c.tail()
	if c.suspect.Seq > 0 && c.suspect.Size == 0 {
		c.found(c.suspect) // no checkpoint says who is right
	}
	if c.broken == nil && (c.r.Checkpoints == 0 || c.r.Count > 0 && c.r.Proven < c.from) {
		c.found(Finding{Kind: Unproven})
	}
	if c.r.Count > 0 {
		c.r.To = c.pos
	}
	c.r.First = c.first()
	c.r.OK = c.r.Faults == 0
	return c.r
}

// tail looks for checkpoints of more records than the export has. They are none of its faults where witnesses saw the first of them only
// after it was made.
func (c *checker) tail() {
	rest := c.known[c.next:]
	if len(rest) == 0 {
		return
	}
	var seen time.Time
	for _, k := range rest {
		if !k.SeenAt.IsZero() && (seen.IsZero() || k.SeenAt.Before(seen)) {
			seen = k.SeenAt
		}
	}
	most := rest[len(rest)-1].Size
	if c.head != nil && seen.After(c.head.MadeAt.Add(Skew)) {
		c.r.Later = most - c.pos
		return
	}
	c.found(Finding{Kind: Tail, Seq: c.pos + 1, From: c.pos + 1, To: most, Size: most})
}

// lowest are the findings with the lowest record, by what they tell.
type lowest struct {
	exact *Finding // of one record, for itself
	soft  *Finding // of two that contradict each other
	whole *Finding // of no record: the first that was found
}

func (l *lowest) add(f Finding) {
	lower := func(to **Finding) {
		if *to == nil || f.Seq < (*to).Seq {
			*to = &f
		}
	}
	switch {
	case f.Kind.exact():
		lower(&l.exact)
	case f.Kind.soft():
		lower(&l.soft)
	case f.Kind != Root && l.whole == nil:
		l.whole = &f
	}
}

// first is the first bad record. One that is bad by itself, or of which a witness keeps another hash, is named. Where only a root tells,
// it is among those since the last checkpoint that holds; two records that contradict each other among those do not say which was
// changed, and before those they do, for both are proven.
func (c *checker) first() *Finding {
	f := c.low.exact
	if c.broken != nil && (f == nil || f.Seq > c.broken.To) {
		f = c.broken
	}
	if s := c.low.soft; s != nil && (f == nil || s.Seq < f.first()) {
		f = s
	}
	if f == nil {
		return c.low.whole
	}
	return f
}
