// Package api is HTTP, one file per resource; thin.
//
// Every route declares who may use it in the line that registers it; a route without a declaration stops the start. Errors are
// application/problem+json (RFC 9457).
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"kentongan/alerts/alarm"
	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/feeds/transports/push"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/server/auth"
	"kentongan/server/basemap"
	"kentongan/server/devices"
	"kentongan/server/oidc"
	"kentongan/server/people"
	"kentongan/server/problem"
	"kentongan/server/profile"
	"kentongan/server/walls"
	"kentongan/server/wire"
)

// Deps are the rooms that the interface shows. All are needed but Gather.
type Deps struct {
	Auth    *auth.Auth
	Picture *index.Picture
	Places  *UnitPlaces // nil: made of Picture
	Roads   Roads       // nil: travel times are by distance
	Place   func(ctx context.Context, b feeds.Batch, m feeds.Meta) (feeds.Receipt, error)
	History *index.Store
	Cases   *store.Store
	Deliver func(ctx context.Context, feed string, body []byte, meta feeds.Meta) (feeds.Outcome, error)
	Door    func(feed string) push.Door
	Devices *devices.Store // nil: no routes of devices
	Feeds   func() []feeds.FeedStatus
	FeedSet FeedSet
	Rules   func() []rules.Listed
	RuleSet RuleSet
	Alarms  alarm.Config // limits of shelving
	Profile *profile.Profile
	Basemap *basemap.Map // nil: none
	Cameras *Cameras     // nil: none
	Walls   *walls.Store // nil: no routes of walls
	Blobs   *Blobs       // nil: attachments are not kept
	Live    func(w http.ResponseWriter, r *http.Request, id auth.Identity, json bool)
	Cells   func(ctx context.Context, bound geo.Bound, res geo.Resolution, layers []string, units bool) ([]wire.Cell, error)
	Ready   func(ctx context.Context) Readiness

	CTISecret []byte // of the telephone exchange; empty: its key is enough
	Outbox    Outbox
	AuditLog  AuditLog
	Privacy   *Privacy
	Replay    Replay
	Contracts Contracts            // of feeds
	Simulator Simulator            // nil: no feed has transport simulator
	SignedOut func(session string) // told the hash of a session that has ended, so that its sockets end too; nil: nobody
	Renewed   func(session string) // told the hash of a session that goes on under another secret: its sockets come back; nil: nobody
	People    *people.Store
	Changes   *people.Changes
	Factors   *people.Factors
	OIDC      *oidc.Provider      // nil: nobody signs in at a provider
	Gather    prometheus.Gatherer // nil: no /metrics
	Files     fs.FS               // the built screens
	Version   string

	Insecure    bool   // plain HTTP beyond loopback: every screen says so
	Secure      bool   // this server speaks TLS
	Root        []byte // PEM of our own authority, where TLS rests on it; nil: none
	MaxBody     int64  // bytes of a push as sent
	MaxInflated int64

	Now func() time.Time
	Log zerolog.Logger
}

// Readiness is what /readyz says.
type Readiness struct {
	Ready    bool     `json:"ready"`
	Storage  string   `json:"storage"` // durable, weak or volatile
	Store    string   `json:"store"`   // "redis 7.0.15"
	Warnings []string `json:"warnings"`
	Reason   string   `json:"reason,omitempty"` // where not ready
}

// server holds the rooms for the handlers.
type server struct {
	Deps
	table *table
	gzips *push.Inflater
	begun *rate.Limiter
	docs  huma.API
	spec  []byte
}

// New gives the handler of every route. An error means a route without a policy, or screens that cannot be read.
func New(d Deps) (http.Handler, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	d.Log = d.Log.With().Str("component", "api").Logger()
	d.Auth.OnEnded(func(session string, goesOn bool) {
		if told := map[bool]func(string){false: d.SignedOut, true: d.Renewed}[goesOn]; told != nil {
			told(session)
		}
	})
	s := &server{Deps: d, gzips: push.NewInflater(d.MaxInflated), begun: newBegun()}
	if s.Places == nil {
		s.Places = s.places()
	}
	s.table = newTable(s)
	if err := s.register(); err != nil {
		return nil, err
	}
	return s.table, nil
}

func (s *server) register() error {
	cfg := huma.DefaultConfig("Kentongan", s.Version)
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath, cfg.CreateHooks = "", "", "", nil
	cfg.Formats = map[string]huma.Format{"application/json": strictJSON(), "json": strictJSON()}
	problem.Speak()
	cfg.Info.Description = "A city's operations centre. Every answer but a public one needs a bearer token or a session."
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer":  {Type: "http", Scheme: "bearer"},
		"session": {Type: "apiKey", In: "cookie", Name: "kentongan"},
	}
	cfg.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[geo.Shape](), reflect.TypeFor[*geometry]())
	cfg.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[json.RawMessage](), reflect.TypeFor[map[string]any]())
	s.docs = humago.New(s.table, cfg)
	s.things()
	s.cells()
	s.coverage()
	s.alerts()
	s.alarms()
	s.incidents()
	s.incidentActs()
	s.life()
	s.suggestions()
	s.reports()
	s.plans()
	s.units()
	s.unitEdits()
	s.unitPlaces()
	s.unitPanic()
	s.unitReach()
	s.dispatches()
	s.webhooks()
	s.pushes()
	s.statements()
	s.areaStatus()
	s.briefing()
	s.lists()
	s.rules()
	s.feed()
	s.feedSet()
	s.basemap()
	s.cameras()
	s.walls()
	s.simulator()
	s.search()
	s.ingest()
	s.replay()
	s.session()
	s.sessionFactor()
	s.keys()
	s.reporter()
	s.privacy()
	s.public()
	s.users()
	s.changes()
	s.desks()
	s.devices()
	s.live()
	s.health()
	s.root()
	if err := s.pages(); err != nil {
		return err
	}
	spec, err := s.docs.OpenAPI().MarshalJSON()
	if err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	s.spec = spec
	return errors.Join(s.table.faults...)
}

// geometry is a GeoJSON geometry in the OpenAPI document.
type geometry struct {
	Type        string `json:"type" doc:"Point, LineString, Polygon, their Multi forms, or GeometryCollection"`
	Coordinates any    `json:"coordinates,omitempty"`
}

// List is how every list answers.
type List[T any] struct {
	Items    []T    `json:"items"`
	NextPage string `json:"next_page" doc:"Give it as page to go on; empty at the end"`
}

// body wraps an answer for huma.
type body[T any] struct{ Body T }

func listOf[T any](items []T, next string) *body[List[T]] {
	if items == nil {
		items = []T{}
	}
	return &body[List[T]]{List[T]{items, next}}
}

// operation registers a documented route; the right stands in the same line as the path.
func operation[I, O any](s *server, p policy, method, path, id, summary string, status int, handler func(context.Context, *I) (*O, error)) {
	op := huma.Operation{Method: method, Path: path, OperationID: id, Summary: summary, DefaultStatus: status, MaxBodyBytes: smallBody,
		Errors: []int{400, 401, 403, 404, 503}}
	if p.kind != public {
		op.Security = []map[string][]string{{"bearer": {}}, {"session": {}}}
	}
	p.compress = true
	s.table.declare(method+" "+path, p)
	huma.Register(s.docs, op, handler)
}
