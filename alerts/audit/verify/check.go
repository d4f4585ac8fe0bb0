package verify

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit"
	"kentongan/alerts/audit/tree"
	"kentongan/geo/moment"
)

// Skew is how far the clocks of servers may lie apart. Late is how long after its record a checkpoint may follow: it is made every ten
// seconds and fetched by a witness as often, and between the two a server may have been started anew.
const (
	Skew = 5 * time.Second
	Late = 60 * time.Second
)

// Options are what an export is held against.
type Options struct {
	Keys  Keys
	Known []Known // in any order
	// Leaves gives the leaf hashes that a witness keeps of records 256*tile (0 and up) on: 256 at most, fewer or none at its end. They
	// are believed where they lead to the root of a checkpoint. nil: there is no witness.
	Leaves func(tile int64) ([]tlog.Hash, error)
}

// ErrExport says that what was read is no export at all.
var ErrExport = errors.New("not an export of the audit log")

// checker goes through an export, a line at a time.
type checker struct {
	o     Options
	known []Known       // those that could be held against it, by size
	until []moment.Time // what a record up to the size of known[i] is not dated beyond; zero: nobody says
	next  int           // the first of known that was not reached

	head   *Header
	begun  bool
	from   int64
	pos    int64 // the place of the last record, counted
	seq    int64 // the seq that comes next
	rooted bool  // the tree to the left is known
	tree   tree.Range
	last   struct { // the record dated latest
		at  moment.Time
		seq int64
	}
	since moment.Time // what a record is not dated before, by witnesses
	chain *chain

	tiles   *tiles
	suspect Finding  // the first record of which the witness keeps another hash
	broken  *Finding // of the first checkpoint that has another root
	low     lowest
	r       Report
}

// Export reads an export to its end. An error is one of reading; what is wrong with the log stands in the report.
func Export(in io.Reader, o Options) (Report, error) {
	c := &checker{o: o, chain: newChain(generation)}
	c.r.Signed = o.Keys.Log != nil
	if o.Leaves != nil {
		c.tiles = &tiles{read: o.Leaves}
	}
	n := 0
	err := lines(in, func(b []byte) error {
		n++
		l, err := parseLine(b)
		switch {
		case err != nil && !c.begun && c.head == nil:
			return fmt.Errorf("%w: line %d: %w", ErrExport, n, err)
		case l.header != nil && !c.begun && c.head == nil:
			c.head = l.header
			return nil
		}
		if bad := c.begin(); bad != nil {
			return bad
		}
		switch {
		case err != nil:
			c.found(Finding{Kind: Line, Seq: c.seq, Text: err.Error()})
		case l.header != nil:
			c.found(Finding{Kind: Line, Seq: c.seq, Text: "a second header"})
		case l.checkpoint != nil:
			c.own(l.checkpoint)
		default:
			return c.record(l)
		}
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	if c.head == nil && !c.begun {
		return Report{}, fmt.Errorf("%w: it is empty", ErrExport)
	}
	if err := c.begin(); err != nil {
		return Report{}, err
	}
	return c.end(), nil
}

func (c *checker) found(f Finding) {
	if c.r.Faults++; len(c.r.Findings) < listed {
		c.r.Findings = append(c.r.Findings, f)
	}
	c.low.add(f)
}

// begin prepares for the first record, once.
func (c *checker) begin() error {
	if c.begun {
		return nil
	}
	c.begun, c.from, c.rooted = true, 1, true
	if h := c.head; h != nil {
		c.r.Origin, c.r.MadeAt, c.r.MadeBy = h.Origin, h.MadeAt, h.MadeBy
		if h.Checkpoint != "" {
			if k, err := open([]byte(h.Checkpoint), c.o.Keys); err != nil {
				c.found(Finding{Kind: Line, Seq: c.seq, Text: "checkpoint of the header: " + err.Error()})
			} else {
				c.o.Known = append(slices.Clone(c.o.Known), k)
			}
		}
		if c.from = max(h.From, 1); c.from > 1 {
			left, err := tree.NewRange(c.from-1, h.Left)
			if c.rooted = err == nil; c.rooted {
				c.tree = *left
			}
		}
	}
	c.pos, c.seq, c.r.From = c.from-1, c.from, c.from
	if c.r.Origin == "" && c.o.Keys.Log != nil {
		c.r.Origin = c.o.Keys.Log.Name()
	}
	c.admit()
	if c.tiles != nil {
		for range c.pos {
			if _, err := c.tiles.next(); err != nil {
				return err
			}
		}
	}
	c.reached() // of the empty log, or of what is to the left
	return nil
}

// admit takes those of the known checkpoints that are of this log, and says what is wrong with the others.
func (c *checker) admit() {
	all := slices.Clone(c.o.Known)
	slices.SortStableFunc(all, func(a, b Known) int { return cmp.Compare(a.Size, b.Size) })
	for _, k := range all {
		if c.r.Origin == "" {
			c.r.Origin = k.Origin
		}
		switch {
		case k.Origin != c.r.Origin:
			c.found(Finding{Kind: Origin, Size: k.Size, Text: k.Origin})
			continue
		case k.Fault != "":
			c.found(Finding{Kind: k.Fault, Size: k.Size, Text: k.Origin})
			continue
		}
		if n := len(c.known); n > 0 && c.known[n-1].Size == k.Size && c.known[n-1].Root != k.Root {
			c.found(Finding{Kind: Fork, Size: k.Size, Text: c.known[n-1].Root.String() + ", " + k.Root.String()})
		}
		if k.Size >= c.from-1 {
			c.known = append(c.known, k)
		}
	}
	c.until = make([]moment.Time, len(c.known))
	var bound moment.Time
	for i, k := range slices.Backward(c.known) {
		if at := k.SeenAt; !at.IsZero() && (bound.IsZero() || at.Add(Skew).Before(bound.Time)) {
			bound = moment.Of(at.Add(Skew))
		}
		c.until[i] = bound
	}
}

// own is a checkpoint of the export itself.
func (c *checker) own(signed []byte) {
	k, err := open(signed, c.o.Keys)
	switch {
	case err != nil:
		c.found(Finding{Kind: Line, Seq: c.seq, Text: err.Error()})
	case k.Origin != c.r.Origin && c.r.Origin != "":
		c.found(Finding{Kind: Origin, Size: k.Size, Text: k.Origin})
	case k.Fault != "":
		c.found(Finding{Kind: k.Fault, Size: k.Size, Text: k.Origin})
	case k.Size != c.pos:
		c.found(Finding{Kind: Misplaced, Size: k.Size, Seq: c.pos})
	default:
		for _, other := range c.known {
			if other.Size == k.Size && other.Root != k.Root {
				c.found(Finding{Kind: Fork, Size: k.Size, Text: other.Root.String() + ", " + k.Root.String()})
			}
		}
		c.hold(k)
	}
}

// record is the next record.
func (c *checker) record(l line) error {
	c.r.Count++
	c.pos++
	leaf := tlog.RecordHash(l.record)
	c.tree.Append(leaf)
	if c.tiles != nil {
		if kept, err := c.tiles.next(); err != nil {
			return err
		} else if kept != nil && *kept != leaf && c.suspect.Seq == 0 {
			c.suspect = Finding{Kind: Tile, Seq: c.pos}
		}
	}
	if r, err := audit.Parse(l.record); err != nil {
		c.found(Finding{Kind: Form, Seq: c.seq, Text: err.Error()})
		c.seq++
	} else {
		c.judge(r, l, leaf)
	}
	c.reached()
	return nil
}

// judge looks at one record by itself, and beside those before it.
func (c *checker) judge(r audit.Record, l line, leaf tlog.Hash) {
	switch {
	case r.Seq > c.seq:
		c.found(Finding{Kind: Missing, Seq: c.seq, From: c.seq, To: r.Seq - 1})
		c.seq = r.Seq + 1
	case r.Seq < c.seq:
		c.found(Finding{Kind: Order, Seq: max(r.Seq, 1), Other: c.seq - 1})
	default:
		c.seq++
	}
	if l.leaf != nil && *l.leaf != leaf {
		c.found(Finding{Kind: Leaf, Seq: r.Seq})
	}
	c.timed(r)
	if other, ok := c.chain.follows(r); !ok {
		c.found(Finding{Kind: Chain, Seq: r.Seq, Other: other, Text: r.Object})
	}
	hash, apart := r.WordsHash()
	switch {
	case l.words != nil && (!apart || audit.Words{Salt: l.words.Salt, Text: l.words.Text}.Hash() != hash):
		c.found(Finding{Kind: WordsHash, Seq: r.Seq})
	case l.words != nil:
		c.r.Words++
	case apart:
		c.r.Erased++
	}
}

func (c *checker) timed(r audit.Record) {
	switch at := r.Time; {
	case at.IsZero():
		c.found(Finding{Kind: Untimed, Seq: r.Seq})
		return
	case at.Before(c.last.at.Add(-Skew)):
		c.found(Finding{Kind: BackDated, Seq: r.Seq, At: at, Limit: c.last.at, Other: c.last.seq})
	case at.Before(c.since.Time):
		c.found(Finding{Kind: TooEarly, Seq: r.Seq, At: at, Limit: c.since})
	case c.next < len(c.until) && !c.until[c.next].IsZero() && at.After(c.until[c.next].Time):
		c.found(Finding{Kind: TooLate, Seq: r.Seq, At: at, Limit: c.until[c.next]})
	}
	if r.Time.After(c.last.at.Time) {
		c.last.at, c.last.seq = r.Time, r.Seq
	}
}
