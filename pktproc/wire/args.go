package wire

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// MaxSafeInt is the largest integer that a double holds together with its
// neighbours, JavaScript's Number.MAX_SAFE_INTEGER.
const MaxSafeInt = 1<<53 - 1

// Arg is a view of one encoded argument or result, from FirstArg.
type Arg []byte

// SafeInt says whether n can be sent as an integer.
func SafeInt(n int64) bool { return n >= -MaxSafeInt && n <= MaxSafeInt }

// safeDouble says whether f is to be sent as an integer: a safe one, not −0.
func safeDouble(f float64) bool {
	return f >= -MaxSafeInt && f <= MaxSafeInt && f == math.Trunc(f) && (f != 0 || !math.Signbit(f))
}

// AppendNull appends null.
func AppendNull(dst []byte) []byte { return append(dst, TagNull) }

// AppendBool appends a boolean.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, TagTrue)
	}
	return append(dst, TagFalse)
}

// AppendInt appends an integer. If it is not SafeInt the receiver refuses it.
func AppendInt(dst []byte, n int64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, TagInt), uint64(n))
}

// AppendDouble appends a number: as an integer if it is a safe one and not −0.
func AppendDouble(dst []byte, f float64) []byte {
	if safeDouble(f) {
		return AppendInt(dst, int64(f))
	}
	return binary.LittleEndian.AppendUint64(append(dst, TagDouble), math.Float64bits(f))
}

// AppendString appends a string, which must be UTF-8.
func AppendString(dst []byte, s string) []byte {
	dst = binary.LittleEndian.AppendUint32(append(dst, TagString), uint32(len(s)))
	return append(dst, s...)
}

// AppendBytes appends bytes.
func AppendBytes(dst []byte, b []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(append(dst, TagBytes), uint32(len(b)))
	return append(dst, b...)
}

// AppendJSON appends a JSON text, which must be UTF-8.
func AppendJSON(dst []byte, text []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(append(dst, TagJSON), uint32(len(text)))
	return append(dst, text...)
}

// FirstArg splits the first argument off b. StatusMalformed: it leaves b;
// StatusUnsupported: unknown tag; StatusBadArgument: an integer that is not
// safe, a double that is one, or text that is not UTF-8. JSON is not parsed.
func FirstArg(b []byte) (a Arg, rest []byte, st Status) {
	if len(b) == 0 {
		return nil, nil, StatusMalformed
	}
	size := 1
	switch b[0] {
	case TagNull, TagFalse, TagTrue:
	case TagInt, TagDouble:
		size = 9
		if len(b) < size {
			return nil, nil, StatusMalformed
		}
		bits := binary.LittleEndian.Uint64(b[1:])
		if b[0] == TagInt && !SafeInt(int64(bits)) || b[0] == TagDouble && safeDouble(math.Float64frombits(bits)) {
			return nil, nil, StatusBadArgument
		}
	case TagString, TagBytes, TagJSON:
		if len(b) < 5 {
			return nil, nil, StatusMalformed
		}
		n := uint64(binary.LittleEndian.Uint32(b[1:]))
		if n > uint64(len(b)-5) {
			return nil, nil, StatusMalformed
		}
		size = 5 + int(n)
		if b[0] != TagBytes && !utf8.Valid(b[5:size]) {
			return nil, nil, StatusBadArgument
		}
	default:
		return nil, nil, StatusUnsupported
	}
	return Arg(b[:size:size]), b[size:], StatusOK
}

// Tag is the argument's Tag* byte.
func (a Arg) Tag() uint8 { return a[0] }

// Int is the integer of a TagInt argument.
func (a Arg) Int() int64 { return int64(binary.LittleEndian.Uint64(a[1:])) }

// Double is the number of a TagDouble argument.
func (a Arg) Double() float64 { return math.Float64frombits(binary.LittleEndian.Uint64(a[1:])) }

// Bytes are the contents of a string, bytes or JSON argument, borrowed.
func (a Arg) Bytes() []byte { return a[5:] }
