package compile

// kinds is a set of what a value may be.
type kinds uint16

const (
	kUndefined kinds = 1 << iota
	kNull
	kBool
	kInt    // a safe integer, not −0, within an interval
	kNumber // any double; takes in kInt
	kString // text, see text.go
	kView   // a typed array
	kArray  // an array, see cell.go
	kSet    // a set of numbers
	kMap    // a map from numbers
	kRecord // an object of fixed shape in memory
	kError  // an error object, see try.go
	kBuffer // an ArrayBuffer or a DataView, see buffer.go
	kJSON   // the call's result, written as JSON by the host
	kValue  // what JSON.parse and store.json give, see dynamic.go
)

const (
	kNil       = kUndefined | kNull
	kPrimitive = kNil | kBool | kInt | kNumber
	kCelled    = kArray | kMap | kRecord
	kHeap      = kCelled | kSet | kError
	// kCodes have a code of their own in every representation.
	kCodes = kNil | kBool | kJSON
)

// maxSafe is the largest magnitude of an integer that is kept as one.
const maxSafe = 1<<53 - 1

// element is the element type of a typed array.
type element uint8

const (
	elemU8 element = iota
	elemI8
	elemU16
	elemI16
	elemU32
	elemI32
	elemF32
	elemF64
)

var elementNames = [...]string{"u8", "i8", "u16", "i16", "u32", "i32", "f32", "f64"}
var elementShifts = [...]int64{0, 0, 1, 1, 2, 2, 2, 3}
var elementLow = [...]int64{0, -1 << 7, 0, -1 << 15, 0, -1 << 31}
var elementHigh = [...]int64{1<<8 - 1, 1<<7 - 1, 1<<16 - 1, 1<<15 - 1, 1<<32 - 1, 1<<31 - 1}

// maxElements bounds the length of any typed array: values end at 16 MiB, and
// scratch is smaller than 1 GiB.
const maxElements = 1 << 30

// Type is what the compiler knows of a value. The zero Type has no values: the
// code behind it is not reached, or a later pass will know more.
type Type struct {
	k      kinds
	lo, hi int64   // kInt: the interval
	elem   element // kView
	// sites holds the bits of the store calls and slices that a view may come from
	// (the call's position modulo 64); a write to the view marks them as copying.
	sites uint64
	// mutable: kView may be scratch memory that the function writes to.
	mutable bool
	// part: kView may be a part of a buffer.
	part bool
	// wide: kString may hold units from 0x80 up, and then lies in UTF-16.
	wide bool
	of   *cell // kArray, kMap, kRecord: what it holds
}

var (
	never       = Type{}
	undefinedT  = Type{k: kUndefined}
	nullT       = Type{k: kNull}
	boolT       = Type{k: kBool}
	numberT     = Type{k: kNumber}
	safeT       = intT(-maxSafe, maxSafe)
	int32T      = intT(-1<<31, 1<<31-1)
	uint32T     = intT(0, 1<<32-1)
	stringT     = Type{k: kString} // ASCII
	wideT       = Type{k: kString, wide: true}
	lengthT     = intT(0, maxElements)
	versionT    = intT(0, maxSafe)
	anyInterval = [2]int64{-maxSafe, maxSafe}
)

func intT(lo, hi int64) Type { return Type{k: kInt, lo: lo, hi: hi} }

func viewT(e element, sites uint64, mutable bool) Type {
	return Type{k: kView, elem: e, sites: sites, mutable: mutable}
}

func (t Type) has(k kinds) bool     { return t.k&k != 0 }
func (t Type) only(k kinds) bool    { return t.k != 0 && t.k&^k == 0 }
func (t Type) isNever() bool        { return t.k == 0 }
func (t Type) without(k kinds) Type { t.k &^= k; return t.normal() }
func (t Type) with(k kinds) Type    { t.k |= k; return t }

// normal clears what has no meaning without its kind, so that equal types
// compare equal.
func (t Type) normal() Type {
	if t.k&kNumber != 0 {
		t.k &^= kInt
	}
	if t.k&kInt == 0 {
		t.lo, t.hi = 0, 0
	}
	if t.k&(kView|kBuffer) == 0 {
		t.part = false
		t.elem, t.sites, t.mutable = 0, 0, false
	}
	t.wide = t.wide && t.k&kString != 0
	if t.k&kCelled == 0 {
		t.of = nil
	}
	t.of = t.of.root()
	return t
}

// join is the smallest type that holds both. Two views of different elements
// have none: ok is false.
func join(a, b Type) (t Type, ok bool) {
	a.of, b.of = a.of.root(), b.of.root()
	if a.isNever() {
		return b, true
	}
	if b.isNever() {
		return a, true
	}
	if (a.k|b.k)&kValue != 0 {
		a, b = a.boxed(), b.boxed()
	}
	t = a
	t.k |= b.k
	switch {
	case a.has(kInt) && b.has(kInt):
		t.lo, t.hi = min(a.lo, b.lo), max(a.hi, b.hi)
	case b.has(kInt):
		t.lo, t.hi = b.lo, b.hi
	}
	if a.has(kView|kBuffer) && b.has(kView|kBuffer) && a.elem != b.elem {
		return t, false
	}
	if b.has(kView | kBuffer) {
		t.elem = b.elem
	}
	t.sites |= b.sites
	t.mutable = a.mutable || b.mutable
	t.part = a.part || b.part
	t.wide = a.wide || b.wide
	if t.rep() == repMixed {
		return t.normal(), false
	}
	t.of, ok = unify(a.of, b.of)
	return t.normal(), ok
}

// boxed is the type of t's values beside JSON values, as which they can lie in
// memory, too.
func (t Type) boxed() Type {
	if t.has(kBool | kInt | kNumber | kString) {
		t.k = t.k&^(kBool|kInt|kNumber|kString) | kValue
	}
	return t.normal()
}

// within says that every value of t is one of u.
func (t Type) within(u Type) bool {
	j, ok := join(t, u)
	u.of = u.of.root()
	return ok && j == u
}

var widenHigh = [...]int64{0, 1<<8 - 1, 1<<16 - 1, 1 << 24, 1<<31 - 1, 1<<32 - 1, maxSafe}
var widenLow = [...]int64{0, -1 << 7, -1 << 15, -1 << 31, -maxSafe}

// widen makes an interval that has grown from old jump to the next of a few
// bounds, so that passes end.
func (t Type) widen(old Type) Type {
	if !t.has(kInt) || !old.has(kInt) {
		return t
	}
	if t.hi > old.hi {
		for _, h := range widenHigh {
			if h >= t.hi {
				t.hi = h
				break
			}
		}
	}
	if t.lo < old.lo {
		for _, l := range widenLow {
			if l <= t.lo {
				t.lo = l
				break
			}
		}
	}
	return t
}

// rep is how a value lies in WebAssembly values.
type rep uint8

const (
	repMixed rep = iota // no representation
	repI32              // booleans and nil: code*
	repI64              // integers; nil and booleans as sentinels
	repF64              // doubles; nil and booleans as NaNs of their own
	repPair             // address and length, address 0 undefined, 1 null
	repRef              // address of an array's header, 0 undefined, 1 null
)

func (t Type) rep() rep {
	switch {
	case t.k&^kCodes == 0:
		return repI32
	case t.k&^(kCodes|kInt) == 0:
		return repI64
	case t.k&^(kCodes|kInt|kNumber) == 0:
		return repF64
	case t.k&^(kNil|kJSON|kBuffer) == 0, t.k&^(kNil|kJSON|kView) == 0, t.k&^(kNil|kJSON|kString) == 0:
		return repPair
	case t.k&^(kNil|kArray) == 0, t.k&^(kNil|kSet) == 0, t.k&^(kNil|kMap) == 0, t.k&^(kNil|kRecord) == 0, t.k&^(kNil|kError) == 0, t.k&^(kNil|kValue) == 0:
		return repRef
	}
	return repMixed
}

func (r rep) valueTypes() []valueType {
	switch r {
	case repI64:
		return []valueType{i64}
	case repF64:
		return []valueType{f64}
	case repPair:
		return []valueType{i32, i32}
	}
	return []valueType{i32}
}

// Codes of the values that are no numbers: the value itself as an i32,
// sentinelInt + code as an i64, the bits sentinelBitsSigned + code as an f64.
const (
	codeFalse     = 0
	codeTrue      = 1
	codeUndefined = 2
	codeNull      = 3
	codeJSON      = 4

	sentinelInt = -1 << 63
)

func (t Type) describe() string {
	names := []struct {
		k    kinds
		name string
	}{{kBool, "a boolean"}, {kInt | kNumber, "a number"}, {kString, "a string"}, {kView, "a typed array"}, {kBuffer, "a buffer"},
		{kArray, "an array"}, {kSet, "a set"}, {kMap, "a map"}, {kRecord | kJSON, "an object"}, {kError, "an error"}, {kValue, "a JSON value"}, {kUndefined, "undefined"}, {kNull, "null"}}
	out := ""
	for _, n := range names {
		if t.has(n.k) {
			if out != "" {
				out += " or "
			}
			out += n.name
		}
	}
	if out == "" {
		return "nothing"
	}
	return out
}

// Representations and codes as the host sees them (Type.Representation).
const (
	RepI32  = uint8(repI32)
	RepI64  = uint8(repI64)
	RepF64  = uint8(repF64)
	RepPair = uint8(repPair)
	RepRef  = uint8(repRef)

	CodeFalse     = codeFalse
	CodeTrue      = codeTrue
	CodeUndefined = codeUndefined
	CodeNull      = codeNull
	CodeJSON      = codeJSON

	// SentinelBits + a code is an f64 that stands for nil or a boolean.
	SentinelBits = uint64(0xfffc) << 48
)
