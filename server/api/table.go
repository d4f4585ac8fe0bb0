package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"kentongan/alerts/audit"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/book"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// smallBody bounds every body but a push.
const smallBody = 1 << 20

// askTime bounds what one request of an interface may ask of the store.
const askTime = 5 * time.Second

// kind is what becomes of a stranger.
type kind int

const (
	undeclared kind = iota
	public          // anyone
	page            // strangers are led to the sign-in page
	interfaces      // strangers get 401
	sender          // as interfaces, and a key may stand as Basic password or in X-Api-Key
)

// policy says who may use a route, and within which bounds.
type policy struct {
	kind     kind
	right    access.Action   // needed, for all but public
	also     []access.Action // of a page: any of them lets in as well
	object   string          // noun of the object that {id} names: it is loaded and judged before the handler runs
	body     int64           // largest body; 0 is smallBody
	compress bool
	time     time.Duration // what one request may take, of an interface; 0: askTime
	free     bool          // it has a pace of its own
	slow     bool          // what a person types by hand, and nobody else should try
}

// anyone, needs, screen and pusher are the policies as routes declare them.
func anyone() policy                    { return policy{kind: public} }
func needs(right access.Action) policy  { return policy{kind: interfaces, right: right} }
func screen(right access.Action) policy { return policy{kind: page, right: right} }
func pusher(body int64) policy          { return policy{kind: sender, right: access.Ingest, body: body} }

// about is needs of a route that names one object: the handler finds it by objectOf. Reading what may not be known to be there is 404;
// another act that is not allowed is 403.
func about(right access.Action, noun string) policy {
	return policy{kind: interfaces, right: right, object: noun}
}

// within gives a route more time than askTime.
func (p policy) within(d time.Duration) policy { p.time = d; return p }

// unpaced is of a route whose own door bounds how many come.
func (p policy) unpaced() policy { p.free = true; return p }

// slowly lets one address ask no faster than a person types.
func (p policy) slowly() policy { p.slow = true; return p }

// or lets in whoever holds any of these rights too.
func (p policy) or(rights ...access.Action) policy { p.also = rights; return p }

// Route is one line of the table.
type Route struct {
	Pattern string // "GET /api/v1/things"
	Public  bool
	Who     string // public, page, interface or sender
	Right   access.Action
	Object  string // noun of the object that {id} names, on which the right is asked; empty: in general
	Body    int64  // bytes of the largest body
}

// table is the mux with a policy before every route. It is the Mux that huma registers with.
type table struct {
	s        *server
	pace     *pace
	mux      *http.ServeMux
	policies map[string]policy
	routes   []Route
	faults   []error
}

func newTable(s *server) *table {
	return &table{s: s, pace: newPace(s.Now), mux: http.NewServeMux(), policies: map[string]policy{}}
}

// declare sets the policy of a pattern that is registered next.
func (t *table) declare(pattern string, p policy) { t.policies[pattern] = p }

// handle registers a route with its policy.
func (t *table) handle(pattern string, p policy, h http.HandlerFunc) {
	t.declare(pattern, p)
	t.HandleFunc(pattern, h)
}

// HandleFunc registers a route whose policy was declared; without one the table has a fault and the server does not start.
func (t *table) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	p, ok := t.policies[pattern]
	if !ok {
		p = policy{}
	}
	if err := p.check(pattern); err != nil {
		t.faults = append(t.faults, fmt.Errorf("route %s %w", pattern, err))
		return
	}
	t.routes = append(t.routes, Route{pattern, p.kind == public, p.kind.String(), p.right, p.object, p.limit()})
	t.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { t.guard(p, h, w, r) })
}

func (k kind) String() string {
	return [...]string{"undeclared", "public", "page", "interface", "sender"}[k]
}

// limit is the largest body.
func (p policy) limit() int64 { return cmp.Or(p.body, smallBody) }

// guarded tells the paths under which every route that names an object must say which, and have it judged.
var guarded = map[string]string{"/api/v1/incidents/{": scope.NounIncident, "/api/v1/reports/{": scope.NounReport, "/api/v1/things/{": scope.NounThing}

// check finds what is missing in a policy: without it the server does not start.
func (p policy) check(pattern string) error {
	_, path, _ := strings.Cut(pattern, " ")
	switch {
	case p.kind == undeclared || p.kind != public && p.right == "":
		return errors.New("declares no policy")
	case p.kind != public && !slices.Contains(access.Actions(), p.right):
		return fmt.Errorf("needs %q, which access does not know", p.right)
	case p.object != "" && generic[p.object] == "":
		return fmt.Errorf("is about a %q, which is not loaded by any name", p.object)
	case p.object != "" && !strings.Contains(path, "{id}"):
		return fmt.Errorf("is about one %s and has no {id}", p.object)
	}
	for begin, noun := range guarded {
		if strings.HasPrefix(path, begin) && p.object != noun {
			return fmt.Errorf("names one %s and does not have it judged", noun)
		}
	}
	return nil
}

type requestKey struct{}

// request is under which id a request is audited and logged, from where it came, what it asks for ("GET /api/v1/things"), and under which
// address it knows us.
type request struct{ id, client, line, base string }

type routeKey struct{}

// askedFor is what the current request asks for.
func askedFor(ctx context.Context) auth.Asked {
	route, _ := ctx.Value(routeKey{}).(string)
	r, _ := ctx.Value(requestKey{}).(request)
	return auth.Asked{Route: route, Path: r.line}
}

func requestID(ctx context.Context) string {
	r, _ := ctx.Value(requestKey{}).(request)
	return r.id
}

func clientOf(ctx context.Context) string {
	r, _ := ctx.Value(requestKey{}).(request)
	return r.client
}

func baseOf(ctx context.Context) string {
	r, _ := ctx.Value(requestKey{}).(request)
	return r.base
}

// ServeHTTP answers every request: headers that hold everywhere, then the route, or a problem where there is none.
func (t *table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := ulid.Make().String()
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, request{id, t.s.Auth.ClientIP(r), r.Method + " " + r.URL.Path, t.s.Auth.BaseURL(r)}))
	w.Header().Set("X-Request-Id", id)
	Headers(w.Header(), t.s.Secure)
	defer t.recover(w, r)
	if len(r.URL.Path) > 2048 || strings.ContainsRune(r.URL.Path, 0) {
		tell(w, problem.BadRequest, "the address cannot be read")
		return
	}
	if !plain(r.URL) {
		tell(w, problem.NoAddress, "an address has one spelling: no empty part, no . and no ..")
		return
	}
	if h, pattern := t.mux.Handler(r); pattern == "" {
		t.nowhere(h, w, r)
		return
	}
	t.mux.ServeHTTP(w, r)
}

// plain tells an address whose path a cleaner would leave as it is: what two readers could read in two ways leads nowhere, not even by a
// redirect. A slash that is escaped belongs to an id.
func plain(u *url.URL) bool {
	p := u.EscapedPath()
	for part := range strings.SplitSeq(p, "/") {
		if name, err := url.PathUnescape(part); err != nil || name == "." || name == ".." {
			return false
		}
	}
	return strings.HasPrefix(p, "/") && !strings.Contains(p, "//")
}

// Headers sets what every answer of this house carries, also those that come before there are routes. secure: over TLS.
func Headers(h http.Header, secure bool) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", unplacedPolicy)
	h.Set("X-Frame-Options", "DENY")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// What a page may ask of its browser: nothing; and of a crew's phone, where it is.
const (
	unplacedPolicy = "geolocation=(), camera=(), microphone=()"
	placedPolicy   = "geolocation=(self), camera=(), microphone=()"
)

// contentPolicy is FAULTS section 5: nothing inline, nothing from elsewhere. media-src: moving pictures of cameras, which a player puts together
// in the page (Media Source Extensions) and shows under a blob address.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
	"worker-src 'self'; media-src 'self' blob:; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; " +
	"require-trusted-types-for 'script'; trusted-types default svelte-trusted-html"

// nowhere turns the mux's plain 404 and 405 into problems.
func (t *table) nowhere(h http.Handler, w http.ResponseWriter, r *http.Request) {
	var got statusOnly
	got.header = http.Header{}
	h.ServeHTTP(&got, r)
	if allow := got.header.Get("Allow"); got.status == http.StatusMethodNotAllowed && allow != "" {
		w.Header().Set("Allow", allow)
		tell(w, problem.MethodNotAllowed, "this address takes "+allow)
		return
	}
	if to := got.header.Get("Location"); to != "" && got.status/100 == 3 {
		http.Redirect(w, r, to, got.status)
		return
	}
	tell(w, problem.NoAddress, "")
}

// statusOnly takes an answer apart without sending it.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header { return s.header }
func (s *statusOnly) WriteHeader(n int)   { s.status = n }
func (s *statusOnly) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return len(b), nil
}

func (t *table) recover(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	t.s.Log.Error().Str("path", r.URL.Path).Str("request", requestID(r.Context())).Interface("panic", v).Bytes("stack", debug.Stack()).Msg("a handler panicked")
	tell(w, problem.Internal, "")
}

// guard lets a request through to its handler when its policy allows.
func (t *table) guard(p policy, h http.HandlerFunc, w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, p.limit())
	var id auth.Identity
	if p.kind != public {
		var ok bool
		if id, ok = t.admit(p, w, r); !ok {
			return
		}
		ctx := book.With(auth.Context(r.Context(), id), audit.Record{Actor: id.Subject, Agency: id.Agency, Request: requestID(r.Context())})
		r = r.WithContext(context.WithValue(ctx, routeKey{}, auth.AskedBy(r).Route))
	}
	if !t.paced(p, w, r, id) {
		return
	}
	if p.slow && r.Method != http.MethodGet && r.Method != http.MethodHead && t.s.Auth.CheckWrite(r) != nil {
		tell(w, problem.ForeignPage, "")
		return
	}
	if p.kind == interfaces || p.slow { // a store that hangs must not keep callers, who would pile up
		ctx, cancel := context.WithTimeout(r.Context(), max(askTime, p.time))
		defer cancel()
		r = r.WithContext(ctx)
	}
	if p.kind == interfaces || p.kind == sender || p.slow {
		w.Header().Set("Cache-Control", "no-store")
	}
	if p.object != "" {
		var ok bool
		if r, ok = t.named(p, w, r); !ok {
			return
		}
	}
	if p.compress {
		z := compress(w, r)
		defer z.close()
		w = z
	}
	h(w, r)
}

// admit tells who asks and whether they may; where not, the answer is given.
func (t *table) admit(p policy, w http.ResponseWriter, r *http.Request) (auth.Identity, bool) {
	identify := t.s.Auth.Identify
	if p.kind == sender {
		identify = t.s.Auth.IdentifySender
	}
	id, err := identify(r)
	if feed := r.PathValue("feed"); p.kind == sender && errors.Is(err, auth.ErrAnonymous) && t.s.signs(feed, r) {
		id, err = auth.Signed(feed), nil // the route holds the signature against the body before it takes anything
	}
	if err != nil {
		t.refuse(p, w, r, err)
		return id, false
	}
	if !id.Can(p.right) && !slices.ContainsFunc(p.also, id.Can) {
		reason := cmp.Or(id.May(p.right, access.Object{}, t.s.Now()).Reason, "it is not among your rights now")
		t.s.Auth.ForbidFor(r.Context(), id, t.s.Auth.ClientIP(r), auth.AskedBy(r), p.right, reason)
		t.s.answerFault(w, deny(p.right, reason))
		return id, false
	}
	if p.kind == sender && !t.feeds(w, r, id) {
		return id, false
	}
	if p.kind == page && id.Via == auth.ViaDevice && t.led(w, r, id) {
		return id, false
	}
	if id.ByCookie() && r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := t.s.Auth.CheckWrite(r); err != nil {
			t.s.Auth.Forbid(r, id, "a page of ours")
			tell(w, problem.ForeignPage, "")
			return id, false
		}
	}
	return id, true
}

// feeds tells whether a sender may bring a delivery of a feed now; where not, the answer is given.
func (t *table) feeds(w http.ResponseWriter, r *http.Request, id auth.Identity) bool {
	if d := t.s.Auth.MayFeed(id, r.PathValue("feed")); !d.Allowed() {
		t.s.Auth.Forbid(r, id, "a key of this feed")
		tell(w, problem.FeedKey, "a key of this feed is needed; yours is "+cmp.Or(d.Reason, "of another"))
		return false
	}
	if wait := t.s.Auth.Spend(r.Context(), id); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		tell(w, problem.SlowDown, "this key may bring no more now; its rate is over all servers")
		return false
	}
	return true
}

// led renews the cookie of a device, and leads a wall from any other page to the screen that it is bound to.
func (t *table) led(w http.ResponseWriter, r *http.Request, id auth.Identity) bool {
	t.s.Auth.RenewDevice(w, r, id)
	if q := r.URL.Query(); id.Screen != "" && (r.URL.Path != "/wall" || q.Get("screen") != id.Screen) {
		q.Set("screen", id.Screen)
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/wall?"+q.Encode(), http.StatusSeeOther)
		return true
	}
	return false
}

func (t *table) refuse(p policy, w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Cache-Control", "no-store")
	if p.kind == page && (errors.Is(err, auth.ErrAnonymous) || errors.Is(err, auth.ErrDenied)) {
		to := "/login?next=" + url.QueryEscape(r.URL.RequestURI())
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	refused(w, err)
}

// refused answers a request whose sender is not known.
func refused(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, auth.ErrTooMany):
		w.Header().Set("Retry-After", "60")
		tell(w, problem.TooManyTries, "wait a minute")
	case errors.Is(err, auth.ErrAnonymous), errors.Is(err, auth.ErrDenied):
		w.Header().Set("WWW-Authenticate", `Bearer realm="kentongan"`)
		tell(w, problem.Unauthorized, err.Error())
	default:
		w.Header().Set("Retry-After", "2")
		tell(w, problem.Unavailable, "")
	}
}
