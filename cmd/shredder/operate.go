package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"shredder/client"
)

func (a *app) pingCommand() *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use: "ping", Short: "print how long a round trip takes", Args: arity(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if count < 1 {
				return usagef("--count is below 1")
			}
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				for range count {
					rtt, err := c.Ping(ctx)
					if err != nil {
						return err
					}
					if err := a.print(map[string]int64{"rtt_ns": rtt.Nanoseconds()}, "pong %v\n", rtt.Round(100*time.Nanosecond)); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&count, "count", 1, "how many")
	return cmd
}

func (a *app) statsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "stats", Short: "print the tenant's counters, limits and versions, as JSON", Args: arity(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				stats, err := c.Stats(ctx)
				if err != nil {
					return err
				}
				return a.printDocument(stats)
			})
		},
	}
}

func (a *app) logsCommand() *cobra.Command {
	var o client.LogOptions
	cmd := &cobra.Command{
		Use: "logs", Short: "print what functions logged, and uncaught errors", Args: arity(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				for record, err := range c.Logs(ctx, o) {
					if errors.Is(err, context.Canceled) {
						return nil // interrupted while following
					}
					if err != nil {
						return err
					}
					out := map[string]any{"seq": record.Seq, "time": record.Time.UTC(), "level": record.Level, "text": record.Text}
					if err := a.print(out, "%s %s %s\n", record.Time.UTC().Format("2006-01-02T15:04:05.000Z"), levelName(record.Level), record.Text); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVarP(&o.Follow, "follow", "f", false, "go on until interrupted")
	cmd.Flags().Uint64Var(&o.From, "from", 0, "the first sequence number wanted (0: the oldest there is)")
	return cmd
}

var levelNames = [...]string{"debug", "info", "warn", "error"}

func levelName(level uint16) string {
	if int(level) < len(levelNames) {
		return levelNames[level]
	}
	return "level " + strconv.Itoa(int(level))
}

func (a *app) killCommand() *cobra.Command {
	return &cobra.Command{
		Use: "kill [SESSION SEQUENCE]", Short: "end the tenant's call that is being executed, or the one that is named", Args: arity(0, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var name [2]uint64
			if len(args) == 1 {
				return usagef("usage: %s", cmd.UseLine())
			}
			for i, arg := range args {
				var err error
				if name[i], err = strconv.ParseUint(arg, 10, 32); err != nil {
					return usagef("%q is not a 32-bit number", arg)
				}
			}
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				return c.Kill(ctx, uint32(name[0]), uint32(name[1]))
			})
		},
	}
}
