package pktproc

import "encoding/binary"

const (
	icmpEchoRequest   = 8
	icmpv6EchoRequest = 128
	icmpv6EchoReply   = 129
	ndSolicitation    = 135
	ndAdvert          = 136
	ndHops            = 255 // RFC 4861: only neighbours can send this
	ndSize            = 24  // of both messages, without options
)

// answerEcho turns an ICMP or ICMPv6 echo request into its reply. Only one
// word of the message changes, so the checksum is updated, not made anew.
func (p *Processor) answerEcho(b []byte, l *offsets) Drop {
	m := b[l.l4:l.end]
	if len(m) < icmpHeader || m[1] != 0 {
		return DropICMP
	}
	before := binary.LittleEndian.Uint16(m)
	if l.v6 {
		if m[0] != icmpv6EchoRequest || fold(addSum(pseudoSum(l.addrs(b), protoICMPv6, len(m)), m)) != 0xffff {
			return DropICMP
		}
		if d := p.host.check6(l.addrs(b)); d != DropNone {
			return d
		}
		m[0] = icmpv6EchoReply
	} else {
		if m[0] != icmpEchoRequest || fold(addSum(0, m)) != 0xffff {
			return DropICMP
		}
		if d := p.host.check4(l.addrs(b)); d != DropNone {
			return d
		}
		m[0] = 0
	}
	sum := updateSum16(binary.LittleEndian.Uint16(m[2:]), before, binary.LittleEndian.Uint16(m))
	if sum == 0 && !l.v6 { // the one case that RFC 1624 leaves open: a reply that is all zeros has the checksum 0xffff
		binary.LittleEndian.PutUint16(m[2:], 0)
		sum = ^fold(addSum(0, m))
	}
	binary.LittleEndian.PutUint16(m[2:], sum)
	swapMACs(b)
	turnIP(b, l, int(l.end)-int(l.l4))
	return DropNone
}

// answerSolicitation turns a neighbour solicitation for one of our addresses
// into an advertisement (RFC 4861, 7.2). The reply is never longer: it carries
// our link-layer address where the solicitation carried its sender's, which
// every one that asks for it does.
func (p *Processor) answerSolicitation(b []byte, l *offsets) Drop {
	h := &p.host
	m := b[l.l4:l.end]
	addrs := l.addrs(b)
	if len(m) < ndSize || b[l.l3+7] != ndHops || m[1] != 0 || m[8] == 0xff || h.mac == 0 || !h.has6(m[8:24]) {
		return DropND
	}
	if fold(addSum(pseudoSum(addrs, protoICMPv6, len(m)), m)) != 0xffff {
		return DropICMP
	}
	if addrs[0] == 0xff || h.has6(addrs) {
		return DropBadSource
	}
	linkOption, ok := ndOptions(m[ndSize:])
	unspecified := isZero16(addrs)
	if !ok || unspecified && (linkOption || addrs[16] != 0xff) {
		return DropND
	}
	size := ndSize
	copy(b[:6], b[6:12])
	copy(addrs[16:], addrs[:16])
	flags := byte(0x60) // solicited, override
	if unspecified {    // duplicate address detection: tell everybody
		flags = 0x20
		binary.BigEndian.PutUint64(addrs[16:], 0xff02_0000_0000_0000)
		binary.BigEndian.PutUint64(addrs[24:], 1)
		putMAC(b, 0x01_00_00_00_33_33)
	}
	copy(addrs[:16], m[8:24])
	putMAC(b[6:], h.mac)
	m[0] = ndAdvert
	clear(m[1:8])
	m[4] = flags
	if linkOption {
		m[ndSize], m[ndSize+1] = 2, 1 // target link-layer address
		putMAC(m[ndSize+2:], h.mac)
		size += 8
	}
	b[l.l3+7] = ndHops
	binary.BigEndian.PutUint16(b[l.l3+4:], uint16(size))
	l.end = l.l4 + uint16(size)
	m = m[:size]
	binary.LittleEndian.PutUint16(m[2:], ^fold(addSum(pseudoSum(addrs, protoICMPv6, size), m)))
	return DropNone
}

// ndOptions walks the options of a solicitation; link: the sender's link-layer
// address is among them.
func ndOptions(o []byte) (link, ok bool) {
	for len(o) > 0 {
		if len(o) < 8 || o[1] == 0 || len(o) < int(o[1])*8 {
			return false, false
		}
		if o[0] == 1 && o[1] == 1 {
			link = true
		}
		o = o[int(o[1])*8:]
	}
	return link, true
}
