package poll

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kentongan/feeds/bounded"
)

// answer is what a source said.
type answer struct {
	url           string // where it was found, after redirects
	status        int
	unchanged     bool
	body          []byte
	contentType   string
	etag, changed string
	maxAge        time.Duration
	retryAfter    time.Duration
	backOff       bool // the source is overloaded or away: ask less often
}

// Fault is why a source could not be read. Code is stable, so that a screen can translate it; Text is for a reader.
//
//	dns       the name has no address        refused   nobody listens there       network   no way there
//	timeout   it took too long               tls       its certificate is wrong   http      it answered with an error
//	size      it sent too much               address   we may not ask there       broken    it stopped in mid-answer
type Fault struct {
	Code string
	Text string
	Err  error
}

func (f *Fault) Error() string { return f.Code + ": " + f.Text }
func (f *Fault) Unwrap() error { return f.Err }

// fetch asks one address within the bounds. The answer's status, retryAfter and backOff hold also where there is an error.
func (t *Transport) fetch(ctx context.Context, address, etag, changed string) (answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.config.Timeout, errTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, &Fault{"address", "the address cannot be read", err}
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
		etag: res.Header.Get("ETag"), changed: res.Header.Get("Last-Modified"),
		maxAge: maxAge(res.Header), retryAfter: t.retryAfter(res.Header.Get("Retry-After")),
	}
	switch {
	case res.StatusCode == http.StatusNotModified && etag+changed != "":
		a.unchanged = true
		return a, nil
	case res.StatusCode != http.StatusOK:
		a.backOff = res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500
		return a, &Fault{"http", fmt.Sprintf("%d %s", res.StatusCode, http.StatusText(res.StatusCode)), nil}
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

var errTimeout = errors.New("the time for one answer is over")

// explain finds the code of an error of the network.
func (t *Transport) explain(ctx context.Context, err error) error {
	var (
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		unk  x509.UnknownAuthorityError
		name x509.HostnameError
		rec  tls.RecordHeaderError
		slow interface{ Timeout() bool }
	)
	fault := func(code, text string) error { return &Fault{code, text, err} }
	switch {
	case errors.Is(err, bounded.ErrAddress):
		return fault("address", text(err, bounded.ErrAddress))
	case errors.Is(err, bounded.ErrTooLarge):
		return fault("size", text(err, bounded.ErrTooLarge))
	case errors.As(err, &dns) && dns.IsNotFound:
		return fault("dns", "no such host "+dns.Name)
	case errors.As(err, &dns):
		return fault("dns", "no answer for "+dns.Name)
	case context.Cause(ctx) == errTimeout:
		return fault("timeout", "no whole answer within "+t.config.Timeout.String())
	case errors.As(err, &cert), errors.As(err, &unk), errors.As(err, &name), errors.As(err, &rec):
		return fault("tls", "the certificate or the encryption is wrong")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault("refused", "nobody listens at this address")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return fault("network", "no route to the source")
	case errors.As(err, &slow) && slow.Timeout():
		return fault("timeout", "no connection in time")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return fault("broken", "the source stopped in mid-answer")
	}
	return fault("network", "the source cannot be read")
}

// text is the part of an error that begins with the mark: without the address, which may hold a key.
func text(err, mark error) string {
	s := err.Error()
	if i := strings.Index(s, mark.Error()); i >= 0 {
		return s[i:]
	}
	return mark.Error()
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
