package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"kentongan/geo"
	"kentongan/geo/moment"
)

// send posts every batch when it is due and returns when all are answered. A batch that finds no free connection waits; its readings
// are measured from when they were due all the same.
func (r *run) send(ctx context.Context) {
	if r.cfg.Rate == 0 {
		return
	}
	size := r.cfg.batch()
	step := time.Duration(float64(size) / r.cfg.Rate * float64(time.Second))
	total := int(r.cfg.Duration / step)
	due := make(chan int, min(total+1, 1<<20))
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: r.cfg.Connections, MaxConnsPerHost: r.cfg.Connections}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for range r.cfg.Connections {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var body []byte
			for n := range due {
				// What is due is sent, but a server that does not answer is not waited for without end.
				if time.Since(r.began) > r.cfg.Duration+10*time.Second {
					r.unsent.Add(int64(size))
					continue
				}
				body = r.post(client, body[:0], n, size, r.began.Add(time.Duration(n)*step))
			}
		}()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; n < total; n++ {
		if wait := time.Until(r.began.Add(time.Duration(n) * step)); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil && time.Since(r.began) < r.cfg.Duration-step {
			break // stopped before its time
		}
		due <- n
	}
	close(due)
	wg.Wait()
}

// post sends batch n and notes how its readings fared.
func (r *run) post(client *http.Client, body []byte, n, size int, due time.Time) []byte {
	crossed, at := 0, moment.Of(due).Append(nil)
	for i := range size {
		k := int64(n)*int64(size) + int64(i)
		if math.Floor(float64(k+1)*r.cfg.IncidentShare) > math.Floor(float64(k)*r.cfg.IncidentShare) {
			if id, ok := r.cross.next(due); ok {
				body = r.crossing(body, id, due)
				crossed++
				continue
			}
		}
		body = r.reading(body, int(k%int64(r.cfg.Things)), due, at)
	}
	r.sent.Add(int64(size))
	code, rejected, err := r.deliver(client, body)
	switch {
	case err != nil:
		r.failed.Add(int64(size))
		r.fault(err)
	case code == http.StatusAccepted:
		r.res.Ack.Add(time.Since(due), int64(size))
		if rejected > 0 {
			r.failed.Add(int64(rejected))
			r.fault(errors.New("readings rejected in a receipt"))
		}
		r.acked.Add(int64(max(size-rejected, 0)))
		r.crossed.Add(int64(crossed))
	case code == http.StatusServiceUnavailable:
		r.refused.Add(int64(size))
	default:
		r.failed.Add(int64(size))
		r.fault(fmt.Errorf("ingest answered %d", code))
	}
	return body
}

// deliver posts a body and gives how many of its readings the receipt rejects.
func (r *run) deliver(client *http.Client, body []byte) (code, rejected int, err error) {
	req, err := http.NewRequest(http.MethodPost, r.cfg.URL+"/api/v1/ingest/"+r.cfg.Feed, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	if r.cfg.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.cfg.Token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode != http.StatusAccepted {
		return resp.StatusCode, 0, err
	}
	var receipt struct{ Rejected []json.RawMessage }
	if err := json.Unmarshal(answer, &receipt); err != nil {
		return resp.StatusCode, 0, fmt.Errorf("receipt: %w", err)
	}
	return resp.StatusCode, len(receipt.Rejected), nil
}

// place gives where a Thing is at a moment: a round about its home, 200 m wide, at about 12 m/s.
func (c *Config) place(i int, at time.Time) geo.Position {
	w, h := c.Bound.East-c.Bound.West, c.Bound.North-c.Bound.South
	turn := float64(at.UnixMilli()%52_000)/52_000*2*math.Pi + float64(i)
	const round = 0.0009
	return geo.Position{Lng: c.Bound.West + w*scatter(i, 7919) + round*math.Cos(turn), Lat: c.Bound.South + h*scatter(i, 104729) + round*math.Sin(turn)}
}

// scatter spreads numbers evenly over 0..1, the same each time.
func scatter(i, prime int) float64 { return math.Mod(float64(i)*float64(prime)*0.6180339887498949, 1) }

// reading writes one line: a unit on its round tells its speed. At is due as text.
func (r *run) reading(b []byte, i int, due time.Time, at []byte) []byte {
	b = strconv.AppendInt(append(b, `{"thing":"t`...), int64(i), 10)
	b = append(b, `","kind":"unit","property":"speed","value":12,"unit":"m/s","at":"`...)
	b = append(b, at...)
	return appendPlace(append(b, `",`...), r.cfg.place(i, due))
}

// crossing writes the lines of one crossing: samples a millisecond apart, the last of them due.
func (r *run) crossing(b []byte, id int, due time.Time) []byte {
	c := r.cfg.Crossing
	for s := range c.Samples {
		b = append(b, `{"thing":"`...)
		b = append(b, r.cross.name(id)...)
		b = append(b, `","kind":"river_gauge","property":`...)
		b = appendQuoted(b, c.Property)
		b = strconv.AppendFloat(append(b, `,"value":`...), c.Value, 'f', -1, 64)
		b = appendQuoted(append(b, `,"unit":`...), c.Unit)
		b = moment.Of(due.Add(time.Duration(s+1-c.Samples) * time.Millisecond)).Append(append(b, `,"at":"`...))
		b = appendPlace(append(b, `",`...), r.cfg.place(id*31+7, due))
	}
	return b
}

func appendQuoted(b []byte, s string) []byte {
	q, _ := json.Marshal(s) // a string always has a form
	return append(b, q...)
}

func appendPlace(b []byte, p geo.Position) []byte {
	b = strconv.AppendFloat(append(b, `"lat":`...), p.Lat, 'f', 6, 64)
	b = strconv.AppendFloat(append(b, `,"lng":`...), p.Lng, 'f', 6, 64)
	return append(b, "}\n"...)
}

// crossings are Things that cross, each once, so that each incident is one crossing's.
type crossings struct {
	prefix string // of their native ids, unlike those of any other run
	feed   string
	mu     sync.Mutex
	due    []time.Time
	seen   []bool
	left   int // not seen yet
}

// mostCrossings bounds a run's incidents; beyond it readings do not cross.
const mostCrossings = 20_000

func newCrossings(feed string) *crossings {
	return &crossings{prefix: "x" + strconv.FormatInt(time.Now().UnixMilli(), 36) + "-", feed: feed}
}

func (c *crossings) next(due time.Time) (id int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.due) >= mostCrossings {
		return 0, false
	}
	c.due, c.seen = append(c.due, due), append(c.seen, false)
	c.left++
	return len(c.due) - 1, true
}

func (c *crossings) name(id int) string { return c.prefix + strconv.Itoa(id) }

func (c *crossings) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left
}

// find gives the crossings that a document names and that were not seen before.
func (c *crossings) find(doc []byte) (due []time.Time) {
	mark := []byte(c.feed + ":" + c.prefix)
	for {
		i := bytes.Index(doc, mark)
		if i < 0 {
			return due
		}
		doc = doc[i+len(mark):]
		n := 0
		for n < len(doc) && doc[n] >= '0' && doc[n] <= '9' {
			n++
		}
		id, err := strconv.Atoi(string(doc[:n]))
		c.mu.Lock()
		if err == nil && id < len(c.due) && !c.seen[id] {
			c.seen[id] = true
			c.left--
			due = append(due, c.due[id])
		}
		c.mu.Unlock()
	}
}
