package hub

import (
	"context"
	"fmt"
	"time"

	"kentongan/server/wire"
)

// Bounds of what a desk says that it has painted; a P1 is one row, and no queue shows more of them.
const (
	mostPainted = 200
	longestID   = 64
	paintedTime = 5 * time.Second
)

// painted passes on which alarms a client has drawn before somebody's eyes. What cannot be kept now is said again by the client, which does not
// find it in the alarm.
func (h *Hub) painted(c *client, alarms []string) (code, message string) {
	if len(alarms) == 0 || len(alarms) > mostPainted {
		return wire.ErrorBadMessage, fmt.Sprintf("alarms: %d, want 1 to %d", len(alarms), mostPainted)
	}
	for i, id := range alarms {
		if id == "" || len(id) > longestID {
			return wire.ErrorBadMessage, fmt.Sprintf("alarms[%d]: %d bytes, want 1 to %d", i, len(id), longestID)
		}
	}
	if h.d.Painted == nil || c.session == "" {
		return wire.ErrorBadMessage, "painted: only a session sits at a desk"
	}
	ctx, cancel := context.WithTimeout(context.Background(), paintedTime)
	defer cancel()
	if err := h.d.Painted(ctx, c.session, alarms); err != nil {
		h.d.Log.Debug().Err(err).Msg("that alarms were painted is not kept")
	}
	return "", ""
}
