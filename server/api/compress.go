package api

import (
	"compress/gzip"
	"net/http"
	"strings"
)

// leastCompressed is the size from which compressing pays.
const leastCompressed = 1024

// zipper compresses an answer when the client takes gzip, the answer is text and its first part is large enough.
type zipper struct {
	http.ResponseWriter
	asked   bool
	status  int
	begun   bool
	gz      *gzip.Writer
	pending []byte
}

func compress(w http.ResponseWriter, r *http.Request) *zipper {
	return &zipper{ResponseWriter: w, asked: takesGzip(r) && r.Method != http.MethodHead}
}

// takesGzip reads Accept-Encoding; q=0 refuses.
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(name, "gzip") {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}

// WriteHeader waits for the first bytes, which decide.
func (z *zipper) WriteHeader(status int) {
	if z.status == 0 {
		z.status = status
	}
}

func (z *zipper) Write(b []byte) (int, error) {
	if z.status == 0 {
		z.status = http.StatusOK
	}
	if !z.begun {
		if z.pending = append(z.pending, b...); z.asked && len(z.pending) < leastCompressed {
			return len(b), nil
		}
		return len(b), z.begin()
	}
	if z.gz != nil {
		return z.gz.Write(b)
	}
	return z.ResponseWriter.Write(b)
}

// begin sends the head and what was held back.
func (z *zipper) begin() error {
	z.begun = true
	h := z.Header()
	h.Add("Vary", "Accept-Encoding")
	if z.asked && len(z.pending) >= leastCompressed && strings.Contains(h.Get("Content-Type"), "json") && h.Get("Content-Encoding") == "" {
		h.Set("Content-Encoding", "gzip")
		h.Del("Content-Length")
		z.gz, _ = gzip.NewWriterLevel(z.ResponseWriter, gzip.BestSpeed) // the level is a valid one
	}
	z.ResponseWriter.WriteHeader(z.status)
	pending := z.pending
	z.pending = nil
	if len(pending) == 0 {
		return nil
	}
	if z.gz != nil {
		_, err := z.gz.Write(pending)
		return err
	}
	_, err := z.ResponseWriter.Write(pending)
	return err
}

// Unwrap lets http.ResponseController reach the connection.
func (z *zipper) Unwrap() http.ResponseWriter { return z.ResponseWriter }

func (z *zipper) close() {
	if z.status == 0 {
		return
	}
	if !z.begun {
		_ = z.begin()
	}
	if z.gz != nil {
		_ = z.gz.Close()
	}
}
