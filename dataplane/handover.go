package dataplane

import "sync/atomic"

// A frame that lands on an lcore that is not its tenant's home is copied into
// the ring that leads there. Steering by the device makes this rare, so the copy
// (about 50 ns for a full frame) buys that no buffer is ever owned by two lcores.
const (
	// handoverSlots is the ring's length; a power of two.
	handoverSlots = 64
	// handoverSlotSize holds a frame of an MTU of 1500 with two VLAN tags (1522 bytes).
	handoverSlotSize = 1536
)

// handover is a single-producer, single-consumer ring of frames between two
// lcores (Lamport 1983). head and tail stand on cache lines of their own, and
// each side keeps a copy of the other's, so a push or a take usually touches no
// line that the other side writes.
type handover struct {
	head     atomic.Uint64 // next slot to take; written by the consumer
	tailSeen uint64        // the consumer's copy of tail
	_        [48]byte
	tail     atomic.Uint64 // next slot to fill; written by the producer
	headSeen uint64        // the producer's copy of head
	_        [48]byte
	sizes    [handoverSlots]uint16
	slots    [handoverSlots][handoverSlotSize]byte
}

// push copies frame into the ring, or reports false if the ring is full or the
// frame too long. Only the producer calls it.
func (h *handover) push(frame []byte) bool {
	if len(frame) > handoverSlotSize {
		return false
	}
	tail := h.tail.Load()
	if tail-h.headSeen == handoverSlots {
		h.headSeen = h.head.Load()
		if tail-h.headSeen == handoverSlots {
			return false
		}
	}
	i := tail % handoverSlots
	h.sizes[i] = uint16(copy(h.slots[i][:], frame))
	h.tail.Store(tail + 1)
	return true
}

// peek returns the oldest frame, borrowed until pop, or nil. Only the consumer
// calls it.
func (h *handover) peek() []byte {
	head := h.head.Load()
	if head == h.tailSeen {
		h.tailSeen = h.tail.Load()
		if head == h.tailSeen {
			return nil
		}
	}
	i := head % handoverSlots
	return h.slots[i][:h.sizes[i]:h.sizes[i]]
}

// pop releases the frame that peek returned.
func (h *handover) pop() { h.head.Store(h.head.Load() + 1) }

// inbox is the rings that lead to one lcore, rings[i] from lcore i; nil from itself.
// They take turns, a frame each, so that none that is flooded keeps others waiting.
type inbox struct {
	rings []*handover
	at    int // whose turn it is
}

// next returns a ring that has a frame, and that frame, as peek does; nil: none has.
func (in *inbox) next() (*handover, []byte) {
	for range in.rings {
		ring := in.rings[in.at]
		if in.at++; in.at == len(in.rings) {
			in.at = 0
		}
		if ring == nil {
			continue
		}
		if frame := ring.peek(); frame != nil {
			return ring, frame
		}
	}
	return nil, nil
}
