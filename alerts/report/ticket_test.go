package report

import "testing"

func TestATicketIsReadAsItIsHeard(t *testing.T) {
	for range 200 {
		code := NewTicket()
		if got, ok := ReadTicket(code); !ok || got != code {
			t.Fatalf("%q is read as %q, %t", code, got, ok)
		}
	}
	for typed, want := range map[string]string{
		"k7m4q2xp": "K7M4-Q2XP", " K7M4 - Q2XP ": "K7M4-Q2XP", "o1il0000": "0111-0000",
		"": "", "K7M4-Q2X": "", "K7M4-Q2XPP": "", "K7M4-Q2XU": "", "K7M4-Q2X’": "", "K7M4Q2X\u202e": "",
	} {
		if got, ok := ReadTicket(typed); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %t, want %q", typed, got, ok, want)
		}
	}
}
