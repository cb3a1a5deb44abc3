package wire

import "encoding/binary"

// Header is a view of a datagram's first HeaderSize bytes. Every method needs
// all of them; Parse makes such a view, and so does MakeHeader.
type Header []byte

// MakeHeader is the view of b's header, or nil if b is shorter than one. It
// checks nothing else: Parse does.
func MakeHeader(b []byte) Header {
	if len(b) < HeaderSize {
		return nil
	}
	return Header(b[:HeaderSize:HeaderSize])
}

// Flags are the datagram's Flag* bits.
func (h Header) Flags() uint8 { return h[offFlags] }

// Ops is the number of operations behind the header.
func (h Header) Ops() int { return int(h[offOps]) }

// Status is the outcome of the datagram as a whole.
func (h Header) Status() Status { return Status(h[offStatus]) }

// Session names the session, or with FlagTrusted the tenant's id.
func (h Header) Session() uint32 { return binary.LittleEndian.Uint32(h[offSession:]) }

// Secret is the session's secret; 0 in replies.
func (h Header) Secret() uint64 { return binary.LittleEndian.Uint64(h[offSecret:]) }

// Seq is the datagram's sequence number in its session, from 1.
func (h Header) Seq() uint32 { return binary.LittleEndian.Uint32(h[offSeq:]) }

// First is the lowest sequence number whose reply the client still lacks.
func (h Header) First() uint32 { return binary.LittleEndian.Uint32(h[offFirst:]) }

// BodyLen is the number of bytes behind the header.
func (h Header) BodyLen() int { return int(binary.LittleEndian.Uint16(h[offLen:])) }

// Port is in a reply the UDP port of the tenant's home lcore.
func (h Header) Port() uint16 { return binary.LittleEndian.Uint16(h[offPort:]) }

// DeadlineMillis is how long the client will wait; 0: the tenant's deadline.
func (h Header) DeadlineMillis() uint32 { return binary.LittleEndian.Uint32(h[offDeadline:]) }

// SetVersion writes the format's version.
func (h Header) SetVersion(v uint8) { h[offVersion] = v }

// SetFlags writes the datagram's flags.
func (h Header) SetFlags(f uint8) { h[offFlags] = f }

// SetOps writes the number of operations.
func (h Header) SetOps(n int) { h[offOps] = uint8(n) }

// SetStatus writes the datagram's status.
func (h Header) SetStatus(s Status) { h[offStatus] = uint8(s) }

// SetSession writes the session, or with FlagTrusted the tenant's id.
func (h Header) SetSession(s uint32) { binary.LittleEndian.PutUint32(h[offSession:], s) }

// SetSecret writes the session's secret.
func (h Header) SetSecret(s uint64) { binary.LittleEndian.PutUint64(h[offSecret:], s) }

// SetSeq writes the sequence number.
func (h Header) SetSeq(n uint32) { binary.LittleEndian.PutUint32(h[offSeq:], n) }

// SetFirst writes the first incomplete sequence number.
func (h Header) SetFirst(n uint32) { binary.LittleEndian.PutUint32(h[offFirst:], n) }

// SetBodyLen writes the number of bytes behind the header.
func (h Header) SetBodyLen(n int) { binary.LittleEndian.PutUint16(h[offLen:], uint16(n)) }

// SetPort writes the home lcore's port.
func (h Header) SetPort(p uint16) { binary.LittleEndian.PutUint16(h[offPort:], p) }

// SetDeadlineMillis writes the client's deadline.
func (h Header) SetDeadlineMillis(n uint32) { binary.LittleEndian.PutUint32(h[offDeadline:], n) }

// HeaderFields are the values that Writer.Finish puts into a header. Version,
// operation count and length it knows itself.
type HeaderFields struct {
	Flags          uint8
	Status         Status
	Session        uint32
	Secret         uint64
	Seq, First     uint32
	Port           uint16
	DeadlineMillis uint32
}

// put writes f, count and bodyLen over h's bytes.
func (f *HeaderFields) put(h Header, count, bodyLen int) {
	le := binary.LittleEndian
	le.PutUint64(h[0:], Version|uint64(f.Flags)<<8|uint64(uint8(count))<<16|uint64(f.Status)<<24|uint64(f.Session)<<32)
	le.PutUint64(h[offSecret:], f.Secret)
	le.PutUint64(h[offSeq:], uint64(f.Seq)|uint64(f.First)<<32)
	le.PutUint64(h[offLen:], uint64(uint16(bodyLen))|uint64(f.Port)<<16|uint64(f.DeadlineMillis)<<32)
}
