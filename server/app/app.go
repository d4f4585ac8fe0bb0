// Package app is wiring and life cycle: builds everything by hand, bottom floor first.
//
// It is the only place that does. What was built is stopped in the opposite order, a half-built house too.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds/archive"
	"kentongan/feeds/runner"
	"kentongan/feeds/transports/mqtt"
	"kentongan/geo/index"
	"kentongan/geo/keyspace"
	"kentongan/server/api"
	"kentongan/server/auditlog"
	"kentongan/server/auth"
	"kentongan/server/authority"
	"kentongan/server/basemap"
	"kentongan/server/book"
	"kentongan/server/config"
	"kentongan/server/devices"
	"kentongan/server/embedded"
	"kentongan/server/hub"
	"kentongan/server/ingest"
	"kentongan/server/oidc"
	"kentongan/server/outbox"
	"kentongan/server/people"
	"kentongan/server/privacy"
	"kentongan/server/profile"
	"kentongan/server/public"
	"kentongan/server/router"
	"kentongan/server/seal"
	"kentongan/server/walls"
	"kentongan/server/wire"
)

// drainShare is how much of a stop may be spent on storing what waits; the rest is for sockets, requests and the store.
const drainShare = 6 * time.Second

// App is one server. New, then Run, then Stop.
type App struct {
	cfg     config.Config
	log     zerolog.Logger
	reg     *prometheus.Registry
	version string
	stack   stack

	profile  *profile.Profile
	basemap  *basemap.Map
	cameras  *api.Cameras
	walls    *walls.Store
	rules    *rules.Engine
	listener net.Listener
	tls      *tls.Config // nil: plain
	pair     *pair       // the certificate, where it lies in files
	http     *http.Server
	handler  atomic.Pointer[http.Handler] // the routes, once everything behind them is there
	reason   atomic.Pointer[string]       // why not ready; nil: ready

	me       string          // this life of this server, as others know it
	embedded *embedded.Store // nil where Redis is outside, and other servers may be there
	rdb      redis.UniversalClient
	keys     keyspace.Keys
	seal     *seal.Ring // closes what the store keeps secret
	verdict  atomic.Pointer[embedded.Verdict]
	replicas *replicas
	epoch    string
	living   atomic.Bool // epoch is known: connections are held against it
	emptied  string      // a warning, where the life before ours was lost

	index      *index.Store
	picture    *index.Picture
	cases      *store.Store
	book       *book.Book // accounts, keys, devices and sessions, with their records
	pipeline   *ingest.Pipeline
	hub        *hub.Hub
	places     *api.UnitPlaces
	router     *router.Client // nil: none is configured
	outbox     *outbox.Box
	auditLog   *auditlog.Log
	auth       *auth.Auth
	people     *people.Store
	factors    *people.Factors
	oidc       *oidc.Provider       // nil: nobody signs in at a provider
	authority  *authority.Authority // nil: nothing here needs certificates of our own
	devices    *devices.Store
	changes    *people.Changes
	reporters  *privacy.Reporters
	retention  *privacy.Retention
	public     *public.Window            // positions for everybody
	unsealed   atomic.Pointer[time.Time] // when a sealed account was used last
	push       *runner.Runner            // feeds that are driven from outside: every server takes them
	pull       *runner.Runner            // feeds that we drive: one server at a time
	feedSet    *feedSet
	ruleSet    *ruleSet
	broker     *mqtt.Broker // nil: mqtt_listen is empty
	archive    *archive.Archive
	quarantine *quarantine // of contracts and held deliveries
	gauges     *alarmGauges
	leases     *leases
	states     *states

	work     *errgroup.Group // what runs until its own context ends
	workCtx  context.Context
	ready    chan struct{} // closed when /readyz says so
	draining sync.Once
	failures chan error
}

// ErrNewEpoch means that the store came back empty while we ran: everything must be built anew, so that nothing pretends to be history.
var ErrNewEpoch = errors.New("the store came back empty")

// New opens the address, brings up the store and builds every floor on it. The configuration must be free of faults. Whatever New has
// begun is undone where it fails.
func New(ctx context.Context, cfg config.Config, version string, log zerolog.Logger, reg *prometheus.Registry) (*App, error) {
	a := &App{me: ulid.Make().String(), cfg: cfg, log: log, reg: reg, version: version, picture: index.NewPicture(), ready: make(chan struct{}), failures: make(chan error, 4)}
	a.stack.log = log
	err := a.build(ctx)
	if err != nil {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return nil, errors.Join(err, a.stack.stop(late))
	}
	return a, nil
}

func (a *App) build(ctx context.Context) error {
	var err error
	if a.profile, err = profile.Load(a.cfg.Profile); err != nil {
		return err
	}
	places := rules.PlacesOf(a.profile.Areas)
	program, err := rules.Compile(a.cfg.Rules, places)
	if err != nil {
		return err
	}
	a.rules = rules.NewEngine(program)
	if err := a.openBasemap(); err != nil {
		return err
	}
	a.keys = keyspace.New(a.profile.Slug)
	a.gauges = newAlarmGauges(a.reg)
	a.notReady("starting")
	if err := a.listen(); err != nil {
		return err
	}
	if err := a.openStore(ctx); err != nil {
		return err
	}
	if err := a.openSeal(ctx); err != nil {
		return err
	}
	workCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.work, a.workCtx = errgroup.WithContext(workCtx)
	a.stack.push("workers", func(ctx context.Context) error { stop(); return a.workersEnd(ctx) })
	if err := a.newAlerts(ctx); err != nil {
		return err
	}
	a.newPrivacy()
	a.newOutbox()
	a.newAuditLog()
	a.newIngest()
	a.ruleSet = newRuleSet(a, places)
	if err := a.openArchive(); err != nil {
		return err
	}
	if err := a.newBroker(); err != nil {
		return err
	}
	if err := a.newFeeds(ctx); err != nil {
		return err
	}
	if err := a.openCameras(); err != nil {
		return err
	}
	return a.newServer()
}

// workersEnd waits for the workers, at most until ctx ends: one may sit in a question to a store that hangs.
func (a *App) workersEnd(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- a.work.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// alone tells that no other server can be there: the embedded store is ours.
func (a *App) alone() bool { return a.embedded != nil }

// newAlerts builds what judges and keeps cases.
func (a *App) newAlerts(ctx context.Context) error {
	a.cases = store.New(a.rdb, a.keys, store.Options{Place: a.profile.Place(), Zone: a.profile.Zone, Prefix: a.profile.Prefix, Consents: a.profile.Consents, Rules: a.ruleIDs(), Status: a.statusSettings(),
		Fusion: store.FusionSettings{Attach: a.profile.Attach}, Terms: a.profile.Terms, Regrade: grader{a.rules}, Now: time.Now, Log: a.log})
	a.countUnreadable()
	a.index = index.NewStore(a.rdb, a.keys, index.Config{Retention: a.cfg.Retention.Readings, Publish: !a.alone(), Identity: ingest.Identity,
		Unreadable: func(key, id string, err error) { a.pipeline.Unreadable(key, id, err) }}, time.Now)
	a.quarantine = &quarantine{rdb: a.rdb, keys: a.keys, ring: a.seal, now: time.Now, log: a.log.With().Str("component", "feeds").Logger()}
	if err := a.cases.Check(); err != nil || a.alone() {
		return err
	}
	a.leases = newLeases(a.cases, a.me, a.log)
	a.states = newStates(a.me, a.cfg.Feeds, a.log)
	return a.countReplicas(ctx)
}

func (a *App) ruleIDs() []string {
	var ids []string
	for _, r := range a.cfg.Rules {
		ids = append(ids, r.ID)
	}
	return ids
}

// newIngest builds the pipeline and the hub that hears of its commits.
func (a *App) newIngest() {
	a.places = api.NewUnitPlaces(a.picture, a.agencyOf)
	a.router = router.New(a.cfg.Router, time.Now)
	a.hub = hub.New(hub.Deps{Picture: a.picture, Cases: a.cases, Feeds: a.feedStatus, Agency: a.agencyOf, Painted: a.painted, Guests: func(w wire.Wall) bool { return a.walls.Scenes.Guests(w) }, Storage: func() string { return a.verdict.Load().Storage }, Version: a.version, Epoch: a.epoch,
		Now: time.Now, Log: a.log, Reg: a.reg})
	a.pipeline = ingest.New(ingest.Deps{Index: a.index, Picture: a.picture, Cases: a.cases, Rules: a.rules, Leased: !a.alone(), Now: time.Now, Log: a.log, Reg: a.reg,
		Reporters: a.keepReporters, OnThings: func(changed []ingest.ThingChange) { a.places.Note(changed); a.hub.ThingsChanged(changed) }})
}

// Addr is the bound address.
func (a *App) Addr() string { return a.listener.Addr().String() }

// Ready is closed once /readyz says so.
func (a *App) Ready() <-chan struct{} { return a.ready }

func (a *App) notReady(reason string) { a.reason.Store(&reason) }

// Run loads the picture, opens the routes and serves until ctx ends (nil) or a part fails.
func (a *App) Run(ctx context.Context) (err error) {
	began := time.Now()
	a.notReady("loading the picture")
	if err := a.pipeline.Load(ctx); err != nil {
		if ctx.Err() != nil { // asked to end before it had begun
			return nil
		}
		return err
	}
	if err := a.ruleSet.refresh(ctx); err != nil { // before anybody judges: a rule that is not known yet would be taken for one that is gone
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	ingesting, abandon := context.WithCancel(a.workCtx)
	defer func() {
		if errors.Is(err, ErrNewEpoch) { // what waits belongs to the store that is gone: a drain would try in vain
			abandon()
		}
	}()
	a.spawn("ingest", ingesting, a.pipeline.Run)
	a.spawn("hub", a.workCtx, a.hub.Run)
	a.spawn("public positions", a.workCtx, a.watchPublic)
	a.spawn("seal", a.workCtx, a.watchSeal)
	a.spawn("base map", a.workCtx, a.basemap.Run)
	if a.oidc != nil {
		a.spawn("provider of sign-ins", a.workCtx, a.oidc.Run)
	}
	if a.archive != nil {
		a.spawn("archive", a.workCtx, a.archive.Run)
	}
	a.stack.push("requests", a.http.Shutdown)
	a.stack.push("hub", a.hub.Close)
	if err := a.importUnits(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if err := a.auditLog.Open(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	a.spawn("audit log", a.workCtx, a.auditLog.Follow)
	a.runRules()
	a.stack.push("ingest", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeoutCause(ctx, drainShare, errors.New("the store did not take it in time"))
		defer cancel()
		return a.pipeline.Drain(ctx)
	})
	a.spawn("rules of the store and the file", a.workCtx, a.ruleSet.follow)
	a.spawn("people", a.workCtx, a.watchPeople)
	a.spawn("epoch", a.workCtx, a.watchEpoch)
	a.runNeighbours()
	a.spawn("keys and devices", a.workCtx, a.watchShown)
	a.spawn("uses of keys", a.workCtx, a.auth.KeepUses)
	a.runBroker()
	a.until("feeds", a.runFeeds)
	a.runCameras()
	if !a.alone() {
		a.stack.push("last word", func(ctx context.Context) error { return a.exchange(ctx, true) })
	}
	a.stack.push("new connections", func(context.Context) error { a.closeDoor(); return nil })
	if err := a.open(); err != nil {
		return err
	}
	a.reason.Store(nil)
	close(a.ready)
	a.log.Info().Str("took", time.Since(began).Round(time.Millisecond).String()).Int("things", a.picture.Len()).Str("storage", a.verdict.Load().Storage).Str("store", a.verdict.Load().Store).Msg("ready")
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.failures:
		return err
	}
}

// spawn keeps a part running; its error ends Run.
func (a *App) spawn(name string, ctx context.Context, run func(context.Context) error) {
	a.work.Go(func() error {
		err := run(ctx)
		if err != nil && ctx.Err() == nil {
			a.fail(fmt.Errorf("%s: %w", name, err))
		}
		return nil
	})
}

// until keeps a part running until its turn in the stack has come, and waits for its end then.
func (a *App) until(name string, run func(context.Context)) {
	ctx, cancel := context.WithCancel(a.workCtx)
	ended := make(chan struct{})
	go func() { defer close(ended); run(ctx) }()
	a.stack.push(name, func(ctx context.Context) error {
		cancel()
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// runRules lets one server judge by the rules and keep house. The lease is left only once all that waits is judged.
func (a *App) runRules() {
	if a.alone() { // the pipeline judges by itself
		a.spawn("upkeep", a.workCtx, func(ctx context.Context) error { a.sweep(ctx, a.cases); return nil })
		a.spawn("readers", a.workCtx, func(ctx context.Context) error { a.readCases(ctx, a.cases); return nil })
		return
	}
	a.until("rules", func(ctx context.Context) {
		a.leases.keep(ctx, rulesLease, func() time.Duration { return 0 }, func(ctx context.Context, f store.Fence) error {
			cases := a.cases.Fenced(f)
			var beside sync.WaitGroup
			beside.Go(func() { a.sweep(ctx, cases) })
			beside.Go(func() { a.readCases(ctx, cases) })
			defer beside.Wait()
			if err := a.ruleSet.inStep(ctx); err != nil {
				return err
			}
			return a.pipeline.Evaluate(ctx, cases)
		})
	})
}

// runNeighbours keeps us and the other servers of the store in step.
func (a *App) runNeighbours() {
	if a.alone() {
		return
	}
	a.spawn("other servers", a.workCtx, a.pipeline.Follow)
	a.spawn("announcements", a.workCtx, a.hear)
	a.spawn("states", a.workCtx, a.tellStates)
	a.spawn("replicas", a.workCtx, a.watchReplicas)
}

// fail ends Run.
func (a *App) fail(err error) {
	select {
	case a.failures <- err:
	default: // one is enough
	}
}

// Emptied tells that the life before this one was lost: /readyz warns of it as long as this one lasts. Call it before Run.
func (a *App) Emptied(at time.Time) {
	a.emptied = "EMPTY: the store lost everything and began anew at " + at.UTC().Format(time.RFC3339) + "; restore a backup where there is one"
}

// Stop drains and ends everything, at most until ctx ends: new connections, feeds, ingest, hub, requests, Redis last.
func (a *App) Stop(ctx context.Context) error {
	a.notReady("stopping")
	return a.stack.stop(ctx)
}
