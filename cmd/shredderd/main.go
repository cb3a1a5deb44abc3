// Command shredderd is the daemon: it reads the configuration, opens the ports,
// starts the lcores and the control plane, and ends them in order. Wiring only;
// everything here runs on the main goroutine.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"shredder/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(stderr, "shredderd:", err)
		return 1
	}
	return 0
}

func rootCommand() *cobra.Command {
	var path string
	var checkOnly bool
	root := &cobra.Command{
		Use:   "shredderd",
		Short: "The Shredder server: a multi-tenant key-value store with functions, over UDP",
		Long: "The Shredder server. Settings come from a YAML file, from the environment (SHREDDER_BASE_PORT for base-port)\n" +
			"and from flags; a later one overrides an earlier. docs/operations.md lists them all.\n" +
			"`shredderd --dev` starts at once, without root, DPDK or configuration.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().SortFlags = false
	root.Flags().StringVarP(&path, "config", "c", "", "configuration file (YAML)")
	root.Flags().BoolVar(&checkOnly, "check-config", false, "print the effective configuration and everything that is wrong with it, then end")
	values := settingFlags(root.Flags())
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := config.Load(config.Sources{File: path, Environ: os.Environ(), Flags: values(cmd.Flags())})
		if checkOnly {
			fmt.Fprint(cmd.OutOrStdout(), c.Print())
		}
		if err != nil || checkOnly {
			return err
		}
		return serve(cmd.Context(), &c, cmd.ErrOrStderr())
	}
	root.AddCommand(tenantCommand())
	return root
}

// settingFlags makes a flag of every key, and returns what reads those that were given.
func settingFlags(flags *pflag.FlagSet) func(*pflag.FlagSet) map[string]string {
	for _, key := range config.Keys() {
		if key.Bool {
			flags.Bool(key.Flag(), false, key.Help)
		} else {
			flags.String(key.Flag(), "", key.Help)
		}
	}
	return func(flags *pflag.FlagSet) map[string]string {
		given := map[string]string{}
		for _, key := range config.Keys() {
			if f := flags.Lookup(key.Flag()); f.Changed {
				given[key.Name] = f.Value.String()
			}
		}
		return given
	}
}
