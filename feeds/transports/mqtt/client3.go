package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	mqtt3 "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"kentongan/feeds/bounded"
)

// listen3 speaks version 3.1.1 over a connection until it ends.
func (k *Client) listen3(ctx context.Context, conn net.Conn, login Login, in *intake) error {
	lost := make(chan error, 1)
	opt := mqtt3.NewClientOptions().AddBroker("tcp://" + k.address). // the library dials nothing: the connection is there
										SetCustomOpenConnectionFn(func(*url.URL, mqtt3.ClientOptions) (net.Conn, error) { return conn, nil }).
										SetClientID(k.config.ClientID).SetUsername(login.User).SetPassword(login.Password).
										SetProtocolVersion(4).SetCleanSession(false).SetAutoReconnect(false).SetConnectRetry(false).
										SetConnectTimeout(connectTime).SetKeepAlive(clientAlive).SetPingTimeout(connectTime).SetWriteTimeout(connectTime).
										SetAutoAckDisabled(true).SetOrderMatters(true).
										SetConnectionLostHandler(func(_ mqtt3.Client, err error) { lost <- err }).
										SetDefaultPublishHandler(func(_ mqtt3.Client, m mqtt3.Message) {
			in.take(m.Topic(), m.Payload(), m.Qos(), m.Ack)
		})
	client := mqtt3.NewClient(opt)
	if err := wait(ctx, client.Connect()); err != nil {
		return explain3(ctx, err)
	}
	defer func() {
		in.end()
		if ctx.Err() != nil {
			time.Sleep(5 * ackEvery) // acknowledgements are on their way through the library
		}
		client.Disconnect(0)
	}()
	subscribed := client.Subscribe(k.config.Topic, k.config.QoS, nil)
	if err := wait(ctx, subscribed); err != nil {
		return explain3(ctx, err)
	}
	if t, ok := subscribed.(*mqtt3.SubscribeToken); ok && t.Result()[k.config.Topic] >= 0x80 {
		return &bounded.Fault{Code: "subscribe", Text: fmt.Sprintf("the broker refuses the topic %s", k.config.Topic)}
	}
	k.config.Watch.Well()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-lost:
		return bounded.Explain(err)
	}
}

// wait waits for what the library promised.
func wait(ctx context.Context, t mqtt3.Token) error {
	timer := time.NewTimer(2 * connectTime)
	defer timer.Stop()
	select {
	case <-t.Done():
		return t.Error()
	case <-timer.C:
		return context.DeadlineExceeded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// explain3 finds the code of a CONNACK in an error of the library, and else what the network says.
func explain3(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for code, known := range packets.ConnErrors {
		if known != nil && code != packets.ErrNetworkError && errors.Is(err, known) {
			return refusal(code, err)
		}
	}
	return unheard(err)
}
