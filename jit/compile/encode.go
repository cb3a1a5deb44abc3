package compile

import (
	"encoding/binary"
	"math"
)

// Sections of a module.
const (
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionMemory   = 5
	sectionGlobal   = 6
	sectionExport   = 7
	sectionCode     = 10
)

// appendUnsigned appends n as LEB128.
func appendUnsigned(dst []byte, n uint64) []byte { return binary.AppendUvarint(dst, n) }

// appendSigned appends n as signed LEB128.
func appendSigned(dst []byte, n int64) []byte {
	for {
		b := byte(n & 0x7f)
		n >>= 7
		if n == 0 && b&0x40 == 0 || n == -1 && b&0x40 != 0 {
			return append(dst, b)
		}
		dst = append(dst, b|0x80)
	}
}

func appendName(dst []byte, name string) []byte {
	return append(appendUnsigned(dst, uint64(len(name))), name...)
}

func appendDouble(dst []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
}

// signature is a function type.
type signature struct{ params, results []valueType }

func (s signature) key() string {
	return string(append(append(bytesOf(s.params), '>'), bytesOf(s.results)...))
}

func bytesOf(types []valueType) []byte {
	b := make([]byte, 0, len(types)+1)
	for _, t := range types {
		b = append(b, byte(t))
	}
	return b
}

// importName is a host function that a module wants.
type importName struct {
	name string
	sig  signature
}

// builder collects the parts of a module. Imported functions come first in the
// index space, so all imports are declared before the first function.
type builder struct {
	types     [][]byte
	typeIndex map[string]int
	imports   []importName
	functions []int // type index of each function defined here
	bodies    [][]byte
	globals   []globalDef
	exports   []exportDef
}

// globalDef is a mutable global, 0 at first.
type globalDef struct {
	name string
	t    valueType
}

type exportDef struct {
	name  string
	kind  byte // 0 function, 2 memory, 3 global
	index int
}

func newBuilder() *builder { return &builder{typeIndex: map[string]int{}} }

func (b *builder) typeOf(s signature) int {
	if i, ok := b.typeIndex[s.key()]; ok {
		return i
	}
	enc := []byte{0x60}
	enc = append(appendUnsigned(enc, uint64(len(s.params))), bytesOf(s.params)...)
	enc = append(appendUnsigned(enc, uint64(len(s.results))), bytesOf(s.results)...)
	b.types = append(b.types, enc)
	b.typeIndex[s.key()] = len(b.types) - 1
	return len(b.types) - 1
}

// vector encodes a section's entries behind their count.
func vector[E any](list []E, each func(dst []byte, i int, e E) []byte) []byte {
	out := appendUnsigned(nil, uint64(len(list)))
	for i, e := range list {
		out = each(out, i, e)
	}
	return out
}

// module encodes everything.
func (b *builder) module() []byte {
	out := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	section := func(id byte, body []byte) {
		out = append(appendUnsigned(append(out, id), uint64(len(body))), body...)
	}
	imports := vector(b.imports, func(dst []byte, _ int, m importName) []byte {
		dst = append(appendName(appendName(dst, HostModule), m.name), 0)
		return appendUnsigned(dst, uint64(b.typeOf(m.sig)))
	})
	section(sectionType, vector(b.types, func(dst []byte, _ int, t []byte) []byte { return append(dst, t...) }))
	section(sectionImport, imports)
	section(sectionFunction, vector(b.functions, func(dst []byte, _, t int) []byte { return appendUnsigned(dst, uint64(t)) }))
	section(sectionMemory, []byte{1, 0, 1}) // at least one page: the allocator gives the whole arena
	section(sectionGlobal, vector(b.globals, func(dst []byte, _ int, g globalDef) []byte {
		dst = append(dst, byte(g.t), 1)
		switch g.t {
		case i32:
			dst = append(dst, byte(opI32Const), 0)
		case i64:
			dst = append(dst, byte(opI64Const), 0)
		case f64:
			dst = appendDouble(append(dst, byte(opF64Const)), 0)
		}
		return append(dst, byte(opEnd))
	}))
	exports := b.exports
	for i, g := range b.globals {
		exports = append(exports, exportDef{g.name, 3, i})
	}
	section(sectionExport, vector(exports, func(dst []byte, _ int, e exportDef) []byte {
		return appendUnsigned(append(appendName(dst, e.name), e.kind), uint64(e.index))
	}))
	section(sectionCode, vector(b.bodies, func(dst []byte, _ int, body []byte) []byte {
		return append(appendUnsigned(dst, uint64(len(body))), body...)
	}))
	return out
}
