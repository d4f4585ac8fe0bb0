package hub

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kentongan/feeds"
	"kentongan/geo/index"
	"kentongan/server/auth"
)

// Viewers of benchmarks live in a process of their own, so that what is measured is the server's share.
const (
	envAddr    = "KENTONGAN_TEST_VIEWERS_ADDR"
	envViewers = "KENTONGAN_TEST_VIEWERS"
	envView    = "KENTONGAN_TEST_VIEW" // empty: plain TCP
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(envAddr); addr != "" {
		n, _ := strconv.Atoi(os.Getenv(envViewers))
		os.Exit(drain(addr, n, os.Getenv(envView)))
	}
	goleak.VerifyTestMain(m)
}

// drain opens connections and reads what comes until its standard input ends.
func drain(addr string, n int, view string) int {
	var wg sync.WaitGroup
	limit := make(chan struct{}, 64)
	for i := range n {
		limit <- struct{}{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := net.Dial("tcp", addr)
			if err == nil && view != "" {
				err = shake(c, strings.ReplaceAll(view, "$i", strconv.Itoa(i)))
			}
			<-limit
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
			wg.Add(1)
			go func() {
				defer wg.Done()
				_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 8<<10))
			}()
		}()
	}
	for len(limit) > 0 {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// shake speaks the handshake and asks for a view.
func shake(c net.Conn, view string) error {
	if _, err := fmt.Fprintf(c, "GET /?format=binary HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"); err != nil {
		return err
	}
	head := make([]byte, 0, 512)
	for one := make([]byte, 1); !strings.HasSuffix(string(head), "\r\n\r\n"); head = append(head, one[0]) {
		if _, err := io.ReadFull(c, one); err != nil {
			return err
		}
	}
	frame := []byte{0x81, 0x80 | 126, byte(len(view) >> 8), byte(len(view)), 0, 0, 0, 0} // masked by zeros
	if len(view) < 126 {
		frame = []byte{0x81, 0x80 | byte(len(view)), 0, 0, 0, 0}
	}
	_, err := c.Write(append(frame, view...))
	return err
}

// crowd is viewers in a process of their own.
func crowd(t testing.TB, addr string, n int, view string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), envAddr+"="+addr, envViewers+"="+strconv.Itoa(n), envView+"="+view)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("the viewers said %q: %v", line, err)
	}
}

// stage is a hub in which every session is an administrator, without the costs of a test server.
type stage struct {
	*Hub
	pic  *index.Picture
	reg  *prometheus.Registry
	addr string
}

func newStage(t testing.TB, things []*feeds.Thing) *stage {
	t.Helper()
	pic, reg := index.NewPicture(), prometheus.NewRegistry()
	for _, th := range things {
		pic.Put(entryOf(th))
	}
	h := New(Deps{Picture: pic, Cases: newStream(), Version: "0.1.0", Epoch: "e1", Log: zerolog.Nop(), Reg: reg,
		Feeds: func() []feeds.FeedStatus { return []feeds.FeedStatus{{Name: "awlr", State: feeds.FeedOK}} }})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { _ = h.Run(ctx); close(ended) }()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Serve(w, r, auth.Admin(), r.URL.Query().Get("format") == "json")
	}))
	t.Cleanup(func() { cancel(); <-ended; srv.Close() })
	return &stage{h, pic, reg, srv.Listener.Addr().String()}
}

// counted gives a metric of the hub.
func (s *stage) counted(name string) float64 {
	all, _ := s.reg.Gather()
	for _, f := range all {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue() + f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return 0
}

// until waits for something to be so.
func until(t testing.TB, limit time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// live counts clients that have had their snapshot.
func (s *stage) live() int {
	got := make(chan int, 1)
	s.call(func() {
		n := 0
		for c := range s.clients {
			if c.live {
				n++
			}
		}
		got <- n
	})
	return <-got
}

// move gives the next place of some buses around Solok.
func (s *stage) move(things []*feeds.Thing, turn int) {
	list := make([]Change, len(things))
	for i, old := range things {
		th := *old
		th.Position.Lng += float64(turn%10) * 1e-5
		now := time.Now()
		th.At.Time, th.ReceivedAt.Time = now, now
		th.State = map[string]feeds.Reading{"speed": {Value: feeds.Value{Num: 10}, At: th.At, ReceivedAt: th.At, Quality: feeds.Good}}
		e := entryOf(&th)
		list[i] = Change{Entry: e, Old: s.pic.Get(th.ID), Thing: &th}
		s.pic.Put(e)
	}
	s.ThingsChanged(list)
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func buses(n int) []*feeds.Thing {
	list := make([]*feeds.Thing, n)
	for i := range list {
		list[i] = thing(fmt.Sprint("f:", i), "bus", -0.8+float64(i%20)*1e-3, 100.6+float64(i/20)*1e-3, 1)
		list[i].State = map[string]feeds.Reading{"speed": {Value: feeds.Value{Num: 9}, At: list[i].At, ReceivedAt: list[i].At, Quality: feeds.Good}}
	}
	return list
}

const ticksMeasured = 30

// BenchmarkFanout compares the CPU of bringing moved Things to viewers with that of writing the same bytes to as many plain sockets.
func BenchmarkFanout(b *testing.B) {
	for _, viewers := range []int{1000, 5000} {
		b.Run(fmt.Sprint(viewers), func(b *testing.B) {
			things := buses(100)
			hubbed, bytes, writes := hubTwin(b, viewers, things)
			raw := rawTwin(b, viewers, int(bytes)/viewers/ticksMeasured)
			n := float64(viewers * ticksMeasured * len(things))
			b.ReportMetric(hubbed.Seconds()/n*1e6, "cpu-s/1M")
			b.ReportMetric(raw.Seconds()/n*1e6, "raw-cpu-s/1M")
			b.ReportMetric(hubbed.Seconds()/raw.Seconds(), "x-raw")
			b.ReportMetric(bytes/n, "B/delivery")
			b.ReportMetric(writes/float64(viewers*ticksMeasured), "writes/viewer-tick")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// hubTwin brings moves to viewers, ten times a second, and gives the CPU it took.
func hubTwin(b *testing.B, viewers int, things []*feeds.Thing) (used time.Duration, bytes, writes float64) {
	s := newStage(b, things)
	crowd(b, s.addr, viewers, here)
	until(b, 30*time.Second, "every viewer has its snapshot", func() bool { return s.live() == viewers })
	time.Sleep(1500 * time.Millisecond)
	before, sent, wrote := cpu(), s.counted("kentongan_live_written_bytes_total"), s.counted("kentongan_live_writes_total")
	for i := range ticksMeasured {
		s.move(things, i)
		time.Sleep(100 * time.Millisecond)
	}
	used = cpu() - before
	return used, s.counted("kentongan_live_written_bytes_total") - sent, s.counted("kentongan_live_writes_total") - wrote
}

// BenchmarkCityOutside tells what doubling the city outside the view does to what viewers cost: their share is what is used with them
// less what is used without.
func BenchmarkCityOutside(b *testing.B) {
	const viewers = 1000
	things := buses(100)
	share := func(outside int) (time.Duration, float64) {
		far := buses(outside)
		for i, th := range far {
			th.ID = fmt.Sprint("far:", i)
			th.Position.Lat -= 3
			th.Cell = thing("x:y", "bus", th.Position.Lat, th.Position.Lng, 0).Cell
		}
		run := func(n int) (time.Duration, float64) {
			s := newStage(b, append(append([]*feeds.Thing(nil), things...), far...))
			if n > 0 {
				crowd(b, s.addr, n, here)
				until(b, 30*time.Second, "every viewer has its snapshot", func() bool { return s.live() == n })
			}
			time.Sleep(time.Second)
			before, sent := cpu(), s.counted("kentongan_live_written_bytes_total")
			for i := range ticksMeasured {
				s.move(things, i)
				s.move(far, i)
				time.Sleep(100 * time.Millisecond)
			}
			return cpu() - before, s.counted("kentongan_live_written_bytes_total") - sent
		}
		without, _ := run(0)
		with, bytes := run(viewers)
		return with - without, bytes
	}
	one, oneBytes := share(2000)
	two, twoBytes := share(4000)
	b.ReportMetric(two.Seconds()/one.Seconds(), "x-cpu")
	b.ReportMetric(twoBytes/oneBytes, "x-bytes")
	b.ReportMetric(one.Seconds()/viewers/ticksMeasured*1e6, "us/viewer-tick")
	b.ReportMetric(0, "ns/op")
}

// rawTwin writes as many bytes to as many sockets as often, by two goroutines.
func rawTwin(b *testing.B, viewers, size int) time.Duration {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	conns := make([]net.Conn, 0, viewers)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	all := make(chan struct{})
	go func() {
		for len(conns) < viewers {
			c, err := l.Accept()
			if err != nil {
				break
			}
			conns = append(conns, c)
		}
		close(all)
	}()
	crowd(b, l.Addr().String(), viewers, "")
	<-all
	msg := make([]byte, size)
	before := cpu()
	for range ticksMeasured {
		began := time.Now()
		var wg sync.WaitGroup
		for half := range 2 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := half; i < len(conns); i += 2 {
					_, _ = conns[i].Write(msg)
				}
			}()
		}
		wg.Wait()
		time.Sleep(100*time.Millisecond - time.Since(began))
	}
	return cpu() - before
}
