package seal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func ring(t *testing.T) *Ring {
	t.Helper()
	r, err := Open(filepath.Join(t.TempDir(), "deep", "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sealed(t *testing.T, r *Ring, purpose, plain, bound string) string {
	t.Helper()
	s, err := r.Seal(purpose, []byte(plain), []byte(bound))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatIsSealedOpensOnlyInItsPlace(t *testing.T) {
	r := ring(t)
	s := sealed(t, r, "totp", "JBSWY3DPEHPK3PXP", "person-1")
	if strings.Contains(s, "JBSW") || !Pattern.MatchString(s) || !Sealed(s) {
		t.Fatalf("%s", s)
	}
	if b, err := r.Unseal("totp", s, []byte("person-1")); err != nil || string(b) != "JBSWY3DPEHPK3PXP" {
		t.Fatalf("%q %v", b, err)
	}
	if again := sealed(t, r, "totp", "JBSWY3DPEHPK3PXP", "person-1"); again == s {
		t.Error("the same text is sealed alike: it can be told from another")
	}
	for name, c := range map[string]struct{ purpose, sealed, bound string }{
		"another person":     {"totp", s, "person-2"},
		"another purpose":    {"feed", s, "person-1"},
		"a purpose renamed":  {"feed", strings.Replace(s, ".totp.", ".feed.", 1), "person-1"},
		"length moved":       {"tot", strings.Replace(s, ".totp.", ".tot.", 1), "pperson-1"},
		"nothing":            {"totp", "", "person-1"},
		"the plain text":     {"totp", "JBSWY3DPEHPK3PXP", "person-1"},
		"cut":                {"totp", s[:len(s)-1], "person-1"},
		"longer":             {"totp", s + "A", "person-1"},
		"one letter":         {"totp", s[:len(s)-9] + flipped(s[len(s)-9]) + s[len(s)-8:], "person-1"},
		"the wrap of others": {"totp", swapped(s, sealed(t, r, "totp", "x", "person-1")), "person-1"},
	} {
		if b, err := r.Unseal(c.purpose, c.sealed, []byte(c.bound)); !errors.Is(err, ErrBroken) || b != nil {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	for _, purpose := range []string{"", "Totp", "a.b", strings.Repeat("a", 33)} {
		if _, err := r.Seal(purpose, nil, nil); err == nil {
			t.Errorf("purpose %q", purpose)
		}
	}
}

func flipped(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

// swapped gives the body of a with the wrap of b.
func swapped(a, b string) string {
	p, q := strings.Split(a, "."), strings.Split(b, ".")
	p[3] = q[3]
	return strings.Join(p, ".")
}

func TestAnotherFileDoesNotOpen(t *testing.T) {
	a, b := ring(t), ring(t)
	s := sealed(t, a, "totp", "x", "")
	if _, err := b.Unseal("totp", s, nil); !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), a.Mark()) {
		t.Errorf("%v", err)
	}
	if a.Mark() == b.Mark() || a.Holds(b.Mark()) || !a.Holds(a.Mark()) {
		t.Error("marks do not tell files apart")
	}
}

func TestTheFileIsForItsOwner(t *testing.T) {
	r := ring(t)
	info, err := os.Stat(r.Path())
	if err != nil || info.Mode().Perm() != 0o400 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	again, err := Open(r.Path())
	if err != nil || again.Mark() != r.Mark() {
		t.Fatalf("a second start has other keys: %v", err)
	}
	for _, mode := range []os.FileMode{0o440, 0o404, 0o420, 0o402, 0o410, 0o401, 0o644} {
		if err := os.Chmod(r.Path(), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(r.Path()); err == nil || !strings.Contains(err.Error(), "chmod 0400") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestFilesThatAreNoRing(t *testing.T) {
	const good = "kts1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	for name, body := range map[string]string{"empty": "", "remarks": "# x\n", "short": good[:40], "no prefix": good[5:], "zeros": "kts1_" + strings.Repeat("A", 43), "twice": good + "\n" + good,
		"a slip of the pen": good + "\nkts1_SECRET", "not canonical": good[:len(good)-1] + "9"} {
		path := filepath.Join(t.TempDir(), "k")
		if err := os.WriteFile(path, []byte(body), 0o400); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "AAEC") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRotation walks the way of a house with two servers: the new key is spread first, then it seals, then the old one goes.
func TestRotation(t *testing.T) {
	r := ring(t)
	other, err := Open(r.Path()) // another server with the same file
	if err != nil {
		t.Fatal(err)
	}
	old, s := r.Mark(), sealed(t, r, "reporter-key", "Budi", "r1")
	if err := r.Add(false); err != nil || r.Mark() != old || len(r.IDs()) != 2 {
		t.Fatalf("%v %v", r.IDs(), err)
	}
	if err := r.Promote(); err != nil || r.Mark() == old || !r.Holds(old) {
		t.Fatalf("%v %v", r.IDs(), err)
	}
	fresh := sealed(t, r, "reporter-key", "Siti", "r2")
	if b, err := other.Unseal("reporter-key", fresh, []byte("r2")); err != nil || string(b) != "Siti" {
		t.Fatalf("a server that runs does not take up the new key: %v", err)
	}
	again, changed, err := r.Again(s)
	if err != nil || !changed || again == s || len(again) != len(s) {
		t.Fatalf("%v %v", changed, err)
	}
	if k, err := KeyOf(again); err != nil || k != r.Mark() {
		t.Error("not sealed by the first key")
	}
	if b, err := r.Unseal("reporter-key", again, []byte("r1")); err != nil || string(b) != "Budi" {
		t.Fatalf("%q %v", b, err)
	}
	if same, changed, err := r.Again(again); changed || err != nil || same != again {
		t.Error("sealed once more for nothing")
	}
	if _, err := r.Unseal("reporter-key", again, []byte("r2")); !errors.Is(err, ErrBroken) {
		t.Error("the place is lost with rotation")
	}
	if err := r.Retire(); err != nil || r.Holds(old) {
		t.Fatal(err)
	}
	if _, err := r.Unseal("reporter-key", s, []byte("r1")); !errors.Is(err, ErrKey) {
		t.Errorf("%v", err)
	}
	body, _ := os.ReadFile(r.Path())
	if info, _ := os.Stat(r.Path()); info.Mode().Perm() != 0o400 || !bytes.HasPrefix(body, []byte("# Keys")) {
		t.Errorf("%v\n%s", info.Mode(), body)
	}
	if err := r.Add(true); err != nil || len(r.IDs()) != 2 {
		t.Fatal(err)
	}
}

func FuzzUnseal(f *testing.F) {
	r, err := Open(filepath.Join(f.TempDir(), "secret.key"))
	if err != nil {
		f.Fatal(err)
	}
	good, _ := r.Seal("totp", []byte("canary"), []byte("p"))
	f.Add(good, "totp", []byte("p"))
	f.Add("kts1."+r.Mark()+".totp.AAAA.AAAA", "totp", []byte("p"))
	f.Add("kts1....", "", []byte{})
	f.Fuzz(func(t *testing.T, s, purpose string, bound []byte) {
		plain, err := r.Unseal(purpose, s, bound)
		if err == nil != (s == good && purpose == "totp" && string(bound) == "p") {
			t.Fatalf("%q opened: %q", s, plain)
		}
		if _, changed, err := r.Again(s); err == nil && changed {
			t.Fatal("a ring of one key seals again")
		}
	})
}
