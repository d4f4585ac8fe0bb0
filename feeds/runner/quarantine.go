package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/geo/moment"
)

// Keeper keeps contracts and what is in quarantine, for every server and beyond restarts. Its methods are safe for concurrent use. An error
// means that nothing is known to be kept.
type Keeper interface {
	// Contract gives the profile kept of a feed and its revision, which grows with each decision; nil: none is kept.
	Contract(ctx context.Context, feed string) (doc []byte, rev int64, err error)
	// SaveContract keeps a profile that rests on a revision; decided: it is a new one. Errors: ErrNewer.
	SaveContract(ctx context.Context, feed string, doc []byte, rev int64, decided bool) (now int64, err error)
	// Hold keeps a delivery, or counts it to the one of the same cause, which is given back with its id. A nil body is not kept.
	Hold(ctx context.Context, h contract.Held, body []byte) (contract.Held, error)
	// Kept tells the revision of a feed's contract and how much is held; at most some seconds old.
	Kept(ctx context.Context, feed string) (rev int64, held int, err error)
}

// ErrNewer means that another server's decision is kept meanwhile: load it.
var ErrNewer = errors.New("a newer contract is kept")

// ErrNoContract means that the feed's contract is off, or that nobody keeps any.
var ErrNoContract = errors.New("the feed has no contract")

// Rhythm of keeping.
const (
	contractEvery  = 30 * time.Second // how often a contract that has changed is kept
	attendEvery    = 2 * time.Second  // how often decisions of other servers are looked for
	holdEvery      = time.Second      // how often bytes of one cause are kept anew; between, they are counted
	quarantineTime = 3 * time.Second  // for one question to the keeper
)

// quarantine is an inlet's part in its contract.
type quarantine struct {
	watch *contract.Watch // nil: off

	// Under the inlet's mu.
	loaded    bool
	savedAt   time.Time
	attended  time.Time
	held      int
	last      contract.Held // what was held last, to count what comes of the same cause at once
	lastAt    time.Time
	uncounted int64
}

func newQuarantine(r *Runner, c FeedConfig) quarantine {
	if r.opt.Keeper == nil {
		return quarantine{}
	}
	return quarantine{watch: contract.NewWatch(c.Contract, r.opt.Now())}
}

// ready loads what is kept of the contract before the first delivery is judged.
func (in *inlet) ready(ctx context.Context) error {
	q := &in.quarantine
	in.mu.Lock()
	loaded := q.loaded || q.watch == nil
	in.mu.Unlock()
	if loaded {
		return nil
	}
	return in.load(ctx)
}

func (in *inlet) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, quarantineTime)
	defer cancel()
	doc, rev, err := in.runner.opt.Keeper.Contract(ctx, in.config.Name)
	if err != nil {
		return err
	}
	q := &in.quarantine
	in.mu.Lock()
	defer in.mu.Unlock()
	if q.loaded && rev <= q.watch.Rev() {
		return nil
	}
	if doc == nil {
		q.watch.SetRev(rev)
	} else if err := q.watch.Load(doc, rev); err != nil {
		in.log.Warn().Err(err).Msg("the feed's contract cannot be read and is learned anew")
		q.watch.SetRev(rev)
	}
	q.loaded = true
	if q.savedAt.IsZero() {
		q.savedAt = in.runner.opt.Now()
	}
	return nil
}

// attend keeps what was learned, and looks for decisions made at other servers; called once a second.
func (in *inlet) attend(ctx context.Context, last bool) {
	q := &in.quarantine
	if q.watch == nil || in.ready(ctx) != nil {
		return
	}
	now := in.runner.opt.Now()
	in.mu.Lock()
	look, save := now.Sub(q.attended) >= attendEvery, last || now.Sub(q.savedAt) >= contractEvery
	if look {
		q.attended = now
	}
	if save {
		q.savedAt = now
	}
	in.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, quarantineTime)
	defer cancel()
	if look && !last {
		if rev, held, err := in.runner.opt.Keeper.Kept(ctx, in.config.Name); err == nil {
			in.count(held)
			if rev > q.watch.Rev() {
				err = in.load(ctx)
			}
			if err != nil {
				in.log.Debug().Err(err).Msg("the feed's contract is not loaded yet")
			}
		}
	}
	if save {
		if err := in.saveContract(ctx, false); err != nil && !errors.Is(err, ErrNewer) {
			in.log.Debug().Err(err).Msg("the feed's contract is not kept yet")
		}
	}
}

func (in *inlet) count(held int) {
	in.mu.Lock()
	in.quarantine.held = held
	in.mu.Unlock()
}

func (in *inlet) saveContract(ctx context.Context, decided bool) error {
	watch := in.quarantine.watch
	doc, rev, err := watch.Save()
	if err != nil || doc == nil {
		return err
	}
	now, err := in.runner.opt.Keeper.SaveContract(ctx, in.config.Name, doc, rev, decided)
	if err != nil {
		watch.Unsaved()
		return err
	}
	watch.SetRev(now)
	return nil
}

// judge holds a batch against the feed's contract. What is at fault is taken out of it and held with the delivery's bytes; alerts and reports
// always stay. held are the items that were taken out, drift is nil where all is well. An error: the delivery could not be held, and
// nothing of it may be acknowledged.
func (in *inlet) judge(ctx context.Context, b *feeds.Batch, body []byte, meta feeds.Meta) (held []feeds.Refusal, drift error, err error) {
	q := &in.quarantine
	if q.watch == nil || meta.Dry {
		return nil, nil, nil
	}
	if err := in.ready(ctx); err != nil {
		return nil, nil, fmt.Errorf("%w: the feed's contract: %w", feeds.ErrBusy, err)
	}
	v := q.watch.Check(b, meta)
	if len(v.Findings) == 0 {
		return nil, nil, nil
	}
	h, err := in.hold(ctx, v, b, body, meta)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: quarantine: %w", feeds.ErrBusy, err)
	}
	b.Snapshot, b.AllAlerts = false, false // what is absent from a delivery at fault has not ended
	why := fmt.Sprintf("held in quarantine %s: %s", h.ID, h.Reason)
	if v.Readings {
		for i := range b.Observations {
			held = refuseOnce(held, b.Observations[i].Index, why)
		}
		b.Observations = nil
	}
	if v.Positions {
		for i := range b.Positions {
			held = refuseOnce(held, b.Positions[i].Index, why)
		}
		b.Positions = nil
	}
	return held, drifted{h.Reason, clip(h.Diff[0].TextID, 300)}, nil
}

// drifted is what a delivery is at fault in, in both languages.
type drifted struct{ en, id string }

func (d drifted) Error() string      { return "drift: " + d.en }
func (d drifted) Indonesian() string { return d.id }

func refuseOnce(list []feeds.Refusal, index int, why string) []feeds.Refusal {
	if n := len(list); n > 0 && list[n-1].Index == index {
		return list
	}
	return append(list, feeds.Refusal{Index: index, Reason: why})
}

// hold keeps a delivery. One of the same cause within a second of the last is only counted: the newest would take its place anyway.
func (in *inlet) hold(ctx context.Context, v contract.Verdict, b *feeds.Batch, body []byte, meta feeds.Meta) (contract.Held, error) {
	q := &in.quarantine
	h := contract.Held{Feed: in.config.Name, At: moment.Of(meta.ReceivedAt), FirstAt: moment.Of(meta.ReceivedAt), Times: 1, Items: b.Records() + len(b.Rejected), Bytes: len(body),
		ContentType: meta.ContentType, URL: withoutQuery(meta.URL), Topic: meta.Topic, Peer: meta.Peer, Reason: clip(v.Reason(), 300), Diff: v.Findings, Passed: !v.Readings && !v.Positions,
		State: contract.StateHeld, Fingerprint: v.Fingerprint()}
	in.mu.Lock()
	if q.last.Fingerprint == h.Fingerprint && meta.ReceivedAt.Sub(q.lastAt) < holdEvery {
		q.uncounted++
		last := q.last
		in.mu.Unlock()
		return last, nil
	}
	h.Times += q.uncounted
	if q.last.Fingerprint != h.Fingerprint {
		h.Times = 1
	}
	q.uncounted = 0
	in.mu.Unlock()
	if h.Passed && slices.Contains(personal, in.config.Format) && in.runner.keeps(in.config) <= 0 {
		body = nil // it names people, and nothing of it is held back
	}
	ctx, cancel := context.WithTimeout(ctx, quarantineTime)
	defer cancel()
	kept, err := in.runner.opt.Keeper.Hold(ctx, h, body)
	if err != nil {
		return h, err
	}
	in.mu.Lock()
	q.last, q.lastAt = kept, meta.ReceivedAt
	if kept.Times <= h.Times && kept.State == contract.StateHeld {
		q.held++
	}
	in.mu.Unlock()
	if kept.Times <= h.Times {
		in.log.Warn().Str("held", kept.ID).Str("reason", kept.Reason).Msg("delivery in quarantine")
	}
	return kept, nil
}

// Accept takes a held delivery the usual way, and lets the contract learn its shape. A nil body is of one that was stored when it came and
// whose bytes are not kept: the contract forgets what contradicts it. Errors: ErrUnknownFeed, ErrNoContract, those of Deliver.
func (r *Runner) Accept(ctx context.Context, h contract.Held, body []byte) (feeds.Outcome, error) {
	in, leave, err := r.enter(ctx, h.Feed)
	if err != nil {
		return feeds.Outcome{}, err
	}
	defer leave()
	if in.quarantine.watch == nil {
		return feeds.Outcome{}, fmt.Errorf("feed %q: %w", h.Feed, ErrNoContract)
	}
	meta := in.fill(feeds.Meta{ContentType: h.ContentType, Topic: h.Topic, Peer: h.Peer, URL: h.URL, ReceivedAt: h.At.Time, Past: true})
	var batch feeds.Batch
	if body != nil {
		if batch, err = in.decode(body, meta); err != nil {
			return feeds.Outcome{}, feeds.Permanent(err)
		}
	}
	batch.Snapshot, batch.AllAlerts = false, false // it is not the newest
	in.register.Apply(&batch, meta.Kind)
	if err := in.load(ctx); err != nil {
		return feeds.Outcome{}, fmt.Errorf("%w: the feed's contract: %w", feeds.ErrBusy, err)
	}
	receipt, err := in.store(ctx, r.sink, batch, meta)
	if err != nil {
		return feeds.Outcome{}, err
	}
	in.quarantine.watch.Accept(h.Diff, &batch, meta)
	if err := in.saveContract(ctx, true); err != nil {
		return feeds.Outcome{}, fmt.Errorf("%w: the feed's contract: %w", feeds.ErrBusy, err)
	}
	in.stored(&batch, receipt, meta, len(body), nil)
	in.decided(ctx)
	return feeds.Outcome{Receipt: receipt}, nil
}

// Decided tells a feed that somebody has decided on what it holds: its fault is over until the next.
func (r *Runner) Decided(ctx context.Context, feed string) {
	if in, ok := r.inlet(feed); ok {
		in.decided(ctx)
	}
}

// decided forgets what was held last, and counts anew.
func (in *inlet) decided(ctx context.Context) {
	in.mu.Lock()
	in.quarantine.last, in.quarantine.attended = contract.Held{}, time.Time{}
	in.mu.Unlock()
	in.health.pardon("drift")
	if _, held, err := in.runner.opt.Keeper.Kept(ctx, in.config.Name); err == nil {
		in.count(held)
	}
}

// Contract shows what is expected of a feed. Errors: ErrUnknownFeed, those of the keeper.
func (r *Runner) Contract(ctx context.Context, feed string) (contract.Shown, error) {
	in, ok := r.inlet(feed)
	if !ok {
		return contract.Shown{}, fmt.Errorf("feed %q: %w", feed, ErrUnknownFeed)
	}
	watch := in.quarantine.watch
	if watch == nil || in.health.runs() {
		return watch.Show(r.opt.Now()), nil
	}
	doc, rev, err := r.opt.Keeper.Contract(ctx, feed) // another server drives it
	if err != nil {
		return contract.Shown{}, err
	}
	other := contract.NewWatch(in.config.Contract, r.opt.Now())
	if doc != nil {
		if err := other.Load(doc, rev); err != nil {
			return contract.Shown{}, err
		}
	}
	return other.Show(r.opt.Now()), nil
}

// Config gives a feed's settings.
func (r *Runner) Config(feed string) (FeedConfig, bool) {
	in, ok := r.inlet(feed)
	if !ok {
		return FeedConfig{}, false
	}
	return in.config, true
}
