package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/server/book"
	"kentongan/server/people"
)

// booked has an Auth whose changes and records are one step; needed replicas must confirm each.
func booked(t *testing.T, needed *int) *Auth {
	t.Helper()
	a, _, _ := setup(t, Config{PasswordCost: cheap})
	a.audit = func(ctx context.Context, act Act) error {
		return a.book.Write(ctx, a.rdb, func(p redis.Pipeliner) error { book.Note(p, act.Record()); return nil })
	}
	a.Book(book.New(a.rdb, a.keys, a.now, func() int { return *needed }))
	return a
}

// recorded gives the log.
func recorded(t *testing.T, a *Auth) (out []audit.Record) {
	t.Helper()
	list, err := a.rdb.XRange(t.Context(), a.keys.Audit(), "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		text, _ := e.Values["record"].(string)
		r, err := audit.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// acted gives the actions of the log, each with its actor and object.
func acted(t *testing.T, a *Auth) string {
	t.Helper()
	var out []string
	for _, r := range recorded(t, a) {
		out = append(out, r.Actor+" "+r.Action+" "+r.Object)
	}
	return strings.Join(out, "\n")
}

// TestARotationThatNobodyConfirmsLeavesTheOldKey asks for a replica that there is not.
func TestARotationThatNobodyConfirmsLeavesTheOldKey(t *testing.T) {
	needed := 0
	a := booked(t, &needed)
	old, token := a.make(t, Key{Name: "gateway", Feed: "awlr", Scope: ScopeIngest})
	needed = 1
	if _, got, err := a.RotateKey(t.Context(), old.ID, 0, Act{Actor: Admin()}); !errors.Is(err, book.ErrUnconfirmed) || got != "" {
		t.Fatalf("%q %v", got, err)
	}
	if _, got, err := a.MakeKey(t.Context(), Key{Name: "n", Feed: "awlr", Scope: ScopeIngest}, Act{Actor: Admin()}); !errors.Is(err, book.ErrUnconfirmed) || got != "" {
		t.Fatalf("%q %v", got, err)
	}
	needed = 0
	if _, err := a.FeedKey(t.Context(), "awlr", token, ""); err != nil {
		t.Errorf("the old key is gone: %v", err)
	}
	if list, err := a.Keys(t.Context()); err != nil || len(list) != 1 || list[0].ID != old.ID || list[0].ReplacedBy != "" || !list[0].ExpiresAt.IsZero() {
		t.Errorf("%+v, %v", list, err)
	}
	next, token, err := a.RotateKey(t.Context(), old.ID, 0, Act{Actor: Admin()})
	if err != nil {
		t.Fatalf("again: %v", err)
	}
	if _, err := a.FeedKey(t.Context(), "awlr", token, ""); err != nil {
		t.Errorf("the next key: %v", err)
	}
	if got := acted(t, a); !strings.HasSuffix(got, "user:admin key.made key:"+next.ID+"\nuser:admin key.rotated key:"+old.ID) {
		t.Errorf("the log: %s", got)
	}
}

// lost has the answer to a step that names an action get lost: it is written, and its caller hears of a timeout.
type lost struct{ action string }

func (l *lost) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *lost) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (l *lost) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		for _, c := range cmds {
			if l.action != "" && strings.Contains(fmt.Sprintf("%s", c.Args()), `"`+l.action+`"`) {
				l.action = ""
				return context.DeadlineExceeded
			}
		}
		return err
	}
}

// TestARotationWhoseAnswerIsLostLeavesTheOldKey has the answer to each of its steps get lost.
func TestARotationWhoseAnswerIsLostLeavesTheOldKey(t *testing.T) {
	for _, action := range []string{"key.made", "key.rotated"} {
		needed := 0
		a := booked(t, &needed)
		old, token := a.make(t, Key{Name: "gateway", Feed: "awlr", Scope: ScopeIngest})
		l := &lost{action}
		a.rdb.AddHook(l)
		if _, got, err := a.RotateKey(t.Context(), old.ID, 0, Act{Actor: Admin()}); !errors.Is(err, ErrUnavailable) || got != "" || l.action != "" {
			t.Fatalf("%s: %q %v", action, got, err)
		}
		if _, err := a.FeedKey(t.Context(), "awlr", token, ""); err != nil {
			t.Errorf("%s: the old key is gone: %v", action, err)
		}
		if list, err := a.Keys(t.Context()); err != nil || len(list) != 1 || list[0].ID != old.ID || list[0].ReplacedBy != "" || !list[0].ExpiresAt.IsZero() {
			t.Errorf("%s: %+v, %v", action, list, err)
		}
	}
}

// TestAPasswordByLinkIsItsHoldersAct redeems a code that somebody else has made.
func TestAPasswordByLinkIsItsHoldersAct(t *testing.T) {
	needed := 0
	a := booked(t, &needed)
	p := somebody(t, a, "sari", func(*people.Person) {})
	code, _, err := a.ResetCode(t.Context(), p, false, "user:witness", "Pak Rahman")
	if err != nil {
		t.Fatal(err)
	}
	before := len(recorded(t, a))
	if _, err := a.Redeem(t.Context(), from("192.0.2.44"), code, "empat perahu di danau singkarak"); err != nil {
		t.Fatal(err)
	}
	got := recorded(t, a)[before:]
	if len(got) != 1 || got[0].Actor != "user:"+p.ID || got[0].Action != "password.changed" || got[0].Object != "person:"+p.ID || got[0].BeforeHash == "" || got[0].AfterHash == "" {
		t.Errorf("%+v", got)
	}
}

// TestSessionsBeginAndEndInOneStepWithTheirRecords holds every session that ends against the log.
func TestSessionsBeginAndEndInOneStepWithTheirRecords(t *testing.T) {
	needed := 0
	a := booked(t, &needed)
	p := somebody(t, a, "sari", func(*people.Person) {})
	before := len(recorded(t, a))
	open := func(o Opening, cookie string) (Identity, string, error) {
		r := from("192.0.2.1")
		if cookie != "" {
			r.AddCookie(a.Cookie(r, cookie))
		}
		return a.OpenFor(t.Context(), r, p, "password", o)
	}
	first, one, err := open(Opening{}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := open(Opening{Factor: "totp", Replaces: true}, one); err != nil {
		t.Fatal(err)
	}
	second, two, err := open(Opening{}, "")
	if err != nil {
		t.Fatal(err)
	}
	third, _, err := open(Opening{}, two) // another one in the same browser
	if err != nil {
		t.Fatal(err)
	}
	if err := a.EndSession(t.Context(), "user:"+p.ID, third.SessionID, Act{Actor: Admin()}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is none
		if err := a.EndPerson(t.Context(), p.ID, "", Act{Actor: Admin()}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, r := range recorded(t, a)[before:] {
		got = append(got, r.Actor+" "+r.Action+" "+r.Object)
	}
	me, f, s, th := "user:"+p.ID+" session.", " session:"+first.SessionID, " session:"+second.SessionID, " session:"+third.SessionID
	want := []string{me + "opened" + f, me + "elevated" + f, me + "opened" + s, me + "opened" + th, me + "ended" + s, "user:admin session.ended" + th, "user:admin session.ended" + f}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestASessionThatWasTakenBackWasNeverOpened elevates a session that somebody ends at that moment.
func TestASessionThatWasTakenBackWasNeverOpened(t *testing.T) {
	needed := 0
	a := booked(t, &needed)
	p := somebody(t, a, "sari", func(*people.Person) {})
	_, one, err := a.OpenFor(t.Context(), from("192.0.2.1"), p, "password", Opening{})
	if err != nil {
		t.Fatal(err)
	}
	r := from("192.0.2.1")
	r.AddCookie(a.Cookie(r, one))
	old, carried, err := a.carried(t.Context(), r)
	if err != nil || !carried {
		t.Fatal(err)
	}
	if err := a.EndPerson(t.Context(), p.ID, "", Act{Actor: Admin()}); err != nil {
		t.Fatal(err)
	}
	before := acted(t, a)
	if _, err := a.begin(t.Context(), old, Act{Action: "session.elevated"}, a.replaced(r, old, true, true)); !errors.Is(err, ErrDenied) {
		t.Errorf("%v", err)
	}
	if got := acted(t, a); got != before {
		t.Errorf("the log: %s", got)
	}
	if n := a.rdb.ZCard(t.Context(), a.keys.Sessions("user:"+p.ID)).Val(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// TestASignInThatNobodyConfirmsLeavesNoSession signs in again in one browser, and asks for a replica that there is not.
func TestASignInThatNobodyConfirmsLeavesNoSession(t *testing.T) {
	for _, replaces := range []bool{false, true} {
		needed := 0
		a := booked(t, &needed)
		p := somebody(t, a, "sari", func(*people.Person) {})
		first, one, err := a.OpenFor(t.Context(), from("192.0.2.1"), p, "password", Opening{})
		if err != nil {
			t.Fatal(err)
		}
		ended := told(a)
		needed = 1
		r := from("192.0.2.1")
		r.AddCookie(a.Cookie(r, one))
		if _, got, err := a.OpenFor(t.Context(), r, p, "password", Opening{Replaces: replaces}); !errors.Is(err, ErrUnavailable) || !errors.Is(err, book.ErrUnconfirmed) || got != "" {
			t.Fatalf("%q %v", got, err)
		}
		if len(*ended) != 2 || (*ended)[0] != (toldEnd{first.Session, replaces}) || (*ended)[1].goesOn {
			t.Errorf("told %v", *ended)
		}
		if n := a.rdb.ZCard(t.Context(), a.keys.Sessions("user:"+p.ID)).Val(); n != 0 {
			t.Errorf("%d sessions", n)
		}
	}
}
