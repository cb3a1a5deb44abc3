package wire

import "encoding/binary"

// Sizes of the fixed parts of the records inside values.
const (
	ItemHeaderSize  = 8
	FoundHeaderSize = 16
	LogHeaderSize   = 24
)

const maxIntKey = 1<<53 - 1

// Item is a key, and in the write set of a TRY what happens to it. MULTI-GET
// requests, SCAN replies and write sets are rows of items:
// u8 kind (0 integer, 1 bytes), u8 flags (1: deleted), u16 key length,
// u32 value length, key, value, padding to 8.
type Item struct {
	Int     uint64
	Bytes   []byte // nil: the key is Int
	Deleted bool
	Value   []byte
}

// ItemSize is the encoded size of an item with such a key (8 for an integer)
// and value.
func ItemSize(keyLen, valueLen int) int { return (ItemHeaderSize + keyLen + valueLen + 7) &^ 7 }

// AppendIntItem appends the item of integer key n.
func AppendIntItem(dst []byte, n uint64, deleted bool, value []byte) []byte {
	dst = appendItemHead(dst, 0, deleted, 8, len(value))
	dst = binary.LittleEndian.AppendUint64(dst, n)
	dst = append(dst, value...)
	return appendPad(dst, len(value))
}

// AppendBytesItem appends the item of byte key key.
func AppendBytesItem(dst []byte, key []byte, deleted bool, value []byte) []byte {
	dst = appendItemHead(dst, 1, deleted, len(key), len(value))
	dst = append(dst, key...)
	dst = append(dst, value...)
	return appendPad(dst, len(key)+len(value))
}

func appendItemHead(dst []byte, kind uint64, deleted bool, keyLen, valueLen int) []byte {
	head := kind | uint64(keyLen)<<16 | uint64(uint32(valueLen))<<32
	if deleted {
		head |= 1 << 8
	}
	return binary.LittleEndian.AppendUint64(dst, head)
}

var zeros [8]byte

// appendPad pads a record to a multiple of 8 whose fixed part is one and whose
// other bytes are n.
func appendPad(dst []byte, n int) []byte { return append(dst, zeros[:-n&7]...) }

// FirstItem splits the first item off b, checking everything about it. Its
// slices are borrowed from b.
func FirstItem(b []byte) (it Item, rest []byte, st Status) {
	if len(b) < ItemHeaderSize {
		return it, nil, StatusMalformed
	}
	head := binary.LittleEndian.Uint64(b)
	kind, flags := head&0xff, head>>8&0xff
	keyLen, valueLen := int(head>>16&0xffff), int(head>>32)
	if kind > 1 || flags > 1 || keyLen == 0 || keyLen > MaxKeyLen || valueLen > MaxValueSize {
		return it, nil, StatusMalformed
	}
	end := ItemHeaderSize + keyLen + valueLen
	size := (end + 7) &^ 7
	if size > len(b) || !zeroPadded(b, end, size) {
		return it, nil, StatusMalformed
	}
	valueOff := ItemHeaderSize + keyLen
	if kind == 0 {
		it.Int = 0
		if keyLen != 8 {
			return it, nil, StatusMalformed
		}
		if it.Int = binary.LittleEndian.Uint64(b[ItemHeaderSize:]); it.Int > maxIntKey {
			return it, nil, StatusMalformed
		}
	} else {
		it.Bytes = b[ItemHeaderSize:valueOff:valueOff]
	}
	it.Deleted = flags == 1
	it.Value = b[valueOff:end:end]
	return it, b[size:], StatusOK
}

func zeroPadded(b []byte, end, size int) bool {
	for _, c := range b[end:size] {
		if c != 0 {
			return false
		}
	}
	return true
}

// Found is one answer of a MULTI-GET: u8 status, u8 flags (OpFlagPartial: the
// value is left out, pull it), u16 0, u32 size, u64 version, value, padding.
type Found struct {
	Status  Status
	Partial bool
	Size    uint32
	Version uint64
	Value   []byte // nil with Partial
}

// FoundSize is the encoded size of an answer that carries valueLen bytes.
func FoundSize(valueLen int) int { return (FoundHeaderSize + valueLen + 7) &^ 7 }

// AppendFound appends one answer; with f.Partial the value is left out, else
// the size is that of the value.
func AppendFound(dst []byte, f Found) []byte {
	head := uint64(f.Status)
	value := f.Value
	if f.Partial {
		head |= OpFlagPartial<<8 | uint64(f.Size)<<32
		value = nil
	} else {
		head |= uint64(uint32(len(value))) << 32
	}
	dst = binary.LittleEndian.AppendUint64(dst, head)
	dst = binary.LittleEndian.AppendUint64(dst, f.Version)
	dst = append(dst, value...)
	return appendPad(dst, len(value))
}

// FirstFound splits the first answer off b.
func FirstFound(b []byte) (f Found, rest []byte, st Status) {
	if len(b) < FoundHeaderSize {
		return f, nil, StatusMalformed
	}
	head := binary.LittleEndian.Uint64(b)
	flags := head >> 8 & 0xff
	f.Status, f.Partial, f.Size = Status(head), flags == OpFlagPartial, uint32(head>>32)
	f.Version = binary.LittleEndian.Uint64(b[8:])
	if flags&^OpFlagPartial != 0 || head>>16&0xffff != 0 || f.Size > MaxValueSize {
		return f, nil, StatusMalformed
	}
	if f.Partial {
		return f, b[FoundHeaderSize:], StatusOK
	}
	end := FoundHeaderSize + int(f.Size)
	size := (end + 7) &^ 7
	if size > len(b) || !zeroPadded(b, end, size) {
		return f, nil, StatusMalformed
	}
	f.Value = b[FoundHeaderSize:end:end]
	return f, b[size:], StatusOK
}

// LogRecord is one line of a tenant's log: u64 sequence, u64 unix ms,
// u16 level, u16 length, u32 0, text, padding.
type LogRecord struct {
	Seq        uint64
	UnixMillis int64
	Level      uint16
	Text       []byte
}

// LogSize is the encoded size of a record with such a text.
func LogSize(textLen int) int { return (LogHeaderSize + textLen + 7) &^ 7 }

// AppendLog appends one record; its text is at most 65,535 bytes.
func AppendLog(dst []byte, r LogRecord) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, r.Seq)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.UnixMillis))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.Level)|uint64(uint16(len(r.Text)))<<16)
	dst = append(dst, r.Text...)
	return appendPad(dst, len(r.Text))
}

// FirstLog splits the first record off b.
func FirstLog(b []byte) (r LogRecord, rest []byte, st Status) {
	if len(b) < LogHeaderSize {
		return r, nil, StatusMalformed
	}
	tail := binary.LittleEndian.Uint64(b[16:])
	r.Seq = binary.LittleEndian.Uint64(b)
	r.UnixMillis = int64(binary.LittleEndian.Uint64(b[8:]))
	r.Level = uint16(tail)
	end := LogHeaderSize + int(tail>>16&0xffff)
	size := (end + 7) &^ 7
	if tail>>32 != 0 || size > len(b) || !zeroPadded(b, end, size) {
		return r, nil, StatusMalformed
	}
	r.Text = b[LogHeaderSize:end:end]
	return r, b[size:], StatusOK
}
