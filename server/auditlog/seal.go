package auditlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit/tree"
	"kentongan/alerts/store"
)

// Run makes checkpoints until ctx ends: ten seconds after a record at the latest, or once a thousand have come. cases is fenced where other
// servers may be there.
func (l *Log) Run(ctx context.Context, cases *store.Store) {
	w := &writer{l: l, cases: cases}
	defer func() { // whoever has the lease next says how it stands
		l.fault(placeSeal, "")
		l.fault(placeWitness, "")
		l.fault(placeBaseline, "")
		l.fault(placeCheck, "")
		l.mu.Lock()
		clear(l.failing)
		l.mu.Unlock()
	}()
	var beside sync.WaitGroup
	defer beside.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	beside.Go(func() { l.watch(ctx, cases) })
	tick := time.NewTicker(lookFor)
	defer tick.Stop()
	for {
		err := w.look(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, store.ErrFenced):
			return
		case err != nil:
			w.edge = nil // what is written is read anew
			if l.fault(placeSeal, err.Error()) {
				l.d.Log.Error().Err(err).Msg("the audit log cannot be sealed")
			}
		case l.fault(placeSeal, ""):
			l.d.Log.Info().Msg("the audit log is sealed again")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// writer seals under one lease.
type writer struct {
	l     *Log
	cases *store.Store
	edge  *tree.Edge
	text  []byte // the checkpoint of the edge
	last  time.Time
	hour  time.Time // of the last checkpoint that was kept beside
	keep  bool      // the last checkpoint is kept beside, its cosignatures too
}

// look seals what is due.
func (w *writer) look(ctx context.Context) error {
	if w.edge == nil {
		text, c, err := w.l.Checkpoint(ctx)
		if err != nil {
			return err
		}
		if !w.l.faulty(placeMemory) { // the store may be another primary by now, that never heard the end of the log
			if err := w.l.remembered(ctx, text); err != nil {
				return err
			}
		}
		if w.edge, err = tree.ReadEdge(ctx, c.Tree(), w.cases); err != nil {
			return fmt.Errorf("tiles under the checkpoint of %d records: %w", c.Size, err)
		}
		w.text = text
	}
	length, err := w.cases.LogLength(ctx)
	if err != nil {
		return err
	}
	fresh := length - w.edge.Size()
	if fresh < 0 {
		return fmt.Errorf("the log has %d records, its checkpoint speaks of %d", length, w.edge.Size())
	}
	if fresh == 0 && w.text != nil && w.l.owed() { // nothing is new, and somebody has not confirmed what is there
		return w.cosign(ctx)
	}
	if fresh == 0 || fresh < dueAfter && time.Since(w.last) < dueEvery {
		return nil
	}
	if err := w.seal(ctx); err != nil {
		return err
	}
	w.last = time.Now()
	return w.cosign(ctx)
}

// seal takes the records that have come into the tree and signs its root.
func (w *writer) seal(ctx context.Context) error {
	records, err := w.cases.LogRecords(ctx, w.edge.Size()+1, atOnce)
	if len(records) == 0 {
		if err == nil {
			err = fmt.Errorf("%w: record %d, and none behind it", store.ErrNoRecord, w.edge.Size()+1)
		}
		return err
	}
	leaves := make([]tlog.Hash, len(records))
	for i, r := range records {
		leaves[i] = tlog.RecordHash(r)
	}
	tiles := w.edge.Append(leaves)
	c := tree.Checkpoint{Origin: w.l.key.Name(), Size: w.edge.Size(), Root: w.edge.Root()}
	text, bad := tree.Sign(c, w.l.signer)
	if bad != nil {
		return bad
	}
	hour := w.l.d.Now().Truncate(time.Hour)
	w.keep = !hour.Equal(w.hour)
	if bad := w.put(ctx, text, c.Size, tiles); bad != nil {
		return bad
	}
	w.hour = hour
	w.l.remember(text)
	return err // of a record that is missing
}

// put writes the next checkpoint over the one we know.
func (w *writer) put(ctx context.Context, text []byte, size int64, tiles []tree.WrittenTile) error {
	ok, err := w.cases.KeepCheckpoint(ctx, w.text, text, size, tiles, w.keep)
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("another checkpoint stands in the store than the one written last")
	}
	w.text = text
	return nil
}
