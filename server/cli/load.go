package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kentongan/server/load"
)

// loadCmd is kentongan load. Its feed must be configured on the server: {name: load, format: native, transport: push, simulated: true}.
type loadCmd struct {
	URL           string        `help:"Server to put it on." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Token         string        `help:"Bearer token (KENTONGAN_ADMIN_TOKEN)." placeholder:"TOKEN"`
	TokenFile     string        `help:"File that holds the token." placeholder:"FILE" type:"existingfile"`
	Feed          string        `help:"Native push feed that takes the readings; mark it as simulated." default:"load" placeholder:"NAME"`
	Things        int           `help:"Things that report in turn." default:"1000"`
	Rate          float64       `help:"Readings per second; 0: only viewers." default:"1000"`
	Batch         int           `help:"Readings of one post; 0: a hundredth of the rate, at most 1000."`
	Connections   int           `help:"Connections that post." default:"8"`
	IncidentShare float64       `help:"Share of readings that cross a threshold, 0 to 1." placeholder:"SHARE"`
	Crossing      string        `help:"What crosses: property=value:unit:samples, as a rule of the server wants it." default:"water_level=3.4:m:2" placeholder:"P=V:U:N"`
	Viewers       int           `help:"Live sockets." default:"20"`
	Pan           float64       `help:"New views per second, over all viewers." placeholder:"N"`
	Window        float64       `help:"Width and height of a view, as part of the city's." default:"0.25"`
	Bbox          string        `help:"Where the city is." default:"100.5,-1.25,101.1,-0.65" placeholder:"W,S,E,N"`
	Zoom          float64       `help:"Zoom of the views." default:"12"`
	Format        string        `help:"Form of the live socket: binary or json." enum:"binary,json" default:"binary"`
	Duration      time.Duration `help:"How long." default:"30s"`
	IOwnIt        bool          `name:"i-own-it" help:"The server is not this machine, and the load may be put on it."`
}

func (l *loadCmd) Run(w *world) error {
	cfg, err := l.config(w.env)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	result, err := load.Run(ctx, cfg)
	if err != nil {
		return err
	}
	return result.Write(w.out)
}

func (l *loadCmd) config(env []string) (load.Config, error) {
	cfg := load.Config{URL: strings.TrimSuffix(l.URL, "/"), Feed: l.Feed, Things: l.Things, Rate: l.Rate, Batch: l.Batch, Connections: l.Connections, IncidentShare: l.IncidentShare,
		Viewers: l.Viewers, Pan: l.Pan, Window: l.Window, Zoom: l.Zoom, JSON: l.Format == "json", Duration: l.Duration, OwnIt: l.IOwnIt}
	var err error
	if cfg.Token, err = l.token(env); err != nil {
		return cfg, err
	}
	if cfg.Crossing, err = crossingOf(l.Crossing); err != nil {
		return cfg, err
	}
	n, err := fmt.Sscanf(l.Bbox, "%g,%g,%g,%g", &cfg.Bound.West, &cfg.Bound.South, &cfg.Bound.East, &cfg.Bound.North)
	if err != nil || n != 4 {
		return cfg, fmt.Errorf("bbox: %q, want west,south,east,north", l.Bbox)
	}
	return cfg, nil
}

func (l *loadCmd) token(env []string) (string, error) {
	if l.TokenFile != "" {
		b, err := os.ReadFile(l.TokenFile)
		return strings.TrimSpace(string(b)), err
	}
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "KENTONGAN_ADMIN_TOKEN="); ok && l.Token == "" {
			return v, nil
		}
	}
	return l.Token, nil
}

// crossingOf reads property=value:unit:samples.
func crossingOf(s string) (c load.Crossing, err error) {
	property, rest, ok := strings.Cut(s, "=")
	parts := strings.Split(rest, ":")
	if !ok || property == "" || len(parts) != 3 {
		return c, fmt.Errorf("crossing: %q, want property=value:unit:samples", s)
	}
	c = load.Crossing{Property: property, Unit: parts[1]}
	if c.Value, err = strconv.ParseFloat(parts[0], 64); err != nil {
		return c, fmt.Errorf("crossing: value %q: not a number", parts[0])
	}
	if c.Samples, err = strconv.Atoi(parts[2]); err != nil {
		return c, fmt.Errorf("crossing: samples %q: not a number", parts[2])
	}
	return c, nil
}
