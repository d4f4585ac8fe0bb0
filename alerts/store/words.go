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

// WordsOf gives what people wrote of acts, by their hash, as it is kept; erased words are not there. Errors: feeds.ErrBusy.
func (s *Store) WordsOf(ctx context.Context, hashes []string) (map[string]audit.Words, error) {
	out := map[string]audit.Words{}
	if len(hashes) == 0 {
		return out, nil
	}
	got, err := s.rdb.HMGet(ctx, s.keys.AuditWords(), hashes...).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: words of the audit log: %w", feeds.ErrBusy, err)
	}
	for i, v := range got {
		text, ok := v.(string)
		if !ok {
			continue
		}
		var w audit.Words
		if err := json.Unmarshal([]byte(text), &w); err == nil { // words that cannot be read are not those of the record
			out[hashes[i]] = w
		}
	}
	return out, nil
}

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
		kept, err := s.WordsOf(ctx, hashes[from:to])
		if err != nil {
			return err
		}
		for j, hash := range hashes[from:to] {
			r := &list[at[from+j]]
			var w *audit.Words
			if words, ok := kept[hash]; ok {
				w = &words
			}
			shown, ok := r.With(w)
			if !ok { // forged: the record stands, the words are not its own
				shown, _ = r.With(nil)
				shown.Reason = "[the words that are kept are not those that this record was written with]"
			}
			*r = shown
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
