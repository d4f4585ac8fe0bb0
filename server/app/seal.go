package app

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"kentongan/alerts/store"
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

// feedPurpose of what seals settings of feeds: they hold passwords, and keys in addresses.
const feedPurpose = "feed"

// sealFeed closes the settings of a feed for the store: a JSON string.
func (a *App) sealFeed(name string, config json.RawMessage) (json.RawMessage, error) {
	sealed, err := a.seal.Seal(feedPurpose, config, []byte(name))
	if err != nil {
		return nil, fmt.Errorf("settings of feed %s: %w", name, err)
	}
	return json.Marshal(sealed)
}

// unsealFeed opens the settings of a feed. What does not open has no settings that could be read: whoever reads them says so.
func (a *App) unsealFeed(one store.Feed) store.Feed {
	var sealed string
	if json.Unmarshal(one.Config, &sealed) != nil {
		return one // of an older server, not sealed yet; or removed
	}
	config, err := a.seal.Unseal(feedPurpose, sealed, []byte(one.Name))
	if err != nil {
		a.log.Error().Err(err).Str("component", "feeds").Str("feed", one.Name).Int64("version", one.Version).Msg("settings of a feed do not open")
		config = nil
	}
	one.Config = config
	return one
}

// feedOf is store.FeedOf with the settings opened.
func (a *App) feedOf(ctx context.Context, name string) (store.Feed, bool, error) {
	one, there, err := a.cases.FeedOf(ctx, name)
	return a.unsealFeed(one), there, err
}

// sealFeeds closes settings of feeds that an older server left as they were.
func (a *App) sealFeeds(ctx context.Context) error {
	n, err := a.cases.RewriteFeeds(ctx, func(one store.Feed) (json.RawMessage, error) {
		if len(one.Config) == 0 || one.Config[0] == '"' {
			return nil, nil
		}
		return a.sealFeed(one.Name, one.Config)
	})
	if n > 0 {
		a.log.Info().Str("component", "seal").Int("settings", n).Msg("settings of feeds that lay open in the store are sealed now")
	}
	return err
}
