package push

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

func TestEachOutcomeHasItsAnswer(t *testing.T) {
	bad := feeds.Outcome{Receipt: feeds.Receipt{Rejected: []feeds.Refusal{{Index: 0, Reason: "value: required"}}}}
	some := feeds.Outcome{Receipt: feeds.Receipt{Accepted: 1, Rejected: bad.Rejected}}
	for _, c := range []struct {
		name   string
		out    feeds.Outcome
		err    error
		status int
	}{
		{"no items", feeds.Outcome{}, nil, 202},
		{"some faulty", some, nil, 202},
		{"all faulty", bad, nil, 422},
		{"no document", feeds.Outcome{}, feeds.Permanentf("native: rubbish"), 400},
		{"too large", feeds.Outcome{}, feeds.Permanentf("body: %w", bounded.ErrTooLarge), 413},
		{"unknown", feeds.Outcome{}, fmt.Errorf("feed x: %w", ErrUnknownFeed), 404},
		{"not push", feeds.Outcome{}, ErrNotPush, 409},
		{"busy", feeds.Outcome{}, feeds.ErrBusy, 503},
		{"inner", feeds.Outcome{}, errors.New("dial unix /secret: refused"), 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			if err := Respond(c.out, c.err).Write(w); err != nil {
				t.Fatal(err)
			}
			if w.Code != c.status {
				t.Fatalf("status %d, want %d: %s", w.Code, c.status, w.Body)
			}
			var body map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			problem := w.Header().Get("Content-Type") == "application/problem+json"
			if problem != (c.status >= 400) || problem && body["status"] != float64(c.status) {
				t.Errorf("%s: %s", w.Header().Get("Content-Type"), w.Body)
			}
			if (w.Header().Get("Retry-After") != "") != (c.status == 503) {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
			if c.status == 202 || c.status == 422 {
				for _, key := range []string{"accepted", "duplicates", "ignored", "rejected"} {
					if body[key] == nil {
						t.Errorf("no %s in %s", key, w.Body)
					}
				}
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("tells what is inside: %s", w.Body)
			}
		})
	}
}

func TestReadKeepsItsBounds(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(bytes.Repeat([]byte("a"), 10000))
	w.Close()
	for _, c := range []struct {
		name, encoding string
		body           []byte
		status         int
	}{
		{"plain", "", []byte("abc"), 202},
		{"gzip", "gzip", z.Bytes(), 413},
		{"long", "", bytes.Repeat([]byte("a"), 101), 413},
		{"cut gzip", "gzip", z.Bytes()[:20], 400},
		{"no gzip", "gzip", []byte("abc"), 400},
		{"brotli", "br", []byte("abc"), 415},
	} {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(c.body))
		body, err := Read(r, 100)
		if err == nil {
			_, _, err = NewInflater(1000).Inflate(t.Context(), body, c.encoding)
		}
		if got := Respond(feeds.Outcome{}, err).Status; got != c.status {
			t.Errorf("%s: %d, want %d (%v)", c.name, got, c.status, err)
		}
	}
}

func TestLargeBodiesInflateToTheByte(t *testing.T) {
	for _, size := range []int{smallInflated, smallInflated + 1, 3*politeStep - 1, 3 * politeStep, 3*politeStep + 1, 4*politeStep + 7} {
		want := bytes.Repeat([]byte("kentongan "), size/10+1)[:size]
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(want)
		w.Close()
		i := NewInflater(4 * politeStep)
		got, done, err := i.Inflate(t.Context(), z.Bytes(), "gzip")
		if size > 4*politeStep {
			if !errors.Is(err, bounded.ErrTooLarge) {
				t.Errorf("%d: %v", size, err)
			}
		} else if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d: %d bytes, %v", size, len(got), err)
		}
		if size > smallInflated && err == nil && len(i.large) != 1 {
			t.Errorf("%d: it is not counted as large", size)
		}
		if done(); len(i.large) != 0 {
			t.Errorf("%d: the next large body waits for ever", size)
		}
		cut := append([]byte(nil), z.Bytes()[:z.Len()-4]...) // without the size that gzip ends with
		if _, _, err := i.Inflate(t.Context(), cut, "gzip"); err == nil || !errors.Is(err, feeds.ErrPermanent) {
			t.Errorf("%d, cut: %v", size, err)
		}
	}
}

func TestASecondLargeBodyWaitsAndASmallOneDoesNot(t *testing.T) {
	var large, small bytes.Buffer
	for b, size := range map[*bytes.Buffer]int{&large: 2 << 20, &small: 100} {
		w := gzip.NewWriter(b)
		w.Write(bytes.Repeat([]byte(" "), size))
		w.Close()
	}
	i := NewInflater(8 << 20)
	_, done, err := i.Inflate(t.Context(), large.Bytes(), "gzip")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := i.Inflate(t.Context(), small.Bytes(), "gzip"); err != nil {
		t.Error(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := i.Inflate(gone, large.Bytes(), "gzip"); !errors.Is(err, feeds.ErrBusy) {
		t.Errorf("%v", err)
	}
	done()
	if _, done, err := i.Inflate(t.Context(), large.Bytes(), "gzip"); err != nil {
		t.Error(err)
	} else {
		done()
	}
}
