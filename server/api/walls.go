package api

import (
	"context"
	"errors"
	"net/http"

	"kentongan/geo/fault"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/problem"
	"kentongan/server/walls"
	"kentongan/server/wire"
)

// walls registers the big screens: their scenes, what each is set to, and what they say of themselves.
func (s *server) walls() {
	if s.Walls == nil {
		return
	}
	const root = "/api/v1/walls"
	operation(s, needs(access.ReadThings), "GET", "/api/v1/scenes", "scenes", "Scenes of walls: layouts of a map and of tiles, in the order they are offered", http.StatusOK, s.listScenes)
	operation(s, needs(access.WriteDevices).or(access.SteerWalls), "GET", root, "walls", "Devices of kind wall, what each is set to (version grows with its changes; agent is what the device calls itself), and what it last said of itself", http.StatusOK, s.listWalls)
	operation(s, needs(access.ReadThings), "GET", root+"/me", "own-wall", "What this screen is set to; of a person's window a wall of which nothing is kept", http.StatusOK, s.ownWall)
	operation(s, needs(access.ReadThings), "POST", root+"/me/report", "report-wall", "What this wall says of itself, each half minute; of a person's window nothing is kept", http.StatusNoContent, s.reportWall)
	operation(s, needs(access.WriteDevices), "PATCH", root+"/{id}", "change-wall", "Set a wall; what is not said stays as it is. Its scene and tour are of whoever steers walls too", http.StatusOK, s.changeWall)
	operation(s, needs(access.SteerWalls), "POST", root+"/steer", "steer-walls", "Change walls in step: all take it up at apply_at", http.StatusOK, s.steerWalls)
}

func (s *server) listScenes(context.Context, *struct{}) (*body[List[walls.Scene]], error) {
	return listOf([]walls.Scene(s.Walls.Scenes), ""), nil
}

func (s *server) listWalls(ctx context.Context, _ *struct{}) (*body[List[walls.FleetWall]], error) {
	list, err := s.Walls.List(ctx)
	if err != nil {
		return nil, s.wallFault(err)
	}
	return listOf(list, ""), nil
}

type ownWallIn struct {
	Screen string `query:"screen" maxLength:"40" doc:"Name of a screen, or which part of one picture this is: 2/4"`
}

func (s *server) ownWall(ctx context.Context, in *ownWallIn) (*body[wire.Wall], error) {
	id, _ := auth.FromContext(ctx)
	if id.Device == "" || id.Role != string(access.Wall) { // a person's window, or a crew's phone
		w := walls.Unset("", id.Name, in.Screen)
		if id.Lang != "" {
			w.Language = id.Lang
		}
		return &body[wire.Wall]{w}, nil
	}
	w, err := s.Walls.Of(ctx, id.Device)
	if err != nil {
		return nil, s.wallFault(err)
	}
	if s.Walls.Scenes.Guests(w) {
		w = w.BeforeGuests()
	}
	return &body[wire.Wall]{w}, nil
}

type reportWallIn struct{ Body walls.WallReport }

func (s *server) reportWall(ctx context.Context, in *reportWallIn) (*struct{}, error) {
	id, _ := auth.FromContext(ctx)
	if id.Device == "" || id.Role != string(access.Wall) {
		return nil, nil
	}
	if err := s.Walls.Reported(ctx, id.Device, in.Body); err != nil {
		return nil, s.wallFault(err)
	}
	return nil, nil
}

type changeWallIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body walls.WallPatch
}

func (s *server) changeWall(ctx context.Context, in *changeWallIn) (*body[wire.Wall], error) {
	if in.Body.Chooses() {
		if err := s.sees(ctx).may(ctx, access.SteerWalls, access.Object{}); err != nil {
			return nil, err
		}
	}
	w, err := s.Walls.Change(ctx, in.ID, in.Body, actor(ctx), act(ctx))
	if err != nil {
		return nil, s.wallFault(err)
	}
	return &body[wire.Wall]{w}, nil
}

type steerIn struct{ Body walls.Steering }

func (s *server) steerWalls(ctx context.Context, in *steerIn) (*body[List[wire.Wall]], error) {
	list, err := s.Walls.Steer(ctx, in.Body, actor(ctx))
	if err != nil {
		return nil, s.wallFault(err)
	}
	return listOf(list, ""), nil
}

func (s *server) wallFault(err error) error {
	var f *fault.Fault
	switch {
	case errors.As(err, &f) && f.Field == "focus":
		return problem.New(problem.NotOnWalls, "body.focus: no wall may show this", problem.At("body.focus", problem.Unknown, f.Reason))
	case errors.Is(err, auth.ErrUnavailable):
		return s.deviceFault(err)
	}
	return s.fault(err)
}
