package people

import (
	"context"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/geo/moment"
	"kentongan/server/access"
)

// Visitor is who somebody is at a provider, and what its groups give them here.
type Visitor struct {
	External
	Login  string // what they are called there; a wish
	Name   string
	Lang   string
	Grants []access.Grant
}

// Arrive finds the account of a subject at an issuer, or makes one where the subject is given a role; what the provider gave before is
// replaced. Nothing else finds an account: a login or an address of e-mail that is alike is somebody else's. made tells that it is new.
// Errors: ErrNoPerson where there is no account and no role to make one for.
func (s *Store) Arrive(ctx context.Context, v Visitor) (out Person, made bool, err error) {
	err = s.alone(ctx, func(tx *redis.Tx) error {
		all, err := tx.HGetAll(ctx, s.keys.Person()).Result()
		if err != nil {
			return err
		}
		taken := map[string]bool{}
		out, made = Person{}, true
		for _, text := range all {
			p, err := read([]byte(text), nil)
			if err != nil {
				return err
			}
			taken[p.Login] = true
			if slices.Contains(p.External, v.External) {
				out, made = p, false
			}
		}
		now := moment.Of(s.now())
		if made {
			if len(v.Grants) == 0 {
				return ErrNoPerson
			}
			out = Person{V: 1, ID: ulid.Make().String(), Login: v.login(taken), Name: v.name(), Grants: []access.Grant{}, External: []External{v.External},
				CreatedAt: now, CreatedBy: v.Issuer}
			if v.Lang == "id" || v.Lang == "en" {
				out.Lang = v.Lang
			}
		}
		out.Provided = slices.DeleteFunc(slices.Clone(out.Provided), func(from Provided) bool { return from.Issuer == v.Issuer })
		if len(v.Grants) > 0 {
			out.Provided = append(out.Provided, Provided{v.Issuer, v.Grants})
		}
		if err := out.Validate(); err != nil {
			return err
		}
		out.Version, out.ChangedAt = out.Version+1, now
		return s.write(ctx, tx, out)
	})
	if err != nil {
		return Person{}, false, err
	}
	return out, made, nil
}

// login is the wish in the form of ours, or with a tail where another account has it.
func (v Visitor) login(taken map[string]bool) string {
	wish := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._@+-", r) {
			return r
		}
		return -1
	}, Login(v.Login))
	wish = strings.TrimLeft(wish, "._@+-")
	if len(wish) > 48 {
		wish = wish[:48]
	}
	if len(wish) < 2 {
		wish = "oidc"
	}
	tail := hashOf(v.Issuer + " " + v.Subject)
	if wish != "oidc" && !taken[wish] {
		return wish
	}
	n := 8
	for taken[wish+"-"+tail[:n]] && n < 14 {
		n++
	}
	return wish + "-" + tail[:n]
}

func (v Visitor) name() string {
	name := strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(v.Name, "")))
	if name == "" {
		name = strings.TrimSpace(v.Login)
	}
	for len(name) > 100 {
		name = name[:len(name)-1]
	}
	if name = strings.ToValidUTF8(name, ""); name == "" {
		return "?"
	}
	return name
}

// ByExternal gives the account of a subject at an issuer. Errors: as Get.
func (s *Store) ByExternal(ctx context.Context, e External) (Person, error) {
	all, err := s.List(ctx)
	if err != nil {
		return Person{}, err
	}
	for _, p := range all {
		if slices.Contains(p.External, e) {
			return p, nil
		}
	}
	return Person{}, ErrNoPerson
}
