package udp

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

const (
	etherLen   = 14
	ipv4Len    = 20
	ipv6Len    = 40
	udpLen     = 8
	headerRoom = etherLen + ipv6Len + udpLen
	typeIPv4   = 0x0800
	typeIPv6   = 0x86dd
	protoUDP   = 17
	hops       = 64
)

// endpoint is an address and port as the socket calls use them: IPv4 in its
// mapped IPv6 form.
type endpoint struct {
	addr [16]byte
	port uint16
}

var mapped = [12]byte{10: 0xff, 11: 0xff}

func (e *endpoint) is4() bool { return [12]byte(e.addr[:12]) == mapped }

func toEndpoint(a netip.AddrPort) endpoint {
	return endpoint{addr: a.Addr().As16(), port: a.Port()}
}

// putHeaders writes the Ethernet, IP and UDP headers of a datagram from src to
// dst in front of its payload and returns their length. h ends where the
// payload begins; they are right-aligned in it. Both ends are of one family.
func putHeaders(h []byte, src, dst *endpoint, payloadLen int) int {
	udp := h[len(h)-udpLen:]
	binary.BigEndian.PutUint16(udp, src.port)
	binary.BigEndian.PutUint16(udp[2:], dst.port)
	binary.BigEndian.PutUint16(udp[4:], uint16(udpLen+payloadLen))
	binary.BigEndian.PutUint16(udp[6:], 0) // the kernel has verified it
	n := etherLen + ipv6Len + udpLen
	kind := uint16(typeIPv6)
	if dst.is4() {
		n, kind = etherLen+ipv4Len+udpLen, typeIPv4
	}
	h = h[len(h)-n:]
	copy(h, serverMAC[:])
	copy(h[6:], peerMAC[:])
	binary.BigEndian.PutUint16(h[12:], kind)
	if kind == typeIPv4 {
		putIPv4(h[etherLen:], src, dst, payloadLen)
	} else {
		putIPv6(h[etherLen:], src, dst, payloadLen)
	}
	return n
}

func putIPv4(ip []byte, src, dst *endpoint, payloadLen int) {
	binary.BigEndian.PutUint32(ip, 0x45<<24|uint32(ipv4Len+udpLen+payloadLen))
	binary.BigEndian.PutUint32(ip[4:], 0x4000) // never a fragment
	binary.BigEndian.PutUint32(ip[8:], hops<<24|protoUDP<<16)
	copy(ip[12:16], src.addr[12:])
	copy(ip[16:20], dst.addr[12:])
	sum := uint32(0)
	for i := 0; i < ipv4Len; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	sum = sum>>16 + sum&0xffff
	sum += sum >> 16
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum))
}

func putIPv6(ip []byte, src, dst *endpoint, payloadLen int) {
	binary.BigEndian.PutUint32(ip, 6<<28)
	binary.BigEndian.PutUint16(ip[4:], uint16(udpLen+payloadLen))
	ip[6], ip[7] = protoUDP, hops
	copy(ip[8:24], src.addr[:])
	copy(ip[24:40], dst.addr[:])
}

// parseHeaders reads where a frame comes from and goes to. payload is the part
// that the UDP length covers. It fails for anything but a whole UDP datagram.
func parseHeaders(frame []byte, src, dst *endpoint) (payload []byte, ok bool) {
	if len(frame) < etherLen+ipv4Len+udpLen {
		return nil, false
	}
	ip := frame[etherLen:]
	var udp []byte
	switch binary.BigEndian.Uint16(frame[12:]) {
	case typeIPv4:
		header := int(ip[0]&15) * 4
		if ip[0]>>4 != 4 || header < ipv4Len || ip[9] != protoUDP || len(ip) < header+udpLen {
			return nil, false
		}
		*src, *dst = endpoint{}, endpoint{}
		copy(src.addr[:], mapped[:])
		copy(dst.addr[:], mapped[:])
		copy(src.addr[12:], ip[12:16])
		copy(dst.addr[12:], ip[16:20])
		udp = ip[header:]
	case typeIPv6:
		if len(ip) < ipv6Len+udpLen || ip[0]>>4 != 6 || ip[6] != protoUDP {
			return nil, false
		}
		copy(src.addr[:], ip[8:24])
		copy(dst.addr[:], ip[24:40])
		udp = ip[ipv6Len:]
	default:
		return nil, false
	}
	src.port = binary.BigEndian.Uint16(udp)
	dst.port = binary.BigEndian.Uint16(udp[2:])
	n := int(binary.BigEndian.Uint16(udp[4:]))
	if n < udpLen || n > len(udp) {
		return nil, false
	}
	return udp[udpLen:n], true
}

func sockaddr(a netip.AddrPort, ipv6 bool) unix.Sockaddr {
	if !ipv6 {
		return &unix.SockaddrInet4{Addr: a.Addr().Unmap().As4(), Port: int(a.Port())}
	}
	s := &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
	s.ZoneId = zoneIndex(a.Addr().Zone())
	return s
}

func fromSockaddr(s unix.Sockaddr) netip.AddrPort {
	switch s := s.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(s.Addr), uint16(s.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(s.Addr), uint16(s.Port))
	}
	return netip.AddrPort{}
}
