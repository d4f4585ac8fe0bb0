package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clock is a time that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func open(t *testing.T, dir string, c *clock) *Authority {
	t.Helper()
	a, err := Open(dir, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "admin"}, DNSNames: []string{"kentongan.example"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestTheAuthorityStays(t *testing.T) {
	dir, c := filepath.Join(t.TempDir(), "authority"), &clock{time.Now()}
	a := open(t, dir, c)
	b := open(t, dir, c)
	if string(a.Root()) != string(b.Root()) || a.Mark() != b.Mark() {
		t.Error("a second start made another root")
	}
	for name, want := range map[string]fs.FileMode{rootKey: 0o400, rootCert: 0o444} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	if left := a.root.NotAfter.Sub(c.at).Round(time.Hour); left != RootLife {
		t.Errorf("the root lives %v", left)
	}
	if !a.root.IsCA || !a.root.MaxPathLenZero || a.root.KeyUsage&x509.KeyUsageDigitalSignature != 0 {
		t.Errorf("%+v", a.root)
	}
	c.at = a.root.NotAfter.Add(time.Second)
	if _, err := Open(dir, c.now); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("after its end: %v", err)
	}
}

func TestWhatItRefusesToStartWith(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(dir string) error
		want string
	}{
		"key readable by the group": {func(dir string) error { return os.Chmod(filepath.Join(dir, rootKey), 0o440) }, "may be read by others"},
		"key readable by all":       {func(dir string) error { return os.Chmod(filepath.Join(dir, rootKey), 0o404) }, "may be read by others"},
		"no root":                   {func(dir string) error { return os.Remove(filepath.Join(dir, rootCert)) }, "no such file"},
		"root of another key": {func(dir string) error {
			other, err := newSigner(time.Now)
			return errors.Join(err, write(filepath.Join(dir, rootCert), PEM(other.root), 0o444))
		}, "not of the key"},
		"key that is none": {func(dir string) error { return write(filepath.Join(dir, rootKey), []byte("x"), 0o400) }, "no PEM"},
		"key that is cut off": {func(dir string) error {
			return write(filepath.Join(dir, rootKey), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}), 0o400)
		}, "authority.key"},
	} {
		dir := t.TempDir()
		open(t, dir, &clock{time.Now()})
		if err := c.harm(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, time.Now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyTheKeyOfARequestCounts(t *testing.T) {
	c := &clock{time.Now()}
	a, key := open(t, t.TempDir(), c), ecKey(t)
	got, err := a.Issue(request(t, key), "gateway", SANs{URI: DeviceURI("01J")}, DeviceLife)
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject.CommonName != "gateway" || len(got.DNSNames) != 0 || got.IsCA || !sameKey(got.PublicKey, key.Public()) {
		t.Errorf("%+v", got)
	}
	if id, ok := Device(got); !ok || id != "01J" {
		t.Errorf("%q %v", id, ok)
	}
	if err := a.Verify(got); err != nil {
		t.Error(err)
	}
	c.at = got.NotAfter.Add(time.Second)
	if err := a.Verify(got); err == nil || !strings.Contains(err.Error(), "has expired") {
		t.Errorf("%v", err)
	}
	c.at = got.NotBefore.Add(-time.Second)
	if err := a.Verify(got); err == nil || !strings.Contains(err.Error(), "not valid before") {
		t.Errorf("%v", err)
	}
	c.at = got.NotBefore.Add(time.Hour)
	stranger := open(t, t.TempDir(), c)
	if err := stranger.Verify(got); err == nil {
		t.Error("another authority's passes")
	}
	server, err := a.Server([]string{"ops"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Verify(server.Leaf); err == nil {
		t.Error("the server's own certificate passes as a device's")
	}
}

func TestRequestsThatAreNotSigned(t *testing.T) {
	good := request(t, ecKey(t))
	block, _ := pem.Decode(good)
	forged := append([]byte{}, block.Bytes...)
	forged[len(forged)-3] ^= 1
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	odd, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"nothing": nil, "no PEM": []byte("x"), "a certificate": open(t, t.TempDir(), &clock{time.Now()}).Root(), "too large": append(good, make([]byte, largestRequest)...),
		"not signed by its key": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: forged}), "a weak key": request(t, small), "a curve nobody uses": request(t, odd),
	} {
		if _, err := Request(text); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{ecKey(t), ed} {
		if _, err := Request(request(t, key)); err != nil {
			t.Errorf("%T: %v", key, err)
		}
	}
}

func TestNamesOfDevices(t *testing.T) {
	parse := func(s string) *url.URL { u, _ := url.Parse(s); return u }
	for _, c := range []struct {
		uris []*url.URL
		want string
	}{
		{[]*url.URL{DeviceURI("01J")}, "01J"}, {[]*url.URL{parse("kentongan:device:01J")}, "01J"}, {nil, ""}, {[]*url.URL{DeviceURI("01J"), DeviceURI("01K")}, ""},
		{[]*url.URL{parse("kentongan:device:")}, ""}, {[]*url.URL{parse("kentongan:wall:01J")}, ""}, {[]*url.URL{parse("https:device:01J")}, ""}, {[]*url.URL{parse("kentongan:device:01J?x=1")}, ""},
	} {
		if id, ok := Device(&x509.Certificate{URIs: c.uris}); id != c.want || ok != (c.want != "") {
			t.Errorf("%v: %q %v", c.uris, id, ok)
		}
	}
}

func TestAServersCertificateRenewsItself(t *testing.T) {
	dir, c := t.TempDir(), &clock{time.Now()}
	a := open(t, dir, c)
	names, ips := []string{"ops.lan", "kentongan.local"}, []netip.Addr{netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("fd00::5")}
	serial := func(a *Authority, names []string) string {
		t.Helper()
		got, err := a.Server(names, ips)
		if err != nil {
			t.Fatal(err)
		}
		return Serial(got.Leaf)
	}
	first := serial(a, names)
	if serial(a, []string{"kentongan.local", "ops.lan"}) != first || serial(open(t, dir, c), names) != first {
		t.Error("made anew without need")
	}
	c.at = c.at.Add(ServerLife - renewal - time.Hour)
	if serial(a, names) != first {
		t.Error("made anew more than a month before its end")
	}
	c.at = c.at.Add(2 * time.Hour)
	second := serial(a, names)
	if second == first {
		t.Error("not made anew a month before its end")
	}
	if serial(a, []string{"other.lan"}) == second {
		t.Error("other names, the same certificate")
	}
	// A cut between key and certificate is mended.
	if err := writeKey(filepath.Join(dir, serverKey), ecKey(t)); err != nil {
		t.Fatal(err)
	}
	if got := serial(open(t, dir, c), names); got == second {
		t.Error("a certificate of another key was taken")
	}
	if _, err := a.Server(nil, nil); err == nil {
		t.Error("a certificate of nobody")
	}
	if err := os.Chmod(filepath.Join(dir, serverKey), 0o444); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir, c).Server(names, ips); err == nil || !strings.Contains(err.Error(), "may be read by others") {
		t.Errorf("a key that all may read: %v", err)
	}
}

func TestWhoTrustsTheRootReachesTheServer(t *testing.T) {
	a := open(t, t.TempDir(), &clock{time.Now()})
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: a.ServerCertificate([]string{"ops.lan"}, []netip.Addr{netip.MustParseAddr("127.0.0.1")})})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(a.Root()) {
		t.Fatal("the root cannot be read")
	}
	for _, c := range []struct {
		name  string
		roots *x509.CertPool
		ok    bool
	}{{"127.0.0.1", pool, true}, {"ops.lan", pool, true}, {"other.lan", pool, false}, {"127.0.0.1", nil, false}} {
		dialer := &net.Dialer{Timeout: 5 * time.Second}
		conn, err := tls.DialWithDialer(dialer, "tcp", l.Addr().String(), &tls.Config{RootCAs: c.roots, ServerName: c.name})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}
