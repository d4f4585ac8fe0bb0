package privacy

import (
	"context"
	"slices"
	"strings"
	"time"

	"kentongan/geo/keyspace"
	"kentongan/server/access"
)

// Holding is one line of the data map: a class of data, where it is, who may read it, and how long it stays.
type Holding struct {
	Retained
	Where []KeyPlace    `json:"where"`
	Roles []access.Role `json:"read_by" doc:"Roles that may read some of it"`
}

// KeyPlace is a pattern of keys and what is under it.
type KeyPlace struct {
	Keys     string `json:"keys"`
	Value    string `json:"value"`
	Lifetime string `json:"lifetime"`
}

// Map is the data map.
func (r *Retention) Map(ctx context.Context) ([]Holding, error) {
	rules, err := r.Rules(ctx)
	if err != nil {
		return nil, err
	}
	var out []Holding
	for _, one := range rules {
		h := Holding{Retained: one, Where: []KeyPlace{}, Roles: readers(one.Read, r.now())}
		for _, row := range keyspace.Table {
			if slices.Contains(one.Nouns, noun(row)) {
				h.Where = append(h.Where, KeyPlace{row.Pattern, row.Value, row.Lifetime})
			}
		}
		out = append(out, h)
	}
	return out, nil
}

// noun of a row of the table: "kt:report:{J}:ID" is of report.
func noun(row keyspace.Row) string {
	parts := strings.SplitN(row.Pattern, ":", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}

// readers lists the roles that hold any of the rights.
func readers(actions []access.Action, now time.Time) []access.Role {
	out := []access.Role{}
	for _, role := range access.Roles() {
		may := func(g access.Grant) bool {
			s := access.Subject{ID: "user:x", Grants: []access.Grant{g}}
			return slices.ContainsFunc(actions, func(a access.Action) bool { return access.Can(s, a, access.Object{}, now).Level > access.None })
		}
		if may(access.Grant{Role: role}) || may(access.Grant{Role: role, Agency: "x"}) {
			out = append(out, role)
		}
	}
	return out
}
