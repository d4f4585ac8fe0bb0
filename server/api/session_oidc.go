package api

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/geo/keyspace"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/oidc"
	"kentongan/server/people"
	"kentongan/server/problem"
)

const (
	oidcPath = "/api/v1/session/oidc"
	// byProvider begins the reason of a sign-in that came from a provider.
	byProvider = "by provider "
	// flightCookie is what a browser holds while it is at the provider.
	flightCookie = "flight"
	logoutBody   = 64 << 10
)

func (s *server) sessionOIDC() {
	s.table.handle("GET "+oidcPath+"/start", anyone(), s.oidcStart)
	s.table.handle("GET "+oidcPath+"/callback", anyone(), s.oidcBack)
	from := anyone()
	from.body = logoutBody
	s.table.handle("POST "+oidcPath+"/logout", from, s.oidcEnded)
	led := map[string]*huma.Response{"303": {Description: "To the provider, to where the sign-in began, or to /login with what went wrong"}, "404": {Description: "There is no provider"}}
	text := func(names ...string) (out []*huma.Param) {
		for _, n := range names {
			out = append(out, &huma.Param{Name: n, In: "query", Schema: &huma.Schema{Type: "string"}})
		}
		return out
	}
	docs := s.docs.OpenAPI()
	docs.AddOperation(&huma.Operation{Method: "GET", Path: oidcPath + "/start", OperationID: "start-at-provider", Summary: "Sign in at the provider of OpenID Connect; again=1: it asks anew who you are, and the session that you have goes on, elevated", Parameters: text("next", "desk", "again"), Responses: led})
	docs.AddOperation(&huma.Operation{Method: "GET", Path: oidcPath + "/callback", OperationID: "back-from-provider", Summary: "Where the provider sends the browser back to", Parameters: text("state", "code", "error", "iss"), Responses: led})
	docs.AddOperation(&huma.Operation{Method: "POST", Path: oidcPath + "/logout", OperationID: "logout-by-provider", Summary: "The provider says that a session has ended there (OpenID Connect Back-Channel Logout 1.0)",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": {Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"logout_token": {Type: "string"}}}}}},
		Responses:   map[string]*huma.Response{"200": {Description: "Ended"}, "400": {Description: "The token is not accepted"}, "503": {Description: "It cannot be judged now"}}})
}

// provider is the one that people may sign in at, for the sign-in page.
func (s *server) provider() []Provider {
	if s.OIDC == nil {
		return []Provider{}
	}
	return []Provider{{s.OIDC.Config().Label(), oidcPath + "/start", s.OIDC.Away() != ""}}
}

// one gives a query parameter that stands there once.
func one(q url.Values, name string) string {
	if all := q[name]; len(all) == 1 {
		return all[0]
	}
	return ""
}

// local is where to go on after a sign-in: a page of ours.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// lost leads a browser back to the sign-in page, which says why. why is one of away, flight, refused, no_role, disabled, busy.
func (s *server) lost(w http.ResponseWriter, r *http.Request, why, next string) {
	to := "/login?error=oidc_" + why
	if next != "" && next != "/" {
		to += "&next=" + url.QueryEscape(next)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *server) oidcStart(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if s.OIDC == nil {
		tell(w, problem.NoAddress, "")
		return
	}
	next, desk := local(one(r.URL.Query(), "next")), one(r.URL.Query(), "desk")
	if !s.knownDesk(desk) {
		desk = ""
	}
	if !s.begun.Allow() {
		s.lost(w, r, "busy", next)
		return
	}
	again := one(r.URL.Query(), "again") == "1"
	d, err := s.OIDC.Depart(r.Context(), s.Auth.HostCookieOf(r, flightCookie), s.Auth.BaseURL(r)+oidcPath+"/callback", next, desk, again)
	if err != nil {
		s.Log.Warn().Err(err).Msg("nobody can sign in at the provider")
		s.lost(w, r, "away", next)
		return
	}
	http.SetCookie(w, s.Auth.HostCookie(r, flightCookie, d.Browser, keyspace.FlightLifetime))
	http.Redirect(w, r, d.To, http.StatusSeeOther)
}

func (s *server) oidcBack(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if s.OIDC == nil {
		tell(w, problem.NoAddress, "")
		return
	}
	q := r.URL.Query()
	a, err := s.OIDC.Arrive(r.Context(), s.Auth.HostCookieOf(r, flightCookie), oidc.Return{State: one(q, "state"), Code: one(q, "code"), Error: one(q, "error"), Issuer: one(q, "iss")})
	switch {
	case errors.Is(err, oidc.ErrFlight):
		_ = s.Auth.Refuse(r, err.Error()) // counted; the page says it
		s.lost(w, r, "flight", "")
		return
	case errors.Is(err, oidc.ErrRefused):
		_ = s.Auth.Refuse(r, err.Error())
		s.lost(w, r, "refused", a.Next)
		return
	case err != nil:
		s.Log.Warn().Err(err).Msg("a sign-in at the provider cannot be judged")
		s.lost(w, r, "away", a.Next)
		return
	}
	p, ok := s.visitor(w, r, a)
	if !ok {
		return
	}
	how := byProvider + s.OIDC.Config().Label()
	// A provider lets a browser in again without a question for as long as its own session lasts: who they are counts as shown when it says
	// that it asked, and as never where it says nothing.
	o := auth.Opening{Desk: a.Desk, Replaces: a.Again, ShownAt: a.ShownAt, Elevated: !a.ShownAt.IsZero()}
	if a.Again && !s.sameAgain(r, p, a) {
		_ = s.Auth.Refuse(r, how+": asked again, and it is somebody else, or shows less than before")
		s.lost(w, r, "refused", a.Next)
		return
	}
	switch {
	case a.MFA:
		o.Factor = auth.ByProvider
	case p.Guarded():
		s.awaitSecond(w, r, p, how, a)
		return
	}
	id, ok := s.opened(w, r, p, how, o)
	if !ok {
		return
	}
	if err := s.OIDC.Stay(r.Context(), id.SessionID, p.ID, a, s.Auth.SessionTime()); err != nil { // nobody could end it from there
		http.SetCookie(w, s.Auth.Cookie(r, ""))
		s.denied(w, errors.Join(err, s.Auth.EndSession(r.Context(), id.Subject, id.SessionID, auth.Act{Actor: id, From: s.Auth.ClientIP(r), Reason: "the provider could not end it", Request: requestID(r.Context())})))
		return
	}
	http.Redirect(w, r, local(a.Next), http.StatusSeeOther)
}

// sameAgain tells whether whom a provider was asked for anew is who sits here, and has shown no less than their session began with.
func (s *server) sameAgain(r *http.Request, p people.Person, a oidc.Arrival) bool {
	id, err := s.Auth.Identify(r)
	return err == nil && id.Via == auth.ViaSession && id.Person == p.ID && (a.MFA || id.Factor == "")
}

// visitor finds or makes the account of somebody who has signed in at the provider. It answers where they may not come in.
func (s *server) visitor(w http.ResponseWriter, r *http.Request, a oidc.Arrival) (people.Person, bool) {
	cfg := s.OIDC.Config()
	grants := cfg.Grants(a.Groups)
	for i := range grants { // whoever the provider drops does not keep them by another way in
		grants[i].Until = s.Now().Add(s.Auth.SessionTime()).UTC().Truncate(time.Second)
	}
	who := people.External{Issuer: a.Issuer, Subject: a.Subject}
	before, err := s.People.ByExternal(r.Context(), who)
	if err != nil && !errors.Is(err, people.ErrNoPerson) {
		s.Log.Warn().Err(err).Msg("an account cannot be read")
		s.lost(w, r, "busy", a.Next)
		return people.Person{}, false
	}
	p, made, err := s.People.Arrive(r.Context(), people.Visitor{External: who, Login: a.Login, Name: a.Name, Lang: a.Lang, Grants: grants})
	if err != nil && !errors.Is(err, people.ErrNoPerson) {
		s.Log.Warn().Err(err).Msg("an account cannot be written")
		s.lost(w, r, "busy", a.Next)
		return p, false
	}
	why := ""
	switch {
	case p.ID == "" || len(p.Subject().Grants) == 0 && !p.Disabled:
		why = "no_role"
	case p.Disabled:
		why = "disabled"
	}
	if roles := rolesOf(grants); p.ID != "" && (made || rolesOf(provided(before, a.Issuer)) != roles) {
		action := map[bool]string{true: "person.made", false: "person.changed"}[made]
		s.Auth.Record(r.Context(), auth.Act{Actor: auth.Identity{Subject: "provider:" + a.Issuer, Name: cfg.Label()}, Action: action, Object: "person:" + p.ID, From: s.Auth.ClientIP(r),
			Reason: "groups of the provider give: " + roles, Request: requestID(r.Context())})
	}
	if why != "" {
		_ = s.Auth.Refuse(r, byProvider+cfg.Label()+": "+strings.ReplaceAll(why, "_", " "))
		s.lost(w, r, why, a.Next)
		return p, false
	}
	return p, true
}

// awaitSecond leads somebody whose provider did not ask for a second factor to where ours is asked. What names the sign-in stands behind #,
// which no server and no other page is told.
func (s *server) awaitSecond(w http.ResponseWriter, r *http.Request, p people.Person, how string, a oidc.Arrival) {
	ticket, err := s.Auth.Pend(r.Context(), r, p, how)
	if err == nil {
		err = s.OIDC.Stay(r.Context(), auth.PendingID(ticket), p.ID, a, keyspace.PendingSignIn)
	}
	if err != nil {
		s.Log.Warn().Err(err).Msg("a sign-in that waits cannot be kept")
		s.lost(w, r, "busy", a.Next)
		return
	}
	v := url.Values{"pending": {ticket}, "factors": {strings.Join(p.Factors(), ",")}, "next": {local(a.Next)}}
	if a.Desk != "" {
		v.Set("desk", a.Desk)
	}
	http.Redirect(w, r, "/login#"+v.Encode(), http.StatusSeeOther)
}

// moveStay hands a session at the provider on to the session here that it has become. What has ended there meanwhile does not begin here.
func (s *server) moveStay(r *http.Request, how, ticket string, id auth.Identity) error {
	if s.OIDC == nil || !strings.HasPrefix(how, byProvider) {
		return nil
	}
	ok, err := s.OIDC.Move(r.Context(), auth.PendingID(ticket), id.SessionID, s.Auth.SessionTime())
	if err == nil && !ok {
		err = s.Auth.Refuse(r, "the session at the provider has ended")
	}
	if err != nil {
		return errors.Join(err, s.Auth.EndSession(r.Context(), id.Subject, id.SessionID, auth.Act{Actor: id, From: s.Auth.ClientIP(r), Reason: "the provider could not end it", Request: requestID(r.Context())}))
	}
	return nil
}

// leaveProvider gives where the browser may go to sign out at the provider too; empty: nowhere.
func (s *server) leaveProvider(r *http.Request, id auth.Identity) string {
	if s.OIDC == nil || id.SessionID == "" {
		return ""
	}
	to, err := s.OIDC.Leave(r.Context(), id.SessionID, s.Auth.BaseURL(r)+"/login")
	if err != nil {
		s.Log.Warn().Err(err).Msg("the session at the provider goes on")
	}
	return to
}

// oidcEnded is the provider's word that a session has ended there (OpenID Connect Back-Channel Logout 1.0, section 2.5).
func (s *server) oidcEnded(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if s.OIDC == nil {
		tell(w, problem.NoAddress, "")
		return
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/x-www-form-urlencoded" || r.ParseForm() != nil || len(r.PostForm["logout_token"]) != 1 {
		tell(w, problem.BadRequest, "want a form with one logout_token")
		return
	}
	e, err := s.OIDC.Ended(r.Context(), r.PostForm.Get("logout_token"))
	if err == nil {
		var first bool
		once := "logout token " + s.OIDC.Config().Issuer + " " + e.ID
		if first, err = s.Auth.Once(r.Context(), once, e.Until.Sub(s.Now())+time.Minute); err == nil && !first {
			err = oidc.ErrRefused
		} else if err == nil {
			if err = s.endFromProvider(r, e); err != nil {
				s.Auth.Again(r.Context(), once)
			}
		}
	}
	switch {
	case errors.Is(err, oidc.ErrRefused):
		if errors.Is(s.Auth.Refuse(r, "a logout token: "+err.Error()), auth.ErrTooMany) {
			refused(w, auth.ErrTooMany)
			return
		}
		tell(w, problem.BadRequest, "the logout token is not accepted")
	case err != nil:
		s.Log.Warn().Err(err).Msg("a logout of the provider cannot be judged")
		w.Header().Set("Retry-After", "2")
		tell(w, problem.Unavailable, "this cannot be judged now")
	default:
		w.WriteHeader(http.StatusOK)
	}
}

// endFromProvider ends the sessions that began with a session at the provider; without one, all of whoever it names.
func (s *server) endFromProvider(r *http.Request, e oidc.Ended) error {
	who := auth.Identity{Subject: "provider:" + s.OIDC.Config().Issuer, Name: s.OIDC.Config().Label()}
	act := auth.Act{Actor: who, From: s.Auth.ClientIP(r), Reason: "signed out at the provider", Request: requestID(r.Context())}
	if e.SID == "" {
		p, err := s.People.ByExternal(r.Context(), people.External{Issuer: s.OIDC.Config().Issuer, Subject: e.Subject})
		if errors.Is(err, people.ErrNoPerson) {
			return nil
		} else if err != nil {
			return err
		}
		act.Object = "person:" + p.ID
		return s.Auth.EndPerson(r.Context(), p.ID, "", act)
	}
	all, err := s.OIDC.Sessions(r.Context(), e.SID)
	if err != nil {
		return err
	}
	for session, person := range all {
		end := s.Auth.EndSession(r.Context(), "user:"+person, session, act)
		if end != nil && !errors.Is(end, auth.ErrNoSession) { // else it waits for its second factor, or has ended here
			err = errors.Join(err, end)
			continue
		}
		_, left := s.OIDC.Leave(r.Context(), session, "")
		err = errors.Join(err, left)
	}
	return err
}

// provided is what a provider's groups gave an account.
func provided(p people.Person, issuer string) []access.Grant {
	for _, from := range p.Provided {
		if from.Issuer == issuer {
			return from.Grants
		}
	}
	return nil
}

// rolesOf names roles and where they are held, for the log.
func rolesOf(grants []access.Grant) string {
	var out []string
	for _, g := range grants {
		one := string(g.Role)
		if g.Agency != "" {
			one += " of " + g.Agency
		}
		if len(g.Areas) > 0 {
			one += " in " + strings.Join(g.Areas, ", ")
		}
		if len(g.Types) > 0 {
			one += " for " + strings.Join(g.Types, ", ")
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, "; ")
}
