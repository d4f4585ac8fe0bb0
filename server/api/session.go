package api

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/people"
	"kentongan/server/problem"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// Everything below /api/v1/session is open to strangers: it is how they sign in. What needs somebody who is in asks for them itself (mine).
func (s *server) session() {
	const root = "/api/v1/session"
	s.table.handle("POST "+root, anyone(), s.signIn)
	s.table.handle("GET "+root, anyone(), s.whoAmI)
	s.table.handle("DELETE "+root, anyone(), s.signOut)
	s.table.handle("GET "+root+"/ways", anyone(), s.waysIn)
	s.table.handle("PUT "+root+"/desk", anyone(), s.takeDesk)
	s.table.handle("POST "+root+"/password", anyone(), s.changePassword)
	s.table.handle("POST "+root+"/reset", anyone(), s.redeem)
	s.table.handle("GET "+root+"/list", anyone(), s.ownSessions)
	s.table.handle("DELETE "+root+"/list/{id}", anyone(), s.endOwnSession)
	s.describe("POST", root, "sign-in", "A bearer token, the code of a link, or login and password become a session cookie; 202: a second factor is awaited", typeOf[signInBody](), typeOf[auth.Identity]())
	s.describe("GET", root, "who-am-i", "Who you are, and your rights", nil, typeOf[auth.Identity]())
	s.describe("DELETE", root, "sign-out", "End the session", nil, nil)
	s.describe("GET", root+"/ways", "ways-to-sign-in", "What the sign-in page offers", nil, typeOf[ways]())
	s.describe("PUT", root+"/desk", "take-desk", "Sit down at a desk, or leave it", typeOf[deskBody](), typeOf[auth.Identity]())
	s.describe("POST", root+"/password", "change-password", "Set your password; your other sessions end", typeOf[passwordBody](), nil)
	s.describe("POST", root+"/reset", "redeem-code", "Set a password by an invitation or by a code that a witness made", typeOf[resetBody](), typeOf[auth.Identity]())
	s.describe("GET", root+"/list", "own-sessions", "Your sessions, the newest first", nil, typeOf[List[auth.Session]]())
	s.describe("DELETE", root+"/list/{id}", "end-own-session", "End one of your sessions", nil, nil)
}

// describe documents a route whose handler reads and writes by itself. in and out may be nil.
func (s *server) describe(method, path, id, summary string, in, out reflect.Type) {
	api := s.docs.OpenAPI()
	schema := func(t reflect.Type) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{"application/json": {Schema: api.Components.Schemas.Schema(t, true, id)}}
	}
	op := &huma.Operation{Method: method, Path: path, OperationID: id, Summary: summary, Responses: map[string]*huma.Response{
		"401": {Description: "Not valid, or nobody is signed in"}, "429": {Description: "Too many failed tries"}, "503": {Description: "The store does not answer"}}}
	if in != nil {
		op.RequestBody = &huma.RequestBody{Required: true, Content: schema(in)}
	}
	if out != nil {
		op.Responses["200"] = &huma.Response{Description: "Done", Content: schema(out)}
	} else {
		op.Responses["204"] = &huma.Response{Description: "Done"}
	}
	api.AddOperation(op)
}

type signInBody struct {
	Code     string `json:"code,omitempty" doc:"Of a one-time link"`
	Login    string `json:"login,omitempty"`
	Password string `json:"password,omitempty"`
	Desk     string `json:"desk,omitempty" doc:"Slug; absent: that of whoever is signed in at this screen, or none"`
	Switch   bool   `json:"switch,omitempty" doc:"Somebody is signed in at this screen: their session ends, the desk and the screen stay"`
}

// pendingOut tells that a second factor is awaited.
type pendingOut struct {
	Pending string   `json:"pending" doc:"Ticket for the second factor: 5 minutes, 5 tries"`
	Factors []string `json:"factors"`
}

// begins guards what a browser page of ours may ask, strangers too: a page elsewhere must not sign anyone in here, so the origin counts although
// there is no cookie yet. It answers where it refuses.
func (s *server) begins(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := s.Auth.CheckWrite(r); err != nil {
			tell(w, problem.ForeignPage, "")
			return false
		}
	}
	return true
}

// mine is begins for what concerns one's own account and session: somebody must be signed in with an account. It answers where it refuses.
func (s *server) mine(w http.ResponseWriter, r *http.Request) (auth.Identity, bool) {
	if !s.begins(w, r) {
		return auth.Identity{}, false
	}
	id, err := s.Auth.Identify(r)
	if err != nil {
		refused(w, err)
		return id, false
	}
	if id.Via != auth.ViaSession || id.Person == "" {
		tell(w, problem.AccountOnly, "sign in with your own")
		return id, false
	}
	return id, true
}

// denied answers what a sign-in, or what confirms one, came to.
func (s *server) denied(w http.ResponseWriter, err error) {
	var locked *auth.LockedError
	var fault *people.Fault
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		problem.Write(w, problem.New(problem.TooLarge, fmt.Sprintf("at most %d bytes", large.Limit)).With("limit", large.Limit))
	case errors.Is(err, errBody):
		tell(w, problem.BadRequest, cmp.Or(strings.TrimPrefix(strings.TrimPrefix(err.Error(), errBody.Error()), ": "), "want one JSON object with the keys that this address takes"))
	case errors.As(err, &fault):
		problem.Write(w, personal(fault))
	case errors.As(err, &locked):
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(locked.Wait.Seconds())))))
		tell(w, problem.TooManyTries, locked.Error())
	case errors.Is(err, auth.ErrBusy):
		w.Header().Set("Retry-After", "5")
		tell(w, problem.SignInsBusy, "")
	case errors.Is(err, auth.ErrNoSession):
		problem.Write(w, caused(err))
	case errors.Is(err, auth.ErrElevate):
		problem.Write(w, elevate())
	default:
		if !errors.Is(err, auth.ErrDenied) && !errors.Is(err, auth.ErrTooMany) {
			s.Log.Warn().Err(err).Msg("a sign-in cannot be judged")
		}
		refused(w, err)
	}
}

// signIn opens a session.
func (s *server) signIn(w http.ResponseWriter, r *http.Request) {
	if !s.begins(w, r) {
		return
	}
	if r.Header.Get("Authorization") != "" {
		s.signInByToken(w, r)
		return
	}
	var in signInBody
	if err := readStrict(r.Body, &in); err != nil || (in.Code == "") == (in.Login == "") {
		s.denied(w, cmp.Or(err, errBody))
		return
	}
	if in.Code != "" {
		s.signInByCode(w, r, in.Code)
		return
	}
	if !s.knownDesk(in.Desk) {
		tell(w, problem.NoDesk, in.Desk)
		return
	}
	p, err := s.Auth.ByPassword(r.Context(), r, in.Login, in.Password)
	if err != nil {
		s.denied(w, err)
		return
	}
	s.entered(w, r, p, "by password", in.Desk)
}

func (s *server) signInByToken(w http.ResponseWriter, r *http.Request) {
	id, err := s.Auth.Identify(r)
	if err != nil {
		refused(w, err)
		return
	}
	if !id.Who.Whole { // the session would outlive it
		s.Auth.Forbid(r, id, "a person's sign-in")
		tell(w, problem.KeyNoSession, "send it with each request")
		return
	}
	session, err := s.Auth.Open(r.Context(), r, id, "by token", false)
	if err != nil {
		s.denied(w, err)
		return
	}
	id.Via = auth.ViaSession
	http.SetCookie(w, s.Auth.Cookie(r, session))
	answer(w, http.StatusOK, id)
}

func (s *server) signInByCode(w http.ResponseWriter, r *http.Request, code string) {
	id, session, err := s.Auth.Exchange(r.Context(), r, code)
	if errors.Is(err, auth.ErrDenied) {
		err = s.Auth.Refuse(r, "one-time code is not valid")
	}
	if err != nil {
		s.denied(w, err)
		return
	}
	http.SetCookie(w, s.Auth.Cookie(r, session))
	answer(w, http.StatusOK, id)
}

// entered goes on with somebody whose password, or code of a witness, was right: whoever has a second factor shows it.
func (s *server) entered(w http.ResponseWriter, r *http.Request, p people.Person, how, desk string) {
	if p.BreakGlass || !p.Guarded() {
		s.welcome(w, r, p, how, auth.Opening{Desk: desk})
		return
	}
	ticket, err := s.Auth.Pend(r.Context(), r, p, how)
	if err != nil {
		s.denied(w, err)
		return
	}
	answer(w, http.StatusAccepted, pendingOut{ticket, p.Factors()})
}

// welcome opens the session of somebody who has shown who they are, and answers with cookies and identity. Every way of signing in with an
// account ends here, and elevation too.
func (s *server) welcome(w http.ResponseWriter, r *http.Request, p people.Person, how string, o auth.Opening) {
	if id, ok := s.opened(w, r, p, how, o); ok {
		answer(w, http.StatusOK, id)
	}
}

// opened is welcome without its answer; where nobody is let in, that is answered.
func (s *server) opened(w http.ResponseWriter, r *http.Request, p people.Person, how string, o auth.Opening) (auth.Identity, bool) {
	if !s.knownDesk(o.Desk) {
		tell(w, problem.NoDesk, o.Desk)
		return auth.Identity{}, false
	}
	id, session, err := s.Auth.OpenFor(r.Context(), r, p, how, o)
	if err != nil {
		s.denied(w, err)
		return id, false
	}
	if device, err := s.Auth.Remember(r.Context(), r, p); err == nil {
		http.SetCookie(w, device)
	} else {
		s.Log.Warn().Err(err).Msg("a browser that somebody signed in with is not remembered")
	}
	http.SetCookie(w, s.Auth.Cookie(r, session))
	return id, true
}

func (s *server) whoAmI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	id, err := s.Auth.Identify(r)
	if err != nil {
		refused(w, err)
		return
	}
	s.Auth.RenewDevice(w, r, id)
	answer(w, http.StatusOK, id)
}

// signOut ends the session that the cookie names. Signing out twice is no fault.
func (s *server) signOut(w http.ResponseWriter, r *http.Request) {
	if !s.begins(w, r) {
		return
	}
	to := ""
	id, err := s.Auth.Identify(r)
	if err == nil && id.Via == auth.ViaSession {
		if err := s.Auth.Close(r, auth.Act{Actor: id, From: s.Auth.ClientIP(r), Request: requestID(r.Context())}); err != nil {
			refused(w, err)
			return
		}
	}
	http.SetCookie(w, s.Auth.Cookie(r, ""))
	if err == nil {
		to = s.leaveProvider(r, id)
	}
	if to != "" {
		answer(w, http.StatusOK, signedOut{to})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// signedOut is the answer of a sign-out where the provider's session goes on.
type signedOut struct {
	To string `json:"to" doc:"Address at which the browser signs out at the provider too"`
}

// ways is what the sign-in page offers.
type ways struct {
	Password  bool       `json:"password"`
	Passkey   bool       `json:"passkey"`
	NoPasskey string     `json:"no_passkey,omitempty" doc:"Why there are none at this address: address, it is an IP address and a passkey belongs to a name; plain, browsers use them over https only"`
	OIDC      []Provider `json:"oidc"`
	Setup     bool       `json:"setup" doc:"No administrator can sign in yet: the log of the server holds the first link"`
}

// Provider is one of OpenID Connect that people may sign in with.
type Provider struct {
	Name  string `json:"name"`
	Start string `json:"start"`
	Away  bool   `json:"away" doc:"It does not answer now"`
}

func (s *server) waysIn(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	led, err := s.Auth.Led(r.Context())
	if err != nil {
		refused(w, err)
		return
	}
	out := ways{Password: true, Passkey: true, OIDC: s.provider(), Setup: !led}
	if _, err := s.site(r); err != nil {
		out.Passkey, out.NoPasskey = false, map[bool]string{true: "plain", false: "address"}[errors.Is(err, people.ErrPlain)]
	}
	answer(w, http.StatusOK, out)
}

type deskBody struct {
	Desk string `json:"desk" doc:"Slug; empty: none"`
}

func (s *server) knownDesk(slug string) bool {
	return slug == "" || slices.Contains(s.Profile.Desks, slug)
}

func (s *server) takeDesk(w http.ResponseWriter, r *http.Request) {
	id, ok := s.mine(w, r)
	if !ok {
		return
	}
	var in deskBody
	if err := readStrict(r.Body, &in); err != nil {
		s.denied(w, err)
		return
	}
	if !s.knownDesk(in.Desk) {
		tell(w, problem.NoDesk, in.Desk)
		return
	}
	if !id.Can(access.StaffDesk) {
		s.Auth.Forbid(r, id, access.StaffDesk)
		problem.Write(w, deny(access.StaffDesk, ""))
		return
	}
	if err := s.Auth.SetDesk(r.Context(), id, in.Desk); err != nil {
		s.denied(w, err)
		return
	}
	id.Desk = in.Desk
	s.Auth.Record(r.Context(), auth.Act{Actor: id, Action: "desk.staffed", Object: "desk:" + in.Desk, From: s.Auth.ClientIP(r), Request: requestID(r.Context())})
	answer(w, http.StatusOK, id)
}

type passwordBody struct {
	Old string `json:"old,omitempty" doc:"Not needed by whoever has none"`
	New string `json:"new"`
}

func (s *server) changePassword(w http.ResponseWriter, r *http.Request) {
	id, ok := s.mine(w, r)
	if !ok {
		return
	}
	var in passwordBody
	if err := readStrict(r.Body, &in); err != nil {
		s.denied(w, err)
		return
	}
	if err := s.Auth.ChangePassword(r.Context(), r, id, in.Old, in.New); err != nil {
		s.denied(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

type resetBody struct {
	Code     string `json:"code"`
	Password string `json:"password"`
	Desk     string `json:"desk,omitempty"`
}

// redeem sets a password by a code that counts once, and goes on as a sign-in does.
func (s *server) redeem(w http.ResponseWriter, r *http.Request) {
	if !s.begins(w, r) {
		return
	}
	var in resetBody
	if err := readStrict(r.Body, &in); err != nil {
		s.denied(w, err)
		return
	}
	p, err := s.Auth.Redeem(r.Context(), r, in.Code, in.Password)
	if errors.Is(err, auth.ErrDenied) {
		err = s.Auth.Refuse(r, "code is not valid")
	}
	if err != nil {
		s.denied(w, err)
		return
	}
	s.entered(w, r, p, "by a code that counts once", in.Desk)
}

func (s *server) ownSessions(w http.ResponseWriter, r *http.Request) {
	id, ok := s.mine(w, r)
	if !ok {
		return
	}
	list, err := s.Auth.Sessions(r.Context(), id.Subject, id.Session)
	if err != nil {
		s.denied(w, err)
		return
	}
	answer(w, http.StatusOK, listOf(list, "").Body)
}

func (s *server) endOwnSession(w http.ResponseWriter, r *http.Request) {
	id, ok := s.mine(w, r)
	if !ok {
		return
	}
	if err := s.Auth.EndSession(r.Context(), id.Subject, r.PathValue("id"), auth.Act{Actor: id, From: s.Auth.ClientIP(r), Request: requestID(r.Context())}); err != nil {
		s.denied(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
