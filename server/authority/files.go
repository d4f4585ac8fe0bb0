package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Names of the files in the authority's folder. Keys are readable by their owner only.
const (
	rootKey    = "authority.key"
	rootCert   = "authority.pem" // whoever is to trust the house gets a copy of it
	serverKey  = "server.key"
	serverCert = "server.pem"
)

// Authority is the house's own. Safe for concurrent use.
type Authority struct {
	signer
	dir string

	mu     sync.Mutex
	server *tls.Certificate // the last that Server gave
}

// Open reads the authority of a folder, or makes one where the folder has none. It refuses a key that others may read, and a root that
// has ended or is not of the key.
func Open(dir string, now func() time.Time) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	key, err := readKey(filepath.Join(dir, rootKey))
	if errors.Is(err, fs.ErrNotExist) {
		return create(dir, now)
	}
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	root, err := readCert(filepath.Join(dir, rootCert))
	switch {
	case err != nil:
		return nil, fmt.Errorf("authority: %w", err)
	case !sameKey(root.PublicKey, key.Public()):
		return nil, fmt.Errorf("authority: %s is not of the key beside it", filepath.Join(dir, rootCert))
	case !root.IsCA:
		return nil, fmt.Errorf("authority: %s is no root", filepath.Join(dir, rootCert))
	case !now().Before(root.NotAfter):
		return nil, fmt.Errorf("authority: the root has ended on %s; move the folder %s away, and give the new root to every screen and device", root.NotAfter.Format(time.DateOnly), dir)
	}
	return &Authority{signer: signer{root, key, now}, dir: dir}, nil
}

// create makes an authority. The key is written last: a start that was cut off leaves none, and the next begins anew.
func create(dir string, now func() time.Time) (*Authority, error) {
	s, err := newSigner(now)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	if err := write(filepath.Join(dir, rootCert), PEM(s.root), 0o444); err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	if err := writeKey(filepath.Join(dir, rootKey), s.key); err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	return &Authority{signer: s, dir: dir}, nil
}

// Root is the root in PEM: what screens and devices are to trust.
func (a *Authority) Root() []byte { return PEM(a.root) }

// Pool is what verifies certificates of this authority, and nothing else.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}

// Mark is the fingerprint of the root: servers of one store must have the same, or a device is known to only one of them.
func (a *Authority) Mark() string {
	sum := sha256.Sum256(a.root.Raw)
	return hex.EncodeToString(sum[:])
}

// Server gives a certificate for these names and addresses. It is kept in the folder, and made anew once it has less than a month left or
// other names are wanted: ask at each handshake, and it renews itself.
func (a *Authority) Server(names []string, ips []netip.Addr) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(names)+len(ips) == 0 {
		return nil, errors.New("authority: a server's certificate needs a name or an address")
	}
	if a.server != nil && a.serves(a.server.Leaf, names, ips) {
		return a.server, nil
	}
	if kept, err := a.kept(); err == nil && a.serves(kept.Leaf, names, ips) {
		a.server = kept
		return kept, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("authority: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	subject := ""
	if len(names) > 0 {
		subject = names[0]
	}
	c, err := a.issue(key.Public(), subject, SANs{DNS: names, IPs: ips}, ServerLife, x509.ExtKeyUsageServerAuth)
	if err != nil {
		return nil, fmt.Errorf("authority: server's certificate: %w", err)
	}
	// Between these two the files do not fit each other; kept sees it, and makes both anew.
	if err := errors.Join(writeKey(filepath.Join(a.dir, serverKey), key), write(filepath.Join(a.dir, serverCert), PEM(c), 0o444)); err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	a.server = &tls.Certificate{Certificate: [][]byte{c.Raw, a.root.Raw}, PrivateKey: key, Leaf: c}
	return a.server, nil
}

// ServerCertificate is Server for tls.Config.GetCertificate.
func (a *Authority) ServerCertificate(names []string, ips []netip.Addr) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return a.Server(names, ips) }
}

// kept reads the server's certificate off the folder; fs.ErrNotExist where there is none that fits its key.
func (a *Authority) kept() (*tls.Certificate, error) {
	key, err := readKey(filepath.Join(a.dir, serverKey))
	if err != nil {
		return nil, err
	}
	c, err := readCert(filepath.Join(a.dir, serverCert))
	if err != nil || !sameKey(c.PublicKey, key.Public()) {
		return nil, fs.ErrNotExist
	}
	return &tls.Certificate{Certificate: [][]byte{c.Raw, a.root.Raw}, PrivateKey: key, Leaf: c}, nil
}

// serves tells whether a certificate is ours, has a month left, and names just what is wanted.
func (a *Authority) serves(c *x509.Certificate, names []string, ips []netip.Addr) bool {
	if c.CheckSignatureFrom(a.root) != nil || a.now().Before(c.NotBefore) || c.NotAfter.Sub(a.now()) < renewal && c.NotAfter.Before(a.root.NotAfter) {
		return false
	}
	var have []netip.Addr
	for _, ip := range c.IPAddresses {
		if addr, ok := netip.AddrFromSlice(ip); ok {
			have = append(have, addr.Unmap())
		}
	}
	want := make([]netip.Addr, len(ips))
	for i, ip := range ips {
		want[i] = ip.Unmap().WithZone("")
	}
	return a.now().Before(c.NotAfter) && slices.Equal(sorted(c.DNSNames, strings.Compare), sorted(names, strings.Compare)) && slices.Equal(sorted(have, netip.Addr.Compare), sorted(want, netip.Addr.Compare))
}

func sorted[T any](list []T, by func(a, b T) int) []T {
	return slices.SortedFunc(slices.Values(list), by)
}

// readKey reads a private key, which nobody but its owner may read.
func readKey(path string) (crypto.Signer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others (mode %04o): chmod 0400 it, and ask who has read it", path, mode)
	}
	text := make([]byte, 8<<10)
	n, _ := f.Read(text)
	block, _ := pem.Decode(text[:n])
	if block == nil {
		return nil, fmt.Errorf("%s is no PEM", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: holds no key that signs", path)
	}
	return s, nil
}

func readCert(path string) (*x509.Certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParsePEM(text)
}

// ParsePEM reads one certificate in PEM.
func ParsePEM(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("it is no PEM of type CERTIFICATE")
	}
	return x509.ParseCertificate(block.Bytes)
}

func writeKey(path string, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return write(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o400)
}

// write puts a file in place whole or not at all.
func write(path string, text []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}
