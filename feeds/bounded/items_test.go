package bounded

import (
	"strings"
	"testing"
)

func TestElementsAndMembers(t *testing.T) {
	body := []byte(" { \"a\" : [ 1 , {\"x\":\"]\"}, [] ] ,\n\"b\":null}")
	if err := JSONDocument(body); err != nil {
		t.Fatal(err)
	}
	members, err := Members(body, 0)
	if err != nil || len(members) != 2 {
		t.Fatalf("members %v, %v", members, err)
	}
	spans, err := Elements(body, members["a"].From)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range spans {
		got = append(got, string(body[s.From:s.To]))
	}
	if strings.Join(got, "|") != `1|{"x":"]"}|[]` {
		t.Errorf("elements %q", got)
	}
	if b := members["b"]; string(body[b.From:b.To]) != "null" {
		t.Errorf("b is %q", body[b.From:b.To])
	}
	if _, err := Elements(body, members["b"].From); err == nil || !strings.Contains(err.Error(), "line 2 column 5") {
		t.Errorf("elements of null: %v", err)
	}
	for _, empty := range []string{"{}", "[]", " [ ] "} {
		e, _ := Elements([]byte(empty), 0)
		m, _ := Members([]byte(empty), 0)
		if len(e)+len(m) != 0 {
			t.Errorf("%q holds %v %v", empty, e, m)
		}
	}
}

func TestMembersRefuse(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":1,"a":2}`: "given twice",
		`{"a":1,"A":2}`: "differ only in case",
		`[1]`:           "an object should begin here",
		``:              "an object should begin here",
	} {
		if _, err := Members([]byte(body), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", body, err, want)
		}
	}
}

func TestJSONItemNamesThePlaceInTheBody(t *testing.T) {
	body := []byte("[{},\n {\"a\":1,\"A\":2}]")
	spans, err := Elements(body, 0)
	if err != nil {
		t.Fatal(err)
	}
	lines := &Lines{Body: body}
	if err := JSONItem(lines, spans[0]); err != nil {
		t.Error(err)
	}
	if err := JSONItem(lines, spans[1]); err == nil || !strings.Contains(err.Error(), "line 2 column 9") {
		t.Errorf("got %v, want line 2 column 9", err)
	}
	for _, bad := range []string{"", "[] x", "[1", strings.Repeat("[", 80) + strings.Repeat("]", 80)} {
		if JSONDocument([]byte(bad)) == nil {
			t.Errorf("%.20q was taken", bad)
		}
	}
}

func TestLinesAgreesWithPlace(t *testing.T) {
	body := []byte("a\n\nbc\r\nd\n")
	lines := &Lines{Body: body}
	for _, offset := range []int{0, 1, 2, 2, 4, 7, 10, 3, 0, 99, -1} {
		l1, c1 := lines.At(offset)
		l2, c2 := Place(body, offset)
		if l1 != l2 || c1 != c2 {
			t.Errorf("offset %d: %d:%d, Place says %d:%d", offset, l1, c1, l2, c2)
		}
	}
}

func TestElementsBound(t *testing.T) {
	body := []byte("[0" + strings.Repeat(",0", maxItems) + "]")
	if _, err := Elements(body, 0); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got %v", err)
	}
}
