// Package udp is the nic driver for machines without DPDK: a kernel UDP socket
// served in bursts by recvmmsg and sendmmsg. It makes Ethernet frames of
// datagrams, so that the data plane sees the same thing from every driver: the
// headers in front of a payload are built from the socket addresses, and a
// frame to send gives its destination by its headers.
//
// One Queue serves one socket address. It belongs to one lcore; Stats, Address
// and InUse may be called from anywhere.
package udp

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"shredder/dataplane/nic"
)

// Config describes a queue. Zero values mean the defaults named.
type Config struct {
	// Address to listen on. An unspecified IPv6 address also receives IPv4. Port 0
	// lets the kernel choose.
	Address netip.AddrPort
	// Buffers is the number of frames (1024).
	Buffers int
	// SocketBuffer is the size asked for each direction, in bytes (8 MiB). The
	// kernel may grant less to a process without CAP_NET_ADMIN.
	SocketBuffer int
	// MTU is the largest IP packet in bytes (1500). Longer datagrams are dropped.
	MTU int
}

// serverMAC and peerMAC stand in for addresses that a socket does not show.
var (
	serverMAC = [6]byte{2, 0, 0, 0, 0, 1}
	peerMAC   = [6]byte{2, 0, 0, 0, 0, 2}
)

// Queue is a socket as a nic.Queue.
type Queue struct {
	fd     int
	local  netip.AddrPort // as bound
	ipv6   bool           // the socket's family
	any    bool           // bound to all addresses: each datagram tells its own
	shared []*Queue       // those of other lcores, on the same address
	caps   nic.Capabilities
	mem    []byte
	room   int
	free   []int // slots to lend
	rx     receiver
	tx     transmitter
	lent   []bool
	stats  counters
	inUse  atomic.Int64
	bell   bell
	closed bool
}

var _ nic.Queue = (*Queue)(nil)

type counters struct {
	rxFrames, rxBytes, txFrames, txBytes, txDropped, noBuffer, truncated atomic.Uint64
}

// Open makes and binds the socket.
func Open(c Config) (*Queue, error) {
	if !c.Address.IsValid() {
		return nil, errors.New("udp: no address to listen on")
	}
	c.Buffers = orDefault(c.Buffers, 1024)
	c.SocketBuffer = orDefault(c.SocketBuffer, 8<<20)
	c.MTU = orDefault(c.MTU, 1500)
	if c.Buffers < 2*nic.BurstSize || c.MTU < 576 || c.MTU > 65535 {
		return nil, fmt.Errorf("udp: %d buffers and an MTU of %d: at least %d buffers and 576 to 65535 bytes are needed", c.Buffers, c.MTU, 2*nic.BurstSize)
	}
	q := &Queue{
		ipv6: !c.Address.Addr().Unmap().Is4(),
		any:  c.Address.Addr().IsUnspecified(),
		caps: nic.Capabilities{TxChecksumUDP: true, TxChecksumIPv4: true, MTU: c.MTU},
		// Headers for IPv6 before any payload; one byte more than fits tells a datagram that is too long.
		room: (headerRoom + c.MTU + 63) / 64 * 64,
	}
	if err := q.openSocket(c); err != nil {
		return nil, fmt.Errorf("udp: listen on %v: %w", c.Address, err)
	}
	if err := q.bell.open(); err != nil {
		unix.Close(q.fd)
		return nil, fmt.Errorf("udp: %w", err)
	}
	q.mem = make([]byte, c.Buffers*q.room)
	q.free = make([]int, 0, c.Buffers)
	q.lent = make([]bool, c.Buffers)
	for i := c.Buffers - 1; i >= 0; i-- {
		q.free = append(q.free, i)
	}
	q.rx.init(q)
	q.tx.init(q)
	return q, nil
}

func (q *Queue) openSocket(c Config) (err error) {
	family := unix.AF_INET
	if q.ipv6 {
		family = unix.AF_INET6
	}
	q.fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			unix.Close(q.fd)
		}
	}()
	setBuffer(q.fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, c.SocketBuffer)
	setBuffer(q.fd, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, c.SocketBuffer)
	if q.any && q.ipv6 {
		err = errors.Join(
			unix.SetsockoptInt(q.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0),
			unix.SetsockoptInt(q.fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1))
	} else if q.any {
		err = unix.SetsockoptInt(q.fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
	}
	if err != nil {
		return err
	}
	if err = unix.Bind(q.fd, sockaddr(c.Address, q.ipv6)); err != nil {
		return err
	}
	bound, err := unix.Getsockname(q.fd)
	if err != nil {
		return err
	}
	q.local = fromSockaddr(bound)
	return nil
}

// setBuffer asks for a size that only a privileged process gets in full.
func setBuffer(fd, force, polite, size int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, size) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, polite, size) // less is as good as it gets
	}
}

// Address is where the socket is bound, with the port that the kernel chose.
func (q *Queue) Address() netip.AddrPort { return q.local }

// MAC is the address of the server in the frames that the driver makes.
func (q *Queue) MAC() [6]byte { return serverMAC }

// RxBurst is one sendmmsg, if anything is staged, and one recvmmsg.
func (q *Queue) RxBurst(b *nic.Burst) int {
	if b.N != 0 {
		q.TxBurst(b)
	}
	if q.closed {
		return 0
	}
	q.tx.send(q)
	q.rx.receive(q, b)
	return b.N
}

// TxBurst stages replies and frees the rest.
func (q *Queue) TxBurst(b *nic.Burst) {
	for i := range b.Frames[:b.N] {
		f := &b.Frames[i]
		if f.Verdict == nic.Reply {
			q.stage(f)
		} else {
			q.release(f.Handle)
		}
	}
	b.N = 0
}

// Alloc lends a frame.
func (q *Queue) Alloc() (nic.Frame, bool) {
	if q.closed {
		return nic.Frame{}, false
	}
	if len(q.free) == 0 {
		q.tx.send(q) // what is staged holds buffers
	}
	if len(q.free) == 0 {
		q.stats.noBuffer.Add(1)
		return nic.Frame{}, false
	}
	slot := q.take()
	start, end := slot*q.room, (slot+1)*q.room
	return nic.Frame{Data: q.mem[start:end:end], Handle: uintptr(slot + 1)}, true
}

// take takes a free slot.
func (q *Queue) take() int {
	last := len(q.free) - 1
	slot := q.free[last]
	q.free = q.free[:last]
	q.lent[slot] = true
	q.inUse.Add(1)
	return slot
}

// release gives a slot back.
func (q *Queue) release(handle uintptr) {
	slot := int(handle) - 1
	if slot < 0 || slot >= len(q.lent) || !q.lent[slot] {
		panic(fmt.Sprintf("udp: frame with handle %d is not lent by this queue", handle))
	}
	q.lent[slot] = false
	q.free = append(q.free, slot)
	q.inUse.Add(-1)
}

// Send stages f.
func (q *Queue) Send(f nic.Frame) { q.stage(&f) }

// Free gives f back.
func (q *Queue) Free(f nic.Frame) { q.release(f.Handle) }

// stage reads the destination from the frame's headers. A frame that is no UDP
// datagram of its length cannot leave through a socket: dropped and counted.
func (q *Queue) stage(f *nic.Frame) {
	if q.closed || f.Len <= 0 || f.Len > len(f.Data) || !q.tx.stage(q, f) {
		q.stats.txDropped.Add(1)
		q.release(f.Handle)
	}
}

// Flush is one sendmmsg.
func (q *Queue) Flush() {
	if !q.closed {
		q.tx.send(q)
	}
}

// Wait blocks until the socket is readable.
func (q *Queue) Wait(nanos int64) {
	if q.closed || nanos <= 0 {
		return
	}
	q.tx.send(q)
	q.rx.wait(q, nanos)
}

// Capabilities: the kernel writes checksums.
func (q *Queue) Capabilities() nic.Capabilities { return q.caps }

// Stats may be called from any goroutine.
func (q *Queue) Stats() nic.Stats {
	s := &q.stats
	return nic.Stats{
		RxFrames: s.rxFrames.Load(), RxBytes: s.rxBytes.Load(),
		TxFrames: s.txFrames.Load(), TxBytes: s.txBytes.Load(),
		TxDropped: s.txDropped.Load(), NoBuffer: s.noBuffer.Load(),
	}
}

// Truncated counts datagrams that were longer than the MTU and were dropped.
func (q *Queue) Truncated() uint64 { return q.stats.truncated.Load() }

// InUse is the number of frames that are lent or staged: 0 when nothing leaked.
func (q *Queue) InUse() int { return int(q.inUse.Load()) }

// Close closes the socket and frees what is staged. Frames still lent may be
// given back afterwards.
func (q *Queue) Close() error {
	if q.closed {
		return nil
	}
	q.closed = true
	q.tx.drop(q)
	q.rx.drop(q)
	q.bell.close()
	if err := unix.Close(q.fd); err != nil {
		return fmt.Errorf("udp: close: %w", err)
	}
	return nil
}

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}
