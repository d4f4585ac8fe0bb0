package backtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/feeds/archive"
	"kentongan/feeds/runner"
	"kentongan/geo/index"
	"kentongan/geo/moment"
	"kentongan/server/ingest"
)

// The names of sources.
const (
	SourceHistory = "history"
	SourceArchive = "archive"
	SourceCases   = "cases"
	SourceFiles   = "files"
)

// History is the readings as they are kept: those of every server, in the order in which they were committed.
func History(ix *index.Store) Source {
	return Source{SourceHistory, func(ctx context.Context, p *ingest.Player, since, _ time.Time, take func(time.Time, []rules.Decision) error) error {
		return ix.Tail(ctx, since, func(at time.Time, b []byte) error {
			return take(at, p.Record(b))
		})
	}}
}

// Cases is the reports and alerts of which the case stream still knows.
func Cases(s *store.Store) Source {
	return Source{SourceCases, func(ctx context.Context, p *ingest.Player, since, _ time.Time, take func(time.Time, []rules.Decision) error) error {
		return s.Recorded(ctx, func(c store.Change) error {
			if c.Type != "report" && c.Type != "alert" {
				return nil
			}
			var doc struct {
				ReceivedAt moment.Time `json:"received_at"`
			}
			if err := json.Unmarshal(c.Doc, &doc); err != nil {
				p.Unreadable++
				return nil
			}
			if doc.ReceivedAt.Before(since) {
				return nil
			}
			return take(doc.ReceivedAt.Time, p.Case(&c))
		})
	}}
}

// Reader reads a delivery of the archive as its feed reads today; runner.Runner does, each its own feeds.
type Reader func(ctx context.Context, d archive.Delivery) (feeds.Batch, feeds.Meta, error)

// ReaderOf reads with the feeds of runners. The error is runner.ErrUnknownFeed where none of them has the feed.
func ReaderOf(list ...*runner.Runner) Reader {
	return func(ctx context.Context, d archive.Delivery) (feeds.Batch, feeds.Meta, error) {
		for _, r := range list {
			c, ok := r.Config(d.Feed)
			if !ok {
				continue
			}
			got, err := r.Reread(ctx, d)
			return got.Batch, feeds.Meta{Feed: c.Name, Agency: c.Agency, Kind: c.Kind, Simulated: c.Simulated, Attribution: c.Attribution, ReceivedAt: d.At.Time}, err
		}
		return feeds.Batch{}, feeds.Meta{}, fmt.Errorf("feed %q: %w", d.Feed, runner.ErrUnknownFeed)
	}
}

// Files is deliveries of archive files, those of all feeds in the order in which they were committed. Deliveries that were refused then, or are
// now, say nothing; those of unknown feeds are counted in unknown, unless it is nil.
func Files(name string, paths []string, read Reader, unknown map[string]int) Source {
	return Source{name, func(ctx context.Context, p *ingest.Player, since, _ time.Time, take func(time.Time, []rules.Decision) error) error {
		for _, group := range hours(paths) {
			err := merged(ctx, group, func(d archive.Delivery) error {
				if d.At.Before(since) || d.Outcome == archive.Refused {
					return nil
				}
				batch, meta, err := read(ctx, d)
				switch {
				case errors.Is(err, runner.ErrUnknownFeed) && unknown != nil:
					unknown[d.Feed]++
					return nil
				case errors.Is(err, runner.ErrUnknownFeed), errors.Is(err, feeds.ErrPermanent):
					return nil
				case err != nil:
					return fmt.Errorf("a delivery of feed %s at %s: %w", d.Feed, d.At, err)
				}
				return take(d.At.Time, p.Delivery(batch, meta, d.StoredAt.Time))
			})
			if err != nil {
				return err
			}
		}
		return nil
	}}
}

// hours groups files by their name, which is their hour, the oldest first.
func hours(paths []string) [][]string {
	by := map[string][]string{}
	for _, p := range paths {
		hour, _, _ := strings.Cut(filepath.Base(p), ".")
		by[hour] = append(by[hour], p)
	}
	var names []string
	for hour := range by {
		names = append(names, hour)
	}
	slices.Sort(names)
	out := make([][]string, 0, len(names))
	for _, hour := range names {
		slices.Sort(by[hour])
		out = append(out, by[hour])
	}
	return out
}

// reading is one file that is being read; next waits for its delivery.
type reading struct {
	lines chan archive.Delivery
	err   chan error
	head  archive.Delivery
	open  bool
}

// merged gives the deliveries of files by when they were committed. A file whose end is torn gives what it has.
func merged(ctx context.Context, paths []string, give func(archive.Delivery) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := make([]*reading, 0, len(paths))
	for _, path := range paths {
		r := &reading{lines: make(chan archive.Delivery), err: make(chan error, 1)}
		go func() {
			defer close(r.lines)
			r.err <- archive.Read(path, func(d archive.Delivery) error {
				select {
				case r.lines <- d:
					return nil
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			})
		}()
		if err := r.next(); err != nil {
			return err
		}
		all = append(all, r)
	}
	for {
		var first *reading
		for _, r := range all {
			if r.open && (first == nil || clockOf(r.head).Before(clockOf(first.head))) {
				first = r
			}
		}
		if first == nil {
			return nil
		}
		if err := give(first.head); err != nil {
			return err
		}
		if err := first.next(); err != nil {
			return err
		}
	}
}

// clockOf is the clock by which a delivery was judged: when it was committed, else, of an older file, when it was received.
func clockOf(d archive.Delivery) time.Time {
	if !d.StoredAt.IsZero() {
		return d.StoredAt.Time
	}
	return d.At.Time
}

func (r *reading) next() error {
	if r.head, r.open = <-r.lines; r.open {
		return nil
	}
	if err := <-r.err; err != nil && !errors.Is(err, archive.ErrTorn) {
		return err
	}
	return nil
}

// Only reads the deliveries of one feed; those of others are refused.
func Only(feed string, read Reader) Reader {
	return func(ctx context.Context, d archive.Delivery) (feeds.Batch, feeds.Meta, error) {
		if d.Feed != feed {
			return feeds.Batch{}, feeds.Meta{}, feeds.Permanentf("of another feed")
		}
		return read(ctx, d)
	}
}
