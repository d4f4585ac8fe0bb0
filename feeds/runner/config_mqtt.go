package runner

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/transports/mqtt"
)

// Version is one of MQTT. In YAML it may look like a number.
type Version string

// UnmarshalText takes it as it stands.
func (v *Version) UnmarshalText(b []byte) error {
	*v = Version(b)
	return nil
}

// MarshalText gives it as it stands.
func (v Version) MarshalText() ([]byte, error) { return []byte(v), nil }

// defaultQoS is how a feed subscribes at an existing broker: each message at least once.
const defaultQoS = 1

// maxClientID bounds client_id; brokers of 3.1.1 need not take more than 23 bytes, all known ones do.
const maxClientID = 128

// validateMQTT gives the faults of what only feeds with transport mqtt have, and of those feeds.
func (c FeedConfig) validateMQTT() []error {
	var faults []error
	fault := func(bad bool, key, format string, args ...any) {
		if bad {
			faults = append(faults, &ConfigError{key, fmt.Sprintf(format, args...)})
		}
	}
	const only = "only a feed with transport mqtt and url has it"
	client := c.Transport == MQTT && c.URL != ""
	fault(c.Transport != MQTT && c.Topic != "", "topic", "only a feed with transport mqtt has one")
	fault(!client && c.QoS != 0 && c.QoS != defaultQoS, "qos", only)
	fault(!client && c.Version != "", "version", only)
	fault(!client && c.ClientID != "", "client_id", only)
	if c.Transport != MQTT {
		return faults
	}
	fault(client && c.Topic == "", "topic", "required with url: what is subscribed")
	if c.Topic != "" {
		err := mqtt.CheckFilter(c.Topic)
		fault(err != nil, "topic", "%.100q %v", c.Topic, err)
	}
	if !client {
		return faults
	}
	u, err := url.Parse(c.URL)
	known := err == nil && (u.Scheme == "mqtt" || u.Scheme == "mqtts") && u.Hostname() != "" && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
	fault(!known, "url", "want mqtt://host:1883, or mqtts://host:8883 for TLS")
	fault(known && u.User != nil, "url", "user and password stand in auth, where they can be hidden")
	fault(known && u.Scheme == "mqtt" && c.TLS != TLS{}, "tls", "the url says mqtt: want mqtts")
	fault(c.Auth.Bearer != "" || c.Auth.BearerFile != "", "auth.bearer", "a broker asks for user and password")
	fault(len(c.Headers) > 0, "headers", "only a feed with transport poll or ws has them")
	fault(c.QoS < 0 || c.QoS > 2, "qos", "%d: want 0, 1 or 2", c.QoS)
	fault(!slices.Contains([]string{"", mqtt.Version5, mqtt.Version311}, string(c.Version)), "version", "%.20q: want 5 or 3.1.1; absent: what the broker speaks", c.Version)
	fault(len(c.ClientID) > maxClientID || !utf8.ValidString(c.ClientID) || strings.ContainsFunc(c.ClientID, unicode.IsControl), "client_id", "want at most %d bytes of plain text", maxClientID)
	return faults
}

// clientID is under which name a broker keeps what comes while we are away. It must differ between feeds, and between houses at one broker.
func (c FeedConfig) clientID() string {
	if c.ClientID != "" {
		return c.ClientID
	}
	return "kentongan-" + c.Name
}

// mqtt builds the transport of a feed that is published to us, or that a broker with url brings.
func (r *Runner) mqtt(in *inlet, log zerolog.Logger) feeds.Transport {
	c := in.config
	if c.URL == "" {
		return mqtt.Inlet{Broker: r.opt.Broker, Feed: c.Name, Topic: c.Topic, Watch: in.health}
	}
	believed, err := c.TLS.Client()
	if err != nil {
		return unready{err}
	}
	return mqtt.NewClient(mqtt.ClientConfig{
		URL: c.URL, Topic: c.Topic, ClientID: c.clientID(), Version: string(c.Version), QoS: byte(c.QoS), TLS: believed, Dial: r.dialer(c),
		Login: func() (mqtt.Login, error) {
			password, err := c.Auth.Password.orFile(c.Auth.PasswordFile)
			return mqtt.Login{User: c.Auth.User, Password: password}, err
		},
		MaxPayload: r.opt.MaxMessage, Watch: in.health, Now: r.opt.Now, Log: log,
	})
}
