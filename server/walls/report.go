package walls

import (
	"context"
	"encoding/json"
	"fmt"

	"kentongan/feeds"
	"kentongan/geo/moment"
)

// WallReport is what a wall says of itself, each half minute.
type WallReport struct {
	At          moment.Time  `json:"at" required:"false" doc:"By the server's clock; what a wall says here is not read"`
	Scene       string       `json:"scene" maxLength:"40"`
	Width       int          `json:"width" minimum:"0" maximum:"32768" doc:"CSS pixels"`
	Height      int          `json:"height" minimum:"0" maximum:"32768"`
	Ratio       float64      `json:"ratio" minimum:"0" maximum:"16" doc:"Device pixels to one of CSS"`
	HeapBytes   int64        `json:"heap_bytes" minimum:"0" doc:"JavaScript heap in use; 0: the browser does not say"`
	Nodes       int          `json:"nodes" minimum:"0" doc:"DOM nodes"`
	LatencyMS   GlassLatency `json:"latency_ms"`
	WorstSource string       `json:"worst_source" maxLength:"63" doc:"Feed whose readings reached the glass last"`
	WebGLLost   int          `json:"webgl_lost" minimum:"0" doc:"How often the map lost its WebGL context since the page was opened"`
	Reconnects  int          `json:"reconnects" minimum:"0"`
	UptimeS     int64        `json:"uptime_s" minimum:"0" doc:"Since the page was opened"`
	Silenced    bool         `json:"sound_blocked" required:"false" doc:"It is to sound, and its browser holds the sound back until somebody presses something there"`
	Build       string       `json:"build" maxLength:"64"`
}

// GlassLatency is how long readings took from the sensor to the glass, in milliseconds.
type GlassLatency struct {
	P50 float64 `json:"p50" minimum:"0"`
	P95 float64 `json:"p95" minimum:"0"`
	P99 float64 `json:"p99" minimum:"0"`
}

// Reported keeps what a wall says of itself, with the time. Errors: feeds.ErrBusy.
func (s *Store) Reported(ctx context.Context, id string, r WallReport) error {
	r.At = moment.Of(s.Now())
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := s.Redis.HSet(ctx, s.Keys.WallReport(), id, text).Err(); err != nil {
		return fmt.Errorf("%w: report of a wall: %w", feeds.ErrBusy, err)
	}
	return nil
}

// reportOf reads a report; what cannot be read is none.
func reportOf(text string) *WallReport {
	var r WallReport
	if text == "" || json.Unmarshal([]byte(text), &r) != nil {
		return nil
	}
	return &r
}
