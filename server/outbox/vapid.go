package outbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"time"
)

var b64 = base64.RawURLEncoding

// tokenLife of a token for a push service; RFC 8292 allows a day.
const tokenLife = 12 * time.Hour

// vapid is the key by which push services know us (RFC 8292).
type vapid struct {
	key    *ecdsa.PrivateKey
	public string // base64url of the uncompressed point: what browsers subscribe with
}

// drawKey makes a new key in PKCS 8.
func drawKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key for push services: %w", err)
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

func readKey(pkcs8 []byte) (*vapid, error) {
	any, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, fmt.Errorf("key for push services: %w", err)
	}
	key, ok := any.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("key for push services: it is none on P-256")
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("key for push services: %w", err)
	}
	return &vapid{key, b64.EncodeToString(point)}, nil
}

// authorization is the header for one push service: a token for its origin, and our key.
func (v *vapid) authorization(endpoint *url.URL, contact string, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"aud": endpoint.Scheme + "://" + endpoint.Host, "exp": now.Add(tokenLife).Unix(), "sub": contact})
	if err != nil {
		return "", err
	}
	text := b64.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + b64.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, v.key, sum[:])
	if err != nil {
		return "", fmt.Errorf("token for a push service: %w", err)
	}
	var sig [64]byte
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return "vapid t=" + text + "." + b64.EncodeToString(sig[:]) + ", k=" + v.public, nil
}
