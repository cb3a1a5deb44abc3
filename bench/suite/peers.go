package suite

import (
	"fmt"
	"net/netip"
	"time"

	"shredder/bench/load"
	"shredder/bench/peer"
	"shredder/dataplane/nic"
	"shredder/dataplane/nic/udp"
)

// kernelDepth is how many GETs are in flight in the comparisons with servers
// on kernel sockets: as many connections with one each, or datagrams.
const kernelDepth = 64

// overKernel compares GETs with redis-server and memcached over loopback, for
// our server on a kernel UDP socket and on the DPDK device, at equal depth.
func (l *lab) overKernel() error {
	b, err := l.ours(l.memifLink("kernel"), []map[string]any{peer.Tenant("small", smallTenant, "64MiB")}, nil)
	if err != nil {
		return err
	}
	cfg := load.Config{Mix: []load.Share{{Kind: load.Get, Weight: 1}}, Tenant: smallTenant, Keys: smallKeys, ValueSize: valueSize}
	device, err := b.ourGenerator(cfg)
	if err != nil {
		return err
	}
	udpServer, sockets, err := l.onKernelUDP(cfg)
	if err != nil {
		return err
	}
	for _, start := range []func(int) (*peer.Kernel, error){peer.StartRedis, peer.StartMemcached} {
		k, err := start(l.ServerCPU)
		if err != nil {
			return err
		}
		l.later(func() { _ = k.Stop() })
		theirs, err := l.pipeline(k, kernelDepth, 1)
		if err != nil {
			return err
		}
		for _, ours := range []struct {
			where string
			side  side
		}{
			{"kernel UDP", side{"shredder", udpServer.Process, closed(sockets, kernelDepth, 1, shredderBusy(udpServer))}},
			{b.where, side{"shredder", b.ours.Process, closed(device, kernelDepth, 1, shredderBusy(b.ours))}},
		} {
			l.Log("get on %s against %s", ours.where, k.Name)
			c, err := l.compare(ours.side, theirs, closedLoop)
			if err != nil {
				return err
			}
			r := c.row("get", "ops/s", ours.where, rate)
			r.Depth = kernelDepth
			r.Note = fmt.Sprintf("%s over loopback TCP, %d connections; its busy time is the scheduler's", k.Name, kernelDepth)
			l.add(r)
		}
	}
	return nil
}

// onKernelUDP starts our server on a kernel socket and a generator for it.
func (l *lab) onKernelUDP(cfg load.Config) (*peer.Shredder, *load.Generator, error) {
	port, err := peer.FreePort()
	if err != nil {
		return nil, nil, err
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	s, err := peer.StartShredder(l.Shredderd, l.dir, l.ServerCPU, peer.Settings{
		"driver": "udp", "listen": []string{loopback.String()}, "base-port": port,
		"tenants": []map[string]any{peer.Tenant("small", smallTenant, "64MiB")},
	})
	if err != nil {
		return nil, nil, err
	}
	l.later(func() { _ = s.Stop() })
	q, err := udp.Open(udp.Config{Address: netip.AddrPortFrom(loopback, 0)})
	if err != nil {
		return nil, nil, err
	}
	l.later(func() { _ = q.Close() })
	cfg.Local = load.Endpoint{MAC: clientEnd.MAC, IP: loopback, Port: q.Address().Port()}
	cfg.Remote = load.Endpoint{MAC: serverEnd.MAC, IP: loopback, Port: port}
	g, err := load.New(nic.Queue(q), cfg)
	if err != nil {
		return nil, nil, err
	}
	if err := g.Preload(); err != nil {
		return nil, nil, err
	}
	return s, g, s.Pause()
}

// pipeline is a kernel server as a side, its keys set.
func (l *lab) pipeline(k *peer.Kernel, conns, depth int) (side, error) {
	p, err := peer.Dial(k, conns, depth, smallKeys, valueSize)
	if err != nil {
		return side{}, err
	}
	l.later(func() { _ = p.Close() })
	if err := p.Preload(); err != nil {
		return side{}, err
	}
	return side{name: k.Name, run: func(_ float64, length time.Duration) (sample, error) {
		before, err := k.CPUNanos()
		if err != nil {
			return sample{}, err
		}
		ops, took, err := p.Run(depth, length)
		if err != nil {
			return sample{}, err
		}
		after, err := k.CPUNanos()
		if err != nil {
			return sample{}, err
		}
		busy := float64(after - before)
		return sample{
			rate: float64(ops) / took.Seconds(), busyNanos: busy / float64(ops), slack: slack(busy / took.Seconds()),
		}, nil
	}}, nil
}
