package runner

import (
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/transports/push"
)

// HMAC is how the senders of a push feed sign their deliveries. A right signature stands in the place of a key, for senders that cannot
// send one; where hmac is set, every delivery needs one. What is signed push.Signature says.
type HMAC struct {
	Header          string        `yaml:"header"` // default X-Hub-Signature-256
	Secret          Secret        `yaml:"secret"`
	SecretFile      string        `yaml:"secret_file"`      // read anew with each delivery
	Algorithm       string        `yaml:"algorithm"`        // sha256 (default) or sha1
	Encoding        string        `yaml:"encoding"`         // hex (default) or base64
	Prefix          *string       `yaml:"prefix"`           // before the signature; default the algorithm and "="
	TimestampHeader string        `yaml:"timestamp_header"` // a header with the time of sending; each signature counts once then
	MaxAge          time.Duration `yaml:"max_age"`          // with timestamp_header; default 5m
}

// Bounds of hmac.
const (
	shortestHMAC = 16 // bytes of a secret
	longestHMAC  = 24 * time.Hour
)

// withDefaults fills in what the entry leaves out.
func (h HMAC) withDefaults() HMAC {
	if h.Header == "" {
		h.Header = "X-Hub-Signature-256"
	}
	if h.Algorithm == "" {
		h.Algorithm = "sha256"
	}
	if h.Encoding == "" {
		h.Encoding = "hex"
	}
	if h.Prefix == nil {
		prefix := h.Algorithm + "="
		h.Prefix = &prefix
	}
	if h.MaxAge == 0 {
		h.MaxAge = 5 * time.Minute
	}
	return h
}

// signature is what the door of the feed checks.
func (h HMAC) signature() *push.Signature {
	h = h.withDefaults()
	return &push.Signature{Header: h.Header, Algorithm: h.Algorithm, Encoding: h.Encoding, Prefix: *h.Prefix, TimestampHeader: h.TimestampHeader, MaxAge: h.MaxAge,
		Secret: func() (string, error) { return h.Secret.orFile(h.SecretFile) }}
}

var (
	signatureHeader = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	signaturePrefix = regexp.MustCompile(`^[ -~]{0,64}$`)
)

// takenHeaders speak of who sends, how the body is packed or how long it is: none of them can be a signature.
var takenHeaders = []string{"Authorization", "X-Api-Key", "Content-Encoding", "Content-Length", "Content-Type", "Cookie", "Host", "Origin"}

// validatePush names what is wrong with the keys of a push feed.
func (c FeedConfig) validatePush() []error {
	if c.HMAC == nil {
		return nil
	}
	if c.Transport != Push {
		return []error{&ConfigError{"hmac", "only a feed with transport push has it"}}
	}
	var faults []error
	fault := func(bad bool, key, format string, args ...any) {
		if bad {
			faults = append(faults, &ConfigError{"hmac." + key, fmt.Sprintf(format, args...)})
		}
	}
	given, h := *c.HMAC, c.HMAC.withDefaults()
	badHeader := func(name string) bool {
		return !signatureHeader.MatchString(name) || slices.Contains(takenHeaders, textproto.CanonicalMIMEHeaderKey(name))
	}
	fault(badHeader(h.Header), "header", "%q: want the name of a header of its own", h.Header)
	fault(h.Secret == "" && h.SecretFile == "", "secret", "required, or secret_file")
	fault(h.Secret != "" && h.SecretFile != "", "secret_file", "is given beside secret; one of them is enough")
	fault(h.Secret != "" && len(h.Secret) < shortestHMAC, "secret", "has %d bytes; at least %d are needed", len(h.Secret), shortestHMAC)
	if h.SecretFile != "" {
		text, err := h.Secret.orFile(h.SecretFile)
		fault(err != nil, "secret_file", "%v", err)
		fault(err == nil && len(text) < shortestHMAC, "secret_file", "holds %d bytes; at least %d are needed", len(text), shortestHMAC)
	}
	fault(h.Algorithm != "sha256" && h.Algorithm != "sha1", "algorithm", "%q is none of sha256, sha1", h.Algorithm)
	fault(h.Encoding != "hex" && h.Encoding != "base64", "encoding", "%q is none of hex, base64", h.Encoding)
	fault(!signaturePrefix.MatchString(*h.Prefix), "prefix", "%q: want at most 64 letters, digits and signs of ASCII", *h.Prefix)
	fault(h.TimestampHeader != "" && badHeader(h.TimestampHeader), "timestamp_header", "%q: want the name of a header of its own", h.TimestampHeader)
	fault(strings.EqualFold(h.TimestampHeader, h.Header), "timestamp_header", "is the header of the signature")
	fault(given.MaxAge != 0 && h.TimestampHeader == "", "max_age", "only with timestamp_header, for nothing else says how old a delivery is")
	fault(h.MaxAge < time.Second || h.MaxAge > longestHMAC, "max_age", "%v: want 1s to %v", h.MaxAge, longestHMAC)
	return faults
}

// Door is what is special about pushing to a feed; the zero Door for a name that no push feed has.
func (r *Runner) Door(feed string) push.Door {
	in, ok := r.inlet(feed)
	if !ok || in.config.Transport != Push {
		return push.Door{}
	}
	return doorOf(in.config, in.format)
}

// doorOf makes the door of a feed from its settings and its format.
func doorOf(c FeedConfig, format feeds.Format) push.Door {
	var d push.Door
	if c.HMAC != nil {
		d.Signed = c.HMAC.signature()
	}
	if own, ok := format.(feeds.Replier); ok {
		reply := own.Reply()
		d.Reply = &reply
	}
	d.Headed, _ = format.(feeds.Headed)
	return d
}
