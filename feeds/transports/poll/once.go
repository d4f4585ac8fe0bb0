package poll

import "context"

// Answer is what a source said when it was asked once. URL is where that was found, after redirects.
type Answer struct {
	Body        []byte
	ContentType string
	URL         string
}

// Once asks the first address of a round one time, within the same bounds as Run: address, redirects, time, size; with Since as where
// nothing is stored yet. Nothing is delivered and nothing remembered. An error is a *bounded.Fault.
func (t *Transport) Once(ctx context.Context) (Answer, error) {
	defer t.client.CloseIdleConnections()
	a, err := t.fetch(ctx, t.begin().queue[0], "", "")
	if err != nil {
		return Answer{}, err
	}
	return Answer{a.body, a.contentType, a.url}, nil
}

// Allowed gives those of the links in a document at base that Run would ask, as whole addresses, each once.
func (t *Transport) Allowed(base string, links []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, link := range links {
		address, err := t.resolve(base, link)
		if err == nil && !seen[address] {
			seen[address] = true
			out = append(out, address)
		}
	}
	return out
}
