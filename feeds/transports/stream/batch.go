package stream

import (
	"slices"
	"time"

	"kentongan/feeds"
)

// maxHeld is how long the end of a batch may wait for what it wants.
const maxHeld = time.Second

// batch gathers the messages that make one delivery.
type batch struct {
	framing feeds.Framing
	body    []byte
	frames  int
	due     time.Time // when it is delivered at the latest
	heldAt  time.Time // since when its beginning waits for what it wants; zero: it does not
	grew    bool      // since it was last held back
	at      time.Time // when its newest message was received, by the house's clock
}

// add puts a message behind the others; at is the house's clock. It tells whether the batch is full.
func (b *batch) add(message []byte, now, at time.Time) (full bool) {
	if len(b.body) == 0 {
		b.due, b.heldAt = now.Add(together), time.Time{}
	}
	b.body = append(b.body, message...)
	b.frames++
	b.grew, b.at = true, at
	return !b.framing.Together || b.frames >= maxFrames || len(b.body) >= maxBytes
}

// take gives what is to be delivered and keeps the end that waits for more. The last delivery of a stream takes all.
func (b *batch) take(now time.Time, last bool) []byte {
	cut := len(b.body)
	if b.framing.Unfinished != nil && !last {
		cut = b.hold(now)
	}
	out := b.body[:cut:cut]
	b.body, b.frames = slices.Clone(b.body[cut:]), 0
	return out
}

// hold gives where the batch is cut. Its end waits until nothing comes for a while, or a second at the longest; one that is full does
// not wait with all it has.
func (b *batch) hold(now time.Time) int {
	all := len(b.body)
	if all == 0 || !b.grew {
		return all
	}
	cut := b.framing.Unfinished(b.body)
	switch {
	case cut >= all:
		return all
	case cut > 0 || b.heldAt.IsZero():
		b.heldAt = now
	case now.Sub(b.heldAt) >= maxHeld:
		return all
	}
	if cut == 0 && (b.frames >= maxFrames || all >= maxBytes) {
		return all
	}
	b.grew, b.due = false, now.Add(together)
	return cut
}
