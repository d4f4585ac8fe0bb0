package privacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/alerts/audit"
	"kentongan/alerts/report"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
)

// Errors of changing how long something is kept.
var (
	ErrNoClass = errors.New("there is no such class of data")
	ErrFixed   = errors.New("how long this class is kept is not set here")
	ErrBounds  = errors.New("it may not be kept for that long, or for so short a time")
)

// Retained is how long a class is kept, and who says so.
type Retained struct {
	DataClass
	Keep      string      `json:"keep" doc:"2160h0m0s; 0s: for ever; empty: as long as what it belongs to"`
	KeepDays  float64     `json:"keep_days"`
	LeastDays float64     `json:"least_days" doc:"It may not be set shorter"`
	Settable  bool        `json:"settable" doc:"By two persons, while the house runs"`
	From      string      `json:"from" enum:"config,changed,lifetime,never" doc:"Who says so: the configuration, two persons, the lifetimes of keys, or nobody: it is never deleted"`
	ChangedBy []string    `json:"changed_by,omitempty" doc:"Who proposed and who approved it"`
	ChangedAt moment.Time `json:"changed_at"`
	keep      time.Duration
}

// Change is what two persons agree on of a class.
type Change struct {
	Class string `json:"class"`
	Days  int    `json:"days" doc:"0: for ever"`
}

// setting is a rule as it is kept where two persons changed it.
type setting struct {
	V    int         `json:"v"`
	Days int         `json:"days"`
	By   []string    `json:"by"`
	At   moment.Time `json:"at"`
}

// Retention is how long each class is kept, and the work of deleting what was kept longer.
type Retention struct {
	rdb       redis.UniversalClient
	keys      keyspace.Keys
	reporters *Reporters
	defaults  map[string]time.Duration // of the configuration
	now       func() time.Time
	log       zerolog.Logger
	dropped   *prometheus.CounterVec
	ran       prometheus.Gauge
}

// NewRetention makes it of what the configuration says by class; a class that it leaves out has its own default.
func NewRetention(rdb redis.UniversalClient, keys keyspace.Keys, reporters *Reporters, defaults map[string]time.Duration, now func() time.Time, log zerolog.Logger, reg prometheus.Registerer) *Retention {
	r := &Retention{rdb: rdb, keys: keys, reporters: reporters, defaults: defaults, now: now, log: log.With().Str("component", "retention").Logger(),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kentongan_retention_deleted_total", Help: "What was deleted because its time was over, by class of data."}, []string{"class"}),
		ran:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "kentongan_retention_last_run_timestamp_seconds", Help: "When the last run came to its end."})}
	if reg != nil {
		reg.MustRegister(r.dropped, r.ran)
	}
	return r
}

// Rules lists how long every class is kept.
func (r *Retention) Rules(ctx context.Context) ([]Retained, error) {
	set, err := r.rdb.HGetAll(ctx, r.keys.Retention()).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: how long data are kept: %w", feeds.ErrBusy, err)
	}
	var out []Retained
	for _, c := range Classes() {
		one := Retained{DataClass: c, Settable: c.Settable, From: "config", keep: c.Default, LeastDays: c.Least.Hours() / 24}
		if d, ok := r.defaults[c.Name]; ok {
			one.keep = d
		}
		switch text, changed := set[c.Name]; {
		case c.Never:
			one.From, one.keep = "never", 0
		case c.Default == 0:
			one.From = "lifetime"
		case changed && c.Settable:
			var s setting
			if err := json.Unmarshal([]byte(text), &s); err != nil {
				return nil, fmt.Errorf("how long %s are kept: %w", c.Name, err)
			}
			one.From, one.keep, one.ChangedBy, one.ChangedAt = "changed", time.Duration(s.Days)*day, s.By, s.At
		}
		if one.From != "lifetime" {
			one.Keep, one.KeepDays = one.keep.String(), one.keep.Hours()/24
		}
		out = append(out, one)
	}
	return out, nil
}

// Rule of one class; ErrNoClass.
func (r *Retention) Rule(ctx context.Context, class string) (Retained, error) {
	list, err := r.Rules(ctx)
	if err != nil {
		return Retained{}, err
	}
	i := slices.IndexFunc(list, func(one Retained) bool { return one.Name == class })
	if i < 0 {
		return Retained{}, fmt.Errorf("%w: %.40q", ErrNoClass, class)
	}
	return list[i], nil
}

// Check tells what is wrong with a change.
func (r *Retention) Check(c Change) error {
	for _, one := range Classes() {
		if one.Name != c.Class {
			continue
		}
		switch {
		case !one.Settable:
			return fmt.Errorf("%w: %s", ErrFixed, c.Class)
		case c.Days < 0 || c.Days > 36500:
			return fmt.Errorf("%w: %d days, want 0 (for ever) to 36500", ErrBounds, c.Days)
		case c.Days > 0 && time.Duration(c.Days)*day < one.Least:
			return fmt.Errorf("%w: %d days, and %s are needed for %v at least", ErrBounds, c.Days, c.Class, one.Least)
		case c.Days == 0 && one.Name == "reporters":
			return fmt.Errorf("%w: who reported is not kept for ever", ErrBounds)
		}
		return nil
	}
	return fmt.Errorf("%w: %.40q", ErrNoClass, c.Class)
}

// Apply sets what two persons have agreed on. Twice is as good as once.
func (r *Retention) Apply(ctx context.Context, c Change, by []string) error {
	if err := r.Check(c); err != nil {
		return err
	}
	doc, err := json.Marshal(setting{1, c.Days, by, moment.Of(r.now())})
	if err != nil {
		return err
	}
	if err := r.rdb.HSet(ctx, r.keys.Retention(), c.Class, doc).Err(); err != nil {
		return fmt.Errorf("%w: how long %s are kept: %w", feeds.ErrBusy, c.Class, err)
	}
	return nil
}

// Run deletes what was kept long enough, in small steps: after an error or a kill the next run goes on. What it deleted is one record of the
// audit log. cases is fenced where several servers could run it.
func (r *Retention) Run(ctx context.Context, cases *store.Store) (map[string]int64, error) {
	rules, err := r.Rules(ctx)
	if err != nil {
		return nil, err
	}
	before := map[string]time.Time{}
	for _, one := range rules {
		if one.keep > 0 {
			before[one.Name] = r.now().Add(-one.keep)
		}
	}
	done := map[string]int64{}
	count := func(class string, n int64, err error) error {
		done[class] += n
		r.dropped.WithLabelValues(class).Add(float64(n))
		return err
	}
	drop := func(class string, fn func(before time.Time) (int, error)) error {
		at, limited := before[class]
		if !limited {
			return nil
		}
		n, err := fn(at)
		return count(class, int64(n), err)
	}
	err = errors.Join(
		drop("changes", func(at time.Time) (int, error) { n, err := cases.DropChanges(ctx, at); return int(n), err }),
		drop("reporters", func(at time.Time) (int, error) { return r.reporters.expire(ctx, cases, at) }),
		drop("reports", func(at time.Time) (int, error) { return cases.DropReports(ctx, at, r.reporters.drop) }),
		drop("incidents", func(at time.Time) (int, error) { return cases.DropIncidents(ctx, at) }),
		drop("alerts", func(at time.Time) (int, error) { return cases.DropAlerts(ctx, at) }),
		drop("alarms", func(at time.Time) (int, error) { return cases.DropAlarms(ctx, at) }),
		drop("suggestions", func(at time.Time) (int, error) { return cases.DropSuggestions(ctx, at) }),
		drop("dispatches", func(at time.Time) (int, error) { return cases.DropDispatches(ctx, at) }),
		drop("plans", func(at time.Time) (int, error) { return cases.DropPlans(ctx, at) }),
		drop("statements", func(at time.Time) (int, error) { return cases.DropStatements(ctx, at) }),
		drop("words", func(at time.Time) (int, error) {
			n, err := cases.EraseWords(ctx, func(w audit.Words) bool { return w.At.Before(at) })
			return int(n), err
		}),
	)
	said := ""
	for _, c := range Classes() {
		if c.Name != "changes" && done[c.Name] > 0 {
			said += fmt.Sprintf(" %s %d", c.Name, done[c.Name])
		}
	}
	if said != "" {
		err = errors.Join(err, cases.Record(ctx, audit.Record{Actor: "house:retention", Action: "retention.applied", Object: "retention", Reason: "deleted:" + said}))
		r.log.Info().Str("deleted", said[1:]).Msg("data whose time was over are deleted")
	}
	if err == nil {
		r.ran.SetToCurrentTime()
	}
	return done, err
}

// portion is how many reporters are looked at in one go.
const portion = 200

// expire forgets reporters whose report closed or changed last before a time; those of reports that are gone too. One on whose report an
// open incident rests stays.
func (s *Reporters) expire(ctx context.Context, cases *store.Store, before time.Time) (n int, err error) {
	standing, err := cases.Standing(ctx)
	if err != nil {
		return 0, err
	}
	max := "(" + strconv.FormatInt(before.UnixMilli(), 10)
	for skip := int64(0); ; {
		ids, err := s.rdb.ZRangeByScore(ctx, s.keys.Reporters(), &redis.ZRangeBy{Min: "-inf", Max: max, Offset: skip, Count: portion}).Result()
		if err != nil {
			return n, s.busy("reporters by time", err)
		}
		for _, id := range ids {
			one, err := cases.Report(ctx, id)
			gone := errors.Is(err, store.ErrNoReport)
			switch {
			case errors.Is(err, store.ErrUnreadable): // the store counts and names it; how old it is nobody knows
				skip++
				continue
			case err != nil && !gone:
				return n, err
			case !gone && (standing(id) || !closedBefore(&one, before)):
				skip++
				continue
			}
			if had, err := s.Forget(ctx, id, "expired"); err != nil {
				return n, err
			} else if had {
				n++
			}
			if gone {
				if err := s.drop(ctx, []string{id}); err != nil {
					return n, err
				}
			}
		}
		if len(ids) < portion {
			return n, nil
		}
	}
}

func closedBefore(r *report.Report, before time.Time) bool {
	return r.ChangedAt.Before(before) && r.ReceivedAt.Before(before)
}

// drop takes away all that is kept beside reports that are being deleted.
func (s *Reporters) drop(ctx context.Context, reports []string) error {
	for _, id := range reports {
		if _, err := s.Forget(ctx, id, "expired"); err != nil {
			return err
		}
		pipe := s.rdb.TxPipeline()
		pipe.Del(ctx, s.keys.Reporter(id), s.keys.ReporterShown(id))
		if _, err := pipe.Exec(ctx); err != nil {
			return s.busy("forget a reporter", err)
		}
	}
	return nil
}
