package mqtt

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Times and sizes of signing in.
const (
	authTime    = 10 * time.Second
	maxClientID = 256 // bytes; version 3.1.1 asks for 23
)

// meet is one connection from beginning to end. The library has a way of its own for that, in which a connection that only waits holds two
// goroutines, one of them deep in calls that carry packets: 20 KB of stacks for each. Here it waits at the top of one.
func (b *Broker) meet(l *link) {
	cl := b.server.NewClient(l, "mqtt", "", false)
	defer cl.Stop(nil)
	if !b.welcome(cl, l) {
		return
	}
	defer b.connected.Add(-1)
	var err error
	for err == nil && !cl.Closed() {
		if err = l.await(time.Duration(cl.State.Keepalive) * 3 / 2 * time.Second); err == nil {
			err = b.next(cl, l)
		}
	}
	b.farewell(cl, l, err)
}

// welcome reads the CONNECT, which is there whole, and answers it.
//
//go:noinline
func (b *Broker) welcome(cl *mochi.Client, l *link) bool {
	head := new(packets.FixedHeader)
	if cl.ReadFixedHeader(head) != nil {
		return false
	}
	pk, err := cl.ReadPacket(head)
	if err != nil {
		return false
	}
	l.took(head.Remaining)
	cl.ParseConnect("mqtt", pk)
	code := b.judge(cl, l, pk)
	if code != packets.CodeSuccess {
		b.metrics.turnedAway()
		b.cfg.Log.Debug().Str("from", l.from()).Str("feed", clip(string(pk.Connect.Username))).Str("reason", code.Reason).Msg("MQTT client refused")
		_ = b.server.SendConnack(cl, code, false, nil) // it ends either way
		return false
	}
	l.known()
	present := b.seat(cl, l, pk.Connect.Clean)
	if err := b.server.SendConnack(cl, code, present, nil); err != nil {
		b.connected.Add(-1)
		b.farewell(cl, l, nil)
		return false
	}
	return true
}

// judge tells whether a CONNECT is let in; where it is, it is counted among the connected.
func (b *Broker) judge(cl *mochi.Client, l *link, pk packets.Packet) packets.Code {
	version := cl.Properties.ProtocolVersion
	if b.connected.Add(1) > int64(b.cfg.MaxClients) {
		b.connected.Add(-1)
		if version < 5 {
			return packets.ErrServerUnavailable
		}
		return packets.ErrServerBusy
	}
	code := pk.ConnectValidate()
	switch {
	case code != packets.CodeSuccess:
	case version < 4:
		code = packets.ErrUnsupportedProtocolVersion
	case version < 5 && !pk.Connect.Clean && pk.Connect.ClientIdentifier == "":
		code = packets.ErrClientIdentifierNotValid
	default:
		code = b.signIn(cl, l, pk)
	}
	if code != packets.CodeSuccess {
		b.connected.Add(-1)
	}
	return code
}

// signIn judges a CONNECT and gives the connection its feed. The client id is made the feed's own: with the same id a client of another
// feed would take over this one's session, and what is in flight in it.
func (b *Broker) signIn(cl *mochi.Client, l *link, pk packets.Packet) packets.Code {
	claim := Claim{Feed: string(pk.Connect.Username), Key: string(pk.Connect.Password), Certificate: l.certificate, From: l.from(), Agent: "MQTT 3.1.1"}
	if cl.Properties.ProtocolVersion == 5 {
		claim.Agent = "MQTT 5"
	}
	switch {
	case pk.Properties.AuthenticationMethod != "":
		return packets.ErrBadAuthenticationMethod
	case len(pk.Connect.ClientIdentifier) > maxClientID:
		return packets.ErrClientIdentifierNotValid
	case claim.Feed == "" && claim.Key != "", claim.Certificate == nil && claim.Key == "":
		return packets.ErrBadUsernameOrPassword
	}
	ctx, cancel := context.WithTimeout(context.Background(), authTime)
	defer cancel()
	pass, err := b.cfg.Authenticate(ctx, claim)
	var why *Refusal
	switch {
	case errors.As(err, &why):
		if b.loud.Allow() {
			b.cfg.Log.Warn().Str("from", claim.From).Str("reason", why.Reason).Msg("MQTT client refused: its certificate is not enough")
		}
		return packets.Code{Code: packets.ErrNotAuthorized.Code, Reason: why.Reason}
	case errors.Is(err, ErrDenied):
		return packets.ErrBadUsernameOrPassword
	case err != nil:
		b.cfg.Log.Warn().Err(err).Msg("MQTT client cannot be identified now")
		return packets.ErrServerUnavailable
	}
	st := b.station(pass.Feed)
	if st == nil { // what it showed is good: it may know
		return packets.ErrServerUnavailable
	}
	l.station, l.pass = st, pass
	if pk.Connect.WillFlag {
		l.will = b.testament(cl, l, pk)
	}
	cl.Properties.Will = mochi.Will{} // the library would publish it past every check, and retain it
	cl.Properties.Username = []byte(pass.Feed)
	cl.ID = pass.Feed + "/" + cl.ID
	if pass.Owner != "" { // no feed has a colon in its name, so that nobody else's id can look like this
		cl.ID = pass.Owner + ":" + cl.ID
	}
	if cl.State.Keepalive == 0 || cl.State.Keepalive > uint16(longestSilence/time.Second) {
		cl.State.Keepalive, cl.State.ServerKeepalive = uint16(longestSilence/time.Second), true
	}
	return packets.CodeSuccess
}

// testament is the Will of a client, nil where it may not be published; its readings are taken all the same.
func (b *Broker) testament(cl *mochi.Client, l *link, pk packets.Packet) *will {
	w := &will{topic: pk.Connect.WillTopic, body: slices.Clone(pk.Connect.WillPayload)}
	if err := l.station.acl(l.pass).admits(w.topic, len(w.body), b.cfg.MaxPayload); err != nil {
		l.station.watch.Reject(1, err)
		b.metrics.refused()
		return nil
	}
	if cl.Properties.ProtocolVersion == 5 {
		seconds := min(pk.Connect.WillProperties.WillDelayInterval, pk.Properties.SessionExpiryInterval, uint32(longestWill/time.Second))
		w.delay = time.Duration(seconds) * time.Second
	}
	return w
}

// seat gives the connection its session, and ends the one that the session had: it is the same client.
func (b *Broker) seat(cl *mochi.Client, l *link, clean bool) (present bool) {
	b.mu.Lock()
	s := b.sessions[cl.ID]
	var before *mochi.Client
	lasts := false
	if s != nil {
		before, lasts = s.current()
	}
	if present = lasts && !clean && s.station == l.station; !present {
		s = &session{broker: b, station: l.station}
		b.sessions[cl.ID] = s
	}
	room := len(b.sessions) < b.cfg.MaxClients
	b.mu.Unlock()
	l.session = s
	s.attach(cl, l.pass, lifeOf(cl, room))
	if before != nil {
		b.sendAway(before, packets.ErrSessionTakenOver)
	}
	return present
}

// lifeOf is how long a session outlives its connection.
func lifeOf(cl *mochi.Client, room bool) time.Duration {
	switch {
	case !room || cl.Properties.ProtocolVersion < 5 && cl.Properties.Clean:
		return 0
	case cl.Properties.ProtocolVersion < 5:
		return sessionLife * time.Second
	}
	return time.Duration(min(cl.Properties.Props.SessionExpiryInterval, sessionLife)) * time.Second
}

// next reads one packet, whose first byte is there, and lets the library act on it.
//
//go:noinline
func (b *Broker) next(cl *mochi.Client, l *link) error {
	head := new(packets.FixedHeader)
	if err := cl.ReadFixedHeader(head); err != nil {
		return err
	}
	pk, err := cl.ReadPacket(head)
	if err != nil {
		return err
	}
	l.took(head.Remaining)
	err = b.server.InjectPacket(cl, pk)
	var code packets.Code
	if errors.As(err, &code) && code.Code >= packets.ErrUnspecifiedError.Code && cl.Properties.ProtocolVersion == 5 {
		_ = b.server.DisconnectClient(cl, code) // it ends either way
	}
	return err
}

// farewell lets a Will come true where the connection broke and its sender has not come back already.
func (b *Broker) farewell(cl *mochi.Client, l *link, err error) {
	s := l.session
	if !s.detach(cl) {
		return
	}
	if err != nil && l.will != nil && !l.dismissed.Load() {
		s.bequeath(l.will)
	}
	if s.life == 0 {
		b.forget(cl.ID, s)
	}
}

// clip makes a text of a stranger fit for a log.
func clip(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), 63)], "\uFFFD")
}
