package contract

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"kentongan/feeds"
	"kentongan/geo/moment"
)

// Bounds of what is held of one feed.
const (
	// MostCauses is more than a person can decide on in a day; a feed that is at fault in more ways is not the feed that was agreed on.
	MostCauses = 50
	// MostDeliveries is a hundred devices that speak every second, for fifty minutes; a poll each minute, for two hundred days.
	MostDeliveries = 300_000
	// MostSize is in the store's memory: ten feeds that lie at once still fit beside a city on a machine of four gigabytes.
	MostSize = 128 << 20
	// LargestBody is a sixteenth of that, so that no single delivery closes the quarantine to all others. As gzip it is some 60 MB of JSON.
	LargestBody = 8 << 20
	// deliveryCost is what a delivery takes beside its bytes.
	deliveryCost = 256
)

const (
	// Lifetime of a cause from its newest delivery on.
	Lifetime = 30 * 24 * time.Hour
	// setAside is how long what comes of a cause that was kept is set aside with it, without asking again.
	setAside = 24 * time.Hour
)

// Why a delivery cannot be laid on a shelf.
var (
	ErrFull  = feeds.ErrFull
	ErrLarge = fmt.Errorf("it breaks the feed's contract and is too large to be held: more than %d bytes as gzip", LargestBody)
)

// Why a decision cannot be written down.
var (
	ErrNotHeld = errors.New("nothing is held under this id")
	ErrDecided = errors.New("somebody has accepted it meanwhile")
	ErrMore    = errors.New("more of the same cause came meanwhile")
)

// Shelf is the quarantine of one feed, without the bytes. It changes in memory and says what is to be written; pure, and not safe for concurrent use.
type Shelf struct {
	Causes []Held

	Changed map[string]bool // causes to be written
	Removed map[string]bool // causes to be forgotten, bytes and all
	Emptied map[string]bool // causes whose bytes are dropped, before any is added
	Added   []Added
	Refused bool   // Put has found no room
	Expired []Held // of those removed: nobody has decided on them
}

// Added is a delivery whose bytes are to be kept. Of is what Put was told.
type Added struct {
	ID     string
	Number int64
	Of     int
}

// SizeOf is what so many bytes take in the store, as it is counted.
func SizeOf(packed int) int64 { return int64(packed) + deliveryCost }

// NewShelf gives a shelf with what is known of it.
func NewShelf(causes []Held) *Shelf {
	return &Shelf{Causes: slices.Clone(causes), Changed: map[string]bool{}, Removed: map[string]bool{}, Emptied: map[string]bool{}}
}

// Touched tells whether anything is to be written.
func (s *Shelf) Touched() bool { return len(s.Changed)+len(s.Removed)+len(s.Emptied)+len(s.Added) > 0 }

// Room tells how full it is.
func (s *Shelf) Room() Room {
	r := Room{Causes: len(s.Causes), MostCauses: MostCauses, MostDeliveries: MostDeliveries, MostSize: MostSize}
	for i := range s.Causes {
		r.Deliveries += s.Causes[i].Deliveries
		r.Size += s.Causes[i].Size
	}
	return r
}

// find gives the place of a cause, or -1.
func (s *Shelf) find(id string) int {
	return slices.IndexFunc(s.Causes, func(h Held) bool { return h.ID == id })
}

// Forget removes what is older than its lifetime.
func (s *Shelf) Forget(now time.Time) {
	for i := len(s.Causes) - 1; i >= 0; i-- {
		if h := s.Causes[i]; now.Sub(h.At.Time) >= Lifetime {
			if h.State == StateHeld && h.Deliveries > 0 && !h.Passed {
				s.Expired = append(s.Expired, h)
			}
			s.remove(i)
		}
	}
}

func (s *Shelf) remove(i int) {
	id := s.Causes[i].ID
	s.empty(i)
	s.Removed[id] = true
	delete(s.Changed, id)
	s.Causes = slices.Delete(s.Causes, i, i+1)
}

// empty drops the bytes of a cause.
func (s *Shelf) empty(i int) {
	h := &s.Causes[i]
	s.Emptied[h.ID], s.Changed[h.ID] = true, true
	s.Added = slices.DeleteFunc(s.Added, func(a Added) bool { return a.ID == h.ID })
	h.Deliveries, h.Readings, h.Size, h.OldestAt, h.Whole = 0, 0, 0, moment.Time{}, false
}

// Strip drops the bytes of samples that came at a time or after it: somebody whom they may name is to be forgotten. Nothing is withheld in them.
func (s *Shelf) Strip(from time.Time) (n int) {
	for i := range s.Causes {
		if h := &s.Causes[i]; h.Passed && h.Deliveries > 0 && !h.At.Before(from) {
			s.empty(i)
			n++
		}
	}
	return n
}

// Put lays a delivery on the shelf, to those of its cause; size is that of its bytes in the store, zero: they are not kept. The id is for a cause that
// is new. What is decided makes room for it, the oldest decision first, then what withholds nothing; what is undecided never does. Errors: ErrFull and
// ErrLarge, and then nothing has changed that matters.
func (s *Shelf) Put(h Held, size int64, id string, of int) (Held, error) {
	if size > LargestBody {
		if !h.Passed {
			return h, ErrLarge
		}
		size = 0
	}
	at := slices.IndexFunc(s.Causes, func(c Held) bool {
		return c.Fingerprint == h.Fingerprint && (c.State == StateHeld || c.State == StateKept && h.At.Sub(c.DecidedAt.Time) < setAside)
	})
	if at < 0 {
		if !s.makeCause() {
			if h.Passed { // a note: nothing of it is withheld
				return h, nil
			}
			s.Refused = true
			return h, ErrFull
		}
		h.ID = id
	}
	cost := SizeOf(int(size))
	wanted := size > 0 && (!h.Passed || at < 0 || s.Causes[at].Passed)
	kept := wanted && s.makeRoom(cost, at)
	if !kept && !h.Passed && (at < 0 || s.Causes[at].State == StateHeld) {
		s.Refused = true
		return h, ErrFull
	}
	if at < 0 {
		c := h
		c.Deliveries, c.Items, c.Bytes, c.Readings, c.Size = 0, 0, 0, 0, 0
		c.Times, c.OldestAt, c.Whole = 0, moment.Time{}, false
		s.Causes = append(s.Causes, c)
		at = len(s.Causes) - 1
	}
	c := &s.Causes[at]
	if h.Passed && kept && c.Deliveries > 0 { // the newest is the sample
		s.empty(at)
	}
	c.add(h, cost, kept)
	switch {
	case kept:
		c.Newest++
		s.Added = append(s.Added, Added{c.ID, c.Newest, of})
	case !h.Passed: // set aside with its cause, and there is no room
		c.Dropped++
	}
	s.Changed[c.ID] = true
	return *c, nil
}

// add counts a delivery to its cause.
func (c *Held) add(h Held, cost int64, kept bool) {
	c.Times += h.Times
	if h.At.After(c.At.Time) {
		c.At = h.At
	}
	c.Reason, c.Diff = h.Reason, h.Diff
	c.ContentType, c.URL, c.Topic, c.Peer = h.ContentType, h.URL, h.Topic, h.Peer
	c.Passed, c.Personal = c.Passed && h.Passed, c.Personal || h.Personal
	switch {
	case kept:
		if c.Deliveries == 0 {
			c.OldestAt, c.Items, c.Bytes = h.At, 0, 0
		}
		c.Deliveries++
		c.Items, c.Bytes, c.Readings, c.Size, c.Whole = c.Items+h.Items, c.Bytes+h.Bytes, c.Readings+h.Readings, c.Size+cost, true
	case c.Deliveries == 0:
		c.Items, c.Bytes = h.Items, h.Bytes
	}
}

// makeCause makes room for one more cause.
func (s *Shelf) makeCause() bool {
	for len(s.Causes) >= MostCauses {
		i := s.least(func(h *Held) bool { return h.State != StateHeld })
		if i < 0 {
			i = s.least(func(h *Held) bool { return h.Passed })
		}
		if i < 0 {
			return false
		}
		s.remove(i)
	}
	return true
}

// makeRoom drops bytes that nobody waits for until there is room; at is the cause for which, or -1.
func (s *Shelf) makeRoom(cost int64, at int) bool {
	mine := ""
	if at >= 0 {
		mine = s.Causes[at].ID
	}
	for {
		r := s.Room()
		if r.Deliveries < MostDeliveries && r.Size+cost <= MostSize {
			return true
		}
		i := s.least(func(h *Held) bool { return h.Deliveries > 0 && h.State != StateHeld && h.ID != mine })
		if i < 0 {
			i = s.least(func(h *Held) bool { return h.Deliveries > 0 && h.Passed && h.ID != mine })
		}
		if i < 0 && at >= 0 && s.Causes[at].State == StateKept && s.Causes[at].Deliveries > 0 {
			i = at
		}
		if i < 0 {
			return false
		}
		n := s.Causes[i].Deliveries
		if !s.Causes[i].Passed {
			s.Causes[i].Dropped += n
		}
		s.empty(i)
	}
}

// least gives the cause that was decided on first, or came first, of those that may go; -1: none may.
func (s *Shelf) least(may func(*Held) bool) int {
	best := -1
	for i := range s.Causes {
		h := &s.Causes[i]
		if may(h) && (best < 0 || cmp.Or(h.DecidedAt.Compare(s.Causes[best].DecidedAt.Time), h.At.Compare(s.Causes[best].At.Time)) < 0) {
			best = i
		}
	}
	return best
}

// Adopt takes the one delivery that an earlier version kept of a cause; false: there is no such cause, or it is here already.
func (s *Shelf) Adopt(id string, size int64, of int) bool {
	i := s.find(id)
	if i < 0 || s.Causes[i].Newest > 0 || s.Causes[i].State == StateAccepted {
		return false
	}
	c := &s.Causes[i]
	c.Deliveries, c.Newest, c.Size, c.OldestAt, c.Whole = 1, 1, SizeOf(int(size)), c.At, true
	if !c.Passed {
		c.Readings = c.Items
	}
	s.Added = append(s.Added, Added{id, 1, of})
	s.Changed[id] = true
	return true
}

// Take counts deliveries of a cause as accepted; seen is the cause as it was when they were read, next the time of the oldest that stays. ErrMore:
// somebody else has taken some meanwhile.
func (s *Shelf) Take(seen Held, list []Delivery, next moment.Time) (Held, error) {
	i := s.find(seen.ID)
	if i < 0 {
		return seen, ErrNotHeld
	}
	c := &s.Causes[i]
	if c.State == StateAccepted {
		return *c, ErrDecided
	}
	if c.Taken != seen.Taken || c.Dropped != seen.Dropped {
		return *c, ErrMore
	}
	for _, d := range list {
		c.Deliveries--
		c.Taken++
		c.Items, c.Bytes, c.Readings, c.Size = c.Items-d.Items, c.Bytes-d.Bytes, c.Readings-d.Readings, c.Size-d.Size
	}
	c.OldestAt = next
	if c.Deliveries == 0 {
		c.OldestAt, c.Whole = moment.Time{}, false
	}
	s.Changed[c.ID] = true
	return *c, nil
}

// Decide notes who has decided what. ErrMore: it is to be accepted, and deliveries lie here that nobody has taken. ErrDecided: it was accepted before.
func (s *Shelf) Decide(id, state, by, note string, now time.Time) (Held, error) {
	i := s.find(id)
	if i < 0 {
		return Held{}, ErrNotHeld
	}
	c := &s.Causes[i]
	switch {
	case c.State == StateAccepted:
		return *c, ErrDecided
	case state == StateAccepted && c.Deliveries > 0:
		return *c, ErrMore
	}
	if state == StateAccepted {
		s.Emptied[c.ID] = true
	}
	c.State, c.By, c.Note, c.DecidedAt = state, by, note, moment.Of(now)
	s.Changed[c.ID] = true
	return *c, nil
}
