package push

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

// A few bytes of gzip become many. What stays below smallInflated never waits; of the rest one body is inflated and stored at one time,
// and the others wait for it, so that a hundred bombs cost no more than one. It is measured before any room is made for it: what is
// beyond the bound takes no memory at all.
const (
	smallInflated = 1 << 20
	inflateWait   = 30 * time.Second
)

// Inflater inflates bodies to at most max bytes. Safe for concurrent use.
type Inflater struct {
	max   int64
	large chan struct{}
}

// NewInflater makes an Inflater.
func NewInflater(max int64) *Inflater { return &Inflater{max, make(chan struct{}, 1)} }

// Inflate gives what a body says by its Content-Encoding: gzip or nothing. Done must be called once the body is done with. An error is
// bounded.ErrTooLarge (413), ErrEncoding (415), feeds.ErrBusy (503), any other the sender's fault (400).
func (i *Inflater) Inflate(ctx context.Context, body []byte, encoding string) (out []byte, done func(), err error) {
	done = func() {}
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return body, done, nil
	case "gzip", "x-gzip":
	default:
		return nil, done, feeds.Permanentf("body: content encoding %.40q is not known; %w", encoding, ErrEncoding)
	}
	out, err = bounded.Gunzip(body, min(i.max, smallInflated))
	if errors.Is(err, bounded.ErrTooLarge) && i.max > smallInflated {
		if done, err = i.enter(ctx); err != nil {
			return nil, done, err
		}
		if out, err = inflateLarge(ctx, body, i.max); err != nil {
			done()
			done = func() {}
		}
	}
	switch {
	case err != nil && ctx.Err() != nil: // the sender has gone
		return nil, done, err
	case err != nil:
		return nil, done, feeds.Permanentf("body: %w", err)
	}
	return out, done, nil
}

func (i *Inflater) enter(ctx context.Context) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, inflateWait)
	defer cancel()
	select {
	case i.large <- struct{}{}:
		return func() { <-i.large }, nil
	case <-ctx.Done():
		return func() {}, fmt.Errorf("%w: another large body is being inflated", feeds.ErrBusy)
	}
}

// inflateLarge measures, then inflates into room of just that size. It takes as long to rest as to work: half a core at the most, the
// others are for bodies that alarms come in.
func inflateLarge(ctx context.Context, body []byte, max int64) ([]byte, error) {
	var size int64
	err := politely(ctx, body, func(z io.Reader) error {
		n, err := io.CopyN(io.Discard, z, politeStep)
		if size += n; size > max {
			return fmt.Errorf("%w: more than %d bytes inflated", bounded.ErrTooLarge, max)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, size)
	err = politely(ctx, body, func(z io.Reader) error {
		step := out[len(out):min(len(out)+politeStep, cap(out))]
		n, err := io.ReadFull(z, step)
		if out = out[:len(out)+n]; err == nil && len(out) == cap(out) {
			return io.EOF
		}
		return err
	})
	return out, err
}

// politeStep is how many bytes are inflated between two rests.
const politeStep = 1 << 20

// politely calls step over the inflated bytes until it says io.EOF, and rests after each for as long as it took.
func politely(ctx context.Context, body []byte, step func(io.Reader) error) error {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("gzip: %w", err)
	}
	for {
		began := time.Now()
		switch err := step(z); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("gzip: %w", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Since(began)):
		}
	}
}
