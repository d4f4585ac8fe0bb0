package ingest

// tracks holds the Things that were touched within the recent window, in the order in which they were. What is known of all others lies in
// the picture, from which a track is made again.
type tracks struct {
	of       map[string]*track
	youngest *track
	oldest   *track
	most     int // tracks at once since the map was made

	// learning is what was learned of how often Things report that report so seldom that they are let go between their reports, by slot,
	// until it makes an interval; that lies in the Thing (StaleAfter), and is learned anew beside it.
	learning map[uint32]cadence
}

func newTracks() tracks { return tracks{of: map[string]*track{}, learning: map[uint32]cadence{}} }

// track gives the track of an id, and keeps the id.
func (p *Pipeline) track(id string) *track {
	t := p.tracks.of[id]
	if t == nil {
		t = &track{id: id}
		if e := p.d.Picture.Get(id); e != nil {
			t.id, t.entry = e.ID, e
			if c, ok := p.tracks.learning[e.Slot]; ok {
				t.cadence = c
				delete(p.tracks.learning, e.Slot)
			} else if ms := packedOf(e).Interval(); ms > 2000 {
				t.cadence.seed = float32((float64(ms)/1000 - 2) / 1.2)
			}
		}
		p.tracks.of[t.id] = t
	}
	p.tracks.touch(t, p.d.Now().UnixMilli())
	return t
}

// touch makes a track the youngest.
func (k *tracks) touch(t *track, now int64) {
	t.touched = max(t.touched, now)
	if k.youngest == t {
		return
	}
	k.unlink(t)
	t.older = k.youngest
	if k.youngest != nil {
		k.youngest.younger = t
	} else {
		k.oldest = t
	}
	k.youngest = t
}

func (k *tracks) unlink(t *track) {
	if t.younger != nil {
		t.younger.older = t.older
	} else if k.youngest == t {
		k.youngest = t.older
	}
	if t.older != nil {
		t.older.younger = t.younger
	} else if k.oldest == t {
		k.oldest = t.younger
	}
	t.older, t.younger = nil, nil
}

func (k *tracks) drop(t *track) {
	k.unlink(t)
	delete(k.of, t.id)
}

// letGo drops tracks that were not touched within the recent window, a few at a time. Call it between batches.
func (k *tracks) letGo(now int64) {
	const few = 20_000
	for range few {
		t := k.oldest
		if t == nil && k.most > 1024 { // a map that was large stays so
			k.of, k.most = map[string]*track{}, 0
		}
		k.most = max(k.most, len(k.of))
		if t == nil || t.touched+recentWindow.Milliseconds()+1000 > now {
			return
		}
		if c := &t.cadence; t.entry != nil && c.n < enoughGaps && (c.n > 0 || c.part > 0) {
			k.learning[t.entry.Slot] = *c
		}
		k.drop(t)
	}
}
