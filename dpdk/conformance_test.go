//go:build dpdk

package dpdk

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"shredder/dataplane/nic"
	"shredder/dataplane/nic/nictest"
)

// peer is the other end of a pair of devices: a port of the same process, stepped by the test.
type peer struct {
	t     *testing.T
	queue nic.Queue
	got   [][]byte
}

func (p *peer) inject(payload []byte) {
	f, ok := p.queue.Alloc()
	if !ok {
		p.t.Fatal("the other end has no buffer")
	}
	f.Len = copy(f.Data, payload)
	p.queue.Send(f)
	p.queue.Flush()
}

// poll takes in what has arrived.
func (p *peer) poll() {
	var b nic.Burst
	p.queue.RxBurst(&b)
	for _, f := range b.Frames[:b.N] {
		p.got = append(p.got, append([]byte{}, f.Data[:f.Len]...))
	}
	p.queue.TxBurst(&b)
}

func (p *peer) collect(n int) [][]byte {
	for deadline := time.Now().Add(nictest.Patience); len(p.got) < n && time.Now().Before(deadline); runtime.Gosched() {
		p.poll()
	}
	n = min(n, len(p.got))
	all := p.got[:n:n]
	p.got = p.got[n:]
	return all
}

func (p *peer) pending() bool {
	p.poll()
	return len(p.got) > 0
}

// pairFixture makes a fixture of two started ports.
func pairFixture(t *testing.T, served, other *Port) *nictest.Fixture {
	waitLinkIs(t, true, served, other)
	p := &peer{t: t, queue: other.Queue(0)}
	// A memif server can send only into buffers that the client has offered by receiving.
	for range 4 {
		var b nic.Burst
		served.Queue(0).RxBurst(&b)
		p.poll()
	}
	held := heldByDevice(served)
	return &nictest.Fixture{
		Queue: served.Queue(0), Shortest: 14, Longest: 1514,
		Inject: p.inject, Collect: p.collect, Pending: p.pending,
		Payload: func(frame []byte) []byte { return frame },
		Answer:  func([]byte) {},
		Compose: func(room, payload []byte) int { return copy(room, payload) },
		InUse:   func() int { return served.Mempool().InUse() - held },
	}
}

// heldByDevice is the number of mbufs that a started, idle device keeps in its rings.
func heldByDevice(p *Port) int {
	held := p.Mempool().InUse()
	for _, q := range p.queues {
		held -= int(q.view.stock())
	}
	return held
}

func waitLinkIs(t *testing.T, up bool, ports ...*Port) {
	t.Helper()
	for _, p := range ports {
		deadline := time.Now().Add(nictest.Patience)
		for {
			link, err := p.Link()
			if err != nil {
				t.Fatal(err)
			}
			if link.Up == up {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("port %s: link is %v", p.config.Name, link)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// pairs runs the suite on a pair of devices a case. args makes the EAL
// arguments and names of pair i.
func pairs(t *testing.T, config PortConfig, args func(i int) (args []string, served, other string)) {
	var all []string
	for i := range nictest.Cases {
		a, _, _ := args(i)
		all = append(all, a...)
	}
	startEAL(t, all...)
	next := 0
	nictest.Run(t, func(t *testing.T) *nictest.Fixture {
		_, served, other := args(next)
		next++
		ports := map[string]*Port{}
		for _, name := range slices.Sorted(slices.Values([]string{served, other})) {
			// In the order of names: a memif client connects once, when it starts.
			config.Name = name
			ports[name] = openPort(t, config)
		}
		// The driver's interrupt thread takes note of a peer that closes; closing
		// both at once would race inside it.
		t.Cleanup(func() {
			if err := ports[served].Close(); err != nil {
				t.Error(err)
			}
			waitLinkIs(t, false, ports[other])
			time.Sleep(20 * time.Millisecond) // it says so before it has freed its regions
		})
		return pairFixture(t, ports[served], ports[other])
	})
}

func memifPair(dir string, serverArgs string) func(i int) ([]string, string, string) {
	return func(i int) ([]string, string, string) {
		server, client := fmt.Sprintf("net_memif%d_a", i), fmt.Sprintf("net_memif%d_b", i)
		socket := fmt.Sprintf("socket-abstract=no,socket=%s/memif.sock,id=%d", dir, i)
		return []string{
			"--vdev=" + server + ",role=server," + socket + serverArgs,
			"--vdev=" + client + ",role=client," + socket,
		}, server, client
	}
}

func TestConformanceMemifServer(t *testing.T) {
	if !inChild(t) {
		return
	}
	pairs(t, PortConfig{RxRing: 512, TxRing: 512, MempoolSize: 1023}, memifPair(t.TempDir(), ""))
}

func TestConformanceMemifClient(t *testing.T) {
	if !inChild(t) {
		return
	}
	pair := memifPair(t.TempDir(), "")
	pairs(t, PortConfig{RxRing: 512, TxRing: 512, MempoolSize: 1023}, func(i int) ([]string, string, string) {
		args, server, client := pair(i)
		return args, client, server
	})
}
