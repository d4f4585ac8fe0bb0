// Package ingest is the pipeline of stages one Batch walks through.
//
// Three lanes: readings are merged into an open batch, committed, and only then seen by anybody; alerts go one by one through the case
// store, and reports beside them. A receipt is given when all have stored what they were given. What other servers commit is merged in the same goroutine (Follow);
// rules are judged where Evaluate runs.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/index"
)

// Bounds of the readings lane.
const (
	mostWaiting = 200_000                // records of deliveries that wait or are being committed; more wait at the door
	mostInPiece = 20_000                 // records of one delivery in one commit; a larger delivery takes several
	mostInBatch = 40_000                 // records of one commit
	commitLimit = 20 * time.Second       // of one commit
	caseLimit   = 5 * time.Second        // of one alert's step
	tickEvery   = 250 * time.Millisecond // the committer looks at what time alone brings
)

// ThingChange is a Thing's entry before and after a commit, and its new state; Old is nil for a new one.
type ThingChange = struct {
	Entry, Old *index.Entry
	Thing      *feeds.Thing
}

// Cases is what the pipeline asks of the case store; *store.Store is one.
type Cases interface {
	PutAgencyAlert(ctx context.Context, a feeds.Alert, m feeds.Meta) (store.Result, error)
	EndUnlisted(ctx context.Context, listed []feeds.Alert, m feeds.Meta) (int, error)
	PutReports(ctx context.Context, list []feeds.Report, m feeds.Meta) ([]store.Result, error)
	Fire(ctx context.Context, f store.Firing) error
	Clear(ctx context.Context, f store.Firing) error
	Firing(ctx context.Context) (map[string]map[string]string, error)
	RuleState(ctx context.Context) (store.RuleState, error)
	SaveRuleState(ctx context.Context, c store.RuleState) error
	Tail(ctx context.Context, from int64, fn func(store.Change) error) error
	Snapshot(ctx context.Context) (store.Open, error)
}

// Deps are the rooms below.
type Deps struct {
	Index   *index.Store
	Picture *index.Picture
	Cases   Cases
	Rules   *rules.Engine // nil: no rules
	Leased  bool          // readings are judged only where Evaluate is called, under a lease; false: Run judges
	Now     func() time.Time
	Log     zerolog.Logger
	Reg     prometheus.Registerer
	// Reporters keeps who gave reports, by the report's id, apart from them; nil: nobody keeps it, and it is dropped. It returns once they are kept.
	Reporters func(ctx context.Context, who map[string]feeds.Reporter) error
	OnThings  func([]ThingChange) // called by one goroutine, in order of commits; the slice is the callee's
}

// Pipeline stores batches. Store is safe for concurrent use; Load comes before Run, and Run before Store is answered.
type Pipeline struct {
	d       Deps
	log     zerolog.Logger
	metrics *metrics
	queue   chan *submission
	remote  chan index.Remote // what other servers committed
	room    *semaphore.Weighted
	closed  chan struct{} // Run has ended
	drain   chan struct{} // Drain has begun
	ending  sync.Once
	waiting atomic.Int64 // submissions not answered

	rulingLock sync.Mutex
	ruling     ruling
	evaluation atomic.Pointer[evaluation] // nil: nobody judges, or it catches up from the streams
	following  atomic.Bool
	known      atomic.Int64 // ms: what other servers committed until then has been taken

	refusing atomic.Pointer[refusal] // nil: the store took the last commit
	caseLane lane                    // alerts go one by one, so that revisions keep their order
	caseWait time.Duration           // for that room

	unread unreadable

	reportLane lane // room for one piece of a delivery

	// Of the committer's goroutine alone.
	tracks    tracks
	open      batch
	key       []byte
	obs       feeds.Observation
	lastStamp int64
	doubt     *doubt
	repairs   map[string]*repair
	loadedAt  time.Time // when Load began
}

// refusal is since when and why the store takes no commits.
type refusal struct {
	since time.Time
	err   error
}

// submission is one piece of a delivery on the readings lane.
type submission struct {
	observations []feeds.Observation
	meta         *feeds.Meta
	ledger       *ledger
	done         chan error // answered once
}

// New gives a pipeline. A nil Now is time.Now.
func New(d Deps) *Pipeline {
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Pipeline{
		d: d, log: d.Log.With().Str("component", "ingest").Logger(), metrics: newMetrics(d.Reg),
		queue: make(chan *submission, 4096), room: semaphore.NewWeighted(mostWaiting), remote: make(chan index.Remote, 256),
		closed: make(chan struct{}), drain: make(chan struct{}), caseWait: 2 * caseLimit, tracks: newTracks(),
		repairs: map[string]*repair{}, loadedAt: d.Now(), ruling: ruling{changed: make(chan struct{}, 1)},
	}
}

// errStopping is told to senders while the house closes: another server or the next start takes it.
var errStopping = fmt.Errorf("%w: the server is stopping", feeds.ErrBusy)

// Store stores a batch and answers after that. Each item of the delivery is in exactly one part of the receipt. An error that is
// feeds.ErrBusy, or of the context, means that nothing may be acknowledged; sent again, what was stored counts as duplicate.
func (p *Pipeline) Store(ctx context.Context, b feeds.Batch, m feeds.Meta) (feeds.Receipt, error) {
	return p.store(ctx, b, m, p.d.Cases)
}

// Lane is the pipeline with a case store of its own.
type Lane struct {
	p     *Pipeline
	cases Cases
}

// Via is the pipeline for a feed whose alerts go into cases that check its lease.
func (p *Pipeline) Via(cases Cases) *Lane { return &Lane{p, cases} }

// Store is Pipeline.Store; store.ErrFenced, in a feeds.ErrBusy, says that the lease of the feed has gone to another server.
func (l *Lane) Store(ctx context.Context, b feeds.Batch, m feeds.Meta) (feeds.Receipt, error) {
	return l.p.store(ctx, b, m, l.cases)
}

func (p *Pipeline) store(ctx context.Context, b feeds.Batch, m feeds.Meta, cases Cases) (feeds.Receipt, error) {
	l := newLedger(&b)
	l.faults(&b)
	observations := b.Observations
	if len(b.Positions) > 0 {
		observations = append(observations[:len(observations):len(observations)], ofPositions(b.Positions, &m)...)
	}
	if err := p.readings(ctx, observations, &m, l); err != nil {
		return feeds.Receipt{}, err
	}
	if err := p.alerts(ctx, cases, b.Alerts, &m, l); err != nil {
		return feeds.Receipt{}, err
	}
	if b.AllAlerts && !m.Dry {
		if err := p.unlisted(ctx, cases, &b, &m); err != nil {
			return feeds.Receipt{}, err
		}
	}
	if err := p.reports(ctx, cases, b.Reports, &m, l); err != nil {
		return feeds.Receipt{}, err
	}
	if err := p.reporters(ctx, &b, &m, l); err != nil {
		return feeds.Receipt{}, err
	}
	r := l.receipt()
	r.DryRun = m.Dry
	p.metrics.receipt(r)
	return r, nil
}

// readings walks a delivery through the readings lane, piece by piece; an item is never cut in two.
func (p *Pipeline) readings(ctx context.Context, all []feeds.Observation, m *feeds.Meta, l *ledger) error {
	for len(all) > 0 {
		n := len(all)
		if n > mostInPiece {
			for n = mostInPiece; n < len(all) && all[n].Index == all[n-1].Index; n++ {
			}
		}
		if err := p.submit(ctx, &submission{all[:n], m, l, make(chan error, 1)}); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// submit queues a piece and waits for its commit. It waits at the door while too much is waiting already.
func (p *Pipeline) submit(ctx context.Context, s *submission) error {
	select {
	case <-p.drain:
		return errStopping
	case <-p.closed:
		return errStopping
	default:
	}
	weight := int64(min(len(s.observations), mostWaiting))
	if err := p.room.Acquire(ctx, weight); err != nil {
		return fmt.Errorf("%w: wait for room: %w", feeds.ErrBusy, err)
	}
	defer p.room.Release(weight)
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	began := time.Now()
	select {
	case p.queue <- s:
	case <-p.closed:
		return errStopping
	case <-ctx.Done():
		return fmt.Errorf("%w: wait for room: %w", feeds.ErrBusy, context.Cause(ctx))
	}
	// The committer writes into the ledger: it must answer before anybody else reads it, whatever the caller's context says. It always
	// does, within commitLimit.
	select {
	case err := <-s.done:
		p.metrics.waited(time.Since(began))
		return err
	case <-p.closed:
		return errStopping
	}
}

// Run commits until ctx ends, and judges where no lease says who does (Deps.Leased). What waits then is answered with feeds.ErrBusy.
func (p *Pipeline) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { p.commits(ctx); return nil })
	if !p.d.Leased {
		g.Go(func() error { return p.Evaluate(ctx, p.d.Cases) })
	}
	err := g.Wait()
	close(p.closed)
	return err
}

// Drain refuses new deliveries and returns once those that wait are stored and judged, or when ctx ends. Run is ended after it.
func (p *Pipeline) Drain(ctx context.Context) error {
	p.ending.Do(func() { close(p.drain) })
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for p.waiting.Load()+p.unjudged() > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("drain: %d batches wait: %w", p.waiting.Load()+p.unjudged(), context.Cause(ctx))
		case <-p.closed:
			return errors.New("drain: the pipeline has ended already")
		case <-tick.C:
		}
	}
	return nil
}
