// Package nic is the contract between a driver and the data plane: a Queue
// moves bursts of Ethernet frames between a device and one lcore.
//
// A Queue and every Burst and Frame that it fills belong to one lcore: no
// method may be called from two threads. Frame memory is the driver's; who may
// touch it, and until when, is said at each method.
package nic

// BurstSize is the most frames that one turn receives. 32 is what vector
// receive paths of DPDK drivers want (i40e: at least 4, best 32).
const BurstSize = 32

// Verdict is what TxBurst does with a frame of the burst.
type Verdict uint8

const (
	// Drop frees the frame. It is the zero value, so a frame that nobody
	// claimed is freed, never leaked.
	Drop Verdict = iota
	// Reply sends the frame's first Len bytes back out of the same queue.
	Reply
)

// Checksum is what the device knows about a received frame's checksums.
type Checksum uint8

const (
	// ChecksumUnknown: nobody looked. The data plane verifies in software.
	ChecksumUnknown Checksum = iota
	// ChecksumGood: the device or the kernel verified both IP and UDP.
	ChecksumGood
	// ChecksumBad: the device saw a wrong checksum. The frame is to be dropped.
	ChecksumBad
)

// Frame is one Ethernet frame in driver memory, starting at the destination
// MAC address, without the frame check sequence.
type Frame struct {
	// Data is the frame's whole room: Data[:Len] are the bytes received, and
	// up to len(Data) may be written for a reply.
	Data []byte
	// Len is the frame's length in bytes; a reply sets it.
	Len int
	// Verdict is Drop until somebody sets it.
	Verdict Verdict
	// Checksum is the device's word on the received bytes.
	Checksum Checksum
	// Handle is the driver's own mark (an mbuf's address, a slot's number).
	// Others carry it along and never interpret it.
	Handle uintptr
}

// Burst is the frames of one turn of the loop, in order of arrival.
type Burst struct {
	// N is the number of frames.
	N int
	// Frames holds N frames; what stands behind them is undefined.
	Frames [BurstSize]Frame
}

// Capabilities says what the device does for the data plane.
type Capabilities struct {
	// TxChecksumUDP: the device writes UDP checksums itself, so a reply may
	// leave its UDP checksum field as it is.
	TxChecksumUDP bool
	// TxChecksumIPv4: the same for the IPv4 header checksum.
	TxChecksumIPv4 bool
	// MTU is the largest IP packet in bytes (1500 on Ethernet).
	MTU int
}

// Stats counts what passed a queue since it was opened.
type Stats struct {
	RxFrames, RxBytes uint64
	TxFrames, TxBytes uint64
	// TxDropped counts frames that the device had no room for. A reply lost
	// here is a reply lost on the network: the client asks again.
	TxDropped uint64
	// NoBuffer counts calls of Alloc that found no buffer.
	NoBuffer uint64
}

// Queue is one receive and transmit queue pair of a device.
type Queue interface {
	// RxBurst empties b, sends what TxBurst and Send left staged, and receives
	// up to BurstSize frames without waiting. The frames belong to the caller until TxBurst.
	// It returns b.N.
	RxBurst(b *Burst) int
	// TxBurst takes ownership of every frame in b and leaves b empty: frames
	// marked Reply are staged in order, the rest are freed. Staged frames
	// leave with the next RxBurst or Flush, so that one crossing into the
	// driver serves both directions.
	TxBurst(b *Burst)
	// Alloc lends an empty frame of the queue for a reply that has no received
	// frame to live in, or false if there is none now. It ends in Send or Free.
	Alloc() (Frame, bool)
	// Send stages f[:Len] and takes ownership of it.
	Send(f Frame)
	// Free gives an allocated frame back unsent.
	Free(f Frame)
	// Flush sends what is staged now. The loop calls it before anything long.
	Flush()
	// Wait blocks until a frame may have arrived or the time has passed. It may
	// return early for no reason. Only an adaptive loop that has been idle calls it.
	Wait(nanos int64)
	// Capabilities is constant for the life of the queue.
	Capabilities() Capabilities
	// Stats is exact when called on the queue's own lcore and may be a little old elsewhere.
	Stats() Stats
	// Close frees everything the queue holds, staged frames included.
	Close() error
}
