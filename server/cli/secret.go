package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kentongan/server/app"
	"kentongan/server/seal"
)

type secret struct {
	Rotate secretRotate `cmd:"" help:"Add a key to secret_key_file that seals from now on; servers that run take it up within 15 s and seal again what older keys sealed."`
}

// secretRotate is kentongan secret rotate.
type secretRotate struct {
	Config  string `help:"Configuration file (KENTONGAN_CONFIG)." placeholder:"FILE" type:"path"`
	Spread  bool   `help:"Several servers, first step: the new key only opens, until every server has the file." xor:"step"`
	Promote bool   `help:"Several servers, second step: the last key of the file seals from now on." xor:"step"`
	Retire  bool   `help:"Last step, once the log says that everything is sealed with the newest key: take the older keys out; refused while they still seal something of the store, which must run." xor:"step"`
}

func (c *secretRotate) Run(w *world) error {
	cfg, faults := settings{Config: c.Config}.load(w.env)
	if len(faults) > 0 {
		return faults
	}
	ring, err := seal.Open(app.SecretKeyFile(cfg))
	if err != nil {
		return err
	}
	switch before := len(ring.IDs()); {
	case c.Spread:
		err = ring.Add(false)
	case c.Promote && before < 2:
		err = errors.New("the file holds one key: nothing to promote")
	case c.Promote:
		err = ring.Promote()
	case c.Retire && before < 2:
		err = errors.New("the file holds one key: nothing to retire")
	case c.Retire:
		if err = app.Retirable(context.Background(), cfg, ring); err == nil {
			err = ring.Retire()
		}
	default:
		err = ring.Add(true)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.out, "%s: seals with %s; opens with %s\n", ring.Path(), ring.Mark(), strings.Join(ring.IDs(), ", "))
	return err
}
