package pktproc

import (
	"encoding/binary"
	"math/bits"
)

// The Internet checksum (RFC 1071). Sums are kept as 64-bit one's complement
// sums of the bytes read little-endian: the sum of the swapped words is the
// swapped sum, so folding at the end gives the two bytes in memory order.

// addSum adds the bytes of b to sum. b must start at an even offset of the
// checksummed data; an odd last byte is padded with zero.
func addSum(sum uint64, b []byte) uint64 {
	var carry uint64
	for len(b) >= 32 {
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b), carry)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[8:]), carry)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[16:]), carry)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[24:]), carry)
		b = b[32:]
	}
	for len(b) >= 8 {
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b), carry)
		b = b[8:]
	}
	if len(b) > 0 {
		var tail uint64
		for i := len(b) - 1; i >= 0; i-- {
			tail = tail<<8 | uint64(b[i])
		}
		sum, carry = bits.Add64(sum, tail, carry)
	}
	sum, carry = bits.Add64(sum, 0, carry)
	return sum + carry
}

// add64 adds one little-endian word.
func add64(sum, v uint64) uint64 {
	sum, carry := bits.Add64(sum, v, 0)
	return sum + carry
}

// fold reduces a sum to 16 bits, in memory order.
func fold(sum uint64) uint16 {
	sum = sum>>32 + sum&0xffffffff
	sum = sum>>32 + sum&0xffffffff
	s := uint32(sum)
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return uint16(s)
}

// swap16 is the value of a number in network order as the sums see it.
func swap16(v uint16) uint16 { return v<<8 | v>>8 }

// ipv4HeaderGood verifies a header's checksum; h is clipped to it.
func ipv4HeaderGood(h []byte) bool {
	if len(h) == ipv4MinHeader {
		return ipv4Good(binary.LittleEndian.Uint64(h), binary.LittleEndian.Uint64(h[8:]), binary.LittleEndian.Uint32(h[16:]))
	}
	return fold(addSum(0, h)) == 0xffff
}

// ipv4Good verifies the checksum of a header of 20 bytes. A sum is right if it is
// a multiple of 0xffff, and not 0: no header is all zeros.
func ipv4Good(w0, w1 uint64, w2 uint32) bool {
	s, c := bits.Add64(w0, w1, 0)
	s, c = bits.Add64(s, uint64(w2), c)
	return (s+c)%0xffff == 0 && w0 != 0
}

// updateSum16 gives the checksum field after a 16-bit word of the data changed
// from old to new, all three in memory order (RFC 1624, equation 3).
func updateSum16(check, old, new uint16) uint16 {
	s := uint32(^check) + uint32(^old) + uint32(new)
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return ^uint16(s)
}

// pseudoSum is the sum of the pseudo-header: addresses (8 bytes of IPv4 or 32
// of IPv6), protocol and upper-layer length.
func pseudoSum(addrs []byte, proto uint8, length int) uint64 {
	var sum uint64
	if len(addrs) == 8 {
		sum = binary.LittleEndian.Uint64(addrs)
	} else {
		sum = addSum(0, addrs)
	}
	// The length's bytes in network order, plus the protocol in the low byte of its word.
	sum = add64(sum, uint64(bits.ReverseBytes32(uint32(length))))
	return add64(sum, uint64(proto)<<8)
}
