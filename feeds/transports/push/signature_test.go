package push

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"testing"
	"time"
)

const hmacSecret = "It's a Secret to Everybody"

func macOf(h func() hash.Hash, text string) []byte {
	m := hmac.New(h, []byte(hmacSecret))
	m.Write([]byte(text))
	return m.Sum(nil)
}

func signature(change func(*Signature)) *Signature {
	s := &Signature{Header: "X-Hub-Signature-256", Algorithm: "sha256", Encoding: "hex", Prefix: "sha256=", MaxAge: 5 * time.Minute, Secret: func() (string, error) { return hmacSecret, nil }}
	if change != nil {
		change(s)
	}
	return s
}

// The first case is the example of GitHub's page "Validating webhook deliveries".
func TestRightAndWrongSignatures(t *testing.T) {
	now := time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)
	right := "sha256=" + hex.EncodeToString(macOf(sha256.New, "Hello, World!"))
	if right != "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" {
		t.Fatal(right)
	}
	stamp := fmt.Sprint(now.Unix())
	stamped := func(s *Signature) { s.TimestampHeader = "X-Time" }
	signedAt := func(at string) string {
		return "sha256=" + hex.EncodeToString(macOf(sha256.New, at+".Hello, World!"))
	}
	at := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	for _, c := range []struct {
		name    string
		change  func(*Signature)
		headers []string
		body    string
		ok      bool
	}{
		{"as GitHub", nil, []string{"X-Hub-Signature-256", right}, "Hello, World!", true},
		{"capitals", nil, []string{"X-Hub-Signature-256", "sha256=" + strings.ToUpper(right[7:])}, "Hello, World!", true},
		{"another body", nil, []string{"X-Hub-Signature-256", right}, "Hello, World?", false},
		{"none", nil, nil, "Hello, World!", false},
		{"empty", nil, []string{"X-Hub-Signature-256", ""}, "Hello, World!", false},
		{"two", nil, []string{"X-Hub-Signature-256", right, "X-Hub-Signature-256", right}, "Hello, World!", false},
		{"without its prefix", nil, []string{"X-Hub-Signature-256", right[7:]}, "Hello, World!", false},
		{"cut", nil, []string{"X-Hub-Signature-256", right[:len(right)-2]}, "Hello, World!", false},
		{"no hex", nil, []string{"X-Hub-Signature-256", "sha256=" + strings.Repeat("zz", 32)}, "Hello, World!", false},
		{"another secret", func(s *Signature) { s.Secret = func() (string, error) { return hmacSecret + ".", nil } }, []string{"X-Hub-Signature-256", right}, "Hello, World!", false},
		{"base64", func(s *Signature) { s.Encoding, s.Prefix, s.Header = "base64", "", "X-Signature" }, []string{"X-Signature", base64.StdEncoding.EncodeToString(macOf(sha256.New, "x"))}, "x", true},
		{"sha1", func(s *Signature) { s.Algorithm, s.Prefix, s.Header = "sha1", "sha1=", "X-Hub-Signature" }, []string{"X-Hub-Signature", "sha1=" + hex.EncodeToString(macOf(sha1.New, "x"))}, "x", true},
		{"sha1 where sha256 must be", nil, []string{"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(macOf(sha1.New, "x"))}, "x", false},
		{"stamped", stamped, []string{"X-Time", stamp, "X-Hub-Signature-256", signedAt(stamp)}, "Hello, World!", true},
		{"stamped in words", stamped, []string{"X-Time", "2026-11-27T08:00:00+07:00", "X-Hub-Signature-256", signedAt("2026-11-27T08:00:00+07:00")}, "Hello, World!", true},
		{"the stamp unsigned", stamped, []string{"X-Time", stamp, "X-Hub-Signature-256", right}, "Hello, World!", false},
		{"another stamp", stamped, []string{"X-Time", at(time.Second), "X-Hub-Signature-256", signedAt(stamp)}, "Hello, World!", false},
		{"no stamp", stamped, []string{"X-Hub-Signature-256", signedAt("")}, "Hello, World!", false},
		{"no time", stamped, []string{"X-Time", "now", "X-Hub-Signature-256", signedAt("now")}, "Hello, World!", false},
		{"just in time", stamped, []string{"X-Time", at(-5 * time.Minute), "X-Hub-Signature-256", signedAt(at(-5 * time.Minute))}, "Hello, World!", true},
		{"old", stamped, []string{"X-Time", at(-5*time.Minute - time.Second), "X-Hub-Signature-256", signedAt(at(-5*time.Minute - time.Second))}, "Hello, World!", false},
		{"from tomorrow", stamped, []string{"X-Time", at(5*time.Minute + time.Second), "X-Hub-Signature-256", signedAt(at(5*time.Minute + time.Second))}, "Hello, World!", false},
	} {
		h := http.Header{}
		for i := 0; i < len(c.headers); i += 2 {
			h.Add(c.headers[i], c.headers[i+1])
		}
		proof, err := signature(c.change).Check(h, []byte(c.body), now)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && strings.Contains(err.Error(), hmacSecret) {
			t.Errorf("%s: tells the secret: %v", c.name, err)
		}
		if once := c.ok && h.Get("X-Time") != ""; (proof.Once != "") != once || once && (proof.Life <= 0 || proof.Life > 11*time.Minute) {
			t.Errorf("%s: %+v", c.name, proof)
		}
	}
}

func TestASecretThatCannotBeHadIsOurFault(t *testing.T) {
	h := http.Header{"X-Hub-Signature-256": {"sha256=" + strings.Repeat("00", 32)}}
	for _, secret := range []func() (string, error){func() (string, error) { return "", errors.New("gone") }, func() (string, error) { return "", nil }} {
		_, err := signature(func(s *Signature) { s.Secret = secret }).Check(h, nil, time.Now())
		if err == nil || errors.Is(err, ErrSignature) {
			t.Errorf("%v", err)
		}
	}
}
