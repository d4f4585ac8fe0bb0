package runner

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Validate gives the faults of who we say we are, each a *ConfigError; secrets in files are read once, so that a missing one is told at the start.
func (a Auth) Validate() []error {
	var faults []error
	fault := func(bad bool, key, format string, args ...any) {
		if bad {
			faults = append(faults, &ConfigError{key, fmt.Sprintf(format, args...)})
		}
	}
	basic := a.User != "" || a.Password != "" || a.PasswordFile != ""
	bearer := a.Bearer != "" || a.BearerFile != ""
	fault(basic && bearer, "auth", "want user and password, or bearer, not both")
	fault(basic && a.User == "", "auth.user", "required with a password")
	fault(strings.ContainsFunc(a.User, isControl) || strings.Contains(a.User, ":"), "auth.user", "a colon or a control character cannot be sent")
	fault(a.Password != "" && a.PasswordFile != "", "auth.password_file", "want password or password_file, not both")
	fault(a.Bearer != "" && a.BearerFile != "", "auth.bearer_file", "want bearer or bearer_file, not both")
	for _, s := range []struct {
		key  string
		text Secret
		path string
	}{{"auth.password", a.Password, a.PasswordFile}, {"auth.bearer", a.Bearer, a.BearerFile}} {
		if s.path != "" {
			s.key += "_file"
		}
		text, err := s.text.orFile(s.path)
		fault(err != nil, s.key, "%v", err)
		fault(err == nil && s.path != "" && text == "", s.key, "the file is empty")
		fault(strings.ContainsFunc(text, isControl), s.key, "a control character cannot be sent")
	}
	return faults
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// Sign says who we are in a request. What stands in a file is read anew.
func (a Auth) Sign(req *http.Request) error {
	switch {
	case a.User != "":
		password, err := a.Password.orFile(a.PasswordFile)
		if err != nil {
			return err
		}
		req.SetBasicAuth(a.User, password)
	case a.Bearer != "" || a.BearerFile != "":
		token, err := a.Bearer.orFile(a.BearerFile)
		if err != nil {
			return err
		}
		if token == "" || strings.ContainsFunc(token, isControl) {
			return errors.New("the token is empty, or holds what cannot be sent")
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}

// Validate gives the faults of whom we believe, each a *ConfigError. The files are read.
func (t TLS) Validate() []error {
	var faults []error
	if t.CAFile != "" {
		if _, err := readAuthorities(t.CAFile); err != nil {
			faults = append(faults, &ConfigError{"tls.ca_file", err.Error()})
		}
	}
	switch {
	case (t.CertFile == "") != (t.KeyFile == ""):
		faults = append(faults, &ConfigError{"tls", "cert_file and key_file belong together"})
	case t.CertFile != "":
		if _, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile); err != nil {
			faults = append(faults, &ConfigError{"tls.cert_file", err.Error()})
		}
	}
	return faults
}

// Client is how we meet a server by TLS; nil: as the system does. The authorities are read now, our certificate with each handshake.
func (t TLS) Client() (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pool, err := readAuthorities(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.ca_file: %w", err)
		}
		c.RootCAs = pool
	}
	if t.CertFile != "" {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			return &pair, err
		}
	}
	return c, nil
}

func readAuthorities(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", path)
	}
	return pool, nil
}

// sentHeader is a token (RFC 9110, section 5.1).
var sentHeader = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")

// linkHeaders are those that the connection or the poll itself speaks by: a configured one would break them, or let an answer be
// taken for another.
var linkHeaders = []string{"Accept-Encoding", "Connection", "Content-Length", "Expect", "Host", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since",
	"Keep-Alive", "Range", "Referer", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// validateHeaders gives the faults of headers; no value is repeated.
func (c FeedConfig) validateHeaders() []error {
	var faults []error
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		fault := func(reason string) { faults = append(faults, &ConfigError{"headers." + name, reason}) }
		plain := http.CanonicalHeaderKey(name)
		value := c.Headers[name].Reveal()
		switch {
		case !sentHeader.MatchString(name):
			fault("this is no name of a header")
		case slices.Contains(linkHeaders, plain) || strings.HasPrefix(plain, "Proxy-") || strings.HasPrefix(plain, "Sec-"):
			fault("the connection itself speaks by this header; it cannot be set")
		case plain == "Authorization" && c.Auth != Auth{}:
			fault("auth sets this header")
		case seen[plain]:
			fault("is given twice, in other letters")
		case value == "":
			fault("the value is empty")
		case strings.ContainsFunc(value, isControl):
			fault("a control character cannot be sent")
		}
		seen[plain] = true
	}
	return faults
}
