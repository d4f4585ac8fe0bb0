// Package push is HTTP deliveries: how an outcome is answered.
//
// The handler lives with the HTTP interface; here is what a body may be and what each outcome says to its sender
// (INTERFACES, section 3). Bytes from outside never cause a 5xx: only our own store can.
package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

// Errors of a delivery that has no inlet.
var (
	ErrUnknownFeed = errors.New("no feed has this name")
	ErrNotPush     = errors.New("this feed takes no pushes")
	ErrEncoding    = errors.New("send gzip or nothing") // a Content-Encoding that is not known
)

// Transport marks a feed that is driven from outside.
type Transport struct{}

// Run has nothing to do but to wait for the end.
func (Transport) Run(ctx context.Context, _ feeds.Deliver) error {
	<-ctx.Done()
	return nil
}

// RetryFull is what a sender is told to wait where somebody must decide first, in seconds.
const RetryFull = 60

// RetryAfter is what a sender is told to wait when the store does not take writes, in seconds.
const RetryAfter = 2

// Read takes the body of a request as it was sent, at most maxBody bytes. An error is bounded.ErrTooLarge (413) or the sender's
// fault (400): Respond tells them apart.
func Read(r *http.Request, maxBody int64) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, feeds.Permanentf("body: %w: %d bytes, more than %d", bounded.ErrTooLarge, r.ContentLength, maxBody)
	}
	body, err := bounded.ReadAll(r.Body, maxBody)
	if err != nil {
		var over *http.MaxBytesError
		if errors.As(err, &over) {
			err = fmt.Errorf("body: %w: more than %d bytes", bounded.ErrTooLarge, over.Limit)
		}
		return nil, feeds.Permanent(err)
	}
	return body, nil
}

// Problem is an answer of RFC 9457, with the receipt where there is one.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	*feeds.Receipt
}

// Answer is what the sender hears.
type Answer struct {
	Status      int
	ContentType string
	RetryAfter  int // seconds; zero: no such header
	Body        []byte
}

// Respond turns an outcome or an error of a delivery into its answer: 202 with the receipt, 400 for bytes that are no document,
// 401 without the right signature, 404 and 409 where there is no inlet, 408 for a body that came too slowly, 413 beyond a bound, 415 for an encoding not known, 422 with the receipt where every item was faulty, else 503.
func Respond(out feeds.Outcome, err error) Answer {
	receipt := out.Receipt
	if receipt.Ignored == nil {
		receipt.Ignored = []feeds.Refusal{}
	}
	if receipt.Rejected == nil {
		receipt.Rejected = []feeds.Refusal{}
	}
	switch {
	case err == nil && receipt.Barren():
		return problem(Problem{Status: http.StatusUnprocessableEntity, Title: "every item was refused", Detail: receipt.Rejected[0].Reason, Receipt: &receipt})
	case err == nil:
		return Answer{Status: http.StatusAccepted, ContentType: "application/json", Body: encode(receipt)}
	case errors.Is(err, ErrUnknownFeed):
		return problem(Problem{Status: http.StatusNotFound, Title: "no such feed", Detail: err.Error()})
	case errors.Is(err, ErrNotPush):
		return problem(Problem{Status: http.StatusConflict, Title: "the feed takes no pushes", Detail: err.Error()})
	case errors.Is(err, bounded.ErrTooLarge):
		return problem(Problem{Status: http.StatusRequestEntityTooLarge, Title: "the body is too large", Detail: err.Error()})
	case errors.Is(err, ErrSlow):
		return problem(Problem{Status: http.StatusRequestTimeout, Title: "the body came too slowly", Detail: err.Error()})
	case errors.Is(err, ErrSignature):
		return problem(Problem{Status: http.StatusUnauthorized, Title: "not signed as it must be", Detail: err.Error()})
	case errors.Is(err, ErrEncoding):
		return problem(Problem{Status: http.StatusUnsupportedMediaType, Title: "the encoding is not known", Detail: err.Error()})
	case errors.Is(err, feeds.ErrPermanent):
		return problem(Problem{Status: http.StatusBadRequest, Title: "the body cannot be read", Detail: err.Error()})
	}
	if errors.Is(err, feeds.ErrFull) {
		a := problem(Problem{Status: http.StatusServiceUnavailable, Title: "not stored, send it again later", Detail: feeds.ErrFull.Error()})
		a.RetryAfter = RetryFull
		return a
	}
	// What failed inside is for the log, not for the sender.
	a := problem(Problem{Status: http.StatusServiceUnavailable, Title: "not stored, send it again", Detail: feeds.ErrBusy.Error()})
	a.RetryAfter = RetryAfter
	return a
}

func problem(p Problem) Answer {
	p.Type = "about:blank"
	p.Detail = strings.ToValidUTF8(p.Detail, "\uFFFD")
	return Answer{Status: p.Status, ContentType: "application/problem+json", Body: encode(p)}
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("{}") // receipts hold only numbers and strings: this cannot happen
	}
	return b.Bytes()
}

// Taken is the answer that a format owns where a delivery was taken; nil: ours. What is refused, and what a dry run would store, is
// answered as for every format.
func (a Answer) Taken(reply *feeds.Reply, dry bool) Answer {
	if reply == nil || dry || a.Status != http.StatusAccepted {
		return a
	}
	return Answer{Status: reply.Status, ContentType: reply.ContentType, Body: reply.Body}
}

// Write sends the answer. An error means that the sender has gone.
func (a Answer) Write(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", a.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	h.Set("Cache-Control", "no-store")
	if a.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(a.RetryAfter))
	}
	w.WriteHeader(a.Status)
	_, err := io.Copy(w, bytes.NewReader(a.Body))
	return err
}
