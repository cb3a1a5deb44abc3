package store

import (
	"encoding/binary"
	"math/bits"

	"shredder/internal/prefetch"
	"shredder/store/arena"
	"shredder/store/layout"
)

// Hash is the key's hash under the shard's seed: splitmix64's finaliser over each
// word of the key.
func (s *Shard) Hash(k Key) uint64 {
	if k.Bytes == nil {
		return mix(k.Int ^ s.seed)
	}
	h := s.seed ^ uint64(len(k.Bytes))*layout.HashMul1
	b := k.Bytes
	for len(b) >= 8 {
		h = mix(h ^ binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	var last [8]byte
	copy(last[:], b)
	return mix(h ^ binary.LittleEndian.Uint64(last[:]) + layout.HashMul2)
}

func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= layout.HashMul1
	x ^= x >> 27
	x *= layout.HashMul2
	return x ^ x>>31
}

func tagOf(h uint64) uint16 { return uint16(h>>layout.TagShift) | layout.TagBit }

// bucketOf is linear hashing's one formula (Litwin 1980): buckets below split have
// been split in this round and use one more bit.
func (s *Shard) bucketOf(h uint64) uint64 {
	i := h & s.mask
	if i < s.split {
		i = h & (2*s.mask + 1)
	}
	return i
}

func (s *Shard) bucketRef(i uint64) uint32 { return s.index + uint32(i)*layout.BucketSize }

// bucket returns the bucket at ref, or nil if it leaves the arena.
func (s *Shard) bucket(ref uint32) *[layout.BucketSize]byte {
	if uint64(ref)+layout.BucketSize > uint64(len(s.mem)) {
		return nil
	}
	return (*[layout.BucketSize]byte)(s.mem[ref:])
}

// matchTags returns a bit for each of four tags in w that equals tag, at the top
// bit of its 16-bit lane. The lowest bit set is always true; one above a true one
// may be false (Mycroft's trick), so the entry's key decides.
func matchTags(w, tag uint64) uint64 {
	x := w ^ tag*0x0001000100010001
	return (x - 0x0001000100010001) & ^x & 0x8000800080008000
}

// slot is a place in a bucket.
type slot struct {
	bucket uint32
	at     uint32
	ref    uint32 // of the entry
}

// find looks a key up. With Missing, the slot is where its chain ends.
func (s *Shard) find(h uint64, k Key) (at slot, e entry, r Result) {
	ref := s.bucketRef(s.bucketOf(h))
	tag := uint64(tagOf(h))
	for range layout.MaxChain {
		b := s.bucket(ref)
		if b == nil {
			return slot{}, nil, s.damaged()
		}
		for half := uint32(0); half < 2; half++ {
			m := matchTags(binary.LittleEndian.Uint64(b[layout.OffTags+8*half:]), tag)
			for m != 0 {
				i := half*4 + uint32(bits.TrailingZeros64(m))/16
				m &= m - 1
				at = slot{bucket: ref, at: i, ref: binary.LittleEndian.Uint32(b[layout.OffRefs+4*i:])}
				if binary.LittleEndian.Uint16(b[layout.OffTags+2*i:]) != uint16(tag) {
					continue
				}
				e = s.entry(at.ref)
				if e == nil {
					return slot{}, nil, s.damaged()
				}
				if e.is(k) {
					return at, e, OK
				}
			}
		}
		next := binary.LittleEndian.Uint32(b[layout.OffOverflow:])
		if next == 0 {
			return slot{bucket: ref}, nil, Missing
		}
		ref = next
	}
	return slot{}, nil, s.damaged()
}

// damaged remembers that the arena's bytes make no sense.
func (s *Shard) damaged() Result {
	s.corrupt = true
	return Corrupt
}

// Corrupted tells whether damage has been seen since the last Flush.
func (s *Shard) Corrupted() bool { return s.corrupt }

// insert puts ref into the chain that begins at bucket ref, taking an overflow
// bucket if all of it is full. A chain of MaxChain full buckets, which no seed gives
// by chance, takes no more.
func (s *Shard) insert(ref uint32, tag uint16, entry uint32, reserved bool) (slot, Result) {
	for n := range layout.MaxChain {
		b := s.bucket(ref)
		if b == nil {
			return slot{}, s.damaged()
		}
		for i := range layout.BucketSlots {
			if binary.LittleEndian.Uint16(b[layout.OffTags+2*i:]) == 0 {
				binary.LittleEndian.PutUint16(b[layout.OffTags+2*i:], tag)
				binary.LittleEndian.PutUint32(b[layout.OffRefs+4*i:], entry)
				return slot{bucket: ref, at: uint32(i), ref: entry}, OK
			}
		}
		next := binary.LittleEndian.Uint32(b[layout.OffOverflow:])
		if next == 0 {
			if n == layout.MaxChain-1 {
				return slot{}, Full
			}
			var fresh uint32
			var ok bool
			if reserved {
				fresh, ok = s.a.AllocReserved(layout.BucketSize)
			} else {
				fresh, ok = s.a.Alloc(layout.BucketSize)
			}
			if !ok {
				return slot{}, Full
			}
			clear(s.bucket(fresh)[:])
			binary.LittleEndian.PutUint32(b[layout.OffOverflow:], fresh)
			next = fresh
		}
		ref = next
	}
	return slot{}, s.damaged()
}

// erase empties a slot.
func (s *Shard) erase(at slot) {
	b := s.bucket(at.bucket)
	binary.LittleEndian.PutUint16(b[layout.OffTags+2*at.at:], 0)
	binary.LittleEndian.PutUint32(b[layout.OffRefs+4*at.at:], 0)
}

// trim frees the empty overflow buckets at the end of a chain. Those before them stay,
// for a scan's cursor counts places.
func (s *Shard) trim(head uint32) Result {
	var chain [layout.MaxChain]uint32
	n, keep := 0, 1
	for ref := head; ref != 0; n++ {
		b := s.bucket(ref)
		if b == nil || n == layout.MaxChain {
			return s.damaged()
		}
		chain[n] = ref
		if binary.LittleEndian.Uint64(b[layout.OffTags:])|binary.LittleEndian.Uint64(b[layout.OffTags+8:]) != 0 {
			keep = n + 1
		}
		ref = binary.LittleEndian.Uint32(b[layout.OffOverflow:])
	}
	if keep == n {
		return OK
	}
	binary.LittleEndian.PutUint32(s.bucket(chain[keep-1])[layout.OffOverflow:], 0)
	for i := n - 1; i >= keep; i-- {
		if !s.a.Free(chain[i]) {
			return s.damaged()
		}
	}
	return OK
}

// buckets is how many buckets the index has.
func (s *Shard) buckets() uint64 { return s.mask + 1 + s.split }

// loadSlots is how many of a bucket's eight slots are used, on average, before the
// next is split: at 6 a chain is longer than one bucket for 14 % of the keys.
const loadSlots = 5

// grow splits one bucket if the table is loaded and the index may grow. It moves
// refs only, never entries. false: nothing to do, or no room (chains then get longer).
func (s *Shard) grow() bool {
	n := s.buckets()
	if s.count < n*loadSlots || s.corrupt || !s.reach(n+1) {
		return false
	}
	s.splitBucket(s.split, n)
	return !s.corrupt
}

// reach makes room for an index of n buckets. The first time that it does not fit
// behind the header, the index, 16 KiB then, moves.
func (s *Shard) reach(n uint64) bool {
	if s.index != layout.HeaderSize {
		return s.a.GrowFar(uint64(s.index) + n*layout.BucketSize)
	}
	if end := layout.HeaderSize + n*layout.BucketSize; end <= arena.NearEnd {
		return s.a.GrowNear(end)
	}
	far := s.a.Far()
	if !s.a.GrowFar(uint64(far) + n*layout.BucketSize) {
		return false
	}
	copy(s.mem[far:], s.mem[s.index:s.bucketRef(n-1)])
	s.index = far
	s.a.FreeNear()
	return true
}

// splitBucket moves the entries of bucket from that belong in bucket to, and frees
// the overflow buckets that it no longer needs.
func (s *Shard) splitBucket(from, to uint64) {
	var chain [layout.MaxChain]uint32
	length := 0
	type pair struct {
		ref uint32
		tag uint16
	}
	var all [layout.MaxChain * layout.BucketSlots]pair
	n := 0
	for ref := s.bucketRef(from); ref != 0; {
		b := s.bucket(ref)
		if b == nil || length == layout.MaxChain {
			s.damaged()
			return
		}
		chain[length] = ref
		length++
		for i := range layout.BucketSlots {
			if tag := binary.LittleEndian.Uint16(b[layout.OffTags+2*i:]); tag != 0 {
				all[n] = pair{binary.LittleEndian.Uint32(b[layout.OffRefs+4*i:]), tag}
				n++
			}
		}
		ref = binary.LittleEndian.Uint32(b[layout.OffOverflow:])
	}
	for _, p := range all[:n] { // look first, change after: damage must not lose half of a chain
		if s.entry(p.ref) == nil {
			s.damaged()
			return
		}
	}
	for i := length - 1; i > 0; i-- {
		if !s.a.Free(chain[i]) {
			s.damaged()
			return
		}
	}
	clear(s.bucket(s.bucketRef(from))[:])
	clear(s.bucket(s.bucketRef(to))[:])
	s.split++
	if s.split > s.mask {
		s.mask = 2*s.mask + 1
		s.split = 0
	}
	for _, p := range all[:n] {
		h := s.Hash(s.entry(p.ref).key())
		if _, r := s.insert(s.bucketRef(s.bucketOf(h)), p.tag, p.ref, true); r != OK {
			s.damaged()
		}
	}
}

// BucketLine is the address of a hash's bucket and FindSpot, which reads the bucket, that
// of the entry that its tag promises: in a burst's passes they are prefetched, so that
// the misses of all requests overlap. Nothing may be read at them. What FindSpot
// has found spares GetAt and SetAt the way through the bucket.
func (s *Shard) BucketLine(h uint64) uintptr {
	return prefetch.Address(&s.mem[0]) + uintptr(s.bucketRef(s.bucketOf(h)))
}

func (s *Shard) FindSpot(h uint64) (Spot, uintptr) {
	mem := s.mem
	at := uint64(s.bucketRef(s.bucketOf(h)))
	if at+layout.BucketSize > uint64(len(mem)) {
		return NoSpot, 0
	}
	b := (*[layout.BucketSize]byte)(mem[at:])
	tag := uint64(tagOf(h))
	m, i := matchTags(binary.LittleEndian.Uint64(b[layout.OffTags:]), tag), 0
	if m == 0 {
		if m = matchTags(binary.LittleEndian.Uint64(b[layout.OffTags+8:]), tag); m == 0 {
			return NoSpot, 0
		}
		i = 4
	}
	i = (i + bits.TrailingZeros64(m)/16) % layout.BucketSlots
	ref := uint64(binary.LittleEndian.Uint32(b[layout.OffRefs+4*i:]))
	return Spot(ref | s.moved<<32), prefetch.Address(&mem[0]) + uintptr(ref)
}
