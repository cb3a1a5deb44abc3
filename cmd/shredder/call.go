package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"shredder/client"
)

const argHelp = `

Each ARG is a JSON literal if it reads as one: 42, 2.5, true, null, '"text"',
'[1,2]', '{"a":1}' (integers stay integers). @FILE and - are bytes, from a file
and from standard input. Anything else is a string. With --string every ARG is
a string as it stands; with --json every ARG must be JSON.`

// argFlags say how the arguments of a call are read.
type argFlags struct{ text, json, receipt bool }

func (f *argFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.text, "string", false, "every ARG is a string")
	cmd.Flags().BoolVar(&f.json, "json", false, "every ARG is JSON")
}

// readArgs are the arguments of a call.
func (a *app) readArgs(words []string, f argFlags) ([]any, error) {
	if f.text && f.json {
		return nil, usagef("--string and --json exclude each other")
	}
	args := make([]any, len(words))
	for i, word := range words {
		switch literal, ok := literalOf(word); {
		case f.text:
			args[i] = word
		case f.json && !ok:
			return nil, usagef("argument %d is not JSON: %s", i+1, word)
		case f.json || ok:
			args[i] = literal
		case word == "-" || strings.HasPrefix(word, "@"):
			b, err := a.readValue(word)
			if err != nil {
				return nil, err
			}
			args[i] = b
			if strings.HasPrefix(word, "@@") {
				args[i] = string(b)
			}
		default:
			args[i] = word
		}
	}
	return args, nil
}

// literalOf reads a JSON literal.
func literalOf(word string) (any, bool) {
	if n, err := strconv.ParseInt(word, 10, 64); err == nil && strconv.FormatInt(n, 10) == word {
		return n, true
	}
	if !json.Valid([]byte(word)) {
		return nil, false
	}
	switch strings.TrimSpace(word)[0] {
	case '{', '[':
		return client.JSON(word), true
	}
	var v any
	if err := json.Unmarshal([]byte(word), &v); err != nil {
		return nil, false
	}
	return v, true
}

func (a *app) callCommand() *cobra.Command {
	var f argFlags
	cmd := &cobra.Command{
		Use: "call FUNCTION [ARG…]", Short: "call a function and print its result", Args: arity(1, -1),
		Long: "call calls one of the tenant's functions and prints its result." + argHelp,
		RunE: func(cmd *cobra.Command, words []string) error {
			args, err := a.readArgs(words[1:], f)
			if err != nil {
				return err
			}
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				result, err := c.CallWith(ctx, client.CallOptions{Receipt: f.receipt}, words[0], args...)
				if err != nil {
					return err
				}
				out := map[string]any{"result": jsonValue(result.Value)}
				if result.Receipt != nil {
					out["receipt"] = jsonReceipt(result.Receipt)
				}
				if err := a.print(out, "%v\n", result.Value); err != nil {
					return err
				}
				if result.Receipt != nil && a.output == "text" {
					_, err = fmt.Fprintf(a.stderr, "%s\n", receiptText(result.Receipt))
				}
				return err
			})
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&f.receipt, "receipt", false, "also print what the call cost")
	return cmd
}

func jsonReceipt(r *client.Receipt) map[string]uint64 {
	return map[string]uint64{
		"fuel": r.Fuel, "lookups": r.Lookups, "bytes_read": r.BytesRead, "bytes_returned": r.BytesReturned, "tier": r.Tier,
	}
}

func receiptText(r *client.Receipt) string {
	return fmt.Sprintf("fuel %d, lookups %d, bytes read %d, bytes returned %d, tier %d",
		r.Fuel, r.Lookups, r.BytesRead, r.BytesReturned, r.Tier)
}

func (a *app) tryCommand() *cobra.Command {
	var f argFlags
	cmd := &cobra.Command{
		Use: "try FUNCTION [ARG…]", Short: "call a function, print what it would change, and change nothing", Args: arity(1, -1),
		Long: "try calls one of the tenant's functions on the live data and prints its result, what it\nwould change, and what it cost. It changes nothing." + argHelp,
		RunE: func(cmd *cobra.Command, words []string) error {
			args, err := a.readArgs(words[1:], f)
			if err != nil {
				return err
			}
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				trial, err := c.Try(ctx, words[0], args...)
				if err != nil {
					return err
				}
				return a.printTrial(&trial)
			})
		},
	}
	f.register(cmd)
	return cmd
}

func (a *app) printTrial(trial *client.Trial) error {
	if a.output == "json" {
		writes := make([]map[string]any, 0, len(trial.Writes))
		for _, w := range trial.Writes {
			if w.Deleted {
				writes = append(writes, map[string]any{"key": jsonKey(w.Key), "deleted": true})
			} else {
				writes = append(writes, map[string]any{"key": jsonKey(w.Key), "value": jsonBytes(w.Value)})
			}
		}
		out := map[string]any{"result": jsonValue(trial.Value), "writes": writes}
		if trial.Receipt != nil {
			out["receipt"] = jsonReceipt(trial.Receipt)
		}
		return a.printJSON(out)
	}
	fmt.Fprintf(a.stdout, "result %v\n", trial.Value)
	for _, w := range trial.Writes {
		if w.Deleted {
			fmt.Fprintf(a.stdout, "delete %v\n", w.Key)
		} else {
			fmt.Fprintf(a.stdout, "set %v %q\n", w.Key, w.Value)
		}
	}
	if trial.Receipt != nil {
		fmt.Fprintf(a.stdout, "%s\n", receiptText(trial.Receipt))
	}
	return nil
}
