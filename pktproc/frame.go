package pktproc

import "encoding/binary"

// Offsets and sizes of the headers that frames begin with.
const (
	macSize       = 6
	etherHeader   = 14
	vlanTag       = 4
	maxVLANTags   = 2 // single tag, or QinQ
	ipv4MinHeader = 20
	ipv6Header    = 40
	udpHeader     = 8
	icmpHeader    = 8

	etherIPv4  = 0x0800
	etherARP   = 0x0806
	etherVLAN  = 0x8100
	etherIPv6  = 0x86dd
	etherQinQ  = 0x88a8
	etherQinQ2 = 0x9100 // QinQ before it was a standard

	protoICMP     = 1
	protoUDP      = 17
	protoFragment = 44
	protoICMPv6   = 58

	// replyHops is the time to live, or hop limit, of what is sent.
	replyHops = 64
	// maxHeaders is the longest that can stand in front of a UDP payload:
	// Ethernet, two tags, an IPv4 header with all options, UDP.
	maxHeaders = etherHeader + maxVLANTags*vlanTag + 60 + udpHeader
)

// offsets says where the layers of one frame begin, and where the datagram
// ends: everything behind end is Ethernet padding.
type offsets struct {
	l3, l4  uint16 // offsets of the IP header and of what it carries
	end     uint16 // offset behind the upper layer's last byte
	proto   uint8
	v6      bool
	options bool // an IPv4 header longer than 20 bytes
	group   bool // sent to a group or broadcast MAC address
}

// payload is the offset of what a UDP header carries.
func (l *offsets) payload() int { return int(l.l4) + udpHeader }

// splitEthernet walks the MAC header and up to two VLAN tags. It returns the
// offset behind them and the type of what follows; 0: the frame is too short
// or has more tags.
func splitEthernet(b []byte) (off int, etherType uint16) {
	if len(b) < etherHeader {
		return 0, 0
	}
	off = etherHeader
	etherType = binary.BigEndian.Uint16(b[12:])
	for tags := 0; etherType == etherVLAN || etherType == etherQinQ || etherType == etherQinQ2; tags++ {
		if tags == maxVLANTags || len(b) < off+vlanTag {
			return 0, 0
		}
		etherType = binary.BigEndian.Uint16(b[off+2:])
		off += vlanTag
	}
	return off, etherType
}

// splitIPv4 checks the IPv4 header at off. verify: the header's checksum has
// to be looked at.
func splitIPv4(b []byte, off int, verify bool, l *offsets) Drop {
	if len(b) < off+ipv4MinHeader {
		return DropShort
	}
	h := b[off:]
	first := h[0]
	headerLen := int(first&15) * 4
	total := int(binary.BigEndian.Uint16(h[2:]))
	if first>>4 != 4 || headerLen < ipv4MinHeader || total < headerLen {
		return DropBadIP
	}
	if total > len(h) {
		return DropShort
	}
	if verify && !ipv4HeaderGood(h[:headerLen]) {
		return DropIPChecksum
	}
	if binary.BigEndian.Uint16(h[6:])&0x3fff != 0 {
		return DropFragment // more fragments, or an offset
	}
	l.l3, l.l4, l.end = uint16(off), uint16(off+headerLen), uint16(off+total)
	l.proto, l.v6, l.options = h[9], false, headerLen != ipv4MinHeader
	return DropNone
}

// splitIPv6 checks the IPv6 header at off.
func splitIPv6(b []byte, off int, l *offsets) Drop {
	if len(b) < off+ipv6Header {
		return DropShort
	}
	h := b[off:]
	total := ipv6Header + int(binary.BigEndian.Uint16(h[4:]))
	if h[0]>>4 != 6 {
		return DropBadIP
	}
	if total > len(h) {
		return DropShort
	}
	l.l3, l.l4, l.end = uint16(off), uint16(off+ipv6Header), uint16(off+total)
	l.proto, l.v6, l.options = h[6], true, false
	switch h[6] {
	case protoUDP, protoICMPv6:
		return DropNone
	case protoFragment:
		return DropFragment
	case 0, 43, 50, 51, 60, 135, 139, 140: // hop-by-hop, routing, ESP, AH, destination, mobility, HIP, shim6
		return DropExtension
	}
	return DropProtocol
}

// addrs is source and destination address, one behind the other.
func (l *offsets) addrs(b []byte) []byte {
	if l.v6 {
		return b[l.l3+8 : l.l3+40]
	}
	return b[l.l3+12 : l.l3+20]
}

// splitUDP checks the UDP header and, with verify, the checksum, and shortens
// end to the UDP length.
func splitUDP(b []byte, verify bool, l *offsets) Drop {
	room := int(l.end) - int(l.l4)
	if room < udpHeader {
		return DropShort
	}
	h := b[l.l4:l.end]
	length := int(binary.BigEndian.Uint16(h[4:]))
	if length < udpHeader || length > room {
		return DropBadUDP
	}
	h = h[:length]
	check := binary.LittleEndian.Uint16(h[6:])
	if check == 0 {
		if l.v6 && verify {
			return DropUDPChecksum // RFC 8200: never zero over IPv6; a driver that verified may leave it out
		}
	} else if verify {
		if fold(addSum(pseudoSum(l.addrs(b), protoUDP, length), h)) != 0xffff {
			return DropUDPChecksum
		}
	}
	l.end = l.l4 + uint16(length)
	return DropNone
}
