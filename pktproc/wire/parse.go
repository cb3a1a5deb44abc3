package wire

import "encoding/binary"

// Parse checks a whole datagram, request or reply: version, lengths, the
// bounds of every operation, its word count, key length, integer key and zero
// padding. It returns views of the header and of the operations' bytes; walk
// those with FirstOp. What an opcode wants is CheckOp's business.
//
// Other than StatusOK it gives StatusUnsupported (another version),
// StatusTooLarge (more than MaxDatagram bytes) or StatusMalformed. The header
// is returned with every status if the bytes for one are there, else nil, so
// that the refusal can name the request.
func Parse(b []byte) (h Header, ops []byte, st Status) {
	if len(b) < HeaderSize {
		return nil, nil, StatusMalformed
	}
	h = Header(b[:HeaderSize:HeaderSize])
	ops = b[HeaderSize:len(b):len(b)]
	if h[offVersion] != Version {
		return h, nil, StatusUnsupported
	}
	if len(b) > MaxDatagram {
		return h, nil, StatusTooLarge
	}
	if h.BodyLen() != len(ops) {
		return h, nil, StatusMalformed
	}
	count := h.Ops()
	if count == 0 || count > MaxOps {
		if count == 0 && len(ops) == 0 && h[offFlags]&FlagReply != 0 && h[offStatus] != 0 {
			return h, ops, StatusOK // a refusal of the whole datagram needs no operation
		}
		return h, nil, StatusMalformed
	}
	off := uint(0)
	for ; count > 0; count-- {
		size := checkedSize(ops, off)
		if size == 0 {
			return h, nil, StatusMalformed
		}
		off += size
	}
	if off != uint(len(ops)) {
		return h, nil, StatusMalformed
	}
	return h, ops, StatusOK
}

// checkedSize is the padded size of the operation at off in b, at most len(b),
// or 0 if it leaves b or breaks a rule of the format.
func checkedSize(b []byte, off uint) uint {
	if off+OpHeaderSize > uint(len(b)) {
		return 0
	}
	head := binary.LittleEndian.Uint64(b[off:])
	words := uint(head>>24) & 0xff
	keyLen := uint(head>>32) & 0xffff
	body := OpHeaderSize + words*8 + keyLen + uint(head>>48)
	size := (body + 7) &^ 7
	end := off + size
	if words > MaxWords || keyLen > MaxKeyLen || end > uint(len(b)) {
		return 0
	}
	if pad := size - body; pad != 0 {
		// The last 8 bytes always exist; what they hold above the body is padding.
		if binary.LittleEndian.Uint64(b[end-8:])>>((64-8*pad)&63) != 0 {
			return 0
		}
	}
	if head&((OpFlagIntKey|OpFlagReceipt)<<8) != 0 {
		if head&(OpFlagReceipt<<8) != 0 && words < ReceiptWords {
			return 0
		}
		key := b[off+OpHeaderSize+words*8:]
		if head&(OpFlagIntKey<<8) != 0 && (keyLen != 8 || binary.LittleEndian.Uint64(key)>>53 != 0) {
			return 0
		}
	}
	return size
}

// CheckRequest says whether a parsed datagram's header is one that a client
// may send: StatusMalformed for a reply or a status, StatusUnsupported for an
// unknown flag. Datagrams with FlagReply must not be answered at all, so that
// two servers cannot talk to each other for ever.
func CheckRequest(h Header) Status {
	flags := h.Flags()
	if flags&FlagReply != 0 || h[offStatus] != 0 {
		return StatusMalformed
	}
	if flags&^(FlagAtomic|FlagTrusted|FlagReceipt) != 0 {
		return StatusUnsupported
	}
	return StatusOK
}
