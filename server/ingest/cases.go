package ingest

import (
	"context"
	"errors"
	"fmt"

	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
)

// alerts walks a delivery's alerts through the case lane, one by one and in order.
func (p *Pipeline) alerts(ctx context.Context, list []feeds.Alert, m *feeds.Meta, l *ledger) error {
	if len(list) == 0 {
		return nil
	}
	select {
	case <-p.drain:
		return errStopping
	default:
	}
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	p.caseMu.Lock()
	defer p.caseMu.Unlock()
	said := map[string]bool{} // on a dry run nothing is written, so that a delivery must be held against itself
	for i := range list {
		at := list[i].Index
		if l.barred(at) {
			continue
		}
		if name := list[i].Message.Reference().String(); m.Dry && list[i].Quake == nil {
			if said[name] {
				l.note(at, duplicate)
				continue
			}
			said[name] = true
		}
		r, err := p.d.Cases.PutAgencyAlert(ctx, list[i], *m)
		switch {
		case errors.Is(err, feeds.ErrPermanent):
			l.refuse(at, rejected, err.Error())
		case err != nil && errors.Is(err, feeds.ErrBusy):
			return fmt.Errorf("alert %d: %w", at, err)
		case err != nil:
			return fmt.Errorf("%w: alert %d: %w", feeds.ErrBusy, at, err)
		case r.Kind == store.Duplicate:
			l.note(at, duplicate)
		case r.Kind == store.Ignored:
			l.refuse(at, ignored, r.Reason)
		default:
			l.note(at, accepted)
		}
	}
	return nil
}

// decide brings a decision of the rules into the case store.
func (p *Pipeline) decide(ctx context.Context, d *rules.Decision) error {
	if d.Fire {
		return p.d.Cases.Fire(ctx, *d)
	}
	return p.d.Cases.Clear(ctx, *d)
}
