package ws

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type house struct {
	mu      sync.Mutex
	bodies  []string
	tries   int
	answer  func(n int, body string) error
	faults  []string
	rejects []string
}

func (h *house) deliver(_ context.Context, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tries++
	if h.answer != nil {
		if err := h.answer(h.tries, string(body)); err != nil {
			return feeds.Outcome{}, err
		}
	}
	h.bodies = append(h.bodies, string(body))
	return feeds.Outcome{}, nil
}

func (h *house) Fault(err error) {
	h.mu.Lock()
	h.faults = append(h.faults, err.Error())
	h.mu.Unlock()
}
func (h *house) Well() {}
func (h *house) Reject(_ int, err error) {
	h.mu.Lock()
	h.rejects = append(h.rejects, err.Error())
	h.mu.Unlock()
}
func (h *house) heard() string { h.mu.Lock(); defer h.mu.Unlock(); return strings.Join(h.bodies, "|") }
func (h *house) fault() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.faults) == 0 {
		return ""
	}
	return h.faults[0]
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// source is a WebSocket server whose connections side plays.
func source(t *testing.T, side func(r *http.Request, conn *websocket.Conn)) *httptest.Server {
	t.Helper()
	var all sync.WaitGroup
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		all.Go(func() { defer conn.Close(); side(r, conn) })
	}))
	t.Cleanup(func() { s.Close(); all.Wait() })
	return s
}

// hear runs a transport until holds, and stops it.
func hear(t *testing.T, h *house, c Config, holds func() bool) {
	t.Helper()
	c.URL, c.Watch, c.Log = strings.Replace(c.URL, "http", "ws", 1), h, zerolog.Nop()
	if c.Dial == nil {
		c.Dial = bounded.Dialer(true)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- New(c).Run(ctx, h.deliver) }()
	until(t, "what the test waits for", holds)
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("it does not stop")
	}
}

func drain(conn *websocket.Conn) {
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}

func TestMessagesAreDeliveries(t *testing.T) {
	var asked http.Header
	var subscribed string
	s := source(t, func(r *http.Request, conn *websocket.Conn) {
		asked = r.Header
		_, text, _ := conn.ReadMessage()
		subscribed = string(text)
		_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"a":1}`))
		_ = conn.WriteMessage(websocket.BinaryMessage, []byte{0xff, 0x00})
		_ = conn.WriteMessage(websocket.TextMessage, []byte{0xff, 0xfe})
		_ = conn.WriteMessage(websocket.TextMessage, []byte(`refuse me`))
		_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"b":2}`))
		drain(conn)
	})
	h := &house{}
	h.answer = func(n int, body string) error {
		switch {
		case n < 3:
			return feeds.ErrBusy
		case body == "refuse me":
			return feeds.Permanentf("rubbish")
		}
		return nil
	}
	authorize := func(r *http.Request) error { r.Header.Set("Authorization", "Bearer s3cr3t"); return nil }
	hear(t, h, Config{URL: s.URL, Authorize: authorize, Subscribe: func() (string, error) { return `{"APIKey":"s3cr3t"}`, nil }, UserAgent: "Kentongan/test"}, func() bool { return strings.HasSuffix(h.heard(), `{"b":2}`) })
	if want := "{\"a\":1}|\xff\x00|{\"b\":2}"; h.heard() != want {
		t.Errorf("heard %q", h.heard())
	}
	if len(h.rejects) != 1 || !strings.Contains(h.rejects[0], "not UTF-8") || len(h.faults) != 0 {
		t.Errorf("rejects %q, faults %q", h.rejects, h.faults)
	}
	if subscribed != `{"APIKey":"s3cr3t"}` || asked.Get("Authorization") != "Bearer s3cr3t" || asked.Get("User-Agent") != "Kentongan/test" {
		t.Errorf("subscribed by %q, asked with %v", subscribed, asked)
	}
}

func TestFaults(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		case "/html":
			fmt.Fprint(w, "<html>")
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer plain.Close()
	big := source(t, func(_ *http.Request, conn *websocket.Conn) {
		_ = conn.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("x", 5000)))
		drain(conn)
	})
	bye := source(t, func(_ *http.Request, conn *websocket.Conn) {
		_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4001, "s3cr3t"))
		drain(conn)
	})
	rubbish := source(t, func(_ *http.Request, conn *websocket.Conn) {
		for range maxRefused {
			_ = conn.WriteMessage(websocket.TextMessage, []byte("rubbish"))
		}
		drain(conn)
	})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, c := range []struct {
		name, want string
		config     Config
	}{
		{"refused", "http: 401 Unauthorized", Config{URL: plain.URL + "/?key=s3cr3t"}},
		{"redirected", "http: 302 Found, a redirect, which is not followed", Config{URL: plain.URL + "/away"}},
		{"no WebSocket", "http: 200 OK", Config{URL: plain.URL + "/html"}},
		{"nobody there", "refused: ", Config{URL: "http://" + closed.Addr().String()}},
		{"a private address", "address: address not allowed: 127.0.0.1 is loopback", Config{URL: plain.URL, Dial: bounded.Dialer(false)}},
		{"too large", "size: a message of more than 4096 bytes", Config{URL: big.URL, MaxMessage: 4096}},
		{"ended", "broken: the source ended the connection, code 4001", Config{URL: bye.URL}},
		{"not our language", "format: 50 messages in a row were refused", Config{URL: rubbish.URL}},
		{"no secret", "auth: our secret cannot be read", Config{URL: plain.URL, Authorize: func(*http.Request) error { return errors.New("no file /s3cr3t") }}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &house{answer: func(int, string) error { return feeds.Permanentf("rubbish") }}
			hear(t, h, c.config, func() bool { return h.fault() != "" })
			if !strings.HasPrefix(h.fault(), c.want) || strings.Contains(h.fault(), "s3cr3t") {
				t.Errorf("%q, want %q", h.fault(), c.want)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.WriteMessage(websocket.TextMessage, []byte("x"))
		drain(conn)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	for _, c := range []struct {
		pool *x509.CertPool
		want string
	}{{pool, "x"}, {x509.NewCertPool(), "tls: the certificate or the encryption is wrong"}} {
		h := &house{}
		hear(t, h, Config{URL: s.URL, TLS: func() (*tls.Config, error) { return &tls.Config{RootCAs: c.pool}, nil }}, func() bool { return h.heard()+h.fault() == c.want })
	}
}

// still runs a transport in a bubble of its own time against a server that shakes hands and is then played by side.
func still(t *testing.T, c Config, long time.Duration, side func(conn *websocket.Conn)) (h *house, dials int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h = &house{}
		var sides sync.WaitGroup
		defer sides.Wait()
		c.URL, c.Watch, c.Log = "ws://far.example/", h, zerolog.Nop()
		c.Dial = func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			dials++
			sides.Go(func() {
				defer far.Close()
				l := &one{conn: far, done: make(chan struct{})}
				_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer close(l.done)
					if conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil); err == nil {
						side(conn)
						conn.Close()
					}
				}))
			})
			return near, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		if err := New(c).Run(ctx, h.deliver); err != nil {
			t.Error(err)
		}
	})
	return h, dials
}

// one is a listener that has one connection.
type one struct {
	conn  net.Conn
	taken bool
	done  chan struct{}
}

func (o *one) Accept() (net.Conn, error) {
	if !o.taken {
		o.taken = true
		return o.conn, nil
	}
	<-o.done
	return nil, net.ErrClosed
}
func (o *one) Close() error   { return nil }
func (o *one) Addr() net.Addr { return o.conn.LocalAddr() }

func TestPingsKeepAQuietServer(t *testing.T) {
	h, dials := still(t, Config{}, 10*time.Minute, drain)
	if dials != 1 || len(h.faults) != 0 {
		t.Errorf("%d dials, %q", dials, h.faults)
	}
}

func TestADeadServerIsDialledAgain(t *testing.T) {
	h, dials := still(t, Config{}, 65*time.Second, func(conn *websocket.Conn) {
		conn.SetPingHandler(func(string) error { return nil }) // it reads, and never answers
		drain(conn)
	})
	if dials != 2 || !strings.HasPrefix(h.fault(), "timeout: no sign of life for 1m0s") {
		t.Errorf("%d dials, %q", dials, h.faults)
	}
}

func TestALostSubscriptionIsMadeAgain(t *testing.T) {
	h, dials := still(t, Config{Idle: 3 * time.Minute}, 3*time.Minute+5*time.Second, func(conn *websocket.Conn) {
		_ = conn.WriteMessage(websocket.TextMessage, []byte("a"))
		drain(conn)
	})
	if dials != 2 || h.heard() != "a|a" || !strings.HasPrefix(h.fault(), "timeout: no message for 3m0s") {
		t.Errorf("%d dials, heard %q, %q", dials, h.heard(), h.faults)
	}
}
