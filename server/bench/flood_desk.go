package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
)

// deskPassword is that of the operator whom the bench makes.
const deskPassword = "seratus kentongan di gardu"

// operator is somebody with an account of their own, signed in as a browser is.
type operator struct {
	s       *server
	cookies map[string]string
}

// ask asks with the operator's cookies, or as the admin where there are none, and reads the answer.
func (o *operator) ask(method, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, o.s.base+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", o.s.base)
	if o.cookies == nil {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for name, value := range o.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s answered %d: %.200s", method, path, resp.StatusCode, text)
	}
	for _, c := range resp.Cookies() {
		if o.cookies != nil {
			o.cookies[c.Name] = c.Value
		}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

// staff makes an operator, signs them in at a desk, and opens their live socket over a bound. Each is called with every message after the snapshot
// was asked for.
func (s *server) staff(desk, bbox string, each func(kind string, raw []byte)) (io.Closer, error) {
	var made struct{ Link string }
	if err := (&operator{s: s}).ask("POST", "/api/v1/users", map[string]any{"login": "operator", "name": "Operator", "grants": []map[string]string{{"role": "operator"}}}, &made); err != nil {
		return nil, err
	}
	link, err := url.Parse(made.Link)
	if err != nil {
		return nil, err
	}
	o := &operator{s: s, cookies: map[string]string{}}
	if err := errors.Join(
		o.ask("POST", "/api/v1/session", map[string]string{"code": link.Query().Get("code")}, nil),
		o.ask("POST", "/api/v1/session/password", map[string]string{"new": deskPassword}, nil),
		o.ask("PUT", "/api/v1/session/desk", map[string]string{"desk": desk}, nil),
	); err != nil {
		return nil, err
	}
	u, err := url.Parse(s.base)
	if err != nil {
		return nil, err
	}
	head := http.Header{"Origin": {s.base}}
	for name, value := range o.cookies {
		head.Add("Cookie", name+"="+value)
	}
	d := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}
	c, _, err := d.Dial("ws://"+u.Host+"/api/v1/live?format=json", head)
	if err != nil {
		return nil, err
	}
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"op":"view","bbox":[`+bbox+`],"zoom":11,"layers":["*"]}`)); err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	go func() {
		for first := true; ; {
			_, raw, err := c.ReadMessage()
			if err != nil {
				return
			}
			kind := typeOf(raw)
			if kind == "snapshot" && first {
				first = false
				close(ready)
			}
			each(kind, raw)
		}
	}()
	select {
	case <-ready:
		return c, nil
	case <-time.After(20 * time.Second):
		return nil, errors.Join(errors.New("no snapshot within 20 s"), c.Close())
	}
}
