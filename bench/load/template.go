package load

import (
	"encoding/binary"
	"fmt"

	"shredder/pktproc/wire"
)

// template is a frame built ahead. Sending it means copying it (unless the
// queue keeps it prepared) and writing its sequence number, session and keys.
type template struct {
	frame    []byte
	datagram int   // where the datagram begins in frame
	keyOffs  []int // where keys are written
	keySize  int   // 0: 8-byte integers
	sum      bool  // IPv6: the UDP checksum must be written
	pool     int   // of a queue that keeps frames prepared
	filled   int   // frames of that pool that have been patched
}

// Offsets in a datagram's header that change per request, as in docs/wire-format.md.
const (
	sessionOff = 4
	secretOff  = 8
	seqOff     = 16
	firstOff   = 20
)

const (
	etherSize = 14
	ipv4Size  = 20
	ipv6Size  = 40
	udpSize   = 8
	protoUDP  = 17

	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherARP  = 0x0806
)

// newTemplate builds a datagram of ops operations of one kind.
func newTemplate(c *Config, kind Kind, ops int) (template, error) {
	buf := make([]byte, wire.MaxDatagram)
	w := wire.NewWriter(buf)
	t := template{keySize: c.KeySize}
	for range ops {
		start := w.Len()
		switch kind {
		case Ping:
			w.Begin(wire.OpPing, 0, 0)
			w.Value(value(c.ValueSize))
		case Get, Set:
			code := wire.OpGet
			if kind == Set {
				code = wire.OpSet
			}
			w.Begin(code, 0, 0)
			t.keyOffs = append(t.keyOffs, start+wire.OpHeaderSize)
			if c.KeySize == 0 {
				w.IntKey(0)
			} else {
				w.Key(byteKey(c.KeySize))
			}
			if kind == Set {
				w.Value(value(c.ValueSize))
			}
		case Call:
			w.Begin(wire.OpCall, 0, 0)
			w.Key([]byte(c.Function))
			if c.KeyArg {
				t.keySize = 0
				t.keyOffs = append(t.keyOffs, w.Len()+1) // behind the argument's tag
				w.Value(wire.AppendInt(nil, 0))
			} else {
				w.Value(c.Args)
			}
		}
		w.End()
	}
	if w.Overflow() {
		return t, fmt.Errorf("load: %d %v operations with values of %d bytes do not fit a datagram of %d bytes", ops, kind, c.ValueSize, wire.MaxDatagram)
	}
	fields := wire.HeaderFields{Flags: wire.FlagTrusted, Session: c.Tenant}
	if len(c.Sessions) > 0 {
		fields.Flags = 0
	}
	t.setDatagram(c.Local, c.Remote, w.Finish(fields))
	return t, nil
}

func value(size int) []byte {
	v := make([]byte, size)
	for i := range v {
		v[i] = 'a' + byte(i%26)
	}
	return v
}

func byteKey(size int) []byte {
	k := make([]byte, size)
	putByteKey(k, 0)
	return k
}

// putByteKey writes 'k' and i in hexadecimal, zero-padded, over the whole of k.
func putByteKey(k []byte, i uint32) {
	const digits = "0123456789abcdef"
	for at := len(k) - 1; at > 0; at-- {
		k[at] = digits[i&15]
		i >>= 4
	}
	k[0] = 'k'
}

// setDatagram wraps datagram into UDP, IP and Ethernet headers.
func (t *template) setDatagram(local, remote Endpoint, datagram []byte) {
	f := make([]byte, 0, etherSize+ipv6Size+udpSize+len(datagram))
	f = append(f, remote.MAC[:]...)
	f = append(f, local.MAC[:]...)
	udpLen := udpSize + len(datagram)
	if local.IP.Is4() {
		f = binary.BigEndian.AppendUint16(f, etherIPv4)
		ip := len(f)
		f = append(f, 0x45, 0)
		f = binary.BigEndian.AppendUint16(f, uint16(ipv4Size+udpLen))
		f = append(f, 0, 0, 0x40, 0, 64, protoUDP, 0, 0)
		f = append(append(f, local.IP.AsSlice()...), remote.IP.AsSlice()...)
		binary.BigEndian.PutUint16(f[ip+10:], ^fold(sum(0, f[ip:])))
	} else {
		f = binary.BigEndian.AppendUint16(f, etherIPv6)
		f = append(f, 0x60, 0, 0, 0)
		f = binary.BigEndian.AppendUint16(f, uint16(udpLen))
		f = append(f, protoUDP, 64)
		f = append(append(f, local.IP.AsSlice()...), remote.IP.AsSlice()...)
		t.sum = true
	}
	f = binary.BigEndian.AppendUint16(f, local.Port)
	f = binary.BigEndian.AppendUint16(f, remote.Port)
	f = binary.BigEndian.AppendUint16(f, uint16(udpLen))
	f = append(f, 0, 0) // over IPv4 zero says: no checksum
	t.datagram = len(f)
	t.frame = append(f, datagram...)
}

// patch makes frame, which holds the template, the next request of flow: a
// source port, session, sequence number and keys of its own.
func (t *template) patch(frame []byte, flow *flow, seq uint32, keys *stream) {
	d := frame[t.datagram:len(t.frame)]
	binary.BigEndian.PutUint16(frame[t.datagram-8:], flow.port)
	binary.LittleEndian.PutUint32(d[seqOff:], seq)
	binary.LittleEndian.PutUint32(d[sessionOff:], flow.session)
	if flow.secret != 0 {
		binary.LittleEndian.PutUint64(d[secretOff:], flow.secret)
		binary.LittleEndian.PutUint32(d[firstOff:], flow.oldest)
	}
	t.patchKeys(frame, flow, keys)
}

// patchKeys gives frame, which has been patched before, other keys and the
// tenant whose turn it is.
func (t *template) patchKeys(frame []byte, flow *flow, keys *stream) {
	d := frame[t.datagram:len(t.frame)]
	if keys.tenants > 1 {
		binary.LittleEndian.PutUint32(d[sessionOff:], flow.session+keys.tenant())
	}
	for _, off := range t.keyOffs {
		key := keys.next()
		if t.keySize == 0 {
			binary.LittleEndian.PutUint64(d[off:], uint64(key))
		} else {
			putByteKey(d[off:off+t.keySize], key)
		}
	}
	if t.sum {
		t.putChecksum(frame)
	}
}

// putChecksum writes the UDP checksum over the IPv6 pseudo header.
func (t *template) putChecksum(frame []byte) {
	udp := frame[t.datagram-udpSize : len(t.frame)]
	udp[6], udp[7] = 0, 0
	addresses := frame[etherSize+8 : etherSize+ipv6Size]
	check := ^fold(sum(sum(uint64(len(udp))+protoUDP, addresses), udp))
	if check == 0 {
		check = 0xffff
	}
	binary.BigEndian.PutUint16(udp[6:], check)
}

// sum adds b's 16-bit big-endian words to start (RFC 1071).
func sum(start uint64, b []byte) uint64 {
	for len(b) >= 2 {
		start += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		start += uint64(b[0]) << 8
	}
	return start
}

func fold(s uint64) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// stream hands out keys and tenants in the order of the generator's tables.
type stream struct {
	draws   []uint32 // a power of two of them
	at      uint32
	tenants uint32
	turn    uint32
}

func (s *stream) next() uint32 {
	s.at++
	return s.draws[s.at&uint32(len(s.draws)-1)]
}

// tenant returns the offset of the tenant whose turn it is.
func (s *stream) tenant() uint32 {
	if s.tenants <= 1 {
		return 0
	}
	if s.turn++; s.turn == s.tenants {
		s.turn = 0
	}
	return s.turn
}
