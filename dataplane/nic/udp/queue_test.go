package udp

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"shredder/dataplane/nic"
	"shredder/dataplane/nic/nictest"
)

// peer is a kernel client of the queue.
type peer struct {
	t    *testing.T
	conn *net.UDPConn
}

func dial(t *testing.T, to netip.AddrPort) *peer {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetReadBuffer(4 << 20)
	return &peer{t, conn}
}

func (p *peer) inject(payload []byte) {
	if _, err := p.conn.Write(payload); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) collect(n int) [][]byte {
	var all [][]byte
	buf := make([]byte, 1<<16)
	p.conn.SetReadDeadline(time.Now().Add(nictest.Patience))
	for len(all) < n {
		got, err := p.conn.Read(buf)
		if err != nil {
			break
		}
		all = append(all, append([]byte{}, buf[:got]...))
	}
	return all
}

// pending peeks without waiting.
func (p *peer) pending() bool {
	raw, err := p.conn.SyscallConn()
	if err != nil {
		p.t.Fatal(err)
	}
	found := false
	raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		found = !errors.Is(err, syscall.EAGAIN)
	})
	return found
}

func (p *peer) address() endpoint {
	a := p.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return toEndpoint(a)
}

// answer turns a frame's headers around.
func answer(frame []byte) {
	var src, dst endpoint
	payload, ok := parseHeaders(frame, &src, &dst)
	if ok {
		putHeaders(frame[:len(frame)-len(payload)], &dst, &src, len(payload))
	}
}

func payloadOf(frame []byte) []byte {
	var src, dst endpoint
	payload, _ := parseHeaders(frame, &src, &dst)
	return payload
}

func open(t *testing.T, address string) *Queue {
	t.Helper()
	q, err := Open(Config{Address: netip.MustParseAddrPort(address)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

func TestConformance(t *testing.T) {
	for _, c := range []struct{ name, listen, client string }{
		{"ipv4", "127.0.0.1:0", "127.0.0.1"},
		{"ipv6", "[::1]:0", "::1"},
		{"any ipv4", "0.0.0.0:0", "127.0.0.7"},
		{"any, ipv6 client", "[::]:0", "::1"},
		{"any, ipv4 client", "[::]:0", "127.0.0.7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			nictest.Run(t, func(t *testing.T) *nictest.Fixture {
				q := open(t, c.listen)
				server := netip.AddrPortFrom(netip.MustParseAddr(c.client), q.Address().Port())
				p := dial(t, server)
				headers := headerRoom
				if server.Addr().Is4() {
					headers = etherLen + ipv4Len + udpLen
				}
				from, to := toEndpoint(server), p.address()
				return &nictest.Fixture{
					Queue: q, Shortest: 0, Longest: 1500 - (headers - etherLen),
					Inject: p.inject, Collect: p.collect, Pending: p.pending,
					Payload: payloadOf, Answer: answer,
					Compose: func(room, payload []byte) int {
						putHeaders(room[:headers], &from, &to, len(payload))
						return headers + copy(room[headers:], payload)
					},
					InUse: q.InUse,
				}
			})
		})
	}
}

// TestFrameHeaders pins the frame that a datagram becomes, byte for byte.
func TestFrameHeaders(t *testing.T) {
	src, dst := toEndpoint(netip.MustParseAddrPort("10.1.2.3:1000")), toEndpoint(netip.MustParseAddrPort("10.1.2.4:9000"))
	var b [headerRoom]byte
	n := putHeaders(b[:], &src, &dst, 4)
	want := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
		0x45, 0, 0, 32, 0, 0, 0x40, 0, 64, 17, 0x22, 0xc5, 10, 1, 2, 3, 10, 1, 2, 4,
		0x03, 0xe8, 0x23, 0x28, 0, 12, 0, 0}
	if got := b[headerRoom-n:]; !bytes.Equal(got, want) {
		t.Errorf("ipv4:\n%x\n%x", got, want)
	}
	src, dst = toEndpoint(netip.MustParseAddrPort("[fd00::1]:1000")), toEndpoint(netip.MustParseAddrPort("[fd00::2]:9000"))
	n = putHeaders(b[:], &src, &dst, 4)
	want = []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 12, 17, 64,
		0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
		0x03, 0xe8, 0x23, 0x28, 0, 12, 0, 0}
	if got := b[headerRoom-n:]; !bytes.Equal(got, want) {
		t.Errorf("ipv6:\n%x\n%x", got, want)
	}
}

// TestTooLong: datagrams over the MTU are dropped, counted, and leak nothing.
func TestTooLong(t *testing.T) {
	q := open(t, "127.0.0.1:0")
	p := dial(t, q.Address())
	for _, size := range []int{1473, 1600, 60000} {
		p.inject(make([]byte, size))
	}
	p.inject([]byte("good"))
	var b nic.Burst
	for deadline := time.Now().Add(nictest.Patience); q.Stats().RxFrames == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the good datagram did not come")
		}
		if q.RxBurst(&b) > 0 && string(payloadOf(b.Frames[0].Data[:b.Frames[0].Len])) != "good" {
			t.Fatalf("received %d bytes", b.Frames[0].Len)
		}
		q.TxBurst(&b)
	}
	if q.Truncated() != 3 {
		t.Errorf("truncated %d, want 3", q.Truncated())
	}
	if q.InUse() != 0 {
		t.Errorf("%d frames leaked", q.InUse())
	}
}

// TestUnsendable: frames that no socket can send are dropped and counted, and
// so is one that the kernel refuses, without harm to the next.
func TestUnsendable(t *testing.T) {
	q := open(t, "127.0.0.1:0")
	p := dial(t, q.Address())
	from, to := toEndpoint(q.Address()), p.address()
	send := func(build func(room []byte) int) {
		f, ok := q.Alloc()
		if !ok {
			t.Fatal("no buffer")
		}
		f.Len = build(f.Data)
		q.Send(f)
	}
	headers := etherLen + ipv4Len + udpLen
	compose := func(room []byte) int {
		putHeaders(room[:headers], &from, &to, 4)
		return headers + copy(room[headers:], "good")
	}
	send(func(room []byte) int { return copy(room, make([]byte, 60)) })                      // no IP
	send(func(room []byte) int { n := compose(room); room[23] = 1; return n })               // ICMP
	send(func(room []byte) int { return compose(room) - 1 })                                 // shorter than it says
	send(func(room []byte) int { n := compose(room); room[36] = 0; room[37] = 0; return n }) // port 0: EINVAL
	send(compose)
	q.Flush()
	if got := p.collect(1); len(got) != 1 || string(got[0]) != "good" {
		t.Fatalf("collected %q", got)
	}
	if s := q.Stats(); s.TxDropped != 4 || s.TxFrames != 1 || q.InUse() != 0 {
		t.Errorf("%+v, %d in use", s, q.InUse())
	}
}

func TestOpenErrors(t *testing.T) {
	q := open(t, "127.0.0.1:0")
	if _, err := Open(Config{Address: q.Address()}); err == nil {
		t.Error("a port was bound twice")
	}
	for _, c := range []Config{{}, {Address: q.Address(), Buffers: 3}, {Address: q.Address(), MTU: 100}} {
		if _, err := Open(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

func FuzzParseHeaders(f *testing.F) {
	var b [headerRoom + 4]byte
	for _, a := range []string{"10.0.0.1:1", "[fd00::1]:1"} {
		e := toEndpoint(netip.MustParseAddrPort(a))
		n := putHeaders(b[:headerRoom], &e, &e, 4)
		f.Add(append([]byte{}, b[headerRoom-n:]...))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		var src, dst endpoint
		payload, ok := parseHeaders(frame[:len(frame):len(frame)], &src, &dst)
		if ok && len(payload) > len(frame)-etherLen-ipv4Len-udpLen {
			t.Fatalf("payload of %d in a frame of %d", len(payload), len(frame))
		}
	})
}

// TestWake: a wait ends when another thread rings, alone or joined, and a ring
// before the wait is not lost.
func TestWake(t *testing.T) {
	open := func() *Queue {
		q, err := Open(Config{Address: netip.MustParseAddrPort("127.0.0.1:0")})
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	for name, q := range map[string]nic.Queue{"one": open(), "joined": Join(open(), open())} {
		wake := q.(interface{ Wake() }).Wake
		wake()
		q.Wait(int64(time.Hour))
		timer := time.AfterFunc(time.Millisecond, wake)
		q.Wait(int64(time.Hour))
		timer.Stop()
		if err := q.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wake()
	}
}
