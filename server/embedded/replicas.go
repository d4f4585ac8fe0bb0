package embedded

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Replicas tells of the primary that holds a key which run of it this is, and how many replicas are connected and in step.
func Replicas(ctx context.Context, all redis.UniversalClient, key string) (run string, online int, err error) {
	rdb := all
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		if rdb, err = cluster.MasterForKey(ctx, key); err != nil {
			return "", 0, fmt.Errorf("find the primary of the cases: %w", err)
		}
	}
	text, err := rdb.InfoMap(ctx, "server", "replication").Result()
	if err != nil {
		return "", 0, fmt.Errorf("ask the store for its replicas: %w", err)
	}
	if role := text["Replication"]["role"]; role != "master" {
		if cluster, ok := all.(*redis.ClusterClient); ok {
			cluster.ReloadState(ctx)
		}
		return "", 0, fmt.Errorf("ask the store for its replicas: it is a %s itself", role)
	}
	for name, value := range text["Replication"] {
		if strings.HasPrefix(name, "slave") && strings.Contains(value, "state=online") {
			online++
		}
	}
	return text["Server"]["run_id"], online, nil
}
