package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"kentongan/alerts/store"
)

// follow loads the open cases and follows the stream, over every failure of the store.
func (h *Hub) follow(ctx context.Context) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 20*time.Millisecond, 2*time.Second
	offset := int64(-1)
	for ctx.Err() == nil {
		err := h.followFrom(ctx, &offset, wait)
		if ctx.Err() != nil {
			return
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
	wait.Reset()
	return h.d.Cases.Tail(ctx, *offset, func(c store.Change) error {
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
	list := make([]change, 0, len(open.Incidents)+len(open.Alerts)+len(open.Reports))
	add := func(noun, id string, v any) error {
		doc, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("hub: %s %s: %w", noun, id, err)
		}
		list = append(list, change{offset: open.Offset, noun: noun, id: id, doc: doc})
		return nil
	}
	for i := range open.Incidents {
		if err := add("incident", open.Incidents[i].ID, &open.Incidents[i]); err != nil {
			return nil, err
		}
	}
	for i := range open.Reports {
		if err := add("report", open.Reports[i].ID, &open.Reports[i]); err != nil {
			return nil, err
		}
	}
	for i := range open.Alerts {
		if err := add("alert", open.Alerts[i].ID, &open.Alerts[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}
