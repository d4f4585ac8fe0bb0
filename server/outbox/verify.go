package outbox

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrSignature means that a message that came is not signed as it must be.
var ErrSignature = errors.New("the signature does not prove the message")

// Window is how old a signed message may be when it comes, or how far ahead its sender's clock.
const Window = 5 * time.Minute

// leastSecret is in bytes (Standard Webhooks: 24 to 64).
const leastSecret = 24

// ReadSecret reads a secret in its written form, whsec_ and at least 24 bytes in base64; empty: none.
func ReadSecret(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	code, ok := strings.CutPrefix(text, "whsec_")
	secret, err := base64.StdEncoding.DecodeString(code)
	if !ok || err != nil || len(secret) < leastSecret {
		return nil, fmt.Errorf("want whsec_ and at least %d bytes in base64", leastSecret)
	}
	return secret, nil
}

// Verify holds a message that came against its headers (Standard Webhooks): Webhook-Id, Webhook-Timestamp in seconds, and Webhook-Signature,
// which may hold several apart by spaces. It gives a name for what was signed: a second one of that name is a copy, as long as Life says.
// Errors: ErrSignature.
func Verify(secret []byte, h http.Header, body []byte, now time.Time) (name string, life time.Duration, err error) {
	id, stamp, signed := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), h.Get("Webhook-Signature")
	if id == "" || stamp == "" || signed == "" {
		return "", 0, fmt.Errorf("%w: Webhook-Id, Webhook-Timestamp and Webhook-Signature are needed", ErrSignature)
	}
	second, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return "", 0, fmt.Errorf("%w: Webhook-Timestamp is no number of seconds since 1970", ErrSignature)
	}
	at := time.Unix(second, 0)
	if now.Sub(at) > Window || at.Sub(now) > Window {
		return "", 0, fmt.Errorf("%w: Webhook-Timestamp is more than %v from now", ErrSignature, Window)
	}
	want := Signature(secret, id, at, string(body))
	for _, one := range strings.Fields(signed) {
		if hmac.Equal([]byte(one), []byte(want)) {
			return want, at.Add(Window).Sub(now) + time.Second, nil
		}
	}
	return "", 0, fmt.Errorf("%w: Webhook-Signature is none over this body", ErrSignature)
}
