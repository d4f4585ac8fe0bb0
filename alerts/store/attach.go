package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds"
)

// Enclose adds an attachment to an incident, in one step; its bytes must lie where they lie already. The same bytes, or the same key of the same
// person, give the attachment that is there. Errors: ErrNotFound, incident.ErrInvalid, ErrKeyReused, feeds.ErrBusy, and what may says.
func (s *Store) Enclose(ctx context.Context, id, key string, a incident.Attachment, who audit.Actor, may func(*incident.Incident) error) (out incident.Attachment, err error) {
	a.ID, a.By, a.Once = ulid.Make().String(), who.Subject, onceOf(key, who)
	_, err = s.change(ctx, changing{id: id, action: "incident.attached", who: who}, may, func(in *incident.Incident, now time.Time) (next incident.Incident, err error) {
		next, out, err = in.Enclose(a, now)
		return next, reused(err)
	})
	return out, err
}

// keptFile is how a file that an incident needs stands in the set of them.
func keptFile(sum, incident string) string { return sum + " " + incident }

// unkeep notes the files that an incident needs no longer, so that they go with whichever incident still needs them and not later.
func (s *Store) unkeep(st *step, before, after *incident.Incident) {
	still := after.Sums()
	for _, sum := range before.Sums() {
		if !slices.Contains(still, sum) {
			st.write("srem", s.keys.Blobs(), keptFile(sum, before.ID))
		}
	}
}

// Kept tells the sums of the files that incidents need, and forgets those of incidents that are gone.
func (s *Store) Kept(ctx context.Context) (map[string]bool, error) {
	list, err := s.rdb.SMembers(ctx, s.keys.Blobs()).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: files of incidents: %w", feeds.ErrBusy, err)
	}
	there := map[string]*redis.IntCmd{}
	pipe := s.rdb.Pipeline()
	for _, one := range list {
		if _, id, _ := strings.Cut(one, " "); there[id] == nil {
			there[id] = pipe.Exists(ctx, s.keys.Incident(id))
		}
	}
	if len(there) > 0 {
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, fmt.Errorf("%w: files of incidents: %w", feeds.ErrBusy, err)
		}
	}
	out := map[string]bool{}
	st := s.newStep(s.now())
	for _, one := range list {
		sum, id, _ := strings.Cut(one, " ")
		if there[id].Val() == 1 {
			out[sum] = true
			continue
		}
		st.check("rev", s.keys.Incident(id), "", "")
		st.write("srem", s.keys.Blobs(), one)
	}
	if st.nWrite == 0 {
		return out, nil
	}
	return out, s.run(ctx, st)
}
