package pktproc

import (
	"encoding/binary"
	"net/netip"
)

// Addresses are what an lcore answers to.
type Addresses struct {
	// MAC is the port's own address. Zero: frames to any station are taken,
	// for drivers that make their frames themselves.
	MAC [6]byte
	// IPv4 and IPv6 are the port's addresses, each with its network's length.
	// With none of both, requests to any address are taken; ARP and neighbour
	// solicitations are answered for configured addresses only.
	IPv4, IPv6 []netip.Prefix
}

// host is Addresses, laid out for comparing.
type host struct {
	mac     uint64 // the six bytes, little-endian; 0: any
	port    uint16 // the first UDP port
	ports   uint16 // how many
	anyAddr bool
	v4      []uint32 // little-endian
	v4cast  []uint32 // the networks' broadcast addresses
	v6      [][2]uint64
	flow    flow
}

const macMask = 1<<48 - 1

func newHost(a Addresses, port uint16, ports int) host {
	h := host{port: port, ports: uint16(ports), anyAddr: len(a.IPv4)+len(a.IPv6) == 0}
	h.mac = uint64(binary.LittleEndian.Uint32(a.MAC[:])) | uint64(binary.LittleEndian.Uint16(a.MAC[4:]))<<32
	for _, p := range a.IPv4 {
		b := p.Addr().As4()
		ip := binary.BigEndian.Uint32(b[:])
		h.v4 = append(h.v4, binary.LittleEndian.Uint32(b[:]))
		if p.Bits() < 31 { // RFC 3021: a /31 has no broadcast address
			binary.BigEndian.PutUint32(b[:], ip|(1<<(32-p.Bits())-1))
			h.v4cast = append(h.v4cast, binary.LittleEndian.Uint32(b[:]))
		}
	}
	for _, p := range a.IPv6 {
		b := p.Addr().As16()
		h.v6 = append(h.v6, [2]uint64{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])})
	}
	return h
}

// has4 says whether ip, little-endian, is ours; so does has6.
func (h *host) has4(ip uint32) bool {
	for _, own := range h.v4 {
		if own == ip {
			return true
		}
	}
	return false
}

func (h *host) has6(b []byte) bool {
	lo, hi := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	for _, own := range h.v6 {
		if own[0] == lo && own[1] == hi {
			return true
		}
	}
	return false
}

func (h *host) isBroadcast4(ip uint32) bool {
	if ip == 0xffffffff {
		return true
	}
	for _, cast := range h.v4cast {
		if cast == ip {
			return true
		}
	}
	return false
}

// checkMAC judges the destination and source stations. group: the frame went
// to a group or to all.
func (h *host) checkMAC(b []byte) (group bool, d Drop) {
	dst := binary.LittleEndian.Uint64(b) & macMask
	if b[6]&1 != 0 || h.mac != 0 && binary.LittleEndian.Uint64(b[6:])&macMask == h.mac {
		return false, DropBadSource
	}
	if b[0]&1 != 0 {
		return true, DropNone
	}
	if h.mac != 0 && dst != h.mac {
		return false, DropForeignMAC
	}
	return false, DropNone
}

// check4 and check6 judge a packet's addresses. A reply is sent to the source,
// so that must be one station, and not this one.
func (h *host) check4(addrs []byte) Drop {
	src, dst := binary.LittleEndian.Uint32(addrs), binary.LittleEndian.Uint32(addrs[4:])
	if src == 0 || addrs[0]&0xf0 == 0xe0 || h.isBroadcast4(src) || h.has4(src) {
		return DropBadSource
	}
	if addrs[4]&0xf0 == 0xe0 || h.isBroadcast4(dst) {
		return DropGroup
	}
	if !h.anyAddr && !h.has4(dst) {
		return DropForeignIP
	}
	return DropNone
}

func (h *host) check6(addrs []byte) Drop {
	if addrs[0] == 0xff || isZero16(addrs) || h.has6(addrs) {
		return DropBadSource
	}
	if addrs[16] == 0xff {
		return DropGroup
	}
	if !h.anyAddr && !h.has6(addrs[16:]) {
		return DropForeignIP
	}
	return DropNone
}

func isZero16(b []byte) bool {
	return binary.LittleEndian.Uint64(b)|binary.LittleEndian.Uint64(b[8:]) == 0
}

// swapMACs sends a frame back to where it came from.
func swapMACs(b []byte) {
	first, second := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:])
	// bytes 0-5 destination, 6-11 source
	src := first>>48 | uint64(second)<<16
	dst := first & macMask
	binary.LittleEndian.PutUint64(b, src|dst<<48)
	binary.LittleEndian.PutUint32(b[8:], uint32(dst>>16))
}

// putMAC writes an address of h's form.
func putMAC(b []byte, mac uint64) {
	binary.LittleEndian.PutUint32(b, uint32(mac))
	binary.LittleEndian.PutUint16(b[4:], uint16(mac>>32))
}

// answerARP turns a request for one of our addresses into its reply (RFC 826).
// off is the ARP packet's offset. The frame keeps its length.
func (h *host) answerARP(b []byte, off int) Drop {
	const size = 28
	if len(b) < off+size {
		return DropShort
	}
	a := b[off : off+size]
	// Ethernet, IPv4, six and four bytes, request.
	if binary.BigEndian.Uint64(a)&^0xffff != 0x0001_0800_0604_0000 || a[7] != 1 || a[6] != 0 {
		return DropARP
	}
	senderMAC := binary.LittleEndian.Uint64(a[8:]) & macMask
	sender, target := binary.LittleEndian.Uint32(a[14:]), binary.LittleEndian.Uint32(a[24:])
	if h.mac == 0 || !h.has4(target) {
		return DropARP
	}
	if a[8]&1 != 0 || senderMAC == h.mac || a[14]&0xf0 == 0xe0 || h.isBroadcast4(sender) || h.has4(sender) {
		return DropBadSource
	}
	a[7] = 2
	copy(a[18:28], a[8:18])
	putMAC(a[8:], h.mac)
	binary.LittleEndian.PutUint32(a[14:], target)
	copy(b[:6], b[6:12])
	putMAC(b[6:], h.mac)
	return DropNone
}
