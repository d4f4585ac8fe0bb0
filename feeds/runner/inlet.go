package runner

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/patient"
	"kentongan/feeds/register"
)

// inlet is one feed at work.
type inlet struct {
	runner   *Runner
	config   FeedConfig
	format   feeds.Format
	register *register.Register // nil: none
	health   *health
	log      zerolog.Logger
	shift    *shifter // nil: times stay as they are
	life     life
	refusals patient.Seldom

	mu         sync.Mutex
	quarantine quarantine
	full       bool      // the last snapshot that was stored held something
	emptySince time.Time // since when snapshots come empty
	empties    int
}

func newInlet(r *Runner, c FeedConfig, format feeds.Format, known *register.Register) *inlet {
	log := r.opt.Log.With().Str("component", "feeds").Str("feed", c.Name).Logger()
	in := &inlet{runner: r, config: c, format: format, register: known, log: log, life: life{next: make(chan struct{})}}
	if c.Shift {
		in.shift = &shifter{speed: c.Speed}
	}
	in.health = newHealth(r.opt.Now, c.interval(), func(state feeds.FeedState, reason string) {
		r.metrics.changed(c.Name, state)
		event := log.Info()
		if state == feeds.FeedFailing {
			event = log.Warn()
		}
		event.Str("state", string(state)).Str("reason", reason).Msg("feed state")
	})
	r.metrics.changed(c.Name, feeds.FeedOK)
	in.quarantine = newQuarantine(r, c)
	return in
}

// newPass is told when a recording begins anew.
func (in *inlet) newPass() {
	if in.shift != nil {
		in.shift.reset()
	}
}

// ended is told when a recording has been played: from then on silence is no fault.
func (in *inlet) ended() { in.health.stop("off: the recording has been played to its end") }

// run keeps the transport going until ctx ends or the inlet is closed, and judges the feed's age once a second, so that a change of state is
// logged and counted when it happens.
func (in *inlet) run(ctx context.Context, sink Sink) {
	ctx, done, ok := in.life.begin(ctx)
	if !ok {
		return
	}
	defer done()
	in.resume(ctx)
	in.health.start()
	defer func() { in.health.stop("off: " + offReason(ctx)) }()
	watched := make(chan struct{})
	go func() { defer close(watched); in.watch(ctx) }()
	defer func() { <-watched }()
	pauses := restarts()
	for {
		began := in.runner.opt.Now()
		err := in.runTransport(ctx, sink)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("it ended by itself")
		}
		in.health.Fault(fmt.Errorf("transport: %w", err))
		if in.runner.opt.Now().Sub(began) > time.Minute {
			pauses.Reset()
		}
		pause := pauses.NextBackOff()
		in.log.Warn().Err(err).Dur("again_in", pause).Msg("transport ended")
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// offReason is why a feed was stopped, where whoever stopped it said so.
func offReason(ctx context.Context) string {
	if why := context.Cause(ctx); why != nil && !errors.Is(why, context.Canceled) {
		return why.Error()
	}
	return "the house is closing"
}

func (in *inlet) watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	kept := in.health.past()
	defer func() { in.keepPast(context.WithoutCancel(ctx), kept) }()
	defer func() { in.attend(context.WithoutCancel(ctx), true) }()
	for since := in.runner.opt.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			in.health.judge()
			in.attend(ctx, false)
			if now := in.runner.opt.Now(); now.Sub(since) >= pastEvery {
				since, kept = now, in.keepPast(ctx, kept)
			}
		}
	}
}

func (in *inlet) runTransport(ctx context.Context, sink Sink) (err error) {
	defer func() {
		if p := recover(); p != nil {
			in.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Msg("transport panicked")
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return in.runner.transport(in).Run(ctx, func(ctx context.Context, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
		return in.deliver(ctx, sink, body, meta)
	})
}

// fill completes what the house knows of a delivery.
func (in *inlet) fill(meta feeds.Meta) feeds.Meta {
	c := in.config
	meta.Feed, meta.Agency, meta.Kind = c.Name, c.Agency, c.Kind
	meta.Simulated, meta.Attribution = c.Simulated, c.Attribution
	if meta.Interval == 0 { // the simulator knows better: it declares an interval for each delivery
		meta.Interval = in.health.declaredInterval()
	}
	if meta.ReceivedAt.IsZero() {
		meta.ReceivedAt = in.runner.opt.Now()
	}
	return meta
}

// deliver is the one way of every delivery. Its bytes go into the archive with what became of them.
func (in *inlet) deliver(ctx context.Context, sink Sink, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
	meta = in.fill(meta)
	out, err := in.take(ctx, sink, body, meta)
	in.keep(body, meta, out.Receipt, err)
	return out, err
}

// take decodes, judges, stores, and tells.
func (in *inlet) take(ctx context.Context, sink Sink, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
	if int64(len(body)) > in.runner.opt.MaxInflated {
		return feeds.Outcome{}, in.refuse(meta, feeds.Permanentf("size: %w: %d bytes, more than %d", bounded.ErrTooLarge, len(body), in.runner.opt.MaxInflated))
	}
	leave, err := in.runner.room.enter(ctx, len(body))
	if err != nil {
		return feeds.Outcome{}, err
	}
	defer leave()
	batch, err := in.decode(body, meta)
	if err != nil {
		return feeds.Outcome{}, in.refuse(meta, feeds.Permanent(err))
	}
	if meta.Part || meta.Past {
		batch.Snapshot = false
	}
	if meta.Past { // what is absent from it may have begun since
		batch.AllAlerts = false
	}
	if err := in.suspect(&batch, meta); err != nil {
		in.health.Fault(err)
		return feeds.Outcome{}, feeds.Permanent(err)
	}
	in.register.Apply(&batch, meta.Kind)
	if in.shift != nil {
		in.shift.apply(&batch, meta.ReceivedAt)
	}
	verdict, err := in.judge(ctx, &batch, body, meta)
	if err != nil {
		in.health.Fault(fmt.Errorf("store: %w", err))
		return feeds.Outcome{}, err
	}
	receipt, err := in.store(ctx, sink, batch, meta)
	if err != nil {
		if ctx.Err() == nil && in.tells(meta) {
			in.health.Fault(fmt.Errorf("store: %w", err))
			in.runner.metrics.delivered(in.config.Name, "unstored", len(body))
		}
		return feeds.Outcome{}, err
	}
	if verdict.unheld != nil { // what may pass is stored, and comes again as a duplicate
		in.unheld(meta, verdict.unheld)
		return feeds.Outcome{}, verdict.unheld
	}
	receipt.DryRun = meta.Dry
	receipt.Ignored = append(receipt.Ignored, verdict.held...)
	if in.tells(meta) {
		in.stored(&batch, receipt, meta, len(body), verdict.drift)
	}
	return feeds.Outcome{Receipt: receipt, Follow: batch.Follow, Next: batch.Next, TTL: batch.TTL, Newest: newestOf(&batch)}, nil
}

// tells says whether a delivery tells how the feed fares now: a dry run does not, nor does one that came before others.
func (in *inlet) tells(meta feeds.Meta) bool { return !meta.Dry && !meta.Past }

// refuse counts bytes that will never be taken.
func (in *inlet) refuse(meta feeds.Meta, err error) error {
	if !in.tells(meta) {
		return err
	}
	in.health.reject([]feeds.Refusal{{Reason: err.Error()}})
	in.runner.metrics.delivered(in.config.Name, "refused", 0)
	in.health.Fault(fmt.Errorf("format: %w", err))
	if n, ok := in.refusals.Count(1); ok { // once a minute: a sender of garbage fills no disk, and the archive has each
		in.log.Warn().Err(err).Str("url", withoutQuery(meta.URL)).Str("topic", meta.Topic).Str("peer", meta.Peer).Int("times", n).Msg("delivery refused")
	}
	return err
}

// withoutQuery is an address fit for a log: keys travel in queries.
func withoutQuery(address string) string {
	plain, _, _ := strings.Cut(address, "?")
	return plain
}

// decode runs the format; what makes it panic is refused like any other bytes, and the feed goes on.
func (in *inlet) decode(body []byte, meta feeds.Meta) (batch feeds.Batch, err error) {
	defer func() {
		if p := recover(); p != nil {
			in.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Int("bytes", len(body)).Msg("format panicked")
			batch, err = feeds.Batch{}, fmt.Errorf("%s: these bytes cannot be read: the decoder failed on them", in.config.Format)
		}
	}()
	return in.format.Decode(body, meta)
}

// store hands the batch to the sink, whose receipt speaks of every item, the format's refusals among them. A batch that says nothing
// at all needs no store.
func (in *inlet) store(ctx context.Context, sink Sink, b feeds.Batch, meta feeds.Meta) (feeds.Receipt, error) {
	var receipt feeds.Receipt
	if b.Records() > 0 || len(b.Ignored) > 0 || len(b.Rejected) > 0 || b.Snapshot {
		var err error
		if receipt, err = sink.Store(ctx, b, meta); err != nil {
			return feeds.Receipt{}, err
		}
	}
	if receipt.Ignored == nil {
		receipt.Ignored = []feeds.Refusal{}
	}
	if receipt.Rejected == nil {
		receipt.Rejected = []feeds.Refusal{}
	}
	return receipt, nil
}

// How long a snapshot that came empty after a full one must stay empty, and how often, before it is believed.
const (
	emptyFor   = time.Hour
	emptyTimes = 3
)

// suspect finds an empty answer after a full one: a producer that lost its data looks just so. What it said last is kept, and the feed
// fails with the reason, until it has said the same for an hour.
func (in *inlet) suspect(b *feeds.Batch, meta feeds.Meta) error {
	if !b.Snapshot || meta.Dry {
		return nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	empty := b.Records()+len(b.Follow)+len(b.Next)+len(b.Ignored)+len(b.Rejected) == 0
	if !empty || !in.full {
		in.full, in.emptySince, in.empties = !empty, time.Time{}, 0
		return nil
	}
	if in.emptySince.IsZero() {
		in.emptySince = meta.ReceivedAt
	}
	if in.empties++; in.empties >= emptyTimes && meta.ReceivedAt.Sub(in.emptySince) >= emptyFor {
		in.full, in.emptySince, in.empties = false, time.Time{}, 0
		in.log.Info().Msg("an empty answer has lasted an hour: believed")
		return nil
	}
	return errors.New("empty: an empty answer after a full one; the last good one is kept")
}

// Drift: when this share of a delivery's items is refused, something has changed at the producer.
const (
	driftItems = 5
	driftShare = 0.2
)

// stored tells health and metrics of a delivery that is in the store.
func (in *inlet) stored(b *feeds.Batch, r feeds.Receipt, meta feeds.Meta, bytes int, drift error) {
	name := in.config.Name
	in.health.reject(r.Rejected)
	in.runner.metrics.delivered(name, "stored", bytes)
	in.runner.metrics.items(name, r)
	taken := r.Accepted + r.Duplicates
	total := taken + len(r.Ignored) + len(r.Rejected)
	switch {
	case drift != nil:
		if taken > 0 {
			in.health.success(taken, lags(b, meta.ReceivedAt))
		}
		in.health.Fault(drift)
		return
	case r.Barren():
		in.health.Fault(fmt.Errorf("format: every item refused: %s", clip(r.Rejected[0].Reason, 200)))
		return
	case total >= driftItems && float64(len(r.Rejected)) > driftShare*float64(total):
		in.health.success(taken, lags(b, meta.ReceivedAt))
		in.health.Fault(fmt.Errorf("drift: %d of %d items refused: %s", len(r.Rejected), total, clip(r.Rejected[0].Reason, 200)))
		return
	}
	in.health.success(taken, lags(b, meta.ReceivedAt))
}

// lags samples received - event time over a batch.
func lags(b *feeds.Batch, received time.Time) []time.Duration {
	const most = 16
	var out []time.Duration
	add := func(at time.Time) {
		if !at.IsZero() {
			out = append(out, received.Sub(at))
		}
	}
	step := max(1, len(b.Observations)/most)
	for i := 0; i < len(b.Observations); i += step {
		add(b.Observations[i].At.Time)
	}
	for i := range b.Positions[:min(most, len(b.Positions))] {
		add(b.Positions[i].At.Time)
	}
	for i := range b.Alerts[:min(most, len(b.Alerts))] {
		add(b.Alerts[i].Message.Sent.Time)
	}
	for i := range b.Reports[:min(most, len(b.Reports))] {
		add(b.Reports[i].At.Time)
	}
	return out
}

func (in *inlet) status() feeds.FeedStatus {
	s := in.health.status()
	c := in.config
	s.Name, s.Format, s.Transport, s.Agency = c.Name, c.Format, c.Transport, c.Agency
	s.Kind, s.Simulated, s.Attribution = c.Kind, c.Simulated, c.Attribution
	in.mu.Lock()
	s.Quarantined = in.quarantine.held
	in.mu.Unlock()
	return s
}
