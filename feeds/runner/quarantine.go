package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/contract"
	"kentongan/feeds/patient"
	"kentongan/geo/moment"
)

// Keeper keeps contracts and what is in quarantine, for every server and beyond restarts. Its methods are safe for concurrent use. An error
// means that nothing is known to be kept.
type Keeper interface {
	// Contract gives the profile kept of a feed and its revision, which grows with each decision; nil: none is kept.
	Contract(ctx context.Context, feed string) (doc []byte, rev int64, err error)
	// SaveContract keeps a profile that rests on a revision; decided: it is a new one. Errors: ErrNewer.
	SaveContract(ctx context.Context, feed string, doc []byte, rev int64, decided bool) (now int64, err error)
	// Hold keeps a delivery, and returns once it lies in the store; where nothing of it is withheld (Passed) it is counted to those of its cause and is
	// their sample. The cause is given back with its id. A nil body is not kept. Errors: contract.ErrFull, contract.ErrLarge; any other: it may lie there.
	// It bounds its own time, since making a large body small takes some.
	Hold(ctx context.Context, h contract.Held, body []byte) (contract.Held, error)
	// Kept tells the revision of a feed's contract and how much is held; at most some seconds old.
	Kept(ctx context.Context, feed string) (Kept, error)
	// Expire forgets what is held beyond its lifetime, and says so.
	Expire(ctx context.Context, feed string) error
}

// Kept is what every server must know of a feed's contract.
type Kept struct {
	Rev     int64
	Held    int       // deliveries that nobody has decided on
	Expires time.Time // when the first of them are forgotten; zero: none is withheld
}

// ErrNewer means that another server's decision is kept meanwhile: load it.
var ErrNewer = errors.New("a newer contract is kept")

// ErrNoContract means that the feed's contract is off, or that nobody keeps any.
var ErrNoContract = errors.New("the feed has no contract")

// Rhythm of keeping.
const (
	contractEvery  = 30 * time.Second // how often a contract that has changed is kept
	attendEvery    = 2 * time.Second  // how often decisions of other servers are looked for
	holdEvery      = time.Second      // how often a cause that withholds nothing is kept anew; between, it is counted
	expiryWarn     = 3 * 24 * time.Hour
	expiryEvery    = 12 * time.Hour  // between two warnings
	quarantineTime = 3 * time.Second // for one question to the keeper
)

// quarantine is an inlet's part in its contract.
type quarantine struct {
	watch *contract.Watch // nil: off

	// Under the inlet's mu.
	loaded    bool
	savedAt   time.Time
	attended  time.Time
	holding   int   // deliveries that are being held in this moment
	turn      int64 // grows with each
	held      int
	warned    time.Time     // of what will expire
	last      contract.Held // the note of what withholds nothing that was kept last, to count what comes of the same cause at once
	lastAt    time.Time
	uncounted int64
	full      patient.Seldom
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
	quiet, turn := q.holding == 0, q.turn
	in.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, quarantineTime)
	defer cancel()
	if look && !last {
		if kept, err := in.runner.opt.Keeper.Kept(ctx, in.config.Name); err == nil {
			in.mu.Lock()
			if quiet && turn == q.turn { // else what was counted may be counted already
				q.held = kept.Held
			}
			in.mu.Unlock()
			if kept.Rev > q.watch.Rev() {
				err = in.load(ctx)
			}
			in.expiring(ctx, kept, now)
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

// expiring warns before what is held is forgotten, and lets it be forgotten in time.
func (in *inlet) expiring(ctx context.Context, kept Kept, now time.Time) {
	left := kept.Expires.Sub(now)
	switch {
	case kept.Expires.IsZero() || left > expiryWarn:
		return
	case left <= 0:
		if err := in.runner.opt.Keeper.Expire(ctx, in.config.Name); err != nil {
			in.log.Debug().Err(err).Msg("held deliveries have not expired yet")
		}
		return
	}
	in.mu.Lock()
	again := now.Sub(in.quarantine.warned) >= expiryEvery
	if again {
		in.quarantine.warned = now
	}
	in.mu.Unlock()
	if again {
		in.log.Warn().Int("deliveries", kept.Held).Time("expires", kept.Expires).Str("left", left.Round(time.Hour).String()).Msg("held deliveries will be forgotten soon: decide on them under /admin")
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

// judged is what the contract makes of a delivery.
type judged struct {
	held   []feeds.Refusal // items that were taken out and are held
	drift  error           // nil: all is well
	unheld error           // items were taken out and cannot be held: nothing may be acknowledged once the rest is stored; an ErrFull or ErrPermanent
}

// judge holds a batch against the feed's contract. What is at fault is taken out of it and held with the delivery's bytes; alerts and reports
// always stay. An error: the delivery could not be held, and nothing of it may be acknowledged.
func (in *inlet) judge(ctx context.Context, b *feeds.Batch, body []byte, meta feeds.Meta) (out judged, err error) {
	q := &in.quarantine
	if q.watch == nil || meta.Dry {
		return out, nil
	}
	if err := in.ready(ctx); err != nil {
		return out, fmt.Errorf("%w: the feed's contract: %w", feeds.ErrBusy, err)
	}
	v := q.watch.Check(b, meta)
	if len(v.Findings) == 0 {
		return out, nil
	}
	h, err := in.hold(ctx, v, b, body, meta)
	switch {
	case errors.Is(err, contract.ErrFull):
		out.unheld = err
	case errors.Is(err, contract.ErrLarge):
		out.unheld = feeds.Permanentf("%w: %w", bounded.ErrTooLarge, err)
	case err != nil:
		return out, fmt.Errorf("%w: quarantine: %w", feeds.ErrBusy, err)
	}
	b.Snapshot, b.AllAlerts = false, false // what is absent from a delivery at fault has not ended
	why := fmt.Sprintf("held in quarantine %s: %s", h.ID, h.Reason)
	if h.State == contract.StateKept {
		why = fmt.Sprintf("set aside with %s, as was decided: %s", h.ID, h.Reason)
	}
	if v.Readings {
		for i := range b.Observations {
			out.held = refuseOnce(out.held, b.Observations[i].Index, why)
		}
		b.Observations = nil
	}
	if v.Positions {
		for i := range b.Positions {
			out.held = refuseOnce(out.held, b.Positions[i].Index, why)
		}
		b.Positions = nil
	}
	out.drift = drifted{h.Reason, clip(h.Diff[0].TextID, 300)}
	return out, nil
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

// hold keeps a delivery. Of what withholds nothing, one of the same cause within a second of the last is only counted: the newest would take its
// place anyway.
func (in *inlet) hold(ctx context.Context, v contract.Verdict, b *feeds.Batch, body []byte, meta feeds.Meta) (contract.Held, error) {
	h := contract.Held{Feed: in.config.Name, At: moment.Of(meta.ReceivedAt), FirstAt: moment.Of(meta.ReceivedAt), Times: 1, Items: int64(b.Records() + len(b.Rejected)), Bytes: int64(len(body)),
		ContentType: meta.ContentType, URL: withoutQuery(meta.URL), Topic: meta.Topic, Peer: meta.Peer, Reason: clip(v.Reason(), 300), Diff: v.Findings, Passed: !v.Readings && !v.Positions,
		Personal: Personal(in.config.Format), State: contract.StateHeld, Fingerprint: v.Fingerprint()}
	if v.Readings {
		h.Readings += int64(len(b.Observations))
	}
	if v.Positions {
		h.Readings += int64(len(b.Positions))
	}
	if h.Passed {
		if last, counted := in.countOnly(&h, meta.ReceivedAt); counted {
			return last, nil
		}
		if h.Personal && in.runner.keeps(in.config) <= 0 {
			body = nil // it names people, and nothing of it is held back
		}
	}
	in.mu.Lock()
	in.quarantine.holding++
	in.quarantine.turn++
	in.mu.Unlock()
	kept, err := in.runner.opt.Keeper.Hold(ctx, h, body)
	fresh := kept.Times <= h.Times
	in.mu.Lock()
	in.quarantine.holding--
	if err != nil {
		in.mu.Unlock()
		return h, err
	}
	if h.Passed {
		in.quarantine.last, in.quarantine.lastAt = kept, meta.ReceivedAt
	}
	if kept.State == contract.StateHeld && (fresh || !h.Passed) {
		in.quarantine.held++
	}
	in.mu.Unlock()
	if fresh {
		in.log.Warn().Str("held", kept.ID).Str("reason", kept.Reason).Msg("delivery in quarantine")
	}
	return kept, nil
}

// countOnly counts a delivery of which nothing is withheld to the one before, where that was of the same cause a moment ago.
func (in *inlet) countOnly(h *contract.Held, received time.Time) (last contract.Held, counted bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	q := &in.quarantine
	if q.last.Fingerprint == h.Fingerprint && received.Sub(q.lastAt) < holdEvery {
		q.uncounted++
		return q.last, true
	}
	if q.last.Fingerprint == h.Fingerprint {
		h.Times += q.uncounted
	}
	q.uncounted = 0
	return last, false
}

// unheld tells that a delivery found no room in quarantine.
func (in *inlet) unheld(meta feeds.Meta, err error) {
	if !in.tells(meta) {
		return
	}
	code, result := "size", "refused"
	if errors.Is(err, feeds.ErrFull) {
		code, result = "full", "unheld"
	}
	in.health.Fault(fmt.Errorf("%s: %w", code, err))
	in.runner.metrics.delivered(in.config.Name, result, 0)
	in.mu.Lock()
	n, ok := in.quarantine.full.Count(1)
	in.mu.Unlock()
	if ok { // once a minute
		in.log.Error().Err(err).Int("times", n).Msg("delivery not held: decide on what is held under /admin")
	}
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
	in.health.pardon("full")
	if kept, err := in.runner.opt.Keeper.Kept(ctx, in.config.Name); err == nil {
		in.count(kept.Held)
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
