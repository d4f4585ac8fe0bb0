package push

import (
	"crypto/hmac"
	"crypto/sha1" // HMAC-SHA1 still stands, and old webhooks know no other
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrSignature means that a delivery does not bear the signature it must: HTTP answers 401.
var ErrSignature = errors.New("the signature is not valid")

// Signature is how a sender signs what it pushes: HMAC (RFC 2104) over the bytes as sent, before any inflation. Where a header holds a
// time, the signed text is that header's value, a full stop, and the bytes; then a delivery counts once, and for MaxAge.
type Signature struct {
	Header          string
	Algorithm       string // sha256 or sha1
	Encoding        string // hex or base64
	Prefix          string // stands before the signature in its header
	TimestampHeader string // empty: none; else seconds since 1970 or RFC 3339
	MaxAge          time.Duration
	Secret          func() (string, error) // asked anew for every delivery
}

// Proof is what a right signature proves.
type Proof struct {
	Once string        // names this signature; empty: it may come again
	Life time.Duration // for how long it would be taken again
}

// claim is what the headers say.
type claim struct {
	mac   []byte
	stamp string
	at    time.Time
}

// Claimed tells whether the headers have the form of a signature that is not too old, before the body is read. Errors: ErrSignature.
func (s *Signature) Claimed(h http.Header, now time.Time) error {
	_, err := s.claim(h, now)
	return err
}

// Borne tells whether a request bears something where the signature belongs.
func (s *Signature) Borne(h http.Header) bool { return h.Get(s.Header) != "" }

// Check holds the signature against the bytes as sent. Errors: ErrSignature; any other means that our own secret cannot be had.
func (s *Signature) Check(h http.Header, body []byte, now time.Time) (Proof, error) {
	c, err := s.claim(h, now)
	if err != nil {
		return Proof{}, err
	}
	secret, err := s.Secret()
	if err != nil {
		return Proof{}, err
	}
	if secret == "" {
		return Proof{}, errors.New("hmac: the secret is empty")
	}
	mac := hmac.New(s.hash(), []byte(secret))
	if s.TimestampHeader != "" {
		mac.Write([]byte(c.stamp + "."))
	}
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), c.mac) {
		return Proof{}, fmt.Errorf("%s: %w", s.Header, ErrSignature)
	}
	if s.TimestampHeader == "" {
		return Proof{}, nil
	}
	return Proof{Once: hex.EncodeToString(c.mac), Life: c.at.Add(s.MaxAge).Sub(now) + time.Second}, nil
}

func (s *Signature) hash() func() hash.Hash {
	if s.Algorithm == "sha1" {
		return sha1.New
	}
	return sha256.New
}

func (s *Signature) claim(h http.Header, now time.Time) (c claim, err error) {
	text, err := one(h, s.Header)
	if err != nil {
		return c, err
	}
	text, ok := strings.CutPrefix(text, s.Prefix)
	if !ok {
		return c, fmt.Errorf("%s: want %s before the signature: %w", s.Header, s.Prefix, ErrSignature)
	}
	if s.Encoding == "base64" {
		c.mac, err = base64.StdEncoding.DecodeString(text)
	} else {
		c.mac, err = hex.DecodeString(text)
	}
	if size := s.hash()().Size(); err != nil || len(c.mac) != size {
		return c, fmt.Errorf("%s: want %d bytes in %s: %w", s.Header, size, s.Encoding, ErrSignature)
	}
	if s.TimestampHeader == "" {
		return c, nil
	}
	if c.stamp, err = one(h, s.TimestampHeader); err != nil {
		return c, err
	}
	if c.at, err = stampOf(c.stamp); err != nil {
		return c, fmt.Errorf("%s: want seconds since 1970 or RFC 3339: %w", s.TimestampHeader, ErrSignature)
	}
	if age := now.Sub(c.at).Abs(); age > s.MaxAge {
		return c, fmt.Errorf("%s: more than %s from our clock: %w", s.TimestampHeader, s.MaxAge, ErrSignature)
	}
	return c, nil
}

// one gives the only value of a header: of two nobody can tell which was signed.
func one(h http.Header, name string) (string, error) {
	values := h.Values(name)
	if len(values) != 1 || values[0] == "" {
		return "", fmt.Errorf("%s: want it once: %w", name, ErrSignature)
	}
	return strings.TrimSpace(values[0]), nil
}

func stampOf(text string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	return time.Parse(time.RFC3339, text)
}
