package auditlog

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"kentongan/alerts/audit"
	"kentongan/alerts/audit/tree"
)

// TestAWitnessThatConfirmsNothingIsTold has one that answers 404 for ever, and then is there.
func TestAWitnessThatConfirmsNothingIsTold(t *testing.T) {
	h := newHouse(t)
	var asked atomic.Int32
	var there atomic.Bool
	secret, vkey, err := tree.NewWitnessKey("saksi.example.org", strings.NewReader(strings.Repeat("k", 64)))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tree.NewCosigner(secret, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var w *writer
	away := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if !there.Load() {
			http.NotFound(out, r)
			return
		}
		_, n, err := tree.Peek(w.text)
		if err != nil {
			t.Error(err)
			return
		}
		signed, err := note.Sign(&note.Note{Text: n.Text}, signer)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = out.Write(bytes.TrimPrefix(signed, []byte(n.Text+"\n")))
	}))
	defer away.Close()
	now := time.Now()
	h.deps.Config = Config{Witnesses: []Witness{{away.URL, vkey}}}
	h.deps.Now = func() time.Time { return now }
	h.open()
	w = &writer{l: h.log, cases: h.cases}
	look := func() {
		t.Helper()
		clear(h.log.resting) // its rest is over
		if err := w.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.acts(1)
	look()
	if got := h.log.Warnings(); len(got) != 0 {
		t.Errorf("at once: %q", got)
	}
	now = now.Add(witnessLate)
	if got := h.log.Warnings(); len(got) != 1 || strings.Contains(got[0], away.URL) || !strings.Contains(got[0], "404") {
		t.Errorf("after %v: %q", witnessLate, got)
	}
	there.Store(true)
	before := asked.Load()
	look() // nothing is new in the log
	if got := h.log.Warnings(); len(got) != 0 || asked.Load() == before {
		t.Errorf("once it is there: %q, asked %d times", got, asked.Load()-before)
	}
	before = asked.Load()
	look()
	if asked.Load() != before {
		t.Error("it is asked for what it has confirmed")
	}
}

// TestAWitnessThatFailsIsAskedEverMoreSeldom has witnesses that fail in each way, while somebody acts every ten seconds.
func TestAWitnessThatFailsIsAskedEverMoreSeldom(t *testing.T) {
	_, vkey, err := tree.NewWitnessKey("saksi.example.org", strings.NewReader(strings.Repeat("k", 64)))
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]func(out http.ResponseWriter){
		"404":                 func(out http.ResponseWriter) { out.WriteHeader(http.StatusNotFound) },
		"503":                 func(out http.ResponseWriter) { out.WriteHeader(http.StatusServiceUnavailable) },
		"another history":     func(out http.ResponseWriter) { out.WriteHeader(http.StatusUnprocessableEntity) },
		"no length":           func(out http.ResponseWriter) { out.WriteHeader(http.StatusConflict); _, _ = out.Write([]byte("many")) },
		"more than there are": func(out http.ResponseWriter) { out.WriteHeader(http.StatusConflict); _, _ = out.Write([]byte("999")) },
		"no cosignature":      func(out http.ResponseWriter) { _, _ = out.Write([]byte("thank you\n")) },
		"nothing":             func(out http.ResponseWriter) {},
		"half an answer":      func(out http.ResponseWriter) { out.Header().Set("Content-Length", "99"); _, _ = out.Write([]byte("x")) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			now := time.Now()
			var asked []time.Time
			bad := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
				asked = append(asked, now)
				answer(out)
			}))
			defer bad.Close()
			h.deps.Config = Config{Witnesses: []Witness{{bad.URL, vkey}}}
			h.deps.Now = func() time.Time { return now }
			h.open()
			w := &writer{l: h.log, cases: h.cases}
			const minutes = 10
			for i := range minutes * 120 {
				if i%20 == 0 {
					if err := h.cases.Record(t.Context(), audit.Record{Actor: "user:anna", Action: "reporter.revealed", Object: "report:1"}); err != nil {
						t.Fatal(err)
					}
					w.last = time.Time{} // it is ten seconds ago
				}
				if err := w.look(t.Context()); err != nil {
					t.Fatal(err)
				}
				now = now.Add(lookFor)
			}
			if len(asked) < minutes/2+2 || len(asked) > minutes+2 {
				t.Errorf("asked %d times within %d minutes", len(asked), minutes)
			}
			for i := 2; i < len(asked); i++ {
				if was, is := asked[i-1].Sub(asked[i-2]), asked[i].Sub(asked[i-1]); is < was && was < longestRest || is > longestRest+dueEvery {
					t.Errorf("asked after %v, then after %v", was, is)
				}
			}
			if w := h.log.Warnings(); len(w) != 1 || strings.Contains(w[0], bad.URL) {
				t.Errorf("warnings: %q", w)
			}
		})
	}
}
