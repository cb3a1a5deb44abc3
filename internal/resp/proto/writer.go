package proto

import (
	"math"
	"strconv"
)

// Writer appends replies to a buffer in protocol version 2 or 3. Of types that
// version 2 lacks it writes what Redis writes there. It grows the buffer if it must; who may
// not allocate looks at Room first.
type Writer struct {
	b       []byte
	version int
}

// Reset makes the Writer append to b, replies being in the version given.
func (w *Writer) Reset(b []byte, version int) { w.b, w.version = b, version }

// Bytes returns what Reset gave and everything appended since.
func (w *Writer) Bytes() []byte { return w.b }

// Version is 2 or 3.
func (w *Writer) Version() int { return w.version }

// Room is how many bytes can be appended before the buffer must grow.
func (w *Writer) Room() int { return cap(w.b) - len(w.b) }

// Grow makes room for n more bytes.
func (w *Writer) Grow(n int) {
	if w.Room() < n {
		w.b = append(make([]byte, 0, 2*cap(w.b)+n), w.b...)
	}
}

// Raw appends bytes that are a reply, or part of one, already.
func (w *Writer) Raw(b []byte) { w.b = append(w.b, b...) }

func (w *Writer) head(kind byte, n int64) {
	w.b = append(w.b, kind)
	w.b = strconv.AppendInt(w.b, n, 10)
	w.b = append(w.b, '\r', '\n')
}

func (w *Writer) line(kind byte, s string) {
	w.b = append(w.b, kind)
	w.b = append(w.b, s...)
	w.b = append(w.b, '\r', '\n')
}

// Simple writes a status; s has no line break.
func (w *Writer) Simple(s string) { w.line('+', s) }

// Error writes an error, its code first: "ERR syntax error". Line breaks become spaces,
// those at its end go.
func (w *Writer) Error(s string) {
	for len(s) > 0 && (s[len(s)-1] == '\r' || s[len(s)-1] == '\n') {
		s = s[:len(s)-1]
	}
	start := len(w.b) + 1
	w.line('-', s)
	for i := start; i < len(w.b)-2; i++ {
		if w.b[i] == '\r' || w.b[i] == '\n' {
			w.b[i] = ' '
		}
	}
}

// Int writes an integer.
func (w *Writer) Int(n int64) { w.head(':', n) }

// Bulk writes a string of any bytes.
func (w *Writer) Bulk(b []byte) {
	w.head('$', int64(len(b)))
	w.b = append(w.b, b...)
	w.b = append(w.b, '\r', '\n')
}

// BulkString is Bulk of a string.
func (w *Writer) BulkString(s string) {
	w.head('$', int64(len(s)))
	w.b = append(w.b, s...)
	w.b = append(w.b, '\r', '\n')
}

// BulkInt writes an integer as the string that it is in.
func (w *Writer) BulkInt(n int64) {
	var text [20]byte
	w.Bulk(strconv.AppendInt(text[:0], n, 10))
}

func (w *Writer) null(two string) {
	if w.version == 3 {
		two = "_\r\n"
	}
	w.b = append(w.b, two...)
}

// Null writes what stands for no string.
func (w *Writer) Null() { w.null("$-1\r\n") }

// NullArray writes what stands for no array.
func (w *Writer) NullArray() { w.null("*-1\r\n") }

// Array begins an array of n replies.
func (w *Writer) Array(n int) { w.head('*', int64(n)) }

func (w *Writer) aggregate(kind byte, n, flat int) {
	if w.version == 3 {
		w.head(kind, int64(n))
	} else {
		w.head('*', int64(flat))
	}
}

// Map begins a map of so many pairs: an array of twice as many in version 2.
func (w *Writer) Map(pairs int) { w.aggregate('%', pairs, 2*pairs) }

// Set begins a set of n members.
func (w *Writer) Set(n int) { w.aggregate('~', n, n) }

// Push begins a message of n parts that no request asked for.
func (w *Writer) Push(n int) { w.aggregate('>', n, n) }

// Bool writes a boolean: 1 or 0 in version 2.
func (w *Writer) Bool(v bool) {
	switch {
	case w.version != 3 && v:
		w.Int(1)
	case w.version != 3:
		w.Int(0)
	case v:
		w.line('#', "t")
	default:
		w.line('#', "f")
	}
}

// Double writes a number with 17 digits: a string in version 2.
func (w *Writer) Double(f float64) {
	var text string
	switch {
	case math.IsInf(f, 1):
		text = "inf"
	case math.IsInf(f, -1):
		text = "-inf"
	case math.IsNaN(f):
		text = "nan"
	default:
		text = strconv.FormatFloat(f, 'g', 17, 64)
	}
	if w.version == 3 {
		w.line(',', text)
	} else {
		w.BulkString(text)
	}
}

// Verbatim writes text of a kind of three letters, "txt" or "mkd".
func (w *Writer) Verbatim(kind, s string) {
	if w.version != 3 {
		w.BulkString(s)
		return
	}
	w.head('=', int64(len(s)+4))
	w.b = append(w.b, kind...)
	w.b = append(w.b, ':')
	w.b = append(w.b, s...)
	w.b = append(w.b, '\r', '\n')
}
