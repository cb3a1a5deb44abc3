package pktproc

// Recorded replies live in slots of a few sizes, cut from chunks without
// pointers. A slot's number never moves.

// recordRef names a recorded reply: class in the top 3 bits, slot number + 1
// below. 0: none.
type recordRef uint32

const (
	refSlotBits = 29
	chunkSize   = 64 << 10
)

// slotSizes are the classes; the largest holds any reply's body. SET's is 16
// bytes, so most replies are in the first.
var slotSizes = [...]int{32, 64, 128, 256, 512, 1024, 1456}

const numClasses = len(slotSizes)

type slabClass struct {
	size     int
	perChunk int
	chunks   [][]byte
	free     []uint32
	used     int
}

// slabs is an lcore's store of recorded replies.
type slabs struct {
	classes [numClasses]slabClass
	size    uint64 // bytes of chunks
	limit   uint64
}

func newSlabs(limit uint64) slabs {
	s := slabs{limit: limit}
	for i := range s.classes {
		s.classes[i].size = slotSizes[i]
		s.classes[i].perChunk = chunkSize / slotSizes[i]
	}
	return s
}

func classOf(size int) int {
	for i, s := range slotSizes {
		if size <= s {
			return i
		}
	}
	return -1
}

// alloc takes a slot of at least size bytes. A new chunk, every 64 KiB of
// them, is the only allocation.
func (s *slabs) alloc(size int) (ref recordRef, slot []byte) {
	n := classOf(size)
	if n < 0 {
		return 0, nil
	}
	c := &s.classes[n]
	if len(c.free) == 0 && !s.grow(c) {
		return 0, nil
	}
	i := c.free[len(c.free)-1]
	c.free = c.free[:len(c.free)-1]
	c.used++
	return recordRef(n)<<refSlotBits | recordRef(i+1), c.slot(i)
}

func (s *slabs) grow(c *slabClass) bool {
	if s.size+chunkSize > s.limit {
		return false
	}
	s.size += chunkSize
	first := len(c.chunks) * c.perChunk
	c.chunks = append(c.chunks, make([]byte, chunkSize))
	for i := c.perChunk - 1; i >= 0; i-- {
		c.free = append(c.free, uint32(first+i))
	}
	return true
}

func (c *slabClass) slot(i uint32) []byte {
	at := int(i) % c.perChunk * c.size
	return c.chunks[int(i)/c.perChunk][at : at+c.size : at+c.size]
}

// at returns the slot of ref, which must not be 0.
func (s *slabs) at(ref recordRef) []byte {
	return s.classes[ref>>refSlotBits].slot(uint32(ref&(1<<refSlotBits-1)) - 1)
}

// release frees the slot and returns its size.
func (s *slabs) release(ref recordRef) int {
	c := &s.classes[ref>>refSlotBits]
	c.free = append(c.free, uint32(ref&(1<<refSlotBits-1))-1)
	c.used--
	return c.size
}
