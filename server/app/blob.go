package app

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"kentongan/alerts/store"
	"kentongan/server/api"
	"kentongan/server/blob"
)

const (
	blobSpace = 20 << 30  // of all attachments together
	blobRest  = time.Hour // so long a file may lie before the act that it is of is done
)

// openFiles opens the folder of attachments. A house whose store is elsewhere may have no such folder: it runs all the same.
func (a *App) openFiles() (*api.Blobs, error) {
	files, err := blob.Open(filepath.Join(a.cfg.DataDir, "blob"), blobSpace, time.Now)
	if err != nil && a.alone() {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	if err != nil {
		a.log.Warn().Err(err).Msg("attachments are not kept")
		return nil, nil
	}
	a.spawn("files", a.workCtx, func(ctx context.Context) error { a.sweepFiles(ctx, a.cases, files); return nil })
	return &api.Blobs{Store: files, Pictures: blob.NewMaker()}, nil
}

// sweepFiles deletes files that no incident needs, until ctx ends. Every server does so in its own folder.
func (a *App) sweepFiles(ctx context.Context, cases *store.Store, files *blob.Store) {
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		needed, err := cases.Kept(ctx)
		if err == nil {
			_, err = files.Sweep(ctx, needed, blobRest)
		}
		if err != nil && ctx.Err() == nil {
			a.log.Warn().Str("component", "files").Err(err).Msg("files that nothing needs are not deleted yet")
		}
	}
}
