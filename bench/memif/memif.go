// Package memif is a client of the memif shared-memory interface in pure Go:
// the traffic source of the benchmarks. DPDK's own client copies every frame
// and keeps mbufs; in a process of its own it could not offer a testpmd on the
// other CPU more frames than that served. Here frames are built ahead in the
// shared region, and sending one is writing its descriptor.
//
// A Queue owns its region and belongs to one thread; Dial may be called from
// any. It is a nic.Queue, so the load generator treats it as any device.
//
// The protocol is version 2.0, as DPDK's net_memif speaks it: a handshake of
// 128-byte messages over a Unix SOCK_SEQPACKET socket, then rings of
// descriptors in a memory file that the client made.
package memif

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"shredder/dataplane/nic"
)

// Config describes the connection. The zero value works with a server of DPDK
// started by --vdev=net_memif0,role=server.
type Config struct {
	// ID is the interface's id at the server (0).
	ID uint32
	// RingLog2 is the logarithm of the number of descriptors (10, DPDK's own).
	RingLog2 int
}

// Layout of the region: two rings, receive buffers, then transmit pools, carved
// off by Prepare. The file is sparse; what is not used costs nothing.
const (
	ringHeaderSize = 128
	descSize       = 16
	bufferSize     = 2048
	poolsSize      = 256 << 20
	lineSize       = 64
)

// Close looks closeTurns times at most, closePause nanoseconds apart, and
// leaves after closeQuiet turns without traffic.
const (
	closeTurns = 20_000
	closeQuiet = 100
	closePause = 50_000
)

// Queue is one memif connection with one ring in each direction.
type Queue struct {
	socket int
	events [2]int
	memory []byte

	tx, rx   ring
	size     uint16 // descriptors of each ring
	staged   uint16 // tx position of the next frame
	sent     uint16 // tx position published to the server
	consumed uint16 // tx position up to which the server has read
	received uint16 // rx position of the next reply
	posted   uint16 // rx position up to which buffers are lent to the server

	pools   []pool
	poolEnd int
	scratch int // pool of plain Alloc

	stats nic.Stats
}

// pool is a circle of transmit buffers, at least as many as the ring has
// descriptors. Frames leave in order, so a buffer's turn comes only when it has
// been read.
type pool struct {
	off, stride, length int
	next, count         int
}

var _ nic.Queue = (*Queue)(nil)

// Dial connects to the server that listens at path and returns when the link
// is up. An error of the server carries its text.
func Dial(path string, cfg Config) (*Queue, error) {
	if cfg.RingLog2 == 0 {
		cfg.RingLog2 = 10
	}
	if cfg.RingLog2 < 1 || cfg.RingLog2 > 14 {
		return nil, fmt.Errorf("memif: ring of 2^%d descriptors: DPDK takes 2^1 to 2^14", cfg.RingLog2)
	}
	q := &Queue{socket: -1, events: [2]int{-1, -1}, size: 1 << cfg.RingLog2}
	if err := q.connect(path, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("memif %s: %w", path, err), q.release())
	}
	return q, nil
}

// connect makes the region, lays the rings out and shakes hands.
func (q *Queue) connect(path string, cfg Config) error {
	ringSize := ringHeaderSize + int(q.size)*descSize
	buffersOff := (2*ringSize + 4095) &^ 4095
	q.poolEnd = buffersOff + int(q.size)*bufferSize
	file, err := unix.MemfdCreate("shredder-load", unix.MFD_ALLOW_SEALING)
	if err != nil {
		return err
	}
	defer unix.Close(file)
	regionSize := q.poolEnd + poolsSize
	if err := unix.Ftruncate(file, int64(regionSize)); err != nil {
		return err
	}
	q.memory, err = unix.Mmap(file, 0, regionSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	q.tx = newRing(q.memory[:ringSize])
	q.rx = newRing(q.memory[ringSize : 2*ringSize])
	for i := range q.size {
		q.rx.set(i, bufferSize, uint32(buffersOff+int(i)*bufferSize))
	}
	if q.scratch, err = q.Prepare(make([]byte, bufferSize), int(q.size)); err != nil {
		return err
	}
	for i := range q.events {
		if q.events[i], err = unix.Eventfd(0, unix.EFD_NONBLOCK); err != nil {
			return err
		}
	}
	if err := q.handshake(path, cfg, file, ringSize); err != nil {
		return err
	}
	// DPDK's server resets both rings when it connects: lend buffers only now.
	q.posted = q.size
	q.rx.publishHead(q.posted)
	return nil
}

// Prepare copies frame into a new pool of count transmit buffers, at least as many
// as the ring has descriptors, and returns the pool's number for AllocPrepared. It
// fails when the region is full.
func (q *Queue) Prepare(frame []byte, count int) (int, error) {
	count = max(count, int(q.size))
	stride := (len(frame) + lineSize - 1) &^ (lineSize - 1)
	end := q.poolEnd + stride*count
	if len(frame) > bufferSize || end > len(q.memory) {
		return 0, fmt.Errorf("memif: no room for a pool of frames of %d bytes", len(frame))
	}
	q.pools = append(q.pools, pool{off: q.poolEnd, stride: stride, length: len(frame), count: count})
	for off := q.poolEnd; off < end; off += stride {
		copy(q.memory[off:], frame)
	}
	q.poolEnd = end
	return len(q.pools) - 1, nil
}

// AllocPrepared is Alloc with a frame that holds what Prepare was given, but
// for what earlier borrowers changed in it.
func (q *Queue) AllocPrepared(number int) (nic.Frame, bool) {
	if q.staged-q.consumed == q.size {
		q.consumed = q.tx.tail()
		if q.staged-q.consumed == q.size {
			q.stats.NoBuffer++
			return nic.Frame{}, false
		}
	}
	p := &q.pools[number]
	off := p.off + p.next*p.stride
	if p.next++; p.next == p.count {
		p.next = 0
	}
	return nic.Frame{Data: q.memory[off : off+p.stride : off+p.stride], Len: p.length, Handle: uintptr(off)}, true
}

// Alloc lends a transmit buffer of 2,048 bytes; see nic.Queue. Every frame
// allocated must be sent or freed before the next one is allocated.
func (q *Queue) Alloc() (nic.Frame, bool) { return q.AllocPrepared(q.scratch) }

// Send stages f; see nic.Queue.
func (q *Queue) Send(f nic.Frame) {
	q.tx.set(q.staged&(q.size-1), uint32(f.Len), uint32(f.Handle))
	q.staged++
	q.stats.TxFrames++
	q.stats.TxBytes += uint64(f.Len)
}

// Free gives f back unsent: its buffer's turn comes again a circle later.
func (q *Queue) Free(nic.Frame) {}

// Flush shows the staged frames to the server.
func (q *Queue) Flush() {
	if q.staged != q.sent {
		q.sent = q.staged
		q.tx.publishHead(q.sent)
	}
}

// RxBurst sends what is staged and receives; see nic.Queue.
func (q *Queue) RxBurst(b *nic.Burst) int {
	q.Flush()
	n := min(int(q.rx.tail()-q.received), nic.BurstSize)
	for i := range n {
		length, off := q.rx.get((q.received + uint16(i)) & (q.size - 1))
		end := off + bufferSize
		b.Frames[i] = nic.Frame{Data: q.memory[off:end:end], Len: int(min(length, bufferSize)), Handle: uintptr(off)}
		q.stats.RxBytes += uint64(length)
	}
	b.N = n
	q.received += uint16(n)
	q.stats.RxFrames += uint64(n)
	return n
}

// TxBurst sends copies of the frames marked Reply and lends all buffers of b to
// the server again; see nic.Queue.
func (q *Queue) TxBurst(b *nic.Burst) {
	for i := range b.N {
		f := &b.Frames[i]
		if f.Verdict == nic.Reply {
			reply, ok := q.Alloc()
			if !ok {
				q.stats.TxDropped++
				continue
			}
			reply.Len = copy(reply.Data, f.Data[:f.Len])
			q.Send(reply)
		}
	}
	for range b.N {
		slot := q.posted & (q.size - 1)
		_, off := q.rx.get(slot)
		q.rx.set(slot, bufferSize, off)
		q.posted++
	}
	if b.N > 0 {
		q.rx.publishHead(q.posted)
	}
	b.N = 0
}

// Wait sleeps: memif clients of this package poll.
func (q *Queue) Wait(nanos int64) {
	pause := unix.NsecToTimespec(min(nanos, 50_000))
	_ = unix.Nanosleep(&pause, nil) // woken early is allowed
}

// Capabilities of memif: no offloads, Ethernet's MTU.
func (q *Queue) Capabilities() nic.Capabilities { return nic.Capabilities{MTU: 1500} }

// Stats of the queue.
func (q *Queue) Stats() nic.Stats { return q.stats }

// Close waits until the server has read what was sent and has stopped replying
// (at most a second), takes leave of it and frees the region. A server of DPDK
// that is in the middle of a burst when its client leaves crashes.
func (q *Queue) Close() error {
	var b nic.Burst
	quiet := 0
	for range closeTurns {
		if n := q.RxBurst(&b); n > 0 || q.tx.tail() != q.sent {
			quiet = 0
		} else if quiet++; quiet > closeQuiet {
			break
		}
		q.TxBurst(&b)
		q.Wait(closePause)
	}
	q.disconnect()
	return q.release()
}

func (q *Queue) release() error {
	var errs []error
	for _, fd := range []int{q.socket, q.events[0], q.events[1]} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	if q.memory != nil {
		errs = append(errs, unix.Munmap(q.memory))
		q.memory = nil
	}
	return errors.Join(errs...)
}
