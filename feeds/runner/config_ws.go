package runner

import (
	"crypto/tls"
	"net/url"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/transports/ws"
)

// validateWS gives the faults of the keys of ws, also where another transport has them.
func (c FeedConfig) validateWS() []error {
	var faults []error
	fault := func(bad bool, key, reason string) {
		if bad {
			faults = append(faults, &ConfigError{key, reason})
		}
	}
	if c.Transport != WS {
		fault(c.Subscribe != "", "subscribe", "only a feed with transport ws has it")
		fault(c.SubscribeFile != "", "subscribe_file", "only a feed with transport ws has it")
		return faults
	}
	u, err := url.Parse(c.URL)
	fault(c.URL == "", "url", "required with transport ws")
	fault(c.URL != "" && (err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Hostname() == ""), "url", "want a ws or wss address with a host")
	fault(c.URL != "" && err == nil && u.User != nil, "url", "user and password do not belong into the address: set auth")
	fault(c.URL != "" && err == nil && u.Fragment != "", "url", "a fragment cannot be asked for")
	fault(err == nil && u.Scheme == "ws" && c.TLS != TLS{}, "tls", "only with url: wss://…")
	fault(c.MaxBody < 1, "max_body", "want at least 1 byte")
	fault(c.Subscribe != "" && c.SubscribeFile != "", "subscribe_file", "want subscribe or subscribe_file, not both")
	text, err := c.Subscribe.orFile(c.SubscribeFile)
	if err != nil {
		fault(true, "subscribe_file", err.Error())
	}
	fault(err == nil && c.SubscribeFile != "" && text == "", "subscribe_file", "the file is empty")
	fault(!utf8.ValidString(text), "subscribe", "it is not UTF-8")
	return faults
}

// ws builds the transport of a feed with ws.
func (r *Runner) ws(in *inlet, log zerolog.Logger) feeds.Transport {
	c := in.config
	return ws.New(ws.Config{
		URL: c.URL, Authorize: c.authorize, TLS: func() (*tls.Config, error) { return c.TLS.Client() },
		Subscribe: func() (string, error) { return c.Subscribe.orFile(c.SubscribeFile) }, MaxMessage: c.MaxBody, Idle: c.silence(),
		UserAgent: userAgent(r.opt.Version, r.opt.Contact), Dial: r.dialer(c), Watch: in.health, Now: r.opt.Now, Log: log,
	})
}
