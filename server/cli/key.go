package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"kentongan/server/auth"
)

type key struct {
	Add    keyAdd    `cmd:"" help:"Make a key at a running server and print its token, which is told this once."`
	Rotate keyRotate `cmd:"" help:"Make the next key with the same bounds and print its token; the old one dies after the overlap."`
}

// keyAdd is kentongan key add.
type keyAdd struct {
	Name    string        `help:"For people: who carries the key." required:"" placeholder:"NAME"`
	Feed    string        `help:"The feed that a key with scope ingest brings." placeholder:"FEED"`
	Agency  string        `help:"The agency whose feeds it may bring; with scope ingest it may stand in the feed's place." placeholder:"SLUG"`
	Scope   string        `help:"ingest, read, metrics or automation." enum:"ingest,read,metrics,automation" default:"ingest"`
	Range   []string      `help:"Addresses from which it may be shown, as 192.0.2.0/24; may be given again. None: from anywhere." placeholder:"CIDR"`
	Rate    int           `help:"Deliveries a minute, over all servers; 0: as many as come." placeholder:"N"`
	Expires time.Duration `help:"How long it lives, as 2160h; 0: it has no end." placeholder:"TIME"`
	where
}

func (k *keyAdd) Run(w *world) error {
	doc := map[string]any{"name": k.Name, "feed": k.Feed, "scope": k.Scope}
	for field, set := range map[string]bool{"agency": k.Agency != "", "ranges": len(k.Range) > 0, "rate": k.Rate != 0, "expires_at": k.Expires != 0} {
		if set {
			doc[field] = map[string]any{"agency": k.Agency, "ranges": k.Range, "rate": k.Rate, "expires_at": time.Now().Add(k.Expires).UTC().Format(time.RFC3339)}[field]
		}
	}
	return k.printToken(w, "/api/v1/keys", doc)
}

// keyRotate is kentongan key rotate.
type keyRotate struct {
	ID      string        `arg:"" help:"Id of the key, as the list of keys shows it."`
	Overlap time.Duration `help:"How long the old key still opens what it opened, 0s to 720h." default:"24h" placeholder:"TIME"`
	where
}

func (k *keyRotate) Run(w *world) error {
	return k.printToken(w, "/api/v1/keys/"+url.PathEscape(k.ID)+"/rotate", map[string]any{"overlap": k.Overlap.String()})
}

// printToken asks the server for a key and prints its token alone, so that it can be piped.
func (h *where) printToken(w *world, path string, doc map[string]any) error {
	server, err := h.remote(w)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var made struct {
		auth.Key
		Token string `json:"token"`
	}
	if err := server.ask(ctx, path, doc, http.StatusCreated, &made); err != nil {
		return err
	}
	if made.Token == "" {
		return errors.New("the server made no key")
	}
	_, err = fmt.Fprintln(w.out, made.Token)
	return err
}
