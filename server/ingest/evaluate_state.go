package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"kentongan/alerts/store"
	"kentongan/feeds"
)

// save writes the checkpoint with what the engine holds, when it is time; one that is too old only means that more is judged again, with the
// same end.
func (v *evaluator) save(ctx context.Context) error {
	now := v.p.d.Now()
	if v.judged <= v.saved || now.Before(v.nextSave) {
		return nil
	}
	if v.parts == nil {
		v.parts = map[string][]byte{}
	}
	for name, part := range v.p.d.Rules.Save() {
		v.parts[name] = part
	}
	v.ahead.cut(v.judged)
	v.ahead.save(v.parts)
	err := v.cases.SaveRuleState(ctx, store.RuleState{At: time.UnixMilli(v.judged), Cases: v.caseAt, Parts: v.parts})
	took := v.p.d.Now().Sub(now)
	v.p.metrics.checkpoint.Observe(took.Seconds())
	v.nextSave = now.Add(max(checkpointEvery, checkpointShare*took))
	switch {
	case err == nil:
		v.saved, v.parts = v.judged, nil
	case errors.Is(err, store.ErrFenced):
		return err
	case ctx.Err() == nil:
		v.p.log.Warn().Err(err).Msg("checkpoint of the rules not written; tried again in a second")
	}
	return nil
}

// aheadFor is how long before the checkpoint readings may still be met in the streams: their server's clock and the store's may both differ.
const aheadFor = 3 * clockSlack

// aheadPart begins the names of parts of the state that hold keys of readings; no rule's id begins so.
const aheadPart = "#ahead/"

// aheadMost bounds the keys: a checkpoint that cannot move must not fill the memory. What is forgotten the engine knows by itself, as far as
// copies of readings in order are concerned.
const aheadMost = 4_000_000

// ahead is the readings that were judged although the checkpoint does not say so, or was not far past them: by the second of their commit.
type ahead struct {
	keys  map[int64][]uint64
	dirty map[int64]bool
	saved map[int64]bool
	n     int
}

func newAhead() ahead {
	return ahead{keys: map[int64][]uint64{}, dirty: map[int64]bool{}, saved: map[int64]bool{}}
}

func (a *ahead) add(stored int64, key uint64) {
	sec := stored / 1000
	a.keys[sec] = append(a.keys[sec], key)
	a.dirty[sec] = true
	if a.n++; a.n > aheadMost {
		a.drop(a.oldest())
	}
}

func (a *ahead) oldest() int64 {
	out := int64(math.MaxInt64)
	for sec := range a.keys {
		out = min(out, sec)
	}
	return out
}

func (a *ahead) drop(sec int64) {
	a.n -= len(a.keys[sec])
	delete(a.keys, sec)
	a.dirty[sec] = true
}

// cut forgets what nobody can meet again.
func (a *ahead) cut(judged int64) {
	for sec := range a.keys {
		if sec < (judged-aheadFor.Milliseconds())/1000 {
			a.drop(sec)
		}
	}
}

// save puts the seconds that have changed among the parts of the state.
func (a *ahead) save(parts map[string][]byte) {
	for sec := range a.dirty {
		name := aheadPart + strconv.FormatInt(sec, 10)
		keys := a.keys[sec]
		switch {
		case len(keys) > 0:
			b := make([]byte, 0, 8*len(keys))
			for _, k := range keys {
				b = binary.LittleEndian.AppendUint64(b, k)
			}
			parts[name], a.saved[sec] = b, true
		case a.saved[sec]:
			parts[name] = nil
			delete(a.saved, sec)
		default:
			delete(parts, name) // it never came to be written
		}
	}
	clear(a.dirty)
}

// restore takes what save gave out of the parts, and lists the keys.
func (a *ahead) restore(parts map[string][]byte) []uint64 {
	*a = newAhead()
	var out []uint64
	for name, b := range parts {
		text, ours := strings.CutPrefix(name, aheadPart)
		if !ours {
			continue
		}
		delete(parts, name)
		sec, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			continue
		}
		a.saved[sec] = true
		a.keys[sec] = []uint64{}
		for key := range slices.Chunk(b, 8) {
			if len(key) == 8 {
				a.keys[sec] = append(a.keys[sec], binary.LittleEndian.Uint64(key))
			}
		}
		a.n += len(a.keys[sec])
		out = append(out, a.keys[sec]...)
	}
	return out
}

// readingKey is identity in a form that another server reckons alike (FNV-1a, 64 bits, with the finaliser of SplitMix64).
func readingKey(thing string, o *feeds.Observation) uint64 {
	h := uint64(14695981039346656037)
	text := func(s string) {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211 // no byte of UTF-8: two texts are not one
	}
	text(thing)
	text(o.Property)
	if o.ID != "" {
		text(o.ID)
		return mix(h)
	}
	h = mix(h ^ uint64(o.At.Milli()))
	if o.Quality == feeds.Received {
		h = mix(h ^ math.Float64bits(o.Value.Num))
		text(o.Value.Text)
	}
	return mix(h)
}

// twoSpans remembers keys for one to two spans of commit time, and some for good.
type twoSpans struct {
	kept        map[uint64]struct{}
	now, before map[uint64]struct{}
	began       int64
	span        int64 // ms
}

// keep remembers keys for good.
func (s *twoSpans) keep(keys []uint64) {
	s.kept = make(map[uint64]struct{}, len(keys))
	for _, k := range keys {
		s.kept[k] = struct{}{}
	}
}

// add notes a key; false where it is known.
func (s *twoSpans) add(key uint64, stored int64) bool {
	if s.now == nil || stored-s.began > s.span {
		s.before, s.now, s.began = s.now, map[uint64]struct{}{}, stored
	}
	for _, of := range []map[uint64]struct{}{s.now, s.before, s.kept} {
		if _, known := of[key]; known {
			return false
		}
	}
	s.now[key] = struct{}{}
	return true
}
