package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"shredder/client"
)

// app is what all commands share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	addr, tenant     string
	token, tokenFile string
	timeout          time.Duration
	output           string
	stdinUsed        bool
}

const longHelp = `shredder talks to a Shredder server as one tenant.

KEY is 1 to 1024 bytes. A decimal integer below 2^53 is an integer key: 7 on
the command line, store.get(7) and store.get("7") in a function are one entry.

VALUE is taken as it is; @FILE is the contents of a file, - those of standard
input, and @@… a value that begins with @.

Settings come from flags, else from the environment: SHREDDER_ADDR,
SHREDDER_TENANT, SHREDDER_TOKEN.

Exit codes: 0 done; 1 the operation failed; 2 wrong usage; 3 no such key,
function or version; 4 conflict (version or expected value); 5 the server
cannot be reached; 6 the function threw; 7 denied, or no such tenant;
8 a change was sent but its outcome is unknown.`

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use: "shredder", Short: "command line of a Shredder server", Long: longHelp,
		SilenceUsage: true, SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q (shredder --help lists them)", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if a.output != "text" && a.output != "json" {
				return usagef("--output is %q, not text or json", a.output)
			}
			return nil
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.PersistentFlags()
	flags.StringVar(&a.addr, "addr", environment("SHREDDER_ADDR", "127.0.0.1:9000"), "address of the server, host:port")
	flags.StringVar(&a.tenant, "tenant", environment("SHREDDER_TENANT", "dev"), "the tenant's name")
	flags.StringVar(&a.token, "token", "", "the tenant's token (data or deploy, as the command needs); better by file or SHREDDER_TOKEN")
	flags.StringVar(&a.tokenFile, "token-file", "", "file with the token, white space around it ignored")
	flags.DurationVar(&a.timeout, "timeout", client.DefaultTimeout, "how long to wait for a reply")
	flags.StringVar(&a.output, "output", "text", "text or json")
	root.AddCommand(a.getCommand(), a.setCommand(), a.deleteCommand(), a.incrCommand(), a.casCommand(), a.ttlCommand(),
		a.mgetCommand(), a.scanCommand(), a.pingCommand(), a.statsCommand(), a.importCommand(),
		a.callCommand(), a.tryCommand(), a.fnCommand(), a.logsCommand(), a.killCommand())
	return root
}

func environment(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// arity makes a wrong number of arguments a usage error. most < 0: no limit.
func arity(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || (most >= 0 && len(args) > most) {
			return usagef("usage: %s", cmd.UseLine())
		}
		return nil
	}
}

var errNoServer = errors.New("cannot reach the server")

// with dials, runs f and closes. A token of the other role than the command
// prefers will do as well, if the server lets it.
func (a *app) with(cmd *cobra.Command, role client.Role, f func(ctx context.Context, c *client.Client) error) error {
	token, err := a.readToken()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	options := client.Options{Tenant: a.tenant, Token: token, Role: role, Timeout: a.timeout}
	c, err := client.Dial(ctx, a.addr, options)
	if errors.Is(err, client.ErrDenied) && len(token) > 0 {
		options.Role = client.Deploy - role
		c, err = client.Dial(ctx, a.addr, options)
	}
	if err != nil {
		if exitCode(err) == exitFailed && ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", errNoServer, err)
		}
		return err
	}
	err = f(ctx, c)
	return errors.Join(err, c.Close())
}

func (a *app) readToken() ([]byte, error) {
	switch {
	case a.token != "" && a.tokenFile != "":
		return nil, usagef("--token and --token-file exclude each other")
	case a.token != "":
		return []byte(a.token), nil
	case a.tokenFile != "":
		b, err := os.ReadFile(a.tokenFile)
		if err != nil {
			return nil, usageError{err}
		}
		return []byte(strings.TrimSpace(string(b))), nil
	}
	return []byte(os.Getenv("SHREDDER_TOKEN")), nil
}

// readValue is a VALUE of the command line.
func (a *app) readValue(s string) ([]byte, error) {
	switch {
	case s == "-":
		if a.stdinUsed {
			return nil, usagef("standard input can be read only once")
		}
		a.stdinUsed = true
		return io.ReadAll(a.stdin)
	case strings.HasPrefix(s, "@@"):
		return []byte(s[1:]), nil
	case strings.HasPrefix(s, "@"):
		b, err := os.ReadFile(s[1:])
		if err != nil {
			return nil, usageError{err}
		}
		return b, nil
	}
	return []byte(s), nil
}
