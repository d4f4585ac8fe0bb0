package poll

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kentongan/feeds/bounded"
)

// answer is what a source said.
type answer struct {
	url           string // where it was found, after redirects
	status        int
	unchanged     bool // since the answer that the validators came with, or there is nothing (204)
	body          []byte
	contentType   string
	etag, changed string
	link          string // the next page by its Link headers
	maxAge        time.Duration
	retryAfter    time.Duration
	backOff       bool // the source is overloaded or away: ask less often
}

var (
	errTimeout = errors.New("the time for one answer is over")
	errRound   = errors.New("the time for one round is over")
)

// fetch asks one address within the bounds. The answer's status, retryAfter and backOff hold also where there is an error, a *bounded.Fault.
func (t *Transport) fetch(ctx context.Context, address, etag, changed string) (answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.config.Timeout, errTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, &bounded.Fault{Code: "address", Text: "the address cannot be read", Err: err}
	}
	req.Header.Set("User-Agent", t.config.UserAgent)
	req.Header.Set("Accept-Encoding", "gzip")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	if changed != "" {
		req.Header.Set("If-Modified-Since", changed)
	}
	res, err := t.client.Do(req)
	if err != nil {
		return answer{backOff: true}, t.explain(ctx, err)
	}
	defer res.Body.Close()
	a := answer{
		url: res.Request.URL.String(), status: res.StatusCode, contentType: res.Header.Get("Content-Type"),
		etag: res.Header.Get("ETag"), changed: res.Header.Get("Last-Modified"), link: nextLink(res.Header),
		maxAge: maxAge(res.Header), retryAfter: t.retryAfter(res.Header.Get("Retry-After")),
	}
	switch {
	case res.StatusCode == http.StatusNoContent, res.StatusCode == http.StatusNotModified && etag+changed != "":
		a.unchanged = true
		return a, nil
	case res.StatusCode != http.StatusOK:
		a.backOff = res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500
		return a, &bounded.Fault{Code: "http", Text: fmt.Sprintf("%d %s", res.StatusCode, http.StatusText(res.StatusCode))}
	}
	a.body, err = t.read(res)
	if err != nil {
		a.backOff = true
		return a, t.explain(ctx, err)
	}
	return a, nil
}

// read takes the body within MaxBody as sent and MaxInflated inflated.
func (t *Transport) read(res *http.Response) ([]byte, error) {
	if res.ContentLength > t.config.MaxBody {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", bounded.ErrTooLarge, res.ContentLength, t.config.MaxBody)
	}
	body, err := bounded.ReadAll(res.Body, t.config.MaxBody)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") || bounded.IsGzip(body) {
		return bounded.Gunzip(body, t.config.MaxInflated)
	}
	return body, nil
}

// explain finds the code of an error of the network.
func (t *Transport) explain(ctx context.Context, err error) error {
	var auth *authError
	switch cause := context.Cause(ctx); {
	case errors.As(err, &auth):
		return &bounded.Fault{Code: "auth", Text: "who we say we are cannot be read: " + auth.Error(), Err: err}
	case cause == errTimeout:
		return &bounded.Fault{Code: "timeout", Text: "no whole answer within " + t.config.Timeout.String(), Err: err}
	case cause == errRound:
		return t.tooLong()
	}
	return bounded.Explain(err)
}

// maxAge reads Cache-Control's max-age less Age (RFC 9111, section 5.2.2.1).
func maxAge(h http.Header) time.Duration {
	for part := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		value, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(part)), "max-age=")
		if s, err := strconv.Atoi(value); ok && err == nil && s > 0 {
			age, _ := strconv.Atoi(h.Get("Age"))
			return time.Duration(max(0, min(s, 86400)-max(0, min(age, 86400)))) * time.Second
		}
	}
	return 0
}

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3).
func (t *Transport) retryAfter(s string) time.Duration {
	if s == "" {
		return 0
	}
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(max(0, min(n, 86400))) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(0, at.Sub(t.config.Now()))
	}
	return 0
}
