package poll

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Since asks a source only for what is newer than what is stored. Zero: the address is asked as it stands.
type Since struct {
	Param    string        // name of the query's parameter
	Text     string        // its value, with {since} and {to}; empty: {since}
	ToParam  string        // name of the parameter that ends the span; empty: none
	Format   string        // rfc3339, unix, unix_ms or date, always UTC
	Received bool          // go on from when the last round began, instead of from the newest event that is stored
	Overlap  time.Duration // asked again before it, for records that come late
	First    time.Duration // how far back where nothing is stored yet
	Window   time.Duration // the longest span of one question; zero: up to now. Needs ToParam
}

// span is what one round asks for. Behind: it ends before now, because of Window.
type span struct {
	from, to time.Time
	behind   bool
}

func (s Since) on() bool { return s.Param != "" }

// span finds the next question.
func (s Since) span(cursor, now time.Time) span {
	out := span{from: cursor.Add(-s.Overlap), to: now}
	if cursor.IsZero() {
		out.from = now.Add(-s.First)
	}
	if end := out.from.Add(s.Window); s.Window > 0 && end.Before(now) {
		out.to, out.behind = end, true
	}
	return out
}

// after is the cursor once all of a span is stored, never beyond the span: a producer's clock ahead of ours must not make us skip what comes
// until then. What was not there at the end of a whole window will not come, but for the overlap.
func (s Since) after(cursor time.Time, asked span, began, newest time.Time) time.Time {
	next := newest
	if s.Received {
		next = began
	}
	if asked.behind || next.After(asked.to) {
		next = asked.to
	}
	if next.Before(cursor) {
		return cursor
	}
	return next
}

// ask puts a span into an address.
func (s Since) ask(address string, asked span) string {
	text := s.Text
	if text == "" {
		text = "{since}"
	}
	from, to := s.written(asked.from), s.written(asked.to)
	address = withParam(address, s.Param, strings.NewReplacer("{since}", from, "{to}", to).Replace(text))
	if s.ToParam != "" {
		address = withParam(address, s.ToParam, to)
	}
	return address
}

func (s Since) written(t time.Time) string {
	t = t.UTC()
	switch s.Format {
	case "unix":
		return strconv.FormatInt(t.Unix(), 10)
	case "unix_ms":
		return strconv.FormatInt(t.UnixMilli(), 10)
	case "date":
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

// withParam adds a parameter to an address and leaves its others as they are written.
func withParam(address, name, value string) string {
	plain, fragment, cut := strings.Cut(address, "#")
	sep := "?"
	switch {
	case strings.HasSuffix(plain, "?"), strings.HasSuffix(plain, "&"):
		sep = ""
	case strings.Contains(plain, "?"):
		sep = "&"
	}
	plain += sep + escaped(name) + "=" + escaped(value)
	if cut {
		plain += "#" + fragment
	}
	return plain
}

// escaped is for a query; a space is %20, which every server reads.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
