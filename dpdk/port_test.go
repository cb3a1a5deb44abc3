//go:build dpdk

package dpdk

import (
	"testing"

	"shredder/dataplane/nic"
)

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
	f.Len = copy(f.Data, "0123456789abcdef0123456789abcdef")
	q.Send(f)
	var b nic.Burst
	for turn := range 100 {
		if n := q.RxBurst(&b); n != 1 || string(b.Frames[0].Data[:b.Frames[0].Len]) != "0123456789abcdef0123456789abcdef" {
			t.Fatalf("turn %d: %d frames", turn, n)
		}
		b.Frames[0].Verdict = nic.Reply
		q.TxBurst(&b)
	}
	q.Flush()
	if n := q.RxBurst(&b); n != 1 {
		t.Fatalf("%d frames", n)
	}
	q.TxBurst(&b)
	info, _ := p.Info()
	t.Logf("%+v %+v in use %d", info, q.Stats(), p.Mempool().InUse())
}
