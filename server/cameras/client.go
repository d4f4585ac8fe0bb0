package cameras

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"kentongan/feeds/bounded"
)

// Bounds of one question to a camera.
const (
	askTime      = 10 * time.Second // of a picture or a playlist, from the name to the last byte
	segmentTime  = 45 * time.Second // of a segment: slow cameras take their length
	maxRedirects = 3
	mostStill    = 4 << 20
	mostPlaylist = 512 << 10
	mostSegment  = 32 << 20
	mostStreams  = 8 // segments of one camera under way at a time
)

// client asks one camera, and the hosts that its entry names.
type client struct {
	http    *http.Client
	agent   string
	home    string // the host that is asked for pictures
	hosts   map[string]bool
	streams chan struct{}
}

// own puts who we say we are on what goes to the camera's own host, and never by http where its address says https. It stands beneath the
// client, because the client carries headers along redirects.
type own struct {
	homes     []*url.URL
	authorize func(*http.Request) error
	next      *http.Transport
}

func (o *own) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Del("Referer") // it would tell the next host the query of our address
	for _, home := range o.homes {
		if host(req.URL) == host(home) && (req.URL.Scheme == home.Scheme || req.URL.Scheme == "https") {
			if err := o.authorize(req); err != nil {
				return nil, &bounded.Fault{Code: "auth", Text: "our own secret cannot be read", Err: err}
			}
			break
		}
	}
	return o.next.RoundTrip(req)
}

func newClient(c Config, agent string) (*client, error) {
	believed, err := c.TLS.Client()
	if err != nil {
		return nil, err
	}
	out := &client{agent: agent, hosts: map[string]bool{}, streams: make(chan struct{}, mostStreams)}
	var homes []*url.URL
	for _, address := range []string{c.Still.Reveal(), c.HLS.Reveal()} {
		if u, err := url.Parse(address); err == nil && address != "" {
			out.hosts[host(u)] = true
			if out.home == "" {
				out.home = host(u)
			}
			homes = append(homes, u)
		}
	}
	for _, h := range c.Hosts {
		out.hosts[strings.ToLower(h)] = true
	}
	out.http = &http.Client{
		Transport: &own{homes, c.Auth.Sign, &http.Transport{ // no Proxy: a proxy would dial for us, past our check of the address
			DialContext: bounded.Dialer(c.AllowPrivate), TLSClientConfig: believed, DisableCompression: true, MaxConnsPerHost: mostStreams + 2, MaxIdleConnsPerHost: 2,
			IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: askTime, MaxResponseHeaderBytes: 64 << 10,
		}},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			switch {
			case len(via) >= maxRedirects:
				return barred("more than %d redirects", maxRedirects)
			case via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme != "https":
				return barred("a redirect from https to http")
			}
			return out.allowed(next.URL)
		},
	}
	return out, nil
}

// host is the name by which hosts are compared: lower case, with the port where it is not the scheme's own.
func host(u *url.URL) string {
	name, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		return name
	}
	return net.JoinHostPort(name, port)
}

// barred is why an address may not be asked, in words that hold none.
func barred(format string, args ...any) error {
	return &bounded.Fault{Code: "address", Text: fmt.Sprintf(format, args...), Err: bounded.ErrAddress}
}

// allowed refuses an address that the entry does not let us ask. The error names no address.
func (c *client) allowed(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return barred("a scheme other than http and https")
	case u.User != nil:
		return barred("credentials in an address")
	case !c.hosts[host(u)]:
		return barred("a host that is not among the camera's hosts")
	}
	return nil
}

// sentRange is the one form of Range that is passed on: EXT-X-BYTERANGE becomes it (RFC 8216, section 4.3.2.2).
var sentRange = regexp.MustCompile(`^bytes=\d{1,15}-\d{0,15}$`)

// ask sends one question and gives the answer's open body, of a status that says success. An error is a *bounded.Fault without any address.
func (c *client) ask(ctx context.Context, address, span string) (*http.Response, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, &bounded.Fault{Code: "address", Text: "an address that cannot be read"}
	}
	if err := c.allowed(u); err != nil {
		return nil, bounded.Explain(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, &bounded.Fault{Code: "address", Text: "an address that cannot be asked"}
	}
	req.Header.Set("User-Agent", c.agent)
	if sentRange.MatchString(span) {
		req.Header.Set("Range", span)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, told(ctx, err)
	}
	if res.StatusCode != http.StatusOK && (res.StatusCode != http.StatusPartialContent || span == "") {
		_ = res.Body.Close()
		return nil, &bounded.Fault{Code: "http", Text: fmt.Sprintf("the camera answered %d", res.StatusCode)}
	}
	return res, nil
}

// fetch reads one answer whole, at most so many bytes. final is where it came from in the end.
func (c *client) fetch(ctx context.Context, address string, most int64) (body []byte, final *url.URL, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	res, err := c.ask(ctx, address, "")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if body, err = bounded.ReadAll(res.Body, most); err != nil {
		return nil, nil, told(ctx, err)
	}
	return body, res.Request.URL, nil
}

// kinds are the words for what the network says, by the code of bounded.Explain: its own hold names and numbers of hosts.
var kinds = map[string]string{
	"dns": "the camera's name leads nowhere", "refused": "nobody listens there", "network": "no way to the camera", "timeout": "no whole answer in time",
	"tls": "the certificate or the encryption is wrong", "size": "the answer is too large", "address": "an address that may not be asked", "broken": "the camera stopped in mid-answer",
}

// told is an error of a question as a *bounded.Fault that tells the kind of it and holds no address, host or port. What we found ourselves keeps
// its words.
func told(ctx context.Context, err error) *bounded.Fault {
	if ours := (*bounded.Fault)(nil); errors.As(err, &ours) {
		return &bounded.Fault{Code: ours.Code, Text: ours.Text}
	}
	code := bounded.Explain(err).Code
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		code = "timeout"
	}
	text := kinds[code]
	if text == "" {
		text = "the camera cannot be asked"
	}
	return &bounded.Fault{Code: code, Text: text}
}
