package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"kentongan/feeds"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
)

func (s *server) keys() {
	const root = "/api/v1/keys"
	operation(s, needs(access.WriteKeys), "GET", root, "keys", "Every key, the newest first, without its secret", http.StatusOK, s.listKeys)
	operation(s, needs(access.WriteKeys), "POST", root, "make-key", "Make a key; its token is told this once", http.StatusCreated, s.makeKey)
	operation(s, needs(access.WriteKeys), "POST", root+"/{id}/rotate", "rotate-key", "Make the next key with the same bounds; the old one dies after the overlap", http.StatusCreated, s.rotateKey)
	operation(s, needs(access.WriteKeys), "DELETE", root+"/{id}", "revoke-key", "Revoke a key for good; every server refuses it within a second", http.StatusNoContent, s.revokeKey)
}

func (s *server) listKeys(ctx context.Context, _ *struct{}) (*body[List[auth.Key]], error) {
	list, err := s.Auth.Keys(ctx)
	if err != nil {
		return nil, s.keyFault(err)
	}
	return listOf(list, ""), nil
}

type keyIn struct {
	Body struct {
		Name      string      `json:"name" minLength:"1" maxLength:"100" doc:"For people: who carries it"`
		Feed      string      `json:"feed,omitempty" maxLength:"63" doc:"Only with scope ingest, which needs it or an agency"`
		Agency    string      `json:"agency,omitempty" maxLength:"63" doc:"Slug; the key feeds only feeds of this agency"`
		Ranges    []string    `json:"ranges,omitempty" maxItems:"64" doc:"Addresses from which it may be shown: 192.0.2.0/24, fd00::/8. Absent: from anywhere"`
		Rate      int         `json:"rate,omitempty" minimum:"0" maximum:"1000000" doc:"Deliveries a minute, over all servers; 0: as many as come"`
		ExpiresAt moment.Time `json:"expires_at,omitempty" doc:"Absent or null: it has no end"`
		Scope     auth.Scope  `json:"scope,omitempty" enum:"ingest,read,metrics,automation" default:"ingest" doc:"ingest brings one feed's bytes, read reads what a wall shows, metrics reads /metrics, automation does what desks and who configures feeds do, and nothing that needs a person: no keys, accounts, devices, log, personal data, closing"`
	}
}

// keyOut is a new key with its token, which nobody can ask for again.
type keyOut struct {
	auth.Key
	Token string `json:"token" doc:"Send it as Authorization: Bearer, as Basic password beside any user name, or as X-Api-Key"`
}

func (s *server) makeKey(ctx context.Context, in *keyIn) (*body[keyOut], error) {
	b := in.Body
	want := auth.Key{Name: b.Name, Feed: b.Feed, Scope: b.Scope, Agency: b.Agency, Ranges: b.Ranges, Rate: b.Rate, ExpiresAt: b.ExpiresAt}
	if want.Feed != "" {
		i := slices.IndexFunc(s.Feeds(), func(f feeds.FeedStatus) bool { return f.Name == want.Feed })
		if i < 0 {
			return nil, s.keyFault(fault.At("feed", fault.Unknown, nil, "%q: no feed has this name", want.Feed))
		}
		if agency := s.Feeds()[i].Agency; want.Agency != "" && agency != want.Agency {
			return nil, s.keyFault(fault.At("agency", fault.Unasked, nil, "%q: feed %s is of %s", want.Agency, want.Feed, cmp.Or(agency, "no agency")))
		}
	}
	key, token, err := s.Auth.MakeKey(ctx, want, act(ctx))
	if err != nil {
		return nil, s.keyFault(err)
	}
	return &body[keyOut]{keyOut{key, token}}, nil
}

type rotateIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Overlap string `json:"overlap,omitempty" maxLength:"20" default:"24h" doc:"How long the old key still opens what it opened: 0s to 720h"`
	}
}

func (s *server) rotateKey(ctx context.Context, in *rotateIn) (*body[keyOut], error) {
	overlap, err := time.ParseDuration(in.Body.Overlap)
	if err != nil {
		return nil, s.keyFault(fault.At("overlap", fault.Form, "24h", "%q is no time such as 24h", in.Body.Overlap))
	}
	key, token, err := s.Auth.RotateKey(ctx, in.ID, overlap, act(ctx))
	if err != nil {
		return nil, s.keyFault(err)
	}
	return &body[keyOut]{keyOut{key, token}}, nil
}

type keyID struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) revokeKey(ctx context.Context, in *keyID) (*struct{}, error) {
	if err := s.endKey(ctx, in.ID); err != nil {
		return nil, s.keyFault(err)
	}
	return nil, nil
}

// endKey revokes a key, and ends what is open by it.
func (s *server) endKey(ctx context.Context, id string) error {
	if err := s.Auth.RevokeKey(ctx, id, act(ctx)); err != nil {
		return err
	}
	if s.SignedOut != nil {
		s.SignedOut(auth.KeySession(id))
	}
	return nil
}

// revokeKeysOf revokes the keys of a feed that is gone: a new feed of its name is not open to who fed the old one.
func (s *server) revokeKeysOf(ctx context.Context, feed string) error {
	list, err := s.Auth.Keys(ctx)
	for _, k := range list {
		if err == nil && k.Feed == feed && k.RevokedAt.IsZero() {
			err = s.endKey(ctx, k.ID)
		}
	}
	return err
}

// act says who asks, for the audit log.
func act(ctx context.Context) auth.Act {
	id, _ := auth.FromContext(ctx)
	return auth.Act{Actor: id, From: clientOf(ctx), Request: requestID(ctx)}
}

func (s *server) keyFault(err error) error {
	switch {
	case errors.Is(err, auth.ErrUnavailable):
		return s.fault(fmt.Errorf("%w: %w", feeds.ErrBusy, err))
	}
	return s.fault(err)
}
