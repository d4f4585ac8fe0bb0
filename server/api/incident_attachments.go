package api

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/blob"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// Bounds of an attachment as it is sent, and of the time that one takes: a photo comes over a thin line and is made anew.
const (
	attachmentSize = 20 << 20
	attachmentTime = 50 * time.Second
)

// Blobs is where the bytes of attachments are kept.
type Blobs struct {
	Store    *blob.Store
	Pictures *blob.Maker
}

// attachments take raw bytes, so huma does not serve them: POST with query kind, taken_at, lng and lat answers 201 with the attachment, GET its bytes.
func (s *server) attachments() {
	const list = "/api/v1/incidents/{id}/attachments"
	take := about(access.ActIncidents, scope.NounIncident).within(attachmentTime)
	take.body = attachmentSize
	s.table.handle("POST "+list, take, s.takeAttachment)
	s.table.handle("GET "+list+"/{aid}", about(access.ReadIncidents, scope.NounIncident), s.giveAttachment)
	s.docs.OpenAPI().AddOperation(attachmentDoc("POST", list, "attach-file", "Attach a file to an incident: its bytes as they are; a photo is made anew without what its camera says of it, but when it was taken: the camera's word goes before taken_at, and taken_by says whose it is",
		[]string{"kind", "taken_at", "lng", "lat"}, "201", "The attachment"))
	s.docs.OpenAPI().AddOperation(attachmentDoc("GET", list+"/{aid}", "attached-file", "The bytes of an attachment, for whoever sees the incident whole; that it was seen is recorded", []string{"size"}, "200", "The bytes, as an attachment"))
}

// attachmentDoc describes a route that huma does not serve.
func attachmentDoc(method, path, id, summary string, query []string, status, answer string) *huma.Operation {
	text := &huma.Schema{Type: "string"}
	params := []*huma.Param{{Name: "id", In: "path", Required: true, Schema: text}}
	if strings.HasSuffix(path, "/{aid}") {
		params = append(params, &huma.Param{Name: "aid", In: "path", Required: true, Schema: text})
	}
	for _, name := range query {
		params = append(params, &huma.Param{Name: name, In: "query", Schema: text})
	}
	return &huma.Operation{Method: method, Path: path, OperationID: id, Summary: summary, Parameters: params,
		Responses: map[string]*huma.Response{
			status: {Description: answer}, "401": {Description: "Who are you?"}, "403": {Description: "It is not yours to do"}, "404": {Description: "There is no such incident or attachment"},
			"413": {Description: "Larger than 20 MB"}, "415": {Description: "Of a kind that is not taken"}, "422": {Description: "What it is said to be it is not"},
		},
		Security: []map[string][]string{{"bearer": {}}, {"session": {}}}}
}

func (s *server) takeAttachment(w http.ResponseWriter, r *http.Request) {
	if s.Blobs == nil {
		tell(w, problem.NoFiles, "this server has no data_dir that it may write to")
		return
	}
	a, err := told(r.URL.Query())
	if err != nil {
		s.answerFault(w, err)
		return
	}
	var sent bytes.Buffer
	_, err = sent.ReadFrom(r.Body)
	raw := sent.Bytes()
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		problem.Write(w, problem.New(problem.FileTooLarge, fmt.Sprintf("at most %d MB", large.Limit>>20)).With("limit", large.Limit>>20))
		return
	}
	if err != nil {
		tell(w, problem.FileCut, "")
		return
	}
	v := s.sees(r.Context())
	if err := s.keep(&a, raw); err != nil {
		s.answerFault(w, fileFault(err))
		return
	}
	out, err := v.enclose(r.Context(), r.PathValue("id"), r.Header.Get("Idempotency-Key"), a)
	if err != nil {
		s.answerFault(w, err)
		return
	}
	answer(w, http.StatusCreated, out)
}

// told is what the sender says of an attachment beside its bytes.
func told(q url.Values) (incident.Attachment, error) {
	a := incident.Attachment{Kind: cmp.Or(q.Get("kind"), blob.Photo)}
	wrong := func(name, want string) error {
		return problem.New(problem.Invalid, name+": "+want, problem.AtLimit("query."+name, problem.Form, want, want))
	}
	for name := range q {
		if !slices.Contains([]string{"kind", "taken_at", "lng", "lat"}, name) {
			return a, problem.New(problem.Invalid, "the query has something else than kind, taken_at, lng and lat")
		}
	}
	if blob.Takes(a.Kind) == "" {
		return a, wrong("kind", "photo, audio or file")
	}
	if text := q.Get("taken_at"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return a, wrong("taken_at", "a time as 2026-11-27T08:00:00Z")
		}
		a.TakenAt, a.TakenBy = moment.Of(at), incident.TakenBySender
	}
	for name, to := range map[string]**float64{"lng": &a.Lng, "lat": &a.Lat} {
		if text := q.Get(name); text != "" {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return a, wrong(name, "degrees")
			}
			*to = &n
		}
	}
	return a, nil
}

// keep makes a photo anew, holds anything else against what it is said to be, and keeps the bytes. They lie on the disk before anybody is told.
func (s *server) keep(a *incident.Attachment, raw []byte) (err error) {
	if a.Kind == blob.Photo {
		p, err := s.Blobs.Pictures.Picture(raw)
		if err != nil {
			return err
		}
		s.dated(a, p.TakenIn(s.Profile.Zone))
		raw, a.Mime, a.Width, a.Height = p.Bytes, p.Mime, p.Width, p.Height
		if a.Small, err = s.Blobs.Store.Put(p.Small); err != nil {
			return err
		}
	} else if a.Mime, err = blob.Check(a.Kind, raw); err != nil {
		return err
	}
	a.Bytes = len(raw)
	a.SHA256, err = s.Blobs.Store.Put(raw)
	return err
}

// dated takes the time of a photo from its camera, unless the camera's clock is plainly wrong: ahead of us, or from before there were such cameras.
// The sender's word stands where the camera has none.
func (s *server) dated(a *incident.Attachment, camera time.Time) {
	if camera.Year() >= 2000 && !camera.After(s.Now().Add(feeds.ClockSkewLimit)) {
		a.TakenAt, a.TakenBy = moment.Of(camera), incident.TakenByCamera
	}
}

func fileFault(err error) error {
	switch {
	case errors.Is(err, blob.ErrKind), errors.Is(err, blob.ErrBroken), errors.Is(err, blob.ErrPoints):
		return caused(err)
	case errors.Is(err, blob.ErrFull):
		return problem.New(problem.NoRoom, "") // the path of the disk is for the log
	}
	return err
}

// giveAttachment gives the bytes of an attachment, or with ?size=small the small form of a photo, to whoever sees the incident whole. That they were
// seen is recorded before: a citizen's photo shows people and their homes.
func (s *server) giveAttachment(w http.ResponseWriter, r *http.Request) {
	o, v := objectOf(r.Context()), s.sees(r.Context())
	if o.level < access.Full {
		v.forbid(r.Context(), access.ReadIncidents, "attachments are for who sees the incident whole")
		s.answerFault(w, deny(access.ReadIncidents, "attachments are for who sees the incident whole"))
		return
	}
	a, there := o.incident.Attached(r.PathValue("aid"))
	sum := a.SHA256
	if r.URL.Query().Get("size") == "small" {
		sum = cmp.Or(a.Small, sum)
	}
	if !there || s.Blobs == nil {
		tell(w, problem.NotFound, "there is no such attachment")
		return
	}
	b, err := s.Blobs.Store.Get(sum)
	if errors.Is(err, blob.ErrNotHere) {
		s.Log.Error().Err(err).Str("incident", o.incident.ID).Msg("an attachment is missing")
		tell(w, problem.FileNotHere, "")
		return
	}
	if err == nil {
		err = v.viewed(r.Context(), o.incident.ID, a.ID)
	}
	if err != nil {
		s.answerFault(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.Mime)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s%s"`, o.incident.Number, a.ID[max(0, len(a.ID)-6):], suffixes[a.Mime]))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=600, immutable")
	_, _ = w.Write(b)
}

var suffixes = map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "audio/amr": ".amr", "audio/ogg": ".ogg", "audio/wav": ".wav", "audio/webm": ".webm",
	"audio/mp4": ".m4a", "audio/mpeg": ".mp3", "application/pdf": ".pdf"}
