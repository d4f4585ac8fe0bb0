package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/server/auth"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

func (s *server) session() {
	s.table.handle("POST /api/v1/session", anyone(), s.signIn)
	s.table.handle("GET /api/v1/session", anyone(), s.whoAmI)
	s.table.handle("DELETE /api/v1/session", anyone(), s.signOut)
	who := map[string]*huma.MediaType{"application/json": {Schema: s.docs.OpenAPI().Components.Schemas.Schema(typeOf[auth.Identity](), true, "Identity")}}
	api := s.docs.OpenAPI()
	api.AddOperation(&huma.Operation{Method: "POST", Path: "/api/v1/session", OperationID: "sign-in", Summary: "A bearer token, or the code of a one-time link, becomes a session cookie",
		RequestBody: &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"code": {Type: "string"}}}}}},
		Responses:   map[string]*huma.Response{"200": {Description: "Signed in", Content: who}, "401": {Description: "Not valid"}, "429": {Description: "Too many failed tries"}}})
	api.AddOperation(&huma.Operation{Method: "GET", Path: "/api/v1/session", OperationID: "who-am-i", Summary: "Who you are, and your rights",
		Responses: map[string]*huma.Response{"200": {Description: "You", Content: who}, "401": {Description: "Nobody is signed in"}}})
	api.AddOperation(&huma.Operation{Method: "DELETE", Path: "/api/v1/session", OperationID: "sign-out", Summary: "End the session",
		Responses: map[string]*huma.Response{"204": {Description: "Signed out"}}})
}

// signIn opens a session. A page elsewhere must not sign anyone in here, so the origin counts although there is no cookie yet.
func (s *server) signIn(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := s.Auth.CheckWrite(r); err != nil {
		problem(w, http.StatusForbidden, "signed in from a foreign page", "")
		return
	}
	id, session, how, err := s.open(r)
	if errors.Is(err, errBody) {
		problem(w, http.StatusBadRequest, "the body cannot be read", err.Error())
		return
	}
	if errors.Is(err, errKeySession) {
		problem(w, http.StatusForbidden, "a key opens no session", "send it with each request")
		return
	}
	if err != nil {
		refused(w, err)
		return
	}
	s.Auth.Record(r.Context(), auth.Act{Actor: id, Action: "session.opened", Object: "session", From: s.Auth.ClientIP(r), Reason: how, Request: requestID(r.Context())})
	id.Via = auth.ViaSession
	http.SetCookie(w, s.Auth.Cookie(r, session))
	answer(w, http.StatusOK, id)
}

var (
	errBody       = errors.New(`want {"code":"…"}, or a bearer token`)
	errKeySession = errors.New("a key opens no session")
)

func (s *server) open(r *http.Request) (id auth.Identity, session, how string, err error) {
	if r.Header.Get("Authorization") != "" {
		if id, err = s.Auth.Identify(r); err != nil {
			return id, "", "", err
		}
		if id.Via == auth.ViaKey { // the session would outlive it
			s.Auth.Forbid(r, id, "a person's sign-in")
			return id, "", "", errKeySession
		}
		session, err = s.Auth.Open(r.Context(), id)
		return id, session, "by token", err
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return id, "", "", errBody
	}
	var in struct {
		Code string `json:"code"`
	}
	if len(text) == 0 || json.Unmarshal(text, &in) != nil || in.Code == "" {
		return id, "", "", errBody
	}
	id, session, err = s.Auth.Exchange(r.Context(), in.Code)
	if errors.Is(err, auth.ErrDenied) {
		err = s.Auth.Refuse(r, "one-time code is not valid")
	}
	return id, session, "by one-time link", err
}

func (s *server) whoAmI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	id, err := s.Auth.Identify(r)
	if err != nil {
		refused(w, err)
		return
	}
	answer(w, http.StatusOK, id)
}

// signOut ends the session that the cookie names. Signing out twice is no fault.
func (s *server) signOut(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := s.Auth.CheckWrite(r); err != nil {
		problem(w, http.StatusForbidden, "written from a foreign page", "")
		return
	}
	id, err := s.Auth.Identify(r)
	if err == nil && id.Via == auth.ViaSession {
		if err := s.Auth.Close(r); err != nil {
			refused(w, err)
			return
		}
		if s.SignedOut != nil {
			s.SignedOut(id.Session)
		}
		s.Auth.Record(r.Context(), auth.Act{Actor: id, Action: "session.closed", Object: "session", From: s.Auth.ClientIP(r), Request: requestID(r.Context())})
	}
	http.SetCookie(w, s.Auth.Cookie(r, ""))
	w.WriteHeader(http.StatusNoContent)
}
