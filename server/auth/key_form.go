package auth

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"kentongan/geo/fault"
)

// Bounds of what a key may say.
const (
	keyRanges  = 64
	keyRate    = 1_000_000 // deliveries a minute
	keyLongest = 10 * 365 * 24 * time.Hour
)

// KeyMark says what somebody should look at.
type KeyMark string

// The marks of keys.
const (
	MarkNeverUsed   KeyMark = "never_used"   // a day old, and nobody has shown it
	MarkIdle        KeyMark = "idle"         // not shown for 90 days
	MarkOld         KeyMark = "old"          // of more than a year: time for the next one
	MarkExpiresSoon KeyMark = "expires_soon" // within two weeks
	MarkExpired     KeyMark = "expired"
)

var slug = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// check brings a new key into the form in which it is kept. A key with scope ingest names its feed or an agency, the others name no feed.
// Errors: *KeyFault.
func (k *Key) check(now time.Time) error {
	k.Name = strings.TrimSpace(k.Name)
	switch {
	case k.Name == "" || len(k.Name) > keyName:
		return fault.At("name", fault.Between, fault.Range{1, keyName}, "want 1 to %d bytes", keyName)
	case !slices.Contains(Scopes(), k.Scope):
		return fault.At("scope", fault.OneOf, fault.List(Scopes()), "%.40q is none of %v", k.Scope, Scopes())
	case k.Scope == ScopeIngest && k.Feed == "" && k.Agency == "":
		return fault.At("feed", fault.Missing, nil, "required with scope ingest, or an agency in its place")
	case k.Scope != ScopeIngest && k.Feed != "":
		return fault.At("feed", fault.Unasked, nil, "only a key with scope ingest has one")
	case k.Agency != "" && k.Scope != ScopeIngest && k.Scope != ScopeAutomation:
		return fault.At("agency", fault.Unasked, nil, "only a key that brings readings has one")
	case k.Agency != "" && !slug.MatchString(k.Agency):
		return fault.At("agency", fault.Form, "bpbd", "want a slug, such as bpbd")
	case k.Rate < 0 || k.Rate > keyRate:
		return fault.At("rate", fault.Between, fault.Range{0, keyRate}, "want 0 to %d deliveries a minute", keyRate)
	case k.Rate > 0 && k.Scope != ScopeIngest && k.Scope != ScopeAutomation:
		return fault.At("rate", fault.Unasked, nil, "only a key that brings readings has one")
	case !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now):
		return fault.At("expires_at", fault.Over, nil, "want a time to come, within ten years")
	case !k.ExpiresAt.IsZero() && k.ExpiresAt.Sub(now) > keyLongest:
		return fault.At("expires_at", fault.Far, nil, "want a time to come, within ten years")
	}
	_, ranges, err := readRanges(k.Ranges)
	if err != nil {
		return fault.At("ranges", fault.Form, "192.0.2.0/24", "%v", err)
	}
	k.Ranges = ranges
	return nil
}

// readRanges reads address ranges; an address alone is a range of one. It gives them also as they are kept.
func readRanges(texts []string) (nets []netip.Prefix, kept []string, err error) {
	if len(texts) > keyRanges {
		return nil, nil, fmt.Errorf("at most %d", keyRanges)
	}
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			ip, bad := netip.ParseAddr(text)
			if bad != nil || ip.Zone() != "" {
				return nil, nil, fmt.Errorf("%.60q is no range such as 192.0.2.0/24 or fd00::/8", text)
			}
			p = netip.PrefixFrom(ip, ip.BitLen())
		}
		if ip := p.Addr(); ip.Is4In6() { // clients' addresses are compared unmapped
			if p.Bits() < 96 {
				return nil, nil, fmt.Errorf("%.60q is no range such as 192.0.2.0/24 or fd00::/8", text)
			}
			p = netip.PrefixFrom(ip.Unmap(), p.Bits()-96)
		}
		nets, kept = append(nets, p.Masked()), append(kept, p.Masked().String())
	}
	return nets, kept, nil
}

// endedAt tells since when a key opens nothing; zero while it does.
func (k *Key) endedAt(now time.Time) time.Time {
	switch {
	case !k.RevokedAt.IsZero():
		return k.RevokedAt.Time
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt.Time):
		return k.ExpiresAt.Time
	}
	return time.Time{}
}

// shown is a key as a list has it.
func (k Key) shown(now time.Time) Key {
	k.Marks = []KeyMark{}
	if k.Ranges == nil {
		k.Ranges = []string{}
	}
	if !k.RevokedAt.IsZero() {
		return k
	}
	mark := func(is bool, m KeyMark) {
		if is {
			k.Marks = append(k.Marks, m)
		}
	}
	ended, used := !k.endedAt(now).IsZero(), k.LastUsedAt
	mark(ended, MarkExpired)
	mark(!ended && !k.ExpiresAt.IsZero() && k.ExpiresAt.Sub(now) < 14*24*time.Hour, MarkExpiresSoon)
	mark(!ended && used.IsZero() && now.Sub(k.CreatedAt.Time) >= 24*time.Hour, MarkNeverUsed)
	mark(!ended && !used.IsZero() && now.Sub(used.Time) > 90*24*time.Hour, MarkIdle)
	mark(!ended && now.Sub(k.CreatedAt.Time) > 365*24*time.Hour, MarkOld)
	return k
}

// says is what the audit log keeps of a new key.
func (k *Key) says() string {
	parts := []string{fmt.Sprintf("%q, scope %s", k.Name, k.Scope)}
	for _, p := range []struct {
		is   bool
		text string
	}{{k.Feed != "", "feed " + k.Feed}, {k.Agency != "", "agency " + k.Agency}, {len(k.Ranges) > 0, "from " + strings.Join(k.Ranges, " ")},
		{k.Rate > 0, fmt.Sprintf("%d a minute", k.Rate)}, {!k.ExpiresAt.IsZero(), "until " + k.ExpiresAt.String()}} {
		if p.is {
			parts = append(parts, p.text)
		}
	}
	return strings.Join(parts, ", ")
}
