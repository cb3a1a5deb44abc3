package store

// Limits of keys and values in bytes.
const (
	MaxKeyLen    = 1024
	MaxValueSize = 16 << 20
	// MaxInt is the first integer that is no integer key (JavaScript's safe integers end below it).
	MaxInt = 1 << 53
)

// Key is a key: an integer below MaxInt if Bytes is nil, else those bytes. A byte
// key that is the canonical decimal text of such an integer is that integer,
// as with JavaScript's properties; BytesKey sees to it.
type Key struct {
	Int   uint64
	Bytes []byte
}

// IntKey is the key of n, which must be below MaxInt.
func IntKey(n uint64) Key { return Key{Int: n} }

// BytesKey is the key that b spells. It borrows b. An empty b gives a key that is
// not Valid.
func BytesKey(b []byte) Key {
	if n, ok := canonicalInt(b); ok {
		return Key{Int: n}
	}
	if b == nil {
		b = []byte{}
	}
	return Key{Bytes: b}
}

// Valid tells whether the key is one that the store takes: an integer below
// MaxInt or 1 to MaxKeyLen bytes.
func (k Key) Valid() bool {
	if k.Bytes == nil {
		return k.Int < MaxInt
	}
	return len(k.Bytes) >= 1 && len(k.Bytes) <= MaxKeyLen
}

// canonicalInt reads decimal text without sign or leading zeros below MaxInt.
func canonicalInt(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 16 || (b[0] == '0' && len(b) > 1) {
		return 0, false
	}
	n := uint64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, n < MaxInt
}
