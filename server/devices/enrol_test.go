package devices

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/geo/keyspace"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/book"
)

func TestAWallIsLetInByCode(t *testing.T) {
	a, b, c, l := pair(t)
	given := wall(t, a, b)
	if given.Certificate != "" || !strings.HasPrefix(given.Cookie, "kd_"+given.Device.ID+"_") {
		t.Errorf("%+v", given)
	}
	for _, server := range []*Store{a, b} {
		d, err := server.Shown(t.Context(), given.Cookie)
		if err != nil || d.Screen != "north-1" || d.Who.ID != "wall:"+d.ID || len(d.Who.Grants) != 1 || d.Who.Grants[0].Role != access.Wall {
			t.Fatalf("%+v %v", d, err)
		}
		if rights := access.Rights(d.Who, c.now()); slices.Contains(rights, access.ActIncidents) || slices.Contains(rights, access.ReadReports) || !slices.Contains(rights, access.ReadThings) {
			t.Errorf("a wall may %v", rights)
		}
	}
	id := "device:" + given.Device.ID
	if !l.has("device.approved", id) || !l.has("device.enrolled", id) || strings.Contains(fmt.Sprint(l.acts), given.Cookie[30:]) {
		t.Errorf("audit: %+v", l.acts)
	}
	doc := a.Redis.HGet(t.Context(), a.Keys.Device(), given.Device.ID).Val()
	if doc == "" || strings.Contains(doc, given.Cookie[30:]) {
		t.Errorf("the store holds %s", doc)
	}
	for _, bad := range []string{"", "kd_", given.Cookie + "A", given.Cookie[:len(given.Cookie)-1], "ke" + given.Cookie[2:], "kd_" + strings.Repeat("0", 26) + given.Cookie[29:], given.Cookie[:29] + "_" + strings.Repeat("A", 43)} {
		if _, err := a.Shown(t.Context(), bad); !errors.Is(err, auth.ErrDenied) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestGrantsFitTheirKind(t *testing.T) {
	filter := func(feed string) (string, bool) { return "awlr/+/up", feed == "awlr" }
	for name, c := range map[string]struct {
		kind  Kind
		grant Grant
		field string // at fault; empty: none
	}{
		"wall":                      {Wall, Grant{Name: "n", Screen: "north-1"}, ""},
		"wall without a screen":     {Wall, Grant{Name: "n"}, "screen"},
		"wall without a name":       {Wall, Grant{Screen: "north-1"}, "name"},
		"a screen that is none":     {Wall, Grant{Name: "n", Screen: "../x"}, "screen"},
		"a wall with a feed":        {Wall, Grant{Name: "n", Screen: "a", Feed: "awlr"}, "feed"},
		"field by unit":             {Field, Grant{Name: "n", Unit: "bpbd/trc-1"}, ""},
		"field by person":           {Field, Grant{Name: "n", Person: "rani"}, ""},
		"field of both":             {Field, Grant{Name: "n", Person: "rani", Unit: "bpbd/trc-1"}, "unit"},
		"field of nobody":           {Field, Grant{Name: "n"}, "unit"},
		"a unit that is none":       {Field, Grant{Name: "n", Unit: "trc-1"}, "unit"},
		"gateway":                   {Broker, Grant{Name: "n", Feed: "awlr", Topics: []string{"awlr/7/up"}}, ""},
		"gateway of all":            {Broker, Grant{Name: "n", Feed: "awlr"}, ""},
		"gateway of no feed":        {Broker, Grant{Name: "n"}, "feed"},
		"gateway of another's":      {Broker, Grant{Name: "n", Feed: "lapor"}, "feed"},
		"topics beyond the feed":    {Broker, Grant{Name: "n", Feed: "awlr", Topics: []string{"awlr/#"}}, "topics"},
		"topics of another":         {Broker, Grant{Name: "n", Feed: "awlr", Topics: []string{"siren/7/up"}}, "topics"},
		"topics of the broker":      {Broker, Grant{Name: "n", Feed: "awlr", Topics: []string{"$SYS/#"}}, "topics"},
		"topics shared":             {Broker, Grant{Name: "n", Feed: "awlr", Topics: []string{"$share/g/awlr/7/up"}}, "topics"},
		"every topic":               {Broker, Grant{Name: "n", Feed: "awlr", Topics: []string{"#"}}, "topics"},
		"too many topics":           {Broker, Grant{Name: "n", Feed: "awlr", Topics: slices.Repeat([]string{"awlr/7/up"}, 21)}, "topics"},
		"something else altogether": {"toaster", Grant{Name: "n"}, "kind"},
	} {
		err := c.grant.check(c.kind, filter)
		var f *Fault
		if c.field == "" && err != nil || c.field != "" && (!errors.As(err, &f) || f.Field != c.field) {
			t.Errorf("%s: %v, want a fault of %q", name, err, c.field)
		}
	}
}

func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	for range 500 {
		code, err := newCode()
		if err != nil || len(code) != 9 || code[4] != '-' || strings.ContainsAny(code, "01OILSZAEU25") || seen[code] {
			t.Fatalf("%s %v", code, err)
		}
		seen[code] = true
		if text, ok := plainCode(" " + strings.ToLower(code[:4]) + " " + code[5:]); !ok || text != code[:4]+code[5:] {
			t.Errorf("%s is read as %s", code, text)
		}
	}
	for _, bad := range []string{"", "KBTQ-93R", "KBTQ-93RFF", "KBTQ-93R1", "KBTQ-93RO", "ＫＢＴＱ-93RF"} {
		if _, ok := plainCode(bad); ok {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestWrongCodesAreCounted(t *testing.T) {
	a, b, c, l := pair(t)
	asked, err := a.Ask(t.Context(), Asking{Kind: Wall, From: "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		code, _ := newCode()
		if _, err := []*Store{a, b}[i%2].Approve(t.Context(), code, wallGrant(), admin); !errors.Is(err, ErrNoCode) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	if _, err := a.Approve(t.Context(), asked.Code, wallGrant(), admin); !errors.Is(err, ErrTries) {
		t.Errorf("the eleventh: %v", err)
	}
	other := auth.Act{Actor: auth.Identity{Subject: "user:other"}}
	if _, err := a.Approve(t.Context(), asked.Code, Grant{Name: "n"}, other); err == nil {
		t.Error("a wall without a screen")
	}
	if _, err := a.Approve(t.Context(), asked.Code, wallGrant(), other); err != nil {
		t.Errorf("another administrator: %v", err)
	}
	if _, err := b.Approve(t.Context(), asked.Code, wallGrant(), other); !errors.Is(err, ErrNoCode) {
		t.Errorf("twice: %v", err)
	}
	if !l.has("device.denied", "device:code") {
		t.Error("wrong codes are not audited")
	}
	c.advance(keyspace.DeviceCodeLife)
	if _, err := a.Poll(t.Context(), asked.Poll, auth.Act{}); !errors.Is(err, ErrGone) {
		t.Errorf("after ten minutes: %v", err)
	}
	if list, err := a.List(t.Context(), ""); err != nil || len(list) != 1 || !list[0].EnrolledAt.IsZero() {
		t.Errorf("%+v %v", list, err)
	}
}

func TestHowManyMayAsk(t *testing.T) {
	a, _, c, _ := pair(t)
	ask := func(from string) error {
		_, err := a.Ask(t.Context(), Asking{Kind: Wall, From: from})
		return err
	}
	for i := range mostFrom {
		if err := ask("192.0.2.7"); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := ask("192.0.2.7"); !errors.Is(err, ErrPending) {
		t.Errorf("one more from one address: %v", err)
	}
	for i := range mostPending - mostFrom {
		if err := ask(fmt.Sprintf("198.51.100.%d", i)); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := ask("203.0.113.1"); !errors.Is(err, ErrPending) {
		t.Errorf("one more: %v", err)
	}
	c.advance(keyspace.DeviceCodeLife)
	if err := ask("203.0.113.1"); err != nil {
		t.Errorf("ten minutes later: %v", err)
	}
	if n := a.Redis.HLen(t.Context(), a.Keys.DevicePending()).Val(); n != 1 {
		t.Errorf("%d are still kept", n)
	}
	for _, ask := range []Asking{{Kind: "toaster"}, {Kind: Wall, Name: strings.Repeat("n", 101)}, {Kind: Wall, Request: "x"}, {Kind: Broker}} {
		if _, err := a.Ask(t.Context(), ask); err == nil {
			t.Errorf("%+v is taken", ask)
		}
	}
}

func TestATokenLetsInOnce(t *testing.T) {
	a, b, c, l := pair(t)
	d, token, err := a.Invite(t.Context(), Field, Grant{Name: "phone of TRC 1", Unit: "bpbd/trc-1"}, admin)
	if err != nil {
		t.Fatal(err)
	}
	if !l.has("device.invited", "device:"+d.ID) || !d.EnrolledAt.IsZero() {
		t.Errorf("%+v", d)
	}
	if _, err := a.Shown(t.Context(), "kd"+token[2:]); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("the token as a cookie: %v", err)
	}
	var in atomic.Int32
	var given atomic.Pointer[Given]
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			got, err := []*Store{a, b}[i%2].Redeem(context.Background(), token, "", auth.Act{})
			if err == nil {
				in.Add(1)
				given.Store(&got)
			} else if !errors.Is(err, ErrGone) && !errors.Is(err, auth.ErrUnavailable) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Fatalf("%d came in by one token", in.Load())
	}
	got, err := a.Shown(t.Context(), given.Load().Cookie)
	if err != nil || got.Who.Unit != "bpbd/trc-1" || len(got.Who.Grants) != 1 || got.Who.Grants[0].Agency != "bpbd" {
		t.Errorf("%+v %v", got, err)
	}
	_, late, err := a.Invite(t.Context(), Wall, wallGrant(), admin)
	if err != nil {
		t.Fatal(err)
	}
	c.advance(TokenLife)
	for _, bad := range []string{late, token, "", "ke_x", token + "x"} {
		if _, err := b.Redeem(t.Context(), bad, "", auth.Act{}); !errors.Is(err, ErrGone) {
			t.Errorf("%.10s: %v", bad, err)
		}
	}
}

func TestAnEnrolmentThatLeavesNoTraceIsUndone(t *testing.T) {
	a, _, _, l := pair(t)
	l.full = true
	if _, token, err := a.Invite(t.Context(), Wall, wallGrant(), admin); !errors.Is(err, auth.ErrUnavailable) || token != "" {
		t.Errorf("%q %v", token, err)
	}
	if list, err := a.List(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}

// TestARenamingIsRecordedAsOne looks what the log says of it.
func TestARenamingIsRecordedAsOne(t *testing.T) {
	a, b, _, _ := pair(t)
	given := wall(t, a, b)
	a.Book = book.New(a.Redis, a.Keys, a.Now, nil)
	name, screen := "south wall", "south-1"
	nothing := func(Device, *redis.Tx) (func(redis.Pipeliner) error, error) {
		return func(redis.Pipeliner) error { return nil }, nil
	}
	if err := a.Rename(t.Context(), given.Device.ID, &name, &screen, auth.Act{Actor: auth.Admin()}, nothing); err != nil {
		t.Fatal(err)
	}
	list, err := a.Redis.XRange(t.Context(), a.Keys.Audit(), "-", "+").Result()
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	text, _ := list[0].Values["record"].(string)
	r, err := audit.Parse([]byte(text))
	if err != nil || r.Action != "device.renamed" || r.Actor != "user:admin" || r.Object != "device:"+given.Device.ID || r.AfterHash == "" {
		t.Errorf("%+v, %v", r, err)
	}
}
