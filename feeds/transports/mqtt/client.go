package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/eclipse/paho.golang/paho/session/state"
	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/patient"
)

// The versions a client can speak.
const (
	Version5   = "5"
	Version311 = "3.1.1"
)

// Login is who we say we are to a broker.
type Login struct{ User, Password string }

// ClientConfig is a feed that an existing broker brings. URL, Topic, ClientID and Watch are required.
type ClientConfig struct {
	URL        string // mqtt://host:port or mqtts://host:port
	Topic      string // the filter that is subscribed; what comes outside it is not taken
	ClientID   string // one for each feed: a broker keeps what came while we were away under this name
	Version    string // Version5 or Version311; empty: 5, and where the broker does not know it 3.1.1
	QoS        byte
	TLS        *tls.Config                                                       // with mqtts
	Login      func() (Login, error)                                             // asked with each connection; nil: none
	Dial       func(ctx context.Context, network, addr string) (net.Conn, error) // default bounded.Dialer(false)
	MaxPayload int                                                               // bytes of one message; default 64 KiB
	Watch      patient.Watch
	Now        func() time.Time // default time.Now
	Log        zerolog.Logger
}

// Bounds of a client.
const (
	connectTime  = 10 * time.Second
	clientAlive  = 30 * time.Second // keepalive: a broker that is gone is missed after this and a half
	clientExpiry = 3600             // seconds that the broker keeps our session
)

// Client is a transport that listens at an existing broker. A message is acknowledged once it is stored, or refused for good; until then
// the broker keeps it, over our absence too.
type Client struct {
	config  ClientConfig
	address string
	version string
	session *state.State // of version 5, over its connections
}

// NewClient gives a client that has not dialled yet.
func NewClient(c ClientConfig) *Client {
	if c.Dial == nil {
		c.Dial = bounded.Dialer(false)
	}
	if c.MaxPayload <= 0 {
		c.MaxPayload = defaultPayload
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Login == nil {
		c.Login = func() (Login, error) { return Login{}, nil }
	}
	k := &Client{config: c, version: c.Version, session: state.NewInMemory()}
	if k.version == "" {
		k.version = Version5
	}
	if u, err := url.Parse(c.URL); err == nil {
		port := u.Port()
		if port == "" {
			port = map[string]string{"mqtt": "1883", "mqtts": "8883"}[u.Scheme]
		}
		k.address = net.JoinHostPort(u.Hostname(), port)
		if u.Scheme != "mqtts" {
			k.config.TLS = nil
		} else if k.config.TLS == nil {
			k.config.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
	}
	return k
}

// Run listens until ctx ends, and comes back with growing pauses where the broker is away.
func (k *Client) Run(ctx context.Context, deliver feeds.Deliver) error {
	defer k.session.Close()
	patient.Keep(ctx, k.config.Watch, k.config.Log, func(ctx context.Context) error {
		err := k.connect(ctx, deliver)
		if k.config.Version == "" && errors.Is(err, errVersion) {
			k.version = map[string]string{Version5: Version311, Version311: Version5}[k.version]
			k.config.Log.Info().Str("version", k.version).Msg("the broker does not speak the version of MQTT that was tried; trying the other")
		}
		return err
	})
	return nil
}

// Why a connection did not come about.
var errVersion = errors.New("the broker does not speak this version of MQTT")

// connect is one connection, from dialling to its end.
func (k *Client) connect(ctx context.Context, deliver feeds.Deliver) error {
	login, err := k.config.Login()
	if err != nil {
		return &bounded.Fault{Code: "auth", Text: "the secret cannot be read: " + err.Error(), Err: err}
	}
	conn, err := k.dial(ctx)
	if err != nil {
		return bounded.Explain(err)
	}
	defer conn.Close()
	in := &intake{client: k, deliver: deliver}
	in.ctx, in.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	defer in.end()
	listen := k.listen5
	if k.version == Version311 {
		listen = k.listen3
	}
	err = listen(ctx, conn, login, in)
	if conn.over.Load() { // the libraries do not hand the reader's error on
		return bounded.Explain(conn.tooLarge())
	}
	return err
}

// dial opens the connection; its reader holds every packet to our bound.
func (k *Client) dial(ctx context.Context) (*framed, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	conn, err := k.config.Dial(ctx, "tcp", k.address)
	if err != nil {
		return nil, err
	}
	if k.config.TLS != nil {
		cfg := k.config.TLS.Clone()
		if cfg.ServerName == "" {
			cfg.ServerName, _, _ = net.SplitHostPort(k.address)
		}
		secure := tls.Client(conn, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		conn = secure
	}
	return &framed{Conn: conn, max: k.config.MaxPayload*packetFactor + packetExtra}, nil
}

// refusal explains the code of a CONNACK of either version.
func refusal(code byte, err error) error {
	switch code {
	case 0x84, 0x01:
		return &bounded.Fault{Code: "version", Text: errVersion.Error(), Err: errVersion}
	case 0x86, 0x87, 0x8A, 0x8C, 0x04, 0x05:
		return &bounded.Fault{Code: "auth", Text: fmt.Sprintf("the broker refuses our name or password (code %#x)", code), Err: err}
	}
	return &bounded.Fault{Code: "broker", Text: fmt.Sprintf("the broker refuses us (code %#x)", code), Err: err}
}

// unheard explains a CONNECT that got no CONNACK we can read: that is how a broker may meet a version that it does not know.
func unheard(err error) error {
	f := *bounded.Explain(err)
	if f.Code != "timeout" {
		f.Err = errors.Join(errVersion, err)
	}
	return &f
}

// intake brings what one connection hears on its way.
type intake struct {
	client  *Client
	ctx     context.Context // of the connection
	cancel  context.CancelCauseFunc
	deliver feeds.Deliver
	lanes   lanes
}

// take brings one message on its way and may wait for room; done is called once it is stored or refused for good, in any goroutine.
func (in *intake) take(topic string, body []byte, qos byte, done func()) {
	c := in.client.config
	m := &message{topic: topic, body: body, qos: max(qos, 1), at: c.Now(), done: done} // what our broker sent as QoS 0 is held no less
	if bad := (acl{feed: c.Topic}).admits(topic, len(body), c.MaxPayload); bad != nil {
		c.Watch.Reject(1, bad)
		done()
		return
	}
	for in.ctx.Err() == nil {
		if in.lanes.put(m, time.Second, in.work) != errFull {
			return
		}
	}
}

func (in *intake) work(m *message) {
	if err := persist(in.ctx, in.deliver, m); err == nil || errors.Is(err, feeds.ErrPermanent) {
		m.done()
	}
}

// end drops what waits, which the broker keeps, and lets what is under way be stored, but not for long: the next connection begins in
// order. A second call does nothing more.
func (in *intake) end() {
	in.lanes.end()
	late := time.AfterFunc(parting, func() { in.cancel(errEnded) })
	defer late.Stop()
	in.lanes.idle()
	in.cancel(errEnded)
}
