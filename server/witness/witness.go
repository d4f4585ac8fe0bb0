// Package witness watches a log from elsewhere: it pulls its checkpoints, holds each against all it has seen, mirrors the tiles, and cosigns.
//
// Whoever owns the machine of the log can write its history anew and sign it; they cannot make the witness forget the one it has seen
// (C2SP tlog-witness, tlog-cosignature).
package witness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit/tree"
)

// Config says what is witnessed.
type Config struct {
	URL   string        // of the server, without /api/v1/audit
	Key   string        // the log's public key; empty: the one that it shows first is trusted, and kept
	Name  string        // of the witness's own key, when it is made; empty: its host's name
	Dir   string        // where it keeps its key, what it has seen, and the tiles
	Every time.Duration // how often it asks
	Lang  string        // of what it says when something is wrong: id, en
}

// longestRest is how long a failure makes it wait at most.
const longestRest = 5 * time.Minute

// patience is how often in a row a log must show fewer records than it had: a copy of a minute ago is no crime.
const patience = 3

// Witness watches one log. Safe for several goroutines at once.
type Witness struct {
	cfg    Config
	log    zerolog.Logger
	now    func() time.Time
	remote *remote
	signer note.Signer

	mu      sync.Mutex
	watched *watched // nil until its key is known
	smaller int      // how often in a row it had fewer records
	heard   time.Time
	failing error // why it was not heard, or not mirrored, the last time
}

// New opens the folder, makes a key where there is none, and says which it is.
func New(cfg Config, log zerolog.Logger, now func() time.Time) (*Witness, error) {
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, err
	}
	if cfg.Name == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, err
		}
		cfg.Name = host + "/kentongan-witness"
	}
	w := &Witness{cfg: cfg, log: log, now: now, remote: newRemote(cfg.URL)}
	var err error
	if w.signer, err = ownKey(cfg.Dir, cfg.Name, now); err != nil {
		return nil, err
	}
	log.Info().Str("key", w.Key()).Msg("the witness's public key")
	if cfg.Key != "" {
		if w.watched, err = watch(cfg.Dir, cfg.Key); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Key is the witness's public key.
func (w *Witness) Key() string {
	vkey, _ := tree.Public(w.signer) // ours is one of NewCosigner
	return vkey
}

// Run asks the log until ctx ends, half as often after each failure in a row.
func (w *Witness) Run(ctx context.Context) error {
	rest := w.cfg.Every
	for {
		err := w.Ask(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			rest = w.cfg.Every
		} else {
			rest = max(w.cfg.Every, min(2*rest, longestRest))
			w.log.Warn().Err(err).Dur("again_in", rest).Msg("the log was not heard")
		}
		w.mu.Lock()
		w.failing = err
		w.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rest):
		}
	}
}

// Ask pulls the log's checkpoint once, and does what is to be done with it. An error says that nothing could be learned.
func (w *Witness) Ask(ctx context.Context) error {
	signed, err := w.remote.get(ctx, "checkpoint", tree.Limit)
	if err != nil {
		return err
	}
	l, err := w.known(ctx, signed)
	if err != nil {
		return err
	}
	c, err := w.opened(l, signed)
	if err != nil {
		return err
	}
	if err := w.judge(ctx, l, c, signed); err != nil {
		return err
	}
	w.mu.Lock()
	w.heard = w.now()
	w.mu.Unlock()
	return w.catchUp(ctx, l)
}

// known is the log whose checkpoint this is; at first use the key that it shows is trusted.
func (w *Witness) known(ctx context.Context, signed []byte) (*watched, error) {
	w.mu.Lock()
	l := w.watched
	w.mu.Unlock()
	if l != nil {
		return l, nil
	}
	c, _, err := tree.Peek(signed)
	if err != nil {
		return nil, err
	}
	dir, err := logDir(w.cfg.Dir, c.Origin)
	if err != nil {
		return nil, err
	}
	vkey, err := os.ReadFile(filepath.Join(dir, logKeyFile))
	if errors.Is(err, os.ErrNotExist) {
		if vkey, err = w.remote.get(ctx, "key", 4096); err != nil {
			return nil, err
		}
		if _, _, err := open(signed, string(vkey)); err != nil {
			return nil, err
		}
		w.log.Warn().Str("origin", c.Origin).Str("key", strings.TrimSpace(string(vkey))).Msg("trusted at first use: ask the house on another way whether this is its key, and give it by --key")
	} else if err != nil {
		return nil, err
	}
	l, err = watch(w.cfg.Dir, string(vkey))
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.watched = l
	w.mu.Unlock()
	return l, nil
}

func open(signed []byte, vkey string) (tree.Checkpoint, *note.Note, error) {
	v, err := tree.NewVerifier(vkey)
	if err != nil {
		return tree.Checkpoint{}, nil, err
	}
	return tree.Open(signed, v)
}

// opened reads a checkpoint that the log's own address shows: one of its origin under another key is a crime.
func (w *Witness) opened(l *watched, signed []byte) (tree.Checkpoint, error) {
	c, _, err := tree.Open(signed, l.key)
	if err == nil || !errors.Is(err, tree.ErrUnsigned) {
		return c, err
	}
	if shown, _, bad := tree.Peek(signed); bad == nil && shown.Origin == l.origin {
		w.mu.Lock()
		defer w.mu.Unlock()
		return c, errors.Join(err, w.convict(l, resigned, signed, err.Error()))
	}
	return c, err
}

// judge holds a checkpoint against the last one, and cosigns it where it is its continuation.
func (w *Witness) judge(ctx context.Context, l *watched, c tree.Checkpoint, signed []byte) error {
	w.mu.Lock()
	last := l.last
	w.mu.Unlock()
	switch {
	case c.Size < last.Size:
		return w.fewer(ctx, l, c, signed)
	case c.Size == last.Size && c.Root != last.Root:
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.convict(l, forked, signed, fmt.Sprintf("two roots of %d records", c.Size))
	}
	proof, err := tree.Consistent(ctx, last.Size, c.Tree(), w.remote)
	if err != nil {
		return err // its tiles do not lead to its root: not yet, or never
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.smaller = 0
	if err := tree.CheckConsistent(last.Tree(), c.Tree(), proof); err != nil { // made of tiles that lead to the signed root: it is no mistake
		return w.convict(l, forked, signed, err.Error())
	}
	_, _, err = w.cosign(l, last.Size, proof, c, signed)
	if errors.Is(err, errMoved) {
		return nil // somebody handed in a newer one meanwhile
	}
	return err
}

// fewer is a log with fewer records than it had: another history is a crime at once, a mere beginning when it stays that.
func (w *Witness) fewer(ctx context.Context, l *watched, c tree.Checkpoint, signed []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Size <= l.done.N {
		peaks, err := tree.Peaks(ctx, c.Size, l.done, l.mirror)
		if err != nil {
			return err
		}
		r, err := tree.NewRange(c.Size, peaks)
		if err != nil {
			return err
		}
		if r.Root() != c.Root {
			return w.convict(l, forked, signed, fmt.Sprintf("the first %d records were others", c.Size))
		}
	}
	if w.smaller++; w.smaller < patience {
		w.log.Warn().Int64("size", c.Size).Int64("seen", l.last.Size).Msg("the log shows fewer records than it had")
		return nil
	}
	return w.convict(l, shrunk, signed, fmt.Sprintf("%d records after %d", c.Size, l.last.Size))
}

// Errors of cosign, as C2SP tlog-witness tells them apart.
var (
	errMoved    = errors.New("the last checkpoint is another")
	errForked   = errors.New("another root of the same size")
	errUnproven = errors.New("the consistency proof does not hold")
	errCaught   = errors.New("there is evidence against this log that nobody has looked at: nothing of it is cosigned")
)

// cosign checks that c continues what was cosigned last, writes it down, and gives the signature. The lock is held.
func (w *Witness) cosign(l *watched, old int64, proof []tlog.Hash, c tree.Checkpoint, signed []byte) (line []byte, size int64, err error) {
	switch {
	case old != l.last.Size:
		return nil, l.last.Size, errMoved
	case c.Size == l.last.Size && c.Root != l.last.Root:
		return nil, l.last.Size, errors.Join(errForked, w.convict(l, forked, signed, fmt.Sprintf("two roots of %d records", c.Size)))
	}
	if err := tree.CheckConsistent(l.last.Tree(), c.Tree(), proof); err != nil {
		return nil, l.last.Size, fmt.Errorf("%w: %w", errUnproven, err)
	}
	list, err := l.cases()
	if err != nil {
		return nil, l.last.Size, err
	}
	if len(list) > 0 {
		return nil, l.last.Size, errCaught
	}
	_, n, err := tree.Open(signed, l.key)
	if err != nil {
		return nil, l.last.Size, err
	}
	// Signatures of strangers are left out: this is what we can answer for.
	both, err := note.Sign(&note.Note{Text: n.Text, Sigs: n.Sigs}, w.signer)
	if err != nil {
		return nil, l.last.Size, err
	}
	if err := l.keep(c, both); err != nil {
		return nil, l.last.Size, err
	}
	at := strings.LastIndex(strings.TrimSuffix(string(both), "\n"), "\n") + 1
	return both[at:], c.Size, nil
}

// catchUp mirrors the tiles of what was cosigned.
func (w *Witness) catchUp(ctx context.Context, l *watched) error {
	w.mu.Lock()
	at, done := l.last.Tree(), l.done
	w.mu.Unlock()
	if at.N <= done.N {
		return nil
	}
	edge, err := tree.ReadEdge(ctx, done, l.mirror)
	if err != nil {
		return fmt.Errorf("the mirror in %s: %w", l.dir, err)
	}
	for edge.Size() < at.N {
		leaves, err := tree.Leaves(ctx, edge.Size(), min(at.N-edge.Size(), 64*tree.Width), at, w.remote)
		if err != nil {
			return fmt.Errorf("mirror: %w", err)
		}
		if err := l.mirror.Write(edge.Append(leaves)); err != nil {
			return fmt.Errorf("mirror: %w", err)
		}
		w.mu.Lock()
		err = l.mirrored(tlog.Tree{N: edge.Size(), Hash: edge.Root()})
		w.mu.Unlock()
		if err != nil {
			return fmt.Errorf("mirror: %w", err)
		}
	}
	return nil
}
