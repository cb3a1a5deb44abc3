package suite

import (
	"fmt"
	"os"
	"os/exec"
	"time"

	"shredder/bench/load"
	"shredder/bench/peer"
	"shredder/bench/report"
	"shredder/dataplane"
	"shredder/dataplane/nic"
	"shredder/dataplane/nic/mem"
	"shredder/pktproc"
)

// gap is what one loop showed, in nanoseconds.
type gap struct{ p9999, longest float64 }

// gaps measures the time between two polls of a server core while idle, under
// load, and beside a goroutine that makes 100 MB/s of garbage over a live heap
// of 10 MB; next to each, a loop in C on the same CPU.
func (l *lab) gaps() error {
	length := 10 * time.Second
	if l.Quick {
		length = 4 * time.Second
	}
	for _, s := range []struct {
		name    string
		ours    func(time.Duration) (gap, error)
		garbage string // what is beside our loop
	}{
		{"idle", func(d time.Duration) (gap, error) { return l.goLoop(0, d) }, ""},
		{"load", l.loadedLoop, ""},
		{"garbage", func(d time.Duration) (gap, error) { return l.goLoop(daemonHeap, d) }, "collected at the daemon's heap limit of 1 GiB"},
		{"garbage-64m", func(d time.Duration) (gap, error) { return l.goLoop(smallHeap, d) }, "collected at 64 MiB, so about twice a second"},
	} {
		l.Log("gaps, %s, for %v each", s.name, length)
		ours, err := s.ours(length)
		if err != nil {
			return fmt.Errorf("gaps, %s: %w", s.name, err)
		}
		theirs, err := l.cLoop(length)
		if err != nil {
			return err
		}
		note := fmt.Sprintf("%v each; lower is better", length)
		if s.garbage != "" {
			note += "; 100 MB/s of garbage over a live heap of 10 MB, " + s.garbage + "; the loop in C has no heap beside it"
		}
		for _, r := range []report.Row{
			{Name: "gap-p9999-" + s.name, Value: ours.p9999, PeerValue: theirs.p9999},
			{Name: "gap-max-" + s.name, Value: ours.longest, PeerValue: theirs.longest},
		} {
			r.Unit, r.Peer, r.Note = "ns", "loop in C", note
			r.Ratio = report.Ratio(r.Value, r.PeerValue)
			l.add(r)
		}
	}
	return nil
}

// cLoop runs bench/gaploop, which bench.sh has compiled beside the daemon.
func (l *lab) cLoop(length time.Duration) (gap, error) {
	return runLoop(exec.Command(l.GapLoop, fmt.Sprint(l.ServerCPU), fmt.Sprint(length.Seconds())))
}

// Heap limits in bytes beside which garbage is made.
const (
	daemonHeap = 1 << 30
	smallHeap  = 64 << 20
)

// goLoop runs PollLoop in a process of its own: the runtime is set up once a process.
func (l *lab) goLoop(heap int64, length time.Duration) (gap, error) {
	self, err := os.Executable()
	if err != nil {
		return gap{}, err
	}
	// The whole machine: the loop confines its own threads.
	return runLoop(exec.Command("taskset", "-c", fmt.Sprintf("%d,%d", l.ServerCPU, l.ClientCPU), self,
		"poll-loop", fmt.Sprint(l.ServerCPU), fmt.Sprint(length.Seconds()), fmt.Sprint(heap)))
}

func runLoop(c *exec.Cmd) (gap, error) {
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return gap{}, fmt.Errorf("%v: %w", c.Args, err)
	}
	var g gap
	var turns uint64
	if _, err := fmt.Sscan(string(out), &g.p9999, &g.longest, &turns); err != nil {
		return gap{}, fmt.Errorf("%v printed %q: %w", c.Args, out, err)
	}
	return g, nil
}

// loadedLoop floods the daemon with GETs and reads its own histogram.
func (l *lab) loadedLoop(length time.Duration) (gap, error) {
	k := l.memifLink("gaps")
	s, err := l.shredder(k, []map[string]any{peer.Tenant("small", smallTenant, "64MiB")}, nil)
	if err != nil {
		return gap{}, err
	}
	q, err := l.dial(k, s.Process)
	if err != nil {
		return gap{}, err
	}
	cfg := load.Config{Local: clientEnd, Mix: []load.Share{{Kind: load.Get, Weight: 1}}, Tenant: smallTenant, Keys: smallKeys, ValueSize: valueSize}
	if cfg.Remote, err = remote(q); err != nil {
		return gap{}, err
	}
	g, err := load.New(q, cfg)
	if err != nil {
		return gap{}, err
	}
	if err := g.Preload(); err != nil {
		return gap{}, err
	}
	if _, err := g.Flood(0, length); err != nil {
		return gap{}, err
	}
	m, err := s.Metrics()
	if err != nil {
		return gap{}, err
	}
	quantile := func(q string) float64 {
		return 1e9 * m[`shredder_lcore_poll_gap_seconds{lcore="0",quantile="`+q+`"}`]
	}
	return gap{quantile("0.9999"), quantile("1")}, s.Pause()
}

// liveHeap and garbageRate are the disturbance that the issue names, in bytes
// (a second).
const (
	liveHeap    = 10 << 20
	garbageRate = 100 << 20
)

// PollLoop runs one lcore of the data plane over an idle device on cpu, with
// the daemon's own settings of the runtime, and prints what gaploop prints. With
// heap, a memory limit in bytes, it makes garbage beside the loop.
func PollLoop(cpu int, length time.Duration, heap int64) error {
	limit := int64(daemonHeap)
	if heap > 0 {
		limit = heap
	}
	if _, err := dataplane.Tune(dataplane.TuneConfig{Pollers: []int{cpu}, MemoryLimit: limit}); err != nil {
		return err
	}
	wire := mem.NewWire(mem.Config{})
	p, err := dataplane.New(dataplane.Config{
		Queues: []nic.Queue{wire.Queue(0)}, CPUs: []int{cpu},
		Processor: pktproc.Config{BasePort: serverEnd.Port},
	})
	if err != nil {
		return err
	}
	if err := p.Start(); err != nil {
		return err
	}
	if heap > 0 {
		makeGarbage(length)
	} else {
		time.Sleep(length)
	}
	s := p.Stats(0)
	fmt.Println(s.Gaps.Quantile(0.9999), s.Gaps.Max, s.Turns)
	return nil
}

// node is garbage with pointers, 64 bytes.
type node struct {
	other *node
	_     [56]byte
}

// makeGarbage keeps a live list of liveHeap bytes, replacing its nodes at
// garbageRate.
func makeGarbage(length time.Duration) {
	const size = 64
	live := make([]*node, liveHeap/size)
	start := time.Now()
	for made := 0; time.Since(start) < length; {
		for float64(made*size) < time.Since(start).Seconds()*garbageRate {
			at := made % len(live)
			live[at] = &node{other: live[(at*7919+1)%len(live)]}
			if old := live[at].other; old != nil {
				old.other = nil // else chains would keep all garbage alive
			}
			made++
		}
		time.Sleep(100 * time.Microsecond)
	}
}
