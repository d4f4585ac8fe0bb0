// Package seal closes secrets that the store keeps: a ring of keys from one file, a key of its own for every purpose.
//
// What is sealed is a text of letters, digits, - _ and full stops, so that it can stand in JSON as it is:
//
//	kts1.<key id>.<purpose>.<wrapped>.<body>
//
// The body is closed with a key drawn for it alone, and that key is wrapped with the ring's key for the purpose (HKDF, SHA-256). Both are
// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha). The body is bound to its purpose and to what the caller says it belongs to; the wrap is
// bound to the body. So a text that is moved to another place does not open, and a newer key can take a text over (Again) without knowing
// what it was bound to, or what it says.
package seal

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// Errors of opening.
var (
	// ErrKey means that the ring does not hold the key: another secret_key_file than the one that was in use when it was sealed.
	ErrKey = errors.New("it was sealed with a key that secret_key_file does not hold")
	// ErrBroken means that the text is not what was sealed, or is not where it was sealed for.
	ErrBroken = errors.New("it is not what was sealed, or not in its place")
)

// KeySize of every key, in bytes.
const KeySize = chacha20poly1305.KeySize

const (
	version = "kts1"
	idSize  = 8
)

// Pattern finds what is sealed within a longer text.
var Pattern = regexp.MustCompile(version + `\.[A-Za-z0-9_-]{11}\.[a-z0-9-]{1,32}\.[A-Za-z0-9_-]{96}\.[A-Za-z0-9_-]{54,}`)

var purposes = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

var b64 = base64.RawURLEncoding.Strict()

// Sealed tells a text that Seal has made.
func Sealed(text string) bool { return strings.HasPrefix(text, version+".") }

// key is one key of a ring.
type key struct {
	secret [KeySize]byte
	id     string
}

func newKey(secret []byte) (key, error) {
	id, err := hkdf.Key(sha256.New, secret, nil, version+" id", idSize)
	if err != nil {
		return key{}, fmt.Errorf("name a key: %w", err)
	}
	k := key{id: b64.EncodeToString(id)}
	copy(k.secret[:], secret)
	return k, nil
}

// wrapper is the cipher that wraps the keys of a purpose.
func (k key) wrapper(purpose string) (cipher.AEAD, error) {
	sub, err := hkdf.Key(sha256.New, k.secret[:], nil, version+" wrap "+purpose, KeySize)
	if err != nil {
		return nil, fmt.Errorf("the key for %s: %w", purpose, err)
	}
	return chacha20poly1305.NewX(sub)
}

// Seal closes a text for a purpose ([a-z0-9-], such as "totp") and binds it to where it belongs: the same bound bytes open it. It is an error
// to name no purpose, and never to seal nothing.
func (r *Ring) Seal(purpose string, plain, bound []byte) (string, error) {
	if !purposes.MatchString(purpose) {
		return "", fmt.Errorf("seal: %q is no purpose", purpose)
	}
	data := make([]byte, KeySize)
	_, _ = rand.Read(data) // never fails
	body, err := Close(data, plain, place(purpose, bound))
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", purpose, err)
	}
	return r.first().wrap(purpose, data, b64.EncodeToString(body))
}

// wrap puts the parts together.
func (k key) wrap(purpose string, data []byte, body string) (string, error) {
	w, err := k.wrapper(purpose)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, w.NonceSize(), w.NonceSize()+len(data)+w.Overhead())
	_, _ = rand.Read(nonce)
	wrapped := w.Seal(nonce, nonce, data, beside(k.id, purpose, body))
	return strings.Join([]string{version, k.id, purpose, b64.EncodeToString(wrapped), body}, "."), nil
}

// Unseal opens what Seal closed for the same purpose and place. Errors are ErrKey and ErrBroken; neither tells anything of the text.
func (r *Ring) Unseal(purpose, sealed string, bound []byte) ([]byte, error) {
	t, err := parse(sealed)
	if err != nil || t.purpose != purpose {
		return nil, fmt.Errorf("unseal %s: %w", purpose, ErrBroken)
	}
	data, _, err := r.unwrap(t)
	if err != nil {
		return nil, fmt.Errorf("unseal %s: %w", purpose, err)
	}
	body, err := b64.DecodeString(t.body)
	if err != nil {
		return nil, fmt.Errorf("unseal %s: %w", purpose, ErrBroken)
	}
	plain, err := Unclose(data, body, place(purpose, bound))
	if err != nil {
		return nil, fmt.Errorf("unseal %s: %w", purpose, ErrBroken)
	}
	return plain, nil
}

// Again seals a text with the ring's first key, where it was sealed with another one of the ring. It needs to know neither purpose nor
// place, and the text stays as long as it is. changed is false where there is nothing to do.
func (r *Ring) Again(sealed string) (again string, changed bool, err error) {
	t, err := parse(sealed)
	if err != nil {
		return "", false, fmt.Errorf("seal again: %w", ErrBroken)
	}
	if t.key == r.first().id {
		return sealed, false, nil
	}
	data, _, err := r.unwrap(t)
	if err != nil {
		return "", false, fmt.Errorf("seal again: %w", err)
	}
	again, err = r.first().wrap(t.purpose, data, t.body)
	return again, err == nil, err
}

// KeyOf tells the id of the key that sealed a text.
func KeyOf(sealed string) (string, error) {
	t, err := parse(sealed)
	return t.key, err
}

func (r *Ring) unwrap(t text) (data []byte, k key, err error) {
	k, ok := r.find(t.key)
	if !ok {
		return nil, k, fmt.Errorf("%w (key %s)", ErrKey, t.key)
	}
	w, err := k.wrapper(t.purpose)
	if err != nil {
		return nil, k, err
	}
	wrapped, err := b64.DecodeString(t.wrapped)
	if err != nil {
		return nil, k, ErrBroken
	}
	if data, err = openWith(w, wrapped, beside(k.id, t.purpose, t.body)); err != nil {
		return nil, k, ErrBroken
	}
	return data, k, nil
}

// text is a sealed text in its parts.
type text struct{ key, purpose, wrapped, body string }

func parse(sealed string) (text, error) {
	p := strings.Split(sealed, ".")
	if len(p) != 5 || p[0] != version || !purposes.MatchString(p[2]) {
		return text{}, ErrBroken
	}
	return text{p[1], p[2], p[3], p[4]}, nil
}

// place is what a body is bound to. The length of the purpose comes first, so that no two pairs are written alike.
func place(purpose string, bound []byte) []byte {
	out := binary.BigEndian.AppendUint32([]byte(version), uint32(len(purpose)))
	return append(append(out, purpose...), bound...)
}

// beside is what a wrap is bound to.
func beside(id, purpose, body string) []byte {
	sum := sha256.Sum256([]byte(body))
	return append([]byte(version+"."+id+"."+purpose+"."), sum[:]...)
}

// Close closes bytes with a key that the caller keeps, and binds them to where they belong.
func Close(key, plain, bound []byte) ([]byte, error) {
	c, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, c.NonceSize(), c.NonceSize()+len(plain)+c.Overhead())
	_, _ = rand.Read(nonce)
	return c.Seal(nonce, nonce, plain, bound), nil
}

// Unclose opens what Close closed with the key, in the same place; else ErrBroken.
func Unclose(key, body, bound []byte) ([]byte, error) {
	c, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	return openWith(c, body, bound)
}

func openWith(c cipher.AEAD, b, bound []byte) ([]byte, error) {
	if len(b) < c.NonceSize()+c.Overhead() {
		return nil, ErrBroken
	}
	plain, err := c.Open(nil, b[:c.NonceSize()], b[c.NonceSize():], bound)
	if err != nil {
		return nil, ErrBroken
	}
	return plain, nil
}
