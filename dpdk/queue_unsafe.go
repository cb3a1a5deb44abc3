//go:build dpdk

package dpdk

// #cgo noescape shred_turn
// #cgo nocallback shred_turn
// #cgo noescape shred_flush
// #cgo nocallback shred_flush
// #include "queue.h"
import "C"

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"shredder/dataplane/nic"
)

// The C burst and checksum values must be nic's.
var (
	_ [C.SHRED_BURST - nic.BurstSize]struct{}
	_ [nic.BurstSize - C.SHRED_BURST]struct{}
)

// queueView is Go's sight of a C queue: everything here is C memory, written by
// one lcore, either in Go or inside a crossing.
type queueView struct {
	c      *C.struct_shred_queue
	handle C.uintptr_t
}

func (v *queueView) open(p *Port, i int, txChecksum bool) bool {
	offload := C.int(0)
	if txChecksum {
		offload = 1
	}
	v.c = C.shred_queue_new(p.id, C.uint16_t(i), p.pool.c, offload, p.info.socket)
	v.handle = C.uintptr_t(uintptr(unsafe.Pointer(v.c)))
	return v.c != nil
}

// turn crosses into C and lays the received frames out in frames.
func (v *queueView) turn(frames *[nic.BurstSize]nic.Frame) int {
	C.shred_turn(v.handle)
	n := int(v.c.rx_n)
	for i := 0; i < n && i < nic.BurstSize; i++ {
		slot := &v.c.rx[i]
		f := &frames[i]
		f.Data = unsafe.Slice((*byte)(slot.data), int(slot.room))
		f.Len = int(slot.len)
		f.Verdict = nic.Drop
		f.Checksum = nic.Checksum(slot.checksum)
		f.Handle = uintptr(slot.mbuf)
	}
	return n
}

func (v *queueView) flush() { C.shred_flush(v.handle) }

func (v *queueView) takeSpare() (nic.Frame, bool) {
	if v.c.spare_n == 0 {
		return nic.Frame{}, false
	}
	v.c.spare_n--
	slot := &v.c.spare[v.c.spare_n%C.SHRED_SPARE]
	return nic.Frame{
		Data:   unsafe.Slice((*byte)(slot.data), int(slot.room)),
		Handle: uintptr(slot.mbuf),
	}, true
}

// stage queues a frame to be sent; a full stage is flushed first.
func (v *queueView) stage(handle uintptr, frameLen int) {
	if v.c.staged_n == C.SHRED_STAGED {
		v.flush()
	}
	i := v.c.staged_n % C.SHRED_STAGED
	v.c.staged[i] = C.uintptr_t(handle)
	v.c.staged_len[i] = C.uint32_t(frameLen)
	v.c.staged_n++
}

// stageReplies is stage for the frames up to the first that is not a good reply. It
// returns how many these were: mostly all.
func (v *queueView) stageReplies(frames []nic.Frame) int {
	if int(v.c.staged_n)+len(frames) > C.SHRED_STAGED {
		v.flush()
	}
	mbufs := v.c.staged[v.c.staged_n%C.SHRED_STAGED:]
	lens := v.c.staged_len[v.c.staged_n%C.SHRED_STAGED:]
	n := 0
	for i := range frames {
		f := &frames[i]
		if f.Verdict != nic.Reply || uint(f.Len-1) >= uint(len(f.Data)) || i >= len(mbufs) || i >= len(lens) {
			break
		}
		mbufs[i] = C.uintptr_t(f.Handle)
		lens[i] = C.uint32_t(f.Len)
		n++
	}
	v.c.staged_n += C.uint32_t(n)
	return n
}

// drop queues a frame to be freed.
func (v *queueView) drop(handle uintptr) {
	if v.c.dropped_n == C.SHRED_DROPPED {
		v.flush()
	}
	v.c.dropped[v.c.dropped_n%C.SHRED_DROPPED] = C.uintptr_t(handle)
	v.c.dropped_n++
}

// freeNow frees a frame that outlived its queue.
func (v *queueView) freeNow(handle uintptr) { C.rte_pktmbuf_free(mbuf(handle)) }

func (v *queueView) stats() nic.Stats {
	return nic.Stats{
		RxFrames: load(&v.c.rx_frames), RxBytes: load(&v.c.rx_bytes),
		TxFrames: load(&v.c.tx_frames), TxBytes: load(&v.c.tx_bytes),
		TxDropped: load(&v.c.tx_dropped),
	}
}

func (v *queueView) unfit() uint64 { return load(&v.c.rx_unfit) }

func (v *queueView) close() {
	C.shred_queue_free(v.c)
	v.c, v.handle = nil, 0
}

// load reads a counter that C publishes with relaxed atomic stores.
func load(p *C.uint64_t) uint64 { return atomic.LoadUint64((*uint64)(p)) }

// mbuf turns a handle, which is the address of C memory, back into a pointer.
func mbuf(handle uintptr) *C.struct_rte_mbuf {
	return *(**C.struct_rte_mbuf)(unsafe.Pointer(&handle))
}

func sleep(nanos int64) {
	if nanos <= 0 {
		return
	}
	t := unix.NsecToTimespec(nanos)
	unix.Nanosleep(&t, nil) // woken early is as good
}

// stock is the number of mbufs in the queue's hands that no frame shows.
func (v *queueView) stock() int { return int(v.c.spare_n + v.c.dropped_n + v.c.staged_n) }
