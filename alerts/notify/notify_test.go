package notify

import (
	"errors"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func TestTriesEndAndWaitsGrow(t *testing.T) {
	for to, most := range map[string]time.Duration{"webhook:a": 72 * time.Hour, "push:a": 10 * time.Minute} {
		d, now, last := New(to, "incident.created", "incident:1", "", "{}", noon), noon, time.Duration(0)
		for d.State == Pending {
			wait := d.NextAt.Sub(now)
			if wait < last || wait > 4*time.Hour {
				t.Fatalf("%s: try %d comes after %v, the one before after %v", to, d.Tries+1, wait, last)
			}
			now, last = d.NextAt.Time, wait
			d = d.Tried(Outcome{Status: 500, Error: "500"}, 0.5, now)
		}
		if d.State != Dead || d.Tries < 8 || now.Sub(noon) > most || !d.NextAt.IsZero() {
			t.Errorf("%s: %s after %d tries and %v", to, d.State, d.Tries, now.Sub(noon))
		}
		if again := d.Again(now); again.State != Pending || again.ID != d.ID || !again.CreatedAt.Equal(d.CreatedAt.Time) || again.Tries != 0 {
			t.Errorf("asked for again: %+v", again)
		}
	}
}

func TestOutcomes(t *testing.T) {
	d := New("webhook:a", "incident.created", "incident:1", "", "{}", noon)
	if other := New("webhook:b", "incident.created", "incident:1", "", "{}", noon); other.ID == d.ID {
		t.Error("two receivers, one id")
	}
	if same := New("webhook:a", "incident.created", "incident:1", "", "{}", noon.Add(time.Hour)); same.ID != d.ID {
		t.Error("one message, two ids")
	}
	if got := d.Tried(Outcome{Status: 204}, 0, noon); got.State != Sent || got.SentAt.IsZero() || !got.NextAt.IsZero() {
		t.Errorf("taken: %+v", got)
	}
	if got := d.Tried(Outcome{Status: 410, Error: "gone", Final: true}, 0, noon); got.State != Dead || got.Tries != 1 {
		t.Errorf("gone: %+v", got)
	}
	if got := d.Tried(Outcome{Status: 429, Error: "429", After: time.Hour}, 0, noon); got.NextAt.Sub(noon) != time.Hour {
		t.Errorf("asked to wait an hour: %v", got.NextAt.Sub(noon))
	}
	if low, high := d.Tried(Outcome{Error: "x"}, 0, noon), d.Tried(Outcome{Error: "x"}, 1, noon); low.NextAt.Sub(noon) != 4*time.Second || high.NextAt.Sub(noon) != 6*time.Second {
		t.Errorf("spread over %v and %v", low.NextAt.Sub(noon), high.NextAt.Sub(noon))
	}
}

func TestReceiversAreChecked(t *testing.T) {
	for name, w := range map[string]Webhook{
		"plain": {Name: "a", URL: "http://example.org/"}, "user": {Name: "a", URL: "https://a:b@example.org/"}, "no host": {Name: "a", URL: "https:///x"}, "file": {Name: "a", URL: "file:///etc/passwd"},
		"no name": {URL: "https://example.org/"}, "event": {Name: "a", URL: "https://example.org/", Events: []string{"all"}},
	} {
		if err := w.Check(false); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := Webhook{Name: "a", URL: "https://example.org/x?y=z", Events: []string{"alarm.raised"}}
	if err := w.Check(false); err != nil || !w.Wants("alarm.raised") || w.Wants("incident.created") {
		t.Error(err)
	}
	// The keys of RFC 8291, appendix A.
	s := Subscription{Endpoint: "https://push.example.net/p", P256DH: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4=", Auth: "BTBZMqHH6r4Tts7J_aSIgg"}
	if err := s.Check(false); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]Subscription{"key": {Endpoint: s.Endpoint, P256DH: s.Auth, Auth: s.Auth}, "auth": {Endpoint: s.Endpoint, P256DH: s.P256DH, Auth: "AAAA"}, "endpoint": {Endpoint: "//x", P256DH: s.P256DH, Auth: s.Auth}} {
		if err := bad.Check(false); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
