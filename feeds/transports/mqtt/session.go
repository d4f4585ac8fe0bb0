package mqtt

import (
	"errors"
	"sync"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

// Bounds of one session.
const (
	putPatience  = 20 * time.Second // how long a sender whose messages are held may wait for room before it is sent away
	pacePatience = 2 * time.Second  // how long one that is too fast is held before it hears so
	maxReceived  = 1024             // messages of QoS 2 between PUBREC and PUBREL
	longestWill  = time.Hour        // believed of a Will Delay Interval
)

// session is one sender over its connections, as long as MQTT lets it last.
type session struct {
	broker  *Broker
	station *station
	lanes   lanes

	mu       sync.Mutex
	client   *mochi.Client       // nil: nobody is connected
	pass     Pass                // by which it came last
	received map[uint16]struct{} // stored, but the sender does not know it for sure: QoS 2 until PUBREL, QoS 1 whose PUBACK could not be sent
	life     time.Duration       // without a connection
	left     time.Time           // when the last one ended
	will     *time.Timer         // a Will that waits for its delay
}

// attach gives the session a connection, and says how long it outlives that.
func (s *session) attach(cl *mochi.Client, pass Pass, life time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client, s.pass, s.life = cl, pass, life
	if s.will != nil {
		s.will.Stop()
		s.will = nil
	}
}

// detach takes a connection away, and tells whether it was the session's.
func (s *session) detach(cl *mochi.Client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != cl {
		return false
	}
	s.client, s.left = nil, time.Now()
	return true
}

// current is its connection, nil where there is none, and whether it outlives that.
func (s *session) current() (cl *mochi.Client, lasts bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client, s.life > 0
}

// over tells that nobody has been connected for as long as the session lasts.
func (s *session) over(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client == nil && now.Sub(s.left) > s.life
}

// may is what its sender may do.
func (s *session) may() Pass {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pass
}

// take brings a PUBLISH on its way. It may wait for room. An error means that the connection has to end.
func (s *session) take(cl *mochi.Client, pk *packets.Packet) error {
	m := &message{topic: pk.TopicName, body: pk.Payload, at: s.broker.cfg.Now(), qos: pk.FixedHeader.Qos, id: pk.PacketID, v5: cl.Properties.ProtocolVersion == 5}
	pass := s.may()
	if err := s.station.acl(pass).admits(m.topic, len(m.body), s.broker.cfg.MaxPayload); err != nil {
		s.refused(cl, m, err)
		return nil
	}
	if err := s.pace(cl, m, pass.Shown); err != nil {
		if m.qos == 0 || m.v5 {
			s.refused(cl, m, err)
			return nil
		}
		return errFull // 3.1.1 knows no such answer: it comes back, and still has the message
	}
	if m.qos > 0 {
		switch known, full := s.knows(m, pk.FixedHeader.Dup); {
		case known:
			_ = cl.WritePacket(ack(m, packets.CodeSuccess)) // a connection that does not take it ends by itself
			return nil
		case full:
			return packets.ErrReceiveMaximum
		case pk.FixedHeader.Dup && s.lanes.holds(m.id): // it will be answered when the first is stored
			return nil
		}
	}
	return s.put(m)
}

// errPace is what becomes of a message that comes too soon.
var errPace = errors.New("rate: more messages a minute than the key may bring")

// pace holds a sender that is too fast, by not reading on: a little where it can be told (version 5: quota exceeded), longer where not.
func (s *session) pace(cl *mochi.Client, m *message, shown []string) error {
	if s.broker.cfg.Pace == nil {
		return nil
	}
	patience := putPatience
	if m.v5 || m.qos == 0 {
		patience = pacePatience
	}
	for _, name := range shown {
		for waited := time.Duration(0); ; {
			wait := s.broker.cfg.Pace(s.station.ctx, name)
			if wait <= 0 {
				break
			}
			if waited+wait > patience || cl.Closed() || s.station.ctx.Err() != nil {
				return errPace
			}
			wait = min(wait, 250*time.Millisecond) // a connection that ends meanwhile holds nobody up
			time.Sleep(wait)
			waited += wait
		}
	}
	return nil
}

func (s *session) put(m *message) error {
	if err := s.station.begin(len(m.body)); err != nil {
		return err
	}
	err := s.lanes.put(m, putPatience, s.work)
	if err != nil {
		s.station.done(len(m.body))
	}
	return err
}

// knows tells whether the message of a repeated PUBLISH is stored already, and whether too many wait for their PUBREL. A PUBLISH that does not call itself a repeat is a new
// message, whatever its id: a device that has restarted counts from 1 again.
func (s *session) knows(m *message, dup bool) (known, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known = s.received[m.id]
	if known && (!dup || m.qos == 1) {
		delete(s.received, m.id)
	}
	return known && dup, len(s.received) >= maxReceived
}

// work delivers one message and tells its sender.
func (s *session) work(m *message) {
	defer s.station.done(len(m.body))
	err := persist(s.station.ctx, s.station.deliver, m)
	s.broker.metrics.outcome(err)
	code := packets.CodeSuccess
	switch {
	case m.qos == 0:
		return
	case errors.Is(err, feeds.ErrPermanent):
		code = packets.ErrPayloadFormatInvalid
	case err != nil: // not stored: its sender keeps it
		return
	}
	s.mu.Lock()
	cl := s.client
	if m.qos == 2 && (code.Code == 0 || !m.v5) { // with an error code the exchange of version 5 is over
		s.remember(m.id)
	}
	s.mu.Unlock()
	if cl != nil && cl.WritePacket(ack(m, code)) == nil {
		return
	}
	if m.qos == 1 {
		s.mu.Lock()
		s.remember(m.id)
		s.mu.Unlock()
	}
}

func (s *session) remember(id uint16) {
	if s.received == nil {
		s.received = map[uint16]struct{}{}
	}
	s.received[id] = struct{}{}
}

// release ends the exchange of QoS 2 for an id, and tells whether there was one.
func (s *session) release(id uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.received[id]
	delete(s.received, id)
	return ok
}

// refused answers what is refused unread. It is acknowledged, or a sender of version 3.1.1 would send it for ever.
func (s *session) refused(cl *mochi.Client, m *message, err error) {
	s.station.watch.Reject(1, err)
	s.broker.metrics.refused()
	if m.qos == 0 {
		return
	}
	code := packets.ErrNotAuthorized
	switch {
	case errors.Is(err, bounded.ErrTooLarge):
		code = packets.ErrPacketTooLarge
	case errors.Is(err, errPace):
		code = packets.ErrQuotaExceeded
	}
	if m.qos == 2 && !m.v5 {
		s.mu.Lock()
		s.remember(m.id)
		s.mu.Unlock()
	}
	_ = cl.WritePacket(ack(m, code))
}

// ack is the answer to a PUBLISH: PUBACK or PUBREC. The code is for version 5; the library leaves it out for 3.1.1.
func ack(m *message, code packets.Code) packets.Packet {
	kind := packets.Puback
	if m.qos == 2 {
		kind = packets.Pubrec
	}
	return packets.Packet{FixedHeader: packets.FixedHeader{Type: kind}, PacketID: m.id, ReasonCode: code.Code}
}

// will is a message that its sender leaves to be published when its connection breaks.
type will struct {
	topic string
	body  []byte
	delay time.Duration
}

// bequeath lets a Will come true, after its delay where the session outlives the connection.
func (s *session) bequeath(w *will) {
	m := &message{topic: w.topic, body: w.body}
	publish := func() {
		m.at = s.broker.cfg.Now()
		if err := s.put(m); err != nil {
			s.broker.cfg.Log.Debug().Err(err).Str("feed", s.station.feed).Msg("a Will was not taken")
		}
	}
	if w.delay <= 0 {
		publish()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		s.will = time.AfterFunc(w.delay, publish)
	}
}

// end closes the session: nothing that waits is delivered, no Will comes true, and its connection ends.
func (s *session) end(code packets.Code) {
	for _, m := range s.lanes.end() {
		s.station.done(len(m.body))
	}
	s.mu.Lock()
	cl := s.client
	if s.will != nil {
		s.will.Stop()
		s.will = nil
	}
	s.mu.Unlock()
	if cl != nil {
		s.broker.sendAway(cl, code)
	}
}
