package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"shredder/client"
)

func (a *app) explainCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "explain [HASH|active] [FUNCTION]", Short: "say how functions run: tier, why, types, guards, costs", Args: arity(0, 2),
		Long: `explain says how the functions of a version run, or one of them: on tier 0 (the interpreter) or on tier 1 (compiled), and
why; the argument types that it is compiled for, the size of the code, and the guards that failed; and what its calls cost on average.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			args = append(args, "", "")
			hash, function := args[0], args[1]
			if hash == "active" {
				hash = ""
			}
			return a.with(cmd, client.Deploy, func(ctx context.Context, c *client.Client) error {
				e, err := c.Explain(ctx, hash)
				if err != nil {
					return err
				}
				if function != "" {
					if e.Functions = only(e.Functions, function); len(e.Functions) == 0 {
						return usagef("version %.12s exports no function %s", e.Hash, function)
					}
				}
				if asJSON || a.output == "json" {
					return a.printJSON(e)
				}
				return printExplanation(a.stdout, e)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON (as --output json)")
	return cmd
}

func only(all []client.FunctionProfile, name string) []client.FunctionProfile {
	for i := range all {
		if all[i].Name == name {
			return all[i : i+1]
		}
	}
	return nil
}

func printExplanation(w io.Writer, e *client.Explanation) error {
	state := "not active"
	if e.Active {
		state = "active"
	}
	fmt.Fprintf(w, "%s %s, %s, tenant %s\n\n", e.Library, e.Hash, state, e.Trust)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "FUNCTION\tTIER\tCALLS 0\tCALLS 1\tDEOPTS\tFUEL\tLOOKUPS\tREAD\tRETURNED\tCODE")
	for _, f := range e.Functions {
		size := 0
		for _, form := range f.Forms {
			size += form.CodeSize
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%d\n", f.Name, f.Tier, f.Calls[0], f.Calls[1], f.Deopts,
			f.Fuel, f.Lookups, f.BytesRead, f.BytesReturned, size)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, f := range e.Functions {
		printProfile(w, &f)
	}
	return nil
}

// printProfile prints what a table has no room for.
func printProfile(w io.Writer, f *client.FunctionProfile) {
	if f.Reason == nil && len(f.Forms) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", f.Name)
	if f.Reason != nil {
		printPlace(w, "stays on tier 0: "+f.Reason.Text, *f.Reason)
	}
	for _, form := range f.Forms {
		fmt.Fprintf(w, "  (%s): %s, %d bytes", strings.Join(form.Arguments, ", "), form.State, form.CodeSize)
		if form.Widened > 0 {
			fmt.Fprintf(w, ", %d widened", form.Widened)
		}
		fmt.Fprintln(w)
		if form.Reason != nil && (f.Reason == nil || *form.Reason != *f.Reason) {
			printPlace(w, form.Reason.Text, *form.Reason)
		}
		for _, g := range form.Guards {
			printPlace(w, fmt.Sprintf("%s: failed %d times", g.Text, g.Failed), g.Place)
		}
	}
}

// printPlace prints what is to be said about a place, and the place with a caret.
func printPlace(w io.Writer, text string, p client.Place) {
	if p.Line == 0 {
		fmt.Fprintf(w, "    %s\n", text)
		return
	}
	fmt.Fprintf(w, "    %d:%d: %s\n", p.Line, p.Column, text)
	if p.Source == "" {
		return
	}
	column := min(max(p.Column-1, 0), len(p.Source))
	blank := strings.Map(func(r rune) rune { // a tab stays one, so that the caret stands below
		if r == '\t' {
			return r
		}
		return ' '
	}, p.Source[:column])
	fmt.Fprintf(w, "      %s\n      %s^\n", p.Source, blank)
}
