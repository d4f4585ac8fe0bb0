package witness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"

	"kentongan/alerts/audit/tree"
)

// remote is a log over HTTP (INTERFACES.md section 4): what comes from it is believed only where it leads to a signed root.
type remote struct {
	base string // ends in /api/v1/audit
	http *http.Client
}

func newRemote(url string) *remote {
	return &remote{strings.TrimRight(url, "/") + "/api/v1/audit", &http.Client{Timeout: 20 * time.Second}}
}

// missing is an answer that says 404.
type missing struct{ url string }

func (m missing) Error() string { return m.url + " is not there" }

func (r *remote) get(ctx context.Context, path string, most int64) ([]byte, error) {
	url := r.base + "/" + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "kentongan-witness")
	res, err := r.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	switch {
	case res.StatusCode == http.StatusNotFound:
		return nil, missing{url}
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answers %s", url, res.Status)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%s answers more than %d bytes", url, most)
	}
	return b, nil
}

// Tiles reads tiles, four at a time. A partial tile may be gone once its full one is there (C2SP tlog-tiles, Partial Tiles).
func (r *remote) Tiles(ctx context.Context, want []tree.Tile) ([][]byte, error) {
	out := make([][]byte, len(want))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i, t := range want {
		g.Go(func() error {
			size := t.Width * tlog.HashSize
			b, err := r.get(ctx, t.Path(), int64(size))
			if _, gone := err.(missing); gone && t.Width < tree.Width {
				whole := t
				whole.Width = tree.Width
				b, err = r.get(ctx, whole.Path(), tree.Width*tlog.HashSize)
			}
			if err != nil {
				return err
			}
			if len(b) < size {
				return fmt.Errorf("%s/%s has %d bytes, not %d", r.base, t.Path(), len(b), size)
			}
			out[i] = b[:size]
			return nil
		})
	}
	return out, g.Wait()
}
