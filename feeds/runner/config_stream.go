package runner

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/transports/stream"
)

// Bounds of what a stream's settings may say.
const (
	leastFrame      = 256
	mostFrame       = 4 << 20
	mostConnections = 100_000
	leastIdle       = time.Second
	mostIdle        = 24 * time.Hour
)

// validateStream gives the faults of the keys of tcp and udp, also where another transport has them.
func (c FeedConfig) validateStream() []error {
	var faults []error
	fault := func(bad bool, key, format string, args ...any) {
		if bad {
			faults = append(faults, &ConfigError{key, fmt.Sprintf(format, args...)})
		}
	}
	tcp, streams := c.Transport == TCP, c.Transport == TCP || c.Transport == UDP
	fault(!streams && c.Listen != "", "listen", "only a feed with transport tcp or udp has it")
	fault(c.Listen == "" && len(c.From) > 0, "from", "only a feed with listen has it")
	fault(!streams && c.MaxFrame != 0, "max_frame", "only a feed with transport tcp or udp has it")
	fault((!tcp || c.Listen == "") && c.MaxConnections != 0, "max_connections", "only a feed with transport tcp and listen has it")
	fault(!tcp && c.Transport != WS && c.Idle != 0, "idle", "only a feed with transport tcp or ws has it")
	fault(c.Idle != 0 && (c.Idle < leastIdle || c.Idle > mostIdle), "idle", "%v: want %v to %v", c.Idle, leastIdle, mostIdle)
	if !streams {
		return faults
	}
	fault(c.MaxFrame != 0 && (c.MaxFrame < leastFrame || c.MaxFrame > mostFrame), "max_frame", "%d: want %d to %d bytes", c.MaxFrame, leastFrame, mostFrame)
	fault(c.MaxConnections < 0 || c.MaxConnections > mostConnections, "max_connections", "%d: want 1 to %d", c.MaxConnections, mostConnections)
	fault(c.Format == "csv" && c.Options["columns"] == nil, "options.columns", "required with transport %s: a stream has no first row that names them", c.Transport)
	fault(tcp && c.Listen == "" && c.URL == "", "listen", "required with transport tcp, or url: whom we dial")
	fault(tcp && c.Listen != "" && c.URL != "", "listen", "want listen or url, not both")
	fault(!tcp && c.Listen == "", "listen", "required with transport udp")
	if c.Listen != "" {
		faults = append(faults, c.validateListen()...)
	}
	if tcp && c.URL != "" {
		faults = append(faults, c.validateDialled()...)
	}
	return faults
}

// validateListen gives the faults of where we listen and to whom.
func (c FeedConfig) validateListen() []error {
	var faults []error
	fault := func(key, format string, args ...any) {
		faults = append(faults, &ConfigError{key, fmt.Sprintf(format, args...)})
	}
	at, loopback, err := listenAddress(c.Listen)
	switch {
	case err != nil:
		fault("listen", "%q: %v", c.Listen, err)
	case c.Transport == TCP && at.IsMulticast():
		fault("listen", "%q: only udp hears a group", c.Listen)
	case !loopback && len(c.From) == 0:
		fault("from", "required where we listen beyond loopback: the networks whose senders are heard, such as 10.1.0.0/16")
	}
	for _, text := range c.From {
		if _, err := network(text); err != nil {
			fault("from", "%q: want a network such as 10.1.0.0/16, or an address", text)
		}
	}
	return faults
}

// listenAddress takes host:port apart; the address is not valid where all are meant.
func listenAddress(text string) (at netip.Addr, loopback bool, err error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return at, false, fmt.Errorf("want an address and a port, such as 127.0.0.1:10110")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return at, false, fmt.Errorf("port %q is not 1 to 65535", port)
	}
	switch host {
	case "":
		return at, false, nil
	case "localhost":
		return at, true, nil
	}
	if at, err = netip.ParseAddr(host); err != nil {
		return at, false, fmt.Errorf("%q is no address of this machine", host)
	}
	return at, at.Unmap().IsLoopback(), nil
}

// network reads a network, or an address as one of a single sender.
func network(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return p, err
		}
		if a := p.Addr(); a.Is4In6() { // senders are compared as IPv4
			return netip.PrefixFrom(a.Unmap(), max(p.Bits()-96, 0)), nil
		}
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// validateDialled gives the faults of whom we dial.
func (c FeedConfig) validateDialled() []error {
	var faults []error
	fault := func(bad bool, key, reason string) {
		if bad {
			faults = append(faults, &ConfigError{key, reason})
		}
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "tcp" && u.Scheme != "tls" || u.Hostname() == "" || u.Port() == "" {
		return []error{&ConfigError{"url", "want tcp://host:port or tls://host:port"}}
	}
	fault(u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "", "url", "want a host and a port, and nothing else")
	fault(u.Scheme == "tcp" && c.TLS != TLS{}, "tls", "only with url: tls://…")
	fault(c.Auth != Auth{}, "auth", "a plain stream has no sign-in; tls has cert_file")
	fault(len(c.Headers) > 0, "headers", "a plain stream has none")
	return faults
}

// silence is how long a connection may bring nothing; zero: as long as it lives.
func (c FeedConfig) silence() time.Duration {
	least := stream.DefaultIdle
	if c.Listen != "" {
		least = stream.DefaultIdleListening
	}
	switch {
	case c.Idle != 0:
		return c.Idle
	case c.Transport == WS && c.Interval == 0:
		return 0
	}
	return max(3*c.Interval, least)
}

// stream builds the transport of a feed with tcp or udp.
func (r *Runner) stream(in *inlet, log zerolog.Logger) feeds.Transport {
	c := in.config
	s := stream.Config{
		Listen: c.Listen, Framing: feeds.FramingOf(in.format), MaxFrame: c.MaxFrame, MaxConnections: c.MaxConnections, Idle: c.silence(),
		Dial: r.dialer(c), Watch: in.health, Now: r.opt.Now, Log: log,
	}
	if u, err := url.Parse(c.URL); err == nil && c.URL != "" {
		s.Address = u.Host
		if u.Scheme == "tls" {
			s.TLS = func() (*tls.Config, error) { return c.TLS.Client() }
		}
	}
	for _, text := range c.From {
		if p, err := network(text); err == nil { // Validate has refused the others
			s.From = append(s.From, p)
		}
	}
	if c.Transport == UDP {
		return stream.NewUDP(s)
	}
	return stream.NewTCP(s)
}

// dialer is how a feed reaches out.
func (r *Runner) dialer(c FeedConfig) dial {
	if r.opt.Dial != nil {
		return r.opt.Dial
	}
	return bounded.Dialer(c.AllowPrivate)
}
