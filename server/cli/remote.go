package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"kentongan/server/config"
)

// Bounds of asking a server.
const (
	remoteTime   = 15 * time.Second
	remoteAnswer = 1 << 20 // bytes
)

// where says which server a command asks, and as whom.
type where struct {
	URL    string `help:"Server to ask; default: public_url or listen of the configuration." placeholder:"URL"`
	Config string `help:"Configuration file (KENTONGAN_CONFIG) that says where the server is and names its admin token." placeholder:"FILE" type:"path"`
}

// remote is a running server, asked over HTTP with the admin token, so that it audits what it is asked as any other.
type remote struct {
	base  *url.URL
	token string
}

// remote finds the server, and warns where the token would travel unguarded.
func (s where) remote(w *world) (*remote, error) {
	cfg, faults := settings{Config: s.Config}.load(w.env)
	if len(faults) > 0 {
		return nil, faults
	}
	token := cfg.Auth().AdminToken
	if token == "" {
		return nil, errors.New("no admin token: set KENTONGAN_ADMIN_TOKEN, or admin_token or admin_token_file in the configuration")
	}
	base, err := serverURL(s.URL, cfg)
	if err != nil {
		return nil, err
	}
	if plainAbroad(base) {
		fmt.Fprintln(w.err, "kentongan: plain HTTP beyond this machine: whoever is on the way can read the token and the answer")
	}
	return &remote{base, token}, nil
}

// ask posts a document and reads the answer of the wanted status. A redirect is not followed: the admin token is for this server alone.
func (r *remote) ask(ctx context.Context, path string, in any, want int, out any) error {
	ctx, cancel := context.WithTimeout(ctx, remoteTime)
	defer cancel()
	doc, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base.JoinPath(path).String(), bytes.NewReader(doc))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, remoteAnswer))
	if err != nil {
		return fmt.Errorf("%s: %w", r.base, err)
	}
	var problem struct{ Title, Detail string }
	switch {
	case resp.StatusCode == want && json.Unmarshal(text, out) == nil:
		return nil
	case resp.StatusCode != want && json.Unmarshal(text, &problem) == nil && problem.Title != "":
		return fmt.Errorf("%s answers %d: %s: %s", r.base, resp.StatusCode, problem.Title, problem.Detail)
	}
	return fmt.Errorf("%s answers %d and nothing that we know: is it Kentongan?", r.base, resp.StatusCode)
}

// serverURL is where the server is, without a slash at its end.
func serverURL(flag string, cfg config.Config) (*url.URL, error) {
	text := flag
	if text == "" {
		text = cfg.PublicURL
	}
	if text == "" {
		host, port, err := net.SplitHostPort(cfg.Listen)
		if err != nil {
			return nil, fmt.Errorf("listen %q: %w", cfg.Listen, err)
		}
		if port == "0" {
			return nil, errors.New("the configuration lets the server choose its port: say --url")
		}
		if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		text = "http://" + net.JoinHostPort(host, port)
		if cfg.Secure() {
			text = "https" + strings.TrimPrefix(text, "http")
		}
	}
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("--url: %q is not an address such as http://127.0.0.1:8080", text)
	}
	return u, nil
}

// plainAbroad tells an address to which a secret travels unguarded.
func plainAbroad(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback())
}
