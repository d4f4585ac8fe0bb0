//go:build !race

// The race detector has memory of its own for each word, so memory is measured without it (make go-test-plain).

package hub

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/feeds"
)

// TestIdleViewerIsSmall: what an idle viewer costs in memory of the server, sockets of the kernel not counted: where all look at the same,
// and where each has a view of its own, of some 500 cells.
func TestIdleViewerIsSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("two thousand viewers")
	}
	const viewers, most = 2000, 10 << 10
	var wide []*feeds.Thing
	for i := range 2500 {
		wide = append(wide, thing(fmt.Sprint("f:", i), "bus", -0.95+float64(i%50)*.008, 100.4+float64(i/50)*.012, 1))
	}
	for name, view := range map[string]string{"shared": `{"op":"view","bbox":[100.4,-0.95,101,-0.55],"zoom":11,"layers":["*"]}`,
		"own": `{"op":"view","bbox":[100.4,-0.95,101,-0.55$i],"zoom":11,"layers":["*"]}`} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, wide)
			warm, _, err := websocket.DefaultDialer.Dial("ws://"+s.addr+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = warm.Close()
			before := inUse()
			crowd(t, s.addr, viewers, view)
			until(t, 60*time.Second, "every viewer has its snapshot", func() bool { return s.live() == viewers })
			time.Sleep(2500 * time.Millisecond) // seconds are told, pools empty
			each := (inUse() - before) / viewers
			t.Logf("an idle viewer costs %d B; %v scopes, %d cells hold Things", each, s.counted("kentongan_live_scopes"), len(s.city.frames))
			if p := os.Getenv("KENTONGAN_TEST_HEAP"); p != "" {
				f, _ := os.Create(p + name)
				_ = pprof.WriteHeapProfile(f)
				_ = f.Close()
			}
			if each > most {
				t.Errorf("an idle viewer costs %d B, want at most %d", each, most)
			}
		})
	}
}

// inUse is heap and stacks after garbage has gone.
func inUse() int {
	for range 3 {
		runtime.GC()
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
