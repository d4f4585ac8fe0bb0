package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// suggestions are what the house thinks belongs together, for a person to decide.
func (s *server) suggestions() {
	const root = "/api/v1/suggestions"
	operation(s, needs(access.ActIncidents), "GET", root, "suggestions", "What the house thinks belongs together, with its evidence and reasons, the newest first", http.StatusOK, s.listSuggestions)
	operation(s, needs(access.ActIncidents), "GET", root+"/{id}", "suggestion", "One suggestion", http.StatusOK, s.oneSuggestion)
	operation(s, needs(access.ActIncidents), "POST", root+"/{id}/accept", "accept-suggestion", "Do what a suggestion proposes: join the evidence, merge the two, open an incident, or hand it over. Twice is once", http.StatusOK, s.acceptSuggestion)
	operation(s, needs(access.ActIncidents), "POST", root+"/{id}/refuse", "refuse-suggestion", "Say no: it does not come again for the same evidence", http.StatusOK, s.refuseSuggestion)
}

type suggestionsIn struct {
	State    string    `query:"state" enum:"offered,accepted,refused,withdrawn"`
	Kind     string    `query:"kind" enum:"join,merge,open,hand_over"`
	Incident string    `query:"incident" maxLength:"64" doc:"It is about, on either side"`
	From     time.Time `query:"from" doc:"Made at or after"`
	To       time.Time `query:"to" doc:"Made before"`
	Limit    int       `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page     string    `query:"page"`
}

func (s *server) listSuggestions(ctx context.Context, in *suggestionsIn) (*body[List[fusion.Suggestion]], error) {
	v := s.sees(ctx)
	items, next, err := s.Cases.Suggestions(ctx, store.SuggestionQuery{State: fusion.State(in.State), Kind: fusion.Kind(in.Kind), Incident: in.Incident, From: in.From, To: in.To,
		Limit: in.Limit, Page: in.Page, See: v.seesSuggestion})
	if err != nil {
		return nil, s.fault(err)
	}
	return listOf(items, next), nil
}

// seesSuggestion tells whether a suggestion is for the one who asks: to work its type in its place. What is restricted is for nobody else.
func (v view) seesSuggestion(g *fusion.Suggestion) bool {
	return v.who.May(access.ActIncidents, scope.Suggestion(g), v.now).Allowed()
}

type suggestionIn struct {
	ID string `path:"id" maxLength:"64"`
}

// suggestion loads one that the one who asks may see; what they may not is not there.
func (v view) suggestion(ctx context.Context, id string) (fusion.Suggestion, error) {
	g, err := v.s.Cases.Suggestion(ctx, id)
	if err == nil && !v.seesSuggestion(&g) || errors.Is(err, store.ErrNoSuggestion) {
		return g, notHere("suggestion", id)
	}
	return g, v.s.faultOf(err)
}

func (s *server) oneSuggestion(ctx context.Context, in *suggestionIn) (*body[fusion.Suggestion], error) {
	g, err := s.sees(ctx).suggestion(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[fusion.Suggestion]{g}, nil
}

type suggestionActIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Version int    `json:"version,omitempty" minimum:"0" doc:"The version that was seen; required from a session"`
		Note    string `json:"note,omitempty" maxLength:"4000"`
	}
}

func (s *server) acceptSuggestion(ctx context.Context, in *suggestionActIn) (*body[fusion.Suggestion], error) {
	v := s.sees(ctx)
	version, err := v.decides(ctx, in)
	if err != nil {
		return nil, err
	}
	out, err := s.Cases.AcceptSuggestion(ctx, in.ID, version, in.Body.Note, actor(ctx), v.allows(ctx))
	if err != nil {
		return nil, v.suggestionFault(err)
	}
	return &body[fusion.Suggestion]{out.Suggestion}, nil
}

func (s *server) refuseSuggestion(ctx context.Context, in *suggestionActIn) (*body[fusion.Suggestion], error) {
	v := s.sees(ctx)
	version, err := v.decides(ctx, in)
	if err != nil {
		return nil, err
	}
	out, err := s.Cases.RefuseSuggestion(ctx, in.ID, version, in.Body.Note, actor(ctx), v.allows(ctx))
	if err != nil {
		return nil, v.suggestionFault(err)
	}
	return &body[fusion.Suggestion]{out}, nil
}

// decides gives the version that a decision is about.
func (v view) decides(ctx context.Context, in *suggestionActIn) (int, error) {
	g, err := v.suggestion(ctx, in.ID)
	if err != nil {
		return 0, err
	}
	if who, _ := auth.FromContext(ctx); in.Body.Version == 0 && who.Via == auth.ViaSession {
		return 0, problem.New(problem.VersionMissing, "version is required: the version that you saw", problem.At("body.version", problem.Missing, "is required"))
	}
	return cmp.Or(in.Body.Version, g.Version), nil
}

// allows asks for the rights that doing by hand what is suggested would need.
func (v view) allows(ctx context.Context) store.Allow {
	return func(g *fusion.Suggestion, in, other *incident.Incident) error {
		switch {
		case g.Kind == fusion.Open:
			one := in
			if one == nil {
				t, _ := incident.TypeOf(g.Type)
				one = &incident.Incident{Type: g.Type, Severity: g.Severity, LeadAgency: t.Lead, Support: t.Support, AreaName: g.AreaName}
			}
			return v.may(ctx, access.CreateIncident, scope.Incident(one))
		case in == nil:
			return v.may(ctx, access.ActIncidents, scope.Suggestion(g))
		case g.Kind == fusion.Merge && other != nil:
			return v.both(ctx)(other, in)
		case g.Kind == fusion.HandOver:
			return v.may(ctx, access.CancelIncident, scope.Incident(in))
		}
		return v.may(ctx, access.AcknowledgeIncident, scope.Incident(in))
	}
}

func (v view) suggestionFault(err error) error {
	var late *store.SuggestionConflict
	if errors.As(err, &late) {
		return staleOf(late, late.Current)
	}
	return v.actFault(err)
}
