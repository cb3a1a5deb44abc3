package wire

import "encoding/binary"

// Writer appends operations to a caller's buffer, leaving room for the header
// that Finish writes in front. It allocates nothing and never writes outside
// the buffer: what does not fit sets Overflow, which stays set until Rewind
// drops the operation; meanwhile everything else is ignored.
//
// The parts of an operation come in the order Begin, Word…, Receipt, Key or
// IntKey, Value…, End. A part outside an operation counts as an overflow.
type Writer struct {
	buf      []byte // its length is a multiple of 8, so that padding always fits
	used     int    // bytes written, header included; a multiple of 8 between operations
	start    int    // where the operation that is open or was last closed begins; 0: none
	words    int
	keyLen   int
	valueLen int
	head     uint64 // opcode, flags, status of the open operation
	ops      int
	open     bool
	overflow bool
}

// NewWriter makes a writer over buf's capacity, of which it uses at most
// MaxDatagram bytes. The buffer stays the caller's.
func NewWriter(buf []byte) Writer {
	limit := cap(buf)
	if limit > MaxDatagram {
		limit = MaxDatagram
	}
	limit &^= 7
	if limit < HeaderSize {
		return Writer{overflow: true}
	}
	return Writer{buf: buf[:limit:limit], used: HeaderSize}
}

// Begin opens an operation. One that is still open is closed first.
func (w *Writer) Begin(code Opcode, flags uint8, status Status) {
	if w.open {
		w.End()
	}
	if w.overflow {
		return
	}
	w.start = w.used
	w.head = uint64(code) | uint64(flags)<<8 | uint64(status)<<16
	w.words, w.keyLen, w.valueLen = 0, 0, 0
	w.open = true
	w.ops++
	if w.ops > MaxOps || w.used+OpHeaderSize > len(w.buf) {
		w.overflow = true
		return
	}
	w.used += OpHeaderSize
}

// Word appends a word to the open operation.
func (w *Writer) Word(v uint64) {
	if w.overflow || !w.open || w.words == MaxWords || w.used+8 > len(w.buf) {
		w.overflow = true
		return
	}
	binary.LittleEndian.PutUint64(w.buf[w.used:], v)
	w.used += 8
	w.words++
}

// SetWord overwrites word i of the open operation, which must have it: for
// counts and cursors that are known only after the value.
func (w *Writer) SetWord(i int, v uint64) {
	if w.overflow || uint(i) >= uint(w.words) {
		return
	}
	binary.LittleEndian.PutUint64(w.buf[w.start+OpHeaderSize+8*i:], v)
}

// SetStatus overwrites the open operation's status.
func (w *Writer) SetStatus(s Status) { w.head = w.head&^(0xff<<16) | uint64(s)<<16 }

// AddFlags sets more flags on the open operation.
func (w *Writer) AddFlags(flags uint8) { w.head |= uint64(flags) << 8 }

// Receipt appends r as the open operation's last words.
func (w *Writer) Receipt(r Receipt) {
	w.Word(r.Fuel)
	w.Word(r.Lookups)
	w.Word(r.BytesRead)
	w.Word(r.BytesReturned)
	w.Word(r.Tier)
	w.AddFlags(OpFlagReceipt)
}

// Key appends a byte key to the open operation.
func (w *Writer) Key(b []byte) {
	if w.overflow || !w.open || len(b) > MaxKeyLen || len(b) > len(w.buf)-w.used {
		w.overflow = true
		return
	}
	w.used += copy(w.buf[w.used:], b)
	w.keyLen += len(b)
}

// IntKey appends the integer key n, below 2^53, to the open operation.
func (w *Writer) IntKey(n uint64) {
	if w.overflow || !w.open || w.used+8 > len(w.buf) {
		w.overflow = true
		return
	}
	binary.LittleEndian.PutUint64(w.buf[w.used:], n)
	w.used += 8
	w.keyLen = 8
	w.head |= OpFlagIntKey << 8
}

// Value appends b to the open operation's value.
func (w *Writer) Value(b []byte) {
	if w.overflow || !w.open || len(b) > len(w.buf)-w.used {
		w.overflow = true
		return
	}
	w.used += copy(w.buf[w.used:], b)
	w.valueLen += len(b)
}

// ValueRoom is the rest of the buffer, for writing the open operation's value
// in place; ValueDone takes what was written. It is empty after an overflow.
func (w *Writer) ValueRoom() []byte {
	if w.overflow {
		return nil
	}
	return w.buf[w.used:]
}

// ValueDone adds the first n bytes of ValueRoom to the value.
func (w *Writer) ValueDone(n int) {
	if w.overflow || !w.open || n < 0 || n > len(w.buf)-w.used {
		w.overflow = true
		return
	}
	w.used += n
	w.valueLen += n
}

// End closes the open operation: its header and its padding.
func (w *Writer) End() {
	if w.overflow || !w.open {
		return
	}
	head := w.head | uint64(w.words)<<24 | uint64(w.keyLen)<<32 | uint64(w.valueLen)<<48
	binary.LittleEndian.PutUint64(w.buf[w.start:], head)
	for w.used&7 != 0 {
		w.buf[w.used] = 0
		w.used++
	}
	w.open = false
}

// Room is the number of bytes left for the open operation, or between
// operations for the body of the next (its header taken off); 0 if none.
func (w *Writer) Room() int {
	if w.overflow {
		return 0
	}
	room := len(w.buf) - w.used
	if !w.open {
		room -= OpHeaderSize
	}
	if room < 0 || (!w.open && w.ops >= MaxOps) {
		return 0
	}
	return room
}

// Overflow says whether something did not fit since the last Rewind.
func (w *Writer) Overflow() bool { return w.overflow }

// Rewind drops the operation that is open or was last closed, and with it an
// overflow, so that a shorter one can take its place. It goes back one
// operation only.
func (w *Writer) Rewind() {
	if w.start == 0 {
		return
	}
	w.used, w.start = w.start, 0
	w.ops--
	w.open, w.overflow = false, false
}

// Ops is the number of operations begun.
func (w *Writer) Ops() int { return w.ops }

// Len is the number of bytes written so far, header included.
func (w *Writer) Len() int { return w.used }

// Bytes are the bytes written so far; those of the header come with Finish.
func (w *Writer) Bytes() []byte { return w.buf[:w.used] }

// Finish closes an open operation, drops one that overflowed, writes the
// header in front, and returns the datagram, borrowed from the buffer. It is
// nil if the buffer cannot hold a header.
func (w *Writer) Finish(h HeaderFields) []byte {
	w.End()
	if w.overflow {
		w.Rewind()
	}
	if len(w.buf) < HeaderSize {
		return nil
	}
	h.put(Header(w.buf[:HeaderSize]), w.ops, w.used-HeaderSize)
	return w.buf[:w.used:w.used]
}
