package app

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/server/authority"
)

// certificate writes a pair of files for a name that ends at a time.
func certificate(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	a, err := authority.Open(filepath.Join(dir, "made-"+name), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Server([]string{name}, nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{key: {Type: "PRIVATE KEY", Bytes: der}, cert: {Type: "CERTIFICATE", Bytes: c.Certificate[0]}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// New files are taken up, files that do not fit each other are not, and the end of a certificate is said before it comes.
func TestACertificateIsTakenUpWhileWeRun(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	cert, key := certificate(t, dir, "first.example")
	p, err := newPair(cert, key, func() time.Time { return now }, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		c, err := p.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.DNSNames[0]
	}
	if shown() != "first.example" || p.warning() != "" {
		t.Fatalf("%s, %s", shown(), p.warning())
	}
	if err := os.WriteFile(cert, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Second)
	if shown() != "first.example" {
		t.Error("a certificate that cannot be read is shown")
	}
	certificate(t, dir, "second.example")
	now = now.Add(2 * time.Second)
	if shown() != "second.example" {
		t.Errorf("%s is shown after the change", shown())
	}
	until := p.current.Leaf.NotAfter
	for left, want := range map[time.Duration]bool{31 * 24 * time.Hour: false, 29 * 24 * time.Hour: true, 2 * 24 * time.Hour: true, -time.Hour: true} {
		if now = until.Add(-left); (p.warning() != "") != want {
			t.Errorf("%v before its end: %q", left, p.warning())
		}
	}
	if _, err := newPair(cert, filepath.Join(dir, "nothing"), time.Now, zerolog.Nop()); err == nil {
		t.Error("a key that is not there is taken")
	}
}

// TLS=local: whoever trusts the root that is offered reaches the house by every name and address of the machine, and nobody else does.
func TestOurOwnAuthorityIsTrustedByItsRoot(t *testing.T) {
	t.Parallel()
	r := launch(t, "test", settings, []string{"KENTONGAN_DATA_DIR=" + t.TempDir(), "KENTONGAN_TLS=local"})
	base := "https://" + r.Addr()
	strange := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{}}, Timeout: 10 * time.Second}
	if resp, err := strange.Get(base + "/healthz"); err == nil {
		resp.Body.Close()
		t.Error("trusted by who has not installed the root")
	}
	blind := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: 10 * time.Second}
	resp, err := blind.Get(base + rootPath)
	if err != nil {
		t.Fatal(err)
	}
	root, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || !strings.Contains(string(root), "BEGIN CERTIFICATE") {
		t.Fatalf("%s %v", root, err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(root)
	names, ips := r.localNames()
	for _, name := range append(names, texts(ips)...) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: name}}, Timeout: 10 * time.Second}
		resp, err := client.Get(base + "/healthz")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: %d %v", name, resp.StatusCode, resp.Header)
		}
	}
}

func texts(ips []netip.Addr) (out []string) {
	for _, ip := range ips {
		out = append(out, ip.String())
	}
	return out
}
