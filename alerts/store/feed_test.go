package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/geo/redistest"
)

func TestFeedsAreKeptByVersion(t *testing.T) {
	s, _ := newStore(t, redistest.Start(t))
	who := audit.Actor{Subject: "user:a"}
	put := func(version int64, config string) (Feed, error) {
		c := FeedChange{Name: "awlr", Version: version, Before: map[string]any{"v": version}, After: map[string]any{"c": config}, Reason: "because"}
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
