package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"shredder/client"
)

func (a *app) getCommand() *cobra.Command {
	var raw bool
	cmd := &cobra.Command{
		Use: "get KEY", Short: "print a value", Args: arity(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				key := client.Key(args[0])
				e, err := c.Get(ctx, key)
				if err != nil {
					return err
				}
				if raw {
					_, err = a.stdout.Write(e.Value)
					return err
				}
				return a.print(map[string]any{"key": jsonKey(key), "value": jsonBytes(e.Value), "version": e.Version}, "%s\n", e.Value)
			})
		},
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "print the bytes alone, without a newline")
	return cmd
}

// conditionFlags are --if-version and --if-absent.
type conditionFlags struct {
	version uint64
	absent  bool
}

func (f *conditionFlags) options(cmd *cobra.Command) ([]client.Option, error) {
	has := cmd.Flags().Changed("if-version")
	switch {
	case has && f.absent:
		return nil, usagef("--if-version and --if-absent exclude each other")
	case has:
		return []client.Option{client.IfVersion(f.version)}, nil
	case f.absent:
		return []client.Option{client.IfAbsent()}, nil
	}
	return nil, nil
}

func (a *app) setCommand() *cobra.Command {
	var condition conditionFlags
	var ttl time.Duration
	cmd := &cobra.Command{
		Use: "set KEY VALUE", Short: "store a value; prints its version", Args: arity(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := condition.options(cmd)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("ttl") {
				if ttl < time.Millisecond {
					return usagef("--ttl is below 1ms")
				}
				options = append(options, client.TTL(ttl))
			}
			value, err := a.readValue(args[1])
			if err != nil {
				return err
			}
			return a.version(cmd, func(ctx context.Context, c *client.Client) (uint64, error) {
				return c.Set(ctx, client.Key(args[0]), value, options...)
			})
		},
	}
	cmd.Flags().Uint64Var(&condition.version, "if-version", 0, "only if the entry has this version (0: if there is none)")
	cmd.Flags().BoolVar(&condition.absent, "if-absent", false, "only if there is no entry")
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "expire after this time, like 90s or 12h")
	return cmd
}

// version runs a change and prints the version it gives.
func (a *app) version(cmd *cobra.Command, change func(context.Context, *client.Client) (uint64, error)) error {
	return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
		version, err := change(ctx, c)
		if err != nil {
			return err
		}
		return a.print(map[string]uint64{"version": version}, "%d\n", version)
	})
}

func (a *app) deleteCommand() *cobra.Command {
	var condition conditionFlags
	cmd := &cobra.Command{
		Use: "delete KEY", Short: "remove an entry; prints the version it had", Args: arity(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := condition.options(cmd)
			if err != nil {
				return err
			}
			return a.version(cmd, func(ctx context.Context, c *client.Client) (uint64, error) {
				return c.Delete(ctx, client.Key(args[0]), options...)
			})
		},
	}
	cmd.Flags().Uint64Var(&condition.version, "if-version", 0, "only if the entry has this version")
	return cmd
}

func (a *app) incrCommand() *cobra.Command {
	return &cobra.Command{
		Use: "incr KEY [DELTA]", Short: "add to a decimal integer (DELTA is 1 if not given; -- before a negative one)", Args: arity(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			delta := int64(1)
			if len(args) == 2 {
				var err error
				if delta, err = strconv.ParseInt(args[1], 10, 64); err != nil {
					return usagef("DELTA is %q, not a 64-bit integer", args[1])
				}
			}
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				sum, err := c.Incr(ctx, client.Key(args[0]), delta)
				if err != nil {
					return err
				}
				return a.print(map[string]int64{"value": sum}, "%d\n", sum)
			})
		},
	}
}

func (a *app) casCommand() *cobra.Command {
	return &cobra.Command{
		Use: "cas KEY OLD NEW", Short: "replace a value if it is OLD; prints the new version", Args: arity(3, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			old, err := a.readValue(args[1])
			if err != nil {
				return err
			}
			replacement, err := a.readValue(args[2])
			if err != nil {
				return err
			}
			return a.version(cmd, func(ctx context.Context, c *client.Client) (uint64, error) {
				return c.CompareAndSwap(ctx, client.Key(args[0]), old, replacement)
			})
		},
	}
}

func (a *app) ttlCommand() *cobra.Command {
	return &cobra.Command{
		Use: "ttl KEY [DURATION|none]", Short: "print, set or remove an entry's time to live", Args: arity(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ttl time.Duration
			if len(args) == 2 && args[1] != "none" {
				var err error
				if ttl, err = time.ParseDuration(args[1]); err != nil || ttl < time.Millisecond {
					return usagef("%q is neither a duration of at least 1ms nor none", args[1])
				}
			}
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				key := client.Key(args[0])
				if len(args) == 2 {
					if ttl == 0 {
						return c.Persist(ctx, key)
					}
					return c.Expire(ctx, key, ttl)
				}
				left, expires, err := c.TTL(ctx, key)
				if err != nil {
					return err
				}
				if !expires {
					return a.print(map[string]any{"ttl_ms": nil}, "none\n")
				}
				return a.print(map[string]any{"ttl_ms": left.Milliseconds()}, "%v\n", left)
			})
		},
	}
}

func (a *app) mgetCommand() *cobra.Command {
	return &cobra.Command{
		Use: "mget KEY…", Short: "print several values, KEY TAB VALUE; a missing key stands alone on its line", Args: arity(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				keys := make([]client.StoreKey, len(args))
				for i, arg := range args {
					keys[i] = client.Key(arg)
				}
				found, err := c.MultiGet(ctx, keys...)
				if err != nil {
					return err
				}
				for i, f := range found {
					if f.Err != nil && !errors.Is(f.Err, client.ErrNotFound) {
						return fmt.Errorf("%v: %w", keys[i], f.Err)
					}
					if f.Err != nil {
						err = a.print(map[string]any{"key": jsonKey(keys[i]), "value": nil}, "%v\n", keys[i])
					} else {
						err = a.print(map[string]any{"key": jsonKey(keys[i]), "value": jsonBytes(f.Value), "version": f.Version}, "%v\t%s\n", keys[i], f.Value)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func (a *app) scanCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "scan", Short: "print all keys, one a line, in no order", Args: arity(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				printed := 0
				for key, err := range c.Scan(ctx) {
					if err != nil {
						return err
					}
					if err := a.print(map[string]any{"key": jsonKey(key)}, "%v\n", key); err != nil {
						return err
					}
					if printed++; printed == limit {
						return nil
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 0, "print at most so many (0: all)")
	return cmd
}
