package ingest

import (
	"context"
	"maps"
	"sync"

	"kentongan/alerts/store"
)

// heldState is the part of a fake case store that keeps where the rules stand, and has no cases to follow.
type heldState struct {
	held  sync.Mutex
	state store.RuleState
	saves int
	tail  chan store.Change // nil: nothing comes
}

func (h *heldState) RuleState(context.Context) (store.RuleState, error) {
	h.held.Lock()
	defer h.held.Unlock()
	out := h.state
	out.Parts = maps.Clone(h.state.Parts)
	if out.Parts == nil {
		out.Parts, out.Cases = map[string][]byte{}, -1
	}
	return out, nil
}

func (h *heldState) SaveRuleState(_ context.Context, c store.RuleState) error {
	h.held.Lock()
	defer h.held.Unlock()
	h.saves++
	if h.state.Parts == nil {
		h.state.Parts = map[string][]byte{}
	}
	h.state.At, h.state.Cases, h.state.Kept = c.At, c.Cases, true
	for name, part := range c.Parts {
		if part == nil {
			delete(h.state.Parts, name)
			continue
		}
		h.state.Parts[name] = append([]byte(nil), part...)
	}
	return nil
}

func (h *heldState) Tail(ctx context.Context, _ int64, fn func(store.Change) error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case c := <-h.tail:
			if err := fn(c); err != nil {
				return err
			}
		}
	}
}

func (h *heldState) Snapshot(context.Context) (store.Open, error) { return store.Open{}, nil }
