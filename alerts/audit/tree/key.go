package tree

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// cosigning is the note signature type of Ed25519 cosignatures (C2SP signed-note, tlog-cosignature).
const cosigning = 0x04

// NewKey makes the key of a log: an Ed25519 key named by its origin. skey is secret, vkey is what the world checks by.
func NewKey(origin string, rand io.Reader) (skey, vkey string, err error) {
	if err := checkOrigin(origin); err != nil {
		return "", "", err
	}
	return note.GenerateKey(rand, origin)
}

// NewWitnessKey makes the key of a witness, which signs nothing but cosignature/v1.
func NewWitnessKey(name string, rand io.Reader) (skey, vkey string, err error) {
	if err := checkOrigin(name); err != nil {
		return "", "", err
	}
	pub, priv, err := ed25519.GenerateKey(rand)
	if err != nil {
		return "", "", fmt.Errorf("key of witness %q: %w", name, err)
	}
	public := append([]byte{cosigning}, pub...)
	head := fmt.Sprintf("%s+%08x+", name, keyHash(name, public))
	secret := append([]byte{cosigning}, priv.Seed()...)
	return "PRIVATE+KEY+" + head + base64.StdEncoding.EncodeToString(secret), head + base64.StdEncoding.EncodeToString(public), nil
}

// keyHash is the key ID: the first 32 bits of SHA-256(name, newline, type and key).
func keyHash(name string, key []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	return binary.BigEndian.Uint32(sum[:])
}

// key reads name+hash+base64(type and key); public makes of it the bytes that the hash is of.
func key(s string, public func([]byte) []byte) (name string, hash uint32, raw []byte, err error) {
	name, rest, _ := strings.Cut(s, "+")
	digits, body, _ := strings.Cut(rest, "+")
	want, err1 := strconv.ParseUint(digits, 16, 32)
	raw, err2 := base64.StdEncoding.DecodeString(body)
	if len(digits) != 8 || err1 != nil || err2 != nil || checkOrigin(name) != nil || len(raw) != 33 {
		return "", 0, nil, fmt.Errorf("a key has the form name+hash+base64 (C2SP signed-note)")
	}
	if hash = keyHash(name, public(raw)); hash != uint32(want) {
		return "", 0, nil, fmt.Errorf("key of %q: its hash is not that of the key, so it was copied wrongly", name)
	}
	return name, hash, raw, nil
}

// cosigner is a note.Signer and a note.Verifier of cosignature/v1.
type cosigner struct {
	name    string
	hash    uint32
	public  ed25519.PublicKey
	private ed25519.PrivateKey // only to sign
	now     func() time.Time
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

// NewCosigner reads the secret key of a witness. What it signs says when: at now.
func NewCosigner(skey string, now func() time.Time) (note.Signer, error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(skey), "PRIVATE+KEY+")
	if !ok {
		return nil, fmt.Errorf("the secret key of a witness begins with PRIVATE+KEY+")
	}
	name, hash, raw, err := key(body, func(raw []byte) []byte {
		return append([]byte{raw[0]}, ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)...)
	})
	if err != nil {
		return nil, err
	}
	if raw[0] != cosigning {
		return nil, fmt.Errorf("key of %q has type %d; a witness signs by type %d (cosignature/v1)", name, raw[0], cosigning)
	}
	return &cosigner{name: name, hash: hash, private: ed25519.NewKeyFromSeed(raw[1:]), now: now}, nil
}

// NewVerifier reads a public key, of a log or of a witness.
func NewVerifier(vkey string) (note.Verifier, error) {
	vkey = strings.TrimSpace(vkey)
	name, hash, raw, err := key(vkey, func(raw []byte) []byte { return raw })
	if err != nil {
		return nil, err
	}
	if raw[0] == cosigning {
		return &cosigner{name: name, hash: hash, public: raw[1:]}, nil
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("key of %q: %w", name, err)
	}
	return v, nil
}

// Public gives the public key of a signer that NewCosigner made.
func Public(s note.Signer) (vkey string, ok bool) {
	c, ok := s.(*cosigner)
	if !ok || c.private == nil {
		return "", false
	}
	public := append([]byte{cosigning}, c.private.Public().(ed25519.PublicKey)...)
	return fmt.Sprintf("%s+%08x+%s", c.name, c.hash, base64.StdEncoding.EncodeToString(public)), true
}

func statement(at uint64, text []byte) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatUint(at, 10)+"\n"), text...)
}

// Sign signs a checkpoint's text: time in seconds since 1970 as 8 bytes, then the signature.
func (c *cosigner) Sign(text []byte) ([]byte, error) {
	at := uint64(c.now().Unix())
	return append(binary.BigEndian.AppendUint64(nil, at), ed25519.Sign(c.private, statement(at, text))...), nil
}

// Verify tells whether sig is this witness's cosignature of the text.
func (c *cosigner) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return at < 1<<63 && ed25519.Verify(c.public, statement(at, text), sig[8:])
}

// SignedAt tells when a cosignature was made; false for any other kind of signature, of which the length tells.
func SignedAt(s note.Signature) (time.Time, bool) {
	raw, err := base64.StdEncoding.DecodeString(s.Base64)
	if err != nil || len(raw) != 4+8+ed25519.SignatureSize {
		return time.Time{}, false
	}
	at := binary.BigEndian.Uint64(raw[4:])
	return time.Unix(int64(at), 0).UTC(), at < 1<<62
}

// Cosigns tells whether a key that NewVerifier read is a witness's.
func Cosigns(v note.Verifier) bool {
	_, ok := v.(*cosigner)
	return ok
}
