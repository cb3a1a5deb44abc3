package pktproc

import (
	"encoding/binary"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
)

// payload is the room for a reply's datagram behind f's headers: what the
// frame holds, what the MTU lets through, what the format allows.
func (p *Processor) payload(f *nic.Frame, l *offsets) []byte {
	at := l.payload()
	room := min(wire.MaxDatagram, p.mtu-int(l.l4-l.l3)-udpHeader, len(f.Data)-at) &^ 7
	return f.Data[at : at+room : at+room]
}

// putReplyHeader makes the header of a request that of its reply: what names
// the request stays, the secret goes. It writes whole words of the layout in
// docs/wire-format.md, which the checksum then reads without waiting.
func putReplyHeader(b []byte, ops int, status wire.Status, bodyLen int, port uint16) {
	_ = b[wire.HeaderSize-1]
	le := binary.LittleEndian
	le.PutUint64(b, le.Uint64(b)&^0xffff_0000|wire.FlagReply<<8|uint64(uint8(ops))<<16|uint64(status)<<24)
	le.PutUint64(b[8:], 0)
	le.PutUint64(b[24:], le.Uint64(b[24:])&^0xffffffff|uint64(uint16(bodyLen))|uint64(port)<<16)
}

// finish turns f, whose payload holds the request's header and behind it the
// reply's operations, into the reply.
func (p *Processor) finish(f *nic.Frame, l *offsets, ops int, status wire.Status, bodyLen int) {
	at := int(l.l4) + udpHeader
	putReplyHeader(f.Data[at:at+wire.HeaderSize], ops, status, bodyLen, p.port)
	f.Len = p.turnAround(f.Data, l, wire.HeaderSize+bodyLen)
	f.Verdict = nic.Reply
	p.n.Replies++
	p.n.Statuses[status]++
}

// refuse answers a request with the status of the whole datagram alone. It
// needs no more of the request than a header, so it is never longer.
func (p *Processor) refuse(f *nic.Frame, l *offsets, status wire.Status) {
	p.finish(f, l, 0, status, 0)
}

// putOp writes the header of a reply's operation, as docs/wire-format.md lays it out.
func putOp(b []byte, code wire.Opcode, flags uint8, status wire.Status, words, valueLen int) {
	binary.LittleEndian.PutUint64(b, uint64(code)|uint64(flags)<<8|uint64(status)<<16|uint64(words)<<24|uint64(valueLen)<<48)
}

// resend answers a duplicate with the recorded reply.
func (p *Processor) resend(f *nic.Frame, l *offsets, s *session, seq uint32) {
	status, ops, body := p.recorded(s, seq)
	room := p.payload(f, l)
	if len(room) < wire.HeaderSize+len(body) {
		p.refuse(f, l, wire.StatusTooLarge)
		return
	}
	copy(room[wire.HeaderSize:], body)
	p.finish(f, l, ops, status, len(body))
}
