package hub

import (
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"kentongan/feeds"
	nouns "kentongan/server/scope"
	"kentongan/server/wire"
)

// chunk is the encoded rows of one kind in one bucket, or of one layer in one tile, shared by every viewer.
type chunk struct {
	kind  string
	owner string // of units: who may see them
	bytes []byte
}

// changes gives the rows changed in this tick, encoded once for all.
func (c *city) changes(b *bucket, f form, nowMS int64) []chunk {
	if b.now[f.id()] == nil {
		list := make([]wire.Row, 0, len(b.changed))
		for i := range b.changed {
			if n := &b.changed[i]; n.thing != nil {
				list = append(list, wire.Row{Slot: n.slot, Thing: n.thing, Announce: n.announce, Values: n.values})
			}
		}
		b.now[f.id()] = encode(f, nowMS, list, c.owner)
	}
	return b.now[f.id()]
}

// all gives every row, encoded once until the bucket changes. What it announces in the binary form is what viewers know from now on;
// where that differs from what earlier ones were told, they hear of it in the next tick.
func (c *city) all(b *bucket, f form, nowMS int64) []chunk {
	if b.full[f.id()] != nil {
		return b.full[f.id()]
	}
	list := make([]wire.Row, 0, len(b.slots))
	for _, slot := range b.slots {
		r := &c.rows[slot]
		t := thingOf(r.entry)
		if t == nil {
			continue
		}
		if f.id() == (binaryForm{}).id() {
			told := r.stale
			r.tell(t)
			if stale := staleOf(t); told != 0 && told != stale && r.turn == 0 {
				c.touch(b)
				b.tick, r.tick = c.tick+1, c.tick+1
				b.changed = append(b.changed, touched{slot: slot, thing: t, announce: true})
				r.turn = uint32(len(b.changed))
			}
			r.stale = staleOf(t)
		}
		list = append(list, wire.Row{Slot: slot, Thing: t, Announce: true, Values: true})
	}
	b.full[f.id()] = encode(f, nowMS, list, c.owner)
	return b.full[f.id()]
}

// encode writes rows as one chunk per kind, and each unit that has an owner as its own: its crew sees it where nobody else of its agency shows.
func encode(f form, nowMS int64, list []wire.Row, owner func(kind, id string) string) []chunk {
	of := func(r *wire.Row) string { return owner(r.Thing.Kind, r.Thing.ID) }
	slices.SortFunc(list, func(a, b wire.Row) int {
		if a.Thing.Kind != b.Thing.Kind {
			return strings.Compare(a.Thing.Kind, b.Thing.Kind)
		}
		if a.Thing.Kind == nouns.KindUnit {
			if d := strings.Compare(of(&a), of(&b)); d != 0 {
				return d
			}
		}
		if f.sorted() {
			return strings.Compare(a.Thing.ID, b.Thing.ID)
		}
		return int(a.Slot) - int(b.Slot)
	})
	chunks := []chunk{}
	for len(list) > 0 {
		n, whose := 1, of(&list[0])
		for n < len(list) && list[n].Thing.Kind == list[0].Thing.Kind && (whose == "" && list[n].Thing.Kind != nouns.KindUnit || of(&list[n]) == whose) {
			n++
		}
		chunks = append(chunks, chunk{list[0].Thing.Kind, whose, f.rows(nil, nowMS, list[0].Thing.Kind, list[:n])})
		list = list[n:]
	}
	return chunks
}

// tell compares a Thing with what viewers know of it, and notes that they will know this.
func (r *row) tell(t *feeds.Thing) (announce, values bool) {
	stale, static, state := staleOf(t), staticOf(t), stateOf(t)
	announce = static != r.static || moved(r.stale, stale)
	values = state != r.state
	r.static, r.state = static, state
	if announce {
		r.stale = stale
	}
	return announce, values
}

// moved tells that a Thing's time to stale differs by more than a tenth and a second from what was announced.
func moved(told, now uint32) bool {
	if told == 0 || now == 0 {
		return told != now
	}
	return math.Abs(float64(now)-float64(told)) > float64(told)/10+1000
}

// staleOf is how long after its event a Thing goes stale, in ms; 0: unknown.
func staleOf(t *feeds.Thing) uint32 { return uint32(wire.StaleMS(t)) }

var seed = maphash.MakeSeed()

// staticOf sums up what a Thing's announcement says besides its id.
func staticOf(t *feeds.Thing) uint32 {
	h := maphash.String(seed, t.Name)
	h = mix(h, maphash.String(seed, t.Feed))
	h = mix(h, maphash.String(seed, t.Attribution))
	if t.Simulated {
		h++
	}
	return uint32(h ^ h>>32)
}

// stateOf sums up a Thing's state but for what travels with its place.
func stateOf(t *feeds.Thing) uint32 {
	var all uint64
	for name, r := range t.State {
		if wire.Motion(name, r) {
			continue
		}
		h := maphash.String(seed, name)
		h = mix(h, math.Float64bits(r.Value.Num)+uint64(r.Value.Type))
		h = mix(h, uint64(r.At.Milli()))
		h = mix(h, maphash.String(seed, string(r.Quality)))
		h = mix(h, maphash.String(seed, r.Unit))
		if r.Value.Type == feeds.Text {
			h = mix(h, maphash.String(seed, r.Value.Text))
		}
		all += h // in whatever order a map gives
	}
	return uint32(all ^ all>>32)
}

func mix(h, v uint64) uint64 {
	h ^= v
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// stampOf sums up the times by which latency is counted.
func stampOf(t *feeds.Thing) uint32 {
	h := mix(uint64(t.At.Milli()), uint64(t.ReceivedAt.Milli()))
	return uint32(h^h>>32) | 1
}
