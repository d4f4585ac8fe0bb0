package notify

import (
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Subscription is a browser that takes Web Push (W3C Push API, PushSubscription): where, and with which keys (RFC 8291).
type Subscription struct {
	V         int         `json:"v"`
	ID        string      `json:"id"` // of its endpoint: the same browser subscribes once
	Endpoint  string      `json:"endpoint"`
	P256DH    string      `json:"p256dh"`           // base64url: its public key on P-256
	Auth      string      `json:"auth"`             // base64url: 16 bytes
	Subject   string      `json:"subject"`          // "user:01J…", "field:01J…": whose it is
	Person    string      `json:"person,omitempty"` // id of the account
	Device    string      `json:"device,omitempty"` // id of the enrolled device
	Unit      string      `json:"unit,omitempty"`   // that its holder rode with when it subscribed
	Lang      string      `json:"lang"`             // id or en
	CreatedAt moment.Time `json:"created_at"`
}

// SubscriptionID of an endpoint.
func SubscriptionID(endpoint string) string {
	sum := sha256.Sum256([]byte(endpoint))
	return hex.EncodeToString(sum[:16])
}

// To is the subscription as a delivery names it.
func (s *Subscription) To() string { return string(ByPush) + ":" + s.ID }

// Check names what is wrong with a subscription. plain: http is taken, too. Errors: ErrInvalid.
func (s *Subscription) Check(plain bool) error {
	if err := checkAddress("endpoint", s.Endpoint, plain); err != nil {
		return err
	}
	if _, err := s.Key(); err != nil {
		return err
	}
	_, err := s.Secret()
	return err
}

// Key is the browser's public key. Errors: ErrInvalid.
func (s *Subscription) Key() (*ecdh.PublicKey, error) {
	b, err := unpadded(s.P256DH)
	if err == nil {
		var key *ecdh.PublicKey
		if key, err = ecdh.P256().NewPublicKey(b); err == nil {
			return key, nil
		}
	}
	return nil, fault.In(ErrInvalid, "keys.p256dh", fault.Form, nil, "no public key on P-256 in base64url")
}

// Secret is the browser's authentication secret. Errors: ErrInvalid.
func (s *Subscription) Secret() ([]byte, error) {
	b, err := unpadded(s.Auth)
	if err != nil || len(b) != 16 {
		return nil, fault.In(ErrInvalid, "keys.auth", fault.Form, nil, "want 16 bytes in base64url")
	}
	return b, nil
}

// unpadded reads base64url; some browsers pad it.
func unpadded(text string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
}
