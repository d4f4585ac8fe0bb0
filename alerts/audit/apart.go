package audit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"kentongan/geo/moment"
)

// apartMark begins the reason of a record whose words are kept apart.
const apartMark = "words:sha256:"

// Words are what a person wrote of an act. They stand apart from the record, which holds their salted hash only: erased, they leave the
// record and all that proves it as it was, and the hash cannot be tried against guesses, for the salt is gone with them.
type Words struct {
	Salt   string      `json:"salt"` // hex of 16 random bytes
	Text   string      `json:"text"`
	Object string      `json:"object"` // as in the record
	At     moment.Time `json:"at"`
}

// Hash is the hex digest that the record holds.
func (w Words) Hash() string {
	sum := sha256.Sum256([]byte(w.Salt + "\x00" + w.Text))
	return hex.EncodeToString(sum[:])
}

// Personal tells whether the reason of a record may hold a person's words or data: all but what rules, feeds and the house itself say, unless
// they name a report, which is of somebody else than whoever is shown the record.
func (r Record) Personal() bool {
	if r.Reason == "" || strings.HasPrefix(r.Reason, apartMark) {
		return false
	}
	kind, _, _ := strings.Cut(r.Actor, ":")
	return strings.Contains(r.Reason, "report:") || kind != "rule" && kind != "feed" && kind != "house"
}

// Apart takes the words out of a record.
func (r Record) Apart() (Record, Words) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	w := Words{hex.EncodeToString(salt), strings.ToValidUTF8(r.Reason, "\uFFFD"), strings.ToValidUTF8(r.Object, "\uFFFD"), r.Time}
	r.Reason = apartMark + w.Hash()
	return r, w
}

// WordsHash gives the hash of words that are kept apart; false where the record holds its reason itself.
func (r Record) WordsHash() (string, bool) { return strings.CutPrefix(r.Reason, apartMark) }

// With gives the record with its words, for people to read; false where they are not the words of this record. nil stands for words that
// were erased: the reason is empty then, and ReasonHash shows that there was one.
func (r Record) With(w *Words) (Record, bool) {
	hash, ok := r.WordsHash()
	if !ok || w != nil && w.Hash() != hash {
		return r, false
	}
	r.ReasonHash, r.Reason = "sha256:"+hash, ""
	if w != nil {
		r.Reason = w.Text
	}
	return r, true
}
