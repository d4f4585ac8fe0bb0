package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/rules"
	"kentongan/feeds/runner"
	"kentongan/geo/keyspace"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/cameras"
	"kentongan/server/embedded"
	"kentongan/server/outbox"
	"kentongan/server/profile"
	"kentongan/server/public"
	"kentongan/server/strict"
	"kentongan/server/walls"
)

// checker says of values what is wrong with them, at the place where they were given.
type checker struct {
	*strict.Reader
	origin  map[string]string // of values that flags or the environment gave
	formats []string
}

// bad reports a value. Where the walker could not read it, that was said already.
func (c *checker) bad(path, format string, args ...any) {
	if c.Faulty(path) {
		return
	}
	f := Fault{Source: c.Source, Path: path, Text: fmt.Sprintf(format, args...)}
	if o, ok := c.origin[path]; ok {
		f.Source, f.Path = o, ""
	} else if p := c.Locate(path); p.Line > 0 {
		f.Line, f.Column = p.Line, p.Column
	}
	if f.Source == "" {
		f.Source = "configuration"
	}
	c.Faults = append(c.Faults, f)
}

// oneOf reports a word that is none of the known ones.
func (c *checker) oneOf(path, got string, words ...string) {
	if !slices.Contains(words, got) {
		hint := ""
		if near := strict.Nearest(got, words); near != "" {
			hint = "; did you mean " + near + "?"
		}
		c.bad(path, "%q is none of %s%s", got, strings.Trim(strings.Join(words, ", "), ", "), hint)
	}
}

func check(c *checker, cfg *Config) {
	c.network(cfg)
	c.identity(cfg)
	c.oidc(cfg)
	c.oneOf("log_level", cfg.LogLevel, "debug", "info", "warn", "error")
	c.oneOf("log_format", cfg.LogFormat, "", "json", "console")
	c.oneOf("store.fsync", cfg.Store.Fsync, "always", "everysec")
	if cfg.RedisURL != "" {
		if _, err := embedded.ParseURL(cfg.RedisURL.Reveal()); err != nil {
			c.bad("redis_url", "%v", err)
		}
	}
	if cfg.DataDir == "" {
		c.bad("data_dir", "is empty")
	}
	if cfg.Retention.Readings < time.Minute {
		c.bad("retention.readings", "%v is shorter than 1m", cfg.Retention.Readings)
	}
	for _, one := range []struct {
		name         string
		value, least time.Duration
	}{{"alerts", cfg.Retention.Alerts, 2 * day}, {"reports", cfg.Retention.Reports, 2 * day}, {"incidents", cfg.Retention.Incidents, 2 * day}, {"reporters", cfg.Retention.Reporters, day}, {"words", cfg.Retention.Words, 90 * day}} {
		if one.value < one.least && (one.value != 0 || one.name == "reporters") {
			c.bad("retention."+one.name, "%v is shorter than %v", one.value, one.least)
		}
	}
	if cfg.Public.Delay < public.LeastDelay {
		c.bad("public.delay", "%v is shorter than %v", cfg.Public.Delay, public.LeastDelay)
	}
	if cfg.Public.Together < public.LeastTogether {
		c.bad("public.together", "%d is less than %d", cfg.Public.Together, public.LeastTogether)
	}
	if slices.Contains(cfg.Public.Kinds, "unit") {
		c.bad("public.kinds", "where units are is never shown to everybody")
	}
	if cfg.Limits.Body < 1 {
		c.bad("limits.body", "%v takes no body at all", cfg.Limits.Body)
	}
	if cfg.Limits.Inflated < cfg.Limits.Body {
		c.bad("limits.inflated", "%v is less than limits.body, %v", cfg.Limits.Inflated, cfg.Limits.Body)
	}
	if cfg.Limits.Message < 1 || cfg.Limits.Message > cfg.Limits.Body {
		c.bad("limits.message", "%v: want 1 B to limits.body, %v", cfg.Limits.Message, cfg.Limits.Body)
	}
	c.scenes(cfg)
	where, err := profile.Load(cfg.Profile)
	if err != nil {
		c.profile(err)
	}
	for _, err := range cfg.Alarms.Validate() {
		key, text, _ := strings.Cut(err.Error(), ": ")
		c.bad("alarms."+key, "%s", text)
	}
	for _, err := range cfg.Ladder.Validate() {
		key, text, _ := strings.Cut(err.Error(), ": ")
		c.bad("ladder."+key, "%s", text)
	}
	for _, err := range cfg.Outbox.Validate() {
		key, text, _ := strings.Cut(err.Error(), ": ")
		c.bad("outbox."+key, "%s", text)
	}
	for _, err := range cfg.Audit.Validate() {
		key, text, _ := strings.Cut(err.Error(), ": ")
		c.bad("audit."+key, "%s", text)
	}
	for _, err := range cfg.Router.Validate() {
		key, text, _ := strings.Cut(err.Error(), ": ")
		c.bad("router."+key, "%s", text)
	}
	for _, err := range cfg.Basemap.Validate() {
		key, text, _ := strings.Cut(err.Error(), ": ")
		c.bad("basemap."+key, "%s", text)
	}
	c.feeds(cfg.Feeds)
	c.brokerless(cfg)
	c.cameras(cfg)
	var places rules.Places
	if err == nil {
		places = rules.PlacesOf(where.Areas)
	}
	c.rules(cfg.Rules, places)
}

// profile reports what is wrong with the profile: the faults of its own file as they are, each with its line there.
func (c *checker) profile(err error) {
	var faults strict.Faults
	if errors.As(err, &faults) {
		c.Faults = append(c.Faults, faults...)
		return
	}
	c.each("profile", err)
}

func (c *checker) network(cfg *Config) {
	secure := cfg.TLS == "local" || cfg.TLSCert != "" && cfg.TLSKey != ""
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil || !validPort(port) {
		c.bad("listen", "%q is not host:port such as 127.0.0.1:8080", cfg.Listen)
	} else if !Loopback(host) && !secure && !cfg.Insecure {
		c.bad("listen", "%q is open to others over plain HTTP: give tls: local, or tls_cert and tls_key, or say insecure: true", cfg.Listen)
	}
	c.broker(cfg, secure)
	if cfg.DebugListen != "" {
		if host, port, err := net.SplitHostPort(cfg.DebugListen); err != nil || !validPort(port) || !Loopback(host) {
			c.bad("debug_listen", "%q is not host:port on loopback such as 127.0.0.1:6060", cfg.DebugListen)
		}
	}
	switch cfg.TLS {
	case "":
	case "local":
		if cfg.TLSCert != "" {
			c.bad("tls", "tls_cert is given as well; one of them is enough")
		}
	default:
		c.bad("tls", "%q is not known; the only word is local", cfg.TLS)
	}
	if (cfg.TLSCert == "") != (cfg.TLSKey == "") {
		key := map[bool]string{true: "tls_key", false: "tls_cert"}[cfg.TLSCert == ""]
		c.bad(key, "tls_cert and tls_key are given together or not at all")
	}
	if cfg.TLSCert != "" {
		if _, err := os.Stat(cfg.TLSCert); err != nil {
			c.bad("tls_cert", "cannot be read: %v", err)
		}
	}
	if cfg.TLSKey != "" {
		if err := private(cfg.TLSKey); err != nil {
			c.bad("tls_key", "%v", err)
		}
	}
	for i, p := range cfg.TrustedProxies {
		if _, err := prefix(p); err != nil {
			c.bad(fmt.Sprintf("trusted_proxies[%d]", i), "%q is neither an address nor a network such as 10.0.0.0/8", p)
		}
	}
}

// broker checks where MQTT is listened to, as listen is checked.
func (c *checker) broker(cfg *Config, secure bool) {
	if cfg.MQTTListen == "" {
		return
	}
	host, port, err := net.SplitHostPort(cfg.MQTTListen)
	if err != nil || !validPort(port) {
		c.bad("mqtt_listen", "%q is not host:port such as 127.0.0.1:1883", cfg.MQTTListen)
	} else if !Loopback(host) && !secure && !cfg.Insecure {
		c.bad("mqtt_listen", "%q is open to others without TLS: give tls: local, or tls_cert and tls_key, or say insecure: true", cfg.MQTTListen)
	}
}

func validPort(s string) bool {
	p, err := netip.ParseAddrPort("127.0.0.1:" + s)
	return err == nil && p.IsValid()
}

// Loopback tells a host that only this machine can reach. An empty host is every interface.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

func prefix(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Prefix(a.BitLen())
}

// private refuses a secret's file that others can read.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s has mode %04o: others can read it; chmod 600", path, info.Mode().Perm())
	}
	return nil
}

// secretFiles are the files of a feed that hold a secret, by their keys.
func secretFiles(f runner.FeedConfig) map[string]string {
	files := map[string]string{"auth.password_file": f.Auth.PasswordFile, "auth.bearer_file": f.Auth.BearerFile, "tls.key_file": f.TLS.KeyFile, "subscribe_file": f.SubscribeFile}
	if f.HMAC != nil {
		files["hmac.secret_file"] = f.HMAC.SecretFile
	}
	return files
}

// hidden reports secrets of a feed that others on this machine can read. A file that is not there the feed itself reports.
func (c *checker) hidden(path string, f runner.FeedConfig) {
	files := secretFiles(f)
	for _, key := range slices.Sorted(maps.Keys(files)) {
		if files[key] == "" {
			continue
		}
		if err := private(files[key]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.bad(path+"."+key, "%v", err)
		}
	}
}

func (c *checker) identity(cfg *Config) {
	if cfg.SecretKeyFile != "" { // one that is not there is made
		if err := private(cfg.SecretKeyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.bad("secret_key_file", "%v", err)
		}
	}
	key := "admin_token"
	if cfg.AdminTokenFile != "" {
		if cfg.AdminToken != "" {
			c.bad("admin_token_file", "admin_token is given as well; one of them is enough")
		}
		key = "admin_token_file"
		if err := private(cfg.AdminTokenFile); err != nil {
			c.bad(key, "%v", err)
			return
		}
		text, err := os.ReadFile(cfg.AdminTokenFile)
		if err != nil {
			c.bad(key, "cannot be read: %v", err)
			return
		}
		if cfg.AdminToken = Secret(strings.TrimSpace(string(text))); cfg.AdminToken == "" {
			c.bad(key, "%s is empty", cfg.AdminTokenFile)
		}
	}
	if _, err := outbox.ReadSecret(cfg.CTISecret.Reveal()); err != nil {
		c.bad("cti_secret", "%v", err)
	}
	for i, role := range cfg.SignIn.SecondFactor {
		if !access.Role(role).Personal() {
			c.bad(fmt.Sprintf("sign_in.second_factor[%d]", i), "%q is no role that a person may hold", role)
		}
	}
	if cfg.SignIn.Session < 15*time.Minute || cfg.SignIn.Session > keyspace.SessionLifetime {
		c.bad("sign_in.session", "%v is not within 15m to 12h", cfg.SignIn.Session)
	}
	for _, err := range (auth.Config{AdminToken: cfg.AdminToken.Reveal(), PublicURL: cfg.PublicURL}).Validate() {
		at, text, _ := strings.Cut(err.Error(), ": ")
		if at == "admin_token" {
			at = key
		}
		c.bad(at, "%s", text)
	}
	if t := cfg.AdminToken.Reveal(); len(t) >= auth.MinTokenLength && strings.Count(t, t[:1]) == len(t) {
		c.bad(key, "is one character again and again; draw one with: openssl rand -hex 32")
	}
}

// each reports every line of a joined error at one path.
func (c *checker) each(path string, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		f := Fault{Source: c.Source, Path: path, Text: strings.TrimSpace(line)}
		if o, ok := c.origin[path]; ok {
			f.Source, f.Path = o, ""
		} else if p := c.Locate(path); p.Line > 0 {
			f.Line, f.Column = p.Line, p.Column
		}
		c.Faults = append(c.Faults, f)
	}
}

func (c *checker) feeds(all []runner.FeedConfig) {
	first, city := map[string]int{}, -1
	for i, f := range all {
		path := fmt.Sprintf("feeds[%d]", i)
		c.hidden(path, f)
		for _, err := range f.Validate() {
			key, text, _ := strings.Cut(err.Error(), ": ")
			if at := (*runner.ConfigError)(nil); errors.As(err, &at) {
				key, text = at.Key, at.Reason
			}
			c.bad(path+"."+key, "%s", text)
		}
		if f.Format != "" && c.formats != nil {
			c.oneOf(path+".format", f.Format, c.formats...)
		}
		if f.Transport == runner.Simulator {
			if city >= 0 {
				c.bad(path+".transport", "there is one simulated city, and feeds[%d] is it", city)
			}
			city = i
		}
		if f.Name == "" {
			continue
		}
		if at, twice := first[f.Name]; twice {
			c.bad(path+".name", "%q is the name of feeds[%d] as well (line %d)", f.Name, at, c.Locate(fmt.Sprintf("feeds[%d].name", at)).Line)
		} else {
			first[f.Name] = i
		}
	}
}

// brokerless reports feeds that nobody could publish to.
func (c *checker) brokerless(cfg *Config) {
	for i, f := range cfg.Feeds {
		if cfg.MQTTListen == "" && f.Transport == runner.MQTT && f.URL == "" {
			c.bad(fmt.Sprintf("feeds[%d].transport", i), "mqtt without url is published to the broker here, and mqtt_listen is empty")
		}
	}
}

// scenes reports the faults of the file of scenes, each with its own line.
func (c *checker) scenes(cfg *Config) {
	var faults strict.Faults
	switch _, err := walls.Load(cfg.Scenes); {
	case errors.As(err, &faults):
		c.Faults = append(c.Faults, faults...)
	case err != nil:
		c.bad("scenes", "%v", err)
	}
}

// cameras reports the faults of every camera, and a feed that has their name.
func (c *checker) cameras(cfg *Config) {
	for _, err := range cameras.Validate(cfg.Cameras) {
		key, text, _ := strings.Cut(err.Error(), ": ")
		c.bad("cameras"+key, "%s", text)
	}
	for i, f := range cfg.Feeds {
		if f.Name == cameras.Feed && len(cfg.Cameras) > 0 {
			c.bad(fmt.Sprintf("feeds[%d].name", i), "%q stands for what cameras: lists", f.Name)
		}
	}
}

// rules reports the faults of every rule; places may be nil, where the profile cannot be read: then fences with names of areas are passed over.
func (c *checker) rules(all []rules.Rule, places rules.Places) { c.list("rules", all, places) }

// list does so of a list that stands under a path.
func (c *checker) list(prefix string, all []rules.Rule, places rules.Places) {
	first := map[string]int{}
	for i, r := range all {
		path := fmt.Sprintf("%s[%d]", prefix, i)
		// One by one, so that each fault finds its line.
		if _, err := rules.Compile([]rules.Rule{r}, places); err != nil && (places != nil || r.Fence == nil || r.Fence.Area == "") {
			c.rule(path, r.ID, err)
		}
		if r.ID == "" {
			continue
		}
		if at, twice := first[r.ID]; twice {
			c.bad(path+".id", "%q is the id of %s[%d] as well (line %d)", r.ID, prefix, at, c.Locate(fmt.Sprintf("%s[%d].id", prefix, at)).Line)
		} else {
			first[r.ID] = i
		}
	}
}

// rule reports the faults of one rule.
func (c *checker) rule(path, id string, err error) {
	before := len(c.Faults)
	for _, f := range findings(id, err) {
		at := path
		if f.key != "" {
			at = path + "." + f.key
		}
		fault := Fault{Source: c.Source, Path: at, Text: f.text}
		if p := c.Locate(at); p.Line > 0 {
			fault.Line, fault.Column = p.Line, p.Column
		}
		if !slices.ContainsFunc(c.Faults[:before], func(f Fault) bool { return f.Path == at }) {
			c.Faults = append(c.Faults, fault)
		}
	}
}

// finding is one fault of a rule, at its key.
type finding struct{ key, text string }

// findings splits the engine's joined error on one rule into one fault for each key. A line that names no key belongs to the one before it: CEL
// shows the expression and points into it.
func findings(id string, err error) []finding {
	text := strings.TrimPrefix(err.Error(), rules.ErrRule.Error()+": ")
	var found []finding
	for line := range strings.SplitSeq(text, "\n") {
		rest, ok := strings.CutPrefix(line, fmt.Sprintf("rule %q: ", id))
		if !ok {
			rest, ok = strings.CutPrefix(line, "rule 1 of the list: ")
		}
		if !ok {
			if n := len(found); n > 0 && strings.HasPrefix(strings.TrimSpace(line), "ERROR: ") {
				found = append(found, finding{found[n-1].key, celLine(line)})
			}
			continue
		}
		key, reason, _ := strings.Cut(rest, ": ")
		found = append(found, finding{key, celLine(reason)})
	}
	if len(found) == 0 {
		found = append(found, finding{"", text})
	}
	return found
}

// celLine turns "ERROR: <input>:1:5: undeclared …" into words for people.
func celLine(s string) string {
	s = strings.TrimPrefix(strings.TrimSpace(s), "ERROR: ")
	if rest, ok := strings.CutPrefix(s, "<input>:"); ok {
		parts := strings.SplitN(rest, ":", 3)
		if len(parts) == 3 {
			text, _, _ := strings.Cut(strings.TrimSpace(parts[2]), " (in container")
			if strings.HasPrefix(text, "undeclared reference") {
				text += "; a condition sees obs.property, .value, .unit, .at and thing.id, .kind, .feed, .name, .state"
			}
			return fmt.Sprintf("at its line %s, column %s: %s", parts[0], parts[1], text)
		}
	}
	return s
}

// Auth is the part of the configuration that lets people in. It is only of use after Load found no fault.
func (c Config) Auth() auth.Config {
	a := auth.Config{AdminToken: c.AdminToken.Reveal(), PublicURL: c.PublicURL, Secure: c.Secure(), Session: c.SignIn.Session}
	for _, role := range c.SignIn.SecondFactor {
		a.SecondFactor = append(a.SecondFactor, access.Role(role))
	}
	for _, p := range c.TrustedProxies {
		if n, err := prefix(p); err == nil {
			a.TrustedProxies = append(a.TrustedProxies, n)
		}
	}
	return a
}
