package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"kentongan/server/auth"
	"kentongan/server/people"
	"kentongan/server/problem"
)

func (s *server) sessionPasskey() {
	const root = "/api/v1/session/passkey"
	s.table.handle("POST "+root+"/begin", anyone(), s.beginShow)
	s.table.handle("POST "+root+"/finish", anyone(), s.finishShow)
	s.table.handle("POST "+root+"/register/begin", anyone(), s.beginPasskey)
	s.table.handle("POST "+root+"/register/finish", anyone(), s.finishPasskey)
	s.describe("POST", root+"/begin", "begin-passkey", "A challenge to a passkey, for navigator.credentials.get: of anybody, as second factor of a sign-in, or to elevate", typeOf[beginShowBody](), typeOf[challengeOut]())
	s.describe("POST", root+"/finish", "finish-passkey", "The answer to the challenge signs in, or elevates", typeOf[finishShowBody](), typeOf[auth.Identity]())
	s.describe("POST", root+"/register/begin", "begin-new-passkey", "What navigator.credentials.create needs", typeOf[struct{}](), typeOf[challengeOut]())
	s.describe("POST", root+"/register/finish", "finish-new-passkey", "Keep the passkey; the answer holds recovery codes if you had none", typeOf[finishPasskeyBody](), typeOf[codesOut]())
}

// challengeOut is a challenge as the browser takes it (PublicKeyCredential.parse…OptionsFromJSON).
type challengeOut struct {
	Ticket    string `json:"ticket" doc:"5 minutes, once"`
	PublicKey any    `json:"publicKey"`
}

// site tells at which address the browser is.
func (s *server) site(r *http.Request) (people.Site, error) { return people.SiteOf(s.Auth.BaseURL(r)) }

// paced refuses to remember more than the store should for strangers. It answers where it refuses.
func (s *server) paced(w http.ResponseWriter) bool {
	if s.begun.Allow() {
		return true
	}
	w.Header().Set("Retry-After", "2")
	tell(w, problem.SlowDown, "try again in a few seconds")
	return false
}

type beginShowBody struct {
	Pending string `json:"pending,omitempty" doc:"Ticket of a sign-in that waits for its second factor"`
	Elevate bool   `json:"elevate,omitempty" doc:"To one of the passkeys of whoever is signed in"`
}

func (s *server) beginShow(w http.ResponseWriter, r *http.Request) {
	if !s.begins(w, r) || !s.paced(w) {
		return
	}
	var in beginShowBody
	if err := readStrict(r.Body, &in); err != nil || in.Pending != "" && in.Elevate {
		s.denied(w, cmp.Or(err, errBody))
		return
	}
	site, err := s.site(r)
	if err != nil {
		s.factorDenied(w, r, "a passkey", err)
		return
	}
	var who *people.Person
	switch {
	case in.Pending != "":
		p, _, err := s.Auth.Awaited(r.Context(), in.Pending)
		if err != nil {
			s.factorDenied(w, r, "a sign-in that waits for nothing", err)
			return
		}
		who = &p
	case in.Elevate:
		id, ok := s.mine(w, r)
		if !ok {
			return
		}
		p, err := s.People.Get(r.Context(), id.Person)
		if err != nil {
			s.denied(w, err)
			return
		}
		who = &p
	}
	ticket, options, err := s.Factors.BeginShow(r.Context(), who, in.Pending, site)
	if err != nil {
		s.factorDenied(w, r, "a passkey", err)
		return
	}
	answer(w, http.StatusOK, challengeOut{ticket, options})
}

type finishShowBody struct {
	Ticket     string          `json:"ticket"`
	Credential json.RawMessage `json:"credential" doc:"As PublicKeyCredential.toJSON gives it"`
	Desk       string          `json:"desk,omitempty"`
	Elevate    bool            `json:"elevate,omitempty"`
}

func (s *server) finishShow(w http.ResponseWriter, r *http.Request) {
	if !s.begins(w, r) {
		return
	}
	var in finishShowBody
	if err := readStrict(r.Body, &in); err != nil || len(in.Credential) == 0 {
		s.denied(w, cmp.Or(err, errBody))
		return
	}
	if !s.knownDesk(in.Desk) {
		tell(w, problem.NoDesk, in.Desk)
		return
	}
	var id auth.Identity
	if in.Elevate {
		var ok bool
		if id, ok = s.mine(w, r); !ok {
			return
		}
	}
	shown, err := s.Factors.FinishShow(r.Context(), in.Ticket, in.Credential)
	if errors.Is(err, people.ErrClone) {
		s.Auth.Record(r.Context(), auth.Act{Action: "passkey.cloned", Object: "person:" + shown.Person.ID, From: s.Auth.ClientIP(r), Reason: "counter of " + shown.Passkey.Name + " went back", Request: requestID(r.Context())})
		s.Log.Error().Str("client", clientOf(r.Context())).Str("person", shown.Person.ID).Str("passkey", shown.Passkey.Name).Msg("a passkey may have been copied")
	}
	if err != nil {
		s.factorDenied(w, r, "a passkey", err)
		return
	}
	o := auth.Opening{Desk: in.Desk, Factor: "passkey"}
	switch {
	case in.Elevate && (shown.Person.ID != id.Person || shown.Pending != ""):
		s.factorDenied(w, r, "elevation by passkey", people.ErrPasskey)
	case in.Elevate:
		o.Replaces, o.Elevated = true, true
		s.elevated(w, r, shown.Person, o)
	case shown.Pending != "":
		p, how, err := s.Auth.Pending(r.Context(), shown.Pending)
		if err == nil && p.ID != shown.Person.ID {
			err = auth.ErrDenied
		}
		if err != nil {
			s.factorDenied(w, r, "a sign-in that waits for nothing", err)
			return
		}
		s.settle(w, r, p, how, shown.Pending, o)
	case shown.Person.BreakGlass:
		s.factorDenied(w, r, "a passkey of a sealed account", people.ErrPasskey)
	default:
		s.welcome(w, r, shown.Person, "by passkey", o)
	}
}

func (s *server) beginPasskey(w http.ResponseWriter, r *http.Request) {
	_, p, ok := s.guards(w, r, true)
	if !ok || !s.paced(w) {
		return
	}
	if err := readStrict(r.Body, &struct{}{}); err != nil {
		s.denied(w, err)
		return
	}
	site, err := s.site(r)
	if err != nil {
		s.factorDenied(w, r, "a passkey", err)
		return
	}
	ticket, options, err := s.Factors.BeginPasskey(r.Context(), p, site)
	if err != nil {
		s.factorDenied(w, r, "a passkey", err)
		return
	}
	answer(w, http.StatusOK, challengeOut{ticket, options})
}

type finishPasskeyBody struct {
	Ticket     string          `json:"ticket"`
	Name       string          `json:"name" doc:"For its owner: phone, key on the ring"`
	Credential json.RawMessage `json:"credential" doc:"As PublicKeyCredential.toJSON gives it"`
}

func (s *server) finishPasskey(w http.ResponseWriter, r *http.Request) {
	id, p, ok := s.guards(w, r, true)
	if !ok {
		return
	}
	var in finishPasskeyBody
	if err := readStrict(r.Body, &in); err != nil || len(in.Credential) == 0 {
		s.denied(w, cmp.Or(err, errBody))
		return
	}
	p, codes, err := s.Factors.FinishPasskey(r.Context(), in.Ticket, p.ID, in.Name, in.Credential)
	if err != nil {
		s.factorDenied(w, r, "a new passkey", err)
		return
	}
	s.factorAct(r, id, "factor.added", "passkey "+strings.TrimSpace(in.Name))
	if _, ok := s.opened(w, r, p, "after making a passkey", auth.Opening{Replaces: true, Factor: "passkey"}); ok {
		if codes == nil {
			codes = []string{}
		}
		answer(w, http.StatusOK, codesOut{codes})
	}
}
