package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"shredder/client"
)

func (a *app) fnCommand() *cobra.Command {
	fn := &cobra.Command{
		Use: "fn", Short: "deploy, activate, list and call libraries of functions",
		Long: "fn manages the tenant's libraries. deploy, activate, rollback, delete and explain need the deploy token.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q (shredder fn --help lists them)", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	fn.AddCommand(a.deployCommand(),
		a.versionCommand("activate HASH", "make a deployed version serve calls", 1, (*client.Client).Activate),
		a.versionCommand("delete HASH", "remove a version that is not active", 1, (*client.Client).DeleteVersion),
		a.versionCommand("rollback", "go back to the version that was active before", 0,
			func(c *client.Client, ctx context.Context, _ string) error { return c.Rollback(ctx) }),
		a.listCommand(), a.explainCommand(), a.callCommand(), a.tryCommand(), a.logsCommand())
	return fn
}

func (a *app) deployCommand() *cobra.Command {
	var name string
	var inactive, prelude bool
	cmd := &cobra.Command{
		Use: "deploy FILE", Short: "upload a library; prints the version's hash", Args: arity(1, 1),
		Long: `deploy uploads a library (- is standard input), makes it serve calls and prints the hash that names this version.
TypeScript, imports and export lists are bundled into one script first; positions in errors are then those of that script.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			file := args[0]
			if name == "" {
				base := filepath.Base(file)
				name = strings.TrimSuffix(base, filepath.Ext(base))
				if file == "-" {
					name = "stdin"
				}
			}
			from := file
			if file != "-" {
				from = "@" + file
			}
			source, err := a.readValue(from)
			if err != nil {
				return err
			}
			if file != "-" && needsBundle(file, source) {
				if source, err = bundle(file); err != nil {
					return usageError{err}
				}
			}
			if ask := []byte("\n//# prelude=original"); prelude && !bytes.Contains(source, ask) {
				source = append(source, ask...)
			}
			return a.with(cmd, client.Deploy, func(ctx context.Context, c *client.Client) error {
				hash, err := c.Deploy(ctx, name, source, !inactive)
				if err != nil {
					return err
				}
				return a.print(map[string]any{"hash": hash, "library": name, "active": !inactive}, "%s\n", hash)
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the library's name (default: the file's, without its extension)")
	cmd.Flags().BoolVar(&prelude, "prelude", false, "with the functions of the original Shredder (DBGet, HTGet …), see docs/redis.md")
	cmd.Flags().BoolVar(&inactive, "no-activate", false, "only store the version: calls go on with the one that is active")
	return cmd
}

// versionCommand is a verb that names a version, or none, and prints nothing.
func (a *app) versionCommand(use, short string, args int, do func(*client.Client, context.Context, string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: arity(args, args),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd, client.Deploy, func(ctx context.Context, c *client.Client) error {
				return do(c, ctx, strings.Join(args, ""))
			})
		},
	}
}

func (a *app) listCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "list the versions; * marks the active one", Args: arity(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, client.Deploy, func(ctx context.Context, c *client.Client) error {
				versions, err := c.Versions(ctx)
				if err != nil {
					return err
				}
				for _, v := range versions {
					mark := " "
					if v.Active {
						mark = "*"
					}
					deployed := time.UnixMilli(v.DeployedMillis).UTC().Format(time.RFC3339)
					if err := a.print(v, "%s %s %s %s %s\n", mark, v.Hash, deployed, v.Library, strings.Join(v.Functions, ",")); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

// printDocument prints the server's JSON: as it is, or for people indented.
func (a *app) printDocument(doc json.RawMessage) error {
	if a.output == "json" {
		return a.printJSON(doc)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, doc, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err := a.stdout.Write(out.Bytes())
	return err
}
