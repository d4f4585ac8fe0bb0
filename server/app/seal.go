package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"kentongan/server/config"
	"kentongan/server/seal"
)

// SecretKeyFile is where the keys that seal are: where the configuration says, else in the data folder.
func SecretKeyFile(cfg config.Config) string {
	if cfg.SecretKeyFile != "" {
		return cfg.SecretKeyFile
	}
	return filepath.Join(cfg.DataDir, "secret.key")
}

// openSeal reads the keys that seal, and refuses a store whose secrets they do not open: another server has another file, or a backup
// came without its own.
func (a *App) openSeal(ctx context.Context) error {
	var err error
	if a.seal, err = seal.Open(SecretKeyFile(a.cfg)); err != nil {
		return err
	}
	return a.markSeal(ctx)
}

// markSeal writes into the store which key seals.
func (a *App) markSeal(ctx context.Context) error {
	ours := a.seal.Mark()
	if err := a.rdb.SetNX(ctx, a.keys.Seal(), ours, 0).Err(); err != nil {
		return fmt.Errorf("the mark of secret_key_file: %w", err)
	}
	there, err := a.rdb.Get(ctx, a.keys.Seal()).Result()
	if err != nil {
		return fmt.Errorf("the mark of secret_key_file: %w", err)
	}
	if there == ours {
		return nil
	}
	if !a.seal.Holds(there) {
		return fmt.Errorf("secret_key_file: %s holds the keys %s, but the secrets of this store are sealed with key %s: give every server of the store the same file, or put back the one that belongs to this store (who has lost it for good: what it sealed is lost too; remove %s from the store and start again)",
			a.seal.Path(), strings.Join(a.seal.IDs(), ", "), there, a.keys.Seal())
	}
	if err := a.rdb.Set(ctx, a.keys.Seal(), ours, 0).Err(); err != nil {
		return fmt.Errorf("the mark of secret_key_file: %w", err)
	}
	a.log.Info().Str("component", "seal").Str("key", ours).Msg("another key of secret_key_file seals from now on")
	return nil
}
