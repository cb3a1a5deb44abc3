package wasm

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"shredder/jit"
	"shredder/jit/compile"
	"shredder/pktproc/wire"
)

// noArgument stands for those that are not given; nobody writes to it.
var noArgument = argument{kind: compile.KindUndefined}

// push appends the arguments in the representations of the entry's parameters
// and copies their bytes to scratch.
func (i *Instance) push(s []uint64, f *Form, scratch uint32) ([]uint64, uint32) {
	for n, rep := range f.params {
		a := &noArgument
		if n < len(i.args) {
			a = &i.args[n]
		}
		code := uint64(compile.CodeUndefined)
		switch a.kind {
		case compile.KindNull:
			code = compile.CodeNull
		case compile.KindBool:
			code = uint64(a.n)
		}
		isNumber := a.kind == compile.KindInt || a.kind == compile.KindDouble
		switch rep {
		case compile.RepI64:
			if isNumber {
				s = append(s, uint64(a.n))
			} else {
				s = append(s, code|1<<63)
			}
		case compile.RepF64:
			switch {
			case a.kind == compile.KindInt:
				s = append(s, math.Float64bits(float64(a.n)))
			case isNumber && a.f != a.f:
				s = append(s, math.Float64bits(math.NaN()))
			case isNumber:
				s = append(s, math.Float64bits(a.f))
			default:
				s = append(s, compile.SentinelBits|code)
			}
		case compile.RepPair:
			if a.kind == compile.KindText {
				i.builder.reset()
				i.builder.utf8(a.b)
				room, at := i.argumentRoom(&scratch, 2*len(i.builder.units))
				if room == nil {
					return nil, 0
				}
				for n, u := range i.builder.units {
					binary.LittleEndian.PutUint16(room[2*n:], u)
				}
				s = append(s, uint64(at), uint64(len(i.builder.units))|compile.WideText)
			} else if a.kind == compile.KindString || a.kind == compile.KindBytes {
				room, at := i.argumentRoom(&scratch, len(a.b))
				if room == nil {
					return nil, 0
				}
				copy(room, a.b)
				s = append(s, uint64(at), uint64(len(a.b)))
			} else {
				s = append(s, code-compile.CodeUndefined, 0)
			}
		case compile.RepRef:
			ref := uint32(code - compile.CodeUndefined)
			if a.kind != compile.KindNull && a.kind != compile.KindUndefined {
				i.scratch.first.Set(uint64(scratch))
				if ref = i.valueOf(a); ref-2 < 3 {
					return nil, 0
				}
				scratch = uint32(i.scratch.first.Get())
			}
			s = append(s, uint64(ref))
		default:
			s = append(s, code)
		}
	}
	return s, scratch
}

// valueOf makes a JSON value of an argument; 2 to 4 if it has none.
func (i *Instance) valueOf(a *argument) uint32 {
	switch a.kind {
	case compile.KindBool:
		return i.newNode(compile.TagBool, uint32(a.n), 0)
	case compile.KindInt:
		return i.newNode(compile.TagNumber, 0, math.Float64bits(float64(a.n)))
	case compile.KindDouble:
		return i.newNode(compile.TagNumber, 0, math.Float64bits(a.f))
	case compile.KindString, compile.KindText:
		i.builder.reset()
		i.builder.utf8(a.b)
		return i.textNode(i.built())
	case compile.KindJSON:
		// Its fuel is burnt already, and what is wrong with it tier 0 tells.
		if utf8.Valid(a.b) {
			_, ref := i.parse(math.MaxInt64>>1, a.b, 0)
			return ref
		}
	}
	return compile.ValueOther
}

// encodeValue writes a JSON value as a result.
func (i *Instance) encodeValue(inv *jit.Invocation, left int64, dst []byte, ref uint64) (int64, jit.Outcome) {
	n := i.node(ref)
	switch n.tag() {
	case 0:
		dst = wire.AppendNull(dst)
	case compile.TagBool:
		dst = wire.AppendBool(dst, n.word() != 0)
	case compile.TagNumber:
		dst = wire.AppendDouble(dst, n.float())
	case compile.TagText:
		return i.encodeText(inv, left, dst, i.textOfNode(n))
	default:
		if left = i.jsonNode(left, ref); left < 0 {
			if i.meter.status == jit.Deopt {
				return left, i.miss(0, nil)
			}
			return left, jit.Outcome{Status: i.meter.status, Message: []byte(i.reason)}
		}
		dst = wire.AppendJSON(dst, i.json.out)
	}
	return i.bounded(inv, left, dst)
}

// argumentRoom takes scratch for an argument; parsed JSON in front of it may have
// used up the block that was measured for all of them.
func (i *Instance) argumentRoom(scratch *uint32, n int) (room []byte, at uint32) {
	i.scratch.first.Set(uint64(*scratch))
	room, at = i.alloc(n)
	*scratch = uint32(i.scratch.first.Get())
	return room, at
}

// encode writes the result in wire encoding: a stored value goes from the arena
// to the reply in one copy.
func (i *Instance) encode(inv *jit.Invocation, f *Form, left int64, s []uint64) (int64, jit.Outcome) {
	dst := inv.Result[:0]
	code := uint64(compile.CodeUndefined)
	switch f.result {
	case compile.RepI64:
		if n := int64(s[0]); n >= -maxSafe {
			dst = wire.AppendInt(dst, n)
			return i.bounded(inv, left, dst)
		}
		code = s[0] & 7
	case compile.RepF64:
		if s[0]&^7 != compile.SentinelBits {
			x := math.Float64frombits(s[0])
			if x != x {
				x = math.NaN() // which NaN is no part of the language
			}
			if math.Abs(x) == maxSafe+1 {
				return left, i.miss(f.kinds, &atBound)
			}
			dst = wire.AppendDouble(dst, x)
			return i.bounded(inv, left, dst)
		}
		code = s[0] & 7
	case compile.RepPair:
		address := uint32(s[0])
		if address > compile.CodeJSON-compile.CodeUndefined {
			return i.encodeBytes(inv, &f.module.Result, left, dst, s)
		}
		code = compile.CodeUndefined + uint64(address)
	default:
		if f.isValue {
			return i.encodeValue(inv, left, dst, s[0])
		}
		code = uint64(uint32(s[0]))
	}
	switch code {
	case compile.CodeJSON:
		switch i.given.kind {
		case givenText:
			return i.encodeText(inv, left, dst, i.textAt(i.given.address, i.given.word))
		case givenValue:
			return i.encodeValue(inv, left, dst, i.given.address)
		case givenBytes:
			return i.encodeRaw(inv, left, dst, i.bytes(i.given.address, i.given.word))
		}
		dst = wire.AppendJSON(dst, i.json.out)
	case compile.CodeFalse, compile.CodeTrue:
		dst = wire.AppendBool(dst, code == compile.CodeTrue)
	default:
		dst = wire.AppendNull(dst)
	}
	return i.bounded(inv, left, dst)
}

func (i *Instance) encodeBytes(inv *jit.Invocation, t *compile.Type, left int64, dst []byte, s []uint64) (int64, jit.Outcome) {
	if t.IsText() {
		return i.encodeText(inv, left, dst, i.textAt(s[0], s[1]))
	}
	return i.encodeRaw(inv, left, dst, i.bytes(s[0], uint64(uint32(s[1]))<<t.ElementShift()))
}

// given is a result of text or bytes that a function with results of several
// types has handed over; kind 0 is JSON.
type given struct {
	kind          uint8
	address, word uint64
}

const (
	givenText  = 1
	givenBytes = 2
	givenValue = 3
)

func (i *Instance) encodeRaw(inv *jit.Invocation, left int64, dst, b []byte) (int64, jit.Outcome) {
	if left = i.meter.work(left, int64(len(b))); left < 0 {
		return left, jit.Outcome{Status: i.meter.status}
	}
	if len(b) > inv.Limits.ResultSize {
		return left, tooLarge
	}
	return i.bounded(inv, left, wire.AppendBytes(dst, b))
}

// encodeText writes a string as UTF-8.
func (i *Instance) encodeText(inv *jit.Invocation, left int64, dst []byte, t text) (int64, jit.Outcome) {
	if left = i.meter.work(left, int64(t.len())); left < 0 {
		return left, jit.Outcome{Status: i.meter.status}
	}
	if t.len() > inv.Limits.ResultSize {
		return left, tooLarge
	}
	return i.bounded(inv, left, wire.AppendString(dst, string(i.utf8Of(t))))
}

// atBound: tier 0 has ±2^53 as an integer or as a double, by how it was made, and
// refuses the integer.
var atBound = compile.Exit{Kind: compile.ExitGuard, Message: "a result of 2^53"}

var tooLarge = jit.Outcome{Status: jit.TooLarge, Message: []byte("the result is larger than its limit")}

func (i *Instance) bounded(inv *jit.Invocation, left int64, dst []byte) (int64, jit.Outcome) {
	inv.Result = dst
	if len(dst) > inv.Limits.ResultSize {
		return left, tooLarge
	}
	return left, jit.Outcome{}
}
