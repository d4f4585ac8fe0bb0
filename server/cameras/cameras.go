// Package cameras is the city's cameras: the server asks them, and screens ask only us.
//
// A camera's address and what it is asked with never leave this package: a picture is made anew, a playlist is rewritten so that every address in it
// is a name that only we can read, and an error holds no address. One question serves all who look. Of a camera that fails the last picture
// stays, with its age.
package cameras

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds/bounded"
	"kentongan/geo"
	"kentongan/server/access"
)

// Feed stands for the feed of cameras that the configuration names: their Things are "camera:<id>". Kind is that of every camera's Thing.
const (
	Feed = "camera"
	Kind = "camera"
)

// Errors of looking through a camera.
var (
	ErrNone   = errors.New("there is no such camera")
	ErrNoWay  = errors.New("this camera has no such pictures")
	ErrBusy   = errors.New("too many look at once")
	ErrUnseen = errors.New("no picture has come yet")
)

// Camera is what may be known of a camera; of its address nothing.
type Camera struct {
	ID          string // of its Thing: "camera:<id>", "<feed>:<native id>" of a simulated one
	Name        string
	Position    geo.Position
	Still, HLS  bool
	Every       time.Duration // between pictures
	Agency      string
	Restricted  bool
	Roles       []access.Role
	Simulated   bool
	Attribution string
}

// Object is a camera as access knows it.
func (c *Camera) Object() access.Object {
	o := access.Object{Noun: Kind, Restricted: c.Restricted, Roles: c.Roles}
	if c.Agency != "" {
		o.Agencies = []string{c.Agency}
	}
	return o
}

// Drawn is a camera that is not there: its picture of a time is drawn, as PNG.
type Drawn struct {
	Camera
	Draw func(ctx context.Context, at time.Time) ([]byte, error)
}

// Frame is one picture. At is when it reached us; a camera tells no time that could be believed.
type Frame struct {
	Body []byte // nil of a camera that has playlists only
	Type string
	At   time.Time
}

// Sight is a camera and how it fares. Fault is a code of bounded.Fault, and "picture", "playlist", "stopped", "turn" or "auth"; empty: the last
// question was answered.
type Sight struct {
	Camera
	TakenAt time.Time // of the last picture that this server has; zero: none
	Fault   string
}

// Options are what the house lends.
type Options struct {
	Cameras   []Config // free of faults
	Drawn     []Drawn
	Secret    []byte // the same on every server of a house: names of addresses follow from it
	UserAgent string
	Now       func() time.Time
	Log       zerolog.Logger
}

// Set is all cameras. Safe for concurrent use.
type Set struct {
	list   []*camera
	byID   map[string]*camera
	sealer *sealer
	turns  *turns
	takers takers
	held   atomic.Int64 // bytes of pieces
	now    func() time.Time
	log    zerolog.Logger
}

type camera struct {
	Camera
	config Config
	client *client // nil: it is drawn
	host   lane    // of its host; nil: it is drawn
	draw   func(ctx context.Context, at time.Time) ([]byte, error)

	taken int // answers under way; of Set.takers

	mu     sync.Mutex
	pieces map[string]*piece // on their way, by range and address
	frame  Frame
	fault  *bounded.Fault
	tried  time.Time     // when it was last asked
	busy   chan struct{} // closed when the question under way is answered; nil: none is

	// Of the question under way alone.
	slow  bool // the last answer did not come in time
	far   progress
	farAt time.Time // when its playlist last went on; zero: none has come
}

// New makes the cameras ready; it asks none of them. An error is a file of tls that cannot be read.
func New(o Options) (*Set, error) {
	names, err := newSealer(o.Secret)
	if err != nil {
		return nil, fmt.Errorf("cameras: %w", err)
	}
	s := &Set{byID: map[string]*camera{}, sealer: names, turns: newTurns(), takers: takers{of: map[string]int{}}, now: o.Now, log: o.Log.With().Str("component", "cameras").Logger()}
	for i, c := range o.Cameras {
		client, err := newClient(c, o.UserAgent)
		if err != nil {
			return nil, fmt.Errorf("cameras[%d]: %w", i, err)
		}
		s.add(&camera{config: c, client: client, pieces: map[string]*piece{}, host: s.turns.of(client.home), Camera: Camera{ID: Feed + ":" + c.ID, Name: c.Name, Position: geo.Position{Lat: c.Lat, Lng: c.Lng}, Still: c.Still != "", HLS: c.HLS != "",
			Every: c.every(), Agency: c.Agency, Restricted: c.Restricted, Roles: c.Roles, Attribution: c.Attribution}})
	}
	for _, d := range o.Drawn {
		s.add(&camera{Camera: d.Camera, draw: d.Draw})
	}
	return s, nil
}

func (s *Set) add(c *camera) {
	s.list = append(s.list, c)
	s.byID[c.ID] = c
}

// Of gives a camera by the id of its Thing.
func (s *Set) Of(id string) (Camera, bool) {
	c := s.byID[id]
	if c == nil {
		return Camera{}, false
	}
	return c.Camera, true
}

// List gives every camera, in the order of the configuration, simulated ones last.
func (s *Set) List() []Sight {
	out := make([]Sight, 0, len(s.list))
	for _, c := range s.list {
		c.mu.Lock()
		one := Sight{Camera: c.Camera, TakenAt: c.frame.At}
		if c.fault != nil {
			one.Fault = c.fault.Code
		}
		c.mu.Unlock()
		out = append(out, one)
	}
	return out
}

// Still gives the last picture of a camera: asked anew where the one we have is older than the camera's interval, once for all who wait. Where
// it does not answer the picture before it stands. Errors: ErrNone, ErrNoWay, ErrUnseen with why.
func (s *Set) Still(ctx context.Context, id string) (Frame, error) {
	c := s.byID[id]
	switch {
	case c == nil:
		return Frame{}, ErrNone
	case !c.Still:
		return Frame{}, ErrNoWay
	}
	f, fault := s.look(ctx, c)
	if f.Body != nil {
		return f, nil
	}
	if fault == nil {
		return f, ErrUnseen
	}
	return f, fmt.Errorf("%w: %w", ErrUnseen, fault)
}

// look gives the last picture, and why the last question had none. It waits for an answer that is due, at most until ctx ends.
func (s *Set) look(ctx context.Context, c *camera) (Frame, *bounded.Fault) {
	c.mu.Lock()
	if c.busy == nil && !s.now().Before(c.tried.Add(c.Every)) {
		c.busy = make(chan struct{})
		// Apart from who asked first: whoever else waits must not lose the answer when that one leaves. It is bounded by askTime.
		go s.ask(context.WithoutCancel(ctx), c)
	}
	busy := c.busy
	c.mu.Unlock()
	if busy != nil {
		select {
		case <-busy:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frame, c.fault
}

// ask asks a camera once and keeps what comes. It takes no longer than askTime, its turn and the drawing up of the picture included.
func (s *Set) ask(ctx context.Context, c *camera) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	f, err := s.picture(ctx, c)
	cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.fault
	if c.fault = nil; err != nil {
		c.fault = bounded.Explain(err)
	} else {
		c.frame = f
	}
	if c.fault != nil && (was == nil || was.Code != c.fault.Code) { // once for each cause, not for each question
		s.log.Info().Str("thing", c.ID).Str("fault", c.fault.Code).Str("why", c.fault.Text).Msg("a camera gives no picture")
	}
	c.tried = s.now()
	close(c.busy)
	c.busy = nil
}

// late is why a question was given up before it was sent, or before its answer was drawn up: others were before it all the time.
var late = &bounded.Fault{Code: "turn", Text: "too many cameras are asked at once"}

// picture asks for one and draws it up. A panic in a decoder, which reads what a stranger sends, is this question's fault alone (FAULTS.md 33).
func (s *Set) picture(ctx context.Context, c *camera) (f Frame, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Str("thing", c.ID).Msg("a camera's picture panicked")
			f, err = Frame{}, &bounded.Fault{Code: "picture", Text: "it cannot be read"}
		}
	}()
	switch {
	case c.draw != nil:
		leave, ok := take(ctx, s.turns.made)
		if !ok {
			return Frame{}, late
		}
		defer leave()
		at := s.now()
		b, err := c.draw(ctx, at)
		return Frame{b, "image/png", at}, err
	case c.Still:
		raw, at, err := s.raw(ctx, c)
		if err != nil {
			return Frame{}, err
		}
		leave, ok := take(ctx, s.turns.made)
		if !ok {
			return Frame{}, late
		}
		defer leave()
		b, err := remade(raw)
		return Frame{b, "image/jpeg", at}, err
	}
	err = s.inTurn(ctx, c, func() (err error) {
		f, err = s.moving(ctx, c)
		return err
	})
	return f, err
}

// raw is what a camera answers, and when it had come.
func (s *Set) raw(ctx context.Context, c *camera) (body []byte, at time.Time, err error) {
	err = s.inTurn(ctx, c, func() error {
		body, _, err = c.client.fetch(ctx, c.config.Still.Reveal(), mostStill)
		at = s.now()
		return err
	})
	return body, at, err
}

// inTurn asks when it is a camera's turn: of its host, of those that are slow, of all.
func (s *Set) inTurn(ctx context.Context, c *camera, ask func() error) error {
	lanes := []lane{c.host, s.turns.asked}
	if c.slow {
		lanes = []lane{c.host, s.turns.slow, s.turns.asked}
	}
	leave, ok := take(ctx, lanes...)
	if !ok {
		return late
	}
	defer leave()
	err := ask()
	c.slow = err != nil && bounded.Explain(err).Code == "timeout"
	return err
}

// Start is the name of a camera's first playlist.
const Start = "live.m3u8"

// playlist asks a playlist and rewrites it.
func (s *Set) playlist(ctx context.Context, c *camera, address string) ([]byte, error) {
	raw, final, err := c.client.fetch(ctx, address, mostPlaylist)
	if err != nil {
		return nil, err
	}
	return rewrite(raw, final, s.namer(c))
}

// HLS answers with the playlist or the bytes of a name (Start, or one that a playlist gave). who is whoever looks: others are not held up by him. Errors that come
// before anything is written: ErrNone, ErrNoWay, ErrNotNamed, ErrBusy, a *bounded.Fault. What breaks off later breaks the answer off.
func (s *Set) HLS(w http.ResponseWriter, r *http.Request, id, name, who string) error {
	c := s.byID[id]
	switch {
	case c == nil:
		return ErrNone
	case !c.HLS:
		return ErrNoWay
	}
	address, list := c.config.HLS.Reveal(), true
	if name != Start {
		var err error
		if address, list, err = s.sealer.address(c.ID, name); err != nil {
			return err
		}
	}
	leave, ok := s.takers.enter(who, c)
	if !ok {
		return ErrBusy
	}
	defer leave()
	if !list {
		p, err := s.join(r.Context(), c, address, r.Header.Get("Range"))
		if err != nil {
			return err
		}
		defer p.leave(&s.held)
		return p.hand(r.Context(), w)
	}
	body, err := s.playlist(r.Context(), c, address)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // who has left needs no answer
	return nil
}
