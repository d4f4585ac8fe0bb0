package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/cameras"
	"kentongan/server/problem"
)

const (
	camerasRoot = "/api/v1/cameras"
	stillTime   = 15 * time.Second
	hlsTime     = 50 * time.Second
)

// Cameras are the pictures of the city's cameras, and the log of who saw them.
type Cameras struct {
	Set  *cameras.Set
	Seen *cameras.Seen
}

// cameras registers the cameras: who may see any is asked here, which of them by the handlers.
func (s *server) cameras() {
	operation(s, needs(access.ViewCameras), "GET", camerasRoot, "cameras", "Cameras that you may see: where they are, how old their last picture is, and never their address", http.StatusOK, s.listCameras)
	s.rawCamera("/{id}/still", "camera-still", "The last picture of a camera, JPEG or PNG; Last-Modified is when it came. That it was seen is recorded", stillTime, s.cameraStill, "id")
	s.rawCamera("/{id}/hls/{file}", "camera-hls", "live.m3u8, an HLS playlist (RFC 8216) of a camera, and what it names. That it was seen is recorded", hlsTime, s.cameraHLS, "id", "file")
}

func (s *server) rawCamera(path, id, summary string, most time.Duration, serve http.HandlerFunc, params ...string) {
	s.table.handle("GET "+camerasRoot+path, needs(access.ViewCameras).within(most), serve)
	doc := &huma.Operation{Method: "GET", Path: camerasRoot + path, OperationID: id, Summary: summary, Security: []map[string][]string{{"bearer": {}}, {"session": {}}},
		Responses: map[string]*huma.Response{"200": {Description: "The picture, the playlist or its bytes"}, "401": {Description: "Who are you?"}, "403": {Description: "The right camera.view is needed"},
			"404": {Description: "No such camera, none for you, or nothing that it has named"}, "503": {Description: "The camera gives no picture; detail says why"}}}
	for _, name := range params {
		doc.Parameters = append(doc.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: "string"}})
	}
	s.docs.OpenAPI().AddOperation(doc)
}

// cameraOut is a camera as it is listed.
type cameraOut struct {
	ID          string      `json:"id" doc:"Of its Thing"`
	Name        string      `json:"name"`
	Lng         float64     `json:"lng"`
	Lat         float64     `json:"lat"`
	Still       bool        `json:"still" doc:"It has single pictures"`
	HLS         bool        `json:"hls" doc:"It has moving pictures"`
	EveryS      float64     `json:"every_s" doc:"Seconds between pictures"`
	TakenAt     moment.Time `json:"taken_at" doc:"When its last picture came; null: none has"`
	StaleAfter  moment.Time `json:"stale_after" doc:"From then on its picture is drawn as old; null: none has come"`
	Fault       string      `json:"fault,omitempty" doc:"Why the last question had no picture: timeout, refused, http, picture …"`
	Agency      string      `json:"agency,omitempty"`
	Restricted  bool        `json:"restricted,omitempty" doc:"For its agency and named roles only; on no wall"`
	Simulated   bool        `json:"simulated,omitempty"`
	Attribution string      `json:"attribution,omitempty"`
}

func (s *server) listCameras(ctx context.Context, _ *struct{}) (*body[List[cameraOut]], error) {
	v, out := s.sees(ctx), []cameraOut{}
	if s.Cameras == nil {
		return listOf(out, ""), nil
	}
	for _, c := range s.Cameras.Set.List() {
		if v.who.May(access.ViewCameras, c.Object(), v.now).Allowed() {
			out = append(out, v.cameraSeen(c))
		}
	}
	return listOf(out, ""), nil
}

// cameraSeen is a camera with the age of its last picture: of this server's, or of the one that its Thing tells of.
func (v view) cameraSeen(c cameras.Sight) cameraOut {
	at := c.TakenAt
	if e := v.picture().Get(c.ID); e != nil {
		if t := thingOf(e); t != nil && t.At.After(at) {
			at = t.At.Time
		}
	}
	out := cameraOut{ID: c.ID, Name: c.Name, Lng: c.Position.Lng, Lat: c.Position.Lat, Still: c.Still, HLS: c.HLS, EveryS: c.Every.Seconds(), Fault: c.Fault, Agency: c.Agency,
		Restricted: c.Restricted, Simulated: c.Simulated, Attribution: c.Attribution}
	if !at.IsZero() {
		out.TakenAt, out.StaleAfter = moment.Of(at), moment.Of(feeds.StaleAfterInterval(at, c.Every))
	}
	return out
}

// look finds the camera that a route names for whoever may see it, and records that they do. One that may not be known is not there.
func (s *server) look(r *http.Request) (string, error) {
	v, id := s.sees(r.Context()), r.PathValue("id")
	if s.Cameras == nil {
		return "", cameras.ErrNone
	}
	c, there := s.Cameras.Set.Of(id)
	if !there {
		return "", cameras.ErrNone
	}
	if d := v.who.May(access.ViewCameras, c.Object(), v.now); !d.Allowed() {
		v.forbid(r.Context(), access.ViewCameras, d.Reason)
		return "", cameras.ErrNone
	}
	return id, s.Cameras.Seen.Look(r.Context(), actor(r.Context()), &c, v.who.Role == string(access.Wall))
}

func (s *server) cameraStill(w http.ResponseWriter, r *http.Request) {
	id, err := s.look(r)
	var f cameras.Frame
	if err == nil {
		f, err = s.Cameras.Set.Still(r.Context(), id)
	}
	if err != nil {
		s.cameraFault(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("Content-Length", strconv.Itoa(len(f.Body)))
	h.Set("Last-Modified", f.At.UTC().Format(http.TimeFormat))
	_, _ = w.Write(f.Body)
}

func (s *server) cameraHLS(w http.ResponseWriter, r *http.Request) {
	id, err := s.look(r)
	if err == nil {
		err = s.Cameras.Set.HLS(w, r, id, r.PathValue("file"), actor(r.Context()).Subject)
	}
	if err != nil {
		s.cameraFault(w, err)
	}
}

// cameraFault says why there is no picture; of the camera's address nothing.
func (s *server) cameraFault(w http.ResponseWriter, err error) {
	var fault *bounded.Fault
	switch {
	case errors.Is(err, cameras.ErrNone), errors.Is(err, cameras.ErrNoWay), errors.Is(err, cameras.ErrNotNamed):
		tell(w, problem.NotFound, "or no such picture of it")
	case errors.Is(err, cameras.ErrBusy):
		w.Header().Set("Retry-After", "2")
		tell(w, problem.CameraBusy, "")
	case errors.As(err, &fault):
		w.Header().Set("Retry-After", "10")
		tell(w, problem.NoPicture, fault.Error())
	case errors.Is(err, cameras.ErrUnseen):
		w.Header().Set("Retry-After", "2")
		tell(w, problem.NoPicture, "none has come yet")
	default:
		s.answerFault(w, err)
	}
}
