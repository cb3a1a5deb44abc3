package udp

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"shredder/dataplane/nic"
)

// TestShare: a reply to a frame that was handed over leaves by the socket the frame came to.
func TestShare(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "0.0.0.0:0"} {
		var queues []*Queue
		for range 3 {
			q, err := Open(Config{Address: netip.MustParseAddrPort(address)})
			if err != nil {
				t.Fatal(err)
			}
			defer q.Close()
			queues = append(queues, q)
		}
		Share(queues...)
		to := net.UDPAddrFromAddrPort(queues[1].Address())
		if to.IP.IsUnspecified() {
			to.IP = net.IPv4(127, 0, 0, 1)
		}
		peer, err := net.DialUDP("udp", nil, to) // connected: it hears that port only
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		if _, err := peer.Write([]byte("question")); err != nil {
			t.Fatal(err)
		}
		var b nic.Burst
		for b.N == 0 {
			queues[1].Wait(int64(time.Second))
			queues[1].RxBurst(&b)
		}
		answer, ok := queues[0].Alloc()
		if !ok {
			t.Fatal("no frame")
		}
		answer.Len = copy(answer.Data, b.Frames[0].Data[:b.Frames[0].Len])
		swapEnds(answer.Data[:answer.Len])
		queues[1].TxBurst(&b)
		queues[0].Send(answer)
		queues[0].Flush()
		peer.SetReadDeadline(time.Now().Add(time.Minute))
		buf := make([]byte, 100)
		if n, err := peer.Read(buf); err != nil || string(buf[:n]) != "question" {
			t.Errorf("%s: %q, %v", address, buf[:n], err)
		}
		for i, q := range queues {
			if q.InUse() != 0 {
				t.Errorf("%s: queue %d misses %d frames", address, i, q.InUse())
			}
		}
	}
}
