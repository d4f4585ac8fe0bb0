package ingest

import (
	"testing"
	"time"
)

func TestABurstTeachesNoCadence(t *testing.T) {
	var c cadence
	for range 6 {
		c.learn(5 * time.Millisecond)
	}
	if got := c.interval(); got != 0 {
		t.Errorf("six readings within 30 ms taught an interval of %s", got)
	}
	for range 100 {
		c.learn(100 * time.Millisecond)
	}
	if got := c.interval(); got < time.Second || got > 1200*time.Millisecond {
		t.Errorf("ten readings a second taught %s, want about a second", got)
	}
}
