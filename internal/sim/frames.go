package sim

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

const (
	etherSize = 14
	ipv4Size  = 20
	ipv6Size  = 40
	udpSize   = 8
	protoUDP  = 17
)

// endpoint is one side of a simulated conversation.
type endpoint struct {
	mac  [6]byte
	addr netip.Addr
	port uint16
}

// udpFrame builds the Ethernet frame of one datagram, checksums written. It is
// written apart from pktproc's own code on purpose: two readings of the RFCs.
func udpFrame(from, to endpoint, payload []byte) []byte {
	var frame []byte
	frame = append(frame, to.mac[:]...)
	frame = append(frame, from.mac[:]...)
	udpLen := udpSize + len(payload)
	src, dst := from.addr.AsSlice(), to.addr.AsSlice()
	if from.addr.Is4() {
		frame = append(frame, 0x08, 0x00)
		ip := make([]byte, ipv4Size)
		ip[0], ip[6], ip[8], ip[9] = 0x45, 0x40, 64, protoUDP
		binary.BigEndian.PutUint16(ip[2:], uint16(ipv4Size+udpLen))
		copy(ip[12:], src)
		copy(ip[16:], dst)
		binary.BigEndian.PutUint16(ip[10:], ^onesSum(0, ip))
		frame = append(frame, ip...)
	} else {
		frame = append(frame, 0x86, 0xdd)
		ip := make([]byte, ipv6Size)
		ip[0], ip[6], ip[7] = 0x60, protoUDP, 64
		binary.BigEndian.PutUint16(ip[4:], uint16(udpLen))
		copy(ip[8:], src)
		copy(ip[24:], dst)
		frame = append(frame, ip...)
	}
	udp := make([]byte, udpSize, udpLen)
	binary.BigEndian.PutUint16(udp[0:], from.port)
	binary.BigEndian.PutUint16(udp[2:], to.port)
	binary.BigEndian.PutUint16(udp[4:], uint16(udpLen))
	udp = append(udp, payload...)
	sum := ^onesSum(pseudoSum(src, dst, udpLen), udp)
	if sum == 0 {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(udp[6:], sum)
	return append(frame, udp...)
}

// parseFrame takes a frame apart and checks everything that a receiving host
// would. corrupt says that the frame is damaged in a way that its checksums
// show, as the network's faults do; err that the sender made a mistake.
func parseFrame(frame []byte) (from, to endpoint, payload []byte, corrupt bool, err error) {
	if len(frame) < etherSize+ipv4Size+udpSize {
		return from, to, nil, true, nil
	}
	copy(to.mac[:], frame[0:6])
	copy(from.mac[:], frame[6:12])
	var udp, src, dst []byte
	switch kind := binary.BigEndian.Uint16(frame[12:]); kind {
	case 0x0800:
		ip := frame[etherSize:]
		total := int(binary.BigEndian.Uint16(ip[2:]))
		if ip[0] != 0x45 || total < ipv4Size+udpSize || total > len(ip) || onesSum(0, ip[:ipv4Size]) != 0xffff {
			return from, to, nil, true, nil
		}
		src, dst, udp = ip[12:16], ip[16:20], ip[ipv4Size:total]
	case 0x86dd:
		ip := frame[etherSize:]
		if len(ip) < ipv6Size+udpSize {
			return from, to, nil, true, nil
		}
		size := int(binary.BigEndian.Uint16(ip[4:]))
		if ip[6] != protoUDP || size < udpSize || size > len(ip)-ipv6Size {
			return from, to, nil, true, nil
		}
		src, dst, udp = ip[8:24], ip[24:40], ip[ipv6Size:ipv6Size+size]
	default:
		return from, to, nil, true, nil
	}
	if int(binary.BigEndian.Uint16(udp[4:])) != len(udp) {
		return from, to, nil, true, nil
	}
	if onesSum(pseudoSum(src, dst, len(udp)), udp) != 0xffff {
		return from, to, nil, true, nil
	}
	from.addr, _ = netip.AddrFromSlice(src)
	to.addr, _ = netip.AddrFromSlice(dst)
	from.port = binary.BigEndian.Uint16(udp[0:])
	to.port = binary.BigEndian.Uint16(udp[2:])
	if from.addr == to.addr {
		return from, to, nil, false, fmt.Errorf("a frame from %v to itself", from.addr)
	}
	return from, to, udp[udpSize:], false, nil
}

// onesSum is the ones' complement sum of RFC 1071, continued from start.
func onesSum(start uint16, b []byte) uint16 {
	sum := uint32(start)
	for i := 0; i < len(b); i += 2 {
		word := uint32(b[i]) << 8
		if i+1 < len(b) {
			word |= uint32(b[i+1])
		}
		sum += word
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}

func pseudoSum(src, dst []byte, udpLen int) uint16 {
	sum := onesSum(0, src)
	sum = onesSum(sum, dst)
	return onesSum(sum, []byte{0, protoUDP, byte(udpLen >> 8), byte(udpLen)})
}
