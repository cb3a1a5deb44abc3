package memif

import "sync/atomic"

// head and publishTail are the server's side of a ring.
func (r *ring) head() uint16 { return uint16(atomic.LoadUint32(r.headWord) >> headWordShift) }

func (r *ring) publishTail(tail uint16) { atomic.StoreUint32(r.tailWord, uint32(tail)) }
