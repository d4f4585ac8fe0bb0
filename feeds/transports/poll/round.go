package poll

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

// document is one address of a source as the last round left it.
type document struct {
	etag, changed string        // Last-Modified
	next          []string      // where it led to
	life          time.Duration // for so long it holds, by what the source says
	due           time.Time     // when that is over
}

// round is one reading of all that makes the state of a source: its address, and what that leads to, until nothing more follows. It is
// whole where every answer of it is stored, and only then does anything that was learned from it count.
type round struct {
	t      *Transport
	began  time.Time
	asked  span
	root   string
	queue  []string
	seen   map[string]bool // queued or read: nothing is read twice
	docs   map[string]document
	number int               // of the page, where pages are numbered
	body   [sha256.Size]byte // of the last page
	bytes  int64
	stored int
	newest time.Time
	failed int
	fault  error // the first
	told   bool  // the runner has told of it
	source answer
	undone bool // links of documents that never change are left for the next round
}

func (t *Transport) begin() *round {
	r := &round{t: t, began: t.config.Now(), root: t.config.URL, seen: map[string]bool{}, docs: map[string]document{}, number: t.config.Pages.Start}
	if s := t.config.Since; s.on() {
		r.asked = s.span(t.cursor, r.began)
		r.root = s.ask(r.root, r.asked)
	}
	if p := t.config.Pages; p.SizeParam != "" {
		r.root = withParam(r.root, p.SizeParam, strconv.Itoa(p.Size))
	}
	first := r.root
	if t.config.Pages.Param != "" {
		first = r.page()
	}
	r.queue, r.seen[first] = []string{first}, true
	return r
}

// page is the address of the page that is next by number.
func (r *round) page() string {
	return withParam(r.root, r.t.config.Pages.Param, strconv.Itoa(r.number))
}

// round asks, stores, goes on, and says how long to wait.
func (t *Transport) round(ctx context.Context, deliver feeds.Deliver) time.Duration {
	r := t.begin()
	limit, cancel := context.WithTimeoutCause(ctx, t.config.RoundTime, errRound)
	defer cancel()
	for len(r.queue) > 0 {
		address := r.queue[0]
		r.queue = r.queue[1:]
		r.read(limit, deliver, address)
		if ctx.Err() != nil {
			return 0
		}
	}
	if r.failed > 0 {
		return t.failed(r)
	}
	t.backoff.Reset()
	t.adjust(r)
	if r.undone {
		t.whole = false
		return t.steady()
	}
	t.whole = true
	return t.done(ctx, r)
}

// read takes one address of the round.
func (r *round) read(ctx context.Context, deliver feeds.Deliver, address string) {
	t, known := r.t, r.t.docs[address]
	if t.config.Now().Before(known.due) {
		r.keep(address, known)
		return
	}
	if r.bytes > t.config.RoundBytes {
		r.stop(&bounded.Fault{Code: "pages", Text: fmt.Sprintf("the round is larger than %d bytes", t.config.RoundBytes)})
		return
	}
	a, err := t.fetch(ctx, address, known.etag, known.changed)
	switch {
	case err != nil && r.beyond(a):
		return
	case err != nil:
		r.fail(err, a, false)
		return
	case a.unchanged:
		t.config.Watch.Fresh()
		if a.status == http.StatusNoContent {
			known = document{}
		}
		if a.maxAge > 0 {
			known.life = min(a.maxAge, maxCadence)
		}
		known.due = t.config.Now().Add(known.life)
		r.keep(address, known)
		return
	}
	r.bytes += int64(len(a.body))
	if sum := sha256.Sum256(a.body); t.config.Pages.Param != "" {
		if r.stored > 0 && sum == r.body {
			return // some servers answer with their last page for every number beyond it
		}
		r.body = sum
	}
	out, err := t.store(ctx, deliver, a, r.part(a))
	switch {
	case err != nil && context.Cause(ctx) == errRound:
		r.stop(t.tooLong())
		return
	case err != nil:
		r.fail(err, a, true)
		return
	}
	r.take(ctx, deliver, address, a, out)
}

// part tells whether an answer is but one of several: of a span, of numbered pages, or of what the first led to.
func (r *round) part(a answer) bool {
	c := r.t.config
	return c.Since.on() || c.Pages.Param != "" || len(r.seen) > 1 || a.link != ""
}

// take goes on from an answer that is stored.
func (r *round) take(ctx context.Context, deliver feeds.Deliver, address string, a answer, out feeds.Outcome) {
	t := r.t
	r.stored++
	if out.Newest.After(r.newest) {
		r.newest = out.Newest
	}
	if !t.followAll(ctx, deliver, a.url, out.Follow) {
		r.undone = true
	}
	d := document{etag: a.etag, changed: a.changed, life: max(min(a.maxAge, maxCadence), min(out.TTL, maxTTL))}
	d.due = t.config.Now().Add(d.life)
	d.next = r.next(a, out)
	r.keep(address, d)
}

// next is where an answer leads to: by the format, else by its Link header, or the next number.
func (r *round) next(a answer, out feeds.Outcome) []string {
	p := r.t.config.Pages
	items := out.Accepted + out.Duplicates + len(out.Ignored) + len(out.Rejected)
	switch {
	case p.UntilKnown && r.t.whole && out.Accepted == 0 && items > 0:
		return nil
	case p.Param != "" && items+len(out.Follow) == 0:
		return nil
	case p.Param != "":
		r.number += p.Step
		return []string{r.page()}
	}
	links := out.Next
	if len(links) == 0 && a.link != "" {
		links = []string{a.link}
	}
	var next []string
	for _, link := range links {
		address, err := r.t.resolve(a.url, link)
		if err != nil {
			r.fail(bounded.Explain(err), answer{}, false)
			continue
		}
		next = append(next, address)
	}
	return next
}

// keep remembers an address for the next round, and queues what it leads to.
func (r *round) keep(address string, d document) {
	r.docs[address] = d
	p := r.t.config.Pages
	most := p.Max
	if most == 0 {
		most = defaultPages
	}
	here := map[string]bool{}
	for _, next := range d.next {
		switch {
		case here[next]: // named twice in one answer
		case r.seen[next]:
			r.stop(&bounded.Fault{Code: "pages", Text: "a page leads back to one that was read already"})
			return
		case len(r.seen) >= most && p.Max > 0 && !r.t.config.Since.on():
			return // no more is wanted
		case len(r.seen) >= most:
			r.stop(&bounded.Fault{Code: "pages", Text: fmt.Sprintf("more follows after %d pages", most)})
			return
		default:
			r.queue = append(r.queue, next)
		}
		here[next], r.seen[next] = true, true
	}
}

// beyond tells an answer that says there is no such page: the one before was the last.
func (r *round) beyond(a answer) bool {
	return r.t.config.Pages.Param != "" && r.stored > 0 && (a.status == http.StatusNotFound || a.status == http.StatusGone)
}

func (r *round) fail(err error, a answer, told bool) {
	if r.failed++; r.failed == 1 {
		r.fault, r.source, r.told = err, a, told
	}
}

// stop ends the round with a fault.
func (r *round) stop(err error) {
	r.fail(err, answer{}, false)
	r.queue = nil
}

func (t *Transport) tooLong() error {
	return &bounded.Fault{Code: "pages", Text: "the round took longer than " + t.config.RoundTime.String(), Err: errRound}
}

// failed tells of a round that is not whole. Of the address itself nothing is forgotten; where others failed, all is asked again in full.
func (t *Transport) failed(r *round) time.Duration {
	t.whole = false
	alone := len(r.docs) == 0
	switch {
	case !alone:
		t.docs = r.docs
		for address, d := range t.docs {
			d.etag, d.changed = "", ""
			if r.undone {
				d.due = time.Time{}
			}
			t.docs[address] = d
		}
		r.fault = &bounded.Fault{Code: "incomplete", Text: fmt.Sprintf("%d of %d addresses are not read: %v", r.failed, len(r.seen), r.fault), Err: r.fault}
		t.config.Watch.Fault(r.fault)
	case !r.told:
		t.config.Watch.Fault(r.fault)
	}
	if !r.told {
		t.config.Log.Warn().Err(r.fault).Msg("poll failed")
	}
	if alone && !r.told {
		return t.pause(r.source)
	}
	return max(t.steady(), min(r.source.retryAfter, maxCadence))
}

// adjust finds the pace that the source asks for: that of whatever of it changes first.
func (t *Transport) adjust(r *round) {
	t.docs = r.docs
	life, first := time.Duration(0), true
	for address, d := range t.docs {
		if first || d.life < life {
			life, first = d.life, false
		}
		if r.undone {
			d.etag, d.changed, d.due = "", "", time.Time{}
			t.docs[address] = d
		}
	}
	t.keepCadence(life)
}

// done remembers a round that is whole.
func (t *Transport) done(ctx context.Context, r *round) time.Duration {
	s := State{Source: t.config.Source, Asked: t.question()}
	if t.config.Since.on() {
		t.cursor = t.config.Since.after(t.cursor, r.asked, r.began, r.newest).UTC().Truncate(time.Millisecond)
		s.Cursor = t.cursor
	} else if d, ok := t.docs[t.config.URL]; ok && len(t.docs) == 1 && len(r.seen) == 1 {
		s.ETag, s.Changed = d.etag, d.changed
	}
	if s != t.saved {
		err := t.config.Memory.SetState(ctx, t.config.Feed, s)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.config.Log.Warn().Err(err).Msg("the state of the poll is not kept; after a restart more is read again")
		}
		if err == nil {
			t.saved = s
		}
	}
	if r.asked.behind {
		return min(t.steady(), catchUp)
	}
	return t.steady()
}
