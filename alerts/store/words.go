package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"kentongan/alerts/audit"
	"kentongan/feeds"
)

// withWords puts what people wrote back into records, for people to read. Erased words leave an empty reason and its hash.
func (s *Store) withWords(ctx context.Context, list []audit.Record) error {
	var hashes []string
	var at []int
	for i, r := range list {
		if hash, ok := r.WordsHash(); ok {
			hashes, at = append(hashes, hash), append(at, i)
		}
	}
	for from := 0; from < len(hashes); from += batch {
		to := min(from+batch, len(hashes))
		got, err := s.rdb.HMGet(ctx, s.keys.AuditWords(), hashes[from:to]...).Result()
		if err != nil {
			return fmt.Errorf("%w: words of the audit log: %w", feeds.ErrBusy, err)
		}
		for j, v := range got {
			i := at[from+j]
			var w *audit.Words
			if text, ok := v.(string); ok {
				w = &audit.Words{}
				if err := json.Unmarshal([]byte(text), w); err != nil {
					return fmt.Errorf("words of audit record %d: %w", list[i].Seq, err)
				}
			}
			shown, ok := list[i].With(w)
			if !ok {
				return fmt.Errorf("audit record %d: the words that are kept are not those that it was written with", list[i].Seq)
			}
			list[i] = shown
		}
	}
	return nil
}

// EraseWords forgets what people wrote of acts, where gone says so, and counts it. The records and their hashes stay. Errors: feeds.ErrBusy.
func (s *Store) EraseWords(ctx context.Context, gone func(audit.Words) bool) (n int64, err error) {
	for cursor := uint64(0); ; {
		pairs, next, err := s.rdb.HScan(ctx, s.keys.AuditWords(), cursor, "*", batch).Result()
		if err != nil {
			return n, fmt.Errorf("%w: words of the audit log: %w", feeds.ErrBusy, err)
		}
		var fields []string
		for pair := range slices.Chunk(pairs, 2) {
			var w audit.Words
			if json.Unmarshal([]byte(pair[1]), &w) != nil || gone(w) {
				fields = append(fields, pair[0])
			}
		}
		if len(fields) > 0 {
			done, err := s.rdb.HDel(ctx, s.keys.AuditWords(), fields...).Result()
			if n += done; err != nil {
				return n, fmt.Errorf("%w: erase words: %w", feeds.ErrBusy, err)
			}
		}
		if cursor = next; cursor == 0 {
			return n, nil
		}
	}
}

// AuditWalk gives records of a time in their order, with the words that are still kept. Errors: feeds.ErrBusy, of give.
func (s *Store) AuditWalk(ctx context.Context, from, to time.Time, give func(audit.Record) error) error {
	first := "-"
	for {
		entries, err := s.rdb.XRangeN(ctx, s.keys.Audit(), first, "+", batch).Result()
		if err != nil {
			return fmt.Errorf("%w: audit log: %w", feeds.ErrBusy, err)
		}
		list := make([]audit.Record, 0, len(entries))
		for _, e := range entries {
			text, _ := e.Values["record"].(string)
			r, err := audit.Parse([]byte(text))
			if err != nil {
				s.unread.note(s.keys.Audit()+" "+e.ID, err, true)
				continue
			}
			if !r.Time.Before(from) && r.Time.Before(to) {
				list = append(list, r)
			}
		}
		if err := s.withWords(ctx, list); err != nil {
			return err
		}
		for _, r := range list {
			if err := give(r); err != nil {
				return err
			}
		}
		if len(entries) < batch {
			return nil
		}
		first = "(" + entries[len(entries)-1].ID
	}
}
