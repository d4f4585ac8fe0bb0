package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/geo/redistest"
)

func TestFeedsAreKeptByVersion(t *testing.T) {
	s, _ := newStore(t, redistest.Start(t))
	who := audit.Actor{Subject: "user:a"}
	put := func(version int64, config string) (Feed, error) {
		c := FeedChange{Name: "awlr", Version: version, Reason: "because"}
		if config != "" {
			c.Config = json.RawMessage(config)
		}
		return s.PutFeed(t.Context(), c, who)
	}
	if f, err := put(0, `{"n":1}`); err != nil || f.Version != 1 || f.By != "user:a" || f.At.IsZero() {
		t.Fatal(f, err)
	}
	for _, stale := range []int64{0, 2} {
		if _, err := put(stale, `{}`); !errors.Is(err, ErrFeedVersion) {
			t.Errorf("made of version %d: %v", stale, err)
		}
	}
	before, err := s.FeedRevision(t.Context())
	if err != nil || before != "1" {
		t.Error(before, err)
	}
	for n := range int64(24) {
		if _, err := put(n+1, fmt.Sprintf(`{"n":%d}`, n+2)); err != nil {
			t.Fatal(err)
		}
	}
	list, revision, err := s.Feeds(t.Context())
	if err != nil || revision != "25" || len(list) != 1 || list[0].Version != 25 || string(list[0].Config) != `{"n":25}` {
		t.Errorf("%v %s %+v", err, revision, list)
	}
	versions, err := s.FeedVersions(t.Context(), "awlr")
	if err != nil || len(versions) != FeedVersionsKept || versions[0].Version != 25 || versions[19].Version != 6 {
		t.Errorf("%v %d", err, len(versions))
	}
	if f, err := put(25, ""); err != nil || !f.Removed || f.Version != 26 {
		t.Error(f, err)
	}
	if _, ok, err := s.FeedOf(t.Context(), "awlr"); ok || err != nil {
		t.Error(ok, err)
	}
	if f, err := put(0, `{"n":0}`); err != nil || f.Version != 27 {
		t.Errorf("made again: %+v %v", f, err)
	}
	log, _, err := s.AuditLog(t.Context(), time.Time{}, time.Time{}, 3, "")
	if err != nil || len(log) != 3 || log[0].Action != "feed.made" || log[1].Action != "feed.removed" || log[2].Action != "feed.changed" || log[2].Object != "feed:awlr" || log[2].Reason != "because" {
		t.Errorf("%v %+v", err, log)
	}
}

// meanwhile does something once, after the next command that reads a key.
type meanwhile struct {
	key string
	do  func()
}

func (m *meanwhile) DialHook(next redis.DialHook) redis.DialHook { return next }

func (m *meanwhile) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (m *meanwhile) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if args := cmd.Args(); m.do != nil && len(args) > 2 && args[0] == "hmget" && args[1] == m.key {
			do := m.do
			m.do = nil
			do()
		}
		return err
	}
}

// TestSettingsAreRewrittenWhileABaselineIsTaken seals at the start at which the log begins to hold feeds.
func TestSettingsAreRewrittenWhileABaselineIsTaken(t *testing.T) {
	rdb := redistest.Start(t)
	s, _ := newStore(t, rdb)
	rdb.HSet(t.Context(), s.keys.FeedConfig(), "old", `{"v":1,"name":"old","version":1,"config":{"secret":"x"}}`)
	rdb.AddHook(&meanwhile{s.keys.AuditKept(), func() {
		if n, err := s.Baseline(t.Context()); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
	}})
	n, err := s.RewriteFeeds(t.Context(), func(f Feed) (json.RawMessage, error) {
		if f.Config[0] == '"' {
			return nil, nil
		}
		return json.RawMessage(`"sealed"`), nil
	})
	if f, _, ferr := s.FeedOf(t.Context(), "old"); n != 1 || err != nil || ferr != nil || string(f.Config) != `"sealed"` {
		t.Errorf("%d were rewritten, %v; %+v, %v", n, err, f, ferr)
	}
}
