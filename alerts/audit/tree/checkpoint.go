package tree

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is what a log says of itself: that it has Size records, under this Root (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string    `json:"origin"` // the log's name, and that of its key
	Size   int64     `json:"size"`   // 0 and up
	Root   tlog.Hash `json:"root"`
}

// Limit is the most bytes that a signed checkpoint may have here, its cosignatures included.
const Limit = 64 << 10

// Tree is the checkpoint as tlog names it.
func (c Checkpoint) Tree() tlog.Tree { return tlog.Tree{N: c.Size, Hash: c.Root} }

// Text is the body that is signed: origin, size and root, a line each.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// Sign makes a signed checkpoint: the log's signature first, then cosignatures of the same text, which witnesses gave.
func Sign(c Checkpoint, signer note.Signer, cosignatures ...note.Signature) ([]byte, error) {
	if signer.Name() != c.Origin {
		return nil, fmt.Errorf("checkpoint of %q signed by the key of %q", c.Origin, signer.Name())
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signer)
	if err != nil {
		return nil, fmt.Errorf("sign the checkpoint of %q at size %d: %w", c.Origin, c.Size, err)
	}
	for _, s := range cosignatures {
		signed = append(signed, line(s)...)
	}
	return signed, nil
}

func line(s note.Signature) string { return "— " + s.Name + " " + s.Base64 + "\n" }

// Parse reads a checkpoint's text; lines after the third are extensions of other logs and are left unread.
func Parse(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if n := len(lines); n < 4 || lines[n-1] != "" {
		return Checkpoint{}, errors.New("a checkpoint has at least three lines, each with its end (C2SP tlog-checkpoint)")
	}
	c := Checkpoint{Origin: lines[0]}
	if err := checkOrigin(c.Origin); err != nil {
		return Checkpoint{}, err
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, fmt.Errorf("checkpoint of %q: size %q is not a decimal number without leading zeros", c.Origin, lines[1])
	}
	root, err := hash(lines[2])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint of %q: root %w", c.Origin, err)
	}
	for _, l := range lines[3 : len(lines)-1] {
		if l == "" {
			return Checkpoint{}, fmt.Errorf("checkpoint of %q has an empty line", c.Origin)
		}
	}
	c.Size, c.Root = size, root
	return c, nil
}

func checkOrigin(origin string) error {
	if origin == "" || strings.Contains(origin, "+") || strings.IndexFunc(origin, unicode.IsSpace) >= 0 {
		return fmt.Errorf("origin %q: it is a name without spaces and plus signs", origin)
	}
	return nil
}

// hash reads the one base64 form of a hash.
func hash(s string) (tlog.Hash, error) {
	var h tlog.Hash
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != tlog.HashSize || strings.ContainsAny(s, "\r\n") {
		return h, fmt.Errorf("%.60q is not the base64 of 32 bytes", s)
	}
	copy(h[:], b)
	return h, nil
}

// Peek reads a signed checkpoint without checking any signature: to learn of which log it is.
func Peek(signed []byte) (Checkpoint, *note.Note, error) {
	if len(signed) > Limit {
		return Checkpoint{}, nil, fmt.Errorf("a checkpoint of %d bytes; at most %d are read", len(signed), Limit)
	}
	_, err := note.Open(signed, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return Checkpoint{}, nil, fmt.Errorf("signed checkpoint: %w", err)
	}
	c, err := Parse(unverified.Note.Text)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	return c, unverified.Note, nil
}

// ErrUnsigned says that a checkpoint does not carry the signature of the log's key.
var ErrUnsigned = errors.New("the checkpoint is not signed by the log's key")

// Open reads a signed checkpoint. The log's key must have signed it, and be that of its origin; a signature of a known witness must be
// true where there is one; signatures of strangers are left alone. The note's Sigs are those that were checked.
func Open(signed []byte, log note.Verifier, witnesses ...note.Verifier) (Checkpoint, *note.Note, error) {
	c, _, err := Peek(signed)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if log.Name() != c.Origin {
		return Checkpoint{}, nil, fmt.Errorf("checkpoint of %q under the key of %q: %w", c.Origin, log.Name(), ErrUnsigned)
	}
	n, err := note.Open(signed, note.VerifierList(append([]note.Verifier{log}, witnesses...)...))
	if err != nil {
		return Checkpoint{}, nil, fmt.Errorf("checkpoint of %q at size %d: %w: %w", c.Origin, c.Size, ErrUnsigned, err)
	}
	for _, s := range n.Sigs {
		if s.Name == log.Name() && s.Hash == log.KeyHash() {
			if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil { // note reads bits that say nothing, so one signature has four texts
				return Checkpoint{}, nil, fmt.Errorf("checkpoint of %q at size %d: %w: %w", c.Origin, c.Size, ErrUnsigned, err)
			}
			return c, n, nil
		}
	}
	return Checkpoint{}, nil, fmt.Errorf("checkpoint of %q at size %d: %w", c.Origin, c.Size, ErrUnsigned)
}

// Join puts a witness's answer, signature lines, behind a signed checkpoint and gives the whole with those lines that the witnesses'
// keys confirm; none confirmed is an error.
func Join(signed, lines []byte, witnesses ...note.Verifier) ([]byte, error) {
	c, n, err := Peek(signed)
	if err != nil {
		return nil, err
	}
	_, answer, err := Peek([]byte(n.Text + "\n" + string(lines)))
	if err != nil {
		return nil, fmt.Errorf("cosignatures of %q at size %d: %w", c.Origin, c.Size, err)
	}
	known := note.VerifierList(witnesses...)
	have := map[[2]any]bool{}
	for _, s := range n.UnverifiedSigs {
		have[[2]any{s.Name, s.Hash}] = true
	}
	out, found := append([]byte(nil), signed...), false
	for _, s := range answer.UnverifiedSigs {
		v, err := known.Verifier(s.Name, s.Hash)
		if err != nil || !verify(v, n.Text, s) {
			continue
		}
		found = true
		if id := [2]any{s.Name, s.Hash}; !have[id] {
			have[id] = true
			out = append(out, line(s)...)
		}
	}
	if !found {
		return nil, fmt.Errorf("cosignatures of %q at size %d: none is of a known witness", c.Origin, c.Size)
	}
	return out, nil
}

func verify(v note.Verifier, text string, s note.Signature) bool {
	raw, err := base64.StdEncoding.DecodeString(s.Base64)
	return err == nil && len(raw) > 4 && v.Verify([]byte(text), raw[4:])
}
