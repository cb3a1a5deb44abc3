// Command shredder-load sends requests to a Shredder over any device and
// reports rates, statuses and latency. Wiring only: the generator is bench/load.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"shredder/bench/load"
)

type options struct {
	device, port string
	eal          []string
	cpu          int

	local, remote       string
	localMAC, remoteMAC string
	tenant              uint32
	tenants             int
	tenantName, token   string
	sessions            int
	mix                 string
	ops                 int
	keys, keySize       int
	valueSize           int
	zipf                bool
	theta               float64
	seed                uint64
	function, args      string
	preload             bool
	mode                string
	depth               int
	rate                float64
	duration, warmup    time.Duration
	output              string
}

func main() {
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "shredder-load:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "shredder-load",
		Short: "Send requests to a Shredder and measure the replies",
		Long: `shredder-load sends requests over a device: "eal" (any DPDK device, named by --eal
and --port; needs a build with the tag dpdk), "memif:PATH" (the shared memory of
a DPDK net_memif server, reached without DPDK) or "udp" (kernel sockets).

A closed loop keeps --depth datagrams in flight. An open loop sends --rate a
second and measures latency from when each request was due. A flood only counts.`,
		Example: `  shredder-load --device memif:/run/shredder.sock --mode flood --mix get=1 --keys 10000 --preload
  shredder-load --device eal --eal=--vdev=net_virtio_user0,path=/run/vhost.sock --mode open --rate 100000
  shredder-load --device udp --local 127.0.0.1:40000 --remote 127.0.0.1:9000 --tenant-name dev --sessions 2 --depth 64`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := c.Flags()
	f.StringVar(&o.device, "device", "eal", "eal, memif:PATH or udp")
	f.StringArrayVar(&o.eal, "eal", nil, "an argument of the EAL; repeatable")
	f.StringVar(&o.port, "port", "", "name of the EAL's device (default: its first)")
	f.IntVar(&o.cpu, "cpu", -1, "CPU to pin the generator to")
	f.StringVar(&o.local, "local", "10.9.0.2:40000", "own address and first source port")
	f.StringVar(&o.remote, "remote", "10.9.0.1:9000", "server's address and port")
	f.StringVar(&o.localMAC, "local-mac", "", "own MAC address (default: the device's, else 02:00:00:00:00:02)")
	f.StringVar(&o.remoteMAC, "remote-mac", "", "server's MAC address (default: asked for by ARP or neighbour discovery)")
	f.Uint32Var(&o.tenant, "tenant", 1, "tenant id in trusted datagrams")
	f.IntVar(&o.tenants, "tenants", 1, "number of tenants, from --tenant on, that take turns")
	f.StringVar(&o.tenantName, "tenant-name", "", "open sessions of this tenant instead of sending trusted datagrams")
	f.StringVar(&o.token, "token-file", "", "file with the tenant's data token")
	f.IntVar(&o.sessions, "sessions", 1, "number of sessions, each with a port and a window of 64")
	f.StringVar(&o.mix, "mix", "get=1", "weights of ping, get, set and call: get=50,set=50")
	f.IntVar(&o.ops, "ops", 1, "operations per datagram")
	f.IntVar(&o.keys, "keys", 10_000, "keys of each tenant")
	f.IntVar(&o.keySize, "key-size", 0, "bytes of a key; 0: integer keys")
	f.IntVar(&o.valueSize, "value-size", 128, "bytes of a value")
	f.BoolVar(&o.zipf, "zipf", false, "draw keys by Zipf instead of uniformly")
	f.Float64Var(&o.theta, "theta", 0.99, "Zipf's exponent")
	f.Uint64Var(&o.seed, "seed", 1, "seed of keys and kinds")
	f.StringVar(&o.function, "function", "", "function that a call calls")
	f.StringVar(&o.args, "args", "[]", "JSON array of the call's arguments")
	f.BoolVar(&o.preload, "preload", false, "set every key first")
	f.StringVar(&o.mode, "mode", "closed", "closed, open or flood")
	f.IntVar(&o.depth, "depth", 64, "closed: datagrams in flight")
	f.Float64Var(&o.rate, "rate", 0, "open and flood: datagrams a second (flood: 0 is as many as can be made)")
	f.DurationVar(&o.duration, "duration", 2*time.Second, "length of the measurement")
	f.DurationVar(&o.warmup, "warmup", 200*time.Millisecond, "length of an unmeasured run before it")
	f.StringVar(&o.output, "output", "text", "text or json")
	return c
}

// run measures once on a locked thread.
func (o *options) run(cmd *cobra.Command) error {
	cfg, err := o.config()
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	debug.SetGCPercent(-1) // the loops make no garbage; what set-up left may stay
	d, err := o.open(&cfg)
	if err != nil {
		return err
	}
	defer d.close()
	if o.cpu >= 0 {
		var set unix.CPUSet
		set.Set(o.cpu)
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			return fmt.Errorf("pin to CPU %d: %w", o.cpu, err)
		}
	}
	if o.remoteMAC == "" && o.device != "udp" {
		if cfg.Remote.MAC, err = load.Resolve(d.queue, cfg.Local, cfg.Remote.IP, 3*time.Second); err != nil {
			return err
		}
	}
	if o.tenantName != "" {
		token, err := o.readToken()
		if err != nil {
			return err
		}
		if cfg, err = load.Hello(d.queue, cfg, o.tenantName, token, o.sessions); err != nil {
			return err
		}
	}
	g, err := load.New(d.queue, cfg)
	if err != nil {
		return err
	}
	if o.preload {
		if err := g.Preload(); err != nil {
			return err
		}
	}
	result, err := o.measure(g)
	if err != nil {
		return err
	}
	if o.output == "json" {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(result)
	}
	return result.Print(cmd.OutOrStdout())
}

// measure runs the warm-up and the measurement. An interrupt ends the process
// at once; a memif server of DPDK is left only between runs.
func (o *options) measure(g *load.Generator) (load.Result, error) {
	once := func(length time.Duration) (load.Result, error) {
		switch o.mode {
		case "open":
			return g.Open(o.rate, length)
		case "flood":
			return g.Flood(o.rate, length)
		}
		return g.Closed(o.depth, length)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, unix.SIGTERM)
	defer signal.Stop(interrupted)
	if o.warmup > 0 {
		if _, err := once(o.warmup); err != nil {
			return load.Result{}, err
		}
	}
	select {
	case <-interrupted:
		return load.Result{}, fmt.Errorf("interrupted")
	default:
		return once(o.duration)
	}
}
