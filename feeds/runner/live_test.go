package runner

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kentongan/feeds"
)

// counting is a sink that is slow and counts what it is given, by feed and kind.
type counting struct {
	mu   sync.Mutex
	of   map[string]int
	slow time.Duration
}

func (s *counting) Store(_ context.Context, b feeds.Batch, m feeds.Meta) (feeds.Receipt, error) {
	time.Sleep(s.slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[m.Feed+"/"+m.Kind] += b.Records()
	return feeds.Receipt{Accepted: b.Records()}, nil
}

func (s *counting) count(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[key]
}

const onePost = `{"thing":"a","property":"p","value":1}`

// Pushes go on while their feed is replaced again and again: none is lost, none is refused, and other feeds hear nothing of it.
func TestAFeedIsReplacedUnderPushes(t *testing.T) {
	s := &counting{of: map[string]int{}, slow: time.Millisecond}
	kind := func(n int) FeedConfig {
		c := DefaultConfig()
		c.Name, c.Format, c.Kind = "live", "native", fmt.Sprint("k", n)
		return c
	}
	still := kind(0)
	still.Name = "still"
	r, err := New([]FeedConfig{still, kind(0)}, s, Options{Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	var stored, other atomic.Int64
	var senders sync.WaitGroup
	stop := make(chan struct{})
	for i := range 6 {
		senders.Go(func() {
			name, n := "live", &stored
			if i == 0 {
				name, n = "still", &other
			}
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := r.Deliver(t.Context(), name, []byte(onePost), feeds.Meta{}); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				n.Add(1)
			}
		})
	}
	var final []int // stored by each of the settings when they were replaced
	for n := 1; n <= 30; n++ {
		was := stored.Load()
		soon(t, "pushes go on", func() bool { return stored.Load() > was })
		if err := r.Put(kind(n)); err != nil {
			t.Fatal(err)
		}
		final = append(final, s.count(fmt.Sprint("live/k", n-1)))
	}
	close(stop)
	senders.Wait()
	total := s.count("live/k30")
	for n, was := range final {
		if now := s.count(fmt.Sprint("live/k", n)); now != was {
			t.Errorf("%d deliveries are stored by settings %d after they were replaced", now-was, n)
		}
		total += was
	}
	if int64(total) != stored.Load() || total == 0 || other.Load() == 0 || int64(s.count("still/k0")) != other.Load() {
		t.Errorf("%d acknowledged, %d stored; beside it %d and %d", stored.Load(), total, other.Load(), s.count("still/k0"))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A delivery under way is stored with the settings it came by, before the feed has others.
func TestADeliveryUnderWayEndsBeforeItsFeedDoes(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	s := sinkFunc(func(b feeds.Batch, m feeds.Meta) { close(begun); <-release })
	c := entry("live", func(c *FeedConfig) { c.Format = "native" })
	r, err := New([]FeedConfig{c}, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	delivered, removed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := r.Deliver(t.Context(), "live", []byte(onePost), feeds.Meta{})
		delivered <- err
	}()
	<-begun
	go func() { removed <- r.Remove("live") }()
	select {
	case err := <-removed:
		t.Fatalf("removed (%v) while a delivery is under way", err)
	case <-time.After(50 * time.Millisecond):
	}
	late, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := r.Deliver(late, "live", []byte(onePost), feeds.Meta{}); !errors.Is(err, feeds.ErrBusy) {
		t.Errorf("a push meanwhile: %v, want it to wait and to be told to come again", err)
	}
	close(release)
	if err := errors.Join(<-delivered, <-removed); err != nil {
		t.Error(err)
	}
	if _, err := r.Deliver(t.Context(), "live", []byte(onePost), feeds.Meta{}); !errors.Is(err, ErrUnknownFeed) {
		t.Errorf("after its removal: %v", err)
	}
	if len(r.Status()) != 0 || len(r.Names()) != 0 {
		t.Errorf("%v %v", r.Names(), r.Status())
	}
}

type sinkFunc func(feeds.Batch, feeds.Meta)

func (f sinkFunc) Store(_ context.Context, b feeds.Batch, m feeds.Meta) (feeds.Receipt, error) {
	f(b, m)
	return feeds.Receipt{Accepted: b.Records()}, nil
}

// A poll feed is added, replaced by another address, and removed, while Run and RunFeed are there.
func TestAPollIsAddedReplacedAndRemoved(t *testing.T) {
	var first, second atomic.Int64
	serve := func(n *atomic.Int64) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n.Add(1)
			_, _ = w.Write([]byte(onePost))
		}))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	at := func(url string) FeedConfig {
		return entry("web", func(c *FeedConfig) {
			c.Format, c.Transport, c.URL, c.Every, c.AllowPrivate = "native", Poll, url, time.Second, true
		})
	}
	one, two := serve(&first), serve(&second)
	for name, run := range map[string]func(context.Context, *Runner) error{
		"Run":     func(ctx context.Context, r *Runner) error { return r.Run(ctx) },
		"RunFeed": func(ctx context.Context, r *Runner) error { return r.RunFeed(ctx, "web", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			first.Store(0)
			second.Store(0)
			r, err := New(nil, &counting{of: map[string]int{}}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Put(at(one)); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- run(ctx, r) }()
			soon(t, "the first address is asked", func() bool { return first.Load() > 0 })
			if err := r.Put(at(two)); err != nil {
				t.Fatal(err)
			}
			before := first.Load()
			soon(t, "the second address is asked", func() bool { return second.Load() > 1 })
			if first.Load() != before {
				t.Errorf("the first address is asked after the feed was given another")
			}
			if err := r.Put(at("ftp://x")); err == nil || !strings.Contains(err.Error(), `feed "web": url:`) {
				t.Errorf("a faulty entry: %v", err)
			}
			if err := r.Remove("web"); err != nil {
				t.Fatal(err)
			}
			if name == "Run" {
				cancel()
			}
			if err := <-ended; err != nil && !errors.Is(err, ErrUnknownFeed) {
				t.Error(err)
			}
			cancel()
			if err := r.Remove("web"); !errors.Is(err, ErrUnknownFeed) {
				t.Error(err)
			}
		})
	}
}

func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}
