package runner

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/transports/poll"
)

func polled(change func(*FeedConfig)) func(*FeedConfig) {
	return func(c *FeedConfig) {
		c.Transport, c.URL = Poll, "https://feed.example/x?key=geheim&page=1"
		change(c)
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPollFaultsNameTheirKeys(t *testing.T) {
	empty, token, words := write(t, "empty", "\n"), write(t, "token", "abc\n"), write(t, "words", "hello")
	for _, c := range []struct {
		change func(*FeedConfig)
		want   []string
	}{
		{polled(func(c *FeedConfig) {
			c.Auth = Auth{User: "u", Password: "geheim"}
			c.Headers = map[string]Secret{"X-Api-Key": "geheim", "Cookie": "a=b", "Accept": "text/csv"}
			c.Pages = Pages{Param: "p", Start: 0, Step: 100, SizeParam: "n", Size: 100, Until: "known"}
			c.Since.Param, c.Since.ToParam, c.Since.Window = "from", "to", time.Hour
		}), nil},
		{polled(func(c *FeedConfig) { c.Auth = Auth{BearerFile: token} }), nil},
		{polled(func(c *FeedConfig) { c.Headers = map[string]Secret{"Authorization": "Token geheim"} }), nil},
		{polled(func(c *FeedConfig) { c.Since.Param, c.Since.Text = "$filter", "phenomenonTime gt {since}" }), nil},
		{polled(func(c *FeedConfig) { c.URL = "https://u:geheim@feed.example/" }), []string{"url: user and password do not belong"}},
		{polled(func(c *FeedConfig) {
			c.Auth = Auth{User: "a:b", Password: "geheim", PasswordFile: token, Bearer: "geheim", BearerFile: empty}
		}),
			[]string{"auth: want user and password, or bearer", "auth.user: a colon", "auth.password_file: want password or", "auth.bearer_file: want bearer or", "auth.bearer_file: the file is empty"}},
		{polled(func(c *FeedConfig) { c.Auth = Auth{Password: "geheim\n", BearerFile: token + ".gone"} }),
			[]string{"auth: want user", "auth.user: required", "auth.password: a control character", "auth.bearer_file: read the secret"}},
		{polled(func(c *FeedConfig) { c.TLS = TLS{CAFile: words, CertFile: words} }), []string{"tls.ca_file: ", "tls: cert_file and key_file belong together"}},
		{polled(func(c *FeedConfig) { c.TLS = TLS{CAFile: words + ".gone", CertFile: words, KeyFile: words} }), []string{"tls.ca_file: open ", "tls.cert_file: "}},
		{polled(func(c *FeedConfig) {
			c.Auth.Bearer = "geheim"
			c.Headers = map[string]Secret{"host": "geheim", "Content-length": "1", "TRANSFER-ENCODING": "chunked", "Connection": "x", "te": "x", "Proxy-Authorization": "x", "If-None-Match": "x",
				"Accept-Encoding": "br", "a b": "x", "X-Empty": "", "X-Line": "geheim\r\nX-B: c", "Authorization": "x", "x-a": "1", "X-A": "2"}
		}), []string{"headers.Accept-Encoding: the connection", "headers.Authorization: auth sets", "headers.Connection: the connection", "headers.Content-length: the connection", "headers.If-None-Match: the connection",
			"headers.Proxy-Authorization: the connection", "headers.TRANSFER-ENCODING: the connection", "headers.X-Empty: the value is empty", "headers.X-Line: a control character", "headers.a b: this is no name",
			"headers.host: the connection", "headers.te: the connection", "headers.x-a: is given twice"}},
		{polled(func(c *FeedConfig) { c.Pages = Pages{Max: 5000, Start: 7, Step: 0, Size: 5, Until: "tired"} }),
			[]string{"pages.max: ", "pages.start: only with param", "pages.step: 0: want 1", "pages.step: only with param", "pages.size: only with", "pages.until: \"tired\""}},
		{polled(func(c *FeedConfig) {
			c.Pages = Pages{Param: "page", Start: -1, Step: 1, SizeParam: "key", Until: "empty"}
		}),
			[]string{"pages.param: \"page\" stands in the url too", "pages.start: -1", "pages.size_param: \"key\"", "pages.size: 0"}},
		{polled(func(c *FeedConfig) { c.Since = Since{Text: "x", Format: "xml", From: "here", Overlap: -1, Window: -1} }),
			[]string{"since.param: required", "since.text: want {since}", "since.format: ", "since.from: ", "since.overlap: ", "since.first: ", "since.window: "}},
		{polled(func(c *FeedConfig) { c.Since.Param, c.Since.Window = "key", 5*time.Minute }),
			[]string{"since.param: \"key\" stands in the url too", "since.window: only with to_param", "since.window: 5m0s: want more than the overlap"}},
		{func(c *FeedConfig) {
			c.Auth.User, c.TLS.CAFile, c.Headers, c.Pages.Max, c.Since.Param = "u", token+".gone", map[string]Secret{"X-A": "b"}, 5, "p"
		}, []string{"auth: only a feed with url", "tls: only a feed with url", "headers: only a feed with url", "pages: only a feed with transport poll", "since: only a feed with transport poll", "tls.ca_file: "}},
	} {
		faults := entry("ok", c.change).Validate()
		var got []string
		for _, f := range faults {
			var key *ConfigError
			if got = append(got, f.Error()); !errors.As(f, &key) {
				t.Errorf("%v names no key", f)
			}
		}
		text := strings.Join(got, "\n")
		if len(got) != len(c.want) || strings.Contains(text, "geheim") {
			t.Errorf("faults %q, want %q", got, c.want)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q do not say %q", got, want)
			}
		}
	}
}

// A token in a file is read anew with each request; neither it nor a header stands in any log.
func TestSecretsAreReadAnewAndNotLogged(t *testing.T) {
	token := write(t, "token", "one-geheim\n")
	var mu sync.Mutex
	var heard []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		heard = append(heard, r.Header.Get("Authorization")+" "+r.Header.Get("X-Api-Key"))
		mu.Unlock()
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer srv.Close()
	var logs bytes.Buffer
	config := entry("web", func(c *FeedConfig) {
		c.Transport, c.URL, c.Every, c.AllowPrivate = Poll, srv.URL+"/?key=geheim", time.Second, true
		c.Auth.BearerFile, c.Headers = token, map[string]Secret{"x-api-key": "k-geheim"}
	})
	r, err := New([]FeedConfig{config}, &store{}, Options{Formats: formatsForTests, Log: zerolog.New(zerolog.SyncWriter(&logs))})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one-geheim", "two-geheim"} {
		if err := os.WriteFile(token, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		before := len(heard)
		mu.Unlock()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.RunFeed(ctx, "web", nil) }()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			n := len(heard)
			mu.Unlock()
			if n > before && strings.HasPrefix(r.Status()[0].Reason, "http: 401") {
				break
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if last := heard[len(heard)-1]; last != "Bearer "+text+" k-geheim" {
			t.Errorf("heard %q", last)
		}
	}
	shown := fmt.Sprintf("%v %+v %#v", config, config, config.Auth)
	if strings.Contains(strings.ReplaceAll(shown, config.URL, ""), "geheim") || strings.Contains(logs.String(), "geheim") {
		t.Errorf("a secret is shown: %s\n%s", shown, logs.String())
	}
}

// identity makes a self-signed certificate for a client, as two PEM files.
func identity(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plate := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kentongan"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, plate, plate, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return write(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		write(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))), pool
}

func TestTLSWithOwnAuthorityAndCertificate(t *testing.T) {
	cert, key, pool := identity(t)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	srv.StartTLS()
	defer srv.Close()
	authority := write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	for _, c := range []struct {
		name string
		tls  TLS
		want string
	}{
		{"ours and theirs", TLS{CAFile: authority, CertFile: cert, KeyFile: key}, ""},
		{"no authority", TLS{CertFile: cert, KeyFile: key}, "tls: "},
		{"no certificate", TLS{CAFile: authority}, "tls: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := entry("tls", func(f *FeedConfig) { f.Transport, f.URL, f.AllowPrivate, f.TLS = Poll, srv.URL, true, c.tls })
			a, err := Ask(t.Context(), config, Options{Formats: formatsForTests})
			if c.want == "" && (err != nil || string(a.Body) != "kentongan") || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("%q, %v", a.Body, err)
			}
		})
	}
	believed, err := TLS{CAFile: authority}.Client()
	if err != nil || believed.RootCAs == nil || believed.MinVersion != tls.VersionTLS12 {
		t.Errorf("%+v, %v", believed, err)
	}
	if _, err := (TLS{CAFile: authority + ".gone"}).Client(); err == nil {
		t.Error("an authority that is gone is not told")
	}
}

// pipes is a network in memory, so that a source and its poll share a bubble's clock.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours, nil
}

// A source that is up for ten seconds and down for ten, for an hour, is one fault and not hundreds.
func TestFlappingSourceIsOneNote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		requests, refused := 0, 0
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if requests++; time.Since(began)%(20*time.Second) >= 10*time.Second && time.Since(began) < time.Hour {
				refused++
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			fmt.Fprint(w, "a")
		})}
		network := &pipes{make(chan net.Conn), make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(network) }()
		var logs bytes.Buffer
		r, err := New([]FeedConfig{entry("web", func(c *FeedConfig) { c.Transport, c.URL, c.Every = Poll, "http://feed.example/", 2*time.Second })}, &store{},
			Options{Formats: formatsForTests, Dial: network.dial, Log: zerolog.New(zerolog.SyncWriter(&logs))})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		states := func() (failing, all int) {
			for line := range strings.SplitSeq(logs.String(), "\n") {
				if strings.Contains(line, `"message":"feed state"`) {
					all++
					if strings.Contains(line, `"state":"failing"`) {
						failing++
					}
				}
			}
			return failing, all
		}
		if failing, all := states(); failing != 1 || all != 2 || refused < 100 {
			t.Errorf("%d requests, %d refused: %d notes, %d of them failing; want one after the first ok", requests, refused, all, failing)
		}
		if st := r.Status()[0]; st.State != feeds.FeedFailing {
			t.Errorf("status %+v", st)
		}
		time.Sleep(3 * time.Minute)
		if failing, all := states(); failing != 1 || all != 3 || r.Status()[0].State != feeds.FeedOK {
			t.Errorf("well again: %d notes, %d failing, %+v", all, failing, r.Status()[0])
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		srv.Close()
		<-served
	})
}

// The age of a feed and what it has learned are known after a restart; that it was silent meanwhile does not make it late at once.
func TestTheAgeOfAFeedOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remember := newForgetful()
		life := func(send bool, during time.Duration) feeds.FeedStatus {
			r, err := New([]FeedConfig{entry("push", nil)}, &store{}, Options{Formats: formatsForTests, Remember: remember})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- r.Run(ctx) }()
			for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(30 * time.Second) {
				if synctest.Wait(); send {
					if _, err := r.Deliver(ctx, "push", []byte("a"), feeds.Meta{}); err != nil {
						t.Error(err)
					}
				}
			}
			synctest.Wait()
			st := r.Status()[0]
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			return st
		}
		before := life(true, 10*time.Minute)
		time.Sleep(time.Hour)
		st := life(false, 20*time.Second)
		if !st.LastSuccess.Equal(before.LastSuccess.Time) || st.IntervalS != 30 || st.State != feeds.FeedOK || st.Reason != "waiting: nothing received since the start" {
			t.Errorf("before %+v\nafter %+v", before, st)
		}
		if st := life(false, 5*time.Minute); st.State != feeds.FeedFailing || !strings.HasPrefix(st.Reason, "silence: ") {
			t.Errorf("silent since: %+v", st)
		}
	})
}

// What is stored tells how far it reaches: with since the next question begins there.
func TestSinceGoesOnFromWhatIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.Query().Get("$filter"))
			fmt.Fprint(w, "a")
		})}
		network := &pipes{make(chan net.Conn), make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(network) }()
		remember := newForgetful()
		r, err := New([]FeedConfig{entry("sta", func(c *FeedConfig) {
			c.Transport, c.URL, c.Every = Poll, "http://feed.example/Observations", time.Minute
			c.Since.Param, c.Since.Text, c.Since.Overlap = "$filter", "phenomenonTime gt {since}", 0
		})}, &store{}, Options{Formats: formatsForTests, Dial: network.dial, Remember: remember})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		began := time.Now().UTC()
		go func() { done <- r.Run(ctx) }()
		time.Sleep(70 * time.Second)
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		want := []string{"phenomenonTime gt " + began.Add(-24*time.Hour).Format(time.RFC3339), "phenomenonTime gt " + began.Add(-2*time.Second).Format(time.RFC3339)}
		if strings.Join(asked, ", ") != strings.Join(want, ", ") {
			t.Errorf("asked %q, want %q", asked, want)
		}
		if s, _ := remember.State(t.Context(), "sta"); s.Cursor.Before(began.Add(50*time.Second)) || s == (poll.State{}) {
			t.Errorf("kept %+v", s)
		}
		srv.Close()
		<-served
	})
}

// Where Things are is a part of how an answer is read: with other places an unchanged answer is new to us.
func TestASourceIsAlsoHowItIsRead(t *testing.T) {
	plain := entry("a", polled(func(c *FeedConfig) { c.Places = "thing,lat,lng\nLB-1,-0.83,100.63\n" }))
	for what, change := range map[string]func(*FeedConfig){
		"url": func(c *FeedConfig) { c.URL += "&x=1" }, "map": func(c *FeedConfig) { c.Map = "." }, "places": func(c *FeedConfig) { c.Places += "LB-2,-0.84,100.63\n" },
	} {
		c := plain
		if change(&c); c.source("1") == plain.source("1") {
			t.Errorf("another %s is the same source", what)
		}
	}
}
