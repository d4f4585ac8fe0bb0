package poll

import (
	"context"
	"net/url"
	"strings"
)

// Answer is what a source said when it was asked once. URL is where that was found, after redirects.
type Answer struct {
	Body        []byte
	ContentType string
	URL         string
}

// Once asks the address one time, within the same bounds as Run: address, redirects, time, size. Nothing is delivered and nothing
// remembered; pages and cursors play no part. An error is a *Fault.
func (t *Transport) Once(ctx context.Context) (Answer, error) {
	defer t.client.CloseIdleConnections()
	a, err := t.fetch(ctx, t.config.URL, "", "")
	if err != nil {
		return Answer{}, err
	}
	return Answer{a.body, a.contentType, a.url}, nil
}

// Allowed gives those of the links in a document at base that Run would ask, as whole addresses, each once.
func (t *Transport) Allowed(base string, links []string) []string {
	root, err := url.Parse(base)
	if err != nil {
		return nil
	}
	var out []string
	seen := map[string]bool{}
	for _, link := range links {
		u, err := root.Parse(strings.TrimSpace(link))
		if err != nil || t.allowed(u) != nil {
			continue
		}
		u.Fragment = ""
		if address := u.String(); !seen[address] {
			seen[address] = true
			out = append(out, address)
		}
	}
	return out
}
