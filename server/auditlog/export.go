package auditlog

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit"
	"kentongan/alerts/audit/tree"
	"kentongan/alerts/audit/verify"
	"kentongan/geo/moment"
)

// Export writes the whole log up to its last checkpoint, for verify.Export: records with their words, the checkpoints that were kept each
// behind the records that it covers, the last one at the end and in the header. by is who takes it.
func (l *Log) Export(ctx context.Context, w io.Writer, by string) error {
	text, c, err := l.Checkpoint(ctx)
	if err != nil {
		return err
	}
	marks, err := l.marks(ctx, c.Size)
	if err != nil {
		return err
	}
	marks[c.Size] = text
	out, err := verify.NewWriter(w, verify.Header{Version: 1, Origin: c.Origin, Size: c.Size, MadeAt: moment.Of(l.d.Now()), MadeBy: by, Checkpoint: string(text)})
	if err != nil {
		return err
	}
	if mark := marks[0]; mark != nil {
		if err := out.Checkpoint(mark); err != nil {
			return err
		}
	}
	for next := int64(1); next <= c.Size; {
		records, err := l.d.Store.LogRecords(ctx, next, int(min(2000, c.Size-next+1)))
		if err == nil && len(records) == 0 {
			err = fmt.Errorf("record %d is not there", next)
		}
		if err != nil && len(records) == 0 {
			return err
		}
		words, err := l.words(ctx, records)
		if err != nil {
			return err
		}
		for i, record := range records {
			if err := out.Record(record, words[i]); err != nil {
				return err
			}
			if mark := marks[next]; mark != nil {
				if err := out.Checkpoint(mark); err != nil {
					return err
				}
			}
			next++
		}
	}
	return out.Close()
}

// Tiles reads tiles of the log, as they stand in the store.
func (l *Log) Tiles(ctx context.Context, want []tree.Tile) ([][]byte, error) {
	return l.d.Store.Tiles(ctx, want)
}

// Checkpoints gives those that are kept, one of each hour, the oldest first.
func (l *Log) Checkpoints(ctx context.Context) ([]string, error) { return l.d.Store.Checkpoints(ctx) }

// Record keeps an act that changes no case.
func (l *Log) Record(ctx context.Context, r audit.Record) error { return l.d.Store.Record(ctx, r) }

// marks gives the kept checkpoints by size, up to one.
func (l *Log) marks(ctx context.Context, most int64) (map[int64][]byte, error) {
	list, err := l.d.Store.Checkpoints(ctx)
	if err != nil {
		return nil, err
	}
	out := map[int64][]byte{}
	for _, text := range list {
		if c, _, err := tree.Peek([]byte(text)); err == nil && c.Size <= most {
			out[c.Size] = []byte(text)
		}
	}
	return out, nil
}

// words gives the words of records, nil where a record has none or they are erased.
func (l *Log) words(ctx context.Context, records [][]byte) ([]*audit.Words, error) {
	out := make([]*audit.Words, len(records))
	hashes := make([]string, len(records))
	var want []string
	for i, b := range records {
		if r, err := audit.Parse(b); err == nil {
			if hash, ok := r.WordsHash(); ok {
				hashes[i], want = hash, append(want, hash)
			}
		}
	}
	kept, err := l.d.Store.WordsOf(ctx, want)
	if err != nil {
		return nil, err
	}
	for i, hash := range hashes {
		if w, ok := kept[hash]; ok {
			out[i] = &w
		}
	}
	return out, nil
}

// ErrUnsealed tells that a record is too young: no checkpoint covers it yet.
var ErrUnsealed = errors.New("no checkpoint covers the record yet: it does within ten seconds")

// Proof shows that a record is in the log, by the last checkpoint. Errors: store.ErrNoRecord, ErrUnsealed, feeds.ErrBusy.
func (l *Log) Proof(ctx context.Context, seq int64) (record []byte, proof tree.Proof, err error) {
	if record, err = l.d.Store.LogRecord(ctx, seq); err != nil {
		return nil, proof, err
	}
	text, c, err := l.Checkpoint(ctx)
	if err != nil {
		return nil, proof, err
	}
	if seq > c.Size {
		return nil, proof, ErrUnsealed
	}
	hashes, err := tree.Prove(ctx, c.Tree(), seq-1, l.d.Store)
	if err != nil {
		return nil, proof, err
	}
	if err := tree.Check(c.Tree(), seq-1, tlog.RecordHash(record), hashes); err != nil {
		return nil, proof, fmt.Errorf("record %d: %w", seq, err)
	}
	return record, tree.Proof{Index: seq - 1, Hashes: hashes, Checkpoint: text}, nil
}
