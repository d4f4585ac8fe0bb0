package app

import (
	"context"
	"time"

	"kentongan/server/walls"
)

// newWalls opens the walls, with the scenes of the house.
func (a *App) newWalls() error {
	scenes, err := walls.Load(a.cfg.Scenes)
	if err != nil {
		return err
	}
	a.walls = walls.New(walls.Deps{Cases: a.cases, Redis: a.rdb, Keys: a.keys, Devices: a.devices, Scenes: scenes, Tell: a.hub.WallsChanged, Now: time.Now,
		Word: func() { a.announce(word{WallsChanged: true}) }})
	a.devices.Guests = a.walls.Guests
	if a.reg != nil {
		a.reg.MustRegister(a.walls.Collector())
	}
	return nil
}

// wallsHeard tells screens that are connected here what another server has set their walls to.
func (a *App) wallsHeard(ctx context.Context) {
	if a.walls == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, announceLimit)
	defer cancel()
	if err := a.walls.Heard(ctx); err != nil {
		a.log.Warn().Err(err).Msg("another server has set walls, and screens here are told when they ask")
	}
}
