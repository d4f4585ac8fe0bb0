package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// device is an MQTT 3.1.1 client that costs little: it writes frames by hand and keeps of an answer only its packet id.
type device struct {
	conn net.Conn
	mu   sync.Mutex
	sent map[uint16]time.Time // not acknowledged yet
	next uint16
	room chan struct{} // as many as may be under way; nil: any number
}

// field is a text of MQTT.
func field(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }

// mqttFrame puts the fixed header before a packet.
func mqttFrame(first byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{first}, uint64(len(body))), body...)
}

// connectDevice signs in at the broker, and reads acknowledgements from then on; acked hears how long each took.
func connectDevice(addr, id string, window int, acked func(time.Duration)) (*device, error) {
	c, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	body := append(field("MQTT"), 4, 0xC2, 0, 0)
	for _, s := range []string{id, "devices", token} {
		body = append(body, field(s)...)
	}
	if _, err := c.Write(mqttFrame(0x10, body)); err != nil {
		return nil, err
	}
	var answer [4]byte
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadFull(c, answer[:]); err != nil || answer[0] != 0x20 || answer[3] != 0 {
		_ = c.Close()
		return nil, fmt.Errorf("CONNACK % x: %w", answer, err)
	}
	_ = c.SetReadDeadline(time.Time{})
	d := &device{conn: c, sent: map[uint16]time.Time{}}
	if window > 0 {
		d.room = make(chan struct{}, window)
	}
	go d.read(acked)
	return d, nil
}

func (d *device) read(acked func(time.Duration)) {
	in := bufio.NewReaderSize(d.conn, 16)
	var p [4]byte
	for {
		if _, err := io.ReadFull(in, p[:]); err != nil {
			return
		}
		id := binary.BigEndian.Uint16(p[2:])
		d.mu.Lock()
		at, ok := d.sent[id]
		delete(d.sent, id)
		d.mu.Unlock()
		if ok && acked != nil {
			acked(time.Since(at))
		}
		if d.room != nil {
			<-d.room
		}
	}
}

// publish sends one message of QoS 1; due is when it should have been sent.
func (d *device) publish(topic, body string, due time.Time) error {
	if d.room != nil {
		d.room <- struct{}{}
	}
	d.mu.Lock()
	if d.next++; d.next == 0 {
		d.next = 1
	}
	id := d.next
	d.sent[id] = due
	d.mu.Unlock()
	packet := append(binary.BigEndian.AppendUint16(field(topic), id), body...)
	_, err := d.conn.Write(mqttFrame(0x32, packet))
	return err
}

// connectDevices signs in many, some at a time.
func connectDevices(addr string, n, window int, acked func(time.Duration)) ([]*device, error) {
	all := make([]*device, n)
	var wg sync.WaitGroup
	var failure atomic.Value
	slots := make(chan struct{}, 64)
	for i := range all {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			var err error
			if all[i], err = connectDevice(addr, fmt.Sprint("device-", i), window, acked); err != nil {
				failure.Store(err)
			}
		})
	}
	wg.Wait()
	if err, ok := failure.Load().(error); ok {
		leave(all)
		return nil, err
	}
	return all, nil
}

func leave(all []*device) {
	for _, d := range all {
		if d != nil {
			_ = d.conn.Close()
		}
	}
}

// benchMQTT connects 10,000 devices, weighs them, and lets each publish now and then.
func benchMQTT(bin string, short bool) ([]figure, error) {
	n, length := 10_000, 20*time.Second
	if short {
		n, length = 1_000, 4*time.Second
	}
	out, err := weighDevices(bin, n)
	if err != nil {
		return out, err
	}
	live, err := devicesToSocket(bin, n, length)
	if out = append(out, live...); err != nil {
		return out, err
	}
	flat, err := gateways(bin, length/2)
	return append(out, flat...), err
}

// weighDevices tells what the server holds for each connected device, silent ones and such as have published.
func weighDevices(bin string, n int) ([]figure, error) {
	s, done, err := freshWith(bin, "GOGC=5")
	if err != nil {
		return nil, err
	}
	defer done()
	warm, err := connectDevices(s.mqtt, 100, 0, nil) // what the first ones allocate for all
	if err != nil {
		return nil, err
	}
	leave(warm)
	heap, stacks, rss, err := s.settled()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	all, err := connectDevices(s.mqtt, n, 0, nil)
	if err != nil {
		return nil, err
	}
	defer leave(all)
	took := time.Since(began)
	weigh := func(what string) (figure, error) {
		h, st, r, err := s.settled()
		if err != nil {
			return figure{}, err
		}
		each := func(now, before int64) float64 { return float64(now-before) / float64(n) / 1024 }
		return figure{fmt.Sprintf("server memory of each of %d connected devices, %s", n, what), "<= 12 KB",
			fmt.Sprintf("%.1f KB (heap %.1f, stacks %.1f; resident %.1f KB)", each(h+st, heap+stacks), each(h, heap), each(st, stacks), each(r, rss))}, nil
	}
	silent, err := weigh("silent")
	if err != nil {
		return nil, err
	}
	for i, d := range all { // the same Thing, so that no Thing is weighed
		if err := d.publish("devices/1", reading(1, float64(i), time.Now()), time.Now()); err != nil {
			return nil, err
		}
	}
	if err := awaitAcks(all, 60*time.Second); err != nil {
		return nil, err
	}
	spoken, err := weigh("after each has published")
	return []figure{{fmt.Sprintf("%d devices sign in", n), "-", ms(took)}, silent, spoken}, err
}

// awaitAcks waits until every message of every device is acknowledged.
func awaitAcks(all []*device, most time.Duration) error {
	for end := time.Now().Add(most); ; time.Sleep(20 * time.Millisecond) {
		open := 0
		for _, d := range all {
			d.mu.Lock()
			open += len(d.sent)
			d.mu.Unlock()
		}
		if open == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d messages are not acknowledged after %s", open, most)
		}
	}
}

// delays collects durations from many goroutines.
type delays struct {
	mu  sync.Mutex
	all []time.Duration
}

func (d *delays) add(t time.Duration) {
	d.mu.Lock()
	d.all = append(d.all, t)
	d.mu.Unlock()
}

// devicesToSocket sends 1,000 messages/s from all devices together, each from when it was due, to 20 viewers.
func devicesToSocket(bin string, n int, length time.Duration) ([]figure, error) {
	s, done, err := fresh(bin)
	if err != nil {
		return nil, err
	}
	defer done()
	var seen, acked delays
	var base atomic.Int64 // when it began, in microseconds; what came before does not count
	all, err := connectDevices(s.mqtt, n, 0, acked.add)
	if err != nil {
		return nil, err
	}
	defer leave(all)
	for range 20 {
		c, err := s.view("100,-2,102,0", func(kind string, raw []byte) {
			at := time.Now().UnixMicro()
			var m struct {
				Things []struct {
					State map[string]struct{ Value float64 }
				}
			}
			if kind != "things" || base.Load() == 0 || json.Unmarshal(raw, &m) != nil {
				return
			}
			for _, t := range m.Things {
				seen.add(time.Duration(at-base.Load()-int64(t.State["level"].Value)) * time.Microsecond)
			}
		})
		if err != nil {
			return nil, err
		}
		defer c.Close()
	}
	began := time.Now()
	base.Store(began.UnixMicro())
	const rate = 1000
	for k := 0; time.Duration(k)*time.Second/rate < length; k++ {
		due := began.Add(time.Duration(k) * time.Second / rate)
		time.Sleep(time.Until(due))
		i := k % n
		if err := all[i].publish(fmt.Sprint("devices/", i), reading(i, float64(due.Sub(began).Microseconds()), due), due); err != nil {
			return nil, fmt.Errorf("device %d: %w", i, err)
		}
	}
	if err := awaitAcks(all, 10*time.Second); err != nil {
		return nil, err
	}
	time.Sleep(500 * time.Millisecond)
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if len(seen.all) == 0 {
		return nil, errors.New("no reading came to a socket")
	}
	name := fmt.Sprintf("MQTT QoS 1 %%s, %d devices, %d messages/s in all, 20 viewers", n, rate)
	return []figure{{fmt.Sprintf(name, "to socket"), "p99 250 ms", spread(seen.all)}, {fmt.Sprintf(name, "to PUBACK"), "-", spread(acked.all)}}, nil
}

// gateways keep 60 messages under way each, of as many topics, and wait for the acknowledgements.
func gateways(bin string, length time.Duration) ([]figure, error) {
	s, done, err := fresh(bin)
	if err != nil {
		return nil, err
	}
	defer done()
	var out []figure
	for _, clients := range []int{1, 64} {
		var n atomic.Int64
		all, err := connectDevices(s.mqtt, clients, 60, func(time.Duration) { n.Add(1) })
		if err != nil {
			return out, err
		}
		began := time.Now()
		var wg sync.WaitGroup
		for g, d := range all {
			wg.Go(func() {
				for i := 0; time.Since(began) < length; i++ {
					thing := g*60 + i%60
					if d.publish(fmt.Sprint("devices/", thing), reading(thing, float64(i), time.Now()), time.Now()) != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		err = awaitAcks(all, 30*time.Second)
		rate := float64(n.Load()) / time.Since(began).Seconds()
		leave(all)
		if err != nil {
			return out, err
		}
		out = append(out, figure{fmt.Sprintf("MQTT QoS 1 messages/s of one reading, acknowledged after commit, %d gateways", clients), "-", fmt.Sprintf("%.0f", rate)})
	}
	return out, s.stop()
}
