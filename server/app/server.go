package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"kentongan/feeds/transports/push"
	"kentongan/frontend"
	"kentongan/server/api"
	"kentongan/server/auth"
	"kentongan/server/book"
	"kentongan/server/outbox"
	"kentongan/server/problem"
)

// Bounds of a connection (FAULTS section 5). Routes that need longer say so themselves.
const (
	headerTime = 5 * time.Second
	bodyTime   = 60 * time.Second
	answerTime = 60 * time.Second
	idleTime   = 60 * time.Second
	headerSize = 64 << 10
)

// listen opens the address at once: until the routes are there, /healthz and /readyz answer and all else is told to wait.
func (a *App) listen() error {
	l, err := net.Listen("tcp", a.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", a.cfg.Listen, err)
	}
	a.listener = l
	a.http = &http.Server{Handler: http.HandlerFunc(a.route), ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, WriteTimeout: answerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerSize,
		ErrorLog: stdlog.New(a.log.With().Str("component", "http").Logger().Level(zerolog.WarnLevel), "", 0)}
	if a.tls, err = a.openTLS(); err != nil {
		_ = l.Close()
		return err
	}
	if a.tls != nil {
		own := a.tls.Clone()
		own.NextProtos = []string{"http/1.1"} // a WebSocket begins so
		l = tls.NewListener(l, own)
	}
	if err := a.listenDebug(); err != nil {
		_ = a.listener.Close()
		return err
	}
	go func() {
		if err := a.http.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			a.failures <- fmt.Errorf("serve %s: %w", a.cfg.Listen, err)
		}
	}()
	a.stack.push("address", func(context.Context) error { return a.http.Close() })
	a.log.Info().Str("addr", a.Addr()).Msg("listening")
	if a.openHTTP() {
		a.log.Warn().Str("addr", a.Addr()).Msg("plain HTTP beyond this machine: whoever is on the way can read and change everything")
	}
	return nil
}

// closeDoor closes the address; requests that are under way go on.
func (a *App) closeDoor() {
	a.draining.Do(func() {
		a.http.SetKeepAlivesEnabled(false)
		_ = a.listener.Close()
	})
}

func (a *App) listenDebug() error {
	if a.cfg.DebugListen == "" {
		return nil
	}
	l, err := net.Listen("tcp", a.cfg.DebugListen)
	if err != nil {
		return fmt.Errorf("debug_listen on %s: %w", a.cfg.DebugListen, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.reg, promhttp.HandlerOpts{}))
	srv := &http.Server{Handler: loopbackOnly(mux), ReadHeaderTimeout: headerTime, MaxHeaderBytes: headerSize}
	go func() { _ = srv.Serve(l) }() // ends with Close below
	a.stack.push("debug", func(context.Context) error { return srv.Close() })
	a.log.Info().Str("addr", l.Addr().String()).Msg("debug listening")
	return nil
}

// loopbackOnly refuses a page elsewhere that made a browser here ask under another name.
func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
			http.Error(w, "loopback only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// route hands requests to the routes, or answers for them while they are not there.
func (a *App) route(w http.ResponseWriter, r *http.Request) {
	if h := a.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	api.Headers(w.Header(), a.cfg.Secure())
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/healthz":
		_ = json.NewEncoder(w).Encode(map[string]bool{"alive": true})
	case "/readyz":
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(w).Encode(api.Readiness{Warnings: []string{}, Reason: *a.reason.Load()})
	default:
		w.Header().Set("Retry-After", "1")
		problem.Write(w, problem.New(problem.Starting, ""))
	}
}

// newServer builds who may come in; the routes follow in open, once the picture is loaded.
func (a *App) newServer() error {
	var err error
	a.book = book.New(a.rdb, a.keys, time.Now, func() int {
		if a.cases == nil { // nothing is written before the cases are open
			return 0
		}
		return a.cases.Confirmed()
	})
	a.newPeople()
	a.onChanges()
	a.auth, err = auth.New(a.rdb, a.keys, a.cfg.Auth(), a.record, time.Now, a.log)
	if err != nil {
		return err
	}
	a.auth.Book(a.book)
	a.newDevices()
	if err := a.newWalls(); err != nil {
		return err
	}
	return nil
}

// record keeps an act of signing in or of being refused in the audit log.
func (a *App) record(ctx context.Context, act auth.Act) error {
	return a.cases.Record(ctx, act.Record())
}

// door is what is special about pushing to a feed.
func (a *App) door(feed string) push.Door { return a.push.Door(feed) }

// open puts the routes in place.
func (a *App) open() error {
	files, err := a.openFiles()
	if err != nil {
		return err
	}
	ctiSecret, err := outbox.ReadSecret(a.cfg.CTISecret.Reveal())
	if err != nil {
		return fmt.Errorf("cti_secret: %w", err)
	}
	h, err := api.New(api.Deps{
		CTISecret: ctiSecret,
		Blobs:     files, Auth: a.auth, Picture: a.picture, Places: a.places, Roads: a.roads(), Place: a.pipeline.Store, History: a.index, Cases: a.cases, Deliver: a.deliver, Door: a.door, Feeds: a.feedStatus, FeedSet: a.feedSet, Rules: a.ruleSet.List, RuleSet: a.ruleSet, Alarms: a.cfg.Alarms.Filled(), Profile: a.profile,
		Basemap: a.basemap, Cameras: a.cameras, Walls: a.walls, Outbox: a.outbox, AuditLog: a.auditLog,
		Live: a.hub.Serve, Cells: a.hub.Cells, SignedOut: a.sessionEnded, Renewed: a.sessionRenewed, People: a.people, Factors: a.factors, OIDC: a.oidc, Devices: a.devices, Changes: a.changes, Ready: a.readiness, Gather: a.reg, Files: frontend.Files(), Version: a.version, Insecure: a.openHTTP(), Secure: a.cfg.Secure(), Root: a.root(),
		Simulator: a.simulator(), Contracts: contracts{a}, Replay: a.again, Privacy: a.personal(),
		MaxBody: int64(a.cfg.Limits.Body), MaxInflated: int64(a.cfg.Limits.Inflated), Now: time.Now, Log: a.log,
	})
	if err != nil {
		return err
	}
	a.handler.Store(&h)
	return nil
}

// BaseURL is the address people use. Where we listen on every interface, this machine's own name for itself.
func (a *App) BaseURL() string {
	if a.cfg.PublicURL != "" {
		u, _ := url.Parse(a.cfg.PublicURL) // checked with the configuration
		return u.Scheme + "://" + u.Host
	}
	scheme := "http"
	if a.cfg.Secure() {
		scheme = "https"
	}
	addr := a.listener.Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, fmt.Sprint(addr.Port))
}
