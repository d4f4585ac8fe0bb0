package api

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/formats/owntracks"
	"kentongan/feeds/transports/push"
)

const hookSecret = "0123456789abcdef"

func signed(text string) string {
	m := hmac.New(sha256.New, []byte(hookSecret))
	m.Write([]byte(text))
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

func hook(stamp string) push.Door {
	return push.Door{Signed: &push.Signature{Header: "X-Sign", Algorithm: "sha256", Encoding: "hex", Prefix: "sha256=", TimestampHeader: stamp, MaxAge: 5 * time.Minute,
		Secret: func() (string, error) { return hookSecret, nil }}}
}

func TestASignatureStandsForAKeyAndIsAlwaysNeeded(t *testing.T) {
	h := build(t)
	_, key := h.key(`{"name":"n","feed":"awlr"}`)
	h.doors = map[string]push.Door{"awlr": hook("")}
	const path = "/api/v1/ingest/awlr"
	h.want(h.ask("POST", path, "x", "X-Sign", signed("x")), 202)
	h.want(h.ask("POST", path, "x", "X-Sign", signed("x")), 202) // nothing says how old it is
	h.want(h.ask("POST", path, "x", "X-Sign", signed("x"), "X-Api-Key", key), 202)
	h.got = nil
	for name, headers := range map[string][]string{
		"none": nil, "wrong": {"X-Sign", signed("y")}, "no form": {"X-Sign", "x"}, "key without signature": bearer(key), "admin without signature": bearer(token),
		"key with a wrong signature": append(bearer(key), "X-Sign", signed("y")), "wrong key with a right signature": append(bearer(key+"x"), "X-Sign", signed("x")),
	} {
		h.want(h.ask("POST", path, "x", headers...), 401)
		if h.got != nil {
			t.Errorf("%s: it was delivered", name)
		}
	}
	h.want(h.ask("POST", "/api/v1/ingest/siren", "x", "X-Sign", signed("x")), 401) // a feed that knows no signatures
	h.want(h.ask("GET", "/api/v1/things", "", "X-Sign", signed("")), 401)
	if !strings.Contains(h.actions(), "session.denied") {
		t.Error("refusals leave no trace")
	}
	for _, r := range h.want(h.admin("GET", "/api/v1/audit", ""), 200)["items"].([]any) {
		if reason, _ := r.(map[string]any)["reason"].(string); strings.Count(reason, "not valid") > 1 {
			t.Errorf("says it twice: %q", reason)
		}
	}
}

func TestTheSignatureIsOfTheBytesAsSent(t *testing.T) {
	h := build(t)
	h.doors = map[string]push.Door{"awlr": hook("")}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write([]byte("inflated"))
	_ = w.Close()
	h.want(h.ask("POST", "/api/v1/ingest/awlr", z.String(), "Content-Encoding", "gzip", "X-Sign", signed(z.String())), 202)
	if string(h.got) != "inflated" {
		t.Errorf("%q", h.got)
	}
	h.want(h.ask("POST", "/api/v1/ingest/awlr", z.String(), "Content-Encoding", "gzip", "X-Sign", signed("inflated")), 401)
}

func TestAStampedSignatureCountsOnce(t *testing.T) {
	h := build(t)
	h.doors = map[string]push.Door{"awlr": hook("X-Time")}
	send := func(at time.Time, body, query string) int {
		stamp := fmt.Sprint(at.Unix())
		return h.ask("POST", "/api/v1/ingest/awlr"+query, body, "X-Time", stamp, "X-Sign", signed(stamp+"."+body)).Code
	}
	now := time.Now()
	for i, c := range []struct {
		at          time.Time
		body, query string
		code        int
	}{
		{now, "x", "?dry_run=1", 202}, {now, "x", "", 202}, {now, "x", "", 401}, {now.Add(-time.Second), "x", "", 202}, {now, "y", "", 202},
		{now.Add(-6 * time.Minute), "x", "", 401}, {now.Add(6 * time.Minute), "x", "", 401},
		{now, "busy", "", 503}, {now, "busy", "", 503}, // what was not stored may come again
	} {
		if got := send(c.at, c.body, c.query); got != c.code {
			t.Errorf("%d: %d, want %d", i, got, c.code)
		}
	}
}

func TestAFormatOwnsItsSuccessReplyAlone(t *testing.T) {
	h := build(t)
	format := owntracks.Format{}
	reply := format.Reply()
	h.doors = map[string]push.Door{"awlr": {Reply: &reply, Headed: format}}
	w := h.admin("POST", "/api/v1/ingest/awlr", "x", "X-Limit-U", "rani", "X-Limit-D", "hp")
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != "[]" || w.Header().Get("Content-Type") != "application/json" || h.meta.Topic != "owntracks/rani/hp" {
		t.Errorf("%d %q %+v", w.Code, w.Body, h.meta)
	}
	h.want(h.admin("POST", "/api/v1/ingest/awlr?dry_run=1", "x"), 202)
	h.want(h.admin("POST", "/api/v1/ingest/awlr", "busy"), 503)
	h.receipt = &feeds.Receipt{Rejected: []feeds.Refusal{{Reason: "lat"}}}
	h.want(h.admin("POST", "/api/v1/ingest/awlr", "x"), 422)
	h.want(h.admin("POST", "/api/v1/ingest/awlr", strings.Repeat("x", 2000)), 413)
}
