package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/redis/go-redis/v9"
)

// primaryOnly lets a connection be used only to a primary that admit takes. The client puts it to its connections to Sentinels too, which
// hold no keys and are let through.
func primaryOnly(admit func(context.Context, *redis.Conn) error) func(context.Context, *redis.Conn) error {
	return func(ctx context.Context, c *redis.Conn) error {
		role := redis.NewSliceCmd(ctx, "ROLE")
		if err := c.Process(ctx, role); err != nil {
			return fmt.Errorf("ask the store for its role: %w", err)
		}
		name := ""
		if len(role.Val()) > 0 {
			name = fmt.Sprint(role.Val()[0])
		}
		switch name {
		case "sentinel":
			return nil
		case "master":
			if admit == nil {
				return nil
			}
			return admit(ctx, c)
		}
		return errors.New("the store is a " + name + " now and takes no writes")
	}
}

// oneSide closes every connection to an older primary once there is one to a newer: an old primary takes writes and listeners until the
// Sentinels get around to it, seconds after they named the new one, and what it is told then is lost. The client itself closes only what is
// idle.
type oneSide struct {
	mu   sync.Mutex
	addr string
	open map[*sided]struct{}
}

// sided is a connection that is known to its oneSide until it is closed.
type sided struct {
	net.Conn
	of   *oneSide
	addr string
}

func (c *sided) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// DialHook is redis.Hook.
func (o *oneSide) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := next(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return o.take(c), nil
	}
}

func (o *oneSide) take(c net.Conn) net.Conn {
	s := &sided{Conn: c, of: o, addr: c.RemoteAddr().String()}
	o.mu.Lock()
	var old []*sided
	if o.addr != s.addr {
		for other := range o.open {
			old = append(old, other)
		}
	}
	o.addr, o.open[s] = s.addr, struct{}{}
	o.mu.Unlock()
	for _, other := range old {
		_ = other.Close()
	}
	return s
}

// ProcessHook is redis.Hook.
func (o *oneSide) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook is redis.Hook.
func (o *oneSide) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
