// Package audit is canonical records of every act, and the Merkle log over them.
//
// This part writes the records; the log over them builds on their bytes, so a record's canonical form never changes.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"kentongan/geo/moment"
)

// Anonymous is the actor of whoever has not said who they are.
const Anonymous = "anonymous"

// Actor is who acts: a person, a token, a rule or a feed.
type Actor struct {
	Subject string `json:"subject"` // stable and unique: user:…, token:…, rule:muka-air, feed:bmkg
	Name    string `json:"name"`
	Role    string `json:"role"`
	Agency  string `json:"agency"`
	Request string `json:"request,omitempty"` // id of the request that carried the act, may be empty
	// OnBehalf is whom the act is for, where that is somebody else: a crew whose step a desk enters by radio (unit:bpbd/trc-1).
	OnBehalf string `json:"on_behalf_of,omitempty"`
}

// Record is one act as it is kept for ever. The hashes are of the object's document as the store keeps it (HashOf), empty where there was or
// is none.
type Record struct {
	Seq        int64       `json:"seq"` // 1 and up, without gaps
	Time       moment.Time `json:"time"`
	Actor      string      `json:"actor"`
	Agency     string      `json:"agency"`
	Action     string      `json:"action"`                 // incident.acknowledged, alert.stored, session.opened …
	Object     string      `json:"object"`                 // incident:01J…, alert:01J…
	OnBehalf   string      `json:"on_behalf_of,omitempty"` // no part of the canonical form where it is empty
	BeforeHash string      `json:"before_hash"`
	AfterHash  string      `json:"after_hash"`
	Reason     string      `json:"reason"` // what a person wrote is kept apart (Words); here its hash
	Request    string      `json:"request"`
	ReasonHash string      `json:"reason_hash,omitempty"` // set by With, for readers; no part of the canonical form
}

// Canonical is the record's one form: a JSON object, keys in the order of their code points, no white space (as RFC 8785).
func (r Record) Canonical() []byte {
	head, tail := r.Frame()
	return append(strconv.AppendInt(head, r.Seq, 10), tail...)
}

// Frame is the canonical form before and after the sequence number, which only the store's step knows.
func (r Record) Frame() (head, tail []byte) {
	head, middle, tail := r.Parts()
	return append(append(head, r.BeforeHash...), middle...), tail
}

// Parts is the canonical form without its before_hash and its sequence number, which only the store's step knows: what stands before the
// one, between the two, and after the other.
func (r Record) Parts() (head, middle, tail []byte) {
	head = fields([]byte{'{'}, "action", r.Action, "actor", r.Actor, "after_hash", r.AfterHash, "agency", r.Agency)
	head = append(head, `,"before_hash":"`...)
	middle = fields([]byte(`",`), "object", r.Object)
	if r.OnBehalf != "" {
		middle = fields(append(middle, ','), "on_behalf_of", r.OnBehalf)
	}
	middle = append(fields(append(middle, ','), "reason", r.Reason, "request", r.Request), `,"seq":`...)
	tail = append(tail, `,"time":`...)
	if r.Time.IsZero() {
		tail = append(tail, "null"...)
	} else {
		tail = append(r.Time.Append(append(tail, '"')), '"')
	}
	return head, middle, append(tail, '}')
}

// fields appends names and their values, commas between them.
func fields(b []byte, named ...string) []byte {
	for i := 0; i < len(named); i += 2 {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(append(b, '"'), named[i]...), `":`...), text(named[i+1])...)
	}
	return b
}

// Parse reads a canonical record; bytes that are not exactly the canonical form are an error.
func Parse(b []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(b, &r); err != nil {
		return Record{}, fmt.Errorf("audit record: %w", err)
	}
	if !bytes.Equal(r.Canonical(), b) {
		return Record{}, fmt.Errorf("audit record %d is not in its canonical form", r.Seq)
	}
	return r, nil
}

// HashOf is "sha256:" and the hex digest of a document's bytes as the store keeps them, behind a salt and a zero byte where it has one.
func HashOf(document []byte, salt string) string {
	h := sha256.New()
	if salt != "" {
		h.Write([]byte(salt + "\x00"))
	}
	h.Write(document)
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Hash is "sha256:" and the hex digest of the object's canonical JSON: keys sorted, no white space, no HTML escapes. Nil gives "".
func Hash(object any) (string, error) {
	if object == nil {
		return "", nil
	}
	b, err := Canonical(object)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// Canonical writes any value as JSON with sorted keys, no white space, and numbers as they were first written.
func Canonical(object any) ([]byte, error) {
	b, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("canonical JSON of %T: %w", object, err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("canonical JSON of %T: %w", object, err)
	}
	return plain(tree)
}

// plain marshals without HTML escapes; maps come out with their keys sorted.
func plain(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

// text quotes a string, what is no UTF-8 in it as U+FFFD: written raw, so that what is read back is written the same again. A string always
// marshals.
func text(s string) []byte {
	if simple(s) {
		return append(append(append(make([]byte, 0, len(s)+2), '"'), s...), '"')
	}
	b, err := plain(strings.ToValidUTF8(s, "\uFFFD"))
	if err != nil {
		return []byte(`""`)
	}
	return b
}

// simple tells whether a string stands in JSON as it is: printable ASCII without quotes and backslashes.
func simple(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
