package mqtt

import (
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

// ID is the library's name for it.
func (h *hook) ID() string { return "inlet" }

// Provides lists what the library asks us for.
func (h *hook) Provides(what byte) bool {
	return slices.Contains([]byte{mochi.OnACLCheck, mochi.OnPacketRead, mochi.OnPacketEncode, mochi.OnPublish}, what)
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
		l.session.refused(cl, m, l.station.acl(l.pass).admits(m.topic, 0, 0))
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
