package mqtt

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"kentongan/feeds/bounded"
)

// ackEvery is how often acknowledgements of version 5 are sent.
const ackEvery = 10 * time.Millisecond

// listen5 speaks version 5 over a connection until it ends.
func (k *Client) listen5(ctx context.Context, conn net.Conn, login Login, in *intake) error {
	standing, end := context.WithCancelCause(ctx) // while the connection stands; its cause is why it ended
	defer end(nil)
	client := paho.NewClient(paho.ClientConfig{
		Conn: conn, Session: k.session, PacketTimeout: connectTime,
		EnableManualAcknowledgment: true, SendAcksInterval: ackEvery,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(r paho.PublishReceived) (bool, error) {
			p := r.Packet
			in.take(p.Topic, p.Payload, p.QoS, func() { _ = r.Client.Ack(p) }) // a connection that is gone sends none
			return true, nil
		}},
		OnClientError: func(err error) { end(bounded.Explain(err)) },
		OnServerDisconnect: func(d *paho.Disconnect) {
			end(&bounded.Fault{Code: "broken", Text: fmt.Sprintf("the broker ended the connection (code %#x)", d.ReasonCode)})
		},
	})
	answer, err := client.Connect(ctx, k.greeting5(login))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case answer != nil && answer.ReasonCode != 0:
		return refusal(answer.ReasonCode, err)
	case err != nil:
		return unheard(err)
	}
	defer func() {
		in.end() // before it: a handler may wait for room
		if ctx.Err() != nil {
			time.Sleep(5 * ackEvery) // the library sends its acknowledgements by a clock, and has no way to be asked for them
		}
		_ = client.Disconnect(&paho.Disconnect{}) // the session stays at the broker
		select {
		case <-client.Done():
		case <-time.After(connectTime):
		}
	}()
	const onlyNew = 1 // retained messages come with a new subscription, not with each connection
	granted, err := client.Subscribe(standing, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: k.config.Topic, QoS: k.config.QoS, RetainHandling: onlyNew}}})
	switch {
	case standing.Err() != nil:
		return context.Cause(standing)
	case granted != nil && len(granted.Reasons) > 0 && granted.Reasons[0] >= 0x80:
		return &bounded.Fault{Code: "subscribe", Text: fmt.Sprintf("the broker refuses the topic %s (code %#x)", k.config.Topic, granted.Reasons[0]), Err: err}
	case err != nil:
		return bounded.Explain(err)
	}
	k.config.Watch.Well()
	select {
	case <-standing.Done():
		return context.Cause(standing)
	case <-client.Done():
		return &bounded.Fault{Code: "broken", Text: "the broker ended the connection"}
	}
}

// greeting5 asks for the session that the broker kept for us.
func (k *Client) greeting5(login Login) *paho.Connect {
	expiry, most, size := uint32(clientExpiry), uint16(laneWaiting), uint32(k.config.MaxPayload*packetFactor+packetExtra)
	return &paho.Connect{
		ClientID: k.config.ClientID, KeepAlive: uint16(clientAlive / time.Second), CleanStart: false,
		Username: login.User, UsernameFlag: login.User != "", Password: []byte(login.Password), PasswordFlag: login.Password != "",
		Properties: &paho.ConnectProperties{SessionExpiryInterval: &expiry, ReceiveMaximum: &most, MaximumPacketSize: &size, RequestProblemInfo: true},
	}
}
