package redistest

import (
	"context"
	"os"
	"testing"
)

func TestTestsOnOneServerKeepApart(t *testing.T) {
	ctx := context.Background()
	a, b := Start(t), Start(t)
	ka, kb := Keys(t), Keys(t)
	if ka == kb {
		t.Fatalf("two calls of Keys gave the same prefix %q", ka.Prefix)
	}
	if err := a.Set(ctx, ka.Epoch(), "one", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if v, err := b.Get(ctx, ka.Epoch()).Result(); err != nil || v != "one" {
		t.Errorf("the second client sees %q, %v: it is on another server", v, err)
	}
	if n := b.Exists(ctx, kb.Epoch()).Val(); n != 0 {
		t.Error("a key of one test is seen under the other's prefix")
	}
}

func TestSharedServerEndsWithItsLastUser(t *testing.T) {
	var dir string
	t.Run("use", func(t *testing.T) {
		Start(t)
		dir = shared.server.dir
	})
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder of the server is still there: %v", err)
	}
}

func TestWhatWasAcknowledgedSurvivesKill(t *testing.T) {
	ctx := context.Background()
	s := Private(t)
	if err := s.Client(t).Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if err := s.Client(t).Ping(ctx).Err(); err == nil {
		t.Fatal("a killed server answers")
	}
	s.Restart(t)
	if v, err := s.Client(t).Get(ctx, "k").Result(); err != nil || v != "v" {
		t.Errorf("after kill and restart: %q, %v", v, err)
	}
}
