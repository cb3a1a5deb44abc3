package wasm

import (
	"encoding/binary"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"shredder/jit/compile"
)

// text is a string as it lies in memory (jit/compile/text.go): ASCII, or UTF-16
// with at least one unit that is not ASCII.
type text struct {
	b    []byte
	wide bool
}

// textAt is the string at an address with its length word.
func (i *Instance) textAt(address, word uint64) text {
	n := uint64(uint32(word))
	if n < compile.WideText {
		return text{i.bytes(address, n), false}
	}
	return text{i.bytes(address, 2*(n&^compile.WideText)), true}
}

func (t text) len() int {
	if t.wide {
		return len(t.b) / 2
	}
	return len(t.b)
}

func (t text) at(i int) uint16 {
	if t.wide {
		return binary.LittleEndian.Uint16(t.b[2*i:])
	}
	return uint16(t.b[i])
}

// cut is the part from one unit to another; it may be wide without need.
func (t text) cut(from, to int) text {
	if t.wide {
		return text{t.b[2*from : 2*to], true}
	}
	return text{t.b[from:to], false}
}

func (t text) isASCII() bool {
	if t.wide {
		for i := 0; i < len(t.b); i += 2 {
			if t.b[i] >= utf8.RuneSelf || t.b[i+1] != 0 {
				return false
			}
		}
	}
	return true
}

func (t text) units(dst []uint16) []uint16 {
	for i := range t.len() {
		dst = append(dst, t.at(i))
	}
	return dst
}

// appendUTF8 appends the text in UTF-8; lone surrogates become U+FFFD.
func (t text) appendUTF8(dst []byte) []byte {
	if !t.wide {
		return append(dst, t.b...)
	}
	for i, n := 0, t.len(); i < n; i++ {
		c, size := t.point(i)
		dst = utf8.AppendRune(dst, c) // of a surrogate: U+FFFD
		i += size - 1
	}
	return dst
}

// point is the code point at i, a lone surrogate as itself, and its units.
func (t text) point(i int) (c rune, size int) {
	c = rune(t.at(i))
	if utf16.IsSurrogate(c) && i+1 < t.len() {
		if r := utf16.DecodeRune(c, rune(t.at(i+1))); r != utf8.RuneError {
			return r, 2
		}
	}
	return c, 1
}

// utf8Of is the text in UTF-8, borrowed until the next call of it.
func (i *Instance) utf8Of(t text) []byte {
	if !t.wide {
		return t.b
	}
	i.utf8 = t.appendUTF8(i.utf8[:0])
	return i.utf8
}

// builder collects a string that the host makes.
type builder struct {
	narrow []byte
	units  []uint16
	wide   bool
}

func (b *builder) reset() { b.narrow, b.units, b.wide = b.narrow[:0], b.units[:0], false }

func (b *builder) len() int {
	if b.wide {
		return len(b.units)
	}
	return len(b.narrow)
}

func (b *builder) unit(u uint16) {
	if !b.wide {
		if u < utf8.RuneSelf {
			b.narrow = append(b.narrow, byte(u))
			return
		}
		b.widen()
	}
	b.units = append(b.units, u)
}

func (b *builder) widen() {
	for _, c := range b.narrow {
		b.units = append(b.units, uint16(c))
	}
	b.wide = true
}

func (b *builder) text(t text) {
	if !t.wide && !b.wide {
		b.narrow = append(b.narrow, t.b...)
		return
	}
	if !b.wide && t.isASCII() {
		for i := range t.len() {
			b.narrow = append(b.narrow, t.b[2*i])
		}
		return
	}
	if !b.wide {
		b.widen()
	}
	b.units = t.units(b.units)
}

// utf8 appends UTF-8, each invalid byte as U+FFFD.
func (b *builder) utf8(s []byte) {
	for len(s) > 0 {
		c, size := utf8.DecodeRune(s)
		s = s[size:]
		if c < 0x10000 {
			b.unit(uint16(c))
			continue
		}
		high, low := utf16.EncodeRune(c)
		b.unit(uint16(high))
		b.unit(uint16(low))
	}
}

// noScratch is what functions that make strings return when the call's scratch
// is used up.
const noScratch = ^uint64(0)

func packed(address uint32, word uint32) uint64 { return uint64(address)<<32 | uint64(word) }

// built puts what was built into scratch.
func (i *Instance) built() uint64 {
	b := &i.builder
	if !b.wide {
		mem, address := i.alloc(len(b.narrow))
		if mem == nil {
			return noScratch
		}
		copy(mem, b.narrow)
		return packed(address, uint32(len(b.narrow)))
	}
	mem, address := i.alloc(2 * len(b.units))
	if mem == nil {
		return noScratch
	}
	for n, u := range b.units {
		binary.LittleEndian.PutUint16(mem[2*n:], u)
	}
	return packed(address, uint32(len(b.units))|compile.WideText)
}

// cutAt is a part of the string at an address: where it lies, or as a copy if
// the part is ASCII and the whole is not.
func (i *Instance) cutAt(address uint64, t text, from, to int) uint64 {
	if !t.wide {
		return packed(uint32(address)+uint32(from), uint32(to-from))
	}
	part := t.cut(from, to)
	if !part.isASCII() {
		return packed(uint32(address)+uint32(2*from), uint32(to-from)|compile.WideText)
	}
	i.builder.reset()
	i.builder.text(part)
	return i.built()
}

// find is the first place of a text from start on, −1 if there is none.
func (t text) find(what text, start int) int {
	if start > t.len() {
		return -1
	}
	for i, last := start, t.len()-what.len(); i <= last; i++ {
		if t.cut(i, i+what.len()).equals(what) {
			return i
		}
	}
	return -1
}

func (t text) equals(u text) bool {
	if t.wide == u.wide {
		return slices.Equal(t.b, u.b)
	}
	for i := range t.len() {
		if t.at(i) != u.at(i) {
			return false
		}
	}
	return true
}
