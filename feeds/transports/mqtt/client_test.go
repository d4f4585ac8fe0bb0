package mqtt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rs/zerolog"

	"kentongan/feeds/bounded"
)

// mosquitto is a real broker; persistence in dir survives its end.
type mosquitto struct {
	addr string
	cmd  *exec.Cmd
}

// program finds a program of Debian's mosquitto or mosquitto-clients, or skips the test.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if path = "/usr/sbin/" + name; exec.Command(path, "-h").Run() != nil {
			if _, err := os.Stat(path); err != nil {
				t.Skipf("%s is not installed (Debian: mosquitto, mosquitto-clients)", name)
			}
		}
	}
	return path
}

func startMosquitto(t *testing.T, dir, addr string, settings ...string) *mosquitto {
	t.Helper()
	path := program(t, "mosquitto")
	if addr == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr = l.Addr().String()
		_ = l.Close()
	}
	_, port, _ := net.SplitHostPort(addr)
	conf := filepath.Join(dir, "mosquitto.conf")
	lines := append([]string{"listener " + port + " 127.0.0.1", "allow_anonymous true", "persistence true", "persistence_location " + dir + "/", "autosave_interval 1", "max_queued_messages 0"}, settings...)
	if os.Getuid() == 0 {
		lines = append(lines, "user root")
	}
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := &mosquitto{addr: addr, cmd: exec.Command(path, "-c", conf)}
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.stop)
	until(t, "mosquitto listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return m
}

// stop ends it in order, so that it keeps its sessions.
func (m *mosquitto) stop() {
	if m.cmd.ProcessState == nil {
		_ = m.cmd.Process.Signal(syscall.SIGTERM)
		_ = m.cmd.Wait()
	}
}

// publish sends one message through mosquitto_pub.
func mosquittoPub(t *testing.T, addr string, more ...string) (string, error) {
	t.Helper()
	host, port, _ := net.SplitHostPort(addr)
	out, err := exec.Command(program(t, "mosquitto_pub"), append([]string{"-h", host, "-p", port}, more...)...).CombinedOutput()
	return string(out), err
}

func client(addr string, w *watcher, change ...func(*ClientConfig)) *Client {
	c := ClientConfig{URL: "mqtt://" + addr, Topic: "awlr/#", ClientID: "kentongan-awlr", QoS: 1, Dial: bounded.Dialer(true), Watch: w, Log: zerolog.Nop()}
	for _, f := range change {
		f(&c)
	}
	return NewClient(c)
}

func (s *store) takeAll(t *testing.T, want ...string) {
	t.Helper()
	until(t, "all are stored", func() bool { return len(s.bodies()) >= len(want) })
	got := s.bodies()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("stored %q, want %q", got, want)
	}
}

func TestClientOfARealBroker(t *testing.T) {
	for _, version := range []string{Version5, Version311} {
		for _, qos := range []byte{0, 1, 2} {
			t.Run(fmt.Sprintf("%s QoS %d", version, qos), func(t *testing.T) {
				m := startMosquitto(t, t.TempDir(), "")
				s, w := &store{bad: "bad", busy: qos > 0}, &watcher{}
				k := client(m.addr, w, func(c *ClientConfig) { c.Version, c.QoS, c.MaxPayload = version, qos, 100 })
				stop := run(t, func(ctx context.Context) error { return k.Run(ctx, s.deliver) })
				until(t, "connected", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.open == 1 })
				var want []string
				for i := range 20 {
					body := fmt.Sprint("m", i)
					if out, err := mosquittoPub(t, m.addr, "-q", fmt.Sprint(qos), "-t", fmt.Sprint("awlr/", i%3), "-m", body); err != nil {
						t.Fatalf("%v: %s", err, out)
					}
					want = append(want, body)
				}
				_, _ = mosquittoPub(t, m.addr, "-q", fmt.Sprint(qos), "-t", "awlr/1", "-m", "bad")
				_, _ = mosquittoPub(t, m.addr, "-q", fmt.Sprint(qos), "-t", "awlr/1", "-m", strings.Repeat("x", 101))
				_, _ = mosquittoPub(t, m.addr, "-q", fmt.Sprint(qos), "-t", "other/1", "-m", "other")
				s.set(func(s *store) { s.busy = false })
				s.takeAll(t, want...)
				until(t, "the large one is refused", func() bool { _, _, refused := w.count(); return refused == 1 })
				stop()
				again := &store{}
				k = client(m.addr, w, func(c *ClientConfig) { c.Version, c.QoS = version, qos })
				run(t, func(ctx context.Context) error { return k.Run(ctx, again.deliver) })
				until(t, "connected again", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.open == 2 })
				_, _ = mosquittoPub(t, m.addr, "-q", fmt.Sprint(qos), "-t", "awlr/1", "-m", "last")
				until(t, "the last one", func() bool { return slices.Contains(again.bodies(), "last") })
				// An acknowledgement that was on its way when we left may be lost: then a message comes twice, and no other.
				known := append(slices.Clone(want), "bad", strings.Repeat("x", 101), "last")
				for _, body := range again.bodies() {
					if !slices.Contains(known, body) {
						t.Errorf("%q was never sent to us", body)
					}
				}
				t.Logf("came again: %d", len(again.bodies())-1)
			})
		}
	}
}

// What was published while we, and then the broker, were away is there once, and nothing is lost where the store is busy.
func TestQueuedAtTheBroker(t *testing.T) {
	for _, version := range []string{Version5, Version311} {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir()
			m := startMosquitto(t, dir, "")
			s, w := &store{busy: true}, &watcher{}
			configure := func(c *ClientConfig) { c.Version = version }
			k := client(m.addr, w, configure)
			stop := run(t, func(ctx context.Context) error { return k.Run(ctx, s.deliver) })
			until(t, "connected", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.open == 1 })
			var want []string
			send := func(n int) {
				cmd := exec.Command(program(t, "mosquitto_pub"), "-h", "127.0.0.1", "-p", strings.Split(m.addr, ":")[1], "-q", "1", "-t", "awlr/1", "-l")
				var lines strings.Builder
				for range n {
					body := fmt.Sprint("m", len(want))
					want = append(want, body)
					fmt.Fprintln(&lines, body)
				}
				cmd.Stdin = strings.NewReader(lines.String())
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			send(200) // the store is busy: the broker keeps them
			stop()
			send(200) // we are away
			m.stop()  // the broker is away
			w2 := &watcher{}
			k = client(m.addr, w2, configure)
			run(t, func(ctx context.Context) error { return k.Run(ctx, s.deliver) })
			until(t, "the fault is told", func() bool { _, faults, _ := w2.count(); return faults > 0 })
			if got := w2.faults[0]; !strings.HasPrefix(got, "refused: ") {
				t.Errorf("fault %q", got)
			}
			s.set(func(s *store) { s.busy = false })
			startMosquitto(t, dir, m.addr)
			s.takeAll(t, want...)
		})
	}
}

func TestClientFaults(t *testing.T) {
	dir := t.TempDir()
	m := startMosquitto(t, dir, "", "allow_anonymous false")
	for name, c := range map[string]struct {
		change func(*ClientConfig)
		want   string
	}{
		"name or password": {func(c *ClientConfig) { c.Version = Version5 }, "auth: "},
		"the same, 3.1.1":  {func(c *ClientConfig) { c.Version = Version311 }, "auth: "},
		"private address":  {func(c *ClientConfig) { c.Dial = bounded.Dialer(false) }, "address: "},
		"no TLS there":     {func(c *ClientConfig) { c.URL = "mqtts://" + m.addr }, ""},
		"nobody there":     {func(c *ClientConfig) { c.URL = "mqtt://127.0.0.1:1" }, "refused: "},
		"an unread secret": {func(c *ClientConfig) { c.Login = func() (Login, error) { return Login{}, errors.New("no file") } }, "auth: "},
		"a wrong name, 3.1": {func(c *ClientConfig) {
			c.Version = Version311
			c.Login = func() (Login, error) { return Login{"a", "b"}, nil }
		}, "auth: "},
	} {
		t.Run(name, func(t *testing.T) {
			w := &watcher{}
			k := client(m.addr, w, c.change)
			run(t, func(ctx context.Context) error { return k.Run(ctx, (&store{}).deliver) })
			until(t, "the fault is told", func() bool { _, faults, _ := w.count(); return faults > 0 })
			if got := w.faults[0]; !strings.HasPrefix(got, c.want) {
				t.Errorf("fault %q, want %s…", got, c.want)
			}
		})
	}
}

// fakeBroker answers each connection by a script.
func fakeBroker(t *testing.T, each func(n int, c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer c.Close(); each(n, c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return l.Addr().String()
}

// An old broker knows no version 5: it answers as 3.1.1 does, or hangs up.
func TestFallsBackToAnOlderVersion(t *testing.T) {
	for name, answer := range map[string][]byte{"a code of 3.1.1": {0x20, 2, 0, 1}, "a code of 5": {0x20, 3, 0, 0x84, 0}, "silence": nil} {
		t.Run(name, func(t *testing.T) {
			addr := fakeBroker(t, func(_ int, c net.Conn) {
				r := &raw{t: t, Conn: c}
				buf := make([]byte, 512)
				if n, _ := c.Read(buf); n < 9 || buf[8] != 4 {
					_, _ = c.Write(answer)
					return
				}
				r.send([]byte{0x20, 2, 0, 0})
				n, _ := c.Read(buf) // SUBSCRIBE
				if n > 3 {
					r.send([]byte{0x90, 3, buf[2], buf[3], 1})
				}
				_, _ = c.Read(buf)
			})
			w := &watcher{}
			k := client(addr, w)
			run(t, func(ctx context.Context) error { return k.Run(ctx, (&store{}).deliver) })
			until(t, "connected by 3.1.1", func() bool { open, _, _ := w.count(); return open > 0 })
		})
	}
}

// A broker that announces a packet of 200 MB gets no memory. It does so once SUBSCRIBE has come: the library's client counts its workers while
// it waits for them where a connection breaks in its Connect, which the race detector sees.
func TestEndlessPacket(t *testing.T) {
	addr := fakeBroker(t, func(_ int, c net.Conn) {
		buf := make([]byte, 512)
		_, _ = c.Read(buf)
		_, _ = c.Write([]byte{0x20, 3, 0, 0, 0})
		_, _ = c.Read(buf)
		_, _ = c.Write([]byte{0x30, 0xff, 0xff, 0xff, 0x60})
		_, _ = io.Copy(io.Discard, c)
	})
	w := &watcher{}
	k := client(addr, w, func(c *ClientConfig) { c.Version = Version5 })
	run(t, func(ctx context.Context) error { return k.Run(ctx, (&store{}).deliver) })
	until(t, "the fault is told", func() bool { _, faults, _ := w.count(); return faults > 0 })
	if got := w.faults[0]; !strings.HasPrefix(got, "size: ") {
		t.Errorf("fault %q", got)
	}
}

func TestRealPublisher(t *testing.T) {
	s := &store{}
	h := open(t)
	h.feed(t, "awlr", "", s)
	addr := h.Addr().String()
	var want []string
	for _, version := range []string{"mqttv311", "mqttv5"} {
		for _, qos := range []string{"0", "1", "2"} {
			body := version + " " + qos
			want = append(want, body)
			if out, err := mosquittoPub(t, addr, "-V", version, "-u", "awlr", "-P", key, "-q", qos, "-t", "awlr/1", "-m", body, "-r"); err != nil {
				t.Errorf("%s: %v: %s", body, err, out)
			}
		}
	}
	s.takeAll(t, want...)
	if out, err := mosquittoPub(t, addr, "-u", "awlr", "-P", "wrong", "-t", "awlr/1", "-m", "x"); err == nil || !strings.Contains(out, "not authorised") {
		t.Errorf("a wrong password: %v: %s", err, out)
	}
	out, err := exec.Command(program(t, "mosquitto_sub"), "-h", "127.0.0.1", "-p", strings.Split(addr, ":")[1], "-u", "awlr", "-P", key, "-t", "awlr/#", "-W", "2").CombinedOutput()
	if !strings.Contains(strings.ToLower(string(out)), "denied") {
		t.Errorf("mosquitto_sub: %v: %s", err, out)
	}
}
