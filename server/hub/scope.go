package hub

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/server/access"
	nouns "kentongan/server/scope"
	"kentongan/server/wire"
)

// scopeKey is what clients must have in common to share every message.
type scopeKey struct {
	bound  geo.Bound
	layers string
	form   int
	who    *audience
	res    geo.Resolution // of its cells; the one it would have, where it shows Things
	crowd  bool           // cells only while too many Things are in view
	cells  bool
}

// scope is a view and the clients that have it. Messages are built once for all of them.
type scope struct {
	key     scopeKey
	form    form
	wants   wants
	number  uint32 // in Hub.numbered
	members []*client
	lagging int // of the members
	tiles   []*tile
	regions []*region
	queued  bool // it has a parcel in this tick
	parcel  parcel
	log     []left            // what left the view since the first of those who lag began to
	most    int               // length of log at which it is gone through
	late    map[uint32][]byte // messages of this tick for those who lag, by the tick since when
	snap    snapshotOf
}

// parcel is what one tick has for a scope.
type parcel struct {
	chunks [][]byte
	gone   []*index.Entry
	empty  []told
}

// left is a Thing, or a cell's layer, that left a view.
type left struct {
	tick  uint32
	entry *index.Entry
	cell  told
}

// snapshotOf is a snapshot kept while nothing changes.
type snapshotOf struct {
	bytes   []byte
	offset  int64
	resumed bool
	at      time.Time
}

// layersOf writes the wanted layers so that equal ones are equal.
func layersOf(list []string) string {
	if slices.Contains(list, "*") {
		return "*"
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return strings.Join(slices.Compact(list), "\x00")
}

// wants tells which Things a view shows: of the kinds that were asked for those that may be seen. The owner of a unit is as ownerOf writes it;
// of all else, and of cells, it is empty.
type wants func(kind, owner string) bool

// wantsOf reads what layersOf and unitsOf wrote; guests: visitors see it.
func wantsOf(layers, units string, guests bool) wants {
	if guests {
		all := wantsOf(layers, "", false)
		return func(kind, owner string) bool { return access.Open(kind) && all(kind, owner) }
	}
	switch {
	case layers == every && units == every:
		return wantsAll
	case layers == "":
		return wantsNone
	}
	kinds := map[string]struct{}{}
	for _, k := range strings.Split(layers, "\x00") {
		kinds[k] = struct{}{}
	}
	return func(kind, owner string) bool {
		if kind == nouns.KindUnit && units != every && !tellsOf(units, owner) {
			return false
		}
		_, ok := kinds[kind]
		return ok || layers == every
	}
}

// tellsOf tells whether what unitsOf wrote names the owner of a unit, or its whole agency.
func tellsOf(units, owner string) bool {
	agency, _, owned := strings.Cut(owner, "\x01")
	return owned && slices.ContainsFunc(strings.Split(units, "\x00"), func(one string) bool { return one == agency || one == owner })
}

// Most viewers want everything: they share this.
func wantsAll(string, string) bool  { return true }
func wantsNone(string, string) bool { return false }

// ownerOf writes whose a unit is: its agency's, and within it its crew's.
func ownerOf(agency, unit string) string { return agency + "\x01" + unit }

// owner is whose a unit is; empty for all else, and where nobody knows its agency.
func (h *Hub) owner(kind, id string) string {
	if kind != nouns.KindUnit {
		return ""
	}
	if _, o := nouns.Thing(id, kind, h.d.Agency); len(o.Agencies) > 0 {
		return ownerOf(o.Agencies[0], o.Unit)
	}
	return ""
}

// touches tells whether a view may show something of a region.
func (h *Hub) touches(s *scopeKey, g *region) bool {
	if s.cells && tileRes(s.res) < resRegion {
		return s.bound.Intersects(h.grid.bound(g.cell.Parent(tileRes(s.res))))
	}
	return s.bound.Intersects(g.bound)
}

// holds tells whether a view shows a bucket, or the tile that it is part of.
func (h *Hub) holds(s *scopeKey, b *bucket) bool {
	if s.cells {
		return s.bound.Intersects(h.grid.bound(b.cell.Parent(tileRes(s.res))))
	}
	return s.bound.Intersects(b.bound)
}

// scope gives the scope of a key, made where it is not there.
func (h *Hub) scope(key scopeKey, f form) *scope {
	if s := h.scopes[key]; s != nil {
		return s
	}
	s := &scope{key: key, form: f, wants: wantsOf(key.layers, key.who.units, key.who.guests)}
	h.scopes[key] = s
	h.number(s)
	if !key.who.things {
		return s
	}
	for _, g := range h.city.regions {
		if h.touches(&s.key, g) {
			h.subscribe(s, g)
		}
	}
	now := h.d.Now().UnixMilli()
	for _, t := range s.tiles {
		h.grid.ready(t, now)
	}
	return s
}

func (h *Hub) subscribe(s *scope, g *region) {
	if g.scopes == nil {
		g.scopes = map[*scope]struct{}{}
	}
	g.scopes[s] = struct{}{}
	s.regions = append(s.regions, g)
	for _, b := range g.buckets {
		if h.holds(&s.key, b) {
			h.attach(s, b)
		}
	}
}

// attach makes a bucket part of a view.
func (h *Hub) attach(s *scope, b *bucket) {
	if s.key.cells {
		h.grid.watch(s, b)
		return
	}
	b.scopes = append(b.scopes, s.number)
	if s.key.form == (binaryForm{}).id() {
		b.binary++
	}
}

// detach takes a bucket out of a view.
func (h *Hub) detach(s *scope, b *bucket) {
	last := len(b.scopes) - 1
	b.scopes[slices.Index(b.scopes, s.number)] = b.scopes[last]
	if b.scopes = b.scopes[:last]; last == 0 {
		b.scopes, b.full = nil, [forms][]chunk{}
	}
	if s.key.form == (binaryForm{}).id() {
		b.binary--
	}
	h.city.drop(b)
}

// number gives a scope its number.
func (h *Hub) number(s *scope) {
	if n := len(h.unnumbered); n > 0 {
		s.number = h.unnumbered[n-1]
		h.unnumbered = h.unnumbered[:n-1]
		h.numbered[s.number] = s
		return
	}
	s.number = uint32(len(h.numbered))
	h.numbered = append(h.numbered, s)
}

// bucketsOf gives the buckets of a view of Things.
func (h *Hub) bucketsOf(s *scope) []*bucket {
	if s.key.cells {
		return nil
	}
	h.room = h.room[:0]
	for _, g := range s.regions {
		for _, b := range g.buckets {
			if h.holds(&s.key, b) {
				h.room = append(h.room, b)
			}
		}
	}
	return h.room
}

// dissolve forgets a scope that has no members.
func (h *Hub) dissolve(s *scope) {
	delete(h.scopes, s.key)
	for _, b := range h.bucketsOf(s) {
		h.detach(s, b)
	}
	h.numbered[s.number] = nil
	h.unnumbered = append(h.unnumbered, s.number)
	now := h.d.Now()
	for _, t := range s.tiles {
		h.grid.unwatch(s, t, now)
	}
	for _, g := range s.regions {
		if delete(g.scopes, s); len(g.scopes)+len(g.buckets) == 0 {
			delete(h.city.regions, g.cell)
		}
	}
}

// welcome shows a bucket that has just come to be to the views that touch it.
func (h *Hub) welcome(b *bucket) {
	if len(b.region.buckets) == 1 && len(b.region.scopes) == 0 { // the region is new, too
		for _, s := range h.scopes {
			if s.key.who.things && h.touches(&s.key, b.region) {
				h.subscribe(s, b.region)
			}
		}
		return
	}
	for s := range b.region.scopes {
		if h.holds(&s.key, b) {
			h.attach(s, b)
		}
	}
}

// join makes a client a member.
func (h *Hub) join(c *client, s *scope) {
	c.scope, c.place = s, len(s.members)
	s.members = append(s.members, c)
}

// part takes a client out of its scope.
func (h *Hub) part(c *client) {
	s := c.scope
	if s == nil {
		return
	}
	h.caughtUp(c)
	last := len(s.members) - 1
	s.members[c.place] = s.members[last]
	s.members[c.place].place = c.place
	s.members[last] = nil
	s.members = s.members[:last]
	c.scope = nil
	if last == 0 {
		h.dissolve(s)
	}
}

// sees tells whether a Thing is in a view now.
func (h *Hub) sees(s *scope, e *index.Entry) bool {
	r := h.city.at(e.Slot)
	return r != nil && (r.entry.ID == e.ID || s.key.form == (binaryForm{}).id()) && s.wants(r.entry.Kind, h.owner(r.entry.Kind, r.entry.ID)) && h.holds(&s.key, h.city.buckets[r.bucket])
}

// inView counts the wanted Things of a view, no further than is needed to know that they are a crowd.
func (h *Hub) inView(bound geo.Bound, wants wants) (n int) {
	for _, g := range h.city.regions {
		if n > h.cfg.Crowd {
			break
		}
		if !bound.Intersects(g.bound) {
			continue
		}
		for _, b := range g.buckets {
			if !bound.Intersects(b.bound) {
				continue
			}
			for _, k := range b.counts {
				if k.n > 0 && wants(h.city.kinds.names[k.kind], "") {
					n += int(k.n)
				}
			}
		}
	}
	return n
}

// prepare reads the Things whose cells a view is to show, within a tick's budget; false: there are more, come again.
func (h *Hub) prepare(s *scopeKey) bool {
	now := h.d.Now()
	for _, g := range h.city.regions {
		if !h.touches(s, g) {
			continue
		}
		for _, b := range g.buckets {
			if b.built || !h.holds(s, b) {
				continue
			}
			if h.spent() {
				return false
			}
			h.city.build(b)
			b.kept = now
		}
	}
	return true
}

// messageOf frames a message of Things or cells.
func (s *scope) messageOf(p *parcel) []byte {
	n := 64
	for _, c := range p.chunks {
		n += len(c) + 1
	}
	for _, e := range p.gone {
		n += len(e.ID) + 3
	}
	if s.key.cells {
		return framed(s.form.cells(sheet(n), p.chunks), s.form.opcode())
	}
	return framed(s.form.things(sheet(n), p.chunks, p.gone), s.form.opcode())
}

// pick takes the chunks that a view wants.
func (s *scope) pick(p *parcel, list []chunk) {
	for i := range list {
		if s.wants(list[i].kind, list[i].owner) {
			p.chunks = append(p.chunks, list[i].bytes)
		}
	}
}

// unique drops Things named twice: one may leave two buckets of one view within a tick.
func unique(list []*index.Entry) []*index.Entry {
	if len(list) < 2 {
		return list
	}
	seen := make(map[string]struct{}, len(list))
	out := list[:0]
	for _, e := range list {
		if _, ok := seen[e.ID]; !ok {
			seen[e.ID] = struct{}{}
			out = append(out, e)
		}
	}
	return out
}

// feeds gives how the feeds fare.
func (h *Hub) feeds() []feeds.FeedStatus {
	list := []feeds.FeedStatus{}
	if h.d.Feeds != nil {
		list = append(list, h.d.Feeds()...)
	}
	return list
}

// docs are the case documents and feeds that a snapshot holds besides the view.
func (h *Hub) docs(s *wire.BinarySnapshot, a *audience) {
	now := h.d.Now()
	shown := func(list []*change) []json.RawMessage {
		var out []json.RawMessage
		for _, ch := range list {
			if doc, _ := a.shows(ch, now); doc != nil {
				out = append(out, doc)
			}
		}
		return out
	}
	for noun, docs := range map[string]*[]json.RawMessage{wire.TypeIncident: &s.Incidents, wire.TypeAlert: &s.Alerts, wire.TypeAlarm: &s.Alarms, wire.TypeSuggestion: &s.Suggestions,
		wire.TypePlan: &s.Plans, wire.TypeStatement: &s.Statements, wire.TypeStatus: &s.Statuses, wire.TypeUnit: &s.Units, wire.TypeDispatch: &s.Dispatches} {
		*docs = shown(h.cases.standing(noun))
	}
	list, cut := h.cases.reports.standing(now)
	if s.Reports = shown(list); s.Reports != nil || access.Can(a.who, access.ReadReports, access.Object{}, now).Level > access.None {
		s.ReportsCut = cut
	}
	if a.feeds {
		s.Feeds = h.feeds()
	}
}
