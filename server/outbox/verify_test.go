package outbox

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestVerify(t *testing.T) {
	secret, err := ReadSecret("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")
	if err != nil || string(secret) != "012345678901234567890123" {
		t.Fatal(secret, err)
	}
	for _, bad := range []string{"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsec_c2hvcnQ=", "whsec_?"} {
		if _, err := ReadSecret(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	now, body := time.Unix(1_800_000_000, 0), `{"call_id":"1"}`
	headers := func(at time.Time, signature string) http.Header {
		h := http.Header{}
		h.Set("Webhook-Id", "m-1")
		h.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
		h.Set("Webhook-Signature", signature)
		return h
	}
	right := Signature(secret, "m-1", now, body)
	for name, c := range map[string]struct {
		h    http.Header
		body string
		ok   bool
	}{
		"right":          {headers(now, right), body, true},
		"among several":  {headers(now, "v1,AAAA "+right), body, true},
		"at the edge":    {headers(now.Add(-Window), Signature(secret, "m-1", now.Add(-Window), body)), body, true},
		"another body":   {headers(now, right), body + " ", false},
		"another time":   {headers(now.Add(time.Second), right), body, false},
		"too old":        {headers(now.Add(-Window-time.Second), Signature(secret, "m-1", now.Add(-Window-time.Second), body)), body, false},
		"too far ahead":  {headers(now.Add(Window+time.Second), Signature(secret, "m-1", now.Add(Window+time.Second), body)), body, false},
		"another secret": {headers(now, Signature([]byte("another secret of ours...."), "m-1", now, body)), body, false},
		"none":           {http.Header{}, body, false},
	} {
		name1, life, err := Verify(secret, c.h, []byte(c.body), now)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrSignature) || c.ok && (name1 == "" || life <= 0) {
			t.Errorf("%s: %q %v %v", name, name1, life, err)
		}
	}
}
