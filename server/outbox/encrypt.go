package outbox

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"kentongan/alerts/notify"
)

const (
	recordSize  = 4096
	mostPayload = recordSize - 103 // bytes: what every push service takes (RFC 8030 section 7.2), less header, delimiter and tag
)

// encrypt closes a payload so that only the browser reads it (RFC 8291, aes128gcm of RFC 8188).
func encrypt(s *notify.Subscription, payload []byte) ([]byte, error) {
	ours, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of a push: %w", err)
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("salt of a push: %w", err)
	}
	return encryptWith(s, payload, ours, salt)
}

func encryptWith(s *notify.Subscription, payload []byte, ours *ecdh.PrivateKey, salt []byte) ([]byte, error) {
	if len(payload) > mostPayload {
		return nil, fmt.Errorf("a push of %d bytes: at most %d", len(payload), mostPayload)
	}
	theirs, err := s.Key()
	if err != nil {
		return nil, err
	}
	secret, err := s.Secret()
	if err != nil {
		return nil, err
	}
	shared, err := ours.ECDH(theirs)
	if err != nil {
		return nil, fmt.Errorf("key of a push: %w", err)
	}
	public := ours.PublicKey().Bytes()
	info := "WebPush: info\x00" + string(theirs.Bytes()) + string(public)
	ikm, err := hkdf.Key(sha256.New, shared, secret, info, 32)
	if err != nil {
		return nil, fmt.Errorf("key of a push: %w", err)
	}
	key, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, fmt.Errorf("key of a push: %w", err)
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, fmt.Errorf("nonce of a push: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("cipher of a push: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("cipher of a push: %w", err)
	}
	out := binary.BigEndian.AppendUint32(append([]byte{}, salt...), recordSize)
	out = append(append(out, byte(len(public))), public...)
	return gcm.Seal(out, nonce, append(append([]byte{}, payload...), 2), nil), nil // 2: the last record
}
