package pktproc

import "encoding/binary"

// turnIP makes a received packet's IP header that of the reply: addresses
// swapped, hops and lengths written, options blanked. upper is the length in
// bytes of what the header carries.
func turnIP(b []byte, l *offsets, upper int) {
	if l.v6 {
		h := b[l.l3 : int(l.l3)+ipv6Header]
		a0, a1 := binary.LittleEndian.Uint64(h[8:]), binary.LittleEndian.Uint64(h[16:])
		b0, b1 := binary.LittleEndian.Uint64(h[24:]), binary.LittleEndian.Uint64(h[32:])
		binary.LittleEndian.PutUint64(h[8:], b0)
		binary.LittleEndian.PutUint64(h[16:], b1)
		binary.LittleEndian.PutUint64(h[24:], a0)
		binary.LittleEndian.PutUint64(h[32:], a1)
		binary.BigEndian.PutUint16(h[4:], uint16(upper))
		h[7] = replyHops
		return
	}
	h := b[l.l3:l.l4]
	total := uint16(upper + len(h))
	if l.options {
		for i := ipv4MinHeader; i < len(h); i++ {
			h[i] = 1 // no operation: a route or a time stamp is not to be sent back
		}
		binary.BigEndian.PutUint16(h[2:], total)
		h[8] = replyHops
		swapAddrs4(h)
		binary.LittleEndian.PutUint16(h[10:], 0)
		binary.LittleEndian.PutUint16(h[10:], ^fold(addSum(0, h)))
		return
	}
	turnIPv4(h[:ipv4MinHeader:ipv4MinHeader], total)
}

// turnIPv4 does it for a header without options, in registers and whole words:
// a load that straddles two younger stores would wait for both.
func turnIPv4(h []byte, total uint16) {
	_ = h[ipv4MinHeader-1]
	w0, w1, w2 := binary.LittleEndian.Uint64(h), binary.LittleEndian.Uint64(h[8:]), binary.LittleEndian.Uint32(h[16:])
	newLen := swap16(total)
	newTTL := uint16(w1)&0xff00 | replyHops
	// RFC 1624, for both words at once. Swapped addresses leave the sum alone.
	s := uint32(^uint16(w1>>16)) + uint32(^uint16(w0>>16)) + uint32(newLen) + uint32(^uint16(w1)) + uint32(newTTL)
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	binary.LittleEndian.PutUint64(h, w0&^0xffff0000|uint64(newLen)<<16)
	binary.LittleEndian.PutUint64(h[8:], uint64(newTTL)|uint64(^uint16(s))<<16|uint64(w2)<<32)
	binary.LittleEndian.PutUint32(h[16:], uint32(w1>>32))
}

func swapAddrs4(h []byte) {
	a := binary.LittleEndian.Uint64(h[12:])
	binary.LittleEndian.PutUint64(h[12:], a<<32|a>>32)
}

// turnAround makes the headers in front of a reply's payload, which stands
// behind the request's headers already, and returns the frame's length.
func (p *Processor) turnAround(b []byte, l *offsets, payload int) int {
	swapMACs(b)
	length := payload + udpHeader
	end := int(l.l4) + length
	h := b[l.l4:end]
	// The UDP header as one word: ports swapped, length, checksum 0.
	old := binary.LittleEndian.Uint64(h)
	word := old<<16&0xffff0000 | old>>16&0xffff | uint64(swap16(uint16(length)))<<32
	// Answered in kind: who sends no checksum over IPv4 does not look at one.
	if old>>48 == 0 && !l.v6 && !p.cfg.AlwaysChecksum || p.deviceSums {
		binary.LittleEndian.PutUint64(h, word)
		turnIP(b, l, length)
		return end
	}
	// Swapping the addresses does not change their sum.
	sum := ^fold(addSum(add64(pseudoSum(l.addrs(b), protoUDP, length), word), h[udpHeader:]))
	if sum == 0 {
		sum = 0xffff
	}
	binary.LittleEndian.PutUint64(h, word|uint64(sum)<<48)
	turnIP(b, l, length)
	return end
}
