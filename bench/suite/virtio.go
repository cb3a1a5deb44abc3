package suite

import (
	"errors"
	"fmt"

	"shredder/bench/peer"
	"shredder/bench/report"
	"shredder/dataplane/nic"
	"shredder/dpdk"
)

// virtio repeats PING and GET over vhost (server) and virtio-user (generator).
// The generator's side is DPDK itself, so its frames are copied into mbufs.
func (l *lab) virtio() error {
	if err := dpdk.Available(); err != nil {
		l.add(report.Row{Name: "ping", Unit: "ops/s", Peer: "testpmd", Where: "vhost – virtio-user", Invalid: err.Error()})
		return nil
	}
	b, err := l.virtioBench()
	if err != nil {
		return fmt.Errorf("virtio-user: %w", err)
	}
	for _, w := range kvWorkloads()[:2] {
		l.Log("%s over virtio-user", w.name)
		if err := l.againstTestpmd(b, w); err != nil {
			return fmt.Errorf("virtio-user: %s: %w", w.name, err)
		}
	}
	return nil
}

// virtioBench starts both servers as vhost back ends, then the EAL of this
// process with a virtio-user device for each.
func (l *lab) virtioBench() (*bench, error) {
	b := &bench{where: "vhost – virtio-user", preloadedFor: map[uint32]bool{}}
	var sockets [2]string
	for i, name := range []string{"shredder-vhost.sock", "testpmd-vhost.sock"} {
		sockets[i] = l.path(name)
	}
	var err error
	k := link{port: "net_vhost0", vdev: "net_vhost0,iface=" + sockets[0]}
	if b.ours, err = l.shredder(k, []map[string]any{peer.Tenant("small", smallTenant, "64MiB")}, nil); err != nil {
		return nil, err
	}
	if b.theirs, err = l.testpmd(link{vdev: "net_vhost0,iface=" + sockets[1]}); err != nil {
		return nil, err
	}
	args := append(peer.EAL("shredder-suite", "net_virtio_user0,path="+sockets[0], "net_virtio_user1,path="+sockets[1]), "-l", fmt.Sprint(l.ClientCPU))
	queues, err := l.ealQueues(args, "virtio_user0", "virtio_user1")
	if err != nil {
		return nil, err
	}
	b.ourQueue, b.theirQueue = queues[0], queues[1]
	l.later(func() { // closing a virtio-user device waits for its vhost side
		_ = b.ours.Resume()
		_ = b.theirs.Resume()
	})
	if err := b.theirs.Pause(); err != nil {
		return nil, err
	}
	if b.ourEnd, err = remote(b.ourQueue); err != nil {
		return nil, err
	}
	return b, b.ours.Pause()
}

// ealQueues starts the EAL of this process and one queue on each device.
func (l *lab) ealQueues(args []string, names ...string) ([]nic.Queue, error) {
	eal, err := dpdk.Init(args)
	if err != nil {
		return nil, err
	}
	l.later(func() { _ = eal.Close() })
	unregister, err := dpdk.RegisterThread()
	if err != nil {
		return nil, err
	}
	l.later(unregister)
	var queues []nic.Queue
	for _, name := range names {
		port, err := dpdk.OpenPort(dpdk.PortConfig{Name: "net_" + name})
		if err != nil {
			if port, err = dpdk.OpenPort(dpdk.PortConfig{Name: name}); err != nil {
				return nil, fmt.Errorf("devices %v: %w", dpdk.Ports(), err)
			}
		}
		if err := port.Start(); err != nil {
			return nil, errors.Join(err, port.Close())
		}
		q := port.Queue(0)
		l.later(func() {
			_ = q.Close()
			_ = port.Close()
		})
		queues = append(queues, q)
	}
	return queues, nil
}
