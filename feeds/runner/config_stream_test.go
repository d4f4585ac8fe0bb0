package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

// said gives the faults of an entry, each with its key, joined.
func said(c FeedConfig) string {
	var out []string
	for _, err := range c.Validate() {
		var f *ConfigError
		if !errors.As(err, &f) || f.Reason == "" {
			return "no key: " + err.Error()
		}
		out = append(out, f.Key)
	}
	return strings.Join(out, " ")
}

func TestStreamFaultsNameTheirKeys(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "subscribe")
	if err := os.WriteFile(secret, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tcp := func(change func(c *FeedConfig)) FeedConfig {
		return entry("a", func(c *FeedConfig) { c.Format, c.Transport, c.Listen = "ais", TCP, "127.0.0.1:10110"; change(c) })
	}
	dialled := func(change func(c *FeedConfig)) FeedConfig {
		return entry("a", func(c *FeedConfig) {
			c.Format, c.Transport, c.URL, c.AllowPrivate = "ais", TCP, "tcp://10.0.0.1:5631", true
			change(c)
		})
	}
	udp := func(change func(c *FeedConfig)) FeedConfig {
		return entry("a", func(c *FeedConfig) { c.Format, c.Transport, c.Listen = "cot", UDP, "127.0.0.1:6969"; change(c) })
	}
	ws := func(change func(c *FeedConfig)) FeedConfig {
		return entry("a", func(c *FeedConfig) { c.Transport, c.URL = WS, "wss://a.example/x"; change(c) })
	}
	watched := func(change func(c *FeedConfig)) FeedConfig {
		return entry("a", func(c *FeedConfig) { c.Transport, c.Path, c.Watch = File, "/x", true; change(c) })
	}
	for _, c := range []struct {
		name   string
		config FeedConfig
		keys   string
	}{
		{"tcp", tcp(func(*FeedConfig) {}), ""},
		{"tcp to the limit", tcp(func(c *FeedConfig) { c.MaxFrame, c.MaxConnections, c.Idle = 4<<20, 100_000, 24*time.Hour }), ""},
		{"tcp everywhere", tcp(func(c *FeedConfig) { c.Listen, c.From = ":10110", []string{"10.0.0.0/8", "192.168.1.7", "fd00::/8"} }), ""},
		{"tcp everywhere, from anyone", tcp(func(c *FeedConfig) { c.Listen = "0.0.0.0:10110" }), "from"},
		{"tcp on a name", tcp(func(c *FeedConfig) { c.Listen = "localhost:1" }), ""},
		{"tcp on another's name", tcp(func(c *FeedConfig) { c.Listen = "a.example:1" }), "listen"},
		{"no port", tcp(func(c *FeedConfig) { c.Listen = "127.0.0.1" }), "listen"},
		{"no such port", tcp(func(c *FeedConfig) { c.Listen = "127.0.0.1:70000" }), "listen"},
		{"tcp on a group", tcp(func(c *FeedConfig) { c.Listen, c.From = "239.2.3.1:6969", []string{"10.0.0.0/8"} }), "listen"},
		{"neither", tcp(func(c *FeedConfig) { c.Listen = "" }), "listen"},
		{"both", dialled(func(c *FeedConfig) { c.Listen = "127.0.0.1:1" }), "listen"},
		{"all at once", tcp(func(c *FeedConfig) {
			c.Listen, c.From, c.MaxFrame, c.MaxConnections, c.Idle, c.Subscribe = "x", []string{"10.0.0.0/33", "all"}, 1, -1, time.Millisecond, "x"
		}), "idle max_frame max_connections listen from from subscribe"},
		{"csv without columns", tcp(func(c *FeedConfig) { c.Format, c.Map = "csv", "{thing: .a, property: \"b\", value: 1}" }), "options.columns"},
		{"csv with columns", tcp(func(c *FeedConfig) {
			c.Format, c.Map, c.Options = "csv", "{thing: .a, property: \"b\", value: 1}", map[string]any{"columns": []any{"a"}}
		}), ""},

		{"dialled", dialled(func(*FeedConfig) {}), ""},
		{"dialled by TLS", dialled(func(c *FeedConfig) { c.URL = "tls://a.example:5631" }), ""},
		{"dialled by http", dialled(func(c *FeedConfig) { c.URL = "http://a.example:5631" }), "url"},
		{"dialled without a port", dialled(func(c *FeedConfig) { c.URL = "tcp://a.example" }), "url"},
		{"dialled with a path", dialled(func(c *FeedConfig) { c.URL = "tcp://a.example:1/x" }), "url"},
		{"dialled and from", dialled(func(c *FeedConfig) { c.From, c.MaxConnections = []string{"10.0.0.0/8"}, 5 }), "from max_connections"},
		{"dialled with a sign-in", dialled(func(c *FeedConfig) { c.Auth.Bearer, c.Headers = "x", map[string]Secret{"A": "b"} }), "auth headers"},

		{"udp", udp(func(*FeedConfig) {}), ""},
		{"udp on a group", udp(func(c *FeedConfig) { c.Listen, c.From = "239.2.3.1:6969", []string{"10.0.0.0/8"} }), ""},
		{"udp with what tcp has", udp(func(c *FeedConfig) { c.MaxConnections, c.Idle, c.URL, c.Listen = 5, time.Minute, "udp://a:1", "" }), "url max_connections idle listen"},

		{"ws", ws(func(c *FeedConfig) { c.Subscribe, c.Idle = "{}", time.Minute }), ""},
		{"ws to http", ws(func(c *FeedConfig) { c.URL = "https://a.example/" }), "url"},
		{"ws with a name in the address", ws(func(c *FeedConfig) { c.URL = "wss://u:p@a.example/" }), "url"},
		{"ws without anything", ws(func(c *FeedConfig) { c.URL, c.MaxBody = "", 0 }), "url max_body"},
		{"ws and a file that is empty", ws(func(c *FeedConfig) { c.SubscribeFile = secret }), "subscribe_file"},
		{"ws and a file that is gone", ws(func(c *FeedConfig) { c.SubscribeFile = secret + ".gone" }), "subscribe_file"},
		{"ws and two subscriptions", ws(func(c *FeedConfig) { c.Subscribe, c.SubscribeFile = "x", secret }), "subscribe_file subscribe_file"},

		{"watch", watched(func(*FeedConfig) {}), ""},
		{"watch as a recording", watched(func(c *FeedConfig) { c.Loop, c.Shift, c.Simulated, c.Speed = true, true, true, 2 }), "loop shift speed"},
		{"watch elsewhere", ws(func(c *FeedConfig) { c.Watch, c.Path = true, "/x" }), "path watch"},
		{"streams' keys elsewhere", entry("a", func(c *FeedConfig) {
			c.Listen, c.From, c.MaxFrame, c.MaxConnections, c.Idle, c.SubscribeFile = "127.0.0.1:1", []string{"10.0.0.0/8"}, 1000, 5, time.Minute, secret
		}), "listen max_frame max_connections idle subscribe_file"},
	} {
		if got := said(c.config); got != c.keys {
			t.Errorf("%s: faults in %q, want %q: %v", c.name, got, c.keys, c.config.Validate())
		}
	}
}

func TestNetworks(t *testing.T) {
	for text, holds := range map[string]string{
		"10.1.0.0/16": "10.1.255.3", "10.1.2.3": "10.1.2.3", "::ffff:10.1.0.0/112": "10.1.2.3", "fd00::/8": "fd12::1", "fe80::1%eth0": "fe80::1", "10.1.2.3/16": "10.1.9.9", "0.0.0.0/0": "8.8.8.8",
	} {
		p, err := network(text)
		if err != nil || !p.Contains(netip.MustParseAddr(holds)) {
			t.Errorf("%s: %v, %v does not hold %s", text, err, p, holds)
		}
	}
	for _, bad := range []string{"", "all", "10.0.0.0/33", "10.0.0/8", "a.example"} {
		if p, err := network(bad); err == nil {
			t.Errorf("%q was taken as %v", bad, p)
		}
	}
}

func TestWhoDrivesAStream(t *testing.T) {
	for _, c := range []struct {
		config FeedConfig
		driven bool
		idle   time.Duration
	}{
		{FeedConfig{Transport: TCP, Listen: "127.0.0.1:1"}, true, 10 * time.Minute},
		{FeedConfig{Transport: TCP, Listen: "127.0.0.1:1", Interval: time.Hour}, true, 3 * time.Hour},
		{FeedConfig{Transport: UDP, Listen: "127.0.0.1:1"}, true, 10 * time.Minute},
		{FeedConfig{Transport: TCP, URL: "tcp://a:1"}, false, time.Minute},
		{FeedConfig{Transport: TCP, URL: "tcp://a:1", Interval: time.Minute}, false, 3 * time.Minute},
		{FeedConfig{Transport: TCP, URL: "tcp://a:1", Interval: time.Minute, Idle: 5 * time.Second}, false, 5 * time.Second},
		{FeedConfig{Transport: WS, URL: "ws://a"}, false, 0},
		{FeedConfig{Transport: WS, URL: "ws://a", Interval: 10 * time.Second}, false, time.Minute},
		{FeedConfig{Transport: File, Watch: true}, false, time.Minute},
	} {
		if c.config.Driven() != c.driven || c.config.silence() != c.idle {
			t.Errorf("%+v: driven %v, silent for %v", c.config, c.config.Driven(), c.config.silence())
		}
	}
}

// states counts how often each state was noted.
type states struct {
	mu    sync.Mutex
	noted []string
}

func (s *states) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text := string(line); strings.Contains(text, `"message":"feed state"`) {
		for _, state := range []string{"ok", "late", "failing", "off"} {
			if strings.Contains(text, `"state":"`+state+`"`) {
				s.noted = append(s.noted, state)
			}
		}
	}
	return len(line), nil
}

// A stream that breaks every 10 s is one note and not 360, whether or not it brings something meanwhile.
func TestAFlappingStreamIsOneNote(t *testing.T) {
	for _, brings := range []string{"", "a\n"} {
		var noted states
		var s store
		dials := 0
		synctest.Test(t, func(t *testing.T) {
			var sides sync.WaitGroup
			defer sides.Wait()
			dial := func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				dials++
				sides.Go(func() {
					defer far.Close()
					_, _ = far.Write([]byte(brings))
					time.Sleep(10 * time.Second)
				})
				return near, nil
			}
			config := entry("a", func(c *FeedConfig) { c.Transport, c.URL = TCP, "tcp://far.example:1" })
			r, err := New([]FeedConfig{config}, &s, Options{Formats: formatsForTests, Dial: dial, Log: zerolog.New(&noted)})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_ = r.Run(ctx)
		})
		if got := fmt.Sprint(noted.noted); got != "[ok failing off]" && got != "[failing off]" || dials < 30 {
			t.Errorf("bringing %q: noted %v in an hour of %d connections", brings, got, dials)
		}
		if brings != "" && len(s.batches) != dials {
			t.Errorf("%d deliveries by %d connections", len(s.batches), dials)
		}
	}
}

// A port that is taken is said, and forgotten a while after it is ours.
func TestHealthAfterAWayInIsThereAgain(t *testing.T) {
	r, _, clock := build(t, entry("a", func(c *FeedConfig) { c.Transport, c.Listen = TCP, "127.0.0.1:1" }))
	h := r.inlets["a"].health
	h.Fault(&bounded.Fault{Code: "listen", Text: "127.0.0.1:1 is taken by another program"})
	if s := r.Status()[0]; s.State != feeds.FeedFailing || s.Reason != "listen: 127.0.0.1:1 is taken by another program" {
		t.Errorf("%+v", s)
	}
	clock.move(5 * time.Minute)
	h.Well()
	if s := r.Status()[0]; s.State != feeds.FeedFailing || !strings.HasPrefix(s.Reason, "unstable: ") {
		t.Errorf("%+v", s)
	}
	clock.move(wellFor + time.Second)
	if s := r.Status()[0]; s.State != feeds.FeedOK || !strings.HasPrefix(s.Reason, "waiting: ") {
		t.Errorf("%+v", s)
	}
	h.Reject(7, &bounded.Fault{Code: "overflow", Text: "7 datagrams came faster than they are stored"})
	if s := r.Status()[0]; s.Rejects != 7 || s.State != feeds.FeedOK || s.RejectsByReason["overflow: … datagrams came faster than they are stored"] != 7 {
		t.Errorf("%+v", s)
	}
}
