package cli

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"kentongan/server/witness"
)

// witnessCmd is kentongan witness.
type witnessCmd struct {
	Log    string        `required:"" help:"Address of the server whose log is witnessed." placeholder:"URL"`
	Key    string        `help:"The log's public key, or a file of it; without it the key that the log shows first is trusted." placeholder:"VKEY|FILE"`
	Data   string        `required:"" help:"Folder for the witness's own key, the checkpoints and tiles that it has seen, and evidence." placeholder:"DIR" type:"path"`
	Name   string        `help:"Name of the witness's key when it is made: an address without scheme, such as ombudsman.go.id/saksi." placeholder:"NAME"`
	Every  time.Duration `help:"How often the log is asked." default:"10s"`
	Listen string        `help:"Address to serve on: POST /add-checkpoint, GET /checkpoint, /key, /healthz." placeholder:"HOST:PORT"`
	Lang   string        `help:"Language of what it says when something is wrong: id, en; else that of LANG, else id." enum:"id,en,auto" default:"auto"`
}

func (c *witnessCmd) Run(w *world) error {
	if !strings.HasPrefix(c.Log, "http://") && !strings.HasPrefix(c.Log, "https://") || c.Every < time.Second {
		return misused{errors.New("--log is an address with http:// or https://, --every a second at least")}
	}
	var vkey string
	if c.Key != "" {
		var err error
		if _, vkey, err = keysOf([]string{c.Key}); err != nil {
			return misused{err}
		}
		if vkey == "" {
			return misused{errors.New("--key holds no key of a log")}
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := zerolog.New(w.err).With().Timestamp().Str("component", "witness").Logger()
	one, err := witness.New(witness.Config{URL: c.Log, Key: vkey, Name: c.Name, Dir: c.Data, Every: c.Every, Lang: language(c.Lang, w.env)}, log, time.Now)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return one.Run(ctx) })
	if c.Listen != "" {
		l, err := net.Listen("tcp", c.Listen)
		if err != nil {
			stop()
			return errors.Join(err, g.Wait())
		}
		log.Info().Str("addr", l.Addr().String()).Msg("listening")
		s := &http.Server{Handler: one.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
		g.Go(func() error {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		g.Go(func() error {
			<-ctx.Done()
			drain, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 5*time.Second, errors.New("the drain took too long"))
			defer cancel()
			return s.Shutdown(drain)
		})
	}
	return g.Wait()
}
