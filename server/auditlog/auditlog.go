// Package auditlog seals the audit log with signed checkpoints, has witnesses confirm them, and holds the store against the log.
package auditlog

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"golang.org/x/mod/sumdb/note"

	"kentongan/alerts/audit/tree"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/keyspace"
	"kentongan/server/seal"
)

// When a checkpoint is due: the first of these.
const (
	dueEvery = 10 * time.Second
	dueAfter = 1000 // records
	lookFor  = 500 * time.Millisecond
	atOnce   = 10_000 // records that one checkpoint takes in at most
)

// purpose is what the log's key is sealed for.
const purpose = "audit-signer"

// Deps is what the log needs.
type Deps struct {
	Store  *store.Store
	Redis  redis.UniversalClient
	Keys   keyspace.Keys
	Seal   *seal.Ring
	Origin string // of a log that begins: kentongan/solok
	Memory string // file in which this server remembers the last checkpoint that it has seen; empty: it remembers none
	Config Config
	Now    func() time.Time
	Log    zerolog.Logger
}

// Log is the audit log of a house. Safe for concurrent use once it is open.
type Log struct {
	d       Deps
	signer  note.Signer
	key     note.Verifier
	vkey    string
	trail   *trail
	mu      sync.Mutex
	faults  map[string]string // place -> what is wrong there
	sizes   map[string]int64  // witness -> how long the log was that it has seen
	resting map[string]rest
	failing map[string]failing // witness -> since when and why it confirms nothing
	checked atomic.Pointer[Checked]
	wholly  sync.Mutex      // one check of everything at a time
	forged  map[string]bool // documents that were told of when they were read: key and hash
}

// New makes a log; Open opens it.
func New(d Deps) *Log {
	return &Log{d: d, trail: newTrail(), faults: map[string]string{}, sizes: map[string]int64{}, resting: map[string]rest{}, failing: map[string]failing{}, forged: map[string]bool{}}
}

// signed is the log's key as it is sealed.
type signed struct {
	Secret string `json:"secret"`
	Public string `json:"public"`
}

// Open reads the log's key, or draws it for a log that begins, and sees to it that there is a checkpoint, of size 0 at the beginning. What the
// checkpoint should continue and does not is told as a fault, not as an error. Errors: feeds.ErrBusy, seal.ErrKey.
func (l *Log) Open(ctx context.Context) error {
	k, err := l.keyOf(ctx)
	if err != nil {
		return err
	}
	if l.signer, err = note.NewSigner(k.Secret); err != nil {
		return fmt.Errorf("key of the audit log: %w", err)
	}
	if l.key, err = tree.NewVerifier(k.Public); err != nil {
		return fmt.Errorf("key of the audit log: %w", err)
	}
	l.vkey = k.Public
	l.d.Store.OnForged(l.tellForged)
	text, err := l.d.Store.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if text == nil {
		first, err := tree.Sign(tree.Checkpoint{Origin: l.key.Name(), Root: tree.Empty()}, l.signer)
		if err != nil {
			return fmt.Errorf("first checkpoint: %w", err)
		}
		if _, err := l.d.Store.KeepCheckpoint(ctx, nil, first, 0, nil, true); err != nil { // another server may be faster
			return err
		}
		if text, err = l.d.Store.Checkpoint(ctx); err != nil {
			return err
		}
	}
	return l.remembered(ctx, text)
}

func (l *Log) keyOf(ctx context.Context) (signed, error) {
	var k signed
	name := l.d.Keys.AuditSigner()
	sealed, err := l.d.Redis.Get(ctx, name).Result()
	if errors.Is(err, redis.Nil) {
		if err := l.draw(ctx, name); err != nil {
			return k, err
		}
		sealed, err = l.d.Redis.Get(ctx, name).Result() // another may have been first
	}
	if err != nil {
		return k, fmt.Errorf("%w: key of the audit log: %w", feeds.ErrBusy, err)
	}
	text, err := l.d.Seal.Unseal(purpose, sealed, []byte(name))
	if err != nil {
		return k, fmt.Errorf("key of the audit log: %w", err)
	}
	if err := json.Unmarshal(text, &k); err != nil {
		return k, fmt.Errorf("key of the audit log: %w", err)
	}
	return k, nil
}

// draw makes the key of a log that begins, and keeps it sealed where none is kept.
func (l *Log) draw(ctx context.Context, name string) error {
	var k signed
	var err error
	if k.Secret, k.Public, err = tree.NewKey(l.d.Origin, rand.Reader); err != nil {
		return fmt.Errorf("key of the audit log: %w", err)
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	sealed, err := l.d.Seal.Seal(purpose, text, []byte(name))
	if err != nil {
		return fmt.Errorf("key of the audit log: %w", err)
	}
	if err := l.d.Redis.SetNX(ctx, name, sealed, 0).Err(); err != nil {
		return fmt.Errorf("%w: key of the audit log: %w", feeds.ErrBusy, err)
	}
	return nil
}

// Key is the public key of the log (note verifier key): what the world checks checkpoints by.
func (l *Log) Key() string { return l.vkey }

// Origin is the name of the log.
func (l *Log) Origin() string { return l.key.Name() }

// Checkpoint gives the last one, signed, with the cosignatures that have come, and what it says. Errors: feeds.ErrBusy; another: it is not ours.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, tree.Checkpoint, error) {
	text, err := l.d.Store.Checkpoint(ctx)
	if err != nil {
		return nil, tree.Checkpoint{}, err
	}
	c, _, err := tree.Open(text, l.key)
	if err != nil {
		return nil, c, fmt.Errorf("the log's checkpoint: %w", err)
	}
	return text, c, nil
}

// fault notes what is wrong at a place; an empty text: nothing any more. It tells whether that is news.
func (l *Log) fault(place, text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.faults[place] == text {
		return false
	}
	if text == "" {
		delete(l.faults, place)
	} else {
		l.faults[place] = text
	}
	return true
}

// faulty tells whether something is wrong at a place.
func (l *Log) faulty(place string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.faults[place] != ""
}

// Warnings tells what is wrong with the log and with the store it speaks of, for /readyz and every screen; empty: nothing.
func (l *Log) Warnings() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, place := range []string{placeSeal, placeMemory, placeWitness, placeTrail, placeBaseline, placeCheck} {
		if text := l.faults[place]; text != "" {
			out = append(out, "audit log: "+text)
		}
	}
	for _, text := range l.away() {
		out = append(out, "audit log: "+text)
	}
	if c := l.checked.Load(); c != nil && len(c.Differences) > 0 {
		first := c.Differences[0]
		out = append(out, fmt.Sprintf("audit log: the store differs from the log at %d places, first %s: %s", len(c.Differences), first.Key, first.What))
	}
	return out
}

// Places of faults.
const (
	placeSeal     = "seal"
	placeMemory   = "memory"
	placeWitness  = "witness"
	placeTrail    = "trail"
	placeBaseline = "baseline"
	placeCheck    = "check"
)
