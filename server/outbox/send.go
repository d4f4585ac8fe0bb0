package outbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kentongan/alerts/notify"
	"kentongan/feeds/bounded"
)

// mostAnswer is how much of an answer is read; what a receiver says beyond it is its own matter.
const mostAnswer = 16 << 10

// newClient asks receivers: never by a proxy, never another address than it was told, and only where the address it resolves to may be dialled.
func newClient(c Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{DialContext: bounded.Dialer(c.AllowPrivate), TLSHandshakeTimeout: c.Timeout, ResponseHeaderTimeout: c.Timeout,
			MaxIdleConns: 64, MaxIdleConnsPerHost: 1, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: mostAnswer, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Signature of a message (Standard Webhooks): v1, HMAC-SHA256 over id, second and body, in base64.
func Signature(secret []byte, id string, at time.Time, body string) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = io.WriteString(mac, id+"."+strconv.FormatInt(at.Unix(), 10)+"."+body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// webhook sends a message to a program.
func (b *Box) webhook(ctx context.Context, w *notify.Webhook, d *notify.Delivery) (o notify.Outcome, gone bool) {
	secret, err := b.unseal(webhookPurpose, w.Secret, w.ID)
	if err != nil {
		return notify.Outcome{Error: "its secret does not open: " + err.Error(), Final: true}, false
	}
	now := b.d.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, strings.NewReader(d.Body))
	if err != nil {
		return notify.Outcome{Error: err.Error(), Final: true}, false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Kentongan/"+b.d.Version)
	req.Header.Set("Webhook-Id", d.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("Webhook-Signature", Signature(secret, d.ID, now, d.Body))
	o = b.ask(req)
	if gone = o.Status == http.StatusGone; gone {
		o.Final = true
	}
	return o, gone
}

// push sends a message to a browser by its push service (RFC 8030).
func (b *Box) push(ctx context.Context, s *notify.Subscription, d *notify.Delivery) (o notify.Outcome, gone bool) {
	now := b.d.Now()
	fail := func(err error) (notify.Outcome, bool) { return notify.Outcome{Error: err.Error(), Final: true}, false }
	at, err := url.Parse(s.Endpoint)
	if err != nil {
		return fail(err)
	}
	key, err := b.key(ctx)
	if err != nil {
		return notify.Outcome{Error: err.Error()}, false
	}
	body, err := encrypt(s, []byte(d.Body))
	if err != nil {
		return fail(err)
	}
	token, err := key.authorization(at, b.cfg.Contact, now)
	if err != nil {
		return fail(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Endpoint, bytes.NewReader(body))
	if err != nil {
		return fail(err)
	}
	topic := sha256.Sum256([]byte(d.Object))
	req.Header.Set("Authorization", token)
	req.Header.Set("Content-Encoding", "aes128gcm")
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("TTL", strconv.Itoa(max(0, int(d.EndsAt.Sub(now).Seconds()))))
	req.Header.Set("Urgency", "high")
	req.Header.Set("Topic", b64.EncodeToString(topic[:24])) // what is newer takes the place of what the service has not handed over yet
	o = b.ask(req)
	switch o.Status {
	case http.StatusNotFound, http.StatusGone: // RFC 8030 section 7.3: the subscription has ended
		o.Final, gone = true, true
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		o.Final = true
	}
	return o, gone
}

// ask sends one request and judges the answer. Only 2xx is a yes; a redirect is none.
func (b *Box) ask(req *http.Request) notify.Outcome {
	resp, err := b.client.Do(req)
	if err != nil {
		return notify.Outcome{Error: plain(err), Final: errors.Is(err, bounded.ErrAddress)}
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, mostAnswer)
	o := notify.Outcome{Status: resp.StatusCode}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		o.Error = fmt.Sprintf("it answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
			o.After = time.Duration(s) * time.Second
		}
	}
	return o
}

// plain tells an error without the address, which is a secret of push services.
func plain(err error) string {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}
