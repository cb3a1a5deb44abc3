package wire

import "encoding/binary"

// Op is a view of one operation with its padding, clipped to it. It comes from
// FirstOp over bytes that Parse has accepted; its methods check no bounds of
// their own beyond Go's.
type Op []byte

// FirstOp splits the first operation off ops, which must come from Parse or
// from an earlier FirstOp as rest; ok is false at the end.
func FirstOp(ops []byte) (op Op, rest []byte, ok bool) {
	if len(ops) < OpHeaderSize {
		return nil, nil, false
	}
	head := binary.LittleEndian.Uint64(ops)
	size := (OpHeaderSize + uint(head>>24&0xff)*8 + uint(head>>32&0xffff) + uint(head>>48) + 7) &^ 7
	return Op(ops[:size:size]), ops[size:], true
}

// Code is the operation's opcode.
func (o Op) Code() Opcode { return Opcode(o[offOpcode]) }

// Flags are the operation's OpFlag* bits.
func (o Op) Flags() uint8 { return o[offOpFlags] }

// Status is the operation's outcome; 0 in requests.
func (o Op) Status() Status { return Status(o[offOpStatus]) }

// Words is the number of words, those of a receipt not counted.
func (o Op) Words() int {
	n := int(o[offWords])
	if o[offOpFlags]&OpFlagReceipt != 0 {
		n -= ReceiptWords
	}
	return n
}

// Word is word i, or 0 if the operation has no such word. Words of a receipt
// are read by Receipt.
func (o Op) Word(i int) uint64 {
	if uint(i) >= uint(o.Words()) {
		return 0
	}
	return binary.LittleEndian.Uint64(o[OpHeaderSize+8*i:])
}

// Key returns the key, borrowed from the datagram; with OpFlagIntKey the 8
// bytes of the integer.
func (o Op) Key() []byte {
	off := OpHeaderSize + 8*uint(o[offWords])
	end := off + uint(binary.LittleEndian.Uint16(o[offKeyLen:]))
	return o[off:end:end]
}

// IntKey returns the integer key, and whether the operation has one.
func (o Op) IntKey() (uint64, bool) {
	if o[offOpFlags]&OpFlagIntKey == 0 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(o[OpHeaderSize+8*uint(o[offWords]):]), true
}

// Value returns the value, borrowed from the datagram.
func (o Op) Value() []byte {
	head := binary.LittleEndian.Uint64(o)
	off := OpHeaderSize + 8*uint(head>>24&0xff) + uint(head>>32&0xffff)
	end := off + uint(head>>48)
	return o[off:end:end]
}

// Recorded says whether a datagram that holds this request operation is
// recorded in its session's window: executed once, however often it arrives.
func (o Op) Recorded() bool {
	switch o.Code() {
	case OpSet, OpDelete, OpIncr, OpCAS, OpCall, OpFn, OpPushBegin, OpKill:
		return true
	case OpTTL:
		return o.Flags()&OpFlagTTL != 0
	}
	return false
}

// Receipt is what an operation cost: fuel, store lookups, value bytes read,
// value bytes returned, and the tier that executed it.
type Receipt struct {
	Fuel, Lookups, BytesRead, BytesReturned, Tier uint64
}

// Receipt returns the operation's receipt, if it carries one.
func (o Op) Receipt() (r Receipt, ok bool) {
	if o[offOpFlags]&OpFlagReceipt == 0 {
		return r, false
	}
	b := o[OpHeaderSize+8*o.Words():]
	_ = b[8*ReceiptWords-1]
	le := binary.LittleEndian
	return Receipt{
		Fuel: le.Uint64(b), Lookups: le.Uint64(b[8:]), BytesRead: le.Uint64(b[16:]),
		BytesReturned: le.Uint64(b[24:]), Tier: le.Uint64(b[32:]),
	}, true
}
