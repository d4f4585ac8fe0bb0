package app

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// pairEvery is how often the files of a certificate are looked at for a change, while somebody connects.
const pairEvery = time.Second

// expiryWarnings is before how long the end of a certificate is said louder each time.
var expiryWarnings = []time.Duration{30 * 24 * time.Hour, 14 * 24 * time.Hour, 3 * 24 * time.Hour}

// pair is a certificate and its key in files. Whoever renews them puts new files there; connections that come see them within a second.
type pair struct {
	cert, key string
	now       func() time.Time
	log       zerolog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   string
	looked  time.Time
	told    int // how many of expiryWarnings were said of this one
}

func newPair(cert, key string, now func() time.Time, log zerolog.Logger) (*pair, error) {
	p := &pair{cert: cert, key: key, now: now, log: log}
	p.stamp = stampOf(cert, key)
	if err := p.load(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *pair) load() error {
	c, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("tls_cert and tls_key: %w", err)
	}
	if c.Leaf == nil {
		if c.Leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return fmt.Errorf("tls_cert: %w", err)
		}
	}
	p.current, p.told = &c, 0
	return nil
}

// get is for tls.Config.GetCertificate. Files that cannot be read leave the old certificate in place: between two writes they do not fit
// each other.
func (p *pair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); now.Sub(p.looked) >= pairEvery {
		p.looked = now
		if stamp := stampOf(p.cert, p.key); stamp != p.stamp {
			if err := p.load(); err != nil {
				p.log.Warn().Err(err).Msg("the new certificate cannot be used; the old one stays")
			} else {
				p.stamp = stamp
				p.log.Info().Time("until", p.current.Leaf.NotAfter).Msg("new certificate in use")
			}
		}
	}
	return p.current, nil
}

// warning says that the certificate ends soon, or has ended; empty: it does not.
func (p *pair) warning() string {
	c, _ := p.get(nil) // it never fails
	p.mu.Lock()
	defer p.mu.Unlock()
	left := c.Leaf.NotAfter.Sub(p.now())
	level := 0
	for level < len(expiryWarnings) && left < expiryWarnings[level] {
		level++
	}
	if level == 0 {
		return ""
	}
	text := fmt.Sprintf("the certificate of tls_cert ends in %d days, on %s", int(left.Hours()/24), c.Leaf.NotAfter.UTC().Format(time.DateOnly))
	if left <= 0 {
		text = fmt.Sprintf("the certificate of tls_cert has ended on %s: nobody can connect", c.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	if level > p.told {
		p.told = level
		p.log.Warn().Msg(text)
	}
	return text
}

// stampOf tells one state of the files from another.
func stampOf(paths ...string) string {
	var b strings.Builder
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			fmt.Fprintf(&b, "%v\n", err)
			continue
		}
		fmt.Fprintf(&b, "%d %d\n", info.Size(), info.ModTime().UnixNano())
	}
	return b.String()
}

// openTLS gives what shows who we are: the pair of files, or a certificate of our own authority for the names of this machine; nil is plain.
func (a *App) openTLS() (*tls.Config, error) {
	var show func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	switch {
	case a.cfg.TLSCert != "":
		p, err := newPair(a.cfg.TLSCert, a.cfg.TLSKey, time.Now, a.log.With().Str("component", "tls").Logger())
		if err != nil {
			return nil, err
		}
		a.pair, show = p, p.get
	case a.cfg.TLS == "local":
		if err := a.openAuthority(); err != nil {
			return nil, err
		}
		show = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return a.authority.Server(a.localNames()) }
		if _, err := show(nil); err != nil {
			return nil, err
		}
		a.log.Info().Str("fingerprint", a.authority.Mark()).Str("root", rootPath).Msg("TLS by our own authority: devices trust it once its root is installed")
	default:
		return nil, nil
	}
	return &tls.Config{GetCertificate: show, MinVersion: tls.VersionTLS12}, nil
}

// rootPath is where the root of our authority is offered.
const rootPath = "/api/v1/session/authority"

// root is the certificate that devices install where TLS is local; nil: there is none to offer.
func (a *App) root() []byte {
	if a.cfg.TLS != "local" || a.cfg.TLSCert != "" {
		return nil
	}
	return a.authority.Root()
}

// localNames are the names and addresses by which others on the network reach this machine.
func (a *App) localNames() (names []string, ips []netip.Addr) {
	names = []string{"localhost"}
	add := func(name string) {
		if name = strings.ToLower(strings.TrimSuffix(name, ".")); name == "" {
			return
		}
		if ip, err := netip.ParseAddr(name); err == nil {
			ips = appendNew(ips, ip.Unmap().WithZone(""))
			return
		}
		names = appendNew(names, name)
	}
	if host, err := os.Hostname(); err == nil {
		add(host)
		if !strings.Contains(host, ".") {
			add(host + ".local")
		}
	}
	if u, err := url.Parse(a.cfg.PublicURL); err == nil {
		add(u.Hostname())
	}
	if host, _, err := net.SplitHostPort(a.cfg.Listen); err == nil && host != "" {
		if ip, err := netip.ParseAddr(host); err != nil || !ip.IsUnspecified() {
			add(host)
		}
	}
	ips = appendNew(ips, netip.MustParseAddr("127.0.0.1"))
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return names, ips
	}
	for _, addr := range addrs {
		if prefix, err := netip.ParsePrefix(addr.String()); err == nil && !prefix.Addr().IsLinkLocalUnicast() {
			ips = appendNew(ips, prefix.Addr().Unmap())
		}
	}
	return names, ips
}

func appendNew[T comparable](list []T, one T) []T {
	for _, have := range list {
		if have == one {
			return list
		}
	}
	return append(list, one)
}
