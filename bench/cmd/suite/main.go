// Command suite runs one suite of measurements, prints its table and writes
// bench/out/SUITE.json. scripts/bench.sh builds what it needs and calls it.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"shredder/bench/suite"
)

func main() {
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "suite:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var o suite.Options
	var out string
	c := &cobra.Command{
		Use:           "suite NAME",
		Short:         "Run one suite: " + strings.Join(suite.Names(), ", "),
		Args:          cobra.ExactArgs(1),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Suite = args[0]
			o.Log = func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) }
			return run(cmd, o, out)
		},
	}
	f := c.Flags()
	f.BoolVar(&o.Quick, "quick", false, "the same measurements, shorter")
	f.StringVar(&o.Part, "part", "", "only this part (kv: memif, kernel, virtio; functions: engine, remote, gaps; jit: graph, random, small, library, remote, pauses; resp: kv, fcall)")
	f.StringVar(&o.Commit, "commit", "unknown", "commit that the binaries were built from")
	f.StringVar(&o.Shredderd, "shredderd", "bin/shredderd", "the daemon, built with DPDK")
	f.StringVar(&o.GapLoop, "gaploop", "bin/gaploop", "the loop in C")
	f.IntVar(&o.ServerCPU, "server-cpu", 0, "CPU of the servers")
	f.IntVar(&o.ClientCPU, "client-cpu", 1, "CPU of the traffic")
	f.StringVar(&o.Graph, "graph", "", "the ego-Facebook file (default: a generated graph)")
	f.StringVar(&o.Models, "models", "", "the file of trained networks (default: weights that are made up)")
	f.StringVar(&out, "out", "bench/out", "folder of SUITE.json")
	c.AddCommand(pollLoop())
	return c
}

// run prints and writes what was measured, even if the suite did not end.
func run(cmd *cobra.Command, o suite.Options, out string) error {
	start := time.Now()
	r, err := suite.Run(o)
	if len(r.Results) > 0 {
		err = errors.Join(err, r.Print(cmd.OutOrStdout()))
	}
	if err != nil {
		return err
	}
	path, err := r.Write(out)
	if err != nil {
		return err
	}
	o.Log("%s after %.0f s", path, time.Since(start).Seconds())
	return nil
}

// pollLoop is what the gaps suite runs in a process of its own.
func pollLoop() *cobra.Command {
	return &cobra.Command{
		Use: "poll-loop CPU SECONDS HEAP", Hidden: true, Args: cobra.ExactArgs(3),
		RunE: func(_ *cobra.Command, args []string) error {
			cpu, errCPU := strconv.Atoi(args[0])
			seconds, errSeconds := strconv.ParseFloat(args[1], 64)
			heap, errHeap := strconv.ParseInt(args[2], 10, 64)
			if err := errors.Join(errCPU, errSeconds, errHeap); err != nil {
				return err
			}
			return suite.PollLoop(cpu, time.Duration(seconds*float64(time.Second)), heap)
		},
	}
}
