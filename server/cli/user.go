package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

type userCmd struct {
	Add userAdd `cmd:"" help:"Make an account at a running server and print its one-time invitation, or the code of a break-glass account: it is told this once."`
}

// userAdd is kentongan user add.
type userAdd struct {
	Login      string   `help:"An e-mail address or a short name." required:"" placeholder:"LOGIN"`
	Name       string   `help:"As others read it." required:"" placeholder:"NAME"`
	Role       []string `help:"calltaker, operator, dispatcher, supervisor, liaison, field, leader, pio, admin or auditor; again for more." placeholder:"ROLE"`
	Agency     string   `help:"Slug of the agency of every role given here; liaison and field need one." placeholder:"SLUG"`
	Lang       string   `help:"id or en." enum:"id,en," default:""`
	BreakGlass bool     `help:"For an envelope: a code in place of a password, without a second factor, and every use is an alarm."`
	where
}

func (u *userAdd) Run(w *world) error {
	server, err := u.remote(w)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	grants := []map[string]string{}
	for _, role := range u.Role {
		g := map[string]string{"role": role}
		if u.Agency != "" {
			g["agency"] = u.Agency
		}
		grants = append(grants, g)
	}
	in := map[string]any{"login": u.Login, "name": u.Name, "grants": grants, "break_glass": u.BreakGlass}
	if u.Lang != "" {
		in["lang"] = u.Lang
	}
	var made struct {
		Link, Code string
		Change     *struct{ Summary string }
	}
	if err := server.ask(ctx, "/api/v1/users", in, http.StatusCreated, &made); err != nil {
		return err
	}
	if made.Link == "" && made.Code == "" {
		return errors.New("the server made no account")
	}
	if made.Change != nil {
		fmt.Fprintf(w.err, "kentongan: the roles wait until a second person approves them: %s\n", made.Change.Summary)
	}
	_, err = fmt.Fprintln(w.out, made.Link+made.Code)
	return err
}
