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
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"kentongan/server/auth"
	"kentongan/server/config"
)

// Bounds of asking a server for a key.
const (
	keyTime   = 15 * time.Second
	keyAnswer = 64 << 10 // bytes
)

type key struct {
	Add keyAdd `cmd:"" help:"Make a key at a running server and print its token, which is told this once."`
}

// keyAdd is kentongan key add. It asks over HTTP, so that the server audits it as any other making of a key.
type keyAdd struct {
	Name   string `help:"For people: who carries the key." required:"" placeholder:"NAME"`
	Feed   string `help:"The feed that a key with scope ingest brings." placeholder:"FEED"`
	Scope  string `help:"ingest, read, metrics or automation." enum:"ingest,read,metrics,automation" default:"ingest"`
	URL    string `help:"Server to ask; default: public_url or listen of the configuration." placeholder:"URL"`
	Config string `help:"Configuration file (KENTONGAN_CONFIG) that says where the server is and names its admin token." placeholder:"FILE" type:"path"`
}

func (k *keyAdd) Run(w *world) error {
	cfg, faults := settings{Config: k.Config}.load(w.env)
	if len(faults) > 0 {
		return faults
	}
	token := cfg.Auth().AdminToken
	if token == "" {
		return errors.New("no admin token: set KENTONGAN_ADMIN_TOKEN, or admin_token or admin_token_file in the configuration")
	}
	base, err := serverURL(k.URL, cfg)
	if err != nil {
		return err
	}
	if plainAbroad(base) {
		fmt.Fprintln(w.err, "kentongan: plain HTTP beyond this machine: whoever is on the way can read the token and the key")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, keyTime)
	defer cancel()
	made, err := k.ask(ctx, base, token)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w.out, made)
	return err
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
		if cfg.TLSCert != "" {
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

// ask makes the key and gives its token. A redirect is not followed: the admin token is for this server alone.
func (k *keyAdd) ask(ctx context.Context, base *url.URL, admin string) (string, error) {
	doc, err := json.Marshal(map[string]string{"name": k.Name, "feed": k.Feed, "scope": k.Scope})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath("/api/v1/keys").String(), bytes.NewReader(doc))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+admin)
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, keyAnswer))
	if err != nil {
		return "", fmt.Errorf("%s: %w", base, err)
	}
	var out struct {
		auth.Key
		Token  string `json:"token"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	bad := json.Unmarshal(text, &out)
	switch {
	case bad == nil && resp.StatusCode == http.StatusCreated && out.Token != "":
		return out.Token, nil
	case bad == nil && out.Title != "":
		return "", fmt.Errorf("%s answers %d: %s: %s", base, resp.StatusCode, out.Title, out.Detail)
	}
	return "", fmt.Errorf("%s answers %d and no key: is it Kentongan?", base, resp.StatusCode)
}
