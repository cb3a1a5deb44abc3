// Package store owns a tenant's data: a hash table in the tenant's arena, one
// file per operation, and the overlay in which an invocation gathers its writes.
//
// A Shard has one writer, its tenant's home lcore, which is also its only
// reader. Open and Close belong to control threads, before the lcore has it and
// after it let go. Times are unix milliseconds, given by the caller. Nothing but
// Open, Close and the growth of the allocator's books allocates Go memory.
//
// Bytes of the arena are input: a bad ref, length or chain gives Corrupt, never a
// panic or a read outside.
package store

import (
	"encoding/binary"
	"math/rand/v2"

	"shredder/internal/invariant"
	"shredder/store/arena"
	"shredder/store/layout"
)

// Result is how an operation ended.
type Result uint8

const (
	OK         Result = iota
	Missing           // no such key
	Conflict          // ifVersion or the expected value did not match
	NotInteger        // INCR of a value that is no decimal int64
	Overflow          // INCR left the int64 range
	TooLarge          // a key or value above its limit, or an empty key
	Full              // quota or budget used up; reads and deletions go on
	Limit             // the overlay's limits
	Corrupt           // the arena is damaged
)

var resultNames = [...]string{"OK", "missing", "conflict", "not an integer", "overflow", "too large", "full", "limit", "corrupt"}

// String returns the result's name.
func (r Result) String() string { return resultNames[r] }

// Entry is what a key holds. Value is borrowed until the shard's next mutation,
// within an invocation until its overlay's end.
type Entry struct {
	Value        []byte
	Version      uint64
	ExpireMillis int64 // 0: never
}

// Config says how a shard is made.
type Config struct {
	// Quota is the arena's size in bytes: entries, index and rounding included.
	Quota uint64
	// Seed perturbs the hash; 0 draws one.
	Seed uint64
	// Budget, if not nil, is what all arenas of the process share.
	Budget *arena.Budget
}

// Shard is one tenant's table.
type Shard struct {
	// What a lookup needs fills one cache line: it touches that, the bucket and the
	// entry. Some are the header's words, kept beside the mapping too.
	mem         []byte // the arena's mapping
	moved       uint64 // counts what makes a Spot void: entries unlinked or moved; 32 bits are looked at
	seed        uint64
	index       uint32
	mask, split uint64

	a         *arena.Arena
	count     uint64
	version   uint64
	valueSize uint64 // bytes of keys and values
	corrupt   bool
	starved   bool // a write has found no room: wants compact
	overlay   Overlay
	sweepAt   uint64 // bucket where the expiry sweep goes on
	expiring  uint64 // entries with an expiry
	owner     invariant.Owner
	_         [shardPad]byte
}

// shardPad makes Shard 256 bytes, which the allocator aligns to a cache line.
const shardPad = 16

// initialMask: the first 32 buckets share the first page with the header.
const initialMask = 31

// Open makes an empty shard.
func Open(cfg Config) (*Shard, error) {
	a, err := arena.Open(cfg.Quota, cfg.Budget)
	if err != nil {
		return nil, err
	}
	s := &Shard{a: a, mem: a.Mem(), seed: cfg.Seed, index: layout.HeaderSize}
	for s.seed == 0 {
		s.seed = rand.Uint64()
	}
	s.mask = initialMask
	s.begin()
	s.overlay.s = s
	return s, nil
}

// begin writes the header of an empty arena.
func (s *Shard) begin() {
	h := s.mem[:layout.HeaderSize]
	binary.LittleEndian.PutUint64(h[layout.OffMagic:], layout.Magic)
	binary.LittleEndian.PutUint64(h[layout.OffSeed:], s.seed)
	s.publish()
}

// publish writes the header's words for readers of the arena.
func (s *Shard) publish() {
	h := s.mem[:layout.HeaderSize]
	binary.LittleEndian.PutUint32(h[layout.OffIndex:], s.index)
	binary.LittleEndian.PutUint32(h[layout.OffMask:], uint32(s.mask))
	binary.LittleEndian.PutUint32(h[layout.OffSplit:], uint32(s.split))
	binary.LittleEndian.PutUint64(h[layout.OffCount:], s.count)
	binary.LittleEndian.PutUint64(h[layout.OffVersion:], s.version)
}
