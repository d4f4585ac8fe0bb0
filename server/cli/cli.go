// Package cli is commands.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"kentongan/feeds/formats"
	"kentongan/server/config"
)

// Version is set when the binary is linked.
var Version = "dev"

// Codes with which the program ends.
const (
	exitOK     = 0
	exitFailed = 1 // it could not go on
	exitFaults = 2 // the configuration or the command line has faults
)

// commands is the command line.
type commands struct {
	Serve        serve      `cmd:"" help:"Run the server."`
	Check        check      `cmd:"" help:"Validate a configuration: every fault at once, each with its line."`
	Feed         feedCmd    `cmd:"" help:"Feeds: try one before anything is stored."`
	Secret       secret     `cmd:"" help:"Keys that seal secrets in the store."`
	Key          key        `cmd:"" help:"Keys of feeds and programs."`
	User         userCmd    `cmd:"" help:"Accounts of people."`
	Replay       replay     `cmd:"" help:"Read raw bytes of the archive once more: what would today's decoders, or these rules, make of them?"`
	Load         loadCmd    `cmd:"" help:"Put a load on a server in open loop and print what it had to wait for."`
	Rules        rulesCmd   `cmd:"" help:"Rules: run their tests."`
	Audit        auditCmd   `cmd:"" help:"The audit log: hold an export against checkpoints."`
	Witness      witnessCmd `cmd:"" help:"Watch a server's audit log from elsewhere: hold each checkpoint against all seen before, mirror the hashes, cosign."`
	Routes       routesCmd  `cmd:"" help:"Print every route of the server, who may use it and what it needs."`
	Version      version    `cmd:"" help:"Print the version."`
	Help         help       `cmd:"" help:"Show this text."`
	ConfigSample sampleCmd  `cmd:"" name:"config-sample" hidden:"" help:"Write the sample configuration."`
}

// settings is what serve and check have in common.
type settings struct {
	Config  string  `help:"Configuration file (KENTONGAN_CONFIG)." placeholder:"FILE" type:"path"`
	Listen  *string `help:"Address to listen on (KENTONGAN_LISTEN)." placeholder:"HOST:PORT"`
	Profile *string `help:"solok, bandung, or a profile file (KENTONGAN_PROFILE)." placeholder:"NAME"`
}

func (s settings) load(env []string) (config.Config, config.Faults) {
	return config.Load(s.source(env))
}

// source is where all settings come from.
func (s settings) source(env []string) config.Source {
	flags := map[string]string{}
	if s.Listen != nil {
		flags["listen"] = *s.Listen
	}
	if s.Profile != nil {
		flags["profile"] = *s.Profile
	}
	return config.Source{File: s.Config, Env: env, Flags: flags, Formats: formats.Names()}
}

// world is what a command may touch.
type world struct {
	env      []string
	in       io.Reader
	out, err io.Writer
	usage    func() error
}

type check struct {
	settings
}

func (c *check) Run(w *world) error {
	if _, faults := c.load(w.env); len(faults) > 0 {
		return faults
	}
	_, err := fmt.Fprintln(w.out, "ok")
	return err
}

type version struct{}

func (version) Run(w *world) error {
	_, err := fmt.Fprintln(w.out, "kentongan", Version)
	return err
}

type help struct{}

func (help) Run(w *world) error { return w.usage() }

type sampleCmd struct{}

func (sampleCmd) Run(w *world) error {
	_, err := io.WriteString(w.out, config.Sample())
	return err
}

// ended carries an exit code out of kong.
type ended int

// Main runs one command and gives the code to exit with.
func Main(args, env []string, out, errOut io.Writer) (code int) {
	defer func() {
		if v := recover(); v != nil {
			e, ok := v.(ended)
			if !ok {
				panic(v)
			}
			code = int(e)
		}
	}()
	var c commands
	parser, err := kong.New(&c, kong.Name("kentongan"), kong.Description("A city's operations centre: readings and warnings in, a wall that cannot be missed out."),
		kong.Writers(out, errOut), kong.Exit(func(code int) { panic(ended(code)) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(errOut, "kentongan:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"help"}
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(errOut, "kentongan:", err)
		return exitFaults
	}
	w := &world{env: env, in: os.Stdin, out: out, err: errOut, usage: func() error { _, err := parser.Parse([]string{"--help"}); return err }}
	err = ctx.Run(w)
	var faults config.Faults
	var wrong misused
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &faults):
		fmt.Fprintln(errOut, strings.TrimSpace(faults.Error()))
		return exitFaults
	case errors.As(err, &wrong):
		fmt.Fprintln(errOut, "kentongan:", err)
		return exitFaults
	default:
		fmt.Fprintln(errOut, "kentongan:", err)
		return exitFailed
	}
}
