package basemap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"kentongan/feeds/bounded"
)

// Bounds of one question to the outside.
const (
	askTime      = 10 * time.Second // from the name to the last byte
	maxRedirects = 5
	maxAtOnce    = 16
	downTime     = 15 * time.Second // a host that failed is left alone for so long: screens must not wait for each tile
)

// client asks the hosts that it may ask.
type client struct {
	http  *http.Client
	hosts map[string]bool
	agent string
	slots chan struct{}
	now   func() time.Time

	mu   sync.Mutex
	down map[string]time.Time // host -> until when it is not asked
}

func newClient(c Config, d Deps) *client {
	out := &client{hosts: map[string]bool{}, agent: d.UserAgent, slots: make(chan struct{}, maxAtOnce), now: d.Now, down: map[string]time.Time{}}
	if u, err := url.Parse(c.Style); err == nil {
		out.hosts[host(u)] = true
	}
	for _, h := range c.Hosts {
		out.hosts[strings.ToLower(h)] = true
	}
	out.http = &http.Client{
		Transport: &http.Transport{ // no Proxy: a proxy would dial for us, past our check of the address
			DialContext: bounded.Dialer(c.AllowPrivate), DisableCompression: true, MaxIdleConnsPerHost: maxAtOnce, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		},
		CheckRedirect: out.checkRedirect,
	}
	return out
}

// host is the name by which hosts are compared: lower case, with the port where it is not the scheme's own.
func host(u *url.URL) string {
	name, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		return name
	}
	return net.JoinHostPort(name, port)
}

// allowed refuses an address that the configuration does not let us ask.
func (c *client) allowed(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: scheme %.20q", bounded.ErrAddress, u.Scheme)
	case u.User != nil:
		return fmt.Errorf("%w: credentials in an address", bounded.ErrAddress)
	case !c.hosts[host(u)]:
		return fmt.Errorf("%w: host %.100q is not among basemap.hosts", bounded.ErrAddress, host(u))
	}
	return nil
}

func (c *client) checkRedirect(next *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("%w: more than %d redirects", bounded.ErrAddress, maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme != "https" {
		return fmt.Errorf("%w: a redirect from https to http", bounded.ErrAddress)
	}
	return c.allowed(next.URL)
}

// get asks one address. Nothing there (204, 404, 410) is nil without an error. An error never holds the address's query: it may be a key.
func (c *client) get(ctx context.Context, address string, most int64) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("an address that cannot be read")
	}
	if err := c.allowed(u); err != nil {
		return nil, err
	}
	if err := c.isDown(host(u)); err != nil {
		return nil, err
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, askTime, fmt.Errorf("no answer within %s", askTime))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("an address that cannot be asked")
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := c.http.Do(req)
	if err != nil {
		if !errors.Is(err, bounded.ErrAddress) { // what leads to where it may not has answered
			c.fail(host(u))
		}
		return nil, bare(err)
	}
	defer func() { _ = res.Body.Close() }()
	return c.body(res, host(u), most)
}

func (c *client) body(res *http.Response, from string, most int64) ([]byte, error) {
	switch {
	case res.StatusCode == http.StatusNoContent || res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone:
		_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection can be used again
		return nil, nil
	case res.StatusCode != http.StatusOK:
		switch res.StatusCode {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			c.fail(from)
		}
		return nil, fmt.Errorf("answered %d", res.StatusCode)
	}
	body, err := bounded.ReadAll(res.Body, most)
	if err != nil {
		return nil, bare(err)
	}
	if bounded.IsGzip(body) { // sent so, or kept so: tiles often are
		return bounded.Gunzip(body, most)
	}
	return body, nil
}

// bare takes the address off an error of net/http.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func (c *client) isDown(host string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now().Before(c.down[host]) {
		return errors.New("it did not answer a moment ago")
	}
	return nil
}

func (c *client) fail(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down[host] = c.now().Add(downTime)
}
