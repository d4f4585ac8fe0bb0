package load

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Write prints the one table of a run.
func (r *Result) Write(w io.Writer) error {
	var b strings.Builder
	c, s := r.Config, r.Took.Seconds()
	form := "binary"
	if c.JSON {
		form = "JSON"
	}
	fmt.Fprintf(&b, "%s: %s Things, %s readings/s of %s a post over %d connections, %s viewers (%s), %g views/s, %.1f s\n\n", c.URL, grouped(int64(c.Things)), grouped(int64(c.Rate)),
		grouped(int64(c.batch())), c.Connections, grouped(int64(c.Viewers)), form, c.Pan, s)
	fmt.Fprintf(&b, "%-40s %12s %10s %10s %10s %10s %10s\n", "milliseconds, from when it was due", "n", "p50", "p90", "p99", "p99.9", "max")
	for _, row := range []struct {
		name string
		t    *Times
	}{{"reading acknowledged", r.Ack}, {"reading on the socket", r.Socket}, {"crossing to incident on the socket", r.Cross}, {"view to snapshot", r.View}, {"socket opened", r.Open}} {
		if row.t.N() == 0 {
			fmt.Fprintf(&b, "%-40s %12s %10s %10s %10s %10s %10s\n", row.name, "0", "-", "-", "-", "-", "-")
			continue
		}
		fmt.Fprintf(&b, "%-40s %12s %10s %10s %10s %10s %10s\n", row.name, grouped(row.t.N()), millis(row.t.At(50)), millis(row.t.At(90)), millis(row.t.At(99)), millis(row.t.At(99.9)), millis(row.t.At(100)))
	}
	fmt.Fprintf(&b, "\n%-40s %12s %10s\n", "readings", "all", "per s")
	count := func(name string, n int64) {
		fmt.Fprintf(&b, "%-40s %12s %10s\n", name, grouped(n), grouped(int64(float64(n)/s)))
	}
	count("sent", r.Sent)
	count("acknowledged", r.Acked)
	count("refused for now (503)", r.Refused)
	count("failed", r.Failed)
	count("due, but not sent in time", r.Unsent)
	fmt.Fprintf(&b, "%-40s %12s %10s\n", "crossings acknowledged, seen as incident", grouped(r.Crossed), grouped(r.Seen))
	if c.Viewers > 0 {
		n := float64(c.Viewers)
		fmt.Fprintf(&b, "\n%-40s %12s %10s %12s\n", "to viewers", "all", "per s", "one, per s")
		fmt.Fprintf(&b, "%-40s %12s %10s %12.2f\n", "messages", grouped(r.Messages), grouped(int64(float64(r.Messages)/s)), float64(r.Messages)/s/n)
		fmt.Fprintf(&b, "%-40s %12s %10s %12s\n", "bytes", grouped(r.Bytes), grouped(int64(float64(r.Bytes)/s)), grouped(int64(float64(r.Bytes)/s/n)))
		if r.Measured > 0 {
			fmt.Fprintf(&b, "%-40s %12s %10s %12.0f\n", fmt.Sprintf("rows to the %d measured ones", r.Measured), grouped(r.Rows), grouped(int64(float64(r.Rows)/s)), float64(r.Rows)/s/float64(r.Measured))
		}
	}
	for _, code := range keys(r.Closed) {
		fmt.Fprintf(&b, "%-40s %12s\n", fmt.Sprintf("sockets closed by the server, code %d", code), grouped(int64(r.Closed[code])))
	}
	for _, text := range keys(r.Faults) {
		fmt.Fprintf(&b, "%-40s %12s\n", "fault: "+text, grouped(int64(r.Faults[text])))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func keys[K int | string, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
