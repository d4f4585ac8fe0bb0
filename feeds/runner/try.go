package runner

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/transports/poll"
)

// Tried is what the bytes of one delivery become with a feed's settings. Nothing of it is stored, and nothing is learned from it.
type Tried struct {
	Batch   feeds.Batch // as the store is given it: decoded, and completed by the register
	Receipt feeds.Receipt
	Follow  []string // addresses that the feed would ask on account of this; over another transport than poll links are ignored
}

// Try takes bytes the way of every delivery, up to the store: sink judges them with Meta.Dry; nil: what can be decoded counts as accepted.
// meta needs only what a sender would tell (ContentType, Topic, URL). Errors: the faults of the settings, joined, each a *ConfigError;
// feeds.ErrPermanent where the bytes will never be taken; those of the sink.
func Try(ctx context.Context, c FeedConfig, body []byte, meta feeds.Meta, sink Sink, opt Options) (Tried, error) {
	in, err := alone(c, opt)
	if err != nil {
		return Tried{}, err
	}
	seen := &seer{sink: sink}
	meta.Dry = true
	if meta.URL == "" {
		meta.URL = c.URL
	}
	out, err := in.deliver(ctx, seen, body, meta)
	if err != nil {
		return Tried{}, err
	}
	var follow []string
	if asker, ok := in.asker(); ok {
		follow = asker.Allowed(meta.URL, append(out.Follow, out.Next...))
	} else {
		linksIgnored(&out)
	}
	return Tried{Batch: seen.batch, Receipt: out.Receipt, Follow: follow}, nil
}

// Ask asks the address of a feed with transport poll once, within the feed's own bounds. Errors: the faults of the settings, joined, each a
// *ConfigError, and *bounded.Fault.
func Ask(ctx context.Context, c FeedConfig, opt Options) (poll.Answer, error) {
	in, err := alone(c, opt)
	if err != nil {
		return poll.Answer{}, err
	}
	asker, ok := in.asker()
	if !ok {
		return poll.Answer{}, faultsOf(c.Name, []error{&ConfigError{"transport", fmt.Sprintf("%s asks no address; only poll does", c.Transport)}})
	}
	return asker.Once(ctx)
}

// asker is the poll of an inlet; ok is false with any other transport, of which none is built: it might listen.
func (in *inlet) asker() (*poll.Transport, bool) {
	if in.config.Transport != Poll {
		return nil, false
	}
	t, ok := in.runner.transport(in).(*poll.Transport)
	return t, ok
}

// alone builds an inlet that belongs to no house: it counts, archives and logs nothing.
func alone(c FeedConfig, opt Options) (*inlet, error) {
	opt.Registerer, opt.Log, opt.Remember, opt.Keeper = nil, zerolog.Nop(), nil, nil
	r, err := New(nil, nil, opt)
	if err != nil {
		return nil, err
	}
	in, bad := r.build(c)
	if len(bad) > 0 {
		return nil, faultsOf(c.Name, bad)
	}
	return in, nil
}

// seer is a sink that keeps the batch it is given.
type seer struct {
	sink  Sink
	batch feeds.Batch
}

// Store hands on, or counts each item that has a record.
func (s *seer) Store(ctx context.Context, b feeds.Batch, m feeds.Meta) (feeds.Receipt, error) {
	s.batch = b
	if s.sink != nil {
		return s.sink.Store(ctx, b, m)
	}
	return feeds.Receipt{Accepted: items(&b), Ignored: b.Ignored, Rejected: b.Rejected}, nil
}

// items counts the items of a batch of which something can be stored: those with a record, and no part refused.
func items(b *feeds.Batch) int {
	whole := map[int]bool{}
	for i := range b.Observations {
		whole[b.Observations[i].Index] = true
	}
	for i := range b.Alerts {
		whole[b.Alerts[i].Index] = true
	}
	for i := range b.Reports {
		whole[b.Reports[i].Index] = true
	}
	for i := range b.Positions {
		whole[b.Positions[i].Index] = true
	}
	for _, r := range b.Rejected {
		delete(whole, r.Index)
	}
	return len(whole)
}
