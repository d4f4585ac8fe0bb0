package verify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/audit/tree"
	"kentongan/alerts/audit/verify"
	"kentongan/alerts/audit/verify/verifytest"
	"kentongan/geo/moment"
)

func made(t *testing.T, seed uint64, n int) *verifytest.Log {
	t.Helper()
	keys, err := verifytest.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	l, err := verifytest.Make(seed, n, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func check(t *testing.T, export []byte, l *verifytest.Log, tiles bool) verify.Report {
	t.Helper()
	known, err := verify.ReadKnown(bytes.NewReader(l.Kept()), l.Checked)
	if err != nil {
		t.Fatal(err)
	}
	o := verify.Options{Keys: l.Checked, Known: known}
	if tiles {
		o.Leaves = l.Tiles
	}
	r, err := verify.Export(bytes.NewReader(export), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func exported(t *testing.T, l *verifytest.Log, entries []verifytest.Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := l.Export(&b, entries); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHonestLogsAreNotBlamed(t *testing.T) {
	n := 20_000
	if testing.Short() {
		n = 3000
	}
	for seed := range uint64(3) {
		l := made(t, seed, n)
		export := exported(t, l, l.Entries)
		for _, tiles := range []bool{false, true} {
			r := check(t, export, l, tiles)
			if !r.OK || r.Proven != int64(n) || r.Count != int64(n) || r.Checkpoints != len(l.Sealed)+1 || r.Words == 0 || r.Erased == 0 {
				t.Fatalf("seed %d, tiles %v: %+v\n%+v", seed, tiles, r, r.First)
			}
		}
	}
}

func TestBareRecordsAreRead(t *testing.T) {
	l := made(t, 1, 2000)
	var b bytes.Buffer
	for _, e := range l.Entries {
		b.Write(append(e.Canonical, '\n'))
	}
	if r := check(t, b.Bytes(), l, false); !r.OK || r.Proven != 2000 || r.Origin != verifytest.Name {
		t.Errorf("%+v", r)
	}
}

func TestAPartIsHeldAgainstCheckpoints(t *testing.T) {
	l := made(t, 2, 3000)
	const from = 1501
	var left tree.Range
	for _, leaf := range l.Leaves[:from-1] {
		left.Append(leaf)
	}
	part := func(peaks bool) []byte {
		var b bytes.Buffer
		h := verify.Header{Origin: verifytest.Name, From: from, Size: 3000, MadeAt: moment.Of(l.Ended)}
		if peaks {
			h.Left = left.Peaks()
		}
		w, err := verify.NewWriter(&b, h)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l.Entries[from-1:] {
			if err := w.Record(e.Canonical, e.Words); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if r := check(t, part(true), l, false); !r.OK || r.Proven != 3000 || r.From != from {
		t.Errorf("with peaks: %+v", r)
	}
	if r := check(t, part(false), l, true); !r.OK || r.Proven != 3000 {
		t.Errorf("with tiles: %+v %+v", r, r.First)
	}
	if r := check(t, part(false), l, false); r.OK || r.First.Kind != verify.Unproven {
		t.Errorf("with neither: %+v", r)
	}
	bent := bytes.Replace(part(true), []byte(`"case.changed"`), []byte(`"case.changes"`), 1)
	if r := check(t, bent, l, false); r.OK || r.First.Seq < from || r.First.Kind != verify.Leaf {
		t.Errorf("bent: %+v", r.First)
	}
}

func TestWhatIsSaidOfCheckpoints(t *testing.T) {
	l, other := made(t, 3, 2500), made(t, 4, 2500)
	export := exported(t, l, l.Entries)
	with := func(kept []byte, keys verify.Keys) verify.Report {
		known, err := verify.ReadKnown(bytes.NewReader(kept), keys)
		if err != nil {
			t.Fatal(err)
		}
		r, err := verify.Export(bytes.NewReader(export), verify.Options{Keys: keys, Known: known})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := with(append(l.Kept(), other.Kept()...), l.Checked); r.OK || r.First.Kind != verify.Signature {
		t.Errorf("another log's key: %+v", r.First)
	}
	if r := with(append(l.Kept(), other.Kept()...), verify.Keys{}); r.OK || r.Signed || r.First.Kind != verify.Root {
		t.Errorf("without a key the roots still differ: %+v", r.First)
	}
	if r := with(nil, l.Checked); !r.OK || r.Proven != 2500 {
		t.Errorf("the export's own checkpoint: %+v", r.First)
	}
	foreign := bytes.ReplaceAll(l.Kept(), []byte(verifytest.Name), []byte("kota.example/audit"))
	if r := with(foreign, l.Checked); r.OK || r.First.Kind != verify.Origin {
		t.Errorf("another origin: %+v", r.First)
	}
	later := made(t, 3, 2500)
	later.Keys = l.Keys
	if r := check(t, exported(t, l, l.Entries[:2000]), l, false); r.OK || r.First.Kind != verify.Tail || r.First.Seq != 2001 {
		t.Errorf("truncated: %+v", r.First)
	}
}

// A witness that saw more records after an export was made blames nobody.
func TestAnExportMayBeOlderThanACheckpoint(t *testing.T) {
	keys, err := verifytest.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	l, err := verifytest.Make(5, 3000, keys, func(i int, m *verifytest.Maker, b []byte) []byte {
		if i == 2000 {
			m.Wait(time.Hour)
		}
		return b
	})
	if err != nil {
		t.Fatal(err)
	}
	first, err := audit.Parse(l.Entries[1999].Canonical)
	if err != nil {
		t.Fatal(err)
	}
	l.Ended = first.Time.Add(5 * time.Minute)
	r := check(t, exported(t, l, l.Entries[:2000]), l, false)
	if !r.OK || r.Later != 1000 {
		t.Errorf("%+v %+v", r, r.First)
	}
}

func TestWhatIsNoExport(t *testing.T) {
	for _, text := range []string{"", "\n\n", "hello", `{"a":1}`, `{"kentongan_audit":2,"size":1}`} {
		if _, err := verify.Export(strings.NewReader(text), verify.Options{}); !errors.Is(err, verify.ErrExport) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"x", "a\n1\nb\n\n— a AAAAAAAA\n", strings.Repeat("x\n", 40_000)} {
		if _, err := verify.ReadKnown(strings.NewReader(text), verify.Keys{}); !errors.Is(err, verify.ErrCheckpoints) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestReportIsJSON(t *testing.T) {
	l := made(t, 6, 1200)
	b, err := json.Marshal(check(t, exported(t, l, l.Entries[:1100]), l, false))
	if err != nil || !strings.Contains(string(b), `"first_bad":{"kind":"tail","seq":1101`) {
		t.Errorf("%s %v", b, err)
	}
}

func TestEveryKindIsSaidInBothLanguages(t *testing.T) {
	all := []verify.Kind{verify.Line, verify.Form, verify.Missing, verify.Order, verify.Leaf, verify.WordsHash, verify.Untimed, verify.Tile, verify.Tail, verify.Chain,
		verify.BackDated, verify.TooEarly, verify.TooLate, verify.Root, verify.Fork, verify.Signature, verify.Origin, verify.Misplaced, verify.Length, verify.Unproven}
	for _, k := range all {
		f := verify.Finding{Kind: k, Seq: 7, From: 7, To: 9, Other: 3, Size: 12, Text: "x", At: moment.Of(time.Unix(1, 0)), Limit: moment.Of(time.Unix(2, 0))}
		id, en := f.Say("id"), f.Say("en")
		if id == "" || en == "" || id == en || strings.ContainsAny(id+en, "{}") {
			t.Errorf("%s: %q, %q", k, id, en)
		}
	}
	r := verify.Report{Origin: "kota.example", From: 1, To: 9, Count: 9, Faults: 2, Later: 3, First: &verify.Finding{Kind: verify.Leaf, Seq: 4}, Findings: []verify.Finding{{Kind: verify.Leaf, Seq: 4}, {Kind: verify.Leaf, Seq: 5}}}
	if id, en := r.Text("id"), r.Text("en"); !strings.HasPrefix(id, "RUSAK: jejak kota.example. Catatan 4") || !strings.HasPrefix(en, "BAD: log kota.example. Record 4") {
		t.Errorf("%s\n%s", id, en)
	}
}

// What no drill of an insider does: bytes that are wrong by themselves.
func TestSingleFaultsAreNamed(t *testing.T) {
	l := made(t, 7, 1500)
	export := string(exported(t, l, l.Entries))
	rows := strings.SplitAfter(export, "\n")
	spoken := 0
	for i, row := range rows {
		if strings.Contains(row, `"words":`) && i > 700 {
			spoken = i
			break
		}
	}
	for name, c := range map[string]struct {
		bend func(row string) string
		at   int
		want verify.Kind
	}{
		"a blank in the record": {func(s string) string { return strings.Replace(s, `"record":{"action"`, `"record":{ "action"`, 1) }, 500, verify.Form},
		"a line that is none":   {func(string) string { return "hello\n" }, 500, verify.Line},
		"half a line":           {func(s string) string { return s[:len(s)/2] + "\n" }, 500, verify.Line},
		"other words":           {func(s string) string { return strings.Replace(s, `"text":"`, `"text":"tidak `, 1) }, spoken, verify.WordsHash},
		"no words":              {func(s string) string { a, _, _ := strings.Cut(s, `,"words":`); return a + "}\n" }, spoken, ""},
		"another salt":          {func(s string) string { return strings.Replace(s, `"salt":"`, `"salt":"0`, 1) }, spoken, verify.WordsHash},
	} {
		bent := append(append(append([]string(nil), rows[:c.at]...), c.bend(rows[c.at])), rows[c.at+1:]...)
		r := check(t, []byte(strings.Join(bent, "")), l, true)
		if c.want == "" {
			if !r.OK {
				t.Errorf("%s: %+v", name, r.First)
			}
			continue
		}
		if r.OK || r.First.Kind != c.want || r.First.Seq != int64(c.at) {
			t.Errorf("%s: %+v", name, r.First)
		}
	}
}

// Whatever stands in an export, it is read to its end or refused, and never passes for a good one without a checkpoint.
func FuzzExport(f *testing.F) {
	f.Add([]byte(`{"kentongan_audit":1,"origin":"a","size":1}` + "\n" + `{"leaf":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","record":{"action":"x"}}`))
	f.Add([]byte(`{"action":"a","actor":"","after_hash":"","agency":"","before_hash":"","object":"","reason":"","request":"","seq":1,"time":null}`))
	f.Add([]byte(`{"checkpoint":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := verify.Export(bytes.NewReader(b), verify.Options{})
		if err == nil && (r.OK && r.Checkpoints == 0 || !r.OK && r.First == nil) {
			t.Errorf("%+v", r)
		}
	})
}
