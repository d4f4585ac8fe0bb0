package witness

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit/tree"
)

// Names of files of a witness's folder: its key, and below logs/ a folder for each log by its origin.
const (
	keyFile     = "witness.key"
	logKeyFile  = "log.vkey"    // the key that is trusted
	lastFile    = "checkpoint"  // the last that was cosigned
	historyFile = "checkpoints" // all that were, one behind the other: what audit verify takes
	mirrorFile  = "mirrored"    // of what tree the tiles are
	evidenceDir = "evidence"
)

// ownKey reads the witness's key, or makes one: secret, for nobody else's eyes.
func ownKey(dir, name string, now func() time.Time) (note.Signer, error) {
	path := filepath.Join(dir, keyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		skey, _, err := tree.NewWitnessKey(name, rand.Reader)
		if err != nil {
			return nil, err
		}
		text = []byte(skey + "\n")
		if err := replace(path, text, 0o600); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	if at, err := os.Stat(path); err != nil || at.Mode().Perm()&0o077 != 0 {
		return nil, errors.Join(err, fmt.Errorf("%s is a secret: make it readable by its owner alone (chmod 600)", path))
	}
	s, err := tree.NewCosigner(string(text), now)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// watched is one log as the witness knows it.
type watched struct {
	dir    string
	origin string
	key    note.Verifier
	last   tree.Checkpoint // size 0 where none was cosigned
	signed []byte          // the last, with its signatures; nil where there is none
	noted  []byte          // what was last put into the history
	mirror *Mirror
	done   tlog.Tree // what the mirror holds
}

// logDir is the folder of a log.
func logDir(dir, origin string) (string, error) {
	name := url.PathEscape(origin)
	if strings.HasPrefix(name, ".") || len(name) > 200 {
		return "", fmt.Errorf("origin %q can be no name of a folder", origin)
	}
	return filepath.Join(dir, "logs", name), nil
}

// watch opens what is kept of a log. The key is the one that is trusted; where another is on file, somebody must decide.
func watch(dir string, vkey string) (*watched, error) {
	key, err := tree.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	if tree.Cosigns(key) {
		return nil, fmt.Errorf("the key of %s is a witness's, not a log's", key.Name())
	}
	l := &watched{origin: key.Name(), key: key}
	if l.dir, err = logDir(dir, l.origin); err != nil {
		return nil, err
	}
	l.mirror = NewMirror(l.dir)
	if err := os.MkdirAll(filepath.Join(l.dir, evidenceDir), 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(l.dir, logKeyFile)
	switch was, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
		if err := replace(path, []byte(strings.TrimSpace(vkey)+"\n"), 0o644); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case strings.TrimSpace(string(was)) != strings.TrimSpace(vkey):
		return nil, fmt.Errorf("%s holds another key than the one given: whoever knows that the log has a new key removes that folder's checkpoints", path)
	}
	return l, l.load()
}

func (l *watched) load() error {
	l.last, l.done = tree.Checkpoint{Origin: l.origin, Root: tree.Empty()}, tlog.Tree{Hash: tree.Empty()}
	signed, err := os.ReadFile(filepath.Join(l.dir, lastFile))
	if err == nil {
		if l.last, _, err = tree.Open(signed, l.key); err != nil {
			return fmt.Errorf("%s: %w", l.dir, err)
		}
		l.signed = signed
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := os.ReadFile(filepath.Join(l.dir, mirrorFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	c, err := tree.Parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(l.dir, mirrorFile), err)
	}
	l.done = c.Tree()
	return nil
}

// keep writes down what is cosigned, before anybody is told.
func (l *watched) keep(c tree.Checkpoint, signed []byte) error {
	if c != l.last || l.signed == nil {
		if l.signed != nil && !bytes.Equal(l.noted, l.signed) { // when it was seen for the last time
			if err := l.note(l.signed); err != nil {
				return err
			}
		}
		if err := l.note(signed); err != nil {
			return err
		}
	}
	if err := replace(filepath.Join(l.dir, lastFile), signed, 0o644); err != nil {
		return err
	}
	l.last, l.signed = c, signed
	return nil
}

// note puts a cosigned checkpoint into the history.
func (l *watched) note(signed []byte) error {
	f, err := os.OpenFile(filepath.Join(l.dir, historyFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(signed)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	l.noted = signed
	return nil
}

// mirrored writes down what the tiles are of.
func (l *watched) mirrored(at tlog.Tree) error {
	c := tree.Checkpoint{Origin: l.origin, Size: at.N, Root: at.Hash}
	if err := replace(filepath.Join(l.dir, mirrorFile), []byte(c.Text()), 0o644); err != nil {
		return err
	}
	l.done = at
	return nil
}
