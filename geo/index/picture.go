package index

import (
	"math"
	"sort"
	"sync"

	"kentongan/geo"
)

// resRegion groups the buckets of the picture, so that a question skips what is far away: about 1,770 km², 343 buckets.
const resRegion geo.Resolution = 4

// Picture is every Thing's last state in memory: what the store holds, rebuilt from it at start. Safe for concurrent use. The functions
// handed to Within, In, Nearest and All are called under a read lock: they must be short and must not call the picture.
//
// At rest a Thing costs its Entry, a place in the list of slots, its number in a bucket, and its number by id.
type Picture struct {
	mu      sync.RWMutex
	things  map[string]uint32 // slots by id
	chunks  []*chunk          // slots by number, in pieces: growing moves nothing
	regions map[geo.Cell]*region
	buckets map[geo.Cell]*bucket
	next    uint32   // the first number that no Thing has had
	freed   []uint32 // numbers of Things that were removed
}

const chunkSize = 4096

type chunk [chunkSize]slot

// slot is an Entry and its place in its bucket's list.
type slot struct {
	entry  *Entry
	bucket *bucket
	at     uint32
}

// bucket holds the Things of one cell at ResFrame. Its bound is around every position it ever held, not around the cell: a Thing's cell
// may stick out of its ancestor's outline, so the outline answers wrongly at the edge.
type bucket struct {
	cell  geo.Cell
	bound geo.Bound
	slots []uint32
}

type region struct {
	bound   geo.Bound
	buckets map[geo.Cell]*bucket
}

// NewPicture gives an empty picture.
func NewPicture() *Picture {
	return &Picture{things: map[string]uint32{}, regions: map[geo.Cell]*region{}, buckets: map[geo.Cell]*bucket{}}
}

// slot gives the slot of a number that was given.
func (p *Picture) slot(n uint32) *slot { return &p.chunks[n/chunkSize][n%chunkSize] }

// entry gives the entry in a slot.
func (p *Picture) entry(n uint32) *Entry { return p.chunks[n/chunkSize][n%chunkSize].entry }

// Get gives the entry of an id, or nil.
func (p *Picture) Get(id string) *Entry {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if n, ok := p.things[id]; ok {
		return p.entry(n)
	}
	return nil
}

// Put sets the entry of its id, gives it its slot, and gives the entry it replaces, or nil. The entry must not be changed afterwards.
func (p *Picture) Put(e *Entry) (old *Entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, known := p.things[e.ID]
	if !known {
		n = p.number()
		p.things[e.ID] = n
	}
	e.Slot = n
	s := p.slot(n)
	old, s.entry = s.entry, e
	p.place(s)
	return old
}

// Remove takes an id out and gives what it was, or nil.
func (p *Picture) Remove(id string) *Entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, ok := p.things[id]
	if !ok {
		return nil
	}
	s := p.slot(n)
	p.leave(s)
	delete(p.things, id)
	p.freed = append(p.freed, n)
	old := s.entry
	*s = slot{}
	return old
}

// number gives a slot: one that was freed, else the next.
func (p *Picture) number() uint32 {
	if n := len(p.freed); n > 0 {
		slot := p.freed[n-1]
		p.freed = p.freed[:n-1]
		return slot
	}
	if p.next%chunkSize == 0 {
		p.chunks = append(p.chunks, new(chunk))
	}
	p.next++
	return p.next - 1
}

// Len counts the Things, placed or not.
func (p *Picture) Len() int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return len(p.things)
}

// place puts a slot into the bucket of its entry.
func (p *Picture) place(s *slot) {
	e := s.entry
	if !e.Placed || e.Cell == 0 {
		p.leave(s)
		return
	}
	frame := e.Cell.Parent(geo.ResFrame)
	b := s.bucket
	if b == nil || b.cell != frame {
		p.leave(s)
		b = p.bucket(frame, e.Position)
		s.bucket, s.at = b, uint32(len(b.slots))
		b.slots = append(b.slots, e.Slot)
	}
	if !b.bound.Contains(e.Position) {
		b.bound = b.bound.Extend(e.Position)
		r := p.regions[frame.Parent(resRegion)]
		r.bound = r.bound.Extend(e.Position)
	}
}

func (p *Picture) bucket(frame geo.Cell, at geo.Position) *bucket {
	if b := p.buckets[frame]; b != nil {
		return b
	}
	key := frame.Parent(resRegion)
	r := p.regions[key]
	if r == nil {
		r = &region{bound: geo.BoundOf(at), buckets: map[geo.Cell]*bucket{}}
		p.regions[key] = r
	}
	b := &bucket{cell: frame, bound: geo.BoundOf(at)}
	r.bound = r.bound.Extend(at)
	r.buckets[frame], p.buckets[frame] = b, b
	return b
}

// leave takes a slot out of its bucket; empty buckets and regions go, and with them bounds that have grown too wide.
func (p *Picture) leave(s *slot) {
	b := s.bucket
	if b == nil {
		return
	}
	last := len(b.slots) - 1
	b.slots[s.at] = b.slots[last]
	p.slot(b.slots[s.at]).at = s.at
	b.slots = b.slots[:last]
	s.bucket = nil
	if last > 0 {
		return
	}
	key := b.cell.Parent(resRegion)
	delete(p.buckets, b.cell)
	delete(p.regions[key].buckets, b.cell)
	if len(p.regions[key].buckets) == 0 {
		delete(p.regions, key)
	}
}

// Within gives every placed Thing whose position lies in the bound, in no order, until yield says false.
func (p *Picture) Within(bound geo.Bound, yield func(*Entry) bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, r := range p.regions {
		if !bound.Intersects(r.bound) {
			continue
		}
		for _, b := range r.buckets {
			if !bound.Intersects(b.bound) {
				continue
			}
			for _, n := range b.slots {
				if e := p.entry(n); bound.Contains(e.Position) && !yield(e) {
					return
				}
			}
		}
	}
}

// In gives every placed Thing whose own cell is or descends from the cell, in no order, until yield says false.
func (p *Picture) In(cell geo.Cell, yield func(*Entry) bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	r := cell.Resolution()
	visit := func(b *bucket) bool {
		for _, n := range b.slots {
			if e := p.entry(n); e.Cell.Parent(r) == cell && !yield(e) {
				return false
			}
		}
		return true
	}
	if r >= geo.ResFrame {
		if b := p.buckets[cell.Parent(geo.ResFrame)]; b != nil {
			visit(b)
		}
		return
	}
	for _, b := range p.buckets {
		if b.cell.Parent(r) == cell && !visit(b) {
			return
		}
	}
}

// All gives every Thing, placed or not, in no order, until yield says false.
func (p *Picture) All(yield func(*Entry) bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, n := range p.things {
		if !yield(p.entry(n)) {
			return
		}
	}
}

// Near is a Thing and its great-circle distance in metres.
type Near struct {
	Entry     *Entry
	DistanceM float64
}

// Nearest gives the k placed Things nearest to a position among those that keep wants (nil: all), nearest first, equal distances by id.
//
// It is exact. Not by rings of cells: a Thing's cell may lie outside its ancestor's outline, and cells differ in size, so a ring gives no
// safe distance without a measured margin. The bound of a bucket does: buckets are visited by the least distance they can hold.
func (p *Picture) Nearest(at geo.Position, k int, keep func(*Entry) bool) []Near {
	if k <= 0 {
		return nil
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	type far[T any] struct {
		m float64
		v T
	}
	regions := make([]far[*region], 0, len(p.regions))
	for _, r := range p.regions {
		regions = append(regions, far[*region]{distanceToBound(at, r.bound), r})
	}
	sort.Slice(regions, func(i, j int) bool { return regions[i].m < regions[j].m })
	best := nearest{p: p, at: at, k: k, keep: keep}
	var own *bucket // asked first: it mostly holds enough to pass over all but its neighbours
	if c, err := geo.CellAt(at, geo.ResThing); err == nil {
		if own = p.buckets[c.Parent(geo.ResFrame)]; own != nil {
			best.ask(own)
		}
	}
	var buckets []far[*bucket]
	for _, r := range regions {
		if r.m > best.limit() {
			break
		}
		buckets = buckets[:0]
		for _, b := range r.v.buckets {
			if b == own || best.beyond(b.bound.South, b.bound.North) {
				continue
			}
			if m := distanceToBound(at, b.bound); m <= best.limit() {
				buckets = append(buckets, far[*bucket]{m, b})
			}
		}
		sort.Slice(buckets, func(i, j int) bool { return buckets[i].m < buckets[j].m })
		for _, b := range buckets {
			if b.m > best.limit() {
				break
			}
			best.ask(b.v)
		}
	}
	return best.list
}

// nearest keeps the k best in order.
type nearest struct {
	p    *Picture
	at   geo.Position
	k    int
	keep func(*Entry) bool
	list []Near
}

// ask offers every Thing of a bucket to the list.
func (n *nearest) ask(b *bucket) {
	for _, slot := range b.slots {
		e := n.p.entry(slot)
		if n.beyond(e.Position.Lat, e.Position.Lat) {
			continue
		}
		if m := geo.Distance(n.at, e.Position); m <= n.limit() && (n.keep == nil || n.keep(e)) {
			n.add(Near{e, m})
		}
	}
}

// beyond tells, without trigonometry, that all between two latitudes is too far to the north or south to enter the list.
func (n *nearest) beyond(south, north float64) bool {
	const degree = geo.EarthRadius * math.Pi / 180
	return math.Max(south-n.at.Lat, n.at.Lat-north)*degree-1e-3 > n.limit()
}

// limit is the distance from which on nothing can enter the list.
func (n *nearest) limit() float64 {
	if len(n.list) < n.k {
		return math.Inf(1)
	}
	return n.list[n.k-1].DistanceM
}

func (n *nearest) add(v Near) {
	i := sort.Search(len(n.list), func(i int) bool {
		o := n.list[i]
		return o.DistanceM > v.DistanceM || o.DistanceM == v.DistanceM && o.Entry.ID > v.Entry.ID
	})
	if i >= n.k {
		return
	}
	if len(n.list) < n.k {
		n.list = append(n.list, Near{})
	}
	copy(n.list[i+1:], n.list[i:])
	n.list[i] = v
}

// distanceToBound is at most the distance from a position to anything in the bound, and 0 within it. The last millimetre is given away
// to rounding. The bound must not cross the antimeridian; one around both of its sides is wide, never wrong.
func distanceToBound(p geo.Position, b geo.Bound) float64 {
	if p.Lng >= b.West && p.Lng <= b.East {
		lat := math.Max(b.South, math.Min(b.North, p.Lat))
		return math.Max(0, geo.Distance(p, geo.Position{Lat: lat, Lng: p.Lng})-1e-3)
	}
	m := math.Min(distanceToMeridian(p, b.West, b.South, b.North), distanceToMeridian(p, b.East, b.South, b.North))
	return math.Max(0, m-1e-3)
}

// distanceToMeridian is the distance from a position to the part of a meridian between two latitudes.
func distanceToMeridian(p geo.Position, lng, south, north float64) float64 {
	m := math.Min(geo.Distance(p, geo.Position{Lat: south, Lng: lng}), geo.Distance(p, geo.Position{Lat: north, Lng: lng}))
	if k := math.Cos((p.Lng - lng) * math.Pi / 180); k > 0 {
		foot := math.Atan(math.Tan(p.Lat*math.Pi/180)/k) * 180 / math.Pi
		if foot > south && foot < north {
			m = math.Min(m, geo.Distance(p, geo.Position{Lat: foot, Lng: lng}))
		}
	}
	return m
}
