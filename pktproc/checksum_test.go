package pktproc

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestChecksum compares the sums with RFC 1071 as written, for all lengths.
func TestChecksum(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 1600 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
			if n%3 == 0 {
				b[i] = 0xff
			}
		}
		got := fold(addSum(0, b))
		if want := swap16(naiveSum(0, b)); got != want {
			t.Fatalf("%d bytes: %04x, want %04x", n, got, want)
		}
		length := n + udpHeader
		addrs := make([]byte, 8+24*(n&1))
		for i := range addrs {
			addrs[i] = byte(rng.Uint32())
		}
		want := naiveSum(uint32(naiveSum(0, addrs))+17+uint32(length), b)
		if got := fold(addSum(pseudoSum(addrs, 17, length), b)); got != swap16(want) {
			t.Fatalf("%d bytes with pseudo-header: %04x, want %04x", n, got, swap16(want))
		}
	}
}

func TestIncrementalChecksum(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		b := make([]byte, 20)
		for i := range b {
			b[i] = byte(rng.Uint32() >> (rng.Uint32() & 31))
		}
		binary.BigEndian.PutUint16(b[10:], 0)
		binary.BigEndian.PutUint16(b[10:], ^naiveSum(0, b))
		if !ipv4HeaderGood(b) {
			t.Fatalf("% x is good", b)
		}
		old, word := binary.LittleEndian.Uint16(b[4:]), uint16(rng.Uint32())
		binary.LittleEndian.PutUint16(b[10:], updateSum16(binary.LittleEndian.Uint16(b[10:]), old, word))
		binary.LittleEndian.PutUint16(b[4:], word)
		if naiveSum(0, b) != 0xffff {
			t.Fatalf("the updated checksum of % x is wrong", b)
		}
	}
}
