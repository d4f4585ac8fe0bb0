package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"kentongan/alerts"
	"kentongan/alerts/alarm"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/plan"
	"kentongan/alerts/report"
	"kentongan/alerts/statement"
	"kentongan/alerts/status"
	"kentongan/alerts/store"
	"kentongan/alerts/unit"
	"kentongan/server/wire"
)

// follow loads the open cases and follows the stream, over every failure of the store; and loads them again where this server stood still for
// longer than the stream reaches back.
func (h *Hub) follow(ctx context.Context) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 20*time.Millisecond, 2*time.Second
	offset := int64(-1)
	for ctx.Err() == nil {
		err := h.followFrom(ctx, &offset, wait)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, store.ErrCut) {
			offset = -1
		}
		h.log.Warn().Err(err).Msg("the case stream is interrupted; trying again")
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait.NextBackOff()):
		}
	}
}

func (h *Hub) followFrom(ctx context.Context, offset *int64, wait *backoff.ExponentialBackOff) error {
	if *offset < 0 {
		open, err := h.d.Cases.Snapshot(ctx)
		if err != nil {
			return fmt.Errorf("hub: open cases: %w", err)
		}
		list, err := standingOf(open)
		if err != nil {
			return err
		}
		*offset = open.Offset
		if err := h.give(ctx, portion{reset: true, offset: open.Offset, list: list, cut: open.Cut}); err != nil {
			return err
		}
	}
	return h.d.Cases.Tail(ctx, *offset, func(c store.Change) error {
		wait.Reset()
		*offset = c.Offset
		return h.give(ctx, portion{list: []change{{offset: c.Offset, noun: c.Type, id: c.ID, doc: c.Doc}}})
	})
}

// portion is a piece of the case stream, or what stands at an offset.
type portion struct {
	reset  bool
	cut    bool // there are more standing reports than those
	offset int64
	list   []change
}

// give hands a portion to the hub's goroutine; one channel keeps the order.
func (h *Hub) give(ctx context.Context, p portion) error {
	select {
	case h.stream <- p:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func standingOf(open store.Open) ([]change, error) {
	var list []change
	err := errors.Join(
		each(&list, open.Offset, wire.TypeIncident, open.Incidents, func(d *incident.Incident) string { return d.ID }),
		each(&list, open.Offset, wire.TypeAlert, open.Alerts, func(d *alerts.Alert) string { return d.ID }),
		each(&list, open.Offset, wire.TypeReport, open.Reports, func(d *report.Report) string { return d.ID }),
		each(&list, open.Offset, wire.TypeAlarm, open.Alarms, func(d *alarm.Alarm) string { return d.ID }),
		each(&list, open.Offset, wire.TypeSuggestion, open.Suggestions, func(d *fusion.Suggestion) string { return d.ID }),
		each(&list, open.Offset, wire.TypePlan, open.Plans, func(d *plan.Plan) string { return d.ID }),
		each(&list, open.Offset, wire.TypeStatement, open.Statements, func(d *statement.Statement) string { return d.ID }),
		each(&list, open.Offset, wire.TypeStatus, open.Statuses, func(d *status.Status) string { return d.ID }),
		each(&list, open.Offset, wire.TypeUnit, open.Units, func(d *unit.Unit) string { return d.ID }),
		each(&list, open.Offset, wire.TypeDispatch, open.Dispatches, func(d *dispatch.Dispatch) string { return d.ID }),
	)
	return list, err
}

// each adds what stands of a noun.
func each[T any](list *[]change, offset int64, noun string, docs []T, id func(*T) string) error {
	for i := range docs {
		doc, err := json.Marshal(&docs[i])
		if err != nil {
			return fmt.Errorf("hub: %s %s: %w", noun, id(&docs[i]), err)
		}
		*list = append(*list, change{offset: offset, noun: noun, id: id(&docs[i]), doc: doc})
	}
	return nil
}
