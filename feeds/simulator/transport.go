package simulator

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"kentongan/feeds"
)

// Config is how a simulated city is fed to the house.
type Config struct {
	Place  Place
	Things int
	Seed   uint64                                   // 0: from the place's name
	Runs   func(ctx context.Context) ([]Run, error) // which scenarios play; nil: none. On an error the last answer holds
	Now    func() time.Time                         // nil: time.Now
}

// How often the clock moves, and commands are looked for.
const (
	tick      = 250 * time.Millisecond
	askEvery  = 500 * time.Millisecond
	askFor    = 2 * time.Second
	firstWait = 100 * time.Millisecond // before a delivery that was not taken is tried again; doubles
	lastWait  = 5 * time.Second
)

// Transport is a feed that invents: an open-loop schedule in which every Thing keeps its own time, whether it is listened to or not. What
// falls due goes out some ten times a second, together with what has the same interval. A delivery that is not acknowledged is kept and
// sent again; what falls due meanwhile is gathered, at most mostLines for each interval, as devices with a small memory do.
type Transport struct{ config Config }

// NewTransport gives a transport; Run reports a configuration that cannot be.
func NewTransport(c Config) *Transport {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Transport{c}
}

// play is one life of the transport.
type play struct {
	*Transport
	city    *City
	agenda  *agenda
	list    []*lane
	of      [kinds]*rhythm
	words   *lane // alerts and reports
	told    map[uint64]bool
	deliver feeds.Deliver
	sent    chan *lane
	sending sync.WaitGroup
	last    int64 // up to when everything has happened, ms
}

// lane is a rhythm with what is on its way.
type lane struct {
	*rhythm
	busy  bool
	next  int64 // when it may be sent, ms
	spare []byte
}

// Run plays until ctx ends. An error means that the city cannot be built.
func (t *Transport) Run(ctx context.Context, deliver feeds.Deliver) error {
	city, err := New(t.config.Place, t.config.Things, t.config.Seed)
	if err != nil {
		return err
	}
	p := &play{Transport: t, city: city, deliver: deliver, told: map[uint64]bool{}, words: &lane{rhythm: &rhythm{every: 250}}}
	rhythms, of := rhythmsOf()
	for _, r := range rhythms {
		p.list = append(p.list, &lane{rhythm: r})
	}
	p.of, p.list = of, append(p.list, p.words)
	p.sent = make(chan *lane, len(p.list))
	ctx, cancel := context.WithCancel(ctx)
	runs := make(chan []Run)
	p.sending.Go(func() { t.ask(ctx, runs) })
	p.loop(ctx, runs)
	cancel()
	p.sending.Wait()
	return nil
}

func (p *play) loop(ctx context.Context, runs <-chan []Run) {
	p.last = p.config.Now().UnixMilli()
	p.agenda = p.city.open(p.last)
	for i, l := range p.list { // one after the other, not all at once
		l.next = p.last + int64(i)*100
	}
	clock := time.NewTicker(tick)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case list := <-runs:
			// Scenarios are embedded and held by tests: an error here is one we ship, and the city goes on as it was.
			_ = p.city.SetRuns(list, p.config.Now())
		case l := <-p.sent:
			l.busy = false
		case <-clock.C:
			p.advance(ctx, p.config.Now().UnixMilli())
		}
	}
}

// ask hands over the runs whenever they have changed.
func (t *Transport) ask(ctx context.Context, runs chan<- []Run) {
	if t.config.Runs == nil {
		return
	}
	var known []Run
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		asking, cancel := context.WithTimeout(ctx, askFor)
		list, err := t.config.Runs(asking)
		cancel()
		if err == nil && !reflect.DeepEqual(list, known) {
			known = list
			select {
			case runs <- list:
			case <-ctx.Done():
				return
			}
		}
		timer.Reset(askEvery)
	}
}

// advance lets the city live up to a moment, and sends what may be sent. A clock that was set back stands still.
func (p *play) advance(ctx context.Context, now int64) {
	if now <= p.last {
		return
	}
	p.agenda.run(p.city, now, &p.of)
	p.city.shake(p.last, now, &p.of[phone].writer)
	p.speak(now)
	p.last = now
	for _, l := range p.list {
		if l.writer.lines == 0 || l.busy || now < l.next {
			continue
		}
		body := l.writer.b
		l.writer = writer{b: l.spare[:0]}
		l.spare, l.busy, l.next = body, true, now+l.every
		p.sending.Go(func() { p.send(ctx, l, body) })
	}
}

// shake lets phones tell of shocks; many may do so within seconds.
func (c *City) shake(from, to int64, w *writer) {
	if len(c.now.quakes) == 0 {
		return
	}
	for n := c.first[phone]; n < c.first[phone]+c.number[phone] && w.lines < mostLines; n++ {
		c.tell(&c.things[n], from, to, w)
	}
}

// speak puts the alerts and reports that have come due into their lane, each once in this life; the house knows those of another.
func (p *play) speak(now int64) {
	for i := range p.city.now.words {
		m := &p.city.now.words[i]
		if m.at > now {
			continue
		}
		if key := word(string(m.line)); !p.told[key] {
			p.told[key] = true
			p.words.writer.b = append(p.words.writer.b, m.line...)
			p.words.writer.lines++
		}
	}
}

// send delivers until the bytes are stored, or refused for good, or ctx ends.
func (p *play) send(ctx context.Context, l *lane, body []byte) {
	defer func() { p.sent <- l }() // there is room for every lane
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		meta := feeds.Meta{ContentType: "application/x-ndjson", Topic: "simulator", ReceivedAt: p.config.Now(), Interval: l.interval, Simulated: true}
		_, err := p.deliver(ctx, body, meta)
		if err == nil || errors.Is(err, feeds.ErrPermanent) {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}
