package interp

import (
	"math"
	"math/big"
	"reflect"
	"time"

	"github.com/dlclark/regexp2/v2"
	"github.com/dop251/goja"

	"shredder/jit/jsmath"

	"shredder/jit/syntax"
)

// goja has no memory limit and cannot be interrupted inside a builtin. The
// guards charge for a builtin's work before it is done, and replace the few
// whose work cannot be told beforehand. They are a seatbelt for trusted
// tenants, not a wall (docs/security.md).
//
// A guard costs about 700 bytes a runtime, so only those are installed whose
// names the program spells; a program that makes names at run time gets the
// others when it first uses one (guard_lazy.go).

// largestBigInt bounds BigInts, in bits.
const largestBigInt = 1 << 16

func init() {
	// Process-wide, for every regular expression that needs backtracking.
	regexp2.DefaultMatchTimeout = 5 * time.Millisecond
	regexp2.SetTimeoutCheckPeriod(2 * time.Millisecond)
}

// guards is what a Runtime keeps of its builtins.
type guards struct {
	originals map[string]*goja.Object // constructors before they were replaced
	jsonParse func(goja.FunctionCall) goja.Value
	bindDepth *goja.Symbol
	joining   []*goja.Object

	all      bool                          // whatever the program spells: every guard
	captured map[string]*goja.Object       // globals that the program may have replaced since
	twins    map[*goja.Object]*goja.Object // constructors, to what replaced them
	done     map[guardKey]bool             // guards in place, for a program with computed names
	walked   [iteratorCount]*goja.Object   // prototypes of iterators and generators
}

// charge is a guard: it looks at a call before it happens.
type charge func(r *Runtime, call goja.FunctionCall)

type replacement func(r *Runtime, original func(goja.FunctionCall) goja.Value) func(goja.FunctionCall) goja.Value

func (r *Runtime) rangeError(message string) *goja.Object  { return r.newError("RangeError", message) }
func (r *Runtime) syntaxError(message string) *goja.Object { return r.newError("SyntaxError", message) }

func (r *Runtime) newError(class, message string) *goja.Object {
	o, err := r.js.New(r.intrinsic(class), r.js.ToValue(message))
	if err != nil {
		panic(err)
	}
	return o
}

// closed is what eval and every Function constructor have become.
func (r *Runtime) closed(goja.FunctionCall) goja.Value {
	panic(r.newError("EvalError", "code cannot be made from text here"))
}

// grown looks at the result of an operation that can grow a string or a BigInt.
func (r *Runtime) grown(call goja.FunctionCall) goja.Value {
	v := call.Arguments[0]
	if t := reflect.TypeOf(v); t == intType || t == floatType {
		return v
	}
	if s, ok := v.(goja.String); ok {
		if n := s.Length(); n >= syntax.BytesPerFuel {
			r.meter.grow(int64(n))
		}
	} else if goja.IsBigInt(v) {
		r.checkBigInt(v)
	}
	return v
}

func (r *Runtime) checkBigInt(v goja.Value) {
	if b, ok := v.Export().(*big.Int); ok {
		if b.BitLen() > largestBigInt {
			panic(r.rangeError("a BigInt is too large"))
		}
		r.meter.work(int64(b.BitLen()))
	}
}

// power is **.
func (r *Runtime) power(call goja.FunctionCall) goja.Value {
	base, exponent, ok := r.bigOperands(call)
	if !ok {
		return floatValue(jsmath.Pow(call.Arguments[0].ToFloat(), call.Arguments[1].ToFloat()))
	}
	if exponent.Sign() < 0 {
		panic(r.rangeError("Exponent must be non-negative"))
	}
	if base.BitLen() > 1 && (exponent.BitLen() > 31 || int64(base.BitLen()-1)*exponent.Int64() > largestBigInt) {
		panic(r.rangeError("a BigInt is too large"))
	}
	r.meter.work(int64(base.BitLen()) * int64(min(exponent.BitLen(), 31)))
	if base.BitLen() <= 1 { // 0, 1, −1: only the exponent's parity counts
		exponent = big.NewInt(2*int64(boolInt(exponent.Sign() > 0)) - int64(exponent.Bit(0)))
	}
	return r.js.ToValue(new(big.Int).Exp(base, exponent, nil))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// shift is << and >> where BigInts can occur.
func (r *Runtime) shift(call goja.FunctionCall) goja.Value {
	toRight := call.Arguments[2].ToBoolean()
	value, by, ok := r.bigOperands(call)
	if !ok {
		left, right := int32(toUint32(call.Arguments[0])), toUint32(call.Arguments[1])&31
		if toRight {
			return r.js.ToValue(left >> right)
		}
		return r.js.ToValue(left << right)
	}
	if toRight {
		by = new(big.Int).Neg(by)
	}
	if value.Sign() == 0 {
		return r.js.ToValue(big.NewInt(0))
	}
	if by.Sign() >= 0 {
		if by.BitLen() > 31 || int64(value.BitLen())+by.Int64() > largestBigInt {
			panic(r.rangeError("a BigInt is too large"))
		}
		return r.js.ToValue(new(big.Int).Lsh(value, uint(by.Int64())))
	}
	n := uint(largestBigInt + 1)
	if down := new(big.Int).Neg(by); down.BitLen() <= 31 {
		n = uint(down.Int64())
	}
	return r.js.ToValue(new(big.Int).Rsh(value, n))
}

func toUint32(v goja.Value) uint32 {
	f := v.ToFloat()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return uint32(int64(math.Mod(math.Trunc(f), 1<<32)))
}

// bigOperands converts both operands once and says whether they are BigInts;
// a mix is a TypeError.
func (r *Runtime) bigOperands(call goja.FunctionCall) (a, b *big.Int, ok bool) {
	for i := range 2 {
		if o, isObject := call.Arguments[i].(*goja.Object); isObject {
			call.Arguments[i] = o.ToNumber()
		}
	}
	x, y := call.Arguments[0], call.Arguments[1]
	if goja.IsBigInt(x) != goja.IsBigInt(y) {
		panic(r.js.NewTypeError("Cannot mix BigInt and other types, use explicit conversions"))
	}
	if !goja.IsBigInt(x) {
		return nil, nil, false
	}
	a, _ = x.Export().(*big.Int)
	b, _ = y.Export().(*big.Int)
	return a, b, true
}

// lengthOf tells how many elements an array, a typed array, a string object or
// an arguments object has; 0 for anything else.
func lengthOf(o *goja.Object) int64 {
	switch o.ClassName() {
	case "Array", "Arguments", "String":
		if v := o.Get("length"); v != nil {
			return v.ToInteger()
		}
		return 0
	}
	if s := typedSlice(o); s != nil {
		return int64(reflect.ValueOf(s).Len())
	}
	return 0
}

func stringOrTypedLength(o *goja.Object) int64 {
	if o.ClassName() == "Array" {
		return 0
	}
	return lengthOf(o)
}

// extent is the size of a value in elements or characters.
func extent(v goja.Value) int64 {
	switch v := v.(type) {
	case *goja.Object:
		return lengthOf(v)
	case goja.String:
		return int64(v.Length())
	}
	return 0
}

// elementSize is what an element of an array is charged as, in bytes.
const elementSize = 16

// realReceiver charges for an array method by its receiver, which must be an
// array, a typed array, an arguments object or a string: the length of
// anything else can be a lie.
func (r *Runtime) realReceiver(this goja.Value, factor int64) {
	switch v := this.(type) {
	case goja.String:
		r.meter.work(int64(v.Length()) * factor)
		return
	case *goja.Object:
		switch v.ClassName() {
		case "Array", "String":
			r.elements(lengthOf(v), factor)
			return
		case "Arguments":
			if n := v.Get("length"); n != nil && typeOf(n) == intType {
				r.elements(n.ToInteger(), factor)
				return
			}
		}
		if typedSlice(v) != nil {
			r.elements(lengthOf(v), factor)
			return
		}
	}
	panic(r.js.NewTypeError("array methods work on arrays here: use Array.from"))
}

// elements burns for n elements, without overflow.
func (r *Runtime) elements(n, factor int64) {
	if n > math.MaxInt64/elementSize/max(factor, 1) {
		n = math.MaxInt64 / elementSize / max(factor, 1)
	}
	r.meter.work(n * elementSize * factor)
}

// newElements is elements for memory that is about to be allocated.
func (r *Runtime) newElements(n, size int64) {
	if n < 0 {
		return // the builtin refuses it
	}
	if n > math.MaxInt64/size {
		n = math.MaxInt64 / size
	}
	r.meter.grow(n * size)
}
