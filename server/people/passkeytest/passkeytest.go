// Package passkeytest is an authenticator made of software, honest or not, for tests of passkeys.
package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// Flags of authenticator data (Web Authentication Level 3, section 6.1).
const (
	present  = 0x01
	verified = 0x04
	attested = 0x40
)

// Key is one passkey: ECDSA on P-256 with SHA-256 (COSE algorithm -7).
type Key struct {
	ID    []byte
	User  []byte // user handle; nil: it says none
	Count uint32 // of signatures; each answer counts on
	Step  uint32 // how far; 0: the counter stays, as with synced passkeys
	sign  *ecdsa.PrivateKey
}

// Answer is what the browser and the authenticator are about to say. A test changes it to lie.
type Answer struct {
	Type      string
	Challenge string
	Origin    string
	Cross     bool
	RPID      string
	Flags     byte
	Count     uint32
	User      []byte
	ID        []byte
	Signature func(by []byte) []byte // nil: as it is
}

// Lie changes an answer.
type Lie func(*Answer)

// options is what we read of the server's.
type options struct {
	Challenge string `json:"challenge"`
	RPID      string `json:"rpId"`
	RP        struct {
		ID string `json:"id"`
	} `json:"rp"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
}

func read(t testing.TB, publicKey any) options {
	t.Helper()
	text, err := json.Marshal(publicKey)
	if err != nil {
		t.Fatal(err)
	}
	var o options
	if err := json.Unmarshal(text, &o); err != nil || o.Challenge == "" {
		t.Fatalf("options: %v: %s", err, text)
	}
	return o
}

// Make makes a passkey as navigator.credentials.create does at an origin, and gives the credential's JSON.
func Make(t testing.TB, publicKey any, origin string, lies ...Lie) (*Key, []byte) {
	t.Helper()
	o := read(t, publicKey)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	user, err := base64.RawURLEncoding.DecodeString(o.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	k := &Key{ID: make([]byte, 32), User: user, Step: 1, sign: private}
	_, _ = rand.Read(k.ID)
	a := Answer{Type: "webauthn.create", Challenge: o.Challenge, Origin: origin, RPID: o.RP.ID, Flags: present | verified | attested, ID: k.ID}
	for _, lie := range lies {
		lie(&a)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	cose := encode(t, map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:65]})
	data := append(authenticatorData(a), make([]byte, 16)...) // no AAGUID
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.ID)))
	data = append(append(data, a.ID...), cose...)
	object := encode(t, map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	return k, credential(t, a.ID, map[string]any{"clientDataJSON": b64(clientData(t, a)), "attestationObject": b64(object), "transports": []string{"internal"}})
}

// Show answers a challenge as navigator.credentials.get does at an origin, and gives the credential's JSON.
func (k *Key) Show(t testing.TB, publicKey any, origin string, lies ...Lie) []byte {
	t.Helper()
	o := read(t, publicKey)
	k.Count += k.Step
	a := Answer{Type: "webauthn.get", Challenge: o.Challenge, Origin: origin, RPID: o.RPID, Flags: present | verified, Count: k.Count, User: k.User, ID: k.ID}
	for _, lie := range lies {
		lie(&a)
	}
	data, client := authenticatorData(a), clientData(t, a)
	sum := sha256.Sum256(client)
	sum = sha256.Sum256(append(append([]byte{}, data...), sum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.sign, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	if a.Signature != nil {
		signature = a.Signature(signature)
	}
	response := map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature)}
	if a.User != nil {
		response["userHandle"] = b64(a.User)
	}
	return credential(t, a.ID, response)
}

// Unverified is an authenticator that asked for no finger and no PIN.
func Unverified(a *Answer) { a.Flags &^= verified }

func authenticatorData(a Answer) []byte {
	rp := sha256.Sum256([]byte(a.RPID))
	return binary.BigEndian.AppendUint32(append(rp[:], a.Flags), a.Count)
}

func clientData(t testing.TB, a Answer) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"type": a.Type, "challenge": a.Challenge, "origin": a.Origin, "crossOrigin": a.Cross})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func credential(t testing.TB, id []byte, response map[string]any) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"id": b64(id), "rawId": b64(id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	mode, err := cbor.CTAP2EncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	text, err := mode.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
