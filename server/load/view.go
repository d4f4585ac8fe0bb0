package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/geo"
	"kentongan/server/wire"
)

// mostMeasured is how many viewers read their messages to the end; the others take them off the socket and count. The generator shares
// the machine with what it measures.
const mostMeasured = 20

// dialers open sockets at the same time.
const dialers = 64

// viewer is one live socket.
type viewer struct {
	r        *run
	conn     *websocket.Conn
	measured bool
	at       []int64          // event time of the newest state seen, by slot; measured viewers only
	byID     map[string]int64 // the same in the JSON form
	mu       sync.Mutex
	asked    time.Time // of the view that is not answered yet
	ready    chan struct{}
	once     sync.Once
	closing  atomic.Bool
}

type viewers struct {
	r    *run
	list []*viewer
	wg   sync.WaitGroup
}

// open seats every viewer and waits for its first snapshot. It fails when none could be seated; those that could not are counted.
func (r *run) open(ctx context.Context) (*viewers, error) {
	vs := &viewers{r: r}
	var mu sync.Mutex
	var first error
	var wg sync.WaitGroup
	turn := make(chan int)
	for range min(dialers, r.cfg.Viewers) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range turn {
				v, err := r.seat(ctx, i)
				mu.Lock()
				if err != nil {
					first = err
					r.fault(err)
				} else {
					vs.list = append(vs.list, v)
					vs.wg.Add(1)
					go func() { defer vs.wg.Done(); v.read() }()
				}
				mu.Unlock()
			}
		}()
	}
	for i := range r.cfg.Viewers {
		turn <- i
	}
	close(turn)
	wg.Wait()
	if len(vs.list) == 0 && r.cfg.Viewers > 0 {
		return nil, fmt.Errorf("no viewer could be seated: %w", first)
	}
	late := time.After(60 * time.Second)
	for _, v := range vs.list {
		select {
		case <-v.ready:
		case <-ctx.Done():
			vs.close()
			return nil, context.Cause(ctx)
		case <-late:
			vs.close()
			return nil, errors.New("no snapshot within 60 s")
		}
	}
	return vs, nil
}

func (r *run) seat(ctx context.Context, i int) (*viewer, error) {
	u, err := url.Parse(r.cfg.URL)
	if err != nil {
		return nil, err
	}
	origin := u.Scheme + "://" + u.Host
	u.Scheme = map[string]string{"http": "ws", "https": "wss"}[u.Scheme]
	u = u.JoinPath("/api/v1/live")
	if r.cfg.JSON {
		u.RawQuery = "format=json"
	}
	header := http.Header{"Origin": {origin}}
	if r.cfg.Token != "" {
		header.Set("Authorization", "Bearer "+r.cfg.Token)
	}
	began := time.Now()
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: 30 * time.Second, ReadBufferSize: 4096, WriteBufferSize: 512}
	conn, resp, err := d.DialContext(ctx, u.String(), header)
	if err != nil {
		if resp != nil {
			return nil, fmt.Errorf("live socket: answered %d", resp.StatusCode)
		}
		return nil, fmt.Errorf("live socket: %w", err)
	}
	r.res.Open.Add(time.Since(began), 1)
	v := &viewer{r: r, conn: conn, measured: i < mostMeasured, ready: make(chan struct{}), byID: map[string]int64{}}
	if err := v.look(r.cfg.window(rand.Float64(), rand.Float64())); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("live socket: %w", err)
	}
	return v, nil
}

// window is a view somewhere in the city.
func (c *Config) window(x, y float64) geo.Bound {
	w, h := c.Bound.East-c.Bound.West, c.Bound.North-c.Bound.South
	west, south := c.Bound.West+w*(1-c.Window)*x, c.Bound.South+h*(1-c.Window)*y
	return geo.Bound{West: west, South: south, East: west + w*c.Window, North: south + h*c.Window}
}

// look asks for a view. A view that is still waiting for its answer keeps its time: it is the newest that is answered.
func (v *viewer) look(b geo.Bound) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.asked.IsZero() {
		v.asked = time.Now()
	}
	return v.conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"op":"view","bbox":[%f,%f,%f,%f],"zoom":%g,"layers":["*"]}`, b.West, b.South, b.East, b.North, v.r.cfg.Zoom))
}

// read takes messages until the socket ends.
func (v *viewer) read() {
	for {
		kind, b, err := v.conn.ReadMessage()
		if err != nil {
			v.gone(err)
			return
		}
		now := time.Now()
		if v.r.beganMS.Load() > 0 {
			v.r.messages.Add(1)
			v.r.bytes.Add(int64(len(b)))
		}
		if kind == websocket.BinaryMessage {
			v.takeBinary(b, now)
		} else {
			v.takeJSON(b, now)
		}
	}
}

// answered notes that a snapshot has come.
func (v *viewer) answered(now time.Time) {
	v.mu.Lock()
	if !v.asked.IsZero() {
		v.r.res.View.Add(now.Sub(v.asked), 1)
		v.asked = time.Time{}
	}
	v.mu.Unlock()
	v.once.Do(func() { close(v.ready) })
}

func (v *viewer) gone(err error) {
	v.once.Do(func() { close(v.ready) })
	if v.closing.Load() {
		return
	}
	code := 0
	var ce *websocket.CloseError
	if errors.As(err, &ce) {
		code = ce.Code
	}
	v.r.mu.Lock()
	v.r.res.Closed[code]++
	v.r.mu.Unlock()
}

// told notes one reading that a message holds, once.
func (v *viewer) told(last *int64, at int64, now time.Time) {
	began := v.r.beganMS.Load()
	if began == 0 || at < began || at <= *last || v.r.over.Load() {
		return
	}
	*last = at
	v.r.res.Socket.Add(now.Sub(time.UnixMilli(at)), 1)
}

// incident notes the crossings that a case document names.
func (v *viewer) incident(doc []byte, now time.Time) {
	for _, due := range v.r.cross.find(doc) {
		v.r.res.Cross.Add(now.Sub(due), 1)
	}
}

// pan asks for new views, in open loop, of one viewer after the other.
func (vs *viewers) pan(ctx context.Context) {
	if vs.r.cfg.Pan == 0 || len(vs.list) == 0 {
		return
	}
	step := time.Duration(float64(time.Second) / vs.r.cfg.Pan)
	tick := time.NewTicker(step)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = vs.list[n%len(vs.list)].look(vs.r.cfg.window(rand.Float64(), rand.Float64()))
		}
	}
}

func (vs *viewers) measured() (out []*viewer) {
	for _, v := range vs.list {
		if v.measured {
			out = append(out, v)
		}
	}
	return out
}

func (vs *viewers) close() {
	for _, v := range vs.list {
		v.closing.Store(true)
		_ = v.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
		_ = v.conn.Close()
	}
	vs.wg.Wait()
}
