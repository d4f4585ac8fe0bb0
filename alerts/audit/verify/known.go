package verify

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"kentongan/alerts/audit/tree"
)

// Keys are what signatures are checked by. Log nil leaves them unchecked.
type Keys struct {
	Log       note.Verifier
	Witnesses []note.Verifier
}

// Known is a checkpoint that somebody kept, outside of the export.
type Known struct {
	tree.Checkpoint
	SeenAt time.Time // the earliest that a witness whose key is known has cosigned it; zero: none has
	Fault  Kind      // empty, signature
}

// most is how many checkpoints of a file are read: three years of one each ten seconds are as many.
const most = 10_000_000

// ErrCheckpoints says that a file is not one of checkpoints.
var ErrCheckpoints = errors.New("not a file of signed checkpoints")

// ReadKnown reads signed checkpoints that stand one behind the other, in any order.
func ReadKnown(r io.Reader, keys Keys) ([]Known, error) {
	var all []Known
	var text strings.Builder
	signed := false // its signatures have begun
	end := func() error {
		if text.Len() == 0 {
			return nil
		}
		k, err := open([]byte(text.String()), keys)
		text.Reset()
		signed = false
		if err != nil {
			return fmt.Errorf("%w: number %d: %w", ErrCheckpoints, len(all)+1, err)
		}
		if all = append(all, k); len(all) > most {
			return fmt.Errorf("%w: more than %d", ErrCheckpoints, most)
		}
		return nil
	}
	s := bufio.NewScanner(r)
	for s.Scan() {
		l := strings.TrimSuffix(s.Text(), "\r")
		sig := strings.HasPrefix(l, "— ")
		if signed && !sig {
			if err := end(); err != nil {
				return nil, err
			}
		}
		if l == "" && text.Len() == 0 {
			continue // an empty line between two
		}
		signed = signed || sig
		text.WriteString(l + "\n")
		if text.Len() > tree.Limit {
			return nil, fmt.Errorf("%w: number %d is longer than %d bytes", ErrCheckpoints, len(all)+1, tree.Limit)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoints, err)
	}
	if err := end(); err != nil {
		return nil, err
	}
	return all, nil
}

// open reads one signed checkpoint; what its signatures lack is its fault.
func open(signed []byte, keys Keys) (Known, error) {
	c, _, err := tree.Peek(signed)
	if err != nil {
		return Known{}, err
	}
	k := Known{Checkpoint: c}
	if keys.Log == nil {
		return k, nil
	}
	_, n, err := tree.Open(signed, keys.Log, keys.Witnesses...)
	if err != nil {
		k.Fault = Signature
		return k, nil
	}
	for _, s := range n.Sigs {
		if at, ok := tree.SignedAt(s); ok && (k.SeenAt.IsZero() || at.Before(k.SeenAt)) {
			k.SeenAt = at
		}
	}
	return k, nil
}
