package app

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"time"

	"kentongan/feeds/transports/mqtt"
	"kentongan/server/auth"
	"kentongan/server/authority"
)

// newBroker builds the MQTT broker that devices publish to; it stays nil where mqtt_listen is empty. With TLS it knows gateways by
// certificates of our own authority.
func (a *App) newBroker() error {
	if a.cfg.MQTTListen == "" {
		return nil
	}
	cfg := mqtt.Config{Listen: a.cfg.MQTTListen, MaxPayload: int(a.cfg.Limits.Message), Authenticate: a.openFeed, Alive: a.shownAlive, Pace: a.pace, Now: time.Now, Registerer: a.reg, Log: a.log}
	if a.tls != nil {
		if err := a.openAuthority(); err != nil {
			return err
		}
		// A session resumed by ticket would be judged by what its certificate was then.
		cfg.TLS = a.tls.Clone()
		cfg.TLS.ClientAuth, cfg.TLS.ClientCAs, cfg.TLS.SessionTicketsDisabled = tls.VerifyClientCertIfGiven, a.authority.Pool(), true
	}
	a.broker = mqtt.New(cfg)
	return nil
}

// Names of what a sender showed: key:ID, device:ID/SERIAL.
const (
	keyShown    = "key:"
	deviceShown = "device:"
)

// openFeed tells what a sender may publish, by key, by certificate, or by both where they agree.
func (a *App) openFeed(ctx context.Context, c mqtt.Claim) (mqtt.Pass, error) {
	if c.Certificate == nil {
		return a.openByKey(ctx, c)
	}
	pass, err := a.openByCertificate(ctx, c)
	if err != nil || c.Key == "" {
		return pass, err
	}
	c.Feed = pass.Feed
	byKey, err := a.openByKey(ctx, c)
	pass.Shown = append(pass.Shown, byKey.Shown...)
	return pass, err
}

func (a *App) openByKey(ctx context.Context, c mqtt.Claim) (mqtt.Pass, error) {
	id, err := a.auth.FeedKey(ctx, c.Feed, c.Key, c.From)
	switch {
	case errors.Is(err, auth.ErrDenied):
		return mqtt.Pass{}, mqtt.ErrDenied
	case err != nil:
		return mqtt.Pass{}, err
	}
	pass := mqtt.Pass{Feed: c.Feed}
	if id.Key != "" {
		pass.Shown = []string{keyShown + id.Key}
	}
	return pass, nil
}

func (a *App) openByCertificate(ctx context.Context, c mqtt.Claim) (mqtt.Pass, error) {
	refuse := func(reason string) (mqtt.Pass, error) {
		if err := a.auth.RefuseSender(ctx, c.Feed, c.From, "certificate "+authority.Serial(c.Certificate)+": "+reason); !errors.Is(err, auth.ErrDenied) {
			return mqtt.Pass{}, err
		}
		return mqtt.Pass{}, &mqtt.Refusal{Reason: reason}
	}
	d, err := a.devices.Certified(ctx, c.Certificate)
	switch {
	case errors.Is(err, auth.ErrDenied):
		return refuse(strings.TrimPrefix(err.Error(), auth.ErrDenied.Error()+": "))
	case err != nil:
		return mqtt.Pass{}, err
	case c.Feed != "" && c.Feed != d.Feed:
		return refuse("the user name is another feed than the certificate's")
	}
	who := auth.Of(d.Subject(), d.Name, time.Now())
	who.Via, who.Device = auth.ViaDevice, d.ID
	if may := a.auth.MayFeed(who, d.Feed); !may.Allowed() {
		return refuse(may.Reason)
	}
	if a.devices.Seen(ctx, d.ID, c.From, c.Agent) {
		a.auth.Record(ctx, auth.Act{Actor: who, Action: "device.moved", Object: "device:" + d.ID, From: c.From, Reason: "its certificate is shown from another address than before"})
	}
	return mqtt.Pass{Feed: d.Feed, Topics: d.Topics, Owner: deviceShown + d.ID, Shown: []string{deviceShown + d.ID + "/" + authority.Serial(c.Certificate)}}, nil
}

// shownAlive tells whether what a sender showed still holds.
func (a *App) shownAlive(ctx context.Context, name string) (bool, error) {
	if id, ok := strings.CutPrefix(name, keyShown); ok {
		return a.auth.KeyAlive(ctx, id)
	}
	id, serial, _ := strings.Cut(strings.TrimPrefix(name, deviceShown), "/")
	return a.devices.CertificateAlive(ctx, id, serial)
}

// pace pays for one message by the rate of the key that was shown; certificates have none.
func (a *App) pace(ctx context.Context, name string) time.Duration {
	if id, ok := strings.CutPrefix(name, keyShown); ok {
		return a.auth.SpendKey(ctx, id)
	}
	return 0
}

// runBroker keeps it listening until the feeds have stopped.
func (a *App) runBroker() {
	if a.broker == nil {
		return
	}
	a.until("mqtt", func(ctx context.Context) {
		if err := a.broker.Run(ctx); err != nil {
			a.fail(err)
		}
	})
}
