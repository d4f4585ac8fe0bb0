// Package mqtt is MQTT 3.1.1 and 5: an inlet broker of our own, and a client of an existing one.
//
// What a sender is told follows what became of its message: PUBACK (QoS 1) and PUBREC (QoS 2) go out only once the message is stored, or
// refused for good. While the store takes nothing the message is held and tried again, so that nothing is lost and nobody has to
// send twice (feeds/DECISIONS.md). Messages of one sender on one topic keep their order.
package mqtt

import (
	"context"
	"errors"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/patient"
)

// ErrDenied is what Authenticate gives for a key that is not good; any other error means that nobody can tell now.
var ErrDenied = errors.New("this key does not open this feed")

// Inlet brings what devices publish to the broker for one feed.
type Inlet struct {
	Broker *Broker // nil: Run fails and says so
	Feed   string  // the user name of its senders
	Topic  string  // the filter of what they may publish; empty: <feed>/#
	Watch  patient.Watch
}

// Run takes messages of the feed until ctx ends. Once it has, its senders are disconnected and nothing more of them is acknowledged.
func (i Inlet) Run(ctx context.Context, deliver feeds.Deliver) error {
	if i.Broker == nil {
		return errors.New("mqtt_listen is empty: there is no broker to publish to")
	}
	return i.Broker.serve(ctx, newStation(ctx, i, deliver))
}

// Filter is the topic filter of a feed: its own or, where it declares none, everything beneath its name.
func Filter(feed, topic string) string {
	if topic == "" {
		return feed + "/#"
	}
	return topic
}

// patience0 is how long a message of QoS 0 is held, whose sender expects nothing.
const patience0 = 5 * time.Second

// errDropped is what becomes of a message of QoS 0 that the store did not take in time.
var errDropped = errors.New("the store did not take it in time, and its sender asked for nothing (QoS 0)")

// persist delivers a message, and delivers it again while the store is busy, until ctx ends. A nil error means stored; ErrPermanent, that
// it never will be; any other, that its sender must not be told.
func persist(ctx context.Context, deliver feeds.Deliver, m *message) error {
	if m.qos == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, patience0, errDropped)
		defer cancel()
	}
	out, err := patient.Deliver(ctx, deliver, m.body, feeds.Meta{Topic: m.topic, ReceivedAt: m.at})
	switch {
	case err == nil && out.Barren():
		return feeds.Permanentf("every item refused: %s", out.Rejected[0].Reason)
	case err == nil || errors.Is(err, feeds.ErrPermanent):
		return err
	}
	return context.Cause(ctx)
}
