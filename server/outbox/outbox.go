// Package outbox sends what leaves the house: signed webhooks and Web Push, at least once and under one id.
//
// Webhooks are those of Standard Webhooks, Web Push is by VAPID (RFC 8030, 8291, 8292).
//
// What is to be sent is made of the case stream, which every act writes in its own atomic step, by a reader whose checkpoint moves in the step
// that writes the messages: no kill loses or doubles one. One server at a time sends. A message is sent at least once, always under the same id.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/alerts/notify"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/keyspace"
	"kentongan/server/access"
	"kentongan/server/seal"
)

// Purposes of what is sealed.
const (
	webhookPurpose = "webhook"
	vapidPurpose   = "vapid"
)

// Bounds of sending.
const (
	lookEvery  = 250 * time.Millisecond
	dueAtOnce  = 500
	mostPages  = 20 // of due messages that one look turns over to find those of receivers that are free
	mostAtOnce = 16 // requests under way
	keepTime   = 5 * time.Second

	unreadAgain = 5 * time.Minute // how long a message that cannot be read waits before it is looked at again
)

// Config says how messages leave.
type Config struct {
	AllowPrivate bool          `yaml:"allow_private" doc:"Webhooks and push services may be in the house's own networks, and by plain http. Cloud metadata addresses never are."`
	Contact      string        `yaml:"contact" doc:"Whom a push service may write to about what we send: mailto:… or https://… Empty: public_url where it is https."`
	Timeout      time.Duration `yaml:"timeout" doc:"How long a receiver may take to answer."`
}

// DefaultConfig is what a file that says nothing gets.
func DefaultConfig() Config { return Config{Timeout: 10 * time.Second} }

// Validate names every fault by its key.
func (c Config) Validate() []error {
	var errs []error
	if c.Timeout < 100*time.Millisecond || c.Timeout > time.Minute {
		errs = append(errs, fmt.Errorf("timeout: %s is not within 100ms and 1m", c.Timeout))
	}
	if c.Contact != "" && !strings.HasPrefix(c.Contact, "mailto:") && !strings.HasPrefix(c.Contact, "https://") { // RFC 8292 section 2.1
		errs = append(errs, fmt.Errorf("contact: %q is neither mailto:… nor https://…", c.Contact))
	}
	return errs
}

// Deps is what the outbox needs.
type Deps struct {
	Store   redis.UniversalClient
	Keys    keyspace.Keys
	Seal    *seal.Ring
	Config  Config
	Holder  func(ctx context.Context, s *notify.Subscription) (access.Subject, error) // whose browser it is, as of now; the zero Subject: nobody's any more
	Version string
	Now     func() time.Time
	Log     zerolog.Logger
}

// Box is the outbox of one server. Safe for concurrent use.
type Box struct {
	d      Deps
	cfg    Config
	client *http.Client
	poked  chan struct{}

	mu    sync.Mutex
	vapid *vapid // nil: not read yet
}

// New makes an outbox; nothing is sent before Run.
func New(d Deps) *Box {
	if d.Config.Contact == "" {
		d.Config.Contact = "mailto:admin@localhost"
	}
	d.Log = d.Log.With().Str("component", "outbox").Logger()
	return &Box{d: d, cfg: d.Config, client: newClient(d.Config), poked: make(chan struct{}, 1)}
}

// Plain tells whether receivers may be addressed by plain http.
func (b *Box) Plain() bool { return b.cfg.AllowPrivate }

// Poke says that there is something new to send.
func (b *Box) Poke() {
	select {
	case b.poked <- struct{}{}:
	default:
	}
}

// Run sends what is due until ctx ends, or another server sends. Cases are fenced where another may.
func (b *Box) Run(ctx context.Context, cases *store.Store) {
	r := &run{Box: b, cases: cases, busy: map[string]bool{}, until: map[string]time.Time{}, free: make(chan struct{}, mostAtOnce)}
	defer r.all.Wait()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := r.look(ctx); err != nil && ctx.Err() == nil {
			b.d.Log.Warn().Err(err).Msg("what is to be sent cannot be read now")
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-b.poked:
		}
	}
}

// run is one time of sending.
type run struct {
	*Box
	cases *store.Store
	all   sync.WaitGroup
	free  chan struct{}

	mu    sync.Mutex
	busy  map[string]bool      // receivers that are being asked
	until map[string]time.Time // receivers that failed, and when the next message may go to them
}

// look begins to send every message that is due and whose receiver is free: one at a time to each, so that one which hangs holds nobody else.
func (r *run) look(ctx context.Context) error {
	now := r.d.Now()
	for page := range mostPages {
		due, err := r.cases.DueDeliveries(ctx, now, page*dueAtOnce, dueAtOnce)
		if err != nil {
			return err
		}
		for _, d := range due {
			if !r.take(d.To, now) {
				continue
			}
			select {
			case r.free <- struct{}{}:
			default: // all are under way: the next look finds it
				r.leave(d.To)
				return nil
			}
			r.all.Go(func() {
				defer r.Poke()
				defer func() { <-r.free }()
				defer r.leave(d.To)
				r.send(ctx, d)
			})
		}
		if len(due) < dueAtOnce {
			return nil
		}
	}
	return nil
}

func (r *run) take(to string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[to] || now.Before(r.until[to]) {
		return false
	}
	r.busy[to] = true
	return true
}

func (r *run) leave(to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, to)
}

// rest keeps a receiver that failed from being asked for every other message at once.
func (r *run) rest(to string, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if until.IsZero() {
		delete(r.until, to)
		return
	}
	r.until[to] = until
}

// send tries one message, and keeps what came of it: after the request even where the server stops.
func (r *run) send(ctx context.Context, due store.Due) {
	d, err := r.cases.Delivery(ctx, due.ID)
	if errors.Is(err, store.ErrNoDelivery) {
		err = r.cases.DropDelivery(ctx, due)
	} else if errors.Is(err, store.ErrUnreadable) { // later, when another server may read it: all that waits for this receiver waits no longer behind it
		err = r.cases.DeferDelivery(ctx, due, r.d.Now().Add(unreadAgain))
	} else if err == nil && d.State == notify.Pending {
		o, gone := r.try(ctx, &d)
		if ctx.Err() != nil && o.Error != "" { // cut off by our own end: it was no try
			return
		}
		keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
		defer cancel()
		if d, err = r.cases.Tried(keep, d.ID, o, rand.Float64(), gone); err == nil {
			r.rest(d.To, restUntil(&d))
		}
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrFenced) {
		r.d.Log.Warn().Err(err).Str("message", due.ID).Msg("what came of a message is not kept; it is sent again")
		r.rest(due.To, r.d.Now().Add(time.Second))
	}
}

// restUntil is how long a receiver is left alone after a try: as long as the message waits, a minute at most.
func restUntil(d *notify.Delivery) time.Time {
	if d.State != notify.Pending || d.Tries == 0 {
		return time.Time{}
	}
	if most := d.TriedAt.Add(time.Minute); d.NextAt.After(most) {
		return most
	}
	return d.NextAt.Time
}

func (r *run) try(ctx context.Context, d *notify.Delivery) (notify.Outcome, bool) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	switch d.Channel() {
	case notify.ByWebhook:
		w, err := r.cases.Webhook(ctx, d.Receiver())
		if errors.Is(err, store.ErrNoWebhook) || err == nil && w.Off != "" {
			return notify.Outcome{Error: "the webhook was removed or turned off", Final: true}, false
		}
		if err != nil {
			return notify.Outcome{Error: err.Error()}, false
		}
		return r.webhook(ctx, &w, d)
	case notify.ByPush:
		s, err := r.cases.Subscription(ctx, d.Receiver())
		if errors.Is(err, store.ErrNoSubscription) {
			return notify.Outcome{Error: "the browser has ended its subscription", Final: true}, false
		}
		if err != nil {
			return notify.Outcome{Error: err.Error()}, false
		}
		if r.d.Now().After(d.EndsAt.Time) {
			return notify.Outcome{Error: "it came too late to be sent", Final: true}, false
		}
		return r.push(ctx, &s, d)
	}
	return notify.Outcome{Error: "there is no such channel", Final: true}, false
}

// key gives the key by which push services know us; the first server to need one draws it.
func (b *Box) key(ctx context.Context) (*vapid, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.vapid != nil {
		return b.vapid, nil
	}
	name := b.d.Keys.PushKey()
	sealed, err := b.d.Store.Get(ctx, name).Result()
	if errors.Is(err, redis.Nil) {
		var drawn []byte
		if drawn, err = drawKey(); err != nil {
			return nil, err
		}
		if sealed, err = b.d.Seal.Seal(vapidPurpose, drawn, []byte(name)); err != nil {
			return nil, fmt.Errorf("key for push services: %w", err)
		}
		if err = b.d.Store.SetNX(ctx, name, sealed, 0).Err(); err == nil {
			sealed, err = b.d.Store.Get(ctx, name).Result() // another may have been first
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: key for push services: %w", feeds.ErrBusy, err)
	}
	pkcs8, err := b.unseal(vapidPurpose, sealed, name)
	if err != nil {
		return nil, fmt.Errorf("key for push services: %w", err)
	}
	if b.vapid, err = readKey(pkcs8); err != nil {
		return nil, err
	}
	return b.vapid, nil
}

// PushKey is what browsers subscribe with (applicationServerKey), in base64url. Errors: feeds.ErrBusy, seal.ErrKey.
func (b *Box) PushKey(ctx context.Context) (string, error) {
	v, err := b.key(ctx)
	if err != nil {
		return "", err
	}
	return v.public, nil
}

// SealSecret closes the secret of a webhook for the store.
func (b *Box) SealSecret(secret []byte, webhook string) (string, error) {
	return b.d.Seal.Seal(webhookPurpose, secret, []byte(webhook))
}

func (b *Box) unseal(purpose, sealed, bound string) ([]byte, error) {
	return b.d.Seal.Unseal(purpose, sealed, []byte(bound))
}
