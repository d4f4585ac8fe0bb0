package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/load"
	"kentongan/server/wire"
)

// everysec is the store's setting that survives a kill, not a power loss.
const everysec = "KENTONGAN_STORE_FSYNC=everysec"

// freshWith is fresh with settings.
func freshWith(bin string, env ...string) (s *server, done func(), err error) {
	dir, remove, err := scratch()
	if err != nil {
		return nil, nil, err
	}
	if s, err = start(bin, dir, env...); err != nil {
		remove()
		return nil, nil, err
	}
	return s, func() { s.kill(); remove() }, nil
}

// playing is a load on a server; its crossings are those of the benches' rule.
func (s *server) playing(things int, rate float64, viewers int, d time.Duration) load.Config {
	c := load.DefaultConfig()
	c.URL, c.Token, c.Feed, c.Bound = s.base, token, "bench", cityBound
	c.Things, c.Rate, c.Viewers, c.Duration, c.Crossing.Samples = things, rate, viewers, d, 1
	return c
}

// benchFrame weighs the binary frame of a tick in which everything has moved.
func benchFrame(string, bool) ([]figure, error) {
	const things, buckets = 20_000, 300
	now := time.Now()
	rows := make([][]wire.Row, buckets)
	for i := range things {
		t := &feeds.Thing{Kind: "unit", Position: geo.Position{Lat: -0.8, Lng: 100.6 + float64(i)*1e-6}, Placed: true, At: moment.Of(now.Add(-time.Duration(i%250) * time.Millisecond)),
			State: map[string]feeds.Reading{"speed": {Value: feeds.Value{Num: 12}, Unit: "m/s", Quality: feeds.Good}, "heading": {Value: feeds.Value{Num: 90}, Quality: feeds.Good}}}
		rows[i%buckets] = append(rows[i%buckets], wire.Row{Slot: uint32(i), Thing: t})
	}
	var chunks [][]byte
	began := time.Now()
	for _, r := range rows {
		chunks = append(chunks, wire.AppendThingFrame(nil, now.UnixMilli(), "unit", r))
	}
	b := wire.AppendThingsMessage(nil, chunks, nil)
	return []figure{{"binary frame, 20,000 moved Things in 300 cells", "<= 22 B each", fmt.Sprintf("%.2f B each, built in %s", float64(len(b))/things, ms(time.Since(began)))}}, nil
}

// benchRush is 100,000 readings a second beside 100 viewers.
func benchRush(bin string, short bool) ([]figure, error) {
	var out []figure
	for _, rate := range []float64{100_000, 50_000} {
		s, done, err := freshWith(bin, everysec)
		if err != nil {
			return out, err
		}
		d := 10 * time.Second
		if short {
			d = 3 * time.Second
		}
		c := s.playing(20_000, rate, 100, d)
		c.Connections = 16
		r, use, err := rush(s, c)
		done()
		if err != nil {
			return out, err
		}
		out = append(out, figure{fmt.Sprintf("%.0f readings/s over HTTP, 100 viewers, everysec, open loop", rate), "p99 <= 150 ms",
			fmt.Sprintf("%.0f/s acknowledged; to ack p50 %s p99 %s; to socket p50 %s p99 %s; 503: %d; %s", float64(r.Acked)/r.Took.Seconds(), ms(r.Ack.At(50)), ms(r.Ack.At(99)), ms(r.Socket.At(50)), ms(r.Socket.At(99)), r.Refused, use)})
	}
	return out, nil
}

func rush(s *server, c load.Config) (r *load.Result, use string, err error) {
	before, err := s.spent()
	if err != nil {
		return nil, "", err
	}
	if r, err = load.Run(context.Background(), c); err != nil {
		return nil, "", err
	}
	after, err := s.spent()
	if err != nil {
		return nil, "", err
	}
	return r, perMillion(before, after, max(r.Acked, 1)), s.stop()
}

// benchIdle is what 2,000 viewers cost who look at a place where nothing happens.
func benchIdle(bin string, short bool) ([]figure, error) {
	s, done, err := freshWith(bin, "GOGC=5")
	if err != nil {
		return nil, err
	}
	defer done()
	n := 2000
	if short {
		n = 200
	}
	view := viewOf(geo.Bound{West: 10, South: 10, East: 11, North: 11}, 12)
	// A first round brings pools and maps to their size; what remains of it is not a viewer's.
	warm, err := s.sitAll(n, func(int) string { return view })
	if err != nil {
		return nil, err
	}
	warm.leave()
	time.Sleep(2 * time.Second)
	heap0, stack0, rss0, err := s.settled()
	if err != nil {
		return nil, err
	}
	here, err := s.sitAll(n, func(int) string { return view })
	if err != nil {
		return nil, err
	}
	defer here.leave()
	for _, st := range here {
		<-st.first
	}
	heap1, stack1, rss1, err := s.settled()
	if err != nil {
		return nil, err
	}
	each := func(a, b int64) float64 { return float64(b-a) / 1000 / float64(n) }
	return []figure{{fmt.Sprintf("server memory of an idle viewer, %d of them", n), "<= 10 KB",
		fmt.Sprintf("%.1f KB (heap %.1f, stacks %.1f); resident %.1f", each(heap0, heap1)+each(stack0, stack1), each(heap0, heap1), each(stack0, stack1), each(rss0, rss1))}}, nil
}

// steadily loads a server until the returned function is called; it waits until the load runs.
func steadily(s *server, things int, rate float64) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	c := s.playing(things, rate, 0, time.Hour)
	c.Connections = 2
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { defer wg.Done(); _, _ = load.Run(ctx, c) }()
	time.Sleep(2 * time.Second)
	return func() { cancel(); wg.Wait() }
}

// benchFanout compares what the server spends on viewers with a twin that writes the same bytes.
func benchFanout(bin string, short bool) ([]figure, error) {
	var out []figure
	counts, d := []int{1000, 5000}, 10*time.Second
	if short {
		counts, d = []int{200}, 3*time.Second
	}
	const rate, things, views = 400, 400, 4
	for _, n := range counts {
		s, done, err := freshWith(bin, everysec)
		if err != nil {
			return out, err
		}
		stop := steadily(s, things, rate)
		fig, err := fanout(s, n, views, rate, d)
		stop()
		done()
		if err != nil {
			return out, err
		}
		out = append(out, fig)
	}
	return out, nil
}

func fanout(s *server, n, views int, rate float64, d time.Duration) (figure, error) {
	alone, err := cpuDuring(s.pid(), d)
	if err != nil {
		return figure{}, err
	}
	all, err := s.sitAll(n, func(i int) string { return viewOf(part(i, views), 12) })
	if err != nil {
		return figure{}, err
	}
	defer all.leave()
	time.Sleep(2 * time.Second)
	bytes, writes := all.bytes(), 0.0
	w0, _ := s.metric("kentongan_live_writes_total")
	began := time.Now()
	with, err := cpuDuring(s.pid(), d)
	took := time.Since(began)
	if err != nil {
		return figure{}, err
	}
	w1, err := s.metric("kentongan_live_writes_total")
	if err != nil {
		return figure{}, err
	}
	writes, bytes = w1-w0, all.bytes()-bytes
	// The twin writes at the hub's tick, so often and so much as the server did.
	const every = 100 * time.Millisecond
	size := int(float64(bytes) / writes)
	share := writes / float64(n) / (took.Seconds() / every.Seconds()) // of ticks in which a viewer was written to
	plan := twinPlan{Sizes: []int{size}, Every: time.Duration(float64(every) / share), Conns: n}
	all.leave()
	twin, written, err := twinCPU(plan, d)
	if err != nil {
		return figure{}, err
	}
	deliveries := rate / float64(views) * float64(n) * took.Seconds() / 1e6
	ours, theirs := (with-alone).Seconds()/float64(bytes), twin.Seconds()/float64(written)
	return figure{fmt.Sprintf("fan-out to %d viewers, CPU beside plain TCP writing the same bytes", n), "<= 1.25x",
		fmt.Sprintf("%.2fx: %.2f s per 1M readings delivered, twin %.2f s (%.0f writes/s of %d B)", ours/theirs, (with-alone).Seconds()/deliveries, theirs*float64(bytes)/deliveries, writes/took.Seconds(), size)}, nil
}

// benchOutside doubles the city where nobody looks.
func benchOutside(bin string, short bool) ([]figure, error) {
	d, n, rounds := 6*time.Second, 2000, 3
	if short {
		d, n, rounds = 2*time.Second, 100, 1
	}
	type cost struct {
		cpu   time.Duration
		bytes float64
	}
	measure := func(outside int) (c cost, err error) {
		s, done, err := freshWith(bin, everysec)
		if err != nil {
			return c, err
		}
		defer done()
		stop := steadily(s, 1000, 1000)
		defer stop()
		far := s.playing(outside, float64(outside)/10, 0, time.Hour)
		far.Bound, far.Feed = geo.Bound{West: 102, South: -3, East: 103, North: -2}, "gauge"
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() { _, _ = load.Run(ctx, far) }()
		time.Sleep(2 * time.Second)
		without, err := cpuDuring(s.pid(), d)
		if err != nil {
			return c, err
		}
		all, err := s.sitAll(n, func(i int) string { return viewOf(part(i, 8), 12) })
		if err != nil {
			return c, err
		}
		defer all.leave()
		time.Sleep(2 * time.Second)
		before := all.bytes()
		with, err := cpuDuring(s.pid(), d)
		return cost{with - without, float64(all.bytes() - before)}, err
	}
	// In pairs, one after the other: the machine is not the same from minute to minute. The median of the pairs counts.
	var cpu, bytes []float64
	for range rounds {
		one, err := measure(10_000)
		if err != nil {
			return nil, err
		}
		two, err := measure(20_000)
		if err != nil {
			return nil, err
		}
		cpu = append(cpu, (two.cpu.Seconds()/one.cpu.Seconds()-1)*100)
		bytes = append(bytes, (two.bytes/one.bytes-1)*100)
	}
	slices.Sort(cpu)
	slices.Sort(bytes)
	return []figure{{fmt.Sprintf("city outside the view doubled (10,000 to 20,000 Things), %d viewers", n), "< 5 %",
		fmt.Sprintf("CPU of a viewer %+.1f %% (of %+.1f), bytes %+.1f %%; medians of %d pairs", cpu[rounds/2], cpu, bytes[rounds/2], rounds)}}, nil
}
