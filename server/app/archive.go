package app

import (
	"fmt"
	"path/filepath"
	"time"

	"kentongan/feeds/archive"
)

// openArchive opens the archive of raw bytes in the data folder. A house whose store is elsewhere may have no such folder: it runs all the same.
func (a *App) openArchive() error {
	keep, err := archive.Open(archive.Config{Dir: filepath.Join(a.cfg.DataDir, "raw"), Keeps: a.keepsRaw, Space: int64(a.cfg.Retention.RawSpace), Now: time.Now, Log: a.log})
	if err != nil && a.alone() {
		return fmt.Errorf("data_dir: %w", err)
	}
	if err != nil {
		a.log.Warn().Err(err).Msg("raw bytes are not kept")
	}
	a.archive = keep
	return nil
}

// keepsRaw is how long raw bytes of a feed are kept; of one that is configured no longer, as long as the house says.
func (a *App) keepsRaw(feed string) time.Duration {
	if d, ok := a.push.Keeps(feed); ok {
		return d
	}
	if d, ok := a.pull.Keeps(feed); ok {
		return d
	}
	return a.cfg.Retention.Raw
}
