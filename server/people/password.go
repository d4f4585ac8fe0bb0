package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Cost is what one hash of a password takes (argon2id, RFC 9106).
type Cost struct {
	MemoryKiB uint32
	Time      uint32
	Threads   uint8
}

// DefaultCost is 47 MiB, one pass and one thread: about 80 ms here (OWASP's equal of 19 MiB with two passes).
func DefaultCost() Cost { return Cost{47 << 10, 1, 1} }

// Bounds of passwords and of checking them.
const (
	PasswordLeast = 12 // characters; no rule of what they must be
	passwordMost  = 256
	saltLength    = 16
	sumLength     = 32
	waitingMost   = 16 // checks that wait for their turn in one lane
	waitingTime   = 5 * time.Second
)

// ErrBusy means that too many passwords wait to be checked.
var ErrBusy = errors.New("too many passwords wait to be checked")

// Hasher makes and checks hashes of passwords, two at once at the most: one of browsers that are known, one of strangers, so that a flood of
// strangers' guesses does not keep anybody waiting who was here before. Safe for concurrent use.
type Hasher struct {
	cost            Cost
	known, stranger lane
	nobody          string // what a login that nobody has is held against
}

// lane lets one in at a time, and few wait.
type lane struct{ turn, room chan struct{} }

func newLane() lane { return lane{make(chan struct{}, 1), make(chan struct{}, waitingMost+1)} }

// enter waits for the turn. Errors: ErrBusy, the context's.
func (l lane) enter(ctx context.Context) (leave func(), err error) {
	select {
	case l.room <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	late := time.NewTimer(waitingTime)
	defer late.Stop()
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn; <-l.room }, nil
	case <-late.C:
		<-l.room
		return nil, ErrBusy
	case <-ctx.Done():
		<-l.room
		return nil, context.Cause(ctx)
	}
}

// NewHasher makes a Hasher whose new hashes have this cost.
func NewHasher(cost Cost) *Hasher {
	h := &Hasher{cost: cost, known: newLane(), stranger: newLane()}
	h.nobody = h.make(rand.Text(), draw(saltLength))
	return h
}

// Hash makes the hash of a password in PHC form. Errors: ErrBusy.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	leave, err := h.known.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return h.make(password, draw(saltLength)), nil
}

func (h *Hasher) make(password string, salt []byte) string {
	sum := argon2.IDKey([]byte(password), salt, h.cost.Time, h.cost.MemoryKiB, h.cost.Threads, sumLength)
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.MemoryKiB, h.cost.Time, h.cost.Threads, b.EncodeToString(salt), b.EncodeToString(sum))
}

// Verify holds a password against a hash; stale: it was right, and the hash should be made anew. An empty hash costs as much as a full one and
// is never right. known: the browser was here before. Errors: ErrBusy.
func (h *Hasher) Verify(ctx context.Context, phc, password string, known bool) (right, stale bool, err error) {
	l := h.stranger
	if known {
		l = h.known
	}
	leave, err := l.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer leave()
	nobody := phc == "" || len(password) > passwordMost
	if nobody {
		phc = h.nobody
	}
	cost, salt, sum, err := readPHC(phc)
	if err != nil {
		return false, false, err
	}
	given := argon2.IDKey([]byte(password), salt, cost.Time, cost.MemoryKiB, cost.Threads, uint32(len(sum)))
	right = subtle.ConstantTimeCompare(given, sum) == 1 && !nobody
	return right, right && cost != h.cost, nil
}

func readPHC(phc string) (c Cost, salt, sum []byte, err error) {
	parts := strings.Split(phc, "$")
	var version int
	if len(parts) != 6 || parts[1] != "argon2id" {
		return c, nil, nil, errors.New("the hash of a password is not argon2id in PHC form")
	}
	if _, err = fmt.Sscanf(parts[2], "v=%d", &version); err == nil {
		_, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKiB, &c.Time, &c.Threads)
	}
	if err == nil {
		salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	}
	if err == nil {
		sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || version != argon2.Version || c.Time == 0 || c.Threads == 0 || len(sum) < 16 || c.MemoryKiB > 1<<20 {
		return c, nil, nil, errors.New("the hash of a password cannot be read")
	}
	return c, salt, sum, nil
}

// CheckPassword names what a password may not be (NIST SP 800-63B, section 3.1.1.2): short, the account's own name, or among those that are
// tried first. Nothing is said of which characters it has. Errors: *Fault.
func CheckPassword(password string, p Person) error {
	switch {
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return &Fault{Field: "password", Reason: "is not readable text", Code: "type"}
	case utf8.RuneCountInString(password) < PasswordLeast:
		return &Fault{Field: "password", Reason: fmt.Sprintf("has less than %d characters", PasswordLeast), Code: "short", Limit: PasswordLeast}
	case len(password) > passwordMost:
		return &Fault{Field: "password", Reason: fmt.Sprintf("has more than %d bytes", passwordMost), Code: "long", Limit: passwordMost}
	case oneOrTwo(password):
		return &Fault{Field: "password", Reason: "is the same again and again", Code: "same"}
	case common(password):
		return &Fault{Field: "password", Reason: "is among those that are tried first", Code: "common"}
	case likeName(password, p):
		return &Fault{Field: "password", Reason: "is the name or login, or little more", Code: "name"}
	}
	return nil
}

// likeName tells a password that is the login or name with few characters more.
func likeName(password string, p Person) bool {
	given := squeeze(password)
	if len(given) < 4 { // another script
		return false
	}
	host, _, _ := strings.Cut(p.Login, "@")
	for _, own := range []string{p.Login, host, p.Name} {
		if own = squeeze(own); len(own) >= 4 && (strings.Contains(own, given) || strings.Contains(given, own) && len(given)-len(own) < 5) {
			return true
		}
	}
	return false
}

// oneOrTwo tells a password of one or two different characters.
func oneOrTwo(s string) bool {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen) < 3
}

// readable is base32 without letters that look like digits.
var readable = base32.NewEncoding("ABCDEFGHJKMNPQRSTVWXYZ0123456789").WithPadding(base32.NoPadding)

// ReadableCode draws a code of n random bytes in groups of four, for paper and for reading aloud.
func ReadableCode(n int) string {
	plain := readable.EncodeToString(draw(n))
	var b strings.Builder
	for i, r := range plain {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// PlainCode brings a code as people type it into the form in which it is hashed.
func PlainCode(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == ' ':
			return -1
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		switch r {
		case 'O':
			return '0'
		case 'I', 'L':
			return '1'
		case 'U':
			return 'V'
		}
		return r
	}, strings.TrimSpace(s))
}
