package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/feeds/formats/native"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/problem"
)

// FeedSet is the feeds as they can be tried and changed while the house runs. Each change is kept with its audit record before it is answered.
type FeedSet interface {
	Try(ctx context.Context, ask []byte) (FeedTried, error)                               // *FeedFaults
	Put(ctx context.Context, name string, ask []byte, who audit.Actor) (FeedEntry, error) // *FeedFaults, *FeedConflict
	Remove(ctx context.Context, name string, version int64, who audit.Actor) error        // ErrNoFeed, *FeedConflict
	Versions(ctx context.Context, name string) ([]FeedVersion, error)                     // ErrNoFeed
	Entry(name string, editor bool) (entry FeedEntry, ok bool)                            // as it is in force
}

// ErrNoFeed says that no feed has this name.
var ErrNoFeed = errors.New("no feed has this name")

// FeedEntry is where the settings of a feed stand, and what they say. Secrets are shown as <secret>; who may not change feeds sees no
// queries of addresses either, for keys travel in them.
type FeedEntry struct {
	Source  string         `json:"source" enum:"file,api"`
	Version int64          `json:"version" doc:"To be named by who changes it; 0: of the file"`
	Config  map[string]any `json:"config" doc:"The keys of the configuration file"`
	At      moment.Time    `json:"at,omitzero" doc:"When it was changed last"`
	By      string         `json:"by,omitempty"`
}

// FeedVersion is the settings of a feed at a time.
type FeedVersion struct {
	Version int64          `json:"version"`
	At      moment.Time    `json:"at"`
	By      string         `json:"by"`
	Removed bool           `json:"removed,omitempty"`
	Config  map[string]any `json:"config,omitempty"`
}

// FeedFault is one thing that is wrong with settings or bytes. Key is that of the configuration file; body: the bytes.
type FeedFault struct {
	Key  string `json:"key"`
	Text string `json:"text"`
	Line int    `json:"line" doc:"From 1; 0: none"`
}

// FeedFaults is every fault at once: 422.
type FeedFaults struct {
	problem.Head
	Faults []FeedFault `json:"faults"`
}

// NewFeedFaults gives the answer for faults.
func NewFeedFaults(faults []FeedFault) *FeedFaults {
	return &FeedFaults{problem.Of(problem.FeedFaults, ""), faults}
}

// FeedConflict is a change that came too late, or is not allowed for where the feed stands: 409.
type FeedConflict struct {
	problem.Head
	Source  string     `json:"source" enum:"file,api"`
	Current *FeedEntry `json:"current,omitempty" doc:"Absent: there is none"`
}

// NewFeedConflict gives the answer for a conflict: problem.InFile, NoLonger or Changed.
func NewFeedConflict(code problem.Code, detail, source string, current *FeedEntry) *FeedConflict {
	return &FeedConflict{problem.Of(code, detail), source, current}
}

// FeedChange makes or changes a feed.
type FeedChange struct {
	Config  map[string]any `json:"config" doc:"The keys of the configuration file. A secret that is <secret> stays as it was"`
	Version int64          `json:"version,omitempty" doc:"What was read; 0: a new feed"`
}

// FeedTry asks what bytes would become.
type FeedTry struct {
	Config      map[string]any `json:"config,omitempty" doc:"The settings, with the keys of the configuration file; or yaml"`
	YAML        string         `json:"yaml,omitempty" doc:"One entry, or a file with one feed"`
	Body        string         `json:"body,omitempty" doc:"The bytes as text; or body_base64, or fetch"`
	BodyBase64  string         `json:"body_base64,omitempty"`
	Fetch       bool           `json:"fetch,omitempty" doc:"Ask the url of the settings once"`
	ContentType string         `json:"content_type,omitempty"`
	Topic       string         `json:"topic,omitempty"`
}

// FeedTried is what bytes would become. Nothing is stored.
type FeedTried struct {
	Faults     []FeedFault    `json:"faults"`
	Receipt    *feeds.Receipt `json:"receipt" doc:"What the sender would be told; null: nothing could be read. At most 200 refusals of each kind"`
	Records    native.Records `json:"records" doc:"The first 200 of each kind, in the fields of format native"`
	Totals     FeedTotals     `json:"totals"`
	Properties []FeedProperty `json:"properties" doc:"What is measured, the most frequent first, at most 100"`
	Places     FeedPlaces     `json:"places"`
	Follow     []string       `json:"follow" doc:"Addresses that the feed would ask next"`
	Bytes      int            `json:"bytes"`
	FirstBytes string         `json:"first_bytes" doc:"As text"`
	URL        string         `json:"url,omitempty" doc:"Where it was fetched, after redirects"`
}

// FeedTotals counts records and refusals.
type FeedTotals struct {
	Observations int `json:"observations"`
	Alerts       int `json:"alerts"`
	Reports      int `json:"reports"`
	Positions    int `json:"positions"`
	Ignored      int `json:"ignored"`
	Rejected     int `json:"rejected"`
}

// FeedProperty counts readings of one property in one unit.
type FeedProperty struct {
	Property string `json:"property"`
	Unit     string `json:"unit"`
	Count    int    `json:"count"`
}

// FeedPlaces counts where observations, reports and positions lie.
type FeedPlaces struct {
	Inside   int `json:"inside" doc:"In the areas of the profile"`
	Outside  int `json:"outside"`
	Unplaced int `json:"unplaced"`
}

// tryTime is how long a try may take: it may ask an address.
const tryTime = 30 * time.Second

func (s *server) feedSet() {
	const one = "/api/v1/feeds/{name}"
	strictly[FeedTry](s, needs(access.WriteFeeds).within(tryTime), "POST", "/api/v1/feeds/try", "try-feed", "What bytes become with a feed's settings; nothing is stored", http.StatusOK, s.tryFeed)
	strictly[FeedChange](s, needs(access.WriteFeeds).within(tryTime), "PUT", one, "put-feed", "Make or change a feed; every server sees it within 2 s", http.StatusOK, s.putFeed)
	operation(s, needs(access.WriteFeeds).within(tryTime), "DELETE", one, "remove-feed", "End a feed and revoke its keys; what it brought stays and grows old", http.StatusNoContent, s.removeFeed)
	operation(s, needs(access.WriteFeeds), "GET", one+"/versions", "feed-versions", "Who changed a feed, and to what: the last 20, the newest first", http.StatusOK, s.feedVersions)
}

// strictly registers a route whose body its room reads itself, more strictly than JSON is read: unknown and doubled keys are faults, each is
// told with its place, and no fault quotes a secret. B is what the document says of the body.
func strictly[B, I, O any](s *server, p policy, method, path, id, summary string, status int, handler func(context.Context, *I) (*O, error)) {
	shape := s.docs.OpenAPI().Components.Schemas.Schema(typeOf[B](), true, id)
	p.compress = true
	s.table.declare(method+" "+path, p)
	huma.Register(s.docs, huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary, DefaultStatus: status, MaxBodyBytes: smallBody, SkipValidateBody: true,
		Errors: []int{400, 401, 403, 404, 409, 422, 503}, Security: []map[string][]string{{"bearer": {}}, {"session": {}}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: shape}}},
	}, handler)
}

type tryIn struct {
	RawBody []byte `contentType:"application/octet-stream"`
}

func (s *server) tryFeed(ctx context.Context, in *tryIn) (*body[FeedTried], error) {
	out, err := s.FeedSet.Try(ctx, in.RawBody)
	if err != nil {
		return nil, s.changeFault(err)
	}
	return &body[FeedTried]{out}, nil
}

type putFeedIn struct {
	Name    string `path:"name" maxLength:"63"`
	RawBody []byte `contentType:"application/octet-stream"`
}

func (s *server) putFeed(ctx context.Context, in *putFeedIn) (*body[FeedEntry], error) {
	out, err := s.FeedSet.Put(ctx, in.Name, in.RawBody, actor(ctx))
	if err != nil {
		return nil, s.changeFault(err)
	}
	return &body[FeedEntry]{out}, nil
}

type removeFeedIn struct {
	Name    string `path:"name" maxLength:"63"`
	Version int64  `query:"version" required:"true" minimum:"1" doc:"What was read"`
}

func (s *server) removeFeed(ctx context.Context, in *removeFeedIn) (*struct{}, error) {
	if err := s.FeedSet.Remove(ctx, in.Name, in.Version, actor(ctx)); err != nil {
		return nil, s.changeFault(err)
	}
	if err := s.revokeKeysOf(ctx, in.Name); err != nil {
		return nil, s.keyFault(fmt.Errorf("the feed is removed, but not all of its keys are revoked: %w", err))
	}
	return &struct{}{}, nil
}

type feedName struct {
	Name string `path:"name" maxLength:"63"`
}

func (s *server) feedVersions(ctx context.Context, in *feedName) (*body[List[FeedVersion]], error) {
	list, err := s.FeedSet.Versions(ctx, in.Name)
	if err != nil {
		return nil, s.changeFault(err)
	}
	return listOf(list, ""), nil
}

// changeFault turns an error of the feed set into an answer.
func (s *server) changeFault(err error) error {
	var faults *FeedFaults
	var late *FeedConflict
	switch {
	case errors.As(err, &faults):
		return faults
	case errors.As(err, &late):
		return late
	}
	return s.fault(err)
}
