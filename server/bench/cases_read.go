package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// readers are those who read on through every kill: a desk and each crew by their live sockets, and a program by its webhook.
type readers struct {
	play    *play
	desk    *reader
	crews   map[string]*reader // by unit
	hook    *hook
	hookID  string
	stopped chan struct{}
	all     sync.WaitGroup
}

func newReaders(p *play) (*readers, error) {
	h, err := newHook()
	if err != nil {
		return nil, err
	}
	r := &readers{play: p, crews: map[string]*reader{}, hook: h, stopped: make(chan struct{})}
	var made struct{ ID, Secret string }
	if err := p.house.Load().made("/api/v1/webhooks", map[string]any{"name": "bench", "url": h.url, "events": []string{"dispatch.offered", "incident.created", "incident.closed"}}, &made); err != nil {
		h.close()
		return nil, err
	}
	if err := h.trust(made.Secret); err != nil {
		h.close()
		return nil, err
	}
	r.hookID = made.ID
	r.desk = r.read(admin)
	return r, nil
}

func (r *readers) follow(c *crew) { r.crews[c.unit] = r.read(c.caller) }

func (r *readers) stop() {
	close(r.stopped)
	for _, one := range r.list() {
		one.hangUp()
	}
	r.all.Wait()
	r.hook.close()
}

func (r *readers) list() []*reader {
	out := []*reader{r.desk}
	for _, one := range r.crews {
		out = append(out, one)
	}
	return out
}

// seated waits until everybody has had a snapshot of the house as it runs now.
func (r *readers) seated(most time.Duration) error {
	s := r.play.house.Load()
	for _, one := range r.list() {
		for end := time.Now().Add(most); one.sitsAt() != s; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				return fmt.Errorf("a reader has no snapshot within %s", most)
			}
		}
	}
	return nil
}

// returns is how often sockets came back to another house, and how often they were given what they had missed.
func (r *readers) returns() (n, resumed int) {
	for _, one := range r.list() {
		one.mu.Lock()
		n, resumed = n+one.returns, resumed+one.resumed
		one.mu.Unlock()
	}
	return n, resumed
}

// reader is a live socket that comes back with its cursor, as a screen does.
type reader struct {
	by caller

	mu      sync.Mutex
	conn    *websocket.Conn
	cursor  string
	seat    *server                    // whose snapshot it has
	offers  map[string]map[string]bool // dispatch -> cursors with which its offer came; "snapshot": it stood in one
	returns int                        // how often it came back
	resumed int                        // how often it was given what it had missed
}

func (r *readers) read(c caller) *reader {
	one := &reader{by: c, offers: map[string]map[string]bool{}}
	r.all.Add(1)
	go func() {
		defer r.all.Done()
		for {
			if s := r.play.house.Load(); s != nil {
				one.sit(s)
			}
			select {
			case <-r.stopped:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return one
}

// sit reads until the socket ends.
func (r *reader) sit(s *server) {
	head := http.Header{"Origin": {s.base}}
	if r.by.bearer != "" {
		head.Set("Authorization", "Bearer "+r.by.bearer)
	} else {
		head.Set("Cookie", r.by.cookie)
	}
	u, err := url.Parse(s.base)
	if err != nil {
		return
	}
	d := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}, HandshakeTimeout: 10 * time.Second}
	c, resp, err := d.Dial("ws://"+u.Host+"/api/v1/live?format=json", head)
	if err != nil {
		if resp != nil {
			resp.Body.Close()
		}
		return
	}
	defer c.Close()
	r.mu.Lock()
	r.conn = c
	if r.cursor != "" {
		r.returns++
	}
	view, _ := json.Marshal(map[string]any{"op": "view", "bbox": []float64{100, -2, 102, 0}, "zoom": 11, "layers": []string{"unit"}, "cursor": r.cursor})
	r.mu.Unlock()
	if c.WriteMessage(websocket.TextMessage, view) != nil {
		return
	}
	for {
		_, raw, err := c.ReadMessage()
		if err != nil {
			return
		}
		r.take(s, raw)
	}
}

type liveOffer struct {
	ID      string
	Status  string
	Version int
}

func (r *reader) take(s *server, raw []byte) {
	var m struct {
		Type, Cursor string
		Resumed      bool
		Dispatch     liveOffer
		Dispatches   []liveOffer
	}
	if json.Unmarshal(raw, &m) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.Cursor != "" {
		r.cursor = m.Cursor
	}
	note := func(d liveOffer, by string) {
		if d.Status == "offered" && d.Version == 1 {
			if r.offers[d.ID] == nil {
				r.offers[d.ID] = map[string]bool{}
			}
			r.offers[d.ID][by] = true
		}
	}
	switch m.Type {
	case "dispatch":
		note(m.Dispatch, m.Cursor)
	case "snapshot":
		if m.Resumed {
			r.resumed++
		}
		for _, d := range m.Dispatches {
			note(d, "snapshot")
		}
		r.seat = s
	}
}

func (r *reader) sitsAt() *server {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seat
}

func (r *reader) hangUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil {
		_ = r.conn.Close()
	}
}

// shown tells whether the offer of a dispatch came, and how many messages with a cursor of their own bore it.
func (r *reader) shown(dispatch string) (came bool, messages int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	by := r.offers[dispatch]
	messages = len(by)
	if by["snapshot"] {
		messages--
	}
	return len(by) > 0, messages
}

// hook is a program that takes signed webhooks (Standard Webhooks) on this machine.
type hook struct {
	url    string
	server *http.Server
	secret []byte

	mu     sync.Mutex
	came   map[string]map[string]bool // event and object -> ids of messages
	posts  int
	forged int
}

func newHook() (*hook, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &hook{url: "http://" + l.Addr().String() + "/hook", came: map[string]map[string]bool{}}
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.server.Serve(l) }()
	return h, nil
}

func (h *hook) close() { _ = h.server.Close() }

func (h *hook) trust(secret string) (err error) {
	h.secret, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	return err
}

// ServeHTTP takes one message.
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	id := r.Header.Get("Webhook-Id")
	mac := hmac.New(sha256.New, h.secret)
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, r.Header.Get("Webhook-Timestamp"), body)
	var m struct {
		Type string
		Data map[string]struct{ ID string }
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.posts++
	if r.Header.Get("Webhook-Signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) || json.Unmarshal(body, &m) != nil {
		h.forged++
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, doc := range m.Data {
		about := m.Type + " " + doc.ID
		if h.came[about] == nil {
			h.came[about] = map[string]bool{}
		}
		h.came[about][id] = true
	}
}

// heard is how many messages came of an event of an object, each counted once by its id.
func (h *hook) heard(event, object string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.came[event+" "+object])
}
