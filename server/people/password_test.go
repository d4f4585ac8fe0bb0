package people

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

var cheap = Cost{8, 1, 1}

func TestHash(t *testing.T) {
	h := NewHasher(DefaultCost())
	began := time.Now()
	phc, err := h.Hash(t.Context(), "tiga ekor kerbau")
	took := time.Since(began)
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=48128,t=1,p=1$") {
		t.Fatal(phc, err)
	}
	t.Logf("one hash: %s", took.Round(time.Millisecond))
	if took < 5*time.Millisecond {
		t.Errorf("a hash takes only %s", took)
	}
	for _, c := range []struct {
		phc, password string
		right         bool
	}{{phc, "tiga ekor kerbau", true}, {phc, "tiga ekor kerbau ", false}, {phc, "", false}, {"", "tiga ekor kerbau", false}, {"", "", false}, {phc, strings.Repeat("x", 300), false}} {
		if right, stale, err := h.Verify(t.Context(), c.phc, c.password, false); right != c.right || stale || err != nil {
			t.Errorf("%.20q: %v %v %v", c.password, right, stale, err)
		}
	}
	if right, stale, _ := NewHasher(cheap).Verify(t.Context(), phc, "tiga ekor kerbau", true); !right || !stale {
		t.Error("a hash under other parameters is not stale")
	}
	for _, bad := range []string{"$argon2id$v=19$m=8,t=1,p=1$AAAA", "$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA", "$argon2id$v=19$m=8,t=0,p=1$AAAA$" + strings.Repeat("A", 43), "x"} {
		if _, _, err := h.Verify(t.Context(), bad, "x", false); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

// Two hashes at once, one of each lane; few wait, and what is known does not wait for strangers.
func TestLanes(t *testing.T) {
	h := NewHasher(cheap)
	busy, err := h.stranger.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	failed := make(chan error, waitingMost)
	for range waitingMost {
		wg.Go(func() { _, _, err := h.Verify(ctx, "", "x", false); failed <- err })
	}
	for len(h.stranger.room) <= waitingMost {
		time.Sleep(time.Millisecond)
	}
	if _, _, err := h.Verify(t.Context(), "", "x", false); !errors.Is(err, ErrBusy) {
		t.Errorf("one more stranger: %v", err)
	}
	if _, _, err := h.Verify(t.Context(), "", "x", true); err != nil {
		t.Errorf("a known browser waits for strangers: %v", err)
	}
	leave()
	wg.Wait()
	for range waitingMost {
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	busy()
	if _, _, err := h.Verify(t.Context(), "", "x", false); err != nil {
		t.Errorf("after the crowd: %v", err)
	}
}

func TestCheckPassword(t *testing.T) {
	p := Person{Login: "sari.wulandari@solokkab.go.id", Name: "Sari Wulandari"}
	for password, ok := range map[string]bool{
		"tiga ekor kerbau di sawah": true, "correct horse battery": true, "kerbau-37-sawah": true, "Grüße aus Solok!": true, "密码很长很长很长很长很长": true,
		"short": false, "elevenchars": false, "aaaaaaaaaaaaaa": false, "abababababab": false, "123456789012": false, "qwertyuiopas": false, "P@ssw0rd1234": false,
		"katasandi123": false, "Kentongan2026": false, "administrator": false, "sari.wulandari": false, "SariWulandari1": false, "wulandarisari": true,
		"selamatdatang": false, "abcdabcdabcd": false, "1q2w3e4r5t6y": false, "kata\x00sandi panjang": false, strings.Repeat("long ", 60): false,
	} {
		if err := CheckPassword(password, p); (err == nil) != ok {
			t.Errorf("%q: %v", password, err)
		}
	}
	if n := len(commonAll()); n < 500 {
		t.Errorf("only %d common passwords", n)
	}
}

func TestReadableCode(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		code := SealedCode()
		plain := PlainCode(code)
		if len(code) != 39 || len(plain) != 32 || seen[plain] || strings.ContainsAny(code, "OILU") {
			t.Fatal(code)
		}
		seen[plain] = true
		if got := PlainCode(strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(code, "-", " "), "0", "o"))); got != plain {
			t.Errorf("%s as typed is %s", code, got)
		}
	}
}
