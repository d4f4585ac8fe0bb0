package keyspace

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"kentongan/geo"
)

// made calls every function of Keys once, and gives its key by its name.
func made(t *testing.T, k Keys) map[string]string {
	t.Helper()
	out := map[string]string{}
	v := reflect.ValueOf(k)
	for i := range v.NumMethod() {
		name := v.Type().Method(i).Name
		if name == "Shard" {
			continue // the name of a shard is a member of a set, no key
		}
		m := v.Method(i)
		args := make([]reflect.Value, m.Type().NumIn())
		for j := range args {
			switch in := m.Type().In(j); in {
			case reflect.TypeFor[string]():
				args[j] = reflect.ValueOf("some:thing")
			case reflect.TypeFor[geo.Cell]():
				args[j] = reflect.ValueOf(geo.Cell(0x8a2a1072b59ffff))
			default:
				t.Fatalf("%s takes a %v: teach this test to make one", name, in)
			}
		}
		out[name] = m.Call(args)[0].String()
	}
	return out
}

func TestEveryKeyIsInTheTableAndEveryRowIsMade(t *testing.T) {
	rows := map[string]string{}
	for name, key := range made(t, New("solok")) {
		row, ok := Known(key)
		if !ok {
			t.Errorf("%s makes %s, which is not in Table", name, key)
			continue
		}
		if other, taken := rows[row.Pattern]; taken {
			t.Errorf("%s and %s make keys of one row, %s", name, other, row.Pattern)
		}
		rows[row.Pattern] = name
	}
	for _, r := range Table {
		if rows[r.Pattern] == "" {
			t.Errorf("no function makes %s", r.Pattern)
		}
	}
}

func TestTableIsWhole(t *testing.T) {
	types := []string{"string", "hash", "set", "zset", "stream", "list", "channel"}
	for _, r := range Table {
		if !slices.Contains(types, r.Type) {
			t.Errorf("%s: type %q", r.Pattern, r.Type)
		}
		if r.Value == "" || r.Lifetime == "" || r.Writer == "" || r.Readers == "" {
			t.Errorf("%s: a column is empty", r.Pattern)
		}
		if strings.HasPrefix(r.Lifetime, "none") && !strings.Contains(r.Lifetime, ":") {
			t.Errorf("%s: a key without a lifetime needs a reason", r.Pattern)
		}
	}
}

func TestUnknownKeys(t *testing.T) {
	for _, k := range []string{
		"", "kt", "kt:", "kt:reading", "kt:reading:", "kt:reading:cell", "kt:reading:{}", "kt:reading:{x}:more", "kt:alert:{solok}", "kt:alert:{solok}:",
		"kt:epoch:x", "xx:epoch", "kt:session:", "kt:unheard:{solok}",
	} {
		if r, ok := Known(k); ok {
			t.Errorf("%q is taken for %s", k, r.Pattern)
		}
	}
}

func TestKeysOfOneScriptShareASlot(t *testing.T) {
	k := New("solok")
	for _, key := range []string{k.Alert("x"), k.Incident("x"), k.Case(), k.Audit(), k.Number("2026"), k.CaseOffset(), k.AuditSeq(), k.AlertKey("a{b}c"), k.Firing("r"),
		k.FiringRules(), k.RulesSeen(), k.Lease("feed:x"), k.Fence("feed:x"), k.Confirm()} {
		if open, end := strings.IndexByte(key, '{'), strings.IndexByte(key, '}'); open < 0 || key[open:end+1] != "{solok}" {
			t.Errorf("%s is not tagged by the jurisdiction", key)
		}
	}
	c := geo.Cell(0x8a2a1072b59ffff)
	tag := "{" + k.Shard(c) + "}"
	if !strings.HasSuffix(k.Readings(c), tag) || !strings.HasSuffix(k.Last(c), tag) {
		t.Errorf("%s and %s are not tagged by the shard %s", k.Readings(c), k.Last(c), tag)
	}
	if k.Readings(c) != k.Readings(c.Parent(geo.ResShard)) {
		t.Error("a cell and its shard have two streams")
	}
	if k.Shard(0) != "unplaced" {
		t.Errorf("Things without a place are in shard %q", k.Shard(0))
	}
}
