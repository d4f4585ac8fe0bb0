package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/feeds/cap"
)

// alerts walks a delivery's alerts through the case lane, one by one and in order.
func (p *Pipeline) alerts(ctx context.Context, cases Cases, list []feeds.Alert, m *feeds.Meta, l *ledger) error {
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
	if err := p.enter(ctx, &p.caseLane, aboutLives(list), "alerts"); err != nil {
		return err
	}
	defer p.caseLane.leave()
	told := quakesTold{}
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
		if told.already(&list[i]) {
			l.note(at, duplicate)
			continue
		}
		r, err := putAlert(ctx, cases, &list[i], m)
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

// unlisted ends the alerts of a feed that its newest list no longer holds. Where an item of the list could not be read nothing is ended:
// it may be the one that is missed.
func (p *Pipeline) unlisted(ctx context.Context, cases Cases, b *feeds.Batch, m *feeds.Meta) error {
	if len(b.Rejected) > 0 {
		return nil
	}
	if err := p.enter(ctx, &p.caseLane, false, "alerts"); err != nil {
		return err
	}
	defer p.caseLane.leave()
	ctx, cancel := context.WithTimeoutCause(ctx, p.caseWait, fmt.Errorf("no answer within %s", p.caseWait))
	defer cancel()
	_, err := cases.EndUnlisted(ctx, b.Alerts, *m)
	if err != nil && !errors.Is(err, feeds.ErrBusy) {
		err = fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	return err
}

// enter waits for the lane's end of other deliveries, which a store that hangs must not make endless: senders would pile up.
func (p *Pipeline) enter(ctx context.Context, l *lane, urgent bool, of string) error {
	late := time.NewTimer(p.caseWait)
	defer late.Stop()
	turn := l.join(urgent)
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		l.quit(turn)
		return fmt.Errorf("%w: wait for the %s of others: %w", feeds.ErrBusy, of, context.Cause(ctx))
	case <-late.C:
		l.quit(turn)
		return fmt.Errorf("%w: the %s of others have taken %s", feeds.ErrBusy, of, p.caseWait)
	case <-p.closed:
		l.quit(turn)
		return errStopping
	}
}

// aboutLives tells a delivery that holds an Extreme alert which is no exercise.
func aboutLives(list []feeds.Alert) bool {
	return slices.ContainsFunc(list, func(a feeds.Alert) bool {
		return a.Message.Status == "Actual" && slices.ContainsFunc(a.Message.Infos, func(i cap.Info) bool { return i.Severity == cap.Extreme })
	})
}

// putAlert stores one alert within caseLimit.
func putAlert(ctx context.Context, cases Cases, a *feeds.Alert, m *feeds.Meta) (store.Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, caseLimit, fmt.Errorf("no answer within %s", caseLimit))
	defer cancel()
	return cases.PutAgencyAlert(ctx, *a, *m)
}

// quakesTold holds the earthquakes of one delivery by minute of origin. BMKG's lists name a quake once for each of its solutions, the
// newest first: what follows is history, and would turn the alert back and forth with every poll.
type quakesTold map[int64][]*feeds.Alert

func (q quakesTold) already(a *feeds.Alert) bool {
	if a.Quake == nil || a.Message.MsgType == "Cancel" {
		return false
	}
	minute := a.Quake.OriginAt.Unix() / 60
	for m := minute - 1; m <= minute+1; m++ {
		for _, b := range q[m] {
			if alerts.SameReport(a, b) {
				return true
			}
		}
	}
	q[minute] = append(q[minute], a)
	return false
}
