//go:build dpdk

package dpdk

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"shredder/dataplane/nic"
)

// TestRingEcho: a ring device hands mbufs over as they are, so a frame goes
// round in one buffer.
func TestRingEcho(t *testing.T) {
	if !inChild(t) {
		return
	}
	startEAL(t, "--vdev=net_ring0")
	p := openPort(t, PortConfig{Name: "net_ring0"})
	q := p.Queue(0)
	f, ok := q.Alloc()
	if !ok {
		t.Fatal("no buffer")
	}
	const text = "0123456789abcdef0123456789abcdef"
	f.Len = copy(f.Data, text)
	q.Send(f)
	var b nic.Burst
	for turn := range 1000 {
		if n := q.RxBurst(&b); n != 1 || string(b.Frames[0].Data[:b.Frames[0].Len]) != text || b.Frames[0].Handle != f.Handle {
			t.Fatalf("turn %d: %d frames", turn, n)
		}
		b.Frames[0].Verdict = nic.Reply
		q.TxBurst(&b)
	}
	if n := q.RxBurst(&b); n != 1 {
		t.Fatalf("%d frames", n)
	}
	q.TxBurst(&b)
	if s := q.Stats(); s.RxFrames != 1001 || s.TxFrames != 1001 {
		t.Errorf("%+v", s)
	}
}

// TestRefusals: what a device cannot do is an error that says what it can.
func TestRefusals(t *testing.T) {
	if !inChild(t) {
		return
	}
	startEAL(t, "--vdev=net_ring0", "--vdev=net_memif0,role=server,socket-abstract=no,socket="+t.TempDir()+"/s")
	for _, c := range []struct {
		config PortConfig
		say    string
	}{
		{PortConfig{Name: "net_none"}, "there are: net_ring0, net_memif0"},
		{PortConfig{ID: 7}, "there are: net_ring0, net_memif0"},
		{PortConfig{Name: "net_ring0", Queues: 17}, "it offers 16 to receive and 16 to send"},
		{PortConfig{Name: "net_ring0", Queues: -1}, "it offers 16"},
		{PortConfig{Name: "net_ring0", RxRing: 70000}, "it offers 0 to 65535 descriptors"},
		{PortConfig{Name: "net_ring0", TxRing: -4}, "it offers 0 to 65535 descriptors"},
		{PortConfig{Name: "net_ring0", MTU: 20}, "it offers 46 to 65535"},
		{PortConfig{Name: "net_ring0", MTU: 65535}, "does not fit one mbuf"},
		{PortConfig{Name: "net_ring0", MempoolSize: 100}, "its receive rings and the queues' stock take"},
		{PortConfig{Name: "net_ring0", MempoolSize: 50_000_000}, "give the EAL more memory"},
		{PortConfig{Name: "net_ring0", Queues: 4, FlowBasePort: 65534}, "past 65535"},
	} {
		p, err := OpenPort(c.config)
		if err == nil {
			p.Close()
			t.Fatalf("%+v was accepted", c.config)
		}
		if !strings.Contains(err.Error(), c.say) {
			t.Errorf("%+v: %v; want %q", c.config, err, c.say)
		}
	}
	if _, err := Init(nil); err == nil {
		t.Error("a second EAL started")
	}
	// After all these refusals the device still opens, and says what is in force.
	p := openPort(t, PortConfig{Name: "net_ring0", Queues: 3, FlowBasePort: 9000, Promiscuous: true, ChecksumOffload: true, MTU: 3000})
	info, err := p.Info()
	if err != nil || info.Queues != 3 || info.Driver != "net_ring" || info.MTU != 3000 || p.Queue(2).Capabilities().MTU != 3000 {
		t.Errorf("%+v, %v", info, err)
	}
	if info.Steering != SteeringDevice || !strings.Contains(info.SteeringReason, "udp dst 9000") {
		t.Errorf("steering %q because %q", info.Steering, info.SteeringReason)
	}
	if caps := p.Queue(0).Capabilities(); caps.TxChecksumUDP || caps.TxChecksumIPv4 {
		t.Errorf("a device without offloads claims %+v", caps)
	}
	if p.MAC() != ([6]byte{2, 0, 0, 0, 0, 1}) || !slices.Equal(Ports(), []string{"net_ring0", "net_memif0"}) {
		t.Errorf("MAC %x, ports %v", p.MAC(), Ports())
	}
}

// TestAffinity: starting the EAL moves neither its caller nor threads made later.
func TestAffinity(t *testing.T) {
	if !inChild(t) {
		return
	}
	var before, after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	startEAL(t)
	done := make(chan error)
	for range 20 {
		go func() { done <- unix.SchedGetaffinity(0, &after) }()
		if err := <-done; err != nil || after != before {
			t.Fatalf("affinity %v, before %v, %v", after, before, err)
		}
	}
}

// TestRestart: a port stops and starts again; RSS is reported where a device hashes.
func TestRestart(t *testing.T) {
	if !inChild(t) {
		return
	}
	startEAL(t, "--vdev=net_null0")
	p := openPort(t, PortConfig{Name: "net_null0"})
	var b nic.Burst
	for range 3 {
		if n := p.Queue(0).RxBurst(&b); n != nic.BurstSize {
			t.Fatalf("net_null gave %d frames", n)
		}
		p.Queue(0).TxBurst(&b)
		p.Queue(0).Flush()
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
	}
}
