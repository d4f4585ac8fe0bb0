package auditlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"kentongan/alerts/audit/tree"
)

// remember writes the checkpoint into this server's own file: should the store come back shorter, or another, this server says so.
func (l *Log) remember(text []byte) {
	if l.d.Memory == "" || l.faulty(placeMemory) { // what it has seen is evidence then: a person takes the file away
		return
	}
	next := l.d.Memory + ".next"
	err := written(next, text)
	if err == nil {
		err = os.Rename(next, l.d.Memory)
	}
	if err != nil {
		l.d.Log.Warn().Err(err).Msg("this server cannot remember the checkpoint of the audit log")
	}
}

// written writes a file to the disk itself.
func written(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// remembered holds the store's checkpoint against the one that this server has seen last.
func (l *Log) remembered(ctx context.Context, text []byte) error {
	now, _, err := tree.Open(text, l.key)
	if err != nil {
		l.tell(fmt.Sprintf("the checkpoint in the store is not ours: %v", err))
		return nil
	}
	if l.d.Memory == "" {
		return nil
	}
	seen, err := os.ReadFile(l.d.Memory)
	if errors.Is(err, os.ErrNotExist) {
		l.remember(text)
		return nil
	}
	if err != nil {
		l.d.Log.Warn().Err(err).Msg("the checkpoint that this server has seen last cannot be read")
		return nil
	}
	if bytes.Equal(seen, text) {
		return nil
	}
	was, _, err := tree.Open(seen, l.key)
	if err != nil {
		l.tell("this server has seen a log with another key before: the store was emptied, or changed for another (" + l.d.Memory + ")")
		return nil
	}
	if was.Size > now.Size {
		l.tell(fmt.Sprintf("the log of the store has %d records, this server has seen %d: the last were lost or cut off (%s)", now.Size, was.Size, l.d.Memory))
		return nil
	}
	proof, err := tree.Consistent(ctx, was.Size, now.Tree(), l.d.Store)
	if err == nil {
		err = tree.CheckConsistent(was.Tree(), now.Tree(), proof)
	}
	if err != nil {
		l.tell(fmt.Sprintf("the log of the store does not continue the %d records that this server has seen: %v", was.Size, err))
		return nil
	}
	l.remember(text)
	return nil
}

// tell says loudly what is wrong with the whole log; it stays said, after a new start too, until a person takes the remembered file away.
func (l *Log) tell(text string) {
	l.fault(placeMemory, text)
	l.trail.begin() // what was read of a log that is no more is nothing to hold the store against
	l.d.Log.Error().Msg("audit log: " + text)
}
