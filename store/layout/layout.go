// Package layout names every byte offset in a tenant's arena that more than one
// package reads: the Go store and, later, compiled functions that walk the
// same table. docs/store-layout.md draws them. It holds constants only.
package layout

// The arena begins with a header. Its words are written by the home lcore alone.
const (
	OffMagic     = 0  // u64: Magic
	OffCommitSeq = 8  // u64: odd while a commit is being applied
	OffIndex     = 16 // u32: ref of bucket 0
	OffMask      = 20 // u32: 2^k − 1 for the current round of linear hashing
	OffSplit     = 24 // u32: buckets below it have been split in this round
	OffSeed      = 32 // u64: the tenant's hash seed
	OffCount     = 40 // u64: entries, expired ones that nobody removed yet included
	OffVersion   = 48 // u64: the last version given
	HeaderSize   = 64

	// Magic marks an arena of this layout.
	Magic = 0x3152444452485331 // "1SHRDDR1"
)

// PageSize is the unit in which the arena is given to blocks and to the index.
const PageSize = 4096

// A bucket is one cache line: eight tags, eight refs, the ref of an overflow bucket.
const (
	BucketSize  = 64
	BucketSlots = 8
	OffTags     = 0  // u16 × BucketSlots: the hash's top bits, never 0 for a slot in use
	OffRefs     = 16 // u32 × BucketSlots
	OffOverflow = 48 // u32: ref of the next bucket, 0 for none
	// MaxChain is the longest chain of buckets; a longer one means a damaged arena.
	MaxChain = 64
)

// An entry is a header, the key padded to 8 bytes, the value.
const (
	OffEntryVersion  = 0  // u64
	OffEntryExpire   = 8  // i64: unix ms, 0 for never
	OffEntryValueLen = 16 // u32
	OffEntryKeyLen   = 20 // u16: bytes of key; 0 for an integer key
	OffEntryFlags    = 22 // u16
	OffEntryKey      = 24 // the u64 of an integer key, or the key's bytes
	EntryHeaderSize  = 24

	// FlagIntKey: the key is the u64 at OffEntryKey.
	FlagIntKey = 1
)

// Hash constants: multiply, xor and shift only, for emitted code has no wide
// product. They are those of splitmix64's finaliser (Steele, Lea, Flood 2014).
const (
	HashMul1 = 0xbf58476d1ce4e5b9
	HashMul2 = 0x94d049bb133111eb
	// TagShift brings the tag's 16 bits down; TagBit keeps it from being 0.
	TagShift = 48
	TagBit   = 1
)

// Compile-time checks: the parts fit where they are said to lie.
const (
	_ = uint(HeaderSize - (OffVersion + 8))
	_ = uint(OffRefs - (OffTags + 2*BucketSlots))
	_ = uint(OffOverflow - (OffRefs + 4*BucketSlots))
	_ = uint(BucketSize - (OffOverflow + 4))
	_ = uint(OffEntryKey - (OffEntryFlags + 2))
)
