package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"kentongan/alerts/report"
	"kentongan/alerts/store"
	"kentongan/feeds"
)

// Bounds of a report, and of what is put at once.
const (
	longestReport = 16 << 10 // bytes of text and of notes
	reportsAtOnce = 100      // so many of a delivery go before another delivery has its turn
)

// reports walks a delivery's reports through the store, in order. They have a lane of their own: a flood of them holds up no alert.
func (p *Pipeline) reports(ctx context.Context, cases Cases, all []feeds.Report, m *feeds.Meta, l *ledger) error {
	if len(all) == 0 {
		return nil
	}
	select {
	case <-p.drain:
		return errStopping
	default:
	}
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	list := make([]feeds.Report, 0, len(all))
	said := map[string]bool{} // on a dry run nothing is written, so that a delivery must be held against itself
	for i := range all {
		if l.barred(all[i].Index) {
			continue
		}
		if m.Dry {
			if words, err := json.Marshal([]any{all[i], all[i].Position}); err == nil && said[string(words)] {
				l.note(all[i].Index, duplicate)
				continue
			} else if err == nil {
				said[string(words)] = true
			}
		}
		list = append(list, all[i])
	}
	for len(list) > 0 {
		n := min(len(list), reportsAtOnce)
		if err := p.putReports(ctx, cases, list[:n], m, l); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// putReports puts a piece of a delivery, within caseLimit.
func (p *Pipeline) putReports(ctx context.Context, cases Cases, list []feeds.Report, m *feeds.Meta, l *ledger) error {
	if err := p.enter(ctx, &p.reportLane, false, "reports"); err != nil {
		return err
	}
	defer p.reportLane.leave()
	ctx, cancel := context.WithTimeoutCause(ctx, caseLimit, fmt.Errorf("no answer within %s", caseLimit))
	defer cancel()
	results, err := cases.PutReports(ctx, list, *m)
	for i, r := range results {
		switch r.Kind {
		case store.Duplicate:
			l.note(list[i].Index, duplicate)
		case store.Ignored:
			l.refuse(list[i].Index, ignored, r.Reason)
		default:
			l.note(list[i].Index, accepted)
		}
	}
	switch at := len(results); {
	case err == nil:
		return nil
	case at < len(list) && errors.Is(err, feeds.ErrBusy):
		return fmt.Errorf("report %d: %w", list[at].Index, err)
	default:
		return fmt.Errorf("%w: reports: %w", feeds.ErrBusy, err)
	}
}

// reporters hands on who gave the reports that are stored. Until they are kept nothing is acknowledged: sent again, the reports are
// duplicates and their reporters come once more. Invented people are kept by nobody.
func (p *Pipeline) reporters(ctx context.Context, b *feeds.Batch, m *feeds.Meta, l *ledger) error {
	if p.d.Reporters == nil || len(b.Reporters) == 0 || m.Dry || m.Simulated {
		return nil
	}
	given := make(map[int]feeds.Reporter, len(b.Reporters))
	for _, r := range b.Reporters {
		given[r.Index] = r
	}
	who := map[string]feeds.Reporter{}
	for i := range b.Reports {
		if r, ok := given[b.Reports[i].Index]; ok && !l.barred(r.Index) {
			who[report.ID(m.Feed, report.RequestID(b.Reports[i]))] = r
		}
	}
	if len(who) == 0 {
		return nil
	}
	if err := p.d.Reporters(ctx, who); err != nil {
		return fmt.Errorf("%w: who gave the reports: %w", feeds.ErrBusy, err)
	}
	return nil
}

// reportFault says why a report cannot be stored, or nothing.
func reportFault(r *feeds.Report) string {
	if r.ID != "" {
		if reason := badName("id", r.ID); reason != "" {
			return reason
		}
	}
	for _, f := range []struct{ name, value string }{
		{"channel", r.Channel}, {"type", r.Type}, {"service_code", r.Code}, {"status", r.Status}, {"agency_responsible", r.Responsible},
	} {
		if len(f.value) > longestName {
			return fmt.Sprintf("%s: %d bytes, at most %d", f.name, len(f.value), longestName)
		}
		if f.value != "" {
			if reason := badRune(f.name, f.value); reason != "" {
				return reason
			}
		}
	}
	switch {
	case len(r.Text) > longestReport:
		return fmt.Sprintf("text: %d bytes, at most %d", len(r.Text), longestReport)
	case len(r.StatusNotes) > longestReport:
		return fmt.Sprintf("status_notes: %d bytes, at most %d", len(r.StatusNotes), longestReport)
	case len(r.Address) > longestText || len(r.Media) > longestText:
		return fmt.Sprintf("address or media_url is longer than %d bytes", longestText)
	}
	if r.Placed {
		if err := r.Position.Validate(); err != nil {
			return err.Error()
		}
	}
	return ""
}
