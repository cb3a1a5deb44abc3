package store

import (
	"bytes"
	"math"
	"strconv"
)

// parseInt reads a decimal int64 as Redis does: no sign but '-', no leading zeros, no spaces.
func parseInt(b []byte) (int64, bool) {
	digits := b
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || (digits[0] == '0' && len(b) > 1) {
		return 0, false
	}
	n := uint64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	if negative {
		return -int64(n), n <= 1<<63
	}
	return int64(n), n <= math.MaxInt64
}

// plus adds delta to the decimal text that a key holds, nothing counting as 0.
func plus(old Entry, delta int64) (int64, Result) {
	n := int64(0)
	if old.Version != 0 {
		var ok bool
		if n, ok = parseInt(old.Value); !ok {
			return 0, NotInteger
		}
	}
	sum := n + delta
	if (delta > 0 && sum < n) || (delta < 0 && sum > n) {
		return 0, Overflow
	}
	return sum, OK
}

// Incr adds delta to the decimal int64 that k holds (absent: 0), as Redis' INCRBY,
// keeping its expiry, and returns the sum and the new version.
func (s *Shard) Incr(k Key, delta int64, now int64) (int64, uint64, Result) {
	_, e, r := s.find(s.Hash(k), k)
	if r == Corrupt {
		return 0, 0, r
	}
	sum, r := plus(current(e, r, now), delta)
	if r != OK {
		return 0, 0, r
	}
	var text [20]byte
	version, r := s.Set(k, strconv.AppendInt(text[:0], sum, 10), SetOptions{KeepExpire: true}, now)
	return sum, version, r
}

// Swap makes k hold next if it holds expected, keeping its expiry.
// Conflict returns the current version.
func (s *Shard) Swap(k Key, expected, next []byte, now int64) (uint64, Result) {
	_, e, r := s.find(s.Hash(k), k)
	if r == Corrupt {
		return 0, r
	}
	old := current(e, r, now)
	if old.Version == 0 {
		return 0, Missing
	}
	if !bytes.Equal(old.Value, expected) {
		return old.Version, Conflict
	}
	return s.Set(k, next, SetOptions{KeepExpire: true}, now)
}
