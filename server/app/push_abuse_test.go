//go:build !race

package app

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// bomb is gzip of so many spaces.
func bomb(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a valid one
	block := bytes.Repeat([]byte(" "), 1<<20)
	for left := size; left > 0; left -= len(block) {
		if _, err := w.Write(block[:min(left, len(block))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// abuse is one way to wear a server out, over one connection, and how it must end.
type abuse struct {
	name   string
	times  int // at once
	send   func(c net.Conn, head string)
	status string        // of the answer; empty: the connection is closed, with any answer or none
	within time.Duration // from the first byte
}

// trickle sends a text and then a byte at a time, until the other side has had enough.
func trickle(text, one string) func(net.Conn, string) {
	return func(c net.Conn, head string) {
		_, err := io.WriteString(c, head+text)
		for tick := time.NewTicker(100 * time.Millisecond); err == nil; <-tick.C {
			_, err = io.WriteString(c, one)
		}
	}
}

func whole(text string) func(net.Conn, string) {
	return func(c net.Conn, head string) { _, _ = io.WriteString(c, head+text) } // it may be cut off
}

func withBody(headers string, body []byte) func(net.Conn, string) {
	return whole(fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", headers, len(body), body))
}

func endless(c net.Conn, head string) {
	_, err := io.WriteString(c, head+"Transfer-Encoding: chunked\r\n\r\n")
	chunk := "10000\r\n" + strings.Repeat("x", 0x10000) + "\r\n"
	for err == nil {
		_, err = io.WriteString(c, chunk)
	}
}

// run sends and tells the status, and how long it took until the server had closed.
func (a abuse) run(addr, head string) (status string, took time.Duration, err error) {
	began := time.Now()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return "", 0, err
	}
	sent := make(chan struct{})
	go func() { defer close(sent); a.send(c, head) }()
	_ = c.SetReadDeadline(began.Add(a.within))
	answer := bufio.NewReader(c)
	first, err := answer.ReadString('\n')
	if err == nil || err == io.EOF {
		_, err = io.Copy(io.Discard, answer)
	}
	took = time.Since(began)
	_ = c.Close()
	<-sent
	if late, ok := err.(net.Error); ok && late.Timeout() {
		return first, took, err
	}
	return first, took, nil // a reset is an end too
}

// answered tells whether the first line of an answer says one of the statuses.
func (a abuse) answered(first string) bool {
	return slices.ContainsFunc(strings.Split(a.status, " or "), func(status string) bool { return strings.Contains(first, " "+status+" ") })
}

// TestNobodyWearsThePushDown lets many senders with a good key misbehave at once, beside one that behaves.
func TestNobodyWearsThePushDown(t *testing.T) {
	needRedis(t)
	r := serve(t, t.TempDir())
	code, made := r.ask("POST", "/api/v1/keys", `{"name":"abuse","feed":"awlr"}`)
	if code != 201 {
		t.Fatal(code, made)
	}
	head := "POST /api/v1/ingest/awlr HTTP/1.1\r\nHost: " + r.Addr() + "\r\nConnection: close\r\n"
	authorized := "Authorization: Bearer " + made["token"].(string) + "\r\n"
	small, beyond := bomb(t, 20<<20), bomb(t, 100<<20)
	t.Logf("bombs: %d bytes become %d, %d become %d", len(small), 20<<20, len(beyond), 100<<20)
	gz := authorized + "Content-Encoding: gzip\r\n"
	bombs := 6
	if os.Getenv("KENTONGAN_CHAOS") != "" {
		bombs = 20
	}
	abuses := []abuse{
		{"headers a byte at a time", 20, trickle("X-Slow: ", "x"), "", 8 * time.Second},
		{"body a byte at a time", 20, trickle(authorized+"Content-Length: 1000000\r\n\r\n", "x"), "408", 15 * time.Second},
		{"nothing after the headers", 20, whole(authorized + "Content-Length: 1000000\r\n\r\n"), "408", 15 * time.Second},
		{"endless body", 5, func(c net.Conn, head string) { endless(c, head+authorized) }, "413", 20 * time.Second},
		{"endless body of a stranger", 5, endless, "401", 10 * time.Second},
		{"20 kB that become 20 MB", bombs / 2, withBody(gz, small), "202 or 503", 40 * time.Second}, // 503: it waited 30 s for its turn among the others
		{"100 kB that become 100 MB", bombs, withBody(gz, beyond), "413 or 503", 40 * time.Second},
		{"a wrong encoding", 5, withBody(authorized+"Content-Encoding: br\r\n", small), "415", 10 * time.Second},
		{"gzip that is none", 5, withBody(gz, []byte("hello")), "400", 10 * time.Second},
		{"gzip in gzip", 5, withBody(authorized+"Content-Encoding: gzip, gzip\r\n", small), "415", 10 * time.Second},
		{"two Authorization headers", 5, withBody(authorized+authorized, []byte("{}")), "401", 10 * time.Second},
		{"a header of 1 MiB", 10, whole("X-Large: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"), "431", 10 * time.Second},
		{"a length that lies", 5, whole(authorized + "Content-Length: 99999999999\r\n\r\nx"), "413", 10 * time.Second},
	}
	calm := r.behave(time.Now().Add(3*time.Second), nil)
	memory := watchHeap()
	done := make(chan struct{})
	var all sync.WaitGroup
	for _, a := range abuses {
		for range a.times {
			all.Go(func() {
				first, took, err := a.run(r.Addr(), head)
				if err != nil || a.status != "" && !a.answered(first) {
					t.Errorf("%s: %q after %v: %v", a.name, strings.TrimSpace(first), took.Round(time.Millisecond), err)
				}
			})
		}
	}
	go func() { all.Wait(); close(done) }()
	began := time.Now()
	worn := r.behave(time.Now().Add(time.Minute), done)
	all.Wait()
	grown := memory()
	t.Logf("p50, p99 of another sender: %v, %v calm (%d); %v, %v meanwhile (%d in %v); heap grew by %d MiB at most", calm[len(calm)/2], p99(calm), len(calm),
		worn[len(worn)/2], p99(worn), len(worn), time.Since(began).Round(time.Second), grown>>20)
	if limit := max(20*p99(calm), time.Second); p99(worn) > limit {
		t.Errorf("p99 went from %v to %v", p99(calm), p99(worn))
	}
	// Stated: five bodies of 16 MiB, twice while they grow, and one inflated body of 64 MiB; the collector lets it double.
	if most := uint64(2 * (5*2*16 + 64) << 20); grown > most {
		t.Errorf("the heap grew by %d MiB, more than %d", grown>>20, most>>20)
	}
}

// behave sends one reading after the other until a time or until stop, and gives how long each took, sorted.
func (r *running) behave(until time.Time, stop <-chan struct{}) []time.Duration {
	r.t.Helper()
	var took []time.Duration
	for n := 0; time.Now().Before(until); n++ {
		began := time.Now()
		if code, doc := r.ask("POST", "/api/v1/ingest/awlr", fmt.Sprintf(`{"thing":"good","property":"water_level","value":%d.5,"at":%q}`, n%2, began.UTC().Format(time.RFC3339Nano))); code != http.StatusAccepted {
			r.t.Fatalf("a good sender is answered %d %v", code, doc)
		}
		took = append(took, time.Since(began))
		select {
		case <-stop:
			until = time.Time{}
		case <-time.After(2 * time.Millisecond): // its pace
		}
	}
	slices.Sort(took)
	return took
}

func p99(sorted []time.Duration) time.Duration { return sorted[len(sorted)*99/100] }

// watchHeap looks at the heap until it is asked, and tells by how much it has grown at most.
func watchHeap() func() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, m.HeapAlloc
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-stop:
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	}()
	return func() uint64 { close(stop); <-done; return most - before }
}
