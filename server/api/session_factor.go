package api

import (
	"cmp"
	"errors"
	"net/http"
	"slices"

	"golang.org/x/time/rate"

	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/people"
	"kentongan/server/problem"
)

// begun bounds, at this server, what strangers begin and the store must remember: challenges, sign-ins at a provider.
const (
	begunEach  = 50 // a second
	begunBurst = 200
)

func newBegun() *rate.Limiter { return rate.NewLimiter(begunEach, begunBurst) }

func (s *server) sessionFactor() {
	const root = "/api/v1/session"
	s.table.handle("POST "+root+"/second", anyone(), s.showSecond)
	s.table.handle("POST "+root+"/elevate", anyone(), s.elevate)
	s.table.handle("GET "+root+"/factors", anyone(), s.factors)
	s.table.handle("DELETE "+root+"/factors/{kind}/{id}", anyone(), s.removeFactor)
	s.table.handle("POST "+root+"/totp", anyone(), s.setUpTOTP)
	s.table.handle("POST "+root+"/recovery", anyone(), s.makeRecovery)
	s.describe("POST", root+"/second", "show-second-factor", "Show the second factor that a sign-in waits for", typeOf[secondBody](), typeOf[auth.Identity]())
	s.describe("POST", root+"/elevate", "elevate", "Show again who you are: 15 minutes, and a new cookie", typeOf[elevateBody](), typeOf[auth.Identity]())
	s.describe("GET", root+"/factors", "own-factors", "Your second factors", nil, typeOf[factorList]())
	s.describe("DELETE", root+"/factors/{kind}/{id}", "remove-factor", "Take a second factor of yours away; kind is totp (id: totp) or passkey", nil, nil)
	s.describe("POST", root+"/totp", "set-up-codes", "Without a code: begin, the answer holds what the app needs. With one: confirm, the answer holds recovery codes if you had none", typeOf[totpBody](), typeOf[totpOut]())
	s.describe("POST", root+"/recovery", "make-recovery-codes", "Ten new codes, told this once; the old ones no longer count", nil, typeOf[codesOut]())
	s.sessionPasskey()
	s.sessionOIDC()
}

type secondBody struct {
	Pending  string `json:"pending" doc:"Ticket of the sign-in"`
	TOTP     string `json:"totp,omitempty" doc:"Six digits of an app"`
	Recovery string `json:"recovery,omitempty" doc:"One of the codes that were written down"`
	Desk     string `json:"desk,omitempty"`
}

func (s *server) showSecond(w http.ResponseWriter, r *http.Request) {
	if !s.begins(w, r) {
		return
	}
	var in secondBody
	if err := readStrict(r.Body, &in); err != nil || (in.TOTP == "") == (in.Recovery == "") {
		s.denied(w, cmp.Or(err, errBody))
		return
	}
	if !s.knownDesk(in.Desk) { // before the code is used up
		tell(w, problem.NoDesk, in.Desk)
		return
	}
	p, how, err := s.Auth.Pending(r.Context(), in.Pending)
	if err != nil {
		s.factorDenied(w, r, "a sign-in that waits for nothing", err)
		return
	}
	factor := "totp"
	if in.Recovery != "" {
		factor = "recovery"
		p, err = s.Factors.UseRecovery(r.Context(), p.ID, in.Recovery)
	} else {
		p, err = s.Factors.CheckTOTP(r.Context(), p.ID, in.TOTP)
	}
	if err != nil {
		s.factorDenied(w, r, factor, err)
		return
	}
	s.settle(w, r, p, how, in.Pending, auth.Opening{Desk: in.Desk, Factor: factor})
}

// settle ends a sign-in that waited for its second factor.
func (s *server) settle(w http.ResponseWriter, r *http.Request, p people.Person, how, ticket string, o auth.Opening) {
	if err := s.Auth.Settle(r.Context(), ticket); err != nil {
		s.denied(w, err)
		return
	}
	id, ok := s.opened(w, r, p, how+", then "+o.Factor, o)
	if !ok {
		return
	}
	s.recoveryUsed(r, id, o.Factor)
	if err := s.moveStay(r, how, ticket, id); err != nil {
		http.SetCookie(w, s.Auth.Cookie(r, ""))
		s.denied(w, err)
		return
	}
	answer(w, http.StatusOK, id)
}

func (s *server) recoveryUsed(r *http.Request, id auth.Identity, factor string) {
	if factor == "recovery" {
		s.Log.Warn().Str("client", clientOf(r.Context())).Str("person", id.Person).Msg("a recovery code was used")
		s.factorAct(r, id, "recovery.used", "")
	}
}

// factorAct keeps what somebody did with their own second factors.
func (s *server) factorAct(r *http.Request, id auth.Identity, action, reason string) {
	s.Auth.Record(r.Context(), auth.Act{Actor: id, Action: action, Object: "person:" + id.Person, From: s.Auth.ClientIP(r), Reason: reason, Request: requestID(r.Context())})
}

// factorDenied answers what a second factor came to; what is wrong with one is a try that failed.
func (s *server) factorDenied(w http.ResponseWriter, r *http.Request, what string, err error) {
	doc := caused(err)
	if doc == nil {
		if errors.Is(err, auth.ErrDenied) {
			err = s.Auth.Refuse(r, what+" is not valid")
		}
		s.denied(w, err)
		return
	}
	if doc.Status == http.StatusUnauthorized {
		if denied := s.Auth.Refuse(r, what+": "+err.Error()); errors.Is(denied, auth.ErrTooMany) {
			s.denied(w, denied)
			return
		}
	}
	problem.Write(w, doc)
}

type elevateBody struct {
	Password string `json:"password,omitempty" doc:"Of whoever has no second factor"`
	TOTP     string `json:"totp,omitempty"`
	Recovery string `json:"recovery,omitempty"`
}

func (s *server) elevate(w http.ResponseWriter, r *http.Request) {
	id, ok := s.mine(w, r)
	if !ok {
		return
	}
	var in elevateBody
	if err := readStrict(r.Body, &in); err != nil {
		s.denied(w, err)
		return
	}
	p, err := s.People.Get(r.Context(), id.Person)
	if err != nil {
		s.denied(w, err)
		return
	}
	o := auth.Opening{Replaces: true, Elevated: true}
	switch {
	case in.Password != "" && in.TOTP == "" && in.Recovery == "" && p.Guarded():
		tell(w, problem.FactorNeeded, "a password alone is not enough for whoever has one")
		return
	case in.Password != "" && in.TOTP == "" && in.Recovery == "":
		if err = s.Auth.VerifyPassword(r.Context(), r, p, in.Password); err != nil {
			s.denied(w, err)
			return
		}
	case in.Password == "" && (in.TOTP == "") != (in.Recovery == ""):
		if err = s.Auth.Try(r.Context(), r, p); err != nil {
			s.denied(w, err)
			return
		}
		if o.Factor = "totp"; in.Recovery != "" {
			o.Factor = "recovery"
			p, err = s.Factors.UseRecovery(r.Context(), p.ID, in.Recovery)
		} else {
			p, err = s.Factors.CheckTOTP(r.Context(), p.ID, in.TOTP)
		}
		if err != nil {
			s.factorDenied(w, r, "elevation by "+o.Factor, err)
			return
		}
	default:
		s.denied(w, errBody)
		return
	}
	s.elevated(w, r, p, o)
}

// elevated answers with a session that goes on under a new secret.
func (s *server) elevated(w http.ResponseWriter, r *http.Request, p people.Person, o auth.Opening) {
	how := "elevated by password"
	if o.Factor != "" {
		how = "elevated by " + o.Factor
	}
	id, ok := s.opened(w, r, p, how, o)
	if !ok {
		return
	}
	s.recoveryUsed(r, id, o.Factor)
	answer(w, http.StatusOK, id)
}

// factorList is somebody's own second factors.
type factorList struct {
	Required bool          `json:"required" doc:"A role of yours needs one"`
	TOTP     *totpFactor   `json:"totp" doc:"Codes of an app; null: none"`
	Passkeys []passkeyItem `json:"passkeys"`
	Password bool          `json:"password" doc:"There is one to show"`
	Provider *Provider     `json:"provider" doc:"That asks again who you are, at start; null: you do not come in by one"`
	Recovery struct {
		Left   int         `json:"left"`
		UsedAt moment.Time `json:"used_at" doc:"When one was used; null: none since they were made"`
	} `json:"recovery"`
}

type totpFactor struct {
	CreatedAt moment.Time `json:"created_at"`
}

type passkeyItem struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Site      string      `json:"site" doc:"Host name that it was made at, and is shown at only"`
	CreatedAt moment.Time `json:"created_at"`
	UsedAt    moment.Time `json:"used_at"`
}

func (s *server) factors(w http.ResponseWriter, r *http.Request) {
	id, ok := s.mine(w, r)
	if !ok {
		return
	}
	p, err := s.People.Get(r.Context(), id.Person)
	if err != nil {
		s.denied(w, err)
		return
	}
	out := factorList{Required: s.Auth.SecondFactor(p), Passkeys: []passkeyItem{}}
	if p.TOTP != nil {
		out.TOTP = &totpFactor{p.TOTP.At}
	}
	for _, k := range p.Passkeys {
		out.Passkeys = append(out.Passkeys, passkeyItem{k.ID, k.Name, k.Site, k.CreatedAt, k.UsedAt})
	}
	if s.OIDC != nil && slices.ContainsFunc(p.External, func(e people.External) bool { return e.Issuer == s.OIDC.Config().Issuer }) {
		out.Provider = &Provider{s.OIDC.Config().Label(), oidcPath + "/start?again=1", s.OIDC.Away() != ""}
	}
	out.Password, out.Recovery.Left, out.Recovery.UsedAt = p.Password != "", len(p.Recovery), p.RecoveryAt
	answer(w, http.StatusOK, out)
}

// guards lets somebody at their own second factors. What takes one away, or adds one beside another, needs elevation; the first one needs it
// of whoever has a password to show and may do something else, and a sign-in of the last 15 minutes of whoever has none: an open browser is
// no proof. It answers where it refuses.
func (s *server) guards(w http.ResponseWriter, r *http.Request, adds bool) (auth.Identity, people.Person, bool) {
	id, ok := s.mine(w, r)
	if !ok {
		return id, people.Person{}, false
	}
	p, err := s.People.Get(r.Context(), id.Person)
	if err != nil {
		s.denied(w, err)
		return id, p, false
	}
	first := adds && !p.Guarded() && (len(id.Needs) > 0 || p.Password == "" && s.Auth.Arrived(id))
	if p.BreakGlass {
		tell(w, problem.SealedNoFactor, "its code is one and all")
		return id, p, false
	}
	if !first && !s.Auth.Elevated(id) {
		s.Auth.Forbid(r, id, access.Action("elevation"))
		problem.Write(w, elevate())
		return id, p, false
	}
	return id, p, true
}

func (s *server) removeFactor(w http.ResponseWriter, r *http.Request) {
	id, p, ok := s.guards(w, r, false)
	if !ok {
		return
	}
	kind, which := r.PathValue("kind"), r.PathValue("id")
	name := ""
	for _, k := range p.Passkeys {
		if k.ID == which {
			name = " " + k.Name
		}
	}
	if _, err := s.Factors.Remove(r.Context(), p.ID, kind, which, s.Auth.SecondFactorRoles()); err != nil {
		s.factorDenied(w, r, "a second factor", err)
		return
	}
	s.factorAct(r, id, "factor.removed", kind+name)
	w.WriteHeader(http.StatusNoContent)
}

type totpBody struct {
	Code string `json:"code,omitempty" doc:"Six digits of the app that was just set up"`
}

// totpOut is the answer of both steps.
type totpOut struct {
	*people.TOTPSetup
	Codes []string `json:"codes,omitempty" doc:"Recovery codes, told this once; absent: you have some already"`
}

func (s *server) setUpTOTP(w http.ResponseWriter, r *http.Request) {
	id, p, ok := s.guards(w, r, true)
	if !ok {
		return
	}
	var in totpBody
	if err := readStrict(r.Body, &in); err != nil {
		s.denied(w, err)
		return
	}
	if in.Code == "" {
		setup, err := s.Factors.BeginTOTP(r.Context(), p)
		if err != nil {
			s.denied(w, err)
			return
		}
		answer(w, http.StatusOK, totpOut{TOTPSetup: &setup})
		return
	}
	p, codes, err := s.Factors.ConfirmTOTP(r.Context(), p.ID, in.Code)
	if err != nil {
		s.factorDenied(w, r, "a code that confirms", err)
		return
	}
	s.factorAct(r, id, "factor.added", "totp")
	if _, ok := s.opened(w, r, p, "after setting up codes", auth.Opening{Replaces: true, Factor: "totp"}); ok {
		answer(w, http.StatusOK, totpOut{Codes: codes})
	}
}

type codesOut struct {
	Codes []string `json:"codes"`
}

func (s *server) makeRecovery(w http.ResponseWriter, r *http.Request) {
	id, p, ok := s.guards(w, r, false)
	if !ok {
		return
	}
	_, codes, err := s.Factors.NewRecovery(r.Context(), p.ID)
	if err != nil {
		s.factorDenied(w, r, "recovery codes", err)
		return
	}
	s.factorAct(r, id, "recovery.made", "")
	answer(w, http.StatusOK, codesOut{codes})
}
