package poll

import (
	"fmt"
	"net/http"
	"net/url"
)

// Authorize says who we are: it sets headers of a request. It is called for each, so that what it reads may change. Its error must not
// hold the secret.
type Authorize func(*http.Request) error

// origin sends what tells who we are only to the host of the feed's own address, never to another host that links or redirects lead to,
// and never by http where the address says https. The headers are set here, beneath the client, because the client carries the headers of a
// request along redirects. A Referer is never sent: it would tell the next host the query of our address, and keys travel in queries.
type origin struct {
	scheme, host string
	authorize    Authorize // may be nil
	next         *http.Transport
}

func (o *origin) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Del("Referer")
	if o.authorize != nil && o.is(req.URL) {
		if err := o.authorize(req); err != nil {
			return nil, fmt.Errorf("who we say we are: %w", &authError{err})
		}
	}
	return o.next.RoundTrip(req)
}

// CloseIdleConnections is what a client's method of this name calls.
func (o *origin) CloseIdleConnections() { o.next.CloseIdleConnections() }

// is tells whether an address is of the feed's own host, and no less safe.
func (o *origin) is(u *url.URL) bool {
	return host(u) == o.host && (u.Scheme == o.scheme || u.Scheme == "https")
}

// authError is a secret that cannot be read.
type authError struct{ error }

func (e *authError) Unwrap() error { return e.error }
