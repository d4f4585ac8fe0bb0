package book

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
)

// kills is how often whoever writes is killed.
const kills = 50

// writerOf is where the process that is killed finds its store.
const writerOf = "KENTONGAN_TEST_BOOK"

// TestWriter is the process that is killed: it changes accounts, keys and devices until then.
func TestWriter(t *testing.T) {
	address, prefix, ok := strings.Cut(os.Getenv(writerOf), " ")
	if !ok {
		t.Skip("runs only as a process of TestAKilledServerLeavesNoHalfAct")
	}
	rdb := redis.NewClient(&redis.Options{Addr: address})
	keys := keyspace.Keys{Prefix: prefix, Jurisdiction: "test"}
	b := New(rdb, keys, time.Now, nil)
	for n := 0; ; n++ {
		noun, id := []string{"person", "key", "device"}[rand.IntN(3)], fmt.Sprint(rand.IntN(5))
		key, _ := keyspace.Kept(keys, noun+":")
		text := []byte(fmt.Sprintf("%d of %d", n, os.Getpid()))
		err := b.Write(t.Context(), rdb, func(p redis.Pipeliner) error {
			p.HIncrBy(t.Context(), keys.Key()+"-changes", "n", 1)
			if n%7 == 6 {
				p.HDel(t.Context(), key, id)
				text = nil
			} else {
				p.HSet(t.Context(), key, id, text)
			}
			Keep(t.Context(), p, noun, id, text)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestAKilledServerLeavesNoHalfAct kills whoever writes, and holds each time what stands against the log: as many changes as records, and each
// object as its last record says.
func TestAKilledServerLeavesNoHalfAct(t *testing.T) {
	if testing.Short() {
		t.Skip("kills fifty processes")
	}
	rdb := redistest.Start(t)
	keys := keyspace.Keys{Prefix: "kill", Jurisdiction: "test"}
	client, ok := rdb.(*redis.Client)
	if !ok {
		t.Fatalf("the store is a %T", rdb)
	}
	was := 0
	for kill := range kills {
		c := exec.Command(os.Args[0], "-test.run=^TestWriter$")
		c.Env = append(os.Environ(), writerOf+"="+client.Options().Addr+" "+keys.Prefix)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for until := time.Now().Add(20 * time.Second); rdb.XLen(t.Context(), keys.Audit()).Val() <= int64(was) && time.Now().Before(until); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(rand.N(10 * time.Millisecond))
		_ = c.Process.Kill()
		_ = c.Wait()
		list := records(t, rdb, keys)
		if len(list) <= was {
			t.Fatalf("kill %d: nothing was written", kill)
		}
		was = len(list)
		if n, _ := rdb.HGet(t.Context(), keys.Key()+"-changes", "n").Int(); n != was {
			t.Fatalf("kill %d: %d changes, %d records", kill, n, was)
		}
		last := map[string]audit.Record{}
		for _, r := range list {
			if r.BeforeHash != last[r.Object].AfterHash {
				t.Fatalf("kill %d: record %d of %s does not continue the one before it", kill, r.Seq, r.Object)
			}
			last[r.Object] = r
		}
		for object, r := range last {
			key, field := keyspace.Kept(keys, object)
			salt, _, _ := strings.Cut(rdb.HGet(t.Context(), keys.AuditKept(), object).Val(), ":")
			found := ""
			if text, err := rdb.HGet(t.Context(), key, field).Bytes(); err == nil {
				found = audit.HashOf(text, salt)
			}
			if found != r.AfterHash {
				t.Fatalf("kill %d: %s is not what record %d says", kill, object, r.Seq)
			}
		}
	}
	t.Logf("%d kills, %d changes, each with its record", kills, was)
}
