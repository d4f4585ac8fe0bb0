package mqtt

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"kentongan/feeds/bounded"
)

// Claim is what a CONNECT says of its sender, and shows for it: a key, a certificate or both.
type Claim struct {
	Feed        string            // user name; empty: the certificate says it
	Key         string            // password; empty: none
	Certificate *x509.Certificate // verified by the handshake, with its time; nil: none
	From        string            // address of the client, without the port
	Agent       string            // what it speaks: "MQTT 3.1.1", "MQTT 5"
}

// Pass is what a sender may do.
type Pass struct {
	Feed   string
	Topics []string // filters that a topic must fall under, one of them, besides the feed's own; none: the feed's alone
	Shown  []string // names by which what it showed is taken back; none: never
	Owner  string   // of the session, where it is not all senders of the feed: another owner's session is never taken over
}

// Refusal is why a sender is not let in, where it may know: it has shown a certificate of ours.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return r.Reason }

// Unwrap says that it is denied.
func (r *Refusal) Unwrap() error { return ErrDenied }

// acl is what one sender may publish: topics under the feed's filter, and under one of its own where it has some.
type acl struct {
	feed string
	own  []string
}

// admits tells why a message may not be taken: nil where it may. This is the whole access control of a sender: what it publishes, what is
// sent again over another connection and its Will all meet it.
func (a acl) admits(topic string, size, max int) error {
	switch {
	case !published(topic):
		return &bounded.Fault{Code: "topic", Text: fmt.Sprintf("%.200q is no topic that a sender may publish to", topic)}
	case !Matches(a.feed, topic):
		return &bounded.Fault{Code: "topic", Text: fmt.Sprintf("topic %.200q is not under %s", topic, a.feed)}
	case len(a.own) > 0 && !slices.ContainsFunc(a.own, func(f string) bool { return Matches(f, topic) }):
		return &bounded.Fault{Code: "topic", Text: fmt.Sprintf("topic %.200q is not under %s", topic, strings.Join(a.own, ", "))}
	case size > max:
		return &bounded.Fault{Code: "size", Text: fmt.Sprintf("%d bytes on topic %.200q, more than %d", size, topic, max), Err: bounded.ErrTooLarge}
	}
	return nil
}

// published tells whether a text can be the topic of a message at all: no wildcard, and none of a broker's own.
func published(topic string) bool {
	return topic != "" && topic[0] != '$' && !strings.ContainsAny(topic, "+#\x00") && utf8.ValidString(topic)
}
