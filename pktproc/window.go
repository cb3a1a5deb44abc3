package pktproc

import (
	"encoding/binary"
	"math/bits"

	"shredder/pktproc/wire"
)

// The delivery window (RIFL: Lee et al., SOSP 2015): a datagram that changes
// something is executed at most once, however often it arrives. Its sequence
// number is taken before it is executed and its reply recorded after, until
// the client says by "first incomplete" that it needs the record no longer.

// verdict is what the window says about a datagram.
type verdict uint8

const (
	verdictNew     verdict = iota // execute it; its number is taken now
	verdictDone                   // executed: send the recorded reply
	verdictPending                // being executed
	verdictStale                  // below the window, or its record is gone
)

// recordHeader is what stands before a recorded reply's body: u16 body
// length, u8 operations, u8 status.
const recordHeader = 4

// advance moves the window's base to first, freeing records below it.
func (p *Processor) advance(s *session, t *tenant, first uint32) {
	n := first - s.base // first > base
	mask := ^uint64(0)
	if n < wire.WindowSize {
		mask = bits.RotateLeft64(1<<n-1, int(s.base&(wire.WindowSize-1)))
	}
	if mask&s.taken != 0 {
		p.freeRecords(s, t, mask)
		s.taken &^= mask
		s.pending &^= mask
	}
	s.base = first
	if t.results != nil {
		p.dropResults(t, s.id, first, false)
	}
}

// freeRecords frees the records of the window's places in mask.
func (p *Processor) freeRecords(s *session, t *tenant, mask uint64) {
	window := p.sessions.window(s)
	for done := s.taken &^ s.pending & mask; done != 0; done &= done - 1 {
		i := bits.TrailingZeros64(done)
		if ref := window[i]; ref != 0 {
			size := p.slabs.release(ref)
			p.n.RecordBytes -= uint64(size)
			if t != nil {
				t.recordSize -= size
			}
			window[i] = 0
		}
	}
}

// take judges seq, moving the window up if the client is ahead of it.
func (p *Processor) take(s *session, t *tenant, seq uint32) verdict {
	if seq < s.base {
		return verdictStale
	}
	if seq-s.base >= wire.WindowSize {
		p.advance(s, t, seq-(wire.WindowSize-1))
	}
	bit := uint64(1) << (seq & (wire.WindowSize - 1))
	if s.taken&bit == 0 {
		s.taken |= bit
		s.pending |= bit
		return verdictNew
	}
	if s.pending&bit != 0 {
		return verdictPending
	}
	if p.sessions.window(s)[seq&(wire.WindowSize-1)] == 0 {
		return verdictStale
	}
	return verdictDone
}

// record keeps the reply of seq: status and the ops in body. If there is no
// room, a duplicate will be STALE, but still not executed.
func (p *Processor) record(s *session, t *tenant, seq uint32, status wire.Status, ops int, body []byte) {
	if seq-s.base >= wire.WindowSize {
		return // the client has moved on
	}
	bit := uint64(1) << (seq & (wire.WindowSize - 1))
	s.pending &^= bit
	n := classOf(recordHeader + len(body))
	if n < 0 || t.recordSize+slotSizes[n] > p.cfg.Limits.RecordsPerTenant {
		p.n.Unrecorded++
		return
	}
	ref, slot := p.slabs.alloc(recordHeader + len(body))
	if ref == 0 {
		p.n.Unrecorded++
		return
	}
	binary.LittleEndian.PutUint16(slot, uint16(len(body)))
	slot[2], slot[3] = uint8(ops), uint8(status)
	copy(slot[recordHeader:], body)
	t.recordSize += slotSizes[n]
	p.n.RecordBytes += uint64(slotSizes[n])
	p.sessions.window(s)[seq&(wire.WindowSize-1)] = ref
}

// recorded returns what record kept for seq, borrowed.
func (p *Processor) recorded(s *session, seq uint32) (status wire.Status, ops int, body []byte) {
	slot := p.slabs.at(p.sessions.window(s)[seq&(wire.WindowSize-1)])
	n := int(binary.LittleEndian.Uint16(slot))
	return wire.Status(slot[3]), int(slot[2]), slot[recordHeader : recordHeader+n]
}
