package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"kentongan/feeds/transports/mqtt"
	"kentongan/server/auth"
)

// newBroker builds the MQTT broker that devices publish to; it stays nil where mqtt_listen is empty.
func (a *App) newBroker() error {
	if a.cfg.MQTTListen == "" {
		return nil
	}
	cfg := mqtt.Config{Listen: a.cfg.MQTTListen, MaxPayload: int(a.cfg.Limits.Message), Authenticate: a.openFeed, Now: time.Now, Registerer: a.reg, Log: a.log,
		Alive: func(ctx context.Context, id string) (bool, error) { return a.auth.KeyAlive(ctx, id) }, // auth is built after the feeds
		Pace:  func(ctx context.Context, id string) time.Duration { return a.auth.SpendKey(ctx, id) }}
	if a.cfg.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(a.cfg.TLSCert, a.cfg.TLSKey)
		if err != nil {
			return fmt.Errorf("tls_cert and tls_key: %w", err)
		}
		cfg.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	a.broker = mqtt.New(cfg)
	return nil
}

// openFeed tells whether a sender's key opens a feed, and by which id the key is revoked.
func (a *App) openFeed(ctx context.Context, c mqtt.Claim) (mqtt.Pass, error) {
	id, err := a.auth.FeedKey(ctx, c.Feed, c.Key, c.From)
	switch {
	case errors.Is(err, auth.ErrDenied):
		return mqtt.Pass{}, mqtt.ErrDenied
	case err != nil:
		return mqtt.Pass{}, err
	}
	pass := mqtt.Pass{Feed: c.Feed}
	if id.Key != "" {
		pass.Shown = []string{id.Key}
	}
	return pass, nil
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
