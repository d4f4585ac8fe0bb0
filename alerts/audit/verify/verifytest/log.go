package verifytest

import (
	"bytes"
	"crypto/rand"
	"io"
	mrand "math/rand/v2"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit"
	"kentongan/alerts/audit/tree"
	"kentongan/alerts/audit/verify"
	"kentongan/geo/moment"
)

// Name is the origin of made-up logs.
const Name = "kentongan.example/audit"

// Keys are a log's and its witness's.
type Keys struct {
	Signer, Cosigner note.Signer
	Checked          verify.Keys
	Log, Witness     string // public
	at               *time.Time
}

// NewKeys makes them.
func NewKeys() (Keys, error) {
	k := Keys{at: new(time.Time)}
	skey, vkey, err := tree.NewKey(Name, rand.Reader)
	if err != nil {
		return k, err
	}
	wskey, wvkey, err := tree.NewWitnessKey("ombudsman.example", rand.Reader)
	if err != nil {
		return k, err
	}
	k.Log, k.Witness = vkey, wvkey
	if k.Signer, err = note.NewSigner(skey); err != nil {
		return k, err
	}
	if k.Cosigner, err = tree.NewCosigner(wskey, func() time.Time { return *k.at }); err != nil {
		return k, err
	}
	witness, err := tree.NewVerifier(wvkey)
	if err != nil {
		return k, err
	}
	k.Checked.Witnesses = []note.Verifier{witness}
	k.Checked.Log, err = tree.NewVerifier(vkey)
	return k, err
}

// Entry is a record as it is exported.
type Entry struct {
	Canonical []byte
	Words     *audit.Words
}

// Log is a log with its checkpoints.
type Log struct {
	Keys
	Entries []Entry
	Sealed  []int64 // sizes, each with its checkpoint
	Signed  [][]byte
	Leaves  []tlog.Hash // as a witness mirrors them: those of the last checkpoint
	Ended   time.Time
	whole   tree.Range
	due     time.Time
}

// Make makes a log of n records, sealed every 1,000 records or ten seconds, cosigned up to ten seconds later by a witness who misses
// every fifth checkpoint, and cosigns one that stays once more before the next. each, where it is given, may change a record before it is written, and let time pass.
func Make(seed uint64, n int, keys Keys, each func(i int, m *Maker, canonical []byte) []byte) (*Log, error) {
	var entries []Entry
	l, err := Stream(seed, n, keys, each, func(e Entry) error {
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.Entries = entries
	return l, nil
}

// Stream is Make for a log that is too long to be kept: its entries are given away one by one.
func Stream(seed uint64, n int, keys Keys, each func(i int, m *Maker, canonical []byte) []byte, give func(Entry) error) (*Log, error) {
	m, l := New(seed), &Log{Keys: keys}
	rng := mrand.New(mrand.NewPCG(seed, 9))
	l.due = m.Now().Add(10 * time.Second)
	if err := l.seal(m.Now(), true); err != nil {
		return nil, err
	}
	for i := range n {
		b, w := m.Next()
		if each != nil {
			b = each(i, m, b)
		}
		// The act before this one may be sealed by now.
		if m.Now().After(l.due) {
			if err := l.seal(l.due.Add(time.Duration(rng.IntN(10))*time.Second), rng.IntN(5) > 0); err != nil {
				return nil, err
			}
			if m.Now().Sub(l.due) > 20*time.Second {
				if err := l.stays(m.Now().Add(-time.Duration(rng.IntN(10)) * time.Second)); err != nil {
					return nil, err
				}
			}
			l.due = m.Now().Add(10 * time.Second)
		}
		leaf := tlog.RecordHash(b)
		l.Leaves = append(l.Leaves, leaf)
		l.whole.Append(leaf)
		if err := give(Entry{b, w}); err != nil {
			return nil, err
		}
		if (i+1)%1000 == 0 {
			if err := l.seal(m.Now(), rng.IntN(5) > 0); err != nil {
				return nil, err
			}
		}
	}
	l.Ended = m.Now()
	return l, l.seal(m.Now(), true)
}

// seal makes a checkpoint of what there is, unless there is one.
func (l *Log) seal(at time.Time, cosigned bool) error {
	if n := len(l.Sealed); n > 0 && l.Sealed[n-1] == l.whole.Size() {
		return nil
	}
	signed, err := l.checkpoint(tree.Checkpoint{Origin: Name, Size: l.whole.Size(), Root: l.whole.Root()}, at, cosigned)
	l.Sealed = append(l.Sealed, l.whole.Size())
	l.Signed = append(l.Signed, signed)
	return err
}

// stays cosigns the last checkpoint once more: it is still the last.
func (l *Log) stays(at time.Time) error {
	signed, err := l.checkpoint(tree.Checkpoint{Origin: Name, Size: l.whole.Size(), Root: l.whole.Root()}, at, true)
	l.Sealed = append(l.Sealed, l.whole.Size())
	l.Signed = append(l.Signed, signed)
	return err
}

func (l *Log) checkpoint(c tree.Checkpoint, at time.Time, cosigned bool) ([]byte, error) {
	*l.at = at
	signers := []note.Signer{l.Signer}
	if cosigned {
		signers = append(signers, l.Cosigner)
	}
	return note.Sign(&note.Note{Text: c.Text()}, signers...)
}

// Kept are the checkpoints that somebody outside keeps, as a file.
func (l *Log) Kept() []byte { return bytes.Join(l.Signed, nil) }

// Tiles gives the leaf hashes that a witness mirrored.
func (l *Log) Tiles(tile int64) ([]tlog.Hash, error) {
	from := min(tile*tree.Width, int64(len(l.Leaves)))
	return l.Leaves[from:min(from+tree.Width, int64(len(l.Leaves)))], nil
}

// Export writes entries as the server does, with a checkpoint at their end that the log's true key signed for what they are now.
func (l *Log) Export(w io.Writer, entries []Entry) error {
	out, err := verify.NewWriter(w, verify.Header{Origin: Name, Size: int64(len(entries)), MadeAt: moment.Of(l.Ended)})
	if err != nil {
		return err
	}
	var r tree.Range
	for _, e := range entries {
		r.Append(tlog.RecordHash(e.Canonical))
		if err := out.Record(e.Canonical, e.Words); err != nil {
			return err
		}
	}
	signed, err := l.checkpoint(tree.Checkpoint{Origin: Name, Size: r.Size(), Root: r.Root()}, l.Ended, false)
	if err != nil {
		return err
	}
	if err := out.Checkpoint(signed); err != nil {
		return err
	}
	return out.Close()
}
