package pktproc

import (
	"encoding/binary"
	"math/bits"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

// The commonest requests of all are a lone PING, GET or SET without options, and
// several GETs of integer keys, in a plain IPv4 frame. They take this road, on
// which headers are read and written as whole words at constant places; it takes
// half of the general one's instructions, with the same outcome.

const (
	// plainPayload is where the datagram of a frame lies that plainUDP accepts.
	plainPayload = etherHeader + ipv4MinHeader + udpHeader
	// plainSource is where its IPv4 source address lies.
	plainSource = etherHeader + 12
	// plainOps is where its operations begin.
	plainOps = plainPayload + wire.HeaderSize
	// plainLeast is the shortest such frame: one operation, all of it header.
	plainLeast = plainOps + wire.OpHeaderSize
)

// flow is the part of a frame that says who sends to whom, of the last one that
// plainUDP judged good. The next ones mostly have the same, and need no look at it.
type flow struct {
	mac, kind, pair uint64 // its bytes from 0, 8 and 26
	sum             uint64 // of the words that it has in the IPv4 header
	// The reply's.
	backMAC, backKind uint64
}

// plainUDP judges in one look what nearly every frame is: untagged IPv4 without
// options around a whole UDP datagram, from one station to us. It returns where
// that ends. Other frames, bad ones too, are left (0) to the checks that tell
// them apart.
func (h *host) plainUDP(b []byte, verify bool) (end int) {
	if len(b) < plainPayload {
		return 0
	}
	le := binary.LittleEndian
	w := (*[plainPayload]byte)(b)
	ip, pair, udp := le.Uint64(w[16:]), le.Uint64(w[26:]), le.Uint64(w[34:])
	fl := &h.flow
	if le.Uint64(w[0:]) != fl.mac || le.Uint64(w[8:]) != fl.kind || pair != fl.pair || pair == 0 {
		if !h.plainFlow(w[:]) {
			return 0
		}
		fl.set(le.Uint64(w[0:]), le.Uint64(w[8:]), pair)
	}
	total := uint(swap16(uint16(ip)))
	// No fragment, UDP, lengths that agree, ports.
	if ip>>32&0xff00ff3f != protoUDP<<24 || total-(ipv4MinHeader+udpHeader) > uint(len(b)-plainPayload) ||
		uint(swap16(uint16(udp>>32))) != total-ipv4MinHeader || uint16(udp) == 0 || swap16(uint16(udp>>16))-h.port >= h.ports {
		return 0
	}
	end = etherHeader + int(total)
	if verify {
		// A right sum is a multiple of 0xffff.
		if (fl.sum+ip&0xffffffff+ip>>32+uint64(le.Uint16(w[24:])))%0xffff != 0 {
			return 0
		}
		if udp>>48 != 0 && fold(addSum(pseudoSum(w[26:34], protoUDP, int(total)-ipv4MinHeader), b[34:end])) != 0xffff {
			return 0
		}
	}
	return end
}

// plainFlow says whether a frame is untagged IPv4 without options, from one
// station to us by both its MAC and its IP addresses.
func (h *host) plainFlow(b []byte) bool {
	le := binary.LittleEndian
	dst, src := le.Uint64(b)&macMask, le.Uint64(b[6:])&macMask
	if (dst|src)&1 != 0 || h.mac != 0 && (dst != h.mac || src == h.mac) || le.Uint32(b[12:])&0xffffff != 0x45_00_08 {
		return false
	}
	from, to := le.Uint32(b[26:]), le.Uint32(b[30:])
	if from == 0 || uint8(from) >= 0xe0 || uint8(to) >= 0xe0 || !h.anyAddr && !h.has4(to) {
		return false
	}
	for _, cast := range h.v4cast {
		if cast == from || cast == to {
			return false
		}
	}
	return !h.has4(from)
}

func (fl *flow) set(mac, kind, pair uint64) {
	*fl = flow{
		mac: mac, kind: kind, pair: pair,
		sum: kind>>48 + pair&0xffffffff + pair>>32,
		// Source and destination MAC address change places, types stay.
		backMAC:  mac>>48 | kind<<32>>16 | mac<<48,
		backKind: kind>>32<<32 | mac<<16>>32,
	}
}

// intGet is how a GET of a whole value under an integer key begins; its key follows.
const (
	intGet     = uint64(wire.OpGet) | wire.OpFlagIntKey<<8 | 8<<32
	intGetSize = wire.OpHeaderSize + 8
)

// parsePlain accepts such a datagram, as wire.Parse, wire.CheckRequest and
// route would, or leaves it to them. A PING it answers at once.
func (p *Processor) parsePlain(f *nic.Frame, pf *parsed, end int) bool {
	if end < plainLeast || end > plainPayload+wire.MaxDatagram || end > len(f.Data) {
		return false
	}
	le := binary.LittleEndian
	h := (*[plainLeast]byte)(f.Data)
	first, head := le.Uint64(h[plainPayload:]), le.Uint64(h[plainOps:])
	// Version, at most FlagTrusted, status 0; the length.
	if first&(0xff0000ff|0xff00&^(wire.FlagTrusted<<8)) != wire.Version || int(le.Uint16(h[plainPayload+24:])) != end-plainOps {
		return false
	}
	id := uint32(first >> 32)
	if pf.trusted = first&(wire.FlagTrusted<<8) != 0; pf.trusted {
		if pf.t = p.tenantByID(id); pf.t == nil {
			return false
		}
		pf.s = nil
	} else {
		if sessionLcore(id) != p.cfg.Lcore {
			return false
		}
		if pf.s = p.sessions.at(id); pf.s == nil {
			return false
		}
	}
	count := int(uint8(first >> 16))
	switch {
	case head == intGet:
		if end != plainOps+count*intGetSize || !onlyIntGets(f.Data[plainOps:end], count) {
			return false
		}
	case count != 1 || !plainOp(f.Data[plainOps:end], head):
		return false
	case wire.Opcode(head) == wire.OpPing:
		return p.plainPing(f, pf, end)
	}
	pf.single, pf.several = wire.Opcode(head), count > 1
	pf.kind, pf.plain = kindRequest, true
	p.n.Requests++
	return true
}

// plainPing answers a lone PING, whose value stands where the reply's belongs.
func (p *Processor) plainPing(f *nic.Frame, pf *parsed, end int) bool {
	t := p.plainSender(f, pf)
	if t == nil || t.quarantined {
		return false
	}
	p.n.Requests++
	pf.t = t
	t.local.Counters[tenants.CounterRequests]++
	p.publisher.Touch(t.local)
	p.attend(f, pf)
	t.local.Counters[tenants.CounterOperations]++
	p.n.Ops[wire.OpPing]++
	p.finishPlain(f, 1, wire.StatusOK, end-plainOps)
	return true
}

// plainSender is the tenant that the source of a plain frame may speak to, or
// nil: the general way then finds out why not.
func (p *Processor) plainSender(f *nic.Frame, pf *parsed) *tenant {
	le := binary.LittleEndian
	h := (*[plainOps]byte)(f.Data)
	src := le.Uint32(h[plainSource:])
	if pf.trusted {
		if t := pf.t; t.trusted4 == src {
			return t
		}
		return nil
	}
	s := pf.s
	if s.id != le.Uint32(h[plainPayload+4:]) || s.secret != le.Uint64(h[plainPayload+8:]) || s.port != le.Uint16(h[34:]) ||
		s.addr != [2]uint64{0, 0xffff0000 | uint64(src)<<32} {
		return nil
	}
	return p.tenantOf(s)
}

// plainOp judges a lone operation that ends with its datagram.
func plainOp(op []byte, head uint64) bool {
	le := binary.LittleEndian
	keyLen := uint(head>>32) & 0xffff
	body := wire.OpHeaderSize + keyLen + uint(head>>48)
	if (body+7)&^7 != uint(len(op)) || keyLen > wire.MaxKeyLen {
		return false
	}
	if pad := -body & 7; pad != 0 && le.Uint64(op[len(op)-8:])>>(64-8*pad) != 0 {
		return false
	}
	switch uint32(head) {
	case uint32(wire.OpPing):
		return keyLen == 0
	case uint32(wire.OpGet):
		return keyLen != 0 && head>>48 == 0
	case uint32(wire.OpSet):
		return keyLen != 0
	case uint32(wire.OpSet) | wire.OpFlagIntKey<<8:
		return keyLen == 8 && le.Uint64(op[wire.OpHeaderSize:])>>53 == 0
	}
	return false
}

// onlyIntGets says whether ops are count GETs of integer keys.
func onlyIntGets(ops []byte, count int) bool {
	if count > wire.MaxOps || len(ops) != count*intGetSize {
		return false
	}
	for ; len(ops) >= intGetSize; ops = ops[intGetSize:] {
		if binary.LittleEndian.Uint64(ops) != intGet || binary.LittleEndian.Uint64(ops[wire.OpHeaderSize:])>>53 != 0 {
			return false
		}
	}
	return true
}

// finishPlain is finish for what came by parsePlain.
func (p *Processor) finishPlain(f *nic.Frame, ops int, status wire.Status, bodyLen int) {
	length := udpHeader + wire.HeaderSize + bodyLen
	b := f.Data[:plainOps+bodyLen]
	h := (*[plainOps]byte)(b)
	le := binary.LittleEndian
	putReplyHeader(h[plainPayload:], ops, status, bodyLen, p.port)
	ip, udp := le.Uint64(h[16:]), le.Uint64(h[34:])
	fl := &p.host.flow
	if pair := le.Uint64(h[26:]); le.Uint64(h[0:]) != fl.mac || le.Uint64(h[8:]) != fl.kind || pair != fl.pair {
		fl.set(le.Uint64(h[0:]), le.Uint64(h[8:]), pair) // another frame of the burst has
	}
	word := uint64(bits.RotateLeft32(uint32(udp), 16)) | uint64(swap16(uint16(length)))<<32
	if (udp>>48 != 0 || p.cfg.AlwaysChecksum) && !p.deviceSums {
		sum := ^fold(addSum(add64(pseudoSum(h[26:34], protoUDP, length), word), b[plainPayload:]))
		if sum == 0 {
			sum = 0xffff
		}
		word |= uint64(sum) << 48
	}
	le.PutUint64(h[0:], fl.backMAC)
	le.PutUint64(h[8:], fl.backKind)
	// Identification and flags stay; swapped addresses leave the sum alone.
	ip = ip&0xffff_ffff_0000 | uint64(swap16(uint16(length+ipv4MinHeader))) | (protoUDP<<8|replyHops)<<48
	s := fl.sum + ip&0xffffffff + ip>>32
	s = s>>32 + s&0xffffffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	le.PutUint64(h[16:], ip)
	le.PutUint16(h[24:], ^uint16(s>>16+s))
	le.PutUint64(h[26:], bits.RotateLeft64(fl.pair, 32))
	le.PutUint64(h[34:], word)
	f.Len, f.Verdict = len(b), nic.Reply
	p.n.Replies++
	p.n.Statuses[status]++
}
