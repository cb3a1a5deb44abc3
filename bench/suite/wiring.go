package suite

import (
	"fmt"
	"net/netip"
	"time"

	"shredder/bench/load"
	"shredder/bench/memif"
	"shredder/bench/peer"
	"shredder/dataplane/nic"
)

// The benchmarks' network.
var (
	clientEnd = load.Endpoint{MAC: [6]byte{2, 0, 0, 0, 0, 2}, IP: netip.MustParseAddr("10.9.0.2"), Port: 40000}
	serverEnd = load.Endpoint{MAC: [6]byte{2, 0, 0, 0, 0, 1}, IP: netip.MustParseAddr("10.9.0.1"), Port: 9000}
)

// link is a device pair: what a server is started with, and how to reach it.
type link struct {
	name string
	// vdev is the server's device, port its DPDK name.
	vdev, port string
	dial       func() (nic.Queue, error)
}

// memifLink is a pair over shared memory; the client side is bench/memif.
func (l *lab) memifLink(name string) link {
	socket := l.path(name + ".sock")
	return link{
		name: "memif", port: "net_memif0",
		vdev: "net_memif0,role=server,socket-abstract=no,socket=" + socket,
		dial: func() (nic.Queue, error) { return memif.Dial(socket, memif.Config{}) },
	}
}

// shredder starts the daemon on a link, with tenants.
func (l *lab) shredder(k link, tenants []map[string]any, extra peer.Settings) (*peer.Shredder, error) {
	settings := peer.Settings{
		"driver": "dpdk", "addresses": []string{serverEnd.IP.String() + "/24"}, "tenants": tenants,
		"eal":  append(peer.EAL("shredder-bench", k.vdev), "-l", fmt.Sprint(l.ClientCPU)),
		"port": map[string]any{"name": k.port},
	}
	for key, value := range extra {
		settings[key] = value
	}
	s, err := peer.StartShredder(l.Shredderd, l.dir, l.ServerCPU, settings)
	if err != nil {
		return nil, err
	}
	l.later(func() { _ = s.Stop() })
	return s, nil
}

// testpmd starts dpdk-testpmd on a link.
func (l *lab) testpmd(k link) (*peer.Testpmd, error) {
	t, err := peer.StartTestpmd(l.ServerCPU, l.ClientCPU, k.vdev)
	if err != nil {
		return nil, err
	}
	l.later(func() { _ = t.Stop() })
	return t, nil
}

// dial connects to the server of a link. The queue is closed before the server
// is stopped, for which the server must run.
func (l *lab) dial(k link, process *peer.Process) (nic.Queue, error) {
	q, err := k.dial()
	if err != nil {
		return nil, err
	}
	l.later(func() {
		_ = process.Resume()
		_ = q.Close()
	})
	return q, nil
}

// remote is the server's end as seen on a queue: its MAC address asked for.
func remote(q nic.Queue) (load.Endpoint, error) {
	e := serverEnd
	var err error
	e.MAC, err = load.Resolve(q, clientEnd, e.IP, 5*time.Second)
	return e, err
}

// workload is a named Config without addresses.
type workload struct {
	name string
	cfg  load.Config
}

// flood is the run function of a flood of cfg's requests over q; busy reads the
// server's nanoseconds per datagram over the run.
func flood(g *load.Generator, ops int, busy func(measure func() error) (float64, error), echo bool) func(float64, time.Duration) (sample, error) {
	return func(rate float64, length time.Duration) (sample, error) {
		var r load.Result
		nanos, err := busy(func() (err error) {
			r, err = g.Flood(rate/float64(ops), length)
			return err
		})
		if err != nil {
			return sample{}, err
		}
		if !echo && (r.Failed() > 0 || len(r.Statuses) == 0) {
			return sample{}, fmt.Errorf("replies are not OK: %v", r.Statuses)
		}
		return sample{rate: r.ReplyRate() * float64(ops), offered: r.OfferedRate() * float64(ops), busyNanos: nanos / float64(ops)}, nil
	}
}

// closed is the run function of a closed loop at a depth.
func closed(g *load.Generator, depth, ops int, busy func(measure func() error) (float64, error)) func(float64, time.Duration) (sample, error) {
	return func(_ float64, length time.Duration) (sample, error) {
		var r load.Result
		nanos, err := busy(func() (err error) {
			r, err = g.Closed(depth, length)
			return err
		})
		if err != nil {
			return sample{}, err
		}
		if r.Failed() > 0 || r.Received == 0 {
			return sample{}, fmt.Errorf("replies are not OK: %v (%d lost)", r.Statuses, r.Lost)
		}
		s := sample{rate: r.ReplyRate() * float64(ops), busyNanos: nanos / float64(ops), p50: float64(r.Latency.P50), p99: float64(r.Latency.P99)}
		s.slack = slack(nanos * r.ReplyRate())
		return s, nil
	}
}

// open is the run function of an open loop at a fixed rate.
func open(g *load.Generator, rate float64) func(float64, time.Duration) (sample, error) {
	return func(_ float64, length time.Duration) (sample, error) {
		r, err := g.Open(rate, length)
		if err != nil {
			return sample{}, err
		}
		if r.Failed() > 0 || r.Received == 0 {
			return sample{}, fmt.Errorf("replies are not OK: %v (%d lost)", r.Statuses, r.Lost)
		}
		return sample{rate: r.ReplyRate(), p50: float64(r.Latency.P50), p99: float64(r.Latency.P99)}, nil
	}
}

// saturated is the share of its CPU that a server in a closed loop must use for
// its rate to count as its own.
const saturated = 0.95

// slack says that a server was not busy enough, given its busy nanoseconds a second.
func slack(busyPerSecond float64) string {
	if share := busyPerSecond / 1e9; share < saturated {
		return fmt.Sprintf("closed loop: the faster server was busy for %.0f %% of the time, so the client was the limit", 100*share)
	}
	return ""
}

// shredderBusy reads the daemon's own counters around a measurement.
func shredderBusy(s *peer.Shredder) func(func() error) (float64, error) {
	return func(measure func() error) (float64, error) {
		before, err := s.Work()
		if err != nil {
			return 0, err
		}
		if err := measure(); err != nil {
			return 0, err
		}
		after, err := s.Work()
		if err != nil || after.Frames == before.Frames {
			return 0, err
		}
		return (after.BusyNanos - before.BusyNanos) / (after.Frames - before.Frames), nil
	}
}

// testpmdBusy has testpmd count the cycles of its non-empty bursts.
func testpmdBusy(t *peer.Testpmd) func(func() error) (float64, error) {
	return func(measure func() error) (float64, error) {
		if err := t.Clear(); err != nil {
			return 0, err
		}
		if err := measure(); err != nil {
			return 0, err
		}
		return t.Busy()
	}
}
