package udp

import (
	"net"
	"net/netip"
	"testing"

	"shredder/dataplane/nic"
)

// TestJoin sends one datagram to each address and expects the answers from where
// they were sent to: one in the received frame, one in a frame of the queue's own.
func TestJoin(t *testing.T) {
	var queues []*Queue
	for _, a := range []string{"127.0.0.1:0", "127.0.0.2:0", "[::1]:0"} {
		q, err := Open(Config{Address: netip.MustParseAddrPort(a), Buffers: 64})
		if err != nil {
			t.Skipf("listen on %s: %v", a, err) // a machine without IPv6
		}
		queues = append(queues, q)
	}
	joined := Join(queues...)
	for _, q := range queues {
		for _, own := range []bool{false, true} {
			echo(t, joined, q.Address(), own)
		}
	}
	if s := joined.Stats(); s.RxFrames != 6 || s.TxFrames != 6 || s.TxDropped != 0 {
		t.Errorf("stats %+v: want 6 frames each way", s)
	}
	if err := joined.Close(); err != nil {
		t.Error(err)
	}
	for _, q := range queues {
		if n := q.InUse(); n != 0 {
			t.Errorf("%v: %d frames leaked", q.Address(), n)
		}
	}
}

func echo(t *testing.T, joined nic.Queue, server netip.AddrPort, own bool) {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	var b nic.Burst
	for joined.RxBurst(&b) == 0 { // loopback delivers before Write returns
		joined.Wait(1e6)
	}
	reply := &b.Frames[0]
	swapEnds(reply.Data[:reply.Len])
	if own {
		f, ok := joined.Alloc()
		if !ok {
			t.Fatal("no frame")
		}
		f.Len = copy(f.Data, reply.Data[:reply.Len])
		joined.TxBurst(&b)
		joined.Send(f)
	} else {
		reply.Verdict = nic.Reply
		joined.TxBurst(&b)
	}
	joined.Flush()
	var got [16]byte
	n, err := c.Read(got[:]) // connected: only the server's own address counts
	if err != nil || string(got[:n]) != "hello" {
		t.Fatalf("from %v: %q, %v", server, got[:n], err)
	}
}

// swapEnds exchanges source and destination of a UDP frame.
func swapEnds(f []byte) {
	swap := func(a, b []byte) {
		for i := range a {
			a[i], b[i] = b[i], a[i]
		}
	}
	udp := f[etherLen+ipv4Len:]
	if f[12] == 0x86 {
		swap(f[22:38], f[38:54])
		udp = f[etherLen+ipv6Len:]
	} else {
		swap(f[26:30], f[30:34])
	}
	swap(udp[0:2], udp[2:4])
}
