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

// hook is where the library asks us. It delivers nothing by itself: what is published goes to the session and from there to the feed, and the library hears that
// the packet was rejected, so that it neither answers nor keeps nor retains it.
type hook struct {
	mochi.HookBase
	broker *Broker
}

// Times and sizes of signing in.
const (
	authTime    = 10 * time.Second
	maxClientID = 256 // bytes; version 3.1.1 asks for 23
)

// ID is the library's name for it.
func (h *hook) ID() string { return "inlet" }

// Provides lists what the library asks us for.
func (h *hook) Provides(what byte) bool {
	return slices.Contains([]byte{mochi.OnConnect, mochi.OnConnectAuthenticate, mochi.OnSessionEstablish, mochi.OnACLCheck, mochi.OnPacketRead,
		mochi.OnPacketEncode, mochi.OnPublish, mochi.OnDisconnect, mochi.OnClientExpired}, what)
}

// OnConnect signs a client in, or sends the refusal itself: the library would say nothing.
func (h *hook) OnConnect(cl *mochi.Client, pk packets.Packet) error {
	l, ok := cl.Net.Conn.(*link)
	if !ok {
		return packets.ErrNotAuthorized
	}
	if code := h.signIn(cl, l, pk); code != packets.CodeSuccess {
		h.broker.metrics.turnedAway()
		h.broker.cfg.Log.Debug().Str("from", l.from()).Str("feed", clip(string(pk.Connect.Username))).Str("reason", code.Reason).Msg("MQTT client refused")
		_ = h.broker.server.SendConnack(cl, code, false, nil) // it ends either way
		return code
	}
	l.known()
	return nil
}

// signIn judges a CONNECT and gives the connection its feed. The client id is made the feed's own: with the same id a client of another
// feed would take over this one's session, and what is in flight in it.
func (h *hook) signIn(cl *mochi.Client, l *link, pk packets.Packet) packets.Code {
	feed, b := string(pk.Connect.Username), h.broker
	switch {
	case pk.Properties.AuthenticationMethod != "":
		return packets.ErrBadAuthenticationMethod
	case len(pk.Connect.ClientIdentifier) > maxClientID:
		return packets.ErrClientIdentifierNotValid
	case feed == "" || len(pk.Connect.Password) == 0:
		return packets.ErrBadUsernameOrPassword
	}
	ctx, cancel := context.WithTimeout(context.Background(), authTime)
	defer cancel()
	key, err := b.cfg.Authenticate(ctx, feed, string(pk.Connect.Password), l.from())
	switch {
	case errors.Is(err, ErrDenied):
		return packets.ErrBadUsernameOrPassword
	case err != nil:
		b.cfg.Log.Warn().Err(err).Msg("MQTT client cannot be identified now")
		return packets.ErrServerUnavailable
	}
	st := b.station(feed)
	if st == nil { // its key is good: it may know
		return packets.ErrServerUnavailable
	}
	l.station, l.key = st, key
	if pk.Connect.WillFlag {
		l.will = h.testament(cl, st, pk)
	}
	cl.Properties.Will = mochi.Will{} // the library would publish it past every check, and retain it
	cl.Properties.Username = []byte(feed)
	cl.ID = feed + "/" + cl.ID
	if cl.State.Keepalive == 0 || cl.State.Keepalive > uint16(longestSilence/time.Second) {
		cl.State.Keepalive, cl.State.ServerKeepalive = uint16(longestSilence/time.Second), true
	}
	if b.server.Clients.Len() >= b.cfg.MaxClients { // no room for sessions without a connection
		cl.Properties.Clean, cl.Properties.Props.SessionExpiryInterval = true, 0
	}
	return packets.CodeSuccess
}

// testament is the Will of a client, nil where it may not be published; its readings are taken all the same.
func (h *hook) testament(cl *mochi.Client, st *station, pk packets.Packet) *will {
	w := &will{topic: pk.Connect.WillTopic, body: slices.Clone(pk.Connect.WillPayload)}
	if err := st.admits(w.topic, len(w.body), h.broker.cfg.MaxPayload); err != nil {
		st.watch.Reject(1, err)
		h.broker.metrics.refused()
		return nil
	}
	if cl.Properties.ProtocolVersion == 5 {
		seconds := min(pk.Connect.WillProperties.WillDelayInterval, pk.Properties.SessionExpiryInterval, uint32(longestWill/time.Second))
		w.delay = time.Duration(seconds) * time.Second
	}
	return w
}

// OnConnectAuthenticate lets in whom OnConnect has signed in, and nobody else.
func (h *hook) OnConnectAuthenticate(cl *mochi.Client, _ packets.Packet) bool {
	l, ok := cl.Net.Conn.(*link)
	return ok && l.station != nil
}

// OnSessionEstablish gives the connection its session.
func (h *hook) OnSessionEstablish(cl *mochi.Client, pk packets.Packet) {
	if l, ok := cl.Net.Conn.(*link); ok {
		l.session = h.broker.session(cl.ID, l.station, pk.Connect.Clean)
		l.session.attach(cl, l.key)
	}
}

// OnACLCheck refuses every subscription. What may be published OnPublish judges, for it can answer: the library would end the
// connection of a client of 3.1.1, which would come back with the same message for ever.
func (h *hook) OnACLCheck(_ *mochi.Client, _ string, write bool) bool { return write }

// OnPacketRead sees packets before the library judges them.
func (h *hook) OnPacketRead(cl *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	l, ok := cl.Net.Conn.(*link)
	if !ok || l.session == nil {
		return pk, nil
	}
	switch {
	case pk.FixedHeader.Type == packets.Publish && !mochi.IsValidFilter(pk.TopicName, true) && !strings.ContainsAny(pk.TopicName, "+#"):
		// The library drops $SYS without an answer, and its sender would wait for ever; wildcards it ends itself.
		m := &message{topic: pk.TopicName, qos: pk.FixedHeader.Qos, id: pk.PacketID, v5: cl.Properties.ProtocolVersion == 5}
		l.session.refused(cl, m, l.station.admits(m.topic, 0, 0))
	case pk.FixedHeader.Type == packets.Pubrel && l.session.release(pk.PacketID): // for this one step the library knows it too, and answers
		cl.State.Inflight.Set(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrec}, PacketID: pk.PacketID, Created: time.Now().Unix()})
	}
	return pk, nil
}

// OnPacketEncode tells clients of version 5 our bounds, and those of others the few codes that their CONNACK has: the library sends them codes
// of version 5.
func (h *hook) OnPacketEncode(cl *mochi.Client, pk packets.Packet) packets.Packet {
	switch {
	case pk.FixedHeader.Type != packets.Connack:
	case pk.ReasonCode == packets.CodeSuccess.Code:
		p := &pk.Properties
		p.MaximumPacketSize = h.broker.server.Options.Capabilities.MaximumPacketSize
		p.WildcardSubAvailableFlag, p.SharedSubAvailableFlag, p.SubIDAvailableFlag = true, true, true
	case cl.Properties.ProtocolVersion != 4 && cl.Properties.ProtocolVersion != 5:
		pk.ReasonCode = packets.Err3UnsupportedProtocolVersion.Code
	case cl.Properties.ProtocolVersion == 4 && pk.ReasonCode >= packets.ErrUnspecifiedError.Code:
		pk.ReasonCode = packets.Err3NotAuthorized.Code
	}
	return pk
}

// OnPublish takes a message over.
func (h *hook) OnPublish(cl *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	l, ok := cl.Net.Conn.(*link)
	if !ok || l.session == nil {
		return pk, packets.ErrRejectPacket
	}
	switch err := l.session.take(cl, &pk); {
	case err == nil:
	case errors.Is(err, packets.ErrReceiveMaximum):
		h.broker.sendAway(cl, packets.ErrReceiveMaximum)
	case errors.Is(err, errFull):
		h.broker.sendAway(cl, packets.ErrServerBusy)
	default:
		h.broker.sendAway(cl, packets.ErrServerShuttingDown)
	}
	return pk, packets.ErrRejectPacket
}

// OnDisconnect lets a Will come true where the connection broke and its sender has not come back already.
func (h *hook) OnDisconnect(cl *mochi.Client, err error, expire bool) {
	l, ok := cl.Net.Conn.(*link)
	if !ok || l.session == nil || !l.session.detach(cl) {
		return
	}
	if err != nil && l.will != nil && !l.dismissed.Load() {
		l.session.bequeath(l.will)
	}
	if expire {
		h.broker.forget(cl.ID, l.session)
	}
}

// OnClientExpired forgets a session whose time is over.
func (h *hook) OnClientExpired(cl *mochi.Client) {
	if l, ok := cl.Net.Conn.(*link); ok && l.session != nil && l.session.idle() {
		h.broker.forget(cl.ID, l.session)
	}
}

// clip makes a text of a stranger fit for a log.
func clip(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), 63)], "\uFFFD")
}
