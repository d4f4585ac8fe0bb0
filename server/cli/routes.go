package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"kentongan/frontend"
	"kentongan/server/api"
	"kentongan/server/config"
)

// routesCmd is kentongan routes.
type routesCmd struct {
	JSON bool `name:"json" help:"As JSON: an array of objects."`
}

// routed is one route as people and programs read it.
type routed struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Who    string `json:"who"`    // public, page, interface or sender
	Action string `json:"action"` // empty: anyone
	Object string `json:"object"` // noun that the path names, on which the action is asked; empty: in general
	Body   int64  `json:"body"`   // bytes of the largest body
}

func (c *routesCmd) Run(w *world) error {
	list, err := api.Routes(frontend.Files(), int64(config.Default().Limits.Body))
	if err != nil {
		return err
	}
	out := make([]routed, len(list))
	for i, r := range list {
		out[i] = routed{r.Method(), r.Path(), r.Who, string(r.Right), r.Object, r.Body}
	}
	if c.JSON {
		e := json.NewEncoder(w.out)
		e.SetIndent("", "  ")
		return e.Encode(out)
	}
	t := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "METHOD\tPATH\tWHO\tACTION\tOBJECT\tBODY")
	for _, r := range out {
		fmt.Fprintln(t, strings.Join([]string{r.Method, r.Path, r.Who, dash(r.Action), dash(r.Object), strconv.FormatInt(r.Body, 10)}, "\t"))
	}
	return t.Flush()
}

// dash stands for what is empty, so that columns stay where they are for awk.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
