package mem

import "encoding/binary"

const (
	typeIPv4 = 0x0800
	typeIPv6 = 0x86dd
	typeVLAN = 0x8100
	typeQinQ = 0x88a8
	protoUDP = 17
)

// udpDestination finds the UDP destination port of a frame, if it is UDP over
// IPv4 or IPv6 without extension headers, behind at most two VLAN tags.
func udpDestination(frame []byte) (uint16, bool) {
	off := 12
	for range 3 {
		if len(frame) < off+2 {
			return 0, false
		}
		kind := binary.BigEndian.Uint16(frame[off:])
		if kind != typeVLAN && kind != typeQinQ {
			return ipDestination(frame[off+2:], kind)
		}
		off += 4
	}
	return 0, false
}

func ipDestination(ip []byte, kind uint16) (uint16, bool) {
	header := 0
	switch {
	case kind == typeIPv4 && len(ip) >= 20 && ip[9] == protoUDP:
		header = int(ip[0]&15) * 4
	case kind == typeIPv6 && len(ip) >= 40 && ip[6] == protoUDP:
		header = 40
	default:
		return 0, false
	}
	if len(ip) < header+4 {
		return 0, false
	}
	return binary.BigEndian.Uint16(ip[header+2:]), true
}
