package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/alerts/store"
	"kentongan/server/api"
	"kentongan/server/config"
	"kentongan/server/embedded"
)

// Upkeep: how often alerts expire, readings are trimmed, and the store's life is checked; and how often an outside store is judged anew: after a
// failover it is another one.
const (
	expireEvery = 5 * time.Second
	finishEvery = time.Minute
	trimEvery   = 10 * time.Minute
	epochEvery  = 2 * time.Second
	judgeEvery  = 15 * time.Second
)

// openStore brings up the embedded store or finds the outside one, judges it, and reads its epoch.
func (a *App) openStore(ctx context.Context) error {
	redis.SetLogger(clientLog{a.log.With().Str("component", "redis").Logger()})
	address := a.cfg.RedisURL.Reveal()
	if address == "" {
		s, err := embedded.Start(ctx, embedded.Options{DataDir: a.cfg.DataDir, AppendFsync: a.cfg.Store.Fsync, Log: a.log})
		if err != nil {
			return err
		}
		a.embedded, address = s, s.URL()
		a.stack.push("store", s.Stop)
	}
	where, err := embedded.ParseURL(address)
	if err != nil {
		return fmt.Errorf("redis_url: %w", err)
	}
	a.rdb = where.Client(a.sameLife)
	a.stack.push("redis client", func(context.Context) error { return a.rdb.Close() })
	a.replicas = newReplicas(where.Sentinel != nil)
	verdict := embedded.Verdict{}
	if a.embedded != nil && a.embedded.Volatile() {
		verdict = embedded.Verdict{Storage: embedded.Volatile, Store: "miniredis", Warnings: []string{"storage: volatile: everything is forgotten when the server ends; install redis-server"}}
	} else if verdict, err = embedded.Judge(ctx, a.rdb); err != nil {
		return err
	}
	a.judged(verdict)
	if a.epoch, err = a.readEpoch(ctx); err != nil {
		return err
	}
	a.living.Store(true)
	return nil
}

// judged keeps what is found of the store, and says what is new of it.
func (a *App) judged(v embedded.Verdict) {
	was := a.verdict.Swap(&v)
	if was != nil && was.Storage == v.Storage && slices.Equal(was.Warnings, v.Warnings) {
		return
	}
	for _, w := range v.Warnings {
		a.log.Warn().Str("component", "store").Str("storage", v.Storage).Msg(w)
	}
}

// sameLife refuses a connection to a store that came back empty: it is another one, and what we remember must not be written into it or
// count as a copy of what it holds.
func (a *App) sameLife(ctx context.Context, c *redis.Conn) error {
	if !a.living.Load() {
		return nil
	}
	now, err := c.Get(ctx, a.keys.Epoch()).Result()
	if errors.Is(err, redis.Nil) || err == nil && now != a.epoch {
		a.fail(ErrNewEpoch)
		return ErrNewEpoch
	}
	return err
}

// readEpoch gives the id of the store's life; the first server to ask begins one.
func (a *App) readEpoch(ctx context.Context) (string, error) {
	if err := a.rdb.SetNX(ctx, a.keys.Epoch(), ulid.Make().String(), 0).Err(); err != nil {
		return "", fmt.Errorf("the store's epoch: %w", err)
	}
	epoch, err := a.rdb.Get(ctx, a.keys.Epoch()).Result()
	if err != nil {
		return "", fmt.Errorf("the store's epoch: %w", err)
	}
	return epoch, nil
}

// sweep does what time alone brings about, until ctx ends; one server at a time is enough.
func (a *App) sweep(ctx context.Context, cases *store.Store) {
	expire, trim, retain := time.NewTicker(expireEvery), time.NewTicker(trimEvery), time.NewTicker(retainEvery)
	finish := time.NewTicker(finishEvery)
	defer finish.Stop()
	defer retain.Stop()
	a.retain(ctx, cases)
	defer expire.Stop()
	defer trim.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-expire.C:
			if _, err := cases.ExpireAlerts(ctx, time.Now()); err != nil && ctx.Err() == nil {
				a.log.Warn().Err(err).Msg("expired alerts are not ended yet")
			}
			a.announced(ctx, cases)
		case <-retain.C:
			a.retain(ctx, cases)
		case <-finish.C:
			if err := a.changes.Finish(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn().Err(err).Msg("what was approved is not applied yet")
			}
		case <-trim.C:
			n, err := a.index.Trim(ctx)
			if err != nil && ctx.Err() == nil {
				a.log.Warn().Err(err).Msg("old readings are not removed yet")
			} else if n > 0 {
				a.log.Info().Int64("blobs", n).Str("retention", a.cfg.Retention.Readings.String()).Msg("readings beyond their retention removed")
			}
		}
	}
}

// watchEpoch ends with ErrNewEpoch when the store has come back empty, and looks from time to time how safe an outside store is.
func (a *App) watchEpoch(ctx context.Context) error {
	epoch, judge := time.NewTicker(epochEvery), time.NewTicker(judgeEvery)
	defer epoch.Stop()
	defer judge.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-judge.C:
			if a.alone() {
				continue
			}
			if v, err := embedded.Judge(ctx, a.rdb); err == nil { // else /readyz says that the store does not answer
				a.judged(v)
			}
		case <-epoch.C:
			switch now, err := a.rdb.Get(ctx, a.keys.Epoch()).Result(); {
			case errors.Is(err, redis.Nil), err == nil && now != a.epoch:
				return ErrNewEpoch
			}
		}
	}
}

// readiness answers /readyz: the store must answer now, and the picture must be loaded.
func (a *App) readiness(ctx context.Context) api.Readiness {
	v := a.verdict.Load()
	r := api.Readiness{Storage: v.Storage, Store: v.Store, Warnings: append([]string{}, v.Warnings...)}
	if w := a.replicas.warning(); w != "" {
		r.Warnings = append(r.Warnings, w)
	}
	r.Warnings = append(r.Warnings, a.feedSet.warned()...)
	r.Warnings = append(r.Warnings, a.ruleSet.warned()...)
	if w := unreadableWarning(a.cases.Unreadable()); w != "" {
		r.Warnings = append(r.Warnings, w)
	}
	if n, last := a.pipeline.PassedOver(); n > 0 && time.Since(last) < unreadableFor {
		r.Warnings = append(r.Warnings, fmt.Sprintf("records of readings cannot be read and are passed over, %d times so far, the last at %s; the log says where", n, last.UTC().Format(time.RFC3339)))
	}
	if a.pair != nil {
		if w := a.pair.warning(); w != "" {
			r.Warnings = append(r.Warnings, w)
		}
	}
	if w := a.breakGlass(); w != "" {
		r.Warnings = append(r.Warnings, w)
	}
	r.Warnings = append(r.Warnings, a.auditLog.Warnings()...)
	if a.emptied != "" {
		r.Warnings = append(r.Warnings, a.emptied)
	}
	if since, why := a.pipeline.Refusing(); why != nil {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the store has taken no writes since %s: senders are told to come again", since.UTC().Format(time.RFC3339)))
	}
	if lost, why := a.archive.Trouble(); why != nil {
		r.Warnings = append(r.Warnings, fmt.Sprintf("raw bytes of deliveries are not kept, %d so far; the log says why", lost))
	}
	if a.openHTTP() {
		r.Warnings = append(r.Warnings, "plain HTTP beyond this machine (insecure: true)")
	}
	if reason := a.reason.Load(); reason != nil {
		r.Reason = *reason
		return r
	}
	if err := a.rdb.Ping(ctx).Err(); err != nil {
		r.Reason = "the store does not answer"
		return r
	}
	r.Ready = true
	return r
}

// unreadableNamed is how many records a warning names; the log has named every one. Of readings it warns for so long after the last was met.
const (
	unreadableNamed = 3
	unreadableFor   = time.Hour
)

// countUnreadable tells by a metric what /readyz warns of.
func (a *App) countUnreadable() {
	if a.reg != nil {
		a.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "kentongan_case_unreadable_records", Help: "Records of cases that cannot be read and are passed over; /readyz and the log name them."},
			func() float64 { return float64(len(a.cases.Unreadable())) }))
	}
}

// unreadableWarning is what /readyz says of records of the cases that nobody is shown because they cannot be read.
func unreadableWarning(list []store.Unread) string {
	if len(list) == 0 {
		return ""
	}
	var names []string
	for _, one := range list[:min(unreadableNamed, len(list))] {
		names = append(names, one.Key)
	}
	rest := ""
	if n := len(list) - len(names); n > 0 {
		rest = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%d records of cases cannot be read and are passed over, the first since %s: %s%s; the log says why",
		len(list), list[0].Since.UTC().Format(time.RFC3339), strings.Join(names, ", "), rest)
}

// openHTTP tells plain HTTP on more than loopback.
func (a *App) openHTTP() bool {
	host, _, err := net.SplitHostPort(a.cfg.Listen)
	return !a.cfg.Secure() && (err != nil || !config.Loopback(host))
}

// clientLog takes what the Redis client says of itself, which is never news: every error of it is also returned.
type clientLog struct{ log zerolog.Logger }

// Printf is what the client calls.
func (c clientLog) Printf(_ context.Context, format string, v ...any) {
	c.log.Debug().Msgf(format, v...)
}
