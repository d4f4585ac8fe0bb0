package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"kentongan/geo"
	"kentongan/server/load"
)

// others are 20 viewers who do nothing wrong, and what they had to wait for.
func others(s *server, d time.Duration) (*load.Result, error) {
	c := s.playing(1000, 1000, 20, d)
	c.Window = .5
	return load.Run(context.Background(), c)
}

// benchBad seats bad viewers beside good ones.
func benchBad(bin string, short bool) ([]figure, error) {
	s, done, err := freshWith(bin, everysec)
	if err != nil {
		return nil, err
	}
	defer done()
	d := 8 * time.Second
	if short {
		d = 2 * time.Second
	}
	if _, err := others(s, time.Second); err != nil { // warm
		return nil, err
	}
	calm, err := others(s, d)
	if err != nil {
		return nil, err
	}
	out := []figure{{"viewers beside nobody bad", "-", fmt.Sprintf("to socket p50 %s, p99 %s", ms(calm.Socket.At(50)), ms(calm.Socket.At(99)))}}
	whole := viewOf(cityBound, 12)
	for _, bad := range []struct {
		name string
		sit  func(stop <-chan struct{}) (net.Conn, error)
	}{
		{"20 viewers that never read", func(<-chan struct{}) (net.Conn, error) { return s.bare(whole) }},
		{"20 that send garbage", func(stop <-chan struct{}) (net.Conn, error) {
			return s.busy(stop, time.Millisecond, func() string { return "\x00{[" + fmt.Sprint(rand.Int()) })
		}},
		{"20 that ask for the world at zoom 22", func(stop <-chan struct{}) (net.Conn, error) {
			return s.busy(stop, time.Second, func() string { return `{"op":"view","bbox":[-180,-90,180,90],"zoom":22,"layers":["*"]}` })
		}},
		{"20 that pan 50 times a second", func(stop <-chan struct{}) (net.Conn, error) {
			return s.busy(stop, 20*time.Millisecond, func() string { return viewOf(part(rand.IntN(16), 16), 12) })
		}},
	} {
		stop := make(chan struct{})
		var conns []net.Conn
		for range 20 {
			c, err := bad.sit(stop)
			if err != nil {
				return out, fmt.Errorf("%s: %w", bad.name, err)
			}
			conns = append(conns, c)
		}
		r, err := others(s, d)
		close(stop)
		for _, c := range conns {
			_ = c.Close()
		}
		if err != nil {
			return out, err
		}
		out = append(out, figure{"beside " + bad.name, "p99 < 2x", fmt.Sprintf("%.2fx: p50 %s, p99 %s; of the good ones closed: %d", float64(r.Socket.At(99))/float64(calm.Socket.At(99)), ms(r.Socket.At(50)), ms(r.Socket.At(99)), len(r.Closed))})
	}
	return out, nil
}

// bare opens a live socket that nobody reads from then on.
func (s *server) bare(view string) (net.Conn, error) {
	st, err := s.sit("")
	if err != nil {
		return nil, err
	}
	// Its reader is stopped by a deadline in the past; the socket stays open, and with little room fills soon.
	if tcp, ok := st.conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096)
	}
	_ = st.conn.SetReadDeadline(time.Unix(1, 0))
	_, err = st.conn.Write(frame(view))
	return st.conn, err
}

// busy opens a live socket, reads what comes, and says something again and again; where it is closed it comes back.
func (s *server) busy(stop <-chan struct{}, every time.Duration, say func() string) (net.Conn, error) {
	st, err := s.sit("")
	if err != nil {
		return nil, err
	}
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			if _, err := st.conn.Write(frame(say())); err != nil {
				again, err := s.sit("")
				if err != nil {
					continue
				}
				_ = st.conn.Close()
				st = again
			}
		}
	}()
	return st.conn, nil
}

// benchStorm kills the server while 5,000 look, starts it again and lets all of them come back at once.
func benchStorm(bin string, short bool) ([]figure, error) {
	dir, remove, err := scratch()
	if err != nil {
		return nil, err
	}
	defer remove()
	n := 5000
	if short {
		n = 500
	}
	s, err := start(bin, dir, everysec)
	if err != nil {
		return nil, err
	}
	view := func(i int) string { return viewOf(part(i, 8), 12) }
	crowd, err := s.sitAll(n, view)
	if err != nil {
		s.kill()
		return nil, err
	}
	if _, err = others(s, time.Second); err != nil {
		s.kill()
		return nil, err
	}
	calm, err := others(s, 6*time.Second)
	s.kill()
	crowd.leave()
	if err != nil {
		return nil, err
	}
	if s, err = start(bin, dir, everysec); err != nil {
		return nil, err
	}
	defer s.kill()
	var wg sync.WaitGroup
	var refused atomic.Int64
	all := make(seats, n)
	var took time.Duration
	wg.Add(1)
	go func() {
		defer wg.Done()
		time.Sleep(1500 * time.Millisecond) // the others look already
		began := time.Now()
		var each sync.WaitGroup
		for i := range all {
			each.Add(1)
			go func() {
				defer each.Done()
				st, err := s.sit(view(i))
				if err != nil {
					refused.Add(1)
					return
				}
				all[i] = st
				select {
				case <-st.first:
				case <-time.After(30 * time.Second):
					refused.Add(1)
				}
			}()
		}
		each.Wait()
		took = time.Since(began)
	}()
	r, err := others(s, 6*time.Second)
	wg.Wait()
	all.leave()
	if err != nil {
		return nil, err
	}
	return []figure{{fmt.Sprintf("%d viewers reconnect at once after kill -9", n), "others p99 < 2x",
		fmt.Sprintf("%.2fx (p99 %s, with the same crowd seated %s); all have their snapshot after %s, refused %d; ready after %s", float64(r.Socket.At(99))/float64(calm.Socket.At(99)), ms(r.Socket.At(99)), ms(calm.Socket.At(99)), ms(took), refused.Load(), ms(s.ready))}}, nil
}

// benchMillion holds a million Things. One that has reported within ten minutes costs more than one at rest: its copies are looked for.
func benchMillion(bin string, short bool, rest time.Duration) ([]figure, error) {
	dir, remove, err := scratch()
	if err != nil {
		return nil, err
	}
	defer remove()
	things := 1_000_000
	if short {
		things = 50_000
	}
	s, err := start(bin, dir, everysec, "GOGC=5")
	if err != nil {
		return nil, err
	}
	empty, _, rssEmpty, err := s.settled()
	if err != nil {
		s.kill()
		return nil, err
	}
	wide := geo.Bound{West: 100, South: -1.8, East: 101.6, North: -0.2}
	at := time.Now()
	began := time.Now()
	err = s.fill("bench", things, func(i int) string {
		lat, lng := wide.South+float64(i*7919%10007)/10007*(wide.North-wide.South), wide.West+float64(i*104729%10009)/10009*(wide.East-wide.West)
		return fmt.Sprintf(`{"thing":"t%d","property":"level","value":%d,"unit":"m","at":"%s","lat":%.5f,"lng":%.5f}`, i, i%10, at.UTC().Format("2006-01-02T15:04:05.000Z"), lat, lng)
	})
	if err != nil {
		s.kill()
		return nil, fmt.Errorf("fill: %w", err)
	}
	filled := time.Since(began)
	if err := s.stop(); err != nil {
		return nil, fmt.Errorf("drain: %w", err)
	}
	if s, err = start(bin, dir, everysec); err != nil { // as it is served
		return nil, err
	}
	ready := s.ready
	if err := s.stop(); err != nil {
		return nil, err
	}
	time.Sleep(rest)
	if s, err = start(bin, dir, everysec, "GOGC=5"); err != nil { // as it is weighed
		return nil, err
	}
	defer s.kill()
	heap, _, rss, err := s.settled()
	if err != nil {
		return nil, err
	}
	return []figure{
		{fmt.Sprintf("ready with %d Things", things), "<= 15 s", fmt.Sprintf("%s (filled in %s)", ms(ready), ms(filled))},
		{fmt.Sprintf("server memory of a Thing that reported %s ago or less", (time.Since(at)).Round(time.Second)), "<= 400 B", fmt.Sprintf("heap %.0f B, resident %.0f B (collector at GOGC=5)", float64(heap-empty)/float64(things), float64(rss-rssEmpty)/float64(things))},
	}, nil
}
