package runner

import (
	"errors"
	"slices"
	"testing"
)

func TestMQTTSettings(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*FeedConfig)
		keys   []string
	}{
		"devices publish to us":     {func(c *FeedConfig) {}, nil},
		"a topic of their own":      {func(c *FeedConfig) { c.Topic = "awlr/+/up" }, nil},
		"an existing broker":        {func(c *FeedConfig) { c.URL, c.Topic = "mqtt://broker.example", "a/#" }, nil},
		"by TLS":                    {func(c *FeedConfig) { c.URL, c.Topic, c.Version, c.QoS = "mqtts://b.example:8883", "a", "3.1.1", 2 }, nil},
		"a wildcard first":          {func(c *FeedConfig) { c.Topic = "+/up" }, []string{"topic"}},
		"everything":                {func(c *FeedConfig) { c.Topic = "#" }, []string{"topic"}},
		"a shared subscription":     {func(c *FeedConfig) { c.Topic = "$share/g/a" }, []string{"topic"}},
		"settings of a client":      {func(c *FeedConfig) { c.Version, c.ClientID, c.QoS = "5", "x", 2 }, []string{"client_id", "qos", "version"}},
		"a client without topic":    {func(c *FeedConfig) { c.URL = "mqtt://b.example" }, []string{"topic"}},
		"another scheme":            {func(c *FeedConfig) { c.URL, c.Topic = "tcp://b.example:1883", "a" }, []string{"url"}},
		"a password in the address": {func(c *FeedConfig) { c.URL, c.Topic = "mqtt://u:p@b.example", "a" }, []string{"url"}},
		"tls over plain":            {func(c *FeedConfig) { c.URL, c.Topic, c.TLS.CAFile = "mqtt://b.example", "a", "/none" }, []string{"tls", "tls.ca_file"}},
		"a bearer":                  {func(c *FeedConfig) { c.URL, c.Topic, c.Auth.Bearer = "mqtt://b.example", "a", "x" }, []string{"auth.bearer"}},
		"headers": {func(c *FeedConfig) {
			c.URL, c.Topic, c.Headers = "mqtt://b.example", "a", map[string]Secret{"X-A": "x"}
		}, []string{"headers"}},
		"QoS 3, version 4": {func(c *FeedConfig) {
			c.URL, c.Topic, c.QoS, c.Version, c.ClientID = "mqtt://b.example", "a", 3, "4", "a\nb"
		},
			[]string{"client_id", "qos", "version"}},
		"another transport": {func(c *FeedConfig) { c.Transport, c.Topic, c.QoS = Push, "a", 2 }, []string{"qos", "topic"}},
	} {
		t.Run(name, func(t *testing.T) {
			conf := DefaultConfig()
			conf.Name, conf.Format, conf.Transport = "awlr", "native", MQTT
			c.change(&conf)
			var keys []string
			for _, err := range conf.Validate() {
				var at *ConfigError
				if !errors.As(err, &at) {
					t.Fatalf("%v names no key", err)
				}
				keys = append(keys, at.Key)
			}
			slices.Sort(keys)
			if !slices.Equal(keys, c.keys) {
				t.Errorf("faults at %v, want %v: %v", keys, c.keys, conf.Validate())
			}
			if want := conf.Transport == Push || conf.URL == ""; conf.Driven() != want {
				t.Errorf("driven: %v", conf.Driven())
			}
		})
	}
}
