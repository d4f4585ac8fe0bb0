package embedded

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Address is a store's URL, taken apart. Exactly one member is set.
type Address struct {
	One      *redis.Options
	Sentinel *redis.FailoverOptions
	Cluster  *redis.ClusterOptions
}

// ParseURL reads redis://, rediss://, unix://, redis+sentinel://h1,h2/mymaster and redis+cluster://h1,h2. The error never shows the password.
func ParseURL(text string) (Address, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return Address{}, errors.New("not an address such as redis://host:6379")
	}
	switch scheme {
	case "redis", "rediss", "unix":
		o, err := redis.ParseURL(text)
		if err != nil {
			return Address{}, errors.New("not an address such as redis://user:password@host:6379/0")
		}
		return Address{One: o}, nil
	case "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster":
	default:
		return Address{}, fmt.Errorf("%s:// is none of redis, rediss, unix, redis+sentinel, redis+cluster", scheme)
	}
	authority, path, _ := strings.Cut(rest, "/")
	path, query, _ := strings.Cut(path, "?")
	user, hosts := "", authority
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		user, hosts = authority[:i], authority[i+1:]
	}
	name, password, _ := strings.Cut(user, ":")
	name, err1 := url.PathUnescape(name)
	password, err2 := url.PathUnescape(password)
	values, err3 := url.ParseQuery(query)
	if err := errors.Join(err1, err2, err3); err != nil {
		return Address{}, errors.New("a % in it does not escape anything")
	}
	sentinel := strings.HasSuffix(scheme, "+sentinel")
	addrs, err := withPorts(hosts, map[bool]string{true: "26379", false: "6379"}[sentinel])
	if err != nil {
		return Address{}, err
	}
	var secure *tls.Config
	if strings.HasPrefix(scheme, "rediss") {
		secure = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if !sentinel {
		if path != "" {
			return Address{}, fmt.Errorf("a cluster has no database or master name, but %q is given", path)
		}
		return Address{Cluster: &redis.ClusterOptions{Addrs: addrs, Username: name, Password: password, TLSConfig: secure}}, nil
	}
	if path == "" || strings.Contains(path, "/") {
		return Address{}, errors.New("the name of the master is missing: redis+sentinel://h1,h2/mymaster")
	}
	db := 0
	if v := values.Get("db"); v != "" {
		if db, err = strconv.Atoi(v); err != nil || db < 0 {
			return Address{}, fmt.Errorf("db=%s is not a number", v)
		}
	}
	return Address{Sentinel: &redis.FailoverOptions{MasterName: path, SentinelAddrs: addrs, Username: name, Password: password, DB: db, TLSConfig: secure}}, nil
}

func withPorts(hosts, port string) ([]string, error) {
	var out []string
	for h := range strings.SplitSeq(hosts, ",") {
		switch host, p, err := net.SplitHostPort(h); {
		case h == "":
			return nil, errors.New("a host is missing")
		case err != nil:
			out = append(out, net.JoinHostPort(strings.Trim(h, "[]"), port))
		case host == "" || p == "":
			return nil, fmt.Errorf("%q is not host:port", h)
		default:
			out = append(out, h)
		}
	}
	return out, nil
}

// Client opens a client. A write is never repeated behind our back: the second could count twice. Deadlines of contexts hold. Admit is
// asked of each new connection before anything else runs on it, but not in a cluster, whose keys are elsewhere; nil: all are good. Behind
// Sentinels only a primary is talked to, and after a failover nobody talks to the old one.
func (a Address) Client(admit func(context.Context, *redis.Conn) error) redis.UniversalClient {
	switch {
	case a.Sentinel != nil:
		o := *a.Sentinel
		o.OnConnect = primaryOnly(admit)
		o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled, o.ReadTimeout, o.WriteTimeout = -1, 1, true, clientTimeout, clientTimeout
		c := redis.NewFailoverClient(&o)
		c.AddHook(&oneSide{open: map[*sided]struct{}{}})
		return c
	case a.Cluster != nil:
		o := *a.Cluster
		o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled, o.ReadTimeout, o.WriteTimeout = -1, 1, true, clientTimeout, clientTimeout
		return redis.NewClusterClient(&o)
	default:
		o := *a.One
		o.OnConnect = admit
		o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled, o.ReadTimeout, o.WriteTimeout = -1, 1, true, clientTimeout, clientTimeout
		return redis.NewClient(&o)
	}
}

// clientTimeout bounds one command or pipeline whose context has no nearer end.
const clientTimeout = 10 * time.Second

// The kinds of storage, as /readyz and every screen say them.
const (
	Durable  = "durable"
	Weak     = "weak"
	Volatile = "volatile"
)

// Verdict is how far a store keeps what it acknowledged.
type Verdict struct {
	Storage  string
	Store    string // "redis 7.0.15"
	Warnings []string
}

// ErrTooOld means a store below the floor of Redis 7.0 and Valkey 7.2.
var ErrTooOld = errors.New("the store is too old")

// Judge asks a store, and of a cluster every master, for its version, persistence and eviction. What it does not tell is a warning.
func Judge(ctx context.Context, rdb redis.UniversalClient) (Verdict, error) {
	cluster, ok := rdb.(*redis.ClusterClient)
	if !ok {
		return judgeOne(ctx, rdb)
	}
	var all []Verdict
	collect := make(chan Verdict, 1024)
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
		v, err := judgeOne(ctx, c)
		collect <- v
		return err
	})
	close(collect)
	if err != nil {
		return Verdict{}, err
	}
	for v := range collect {
		all = append(all, v)
	}
	if len(all) == 0 {
		return Verdict{}, errors.New("the cluster names no master")
	}
	worst := all[0]
	for _, v := range all[1:] {
		if v.Storage == Weak {
			worst.Storage = Weak
		}
		worst.Warnings = append(worst.Warnings, v.Warnings...)
	}
	slices.Sort(worst.Warnings)
	worst.Warnings = slices.Compact(worst.Warnings)
	return worst, nil
}

func judgeOne(ctx context.Context, c redis.Cmdable) (Verdict, error) {
	text, err := c.Info(ctx).Result()
	if err != nil {
		return Verdict{}, fmt.Errorf("ask the store who it is: %w", err)
	}
	info := fields(text)
	v := Verdict{Storage: Durable, Store: "redis " + info["redis_version"]}
	version, valkey := info["redis_version"], info["valkey_version"] != ""
	if valkey {
		version = info["valkey_version"]
		v.Store = "valkey " + version
	}
	if err := floor(valkey, version); err != nil {
		return v, fmt.Errorf("%w: %w", ErrTooOld, err)
	}
	weak := func(reason string) { v.Storage, v.Warnings = Weak, append(v.Warnings, reason) }
	warn := func(reason string) { v.Warnings = append(v.Warnings, reason) }
	if info["aof_enabled"] != "1" {
		weak("appendonly is off: what was acknowledged is lost when the store ends")
	} else {
		switch fsync, err := setting(ctx, c, "appendfsync"); {
		case err != nil:
			warn("appendfsync is not told (CONFIG is refused): how much a power loss costs is unknown")
		case fsync == "no":
			weak("appendfsync is no: the system decides when anything reaches the disk")
		case fsync == "everysec":
			warn("appendfsync is everysec: a power loss may cost the last second")
		}
	}
	policy, memory := info["maxmemory_policy"], info["maxmemory"]
	switch {
	case policy == "":
		warn("maxmemory-policy is not told: whether the store throws records away when full is unknown")
	case policy != "noeviction" && memory != "0" && memory != "":
		weak("maxmemory-policy is " + policy + ": the store throws records away when full; noeviction is needed")
	}
	if info["role"] == "slave" {
		weak("the store is a replica and takes no writes")
	}
	return v, nil
}

func setting(ctx context.Context, c redis.Cmdable, name string) (string, error) {
	m, err := c.ConfigGet(ctx, name).Result()
	if err != nil {
		return "", err
	}
	if _, ok := m[name]; !ok {
		return "", errors.New("not told")
	}
	return m[name], nil
}

// fields reads the name:value lines of INFO.
func fields(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			out[k] = v
		}
	}
	return out
}
