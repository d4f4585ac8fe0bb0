package basemap

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

// cacheSize bounds what is kept on disk; what was not used for longest goes first.
const cacheSize = 256 << 20

// cacheHead is before each body: when it came, in Unix milliseconds.
const cacheHead = 8

// cache keeps answers of the outside on disk, by their address. Names are hashes: no text of others reaches the file system.
type cache struct {
	dir *os.Root
	now func() time.Time

	mu    sync.Mutex
	used  map[string]use
	total int64
	most  int64
}

type use struct {
	at   time.Time
	size int64
}

// kept is one answer; a nil body means that there is nothing at the address.
type kept struct {
	body []byte
	at   time.Time
}

func openCache(dir string, now func() time.Time) (*cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	c := &cache{dir: root, now: now, used: map[string]use{}, most: cacheSize}
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil || len(name) != 2*sha256.Size { // the rest of a write that was cut short
			return errors.Join(err, root.Remove(name))
		}
		c.used[name] = use{info.ModTime(), info.Size()}
		c.total += info.Size()
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cache: %w", err), root.Close())
	}
	return c, nil
}

func nameOf(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:])
}

// get gives what is kept of an address.
func (c *cache) get(address string) (kept, bool) {
	name := nameOf(address)
	c.mu.Lock()
	u, ok := c.used[name]
	if ok {
		c.used[name] = use{c.now(), u.size}
	}
	c.mu.Unlock()
	if !ok {
		return kept{}, false
	}
	text, err := c.dir.ReadFile(name)
	if err != nil || len(text) < cacheHead {
		return kept{}, false
	}
	k := kept{at: time.UnixMilli(int64(binary.BigEndian.Uint64(text)))}
	if len(text) > cacheHead {
		k.body = text[cacheHead:]
	}
	return k, true
}

// put keeps an answer and makes room for it. A failure costs nothing but the keeping.
func (c *cache) put(address string, body []byte) error {
	name := nameOf(address)
	text := binary.BigEndian.AppendUint64(make([]byte, 0, cacheHead+len(body)), uint64(c.now().UnixMilli()))
	text = append(text, body...)
	c.mu.Lock()
	defer c.mu.Unlock()
	next := name + ".new"
	if err := c.dir.WriteFile(next, text, 0o600); err != nil {
		return errors.Join(err, c.dir.Remove(next))
	}
	if err := c.dir.Rename(next, name); err != nil {
		return err
	}
	c.total += int64(len(text)) - c.used[name].size
	c.used[name] = use{c.now(), int64(len(text))}
	c.shrink()
	return nil
}

// shrink removes what was not used for longest until all fits, and a tenth more, so that it is not done again at once.
func (c *cache) shrink() {
	if c.total <= c.most {
		return
	}
	names := slices.SortedFunc(maps.Keys(c.used), func(a, b string) int { return c.used[a].at.Compare(c.used[b].at) })
	for _, name := range names[:len(names)-1] {
		if c.total <= c.most-c.most/10 {
			return
		}
		_ = c.dir.Remove(name) // gone is gone
		c.total -= c.used[name].size
		delete(c.used, name)
	}
}

func (c *cache) close() error { return c.dir.Close() }
