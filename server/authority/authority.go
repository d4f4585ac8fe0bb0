// Package authority is the house's own certificate authority: TLS on a LAN, and certificates by which devices are known.
//
// It is one key, made at the first start and never shown. Whoever trusts its root trusts this house, and only for what the house issues.
// Which certificates have been taken back is kept elsewhere, by serial (server/devices).
package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"time"
)

// Lives of certificates.
const (
	RootLife   = 10 * 365 * 24 * time.Hour
	ServerLife = 397 * 24 * time.Hour // browsers refuse longer ones of servers
	DeviceLife = 90 * 24 * time.Hour
	renewal    = 30 * 24 * time.Hour // a server's certificate is made anew so long before its end
	backdate   = 5 * time.Minute     // clocks of devices are late
)

// largestRequest bounds a certificate request, in bytes.
const largestRequest = 16 << 10

// ErrRequest means that a certificate request is not one that is signed.
var ErrRequest = errors.New("the certificate request cannot be used")

// signer is the pure half: a root and its key, of which certificates are made.
type signer struct {
	root *x509.Certificate
	key  crypto.Signer
	now  func() time.Time
}

// newSigner makes a root.
func newSigner(now func() time.Time) (signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return signer{}, err
	}
	serial, err := newSerial()
	if err != nil {
		return signer{}, err
	}
	id, err := keyID(key.Public())
	if err != nil {
		return signer{}, err
	}
	root := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "Kentongan " + hex.EncodeToString(id[:4]), Organization: []string{"Kentongan"}},
		NotBefore: now().Add(-backdate), NotAfter: now().Add(RootLife), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true, SubjectKeyId: id}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		return signer{}, err
	}
	if root, err = x509.ParseCertificate(der); err != nil {
		return signer{}, err
	}
	return signer{root, key, now}, nil
}

// SANs are the names of a certificate.
type SANs struct {
	DNS []string
	IPs []netip.Addr
	URI *url.URL // of a device
}

// issue signs a public key, never beyond the root's own end.
func (s signer) issue(public crypto.PublicKey, subject string, names SANs, life time.Duration, use x509.ExtKeyUsage) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	until := s.now().Add(life)
	if until.After(s.root.NotAfter) {
		until = s.root.NotAfter
	}
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: subject}, NotBefore: s.now().Add(-backdate), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{use}, BasicConstraintsValid: true, DNSNames: names.DNS}
	for _, ip := range names.IPs {
		c.IPAddresses = append(c.IPAddresses, net.IP(ip.Unmap().WithZone("").AsSlice()))
	}
	if names.URI != nil {
		c.URIs = []*url.URL{names.URI}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, s.root, public, s.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Issue signs the key of a certificate request in PEM, for whoever shows the certificate to us (client authentication). Nothing else of
// the request counts: subject and names are ours to give. Errors: ErrRequest.
func (s signer) Issue(request []byte, subject string, names SANs, life time.Duration) (*x509.Certificate, error) {
	r, err := Request(request)
	if err != nil {
		return nil, err
	}
	return s.issue(r.PublicKey, subject, names, life, x509.ExtKeyUsageClientAuth)
}

// Request reads a certificate request in PEM: it must be signed by the key it names, which must be strong enough. Errors: ErrRequest.
func Request(text []byte) (*x509.CertificateRequest, error) {
	if len(text) > largestRequest {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrRequest, largestRequest)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, fmt.Errorf("%w: it is no PEM of type CERTIFICATE REQUEST", ErrRequest)
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if err := strong(r.PublicKey); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if err := r.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w: it is not signed by its own key: %w", ErrRequest, err)
	}
	return r, nil
}

// strong tells why a public key is not signed.
func strong(public crypto.PublicKey) error {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() {
			return fmt.Errorf("the curve %s is not taken; want P-256 or P-384", k.Curve.Params().Name)
		}
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < 2048 || n > 8192 {
			return fmt.Errorf("an RSA key of %d bits is not taken; want 2048 to 8192", n)
		}
	default:
		return errors.New("the kind of its key is not taken; want ECDSA, Ed25519 or RSA")
	}
	return nil
}

// deviceScheme begins the name of a device in its certificate: kentongan:device:01J…
const deviceScheme, devicePart = "kentongan", "device:"

// DeviceURI is how a device's certificate names it.
func DeviceURI(id string) *url.URL { return &url.URL{Scheme: deviceScheme, Opaque: devicePart + id} }

// Device reads the one name of a device off a certificate; false where there is none, or another beside it.
func Device(c *x509.Certificate) (id string, ok bool) {
	if c == nil || len(c.URIs) != 1 {
		return "", false
	}
	u := c.URIs[0]
	if u.Scheme != deviceScheme || len(u.Opaque) <= len(devicePart) || u.Opaque[:len(devicePart)] != devicePart || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	return u.Opaque[len(devicePart):], true
}

// Serial is a certificate's number as the deny list has it.
func Serial(c *x509.Certificate) string { return c.SerialNumber.Text(16) }

// KeyOf is the fingerprint of a public key: a renewal must come with the same.
func KeyOf(public crypto.PublicKey) (string, error) {
	id, err := keyID(public)
	return hex.EncodeToString(id), err
}

// PEM writes a certificate.
func PEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// newSerial is 128 random bits, so that no certificate tells how many there are.
func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	return n.SetBit(n, 126, 1), nil
}

func keyID(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	return sum[:20], nil
}

// Verify checks a certificate of a device against the root, its time and its use. Errors say which of them failed.
func (s signer) Verify(c *x509.Certificate) error {
	now := s.now()
	switch {
	case now.After(c.NotAfter):
		return fmt.Errorf("the certificate has expired on %s", c.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(c.NotBefore):
		return fmt.Errorf("the certificate is not valid before %s", c.NotBefore.UTC().Format(time.RFC3339))
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.root)
	_, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}
