// Package problem is the problem documents that this server answers with (RFC 9457), each with a code of one table.
//
// A document says three things: to a program, by its code, which kind of problem it is; to whoever reads a log, in English, what happened;
// and by its params and the codes of its errors what a screen needs to say the same in the reader's language.
package problem

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// Media is the media type of a problem document (RFC 9457, section 6.1).
const Media = "application/problem+json"

// Head is what every problem document begins with; a document that brings more embeds it.
type Head struct {
	Type   string         `json:"type,omitempty" doc:"Left out: about:blank"`
	Title  string         `json:"title" doc:"What all problems of this code have in common"`
	Status int            `json:"status"`
	Detail string         `json:"detail,omitempty" doc:"What happened here, in English"`
	Code   Code           `json:"code" doc:"A word that stays the same, to go by"`
	Params map[string]any `json:"params,omitempty" doc:"What a sentence about this code needs: a limit, a right"`
}

// Of gives the head of a problem; detail may be empty.
func Of(code Code, detail string) Head {
	k := kinds[code]
	return Head{Title: k.Title, Status: k.Status, Detail: detail, Code: code}
}

// With gives the head with a parameter more.
func (h Head) With(name string, value any) Head {
	params := map[string]any{name: value}
	for n, v := range h.Params {
		params[n] = v
	}
	h.Params = params
	return h
}

// Error is the detail, or else the title.
func (h *Head) Error() string {
	if h.Detail != "" {
		return h.Detail
	}
	return h.Title
}

// GetStatus is the status of HTTP.
func (h *Head) GetStatus() int { return h.Status }

// ContentType is the problem form of JSON.
func (h *Head) ContentType(string) string { return Media }

// Document is a problem, with the places in what was sent that are at fault.
type Document struct {
	Head
	Errors []*Place `json:"errors,omitempty"`
}

// New gives a problem; detail says in English what happened here. It is an error that is its own answer.
func New(code Code, detail string, places ...*Place) *Document {
	return &Document{Of(code, detail), places}
}

// With gives the document with a parameter more.
func (d *Document) With(name string, value any) *Document {
	return &Document{d.Head.With(name, value), d.Errors}
}

// Write answers with a document. What was to be answered is no longer what is cached or tagged.
func Write(w http.ResponseWriter, doc huma.StatusError) {
	w.Header().Set("Content-Type", Media)
	w.Header().Del("ETag")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.WriteHeader(doc.GetStatus())
	_ = json.NewEncoder(w).Encode(doc)
}

// Speak makes huma answer its own faults by such documents: a switch of the whole library, turned once.
var Speak = sync.OnceFunc(func() {
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		doc := New(OfStatus(status), detail)
		if doc.Status != status { // a status that no code of ours has, or the one that stands for all in the description
			doc.Status, doc.Title = status, http.StatusText(status)
		}
		for _, err := range errs {
			if err != nil {
				doc.Errors = append(doc.Errors, read(err))
			}
		}
		return doc
	}
})
