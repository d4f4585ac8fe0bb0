package app

import (
	"context"
	"path/filepath"
	"time"

	"kentongan/server/basemap"
)

// openBasemap makes the base map ready. It asks nobody outside: that is done beside everything else, by its Run.
func (a *App) openBasemap() error {
	var err error
	a.basemap, err = basemap.Open(a.cfg.Basemap, basemap.Deps{Dir: filepath.Join(a.cfg.DataDir, "basemap"), UserAgent: "Kentongan/" + a.version, Now: time.Now, Log: a.log})
	if err != nil {
		return err
	}
	a.stack.push("base map", func(context.Context) error { return a.basemap.Close() })
	return nil
}
