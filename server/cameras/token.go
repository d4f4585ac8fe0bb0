package cameras

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// mostAddress bounds an address within a playlist, in bytes: sealed it still is a path that everybody takes.
const mostAddress = 2048

// ErrNotNamed means that no playlist of this camera has named what was asked for.
var ErrNotNamed = errors.New("no playlist has named it")

// sealer makes names of addresses: nobody reads the address from the name, and nobody but us can make one. The same address has the same name,
// so that players know a segment again.
type sealer struct {
	aead  cipher.AEAD
	nonce []byte // key of nonces
}

// newSealer derives its keys from a secret that every server of the house has.
func newSealer(secret []byte) (*sealer, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "kentongan cameras: names of addresses", 64)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(key[:32])
	return &sealer{aead, key[32:]}, err
}

// name is how a browser asks for an address of a camera: "<sealed>.m3u8" of a playlist, "<sealed>.bin" of bytes.
func (s *sealer) name(camera, address string, list bool) (string, error) {
	if len(address) > mostAddress {
		return "", ErrNotNamed
	}
	ending := endings[list]
	mac := hmac.New(sha256.New, s.nonce)
	for _, part := range []string{camera, ending, address} {
		_, _ = mac.Write(append([]byte(part), 0)) // a hash takes everything
	}
	nonce := mac.Sum(nil)[:s.aead.NonceSize()] // of what is sealed: two texts under one nonce would need a collision
	sealed := s.aead.Seal(nonce, nonce, []byte(address), []byte(camera+"\x00"+ending))
	return base64.RawURLEncoding.EncodeToString(sealed) + ending, nil
}

var endings = map[bool]string{true: ".m3u8", false: ".bin"}

// address is what a name stands for, and whether it is a playlist. ErrNotNamed: we did not make this name for this camera.
func (s *sealer) address(camera, name string) (address string, list bool, err error) {
	for list, ending := range endings {
		text, found := strings.CutSuffix(name, ending)
		if !found {
			continue
		}
		sealed, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(sealed) < s.aead.NonceSize() {
			return "", false, ErrNotNamed
		}
		n := s.aead.NonceSize()
		plain, err := s.aead.Open(nil, sealed[:n], sealed[n:], []byte(camera+"\x00"+ending))
		if err != nil {
			return "", false, ErrNotNamed
		}
		return string(plain), list, nil
	}
	return "", false, ErrNotNamed
}
