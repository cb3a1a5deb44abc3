package memif

import (
	"sync/atomic"
	"unsafe"
)

// ring is a view of one ring in the region:
//
//	0   u32 cookie, u16 flags (bit 0: no interrupts wanted), u16 head
//	64  u16 tail
//	128 descriptors: u16 flags, u16 region, u32 length, u32 offset, u32 metadata
//
// Head and tail are reached as 32-bit words, for which Go has atomics; the
// neighbours of each never change after the handshake.
type ring struct {
	headWord, tailWord *uint32
	descs              []desc
}

type desc struct {
	flags, region            uint16
	length, offset, metadata uint32
}

const (
	headWordOff   = 4
	tailWordOff   = 64
	noInterrupts  = 1
	headWordShift = 16
)

// newRing writes an empty ring into memory, which must be 64-byte aligned and
// hold the header and whole descriptors.
func newRing(memory []byte) ring {
	base := unsafe.Pointer(unsafe.SliceData(memory))
	*(*uint32)(base) = ringCookie
	r := ring{
		headWord: (*uint32)(unsafe.Add(base, headWordOff)),
		tailWord: (*uint32)(unsafe.Add(base, tailWordOff)),
		descs:    unsafe.Slice((*desc)(unsafe.Add(base, ringHeaderSize)), (len(memory)-ringHeaderSize)/descSize),
	}
	r.publishHead(0)
	return r
}

// publishHead shows the other side all descriptors before head.
func (r *ring) publishHead(head uint16) {
	atomic.StoreUint32(r.headWord, noInterrupts|uint32(head)<<headWordShift)
}

// tail is how far the server has come.
func (r *ring) tail() uint16 { return uint16(atomic.LoadUint32(r.tailWord)) }

func (r *ring) set(slot uint16, length, offset uint32) {
	r.descs[slot] = desc{length: length, offset: offset}
}

func (r *ring) get(slot uint16) (length, offset uint32) {
	d := &r.descs[slot]
	return d.length, d.offset
}
