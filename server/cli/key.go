package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"kentongan/server/auth"
)

type key struct {
	Add keyAdd `cmd:"" help:"Make a key at a running server and print its token, which is told this once."`
}

// keyAdd is kentongan key add.
type keyAdd struct {
	Name  string `help:"For people: who carries the key." required:"" placeholder:"NAME"`
	Feed  string `help:"The feed that a key with scope ingest brings." placeholder:"FEED"`
	Scope string `help:"ingest, read, metrics or automation." enum:"ingest,read,metrics,automation" default:"ingest"`
	where
}

func (k *keyAdd) Run(w *world) error {
	server, err := k.remote(w)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var made struct {
		auth.Key
		Token string `json:"token"`
	}
	if err := server.ask(ctx, "/api/v1/keys", map[string]string{"name": k.Name, "feed": k.Feed, "scope": k.Scope}, http.StatusCreated, &made); err != nil {
		return err
	}
	if made.Token == "" {
		return errors.New("the server made no key")
	}
	_, err = fmt.Fprintln(w.out, made.Token)
	return err
}
