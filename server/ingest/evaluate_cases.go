package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/report"
	"kentongan/alerts/rules"
	"kentongan/alerts/store"
)

// The kinds of changes of cases that rules count.
const (
	reportChange = "report"
	alertChange  = "alert"
)

// followCases gives every change of the cases after an offset, over every failure of the store, until ctx ends. Where the stream does not reach
// back so far, it gives the reports and alerts that stand instead, with the offset at which they stand on the last of them.
func (p *Pipeline) followCases(ctx context.Context, cases Cases, from int64, to chan<- store.Change) {
	give := func(c store.Change) error {
		select {
		case to <- c:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for ctx.Err() == nil {
		err := error(nil)
		if from < 0 {
			from, err = standing(ctx, cases, give)
		}
		if err == nil {
			err = cases.Tail(ctx, from, func(c store.Change) error {
				from = c.Offset
				return give(c)
			})
		}
		if errors.Is(err, store.ErrCut) {
			from = -1
			continue
		}
		if err != nil && ctx.Err() == nil {
			p.log.Warn().Err(err).Msg("rules cannot follow reports and alerts now; trying again")
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// standing gives the reports and alerts that stand.
func standing(ctx context.Context, cases Cases, give func(store.Change) error) (int64, error) {
	open, err := cases.Snapshot(ctx)
	if err != nil {
		return -1, err
	}
	one := func(kind string, doc any) error {
		b, err := json.Marshal(doc)
		if err != nil {
			return fmt.Errorf("ingest: %s: %w", kind, err)
		}
		return give(store.Change{Offset: -1, Type: kind, Doc: b})
	}
	for i := range open.Reports {
		if err := one(reportChange, &open.Reports[i]); err != nil {
			return -1, err
		}
	}
	for i := range open.Alerts {
		if err := one(alertChange, &open.Alerts[i]); err != nil {
			return -1, err
		}
	}
	return open.Offset, give(store.Change{Offset: open.Offset})
}

// change judges a change of the cases.
func (v *evaluator) change(ctx context.Context, c *store.Change) error {
	ds, err := judgeCase(v.p.d.Rules, c, time.UnixMilli(v.judged))
	if err != nil {
		v.p.log.Error().Err(err).Int64("offset", c.Offset).Msg("rules pass over a change of the cases that they cannot read")
	}
	if err := v.decide(ctx, ds); err != nil {
		return err
	}
	if c.Offset >= 0 {
		v.caseAt = c.Offset
		v.saved = min(v.saved, v.judged-1) // there is something to save, though no reading may have come
	}
	return nil
}

// judgeCase judges a report or an alert at the time at which it was stored, while the rules' clock goes no further than until, up to which readings
// have been judged; a zero time is no bound. All else is nothing to the rules.
func judgeCase(e *rules.Engine, c *store.Change, until time.Time) ([]rules.Decision, error) {
	if c.Type != reportChange && c.Type != alertChange || !e.Program().CountsCases() {
		return nil, nil
	}
	if c.Type == reportChange {
		var r report.Report
		if err := json.Unmarshal(c.Doc, &r); err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		return e.Report(&r, r.ReceivedAt.Time, earlier(r.ReceivedAt.Time, until)), nil
	}
	var a alerts.Alert
	if err := json.Unmarshal(c.Doc, &a); err != nil {
		return nil, fmt.Errorf("alert: %w", err)
	}
	return e.Alert(&a, a.ReceivedAt.Time, earlier(a.ReceivedAt.Time, until)), nil
}

// earlier is the earlier of a time and a bound, where there is one.
func earlier(at, until time.Time) time.Time {
	if !until.IsZero() && until.Before(at) {
		return until
	}
	return at
}
