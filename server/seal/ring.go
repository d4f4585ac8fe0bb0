package seal

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	keyPrefix = "kts1_"
	mostKeys  = 64       // of a ring
	fileLimit = 64 << 10 // bytes of a file
)

// fileHead is what a person finds who opens the file.
const fileHead = `# Keys that seal what Kentongan keeps secret in its store: who reported, second factors, passwords of feeds.
# The first seals, all of them open. Whoever has this file and a copy of the store can read all of it; without this file nobody can.
# Keep a copy apart from the copies of the store. "kentongan secret rotate" adds a key.
`

// Ring is the keys of one file. Safe for concurrent use. A key that it does not know makes it read the file again, so that a server that
// runs takes up a key that was added.
type Ring struct {
	path string

	mu     sync.RWMutex
	keys   []key
	read   os.FileInfo // the file that they are from
	looked time.Time   // when we last looked for a change
}

// lookEvery bounds how often an unknown key makes us look at the file.
const lookEvery = time.Second

// Open reads the keys of a file, and makes it (mode 0400, with one key) where there is none. A file that others than its owner may read
// is refused.
func Open(path string) (*Ring, error) {
	r := &Ring{path: path}
	if err := r.load(); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("secret_key_file: make %s: %w", path, err)
		}
	} else if err != nil {
		return nil, fmt.Errorf("secret_key_file: %w", err)
	} else {
		return r, nil
	}
	if err := r.load(); err != nil {
		return nil, fmt.Errorf("secret_key_file: %w", err)
	}
	return r, nil
}

// Path is the file.
func (r *Ring) Path() string { return r.path }

// Mark is the id of the key that seals; it tells nothing of the key. Servers of one store whose rings do not hold its mark must not start.
func (r *Ring) Mark() string { return r.first().id }

// Holds tells whether the ring opens what the key of this id sealed.
func (r *Ring) Holds(id string) bool { _, ok := r.find(id); return ok }

// IDs lists the ids of the keys, the one that seals first.
func (r *Ring) IDs() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []string
	for _, k := range r.keys {
		out = append(out, k.id)
	}
	return out
}

func (r *Ring) first() key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.keys[0]
}

func (r *Ring) find(id string) (key, bool) {
	if k, ok := r.known(id); ok {
		return k, true
	}
	r.mu.Lock()
	due := time.Since(r.looked) >= lookEvery
	if due {
		r.looked = time.Now()
	}
	r.mu.Unlock()
	if !due {
		return key{}, false
	}
	if _, err := r.Refresh(); err != nil {
		return key{}, false
	}
	return r.known(id)
}

func (r *Ring) known(id string) (key, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := slices.IndexFunc(r.keys, func(k key) bool { return k.id == id })
	if i < 0 {
		return key{}, false
	}
	return r.keys[i], true
}

// Refresh reads the file again where it has changed. A file that cannot be read leaves the ring as it was.
func (r *Ring) Refresh() (changed bool, err error) {
	info, err := os.Stat(r.path)
	if err != nil {
		return false, fmt.Errorf("secret_key_file: %w", err)
	}
	r.mu.RLock()
	same := os.SameFile(info, r.read) && info.ModTime().Equal(r.read.ModTime())
	was, mark := len(r.keys), r.keys[0].id
	r.mu.RUnlock()
	if same {
		return false, nil
	}
	if err := r.load(); err != nil {
		return false, fmt.Errorf("secret_key_file: %w", err)
	}
	return r.Mark() != mark || len(r.IDs()) != was, nil
}

func (r *Ring) load() error {
	f, err := os.Open(r.path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file", r.path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s may be read by others (mode %04o): chmod 0400 %s", r.path, info.Mode().Perm(), r.path)
	case info.Size() > fileLimit:
		return fmt.Errorf("%s is larger than %d bytes", r.path, fileLimit)
	}
	body := make([]byte, info.Size())
	n, err := f.ReadAt(body, 0)
	if n < len(body) {
		return fmt.Errorf("read %s: %w", r.path, err)
	}
	keys, err := readKeys(string(body))
	if err != nil {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys, r.read = keys, info
	return nil
}

// readKeys reads one key a line; # begins a remark. No error repeats a line: it may be a key with a slip of the pen.
func readKeys(body string) ([]key, error) {
	var out []key
	at := 0
	for line := range strings.Lines(body) {
		at++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		text, ok := strings.CutPrefix(line, keyPrefix)
		secret, err := b64.DecodeString(text)
		if !ok || err != nil || len(secret) != KeySize {
			return nil, fmt.Errorf("line %d is no key of the form %s<43 letters>", at, keyPrefix)
		}
		if bytes.Equal(secret, make([]byte, KeySize)) {
			return nil, fmt.Errorf("line %d: a key of zeros is none", at)
		}
		k, err := newKey(secret)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o key) bool { return o.id == k.id }) {
			return nil, fmt.Errorf("line %d: the same key twice", at)
		}
		out = append(out, k)
	}
	switch {
	case len(out) == 0:
		return nil, errors.New("holds no key")
	case len(out) > mostKeys:
		return nil, fmt.Errorf("holds more than %d keys", mostKeys)
	}
	return out, nil
}

func drawn() string {
	secret := make([]byte, KeySize)
	_, _ = rand.Read(secret) // never fails
	return keyPrefix + b64.EncodeToString(secret) + "\n"
}

// create makes the file whole or not at all; where another server was faster, its file stands.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp, err := written(path, fileHead+drawn())
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	if err := os.Link(temp, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(path)
}

// Add puts a new key into the file: first, so that it seals from now on, or last, so that it only opens until every server has the file.
func (r *Ring) Add(first bool) error {
	body, err := os.ReadFile(r.path)
	if err != nil {
		return fmt.Errorf("secret_key_file: %w", err)
	}
	lines := strings.SplitAfter(string(body), "\n")
	if last := len(lines) - 1; lines[last] != "" {
		lines[last] += "\n"
	}
	at := len(lines)
	if first {
		at = slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), keyPrefix) })
	}
	return r.rewrite(strings.Join(slices.Insert(lines, at, drawn()), ""))
}

// Promote makes the last key of the file the one that seals.
func (r *Ring) Promote() error {
	return r.edit(func(keys []string) []string {
		last := len(keys) - 1
		return slices.Insert(keys[:last:last], 0, keys[last])
	})
}

// Retire takes every key but the first out of the file. Only what was sealed again opens after it.
func (r *Ring) Retire() error { return r.edit(func(keys []string) []string { return keys[:1] }) }

// edit rewrites the lines that are keys; remarks stay above them.
func (r *Ring) edit(change func([]string) []string) error {
	body, err := os.ReadFile(r.path)
	if err != nil {
		return fmt.Errorf("secret_key_file: %w", err)
	}
	var head, keys []string
	for line := range strings.Lines(string(body)) {
		if text := strings.TrimSpace(line); strings.HasPrefix(text, keyPrefix) {
			keys = append(keys, text+"\n")
		} else {
			head = append(head, strings.TrimRight(line, "\n")+"\n")
		}
	}
	return r.rewrite(strings.Join(append(head, change(keys)...), ""))
}

func (r *Ring) rewrite(body string) error {
	if _, err := readKeys(body); err != nil {
		return fmt.Errorf("secret_key_file: %w", err)
	}
	temp, err := written(r.path, body)
	if err != nil {
		return fmt.Errorf("secret_key_file: %w", err)
	}
	if err := os.Rename(temp, r.path); err != nil {
		os.Remove(temp)
		return fmt.Errorf("secret_key_file: %w", err)
	}
	if err := syncFolder(r.path); err != nil {
		return fmt.Errorf("secret_key_file: %w", err)
	}
	return r.load()
}

// written writes a file beside path, for its owner only, and safe on the disk.
func written(path, body string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(body)
	err = errors.Join(err, f.Chmod(0o400), f.Sync(), f.Close())
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Secret gives bytes that follow from the key that seals and from a purpose ([a-z0-9-]): the same on every server of a store, and nothing of the
// key. They change where another key seals.
func (r *Ring) Secret(purpose string) ([]byte, error) {
	if !purposes.MatchString(purpose) {
		return nil, fmt.Errorf("a secret for %.40q: that is no purpose", purpose)
	}
	k := r.first()
	return hkdf.Key(sha256.New, k.secret[:], nil, version+" secret "+purpose, KeySize)
}
