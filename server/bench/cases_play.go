package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// caller is who asks: by a token, or by a session.
type caller struct{ bearer, cookie string }

var admin = caller{bearer: token}

// crew is a person who rides with a unit.
type crew struct {
	caller
	unit string
}

const benchPassword = "tiga gajah makan nasi"

// crew makes a unit, and a person who rides with it and is signed in.
func (s *server) crew(agency, sign string) (*crew, error) {
	unit := agency + "/" + sign
	if err := s.made("/api/v1/units", map[string]any{"agency": agency, "call_sign": sign, "capabilities": []string{"trc"}}, &struct{}{}); err != nil {
		return nil, err
	}
	var made struct{ Link string }
	err := s.made("/api/v1/users", map[string]any{"login": agency + "-" + sign, "name": sign, "unit": unit, "grants": []any{map[string]any{"role": "field", "agency": agency}}}, &made)
	if err != nil {
		return nil, err
	}
	link, err := url.Parse(made.Link)
	if err != nil {
		return nil, err
	}
	body, _ := json.Marshal(map[string]string{"code": link.Query().Get("code"), "password": benchPassword})
	req, err := http.NewRequest("POST", s.base+"/api/v1/session/reset", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", s.base)
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		if c.Name == "kentongan" && resp.StatusCode == http.StatusOK {
			return &crew{caller{cookie: c.Name + "=" + c.Value}, unit}, nil
		}
	}
	return nil, fmt.Errorf("%s does not sign in: %d", unit, resp.StatusCode)
}

// ask asks once; wrote is called as soon as the request is written, or cannot be.
func (c caller) ask(s *server, method, path, key, kind string, body []byte, wrote func()) (int, []byte, error) {
	req, err := http.NewRequest(method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if wrote != nil {
		defer wrote()
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { wrote() }}))
	}
	if c.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	} else {
		req.Header.Set("Cookie", c.cookie)
		req.Header.Set("Origin", s.base)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	req.Header.Set("Content-Type", kind)
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

// patience is how long somebody asks again before the house counts as gone.
const patience = 2 * time.Minute

// keySeq makes keys.
var keySeq atomic.Int64

// insist asks until it hears an answer, each time under the same key.
func (p *play) insist(c caller, path, kind string, body []byte, wrote func()) ([]byte, error) {
	key := fmt.Sprintf("bench-%d", keySeq.Add(1))
	var last error
	for wait, end := time.Duration(0), time.Now().Add(patience); time.Now().Before(end); wait = min(max(2*wait, 20*time.Millisecond), 300*time.Millisecond) {
		time.Sleep(wait)
		s := p.house.Load()
		if s == nil {
			continue
		}
		if last != nil {
			p.repeats.Add(1)
		}
		code, b, err := c.ask(s, "POST", path, key, kind, body, wrote)
		switch {
		case err == nil && code < 300:
			return b, nil
		case err == nil && code != http.StatusServiceUnavailable && code != http.StatusTooManyRequests:
			return nil, fmt.Errorf("%s %s answered %d: %.300s", path, body, code, b)
		case err == nil:
			err = fmt.Errorf("%s answered %d: %.300s", path, code, b)
		}
		if wrote != nil {
			p.unheard.Add(1)
		}
		last, wrote = err, nil
	}
	return nil, errors.Join(fmt.Errorf("%s: no answer within %s", path, patience), last)
}

// lane works one incident after the other with two crews of its own.
type lane struct {
	play          *play
	first, second *crew
	at            int // the step that comes next
	incident      string
	dispatch      string
	stamps        map[string]time.Time // act -> when it was done, as it was told
	over          []worked
}

// worked is an incident that was worked to its end: what it must tell of.
type worked struct {
	incident   string
	dispatches []string // the one that was declined, and the one that was done
	stamps     map[string]time.Time
}

// step is one act: what is asked by whom, and what comes of it in timeline and log.
type step struct {
	name     string
	timeline string // act
	audit    string // action
	do       func(l *lane, at string) (c caller, path string, doc map[string]any)
}

func transit(to string, more map[string]any) func(l *lane, at string) (caller, string, map[string]any) {
	return func(l *lane, at string) (caller, string, map[string]any) {
		doc := map[string]any{"to": to, "at": at}
		for k, v := range more {
			doc[k] = v
		}
		who := l.play.desk
		if to == "closed" { // whoever resolved it does not close it
			who = admin
		}
		return who, "/api/v1/incidents/" + l.incident + "/transitions", doc
	}
}

func send(of func(*lane) *crew) func(*lane, string) (caller, string, map[string]any) {
	return func(l *lane, _ string) (caller, string, map[string]any) {
		return l.play.desk, "/api/v1/incidents/" + l.incident + "/dispatches", map[string]any{"unit": of(l).unit}
	}
}

func move(to, reason string, of func(*lane) *crew) func(*lane, string) (caller, string, map[string]any) {
	return func(l *lane, at string) (caller, string, map[string]any) {
		return of(l).caller, "/api/v1/dispatches/" + l.dispatch + "/transitions", map[string]any{"to": to, "at": at, "reason": reason}
	}
}

func rest(on bool) func(*lane, string) (caller, string, map[string]any) {
	return func(l *lane, _ string) (caller, string, map[string]any) {
		doc := map[string]any{"on": on}
		if on {
			doc["reason"], doc["until"] = "daylight", time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		}
		return l.play.desk, "/api/v1/incidents/" + l.incident + "/hold", doc
	}
}

func one(l *lane) *crew { return l.first }
func two(l *lane) *crew { return l.second }

// script is an incident from opening to closure: the first unit declines, the second, of the
// agency that supports, goes. Its photo and its agency's word are the proof.
var script = []step{
	{"open", "opened", "incident.opened", func(l *lane, at string) (caller, string, map[string]any) {
		return l.play.desk, "/api/v1/incidents", map[string]any{"type": "flood", "severity": "Moderate", "lng": 100.6, "lat": -0.9, "at": at}
	}},
	{"acknowledge", "acknowledged", "incident.acknowledged", transit("acknowledged", nil)},
	{"offer", "dispatched", "dispatch.offered", send(one)},
	{"decline", "dispatch_declined", "dispatch.declined", move("declined", "ban kempis", one)},
	{"offer to the next", "dispatched", "dispatch.offered", send(two)},
	{"accept", "dispatch_accepted", "dispatch.accepted", move("accepted", "", two)},
	{"en route", "dispatch_en_route", "dispatch.en_route", move("en_route", "", two)},
	{"on scene", "on_scene", "dispatch.on_scene", move("on_scene", "", two)},
	{"photo", "attached", "incident.attached", nil},
	{"confirm", "confirmed", "incident.confirmed", func(l *lane, _ string) (caller, string, map[string]any) {
		return l.play.aid, "/api/v1/incidents/" + l.incident + "/confirm", map[string]any{"text": "air sudah surut"}
	}},
	{"hold", "held", "incident.held", rest(true)},
	{"go on", "resumed", "incident.resumed", rest(false)},
	{"done", "dispatch_done", "dispatch.done", move("done", "", two)},
	{"resolve", "resolved", "incident.resolved", transit("resolved", map[string]any{"cause": "hujan", "outcome": "handled", "victims": map[string]int{}})},
	{"close", "closed", "incident.closed", transit("closed", nil)},
}

// next does the next act, however often it must be asked for.
func (l *lane) next(wrote func()) error {
	s := script[l.at]
	now := time.Now().UTC().Truncate(time.Millisecond)
	at := now.Format("2006-01-02T15:04:05.000Z")
	if l.at == 0 {
		l.stamps = map[string]time.Time{}
	}
	var b []byte
	var err error
	if s.do == nil {
		b, err = l.play.insist(l.second.caller, "/api/v1/incidents/"+l.incident+"/attachments?kind=photo&taken_at="+at, "image/png", picture(now), wrote)
	} else {
		c, path, doc := s.do(l, at)
		body, _ := json.Marshal(doc)
		b, err = l.play.insist(c, path, "application/json", body, wrote)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	var got struct{ ID string }
	if err := json.Unmarshal(b, &got); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	switch s.audit {
	case "incident.opened":
		l.incident = got.ID
		l.over = append(l.over, worked{incident: got.ID, stamps: l.stamps})
	case "dispatch.offered":
		l.dispatch = got.ID
		w := &l.over[len(l.over)-1]
		w.dispatches = append(w.dispatches, got.ID)
	}
	l.stamps[s.name] = now
	l.at = (l.at + 1) % len(script)
	return nil
}

// finish works the incident that is under way to its end.
func (l *lane) finish() error {
	for l.at != 0 {
		if err := l.next(nil); err != nil {
			return err
		}
	}
	return nil
}

// picture is a small photo that no other is like.
func picture(at time.Time) []byte {
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range img.Pix {
		img.Pix[i] = byte(at.UnixMilli() >> (i % 8 * 8))
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img)
	return b.Bytes()
}
