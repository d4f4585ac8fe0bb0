package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/feeds"
	"kentongan/server/access"
	"kentongan/server/auth"
)

func (s *server) keys() {
	const root = "/api/v1/keys"
	operation(s, needs(access.WriteKeys), "GET", root, "keys", "Every key, the newest first, without its secret", http.StatusOK, s.listKeys)
	operation(s, needs(access.WriteKeys), "POST", root, "make-key", "Make a key; its token is told this once", http.StatusCreated, s.makeKey)
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
		Name  string     `json:"name" minLength:"1" maxLength:"100" doc:"For people: who carries it"`
		Feed  string     `json:"feed,omitempty" maxLength:"63" doc:"Required with scope ingest, and only there. Two keys of a feed may be alive, for a change without a gap"`
		Scope auth.Scope `json:"scope,omitempty" enum:"ingest,read,metrics,automation" default:"ingest" doc:"ingest brings one feed's bytes, read reads what a wall shows, metrics reads /metrics, automation does all but make and revoke keys"`
	}
}

// keyOut is a new key with its token, which nobody can ask for again.
type keyOut struct {
	auth.Key
	Token string `json:"token" doc:"Send it as Authorization: Bearer, as Basic password beside any user name, or as X-Api-Key"`
}

func (s *server) makeKey(ctx context.Context, in *keyIn) (*body[keyOut], error) {
	want := auth.Key{Name: in.Body.Name, Feed: in.Body.Feed, Scope: in.Body.Scope}
	if want.Feed != "" && !slices.ContainsFunc(s.Feeds(), func(f feeds.FeedStatus) bool { return f.Name == want.Feed }) {
		return nil, s.keyFault(&auth.KeyFault{Field: "feed", Reason: fmt.Sprintf("%q: no feed has this name", want.Feed)})
	}
	key, token, err := s.Auth.MakeKey(ctx, want, act(ctx))
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
	var f *auth.KeyFault
	switch {
	case errors.As(err, &f):
		return huma.Error422UnprocessableEntity(err.Error(), &huma.ErrorDetail{Location: "body." + f.Field, Message: f.Reason})
	case errors.Is(err, auth.ErrNoKey):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, auth.ErrKeys):
		return huma.Error409Conflict(err.Error())
	case errors.Is(err, auth.ErrUnavailable):
		return s.fault(fmt.Errorf("%w: %w", feeds.ErrBusy, err))
	}
	return s.fault(err)
}
