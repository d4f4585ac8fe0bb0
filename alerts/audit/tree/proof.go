package tree

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const proofHead = "c2sp.org/tlog-proof@v1"

// Proof is all that shows one record to be in the log, without the record itself (C2SP tlog-proof). It is checked without a network.
type Proof struct {
	Extra      []byte      // what goes with it unproven; none is left out
	Index      int64       // 0 and up: one less than the record's seq
	Hashes     []tlog.Hash // at most 63
	Checkpoint []byte      // signed
}

// Text is the proof's one form; a file of it ends in .tlog-proof.
func (p Proof) Text() []byte {
	var b strings.Builder
	b.WriteString(proofHead + "\n")
	if len(p.Extra) > 0 {
		b.WriteString("extra " + base64.StdEncoding.EncodeToString(p.Extra) + "\n")
	}
	b.WriteString("index " + strconv.FormatInt(p.Index, 10) + "\n")
	for _, h := range p.Hashes {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteString("\n")
	b.Write(p.Checkpoint)
	return []byte(b.String())
}

// ParseProof reads a proof; its checkpoint is not looked at.
func ParseProof(text []byte) (Proof, error) {
	if len(text) > 2*Limit {
		return Proof{}, fmt.Errorf("a proof of %d bytes; at most %d are read", len(text), 2*Limit)
	}
	head, signed, ok := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || lines[0] != proofHead || len(lines) < 2 {
		return Proof{}, fmt.Errorf("a proof begins with the line %s and has an empty line before its checkpoint", proofHead)
	}
	p, lines := Proof{Checkpoint: []byte(signed)}, lines[1:]
	if extra, ok := strings.CutPrefix(lines[0], "extra "); ok {
		b, err := base64.StdEncoding.Strict().DecodeString(extra)
		if err != nil || len(lines) < 2 {
			return Proof{}, errors.New("proof: the line extra is not base64 before the line index")
		}
		p.Extra, lines = b, lines[1:]
	}
	digits, ok := strings.CutPrefix(lines[0], "index ")
	index, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || index < 0 || strconv.FormatInt(index, 10) != digits {
		return Proof{}, fmt.Errorf("proof: %.60q is not a line index with a decimal number", lines[0])
	}
	p.Index = index
	if p.Hashes, err = parseHashes(lines[1:]); err != nil {
		return Proof{}, fmt.Errorf("proof: %w", err)
	}
	return p, nil
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	if len(lines) > 63 {
		return nil, fmt.Errorf("%d hashes; no tree needs more than 63", len(lines))
	}
	var out []tlog.Hash
	for i, l := range lines {
		h, err := hash(l)
		if err != nil {
			return nil, fmt.Errorf("hash %d: %w", i+1, err)
		}
		out = append(out, h)
	}
	return out, nil
}

// CheckProof tells by an error that a proof does not show this record, byte for byte, to be in the log of this key. It gives the
// checkpoint under which it is, and its note with the signatures that were checked.
func CheckProof(record, proof []byte, log note.Verifier, witnesses ...note.Verifier) (Checkpoint, *note.Note, error) {
	p, err := ParseProof(proof)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	c, n, err := Open(p.Checkpoint, log, witnesses...)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if err := Check(c.Tree(), p.Index, tlog.RecordHash(record), p.Hashes); err != nil {
		return Checkpoint{}, nil, err
	}
	return c, n, nil
}
