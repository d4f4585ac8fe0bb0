package poll

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
	"testing"

	"kentongan/feeds"
)

// secrets are the headers that tell who we are, as a server heard them.
func secrets(r *http.Request) string {
	return r.Header.Get("Authorization") + "|" + r.Header.Get("X-Api-Key") + "|" + r.Header.Get("Referer") + "|" + r.Header.Get("Cookie")
}

func signed(r *http.Request) error {
	r.SetBasicAuth("u", "p")
	r.Header.Set("X-Api-Key", "k3y")
	return nil
}

const asWho = "Basic dTpw|k3y||"

// names dials servers by the names of hosts, as a resolver would lead to them.
func names(to map[string]*httptest.Server) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		srv, ok := to[addr]
		if !ok {
			return nil, errors.New("no such host " + addr)
		}
		return (&net.Dialer{}).DialContext(ctx, network, srv.Listener.Addr().String())
	}
}

// Who we are is told to the feed's own host only: not along a redirect, nor to where links lead, be it a host that the feed allows or a
// name beneath its own; nor does a Referer carry the key in our address there.
func TestWhoWeAreStaysWithTheOwnHost(t *testing.T) {
	var own, other []string
	far := serve(t, func(w http.ResponseWriter, r *http.Request) {
		other = append(other, r.Host+r.URL.Path+" "+secrets(r))
		if r.URL.Path == "/back" {
			http.Redirect(w, r, "http://feed.example/home", http.StatusFound)
		}
	})
	near := serve(t, func(w http.ResponseWriter, r *http.Request) {
		own = append(own, r.URL.Path+" "+secrets(r))
		switch r.URL.Path {
		case "/list":
			fmt.Fprint(w, ">/page >http://other.example/page >http://sub.feed.example/page >http://other.example/back =http://other.example/doc >/away")
		case "/away":
			http.Redirect(w, r, "http://other.example/redirected", http.StatusTemporaryRedirect)
		default:
			fmt.Fprint(w, "x")
		}
	})
	dial := names(map[string]*httptest.Server{"feed.example:80": near, "other.example:80": far, "sub.feed.example:80": far})
	tr, watch := transport(t, "http://feed.example/list?key=geheim", func(c *Config) {
		c.Dial, c.Authorize, c.Hosts = dial, signed, []string{"other.example", "sub.feed.example"}
	})
	tr.round(t.Context(), list(&sink{}).deliver)
	if watch.last() != "" {
		t.Error(watch.last())
	}
	for _, heard := range own {
		if !strings.HasSuffix(heard, " "+asWho) {
			t.Errorf("own host heard %s", heard)
		}
	}
	if len(own) != 4 || len(other) != 5 {
		t.Errorf("own %q, other %q", own, other)
	}
	for _, heard := range other {
		if !strings.HasSuffix(heard, " |||") {
			t.Errorf("another host heard %s", heard)
		}
	}
}

func quietTLS(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog, s.EnableHTTP2 = log.New(io.Discard, "", 0), true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func believing(s *httptest.Server) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{RootCAs: pool}
}

// From https nothing goes on by http: a redirect is refused, a link back to the own host is asked by https, and one by http to another
// host hears nothing of who we are.
func TestFromHTTPSNothingIsToldByHTTP(t *testing.T) {
	plain := 0
	open := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if plain++; secrets(r) != "|||" {
			t.Errorf("by http: %s", secrets(r))
		}
		fmt.Fprint(w, "x")
	})
	var heard []string
	srv := quietTLS(t, func(w http.ResponseWriter, r *http.Request) {
		heard = append(heard, r.URL.Path+" "+secrets(r))
		switch r.URL.Path {
		case "/list":
			fmt.Fprint(w, ">http://example.com/2 >http://other.example/3")
		case "/down":
			http.Redirect(w, r, "http://example.com/list", http.StatusFound)
		default:
			fmt.Fprint(w, "y")
		}
	})
	dial := names(map[string]*httptest.Server{"example.com:443": srv, "example.com:80": open, "other.example:80": open})
	change := func(c *Config) {
		c.Dial, c.Authorize, c.TLS, c.Hosts = dial, signed, believing(srv), []string{"other.example"}
	}
	tr, watch := transport(t, "https://example.com/list", change)
	tr.round(t.Context(), list(&sink{}).deliver)
	if strings.Join(heard, ", ") != "/list "+asWho+", /2 "+asWho || plain != 1 || watch.last() != "" {
		t.Errorf("heard %q, %d by http, %q", heard, plain, watch.last())
	}
	tr, watch = transport(t, "https://example.com/down", change)
	tr.round(t.Context(), list(&sink{}).deliver)
	if watch.last() != "address: address not allowed: a redirect from https to http" || plain != 1 {
		t.Errorf("%q, %d by http", watch.last(), plain)
	}
}

func TestASecretThatCannotBeReadIsToldWithoutAsking(t *testing.T) {
	srv := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	tr, watch := transport(t, srv.URL, func(c *Config) {
		c.Authorize = func(*http.Request) error { return errors.New("open token: no such file") }
	})
	tr.round(t.Context(), (&sink{}).deliver)
	if watch.last() != "auth: who we say we are cannot be read: open token: no such file" {
		t.Error(watch.last())
	}
}

// A server that ends its HTTP/2 connection (GOAWAY) after each answer, in the midst of a list, costs nothing.
func TestGoAway(t *testing.T) {
	protos := map[string]int{}
	srv := quietTLS(t, func(w http.ResponseWriter, r *http.Request) {
		protos[r.Proto]++
		w.Header().Set("Connection", "close") // the server's word for GOAWAY
		n := len(r.URL.Path)
		if n < 5 {
			fmt.Fprintf(w, "%d >%sx", n, r.URL.Path)
			return
		}
		fmt.Fprint(w, "end")
	})
	tr, watch := transport(t, srv.URL+"/", func(c *Config) { c.TLS = believing(srv) })
	s := list(&sink{})
	for range 3 {
		tr.round(t.Context(), s.deliver)
	}
	if watch.last() != "" || protos["HTTP/2.0"] != 15 {
		t.Errorf("%v, fault %q", protos, watch.last())
	}
}

var _ feeds.Transport = (*Transport)(nil)
