package bounded

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
)

func TestReadAllStopsAtItsBound(t *testing.T) {
	if b, err := ReadAll(strings.NewReader("12345"), 5); err != nil || string(b) != "12345" {
		t.Errorf("%q, %v", b, err)
	}
	endless := io.MultiReader(strings.NewReader("123456"), neverEnding{})
	if b, err := ReadAll(endless, 5); !errors.Is(err, ErrTooLarge) || b != nil {
		t.Errorf("%q, %v", b, err)
	}
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

func TestGunzipBoundsWhatIsInflated(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(make([]byte, 20<<20))
	z.Close()
	if bomb.Len() > 1<<16 {
		t.Fatalf("no bomb: %d bytes", bomb.Len())
	}
	allocated := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Gunzip(bomb.Bytes(), 1<<20); !errors.Is(err, ErrTooLarge) {
				b.Fatal(err)
			}
		}
	}).AllocedBytesPerOp()
	if allocated > 16<<20 {
		t.Errorf("a bound of 1 MiB let %d bytes be allocated", allocated)
	}
	if _, err := Gunzip(bomb.Bytes()[:100], 1<<30); err == nil || errors.Is(err, ErrTooLarge) {
		t.Errorf("a cut gzip: %v", err)
	}
}

func TestJSONRefusesWhatEncodingJSONLetsBy(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"a":1,"a":2}`, `key "a" given twice at line 1 column 8`},
		{"{\"a\":1,\n \"A\":2}", `keys "a" and "A" differ only in case at line 2 column 2`},
		{`{"a":1,"\u0061":2}`, "given twice"},
		{`{"k":1,"\u212a":2}`, "differ only in case"},
		{`{"x":[{"a":{"b":1,"b":1}}]}`, `"b" given twice`},
		{`{} {}`, "something follows the document at line 1 column 4"},
		{"\"\xff\"", "not UTF-8"},
		{`"\udc00"`, "half a surrogate"},
		{`"\ud800\u0041"`, "half a surrogate"},
		{strings.Repeat("[", 65) + strings.Repeat("]", 65), "nesting deeper than 64"},
		{`{"a":01}`, "where a comma"},
		{`[1,]`, "where a value should begin"},
		{`{"a"}`, "a colon"},
		{``, "ends too early"},
		{`{"a":"`, "inside a string"},
		{`[NaN]`, "where a value should begin"},
	} {
		err := JSON([]byte(c.body), DefaultDepth)
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrJSON) {
			t.Errorf("%.60q: want %q, got %v", c.body, c.want, err)
		}
	}
	var wide strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&wide, `"key%d":1,`, i)
	}
	if err := JSON([]byte("{"+wide.String()+`"x":1}`), 2); err != nil {
		t.Error(err)
	}
	if err := JSON([]byte("{"+wide.String()+`"KEY4321":1}`), 2); err == nil || !strings.Contains(err.Error(), "differ only in case") {
		t.Error(err)
	}
	if err := JSON([]byte(` {"a":"\ud83d\ude00","b":[-0.5e-7,true,null,{}]} `), 3); err != nil {
		t.Error(err)
	}
}

func FuzzJSONAgreesWithEncodingJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\n"]}`, `[]`, `-0`, `1.`, `"\u12"`, `{"a":1}x`, "[\t]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := scanner{body: body, depth: 9000}
		end, err := s.value(s.space(0), 0)
		ours := err == nil && s.space(end) == len(body)
		if theirs := json.Valid(body); ours != theirs {
			t.Fatalf("%q: ours %v (%v), encoding/json %v", body, ours, err, theirs)
		}
		if JSON(body, 9000) == nil && !ours {
			t.Fatalf("%q: the strict check takes what the plain one refuses", body)
		}
	})
}

func TestXML(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>`, "DTD"},
		{`<x/><y/>`, "second root"},
		{`<x/>tail`, "outside the root"},
		{`<x>`, "inside an element"},
		{``, "no root"},
		{`<a><v t="1" t='2'/></a>`, `attribute "t" is given twice`},
		{strings.Repeat("<a>", 65) + strings.Repeat("</a>", 65), "nesting deeper"},
		{`<x a=1/>`, "line 1"},
	} {
		if err := XML([]byte(c.body), 1<<20, DefaultDepth); err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrXML) {
			t.Errorf("%.40q: want %q, got %v", c.body, c.want, err)
		}
	}
	if err := XML([]byte("\xef\xbb\xbf<?xml version=\"1.0\"?><?style x?><x a:t=\"1\" b:t=\"2\" t=\"3\"><!-- c --><y/></x>\n<!-- end -->"), 1<<20, 2); err != nil {
		t.Error(err)
	}
	if err := XML([]byte(`<x/>`), 3, 2); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		ip              string
		public, private bool
	}{
		{"8.8.8.8", true, true}, {"2606:4700::1111", true, true},
		{"127.0.0.1", false, true}, {"::1", false, true}, {"10.1.2.3", false, true}, {"192.168.1.1", false, true}, {"fd00::1", false, true},
		{"::ffff:127.0.0.1", false, true}, {"::ffff:169.254.169.254", false, false},
		{"169.254.169.254", false, false}, {"fe80::1", false, false}, {"224.0.0.1", false, false}, {"0.0.0.0", false, false}, {"::", false, false},
		{"100.64.0.1", false, true}, {"64:ff9b::7f00:1", false, true}, {"64:ff9b::a9fe:a9fe", false, false}, {"2002:a9fe:a9fe::1", false, false},
		{"::7f00:1", false, true}, {"::a9fe:a9fe", false, false}, {"fec0::1", false, true}, {"255.255.255.255", false, true},
	} {
		ip := netip.MustParseAddr(c.ip)
		if err := CheckAddress(ip, false); (err == nil) != c.public {
			t.Errorf("%s, public only: %v", c.ip, err)
		}
		if err := CheckAddress(ip, true); (err == nil) != c.private {
			t.Errorf("%s, private too: %v", c.ip, err)
		}
	}
}

func TestDialerRefusesAtTheDial(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:9", "[::1]:9", "169.254.169.254:80", "localhost:9"} {
		if _, err := Dialer(false)(context.Background(), "tcp", addr); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if _, err := Dialer(true)(context.Background(), "tcp", "169.254.169.254:80"); !errors.Is(err, ErrAddress) {
		t.Errorf("metadata: %v", err)
	}
}
