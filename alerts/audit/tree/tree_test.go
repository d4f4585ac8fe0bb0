package tree

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// shelf is Tiles in memory: the widest of each level and index.
type shelf map[[2]int64][]byte

func (s shelf) put(written []WrittenTile) {
	for _, w := range written {
		at := [2]int64{int64(w.Level), w.Index}
		if len(w.Data) > len(s[at]) {
			s[at] = w.Data
		}
	}
}

func (s shelf) Tiles(_ context.Context, want []Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range want {
		data := s[[2]int64{int64(t.Level), t.Index}]
		if len(data) < t.Width*tlog.HashSize {
			return nil, fmt.Errorf("%s is not on the shelf", t.Path())
		}
		out = append(out, data[:t.Width*tlog.HashSize])
	}
	return out, nil
}

func leaf(i int) tlog.Hash { return tlog.RecordHash(fmt.Appendf(nil, "record %d", i)) }

// plain is the tree as RFC 6962 section 2.1 writes it down.
func plain(leaves []tlog.Hash) tlog.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(plain(leaves[:k]), plain(leaves[k:]))
}

// grown is a tree that grew in random steps, with its roots at each.
func grown(t *testing.T, size int) (shelf, []tlog.Tree, []tlog.Hash) {
	t.Helper()
	s, roots := shelf{}, []tlog.Tree{{N: 0, Hash: Empty()}}
	var leaves []tlog.Hash
	for len(leaves) < size {
		var add []tlog.Hash
		for range min(1+mrand.IntN(700), size-len(leaves)) {
			add = append(add, leaf(len(leaves)+len(add)))
		}
		written, root, err := Grow(t.Context(), int64(len(leaves)), add, s)
		if err != nil {
			t.Fatal(err)
		}
		s.put(written)
		leaves = append(leaves, add...)
		roots = append(roots, tlog.Tree{N: int64(len(leaves)), Hash: root})
	}
	return s, roots, leaves
}

func TestGrowMakesTheTreeOfRFC6962(t *testing.T) {
	s, roots, leaves := grown(t, 70_000)
	for i, r := range roots {
		if i%10 > 0 && i < len(roots)-1 {
			continue // each takes as many hashes as it has leaves
		}
		if want := plain(leaves[:r.N]); r.Hash != want {
			t.Fatalf("root at %d: %v, want %v", r.N, r.Hash, want)
		}
	}
	// C2SP tlog-tiles: 70,000 leaves are 273 full tiles and one of 112, one full and one of 17, and one of 1.
	for at, want := range map[[2]int64]int{{0, 272}: 256, {0, 273}: 112, {1, 0}: 256, {1, 1}: 17, {2, 0}: 1} {
		if got := len(s[at]) / tlog.HashSize; got != want {
			t.Errorf("level %d index %d has width %d, want %d", at[0], at[1], got, want)
		}
	}
	if len(s) != 273+1+2+1 {
		t.Errorf("%d tiles", len(s))
	}
	for _, size := range []int{0, 1, 2, 255, 256, 257, 511, 512, 65535, 65536, 65537} {
		var e Edge
		written := e.Append(leaves[:size])
		if e.Root() != plain(leaves[:size]) || e.Size() != int64(size) {
			t.Errorf("root at %d", size)
		}
		for _, w := range written {
			if len(w.Data) != w.Width*tlog.HashSize || w.Width < 1 || w.Width > Width {
				t.Errorf("size %d: %s of %d bytes", size, w.Path(), len(w.Data))
			}
		}
	}
}

func TestEdgeIsCheckedAgainstTheRoot(t *testing.T) {
	s, roots, _ := grown(t, 3000)
	last := roots[len(roots)-1]
	e, err := ReadEdge(t.Context(), last, s)
	if err != nil || e.Root() != last.Hash {
		t.Fatal(err)
	}
	s[[2]int64{0, 11}][5] ^= 1
	if _, err := ReadEdge(t.Context(), last, s); !errors.Is(err, ErrRoot) {
		t.Errorf("a changed tile was believed: %v", err)
	}
	delete(s, [2]int64{0, 11})
	if _, err := ReadEdge(t.Context(), last, s); err == nil {
		t.Error("a missing tile was not missed")
	}
}

func TestProofs(t *testing.T) {
	s, roots, leaves := grown(t, 70_000)
	for range 200 {
		at := roots[1+mrand.IntN(len(roots)-1)]
		index := mrand.Int64N(at.N)
		p, err := Prove(t.Context(), at, index, s)
		if err != nil {
			t.Fatal(err)
		}
		if err := Check(at, index, leaves[index], p); err != nil {
			t.Fatal(err)
		}
		if other := (index + 1) % at.N; other != index && (Check(at, other, leaves[index], p) == nil || Check(at, index, leaves[other], p) == nil) {
			t.Fatalf("the proof of %d of %d proves %d as well", index, at.N, other)
		}
		old := roots[mrand.IntN(len(roots))]
		if old.N > at.N {
			old, at = at, old
		}
		c, err := Consistent(t.Context(), old.N, at, s)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckConsistent(old, at, c); err != nil {
			t.Fatal(err)
		}
		old.Hash[3] ^= 1
		if CheckConsistent(old, at, c) == nil {
			t.Fatalf("another tree of %d begins that of %d", old.N, at.N)
		}
	}
	at := roots[len(roots)-1]
	for _, index := range []int64{-1, at.N} {
		if _, err := Prove(t.Context(), at, index, s); err == nil {
			t.Errorf("record %d was proven", index)
		}
	}
	s[[2]int64{0, 100}][9] ^= 1
	if _, err := Prove(t.Context(), at, 25_700, s); err == nil {
		t.Error("a changed tile was believed")
	}
}

func TestRangesGoOnFromPeaks(t *testing.T) {
	s, roots, leaves := grown(t, 20_000)
	at := roots[len(roots)-1]
	for range 50 {
		size := mrand.Int64N(at.N)
		peaks, err := Peaks(t.Context(), size, at, s)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewRange(size, peaks)
		if err != nil {
			t.Fatal(err)
		}
		n := min(at.N-size, 3000)
		more, err := Leaves(t.Context(), size, n, at, s)
		if err != nil {
			t.Fatal(err)
		}
		for i, leaf := range more {
			if leaf != leaves[size+int64(i)] {
				t.Fatalf("leaf %d", size+int64(i))
			}
			r.Append(leaf)
		}
		var e Edge
		e.Append(leaves[:r.Size()])
		if r.Root() != e.Root() {
			t.Fatalf("from %d to %d the roots differ", size, r.Size())
		}
	}
	if _, err := NewRange(3, nil); err == nil {
		t.Error("a tree of three without peaks")
	}
	if (&Range{}).Root() != Empty() {
		t.Error("root of nothing")
	}
	s[[2]int64{0, 3}][7] ^= 1
	if _, err := Leaves(t.Context(), 700, 600, at, s); err == nil {
		t.Error("a changed tile was believed")
	}
}

func TestTilePaths(t *testing.T) {
	for path, want := range map[string]Tile{
		"tile/0/000":                 {0, 0, 256},
		"tile/0/x001/x234/067":       {0, 1234067, 256},
		"tile/1/x001/x234/067.p/8":   {1, 1234067, 8},
		"tile/7/999.p/255":           {7, 999, 255},
		"tile/entries/x001/000.p/16": {Entries, 1000, 16},
	} {
		got, err := ParseTile(path)
		if err != nil || got != want || want.Path() != path {
			t.Errorf("%s: %+v, %v; written %s", path, got, err, want.Path())
		}
	}
	for _, bad := range []string{"", "tile", "tile/0", "tile/0/", "tile/00/000", "tile/8/000", "tile/-1/000", "tile/0/0", "tile/0/x000/001", "tile/0/1000", "tile/0/000.p/0",
		"tile/0/000.p/256", "tile/0/000.p/08", "tile/0/001/000", "tile/0/../key", "tile/0/000/", "tile/data/000", "tile/0/x1/x1/x1/x1/x1/x1/x1/000", "tile/0/+01"} {
		if got, err := ParseTile(bad); err == nil {
			t.Errorf("%q reads as %+v", bad, got)
		}
	}
}

func TestCheckpointOfTheSpecification(t *testing.T) {
	// The example of C2SP tlog-checkpoint.
	const text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" +
		"— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
	c, n, err := Peek([]byte(text))
	if err != nil || c.Origin != "example.com/behind-the-sofa" || c.Size != 20852163 || c.Text() != n.Text {
		t.Fatalf("%+v %v", c, err)
	}
	for _, bad := range []string{
		strings.Replace(text, "20852163", "020852163", 1), strings.Replace(text, "20852163", "-1", 1), strings.Replace(text, "q2I=", "q2J=", 1),
		strings.Replace(text, "example.com/behind-the-sofa\n", "example com\n", 1), strings.Replace(text, "20852163\n", "", 1),
	} {
		if _, _, err := Peek([]byte(bad)); err == nil {
			t.Errorf("read:\n%s", bad)
		}
	}
}

// keys are a log's and a witness's.
func keys(t *testing.T, origin string) (note.Signer, note.Verifier) {
	t.Helper()
	skey, vkey, err := NewKey(origin, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func TestCheckpointsAreSignedAndCosigned(t *testing.T) {
	signer, log := keys(t, "kota.example/audit")
	_, stranger := keys(t, "kota.example/audit")
	at := time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)
	skey, vkey, err := NewWitnessKey("ombudsman.example", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := NewCosigner(skey, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	if public, ok := Public(cosigner); !ok || public != vkey {
		t.Errorf("public key %q, want %q", public, vkey)
	}
	witness, err := NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	c := Checkpoint{"kota.example/audit", 0, Empty()}
	signed, err := Sign(c, signer)
	if err != nil {
		t.Fatal(err)
	}
	if got, n, err := Open(signed, log, witness); err != nil || got != c || len(n.Sigs) != 1 {
		t.Fatalf("%+v %v", got, err)
	}
	if _, _, err := Open(signed, stranger); !errors.Is(err, ErrUnsigned) {
		t.Errorf("opened by another key of the same name: %v", err)
	}
	if _, _, err := Open(signed, witness); !errors.Is(err, ErrUnsigned) {
		t.Errorf("opened by another name: %v", err)
	}

	both, err := note.Sign(&note.Note{Text: c.Text()}, cosigner)
	if err != nil {
		t.Fatal(err)
	}
	lines := both[len(c.Text())+1:]
	whole, err := Join(signed, lines, witness)
	if err != nil {
		t.Fatal(err)
	}
	_, n, err := Open(whole, log, witness)
	if err != nil || len(n.Sigs) != 2 {
		t.Fatalf("%v\n%s", err, whole)
	}
	if got, ok := SignedAt(n.Sigs[1]); !ok || !got.Equal(at) {
		t.Errorf("cosigned at %v", got)
	}
	if _, ok := SignedAt(n.Sigs[0]); ok {
		t.Error("the log's own signature tells a time")
	}
	if again, err := Join(whole, lines, witness); err != nil || !bytes.Equal(again, whole) {
		t.Errorf("joined twice: %v\n%s", err, again)
	}
	if again, err := Sign(c, signer, n.Sigs[1]); err != nil || !bytes.Equal(again, whole) {
		t.Errorf("%v\n%s", err, again)
	}
	if _, err := Join(signed, lines, stranger); err == nil {
		t.Error("a stranger's cosignature was joined")
	}
	forged := bytes.Replace(whole, []byte("\n0\n"), []byte("\n1\n"), 1)
	if _, _, err := Open(forged, log, witness); err == nil {
		t.Error("another size passes")
	}
	if _, err := Sign(Checkpoint{Origin: "other.example"}, signer); err == nil {
		t.Error("signed for another origin")
	}
	// A witness's key signs no checkpoints, and a log's key cosigns none.
	if _, err := note.NewSigner(skey); err == nil {
		t.Error("the key of a witness passes as that of a log")
	}
	logKey, _, _ := NewKey("a", rand.Reader)
	if _, err := NewCosigner(logKey, time.Now); err == nil {
		t.Error("the key of a log cosigns")
	}
	if _, err := NewVerifier(strings.Replace(vkey, "ombudsman", "ombudsmen", 1)); err == nil {
		t.Error("a key under another name passes")
	}
}

func TestCosignatureOfTheSpecification(t *testing.T) {
	// The signed message that C2SP tlog-cosignature shows.
	const body = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
	if got := string(statement(1679315147, []byte(body))); got != "cosignature/v1\ntime 1679315147\n"+body {
		t.Errorf("%q", got)
	}
}

func TestProofTexts(t *testing.T) {
	signer, log := keys(t, "kota.example/audit")
	s, roots, _ := grown(t, 5000)
	at := roots[len(roots)-1]
	signed, err := Sign(Checkpoint{"kota.example/audit", at.N, at.Hash}, signer)
	if err != nil {
		t.Fatal(err)
	}
	hashes, err := Prove(t.Context(), at, 1234, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, extra := range [][]byte{nil, []byte("record 1234")} {
		text := Proof{extra, 1234, hashes, signed}.Text()
		c, n, err := CheckProof([]byte("record 1234"), text, log)
		if err != nil || c.Size != at.N || len(n.Sigs) != 1 {
			t.Fatalf("%v\n%s", err, text)
		}
		if p, err := ParseProof(text); err != nil || !bytes.Equal(p.Text(), text) || !bytes.Equal(p.Extra, extra) {
			t.Errorf("%v\n%s", err, p.Text())
		}
		if _, _, err := CheckProof([]byte("record 1235"), text, log); err == nil {
			t.Error("another record is proven")
		}
		for i := range text {
			forged := bytes.Clone(text)
			forged[i] ^= 1
			p, err := ParseProof(forged)
			if err == nil && !bytes.Equal(p.Extra, extra) {
				continue // what rides along is not proven
			}
			if _, _, err := CheckProof([]byte("record 1234"), forged, log); err == nil {
				t.Fatalf("byte %d changed, and still a proof:\n%s", i, forged)
			}
		}
	}
}

func FuzzTexts(f *testing.F) {
	f.Add([]byte(proofHead + "\nindex 0\n\nx\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— x AAAAAAAA\n"))
	f.Add([]byte("tile/0/x001/000.p/8"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParseProof(b); err == nil && !bytes.Equal(p.Text(), b) && len(p.Extra) > 0 {
			t.Errorf("%q is written %q", b, p.Text())
		}
		if tile, err := ParseTile(string(b)); err == nil && tile.Path() != string(b) {
			t.Errorf("%q is written %q", b, tile.Path())
		}
		if c, n, err := Peek(b); err == nil && !strings.HasPrefix(n.Text, c.Text()) {
			t.Errorf("%q is written %q", n.Text, c.Text())
		}
	})
}
