package audit

import (
	"cmp"
	"strings"
)

// Watcher is who tells what is not as the log says.
const Watcher = "house:audit"

// Differs is the action of what is not as the log says; the object is store:KEY.
const Differs = "store.differs"

// Forged is the record of a document that was read and is not what its last record left, before an act makes a new one of it. Hashes are of
// the document, empty where there is or should be none.
func Forged(key, expected, found string) Record {
	return Record{Actor: Watcher, Action: Differs, Object: "store:" + key, Reason: "read: " + OrNothing(found) + " instead of " + OrNothing(expected)}
}

// OrNothing is a hash as people read it.
func OrNothing(hash string) string { return cmp.Or(hash, "nothing") }

// ReadForged takes such a record apart; false: it is another.
func ReadForged(r *Record) (key, expected, found string, ok bool) {
	if r.Actor != Watcher || r.Action != Differs {
		return "", "", "", false
	}
	key, ok = strings.CutPrefix(r.Object, "store:")
	text, read := strings.CutPrefix(r.Reason, "read: ")
	found, expected, both := strings.Cut(text, " instead of ")
	return key, some(expected), some(found), ok && read && both
}

func some(text string) string {
	if text == OrNothing("") {
		return ""
	}
	return text
}

// Held holds a document that is kept as a field, empty where there is none, against what its last record left beside it (salt:hash; empty: no
// record, or it went). based: every such document has had a record, so that one without is not by an act. False: it is not what was left.
func Held(stood, document string, based bool) (expected, found string, ok bool) {
	salt, expected, _ := strings.Cut(stood, ":")
	if document != "" {
		found = HashOf([]byte(document), salt)
	}
	return expected, found, found == expected || stood == "" && !based
}
