package interp

import (
	"errors"
	"strings"

	"github.com/dop251/goja"

	"shredder/jit"
	"shredder/pktproc/wire"
)

// Invoke runs one call. It must be called by the thread that owns the Runtime;
// with inv.Yield set, inside a coroutine of that thread.
func (r *Runtime) Invoke(inv *jit.Invocation) jit.Outcome {
	index := r.current
	if r.program.exports[index] != string(inv.Function) { // seldom: the same as last time needs no hash
		var ok bool
		if index, ok = r.program.index[string(inv.Function)]; !ok {
			return jit.Outcome{Status: jit.NoFunction}
		}
	}
	if r.dirty {
		if err := r.Reset(); err != nil {
			return jit.Outcome{Status: jit.Exception, Message: []byte(err.Error())}
		}
	}
	if r.exports[index] == nil {
		return jit.Outcome{Status: jit.NoFunction}
	}
	r.begin(inv, index)
	r.enterRun()
	err := r.enter()
	interrupted := r.leaveRun()
	o := r.outcome(err)
	if interrupted && o.Status != jit.OK && !r.meter.dead {
		o = jit.Outcome{Status: jit.Killed, Message: []byte("stopped by the watchdog")}
	}
	r.finish(inv, &o)
	return o
}

// errBroken is a panic inside goja: a bug of its own, which must end this call
// and not the lcore.
var errBroken = errors.New("the interpreter failed")

// enter runs body under goja's Try. A Callable would do the same and allocate a
// closure, a result and a new stack for every call.
func (r *Runtime) enter() (err error) {
	defer func() {
		if x := recover(); x != nil {
			err = r.uncaught(x)
		}
	}()
	if ex := r.js.Try(r.entry); ex != nil {
		return ex
	}
	return nil
}

// uncaught judges a panic that came through goja: the end of the invocation,
// which no library can catch, or a fault.
func (r *Runtime) uncaught(x any) error {
	if err, ok := x.(error); ok {
		var interrupted *goja.InterruptedError
		var overflow *goja.StackOverflowError
		if errors.As(err, &interrupted) || errors.As(err, &overflow) {
			return err
		}
	}
	r.dirty, r.guards.joining = true, nil
	return errBroken
}

func (r *Runtime) begin(inv *jit.Invocation, index int) {
	l := inv.Limits
	r.limits = l
	r.inv, r.overlay, r.current = inv, inv.Overlay, index
	r.clean = inv.Overlay.Empty()
	r.epoch++
	r.nowMillis, r.random = inv.NowMillis, inv.Seed
	r.failed = jit.Outcome{}
	r.log.reset(l.LogSize)
	r.meter.begin(l.Fuel, l.Slice, l.Scratch, inv.Yield)
	inv.Cost = jit.Cost{Tier: jit.TierInterp}
}

// body is the part of an invocation that runs inside goja: decode, call, encode.
func (r *Runtime) body() {
	if !r.decodeArguments(r.inv.Args) {
		r.fail(jit.BadArgument, "the arguments do not follow the format")
	}
	result := r.exports[r.current](goja.FunctionCall{This: undefined, Arguments: r.args})
	r.inv.Result = r.encodeResult(r.inv.Result[:0], result)
}

// fail ends the invocation with a status and a reason.
func (r *Runtime) fail(s jit.Status, reason string) {
	r.message = append(r.message[:0], reason...)
	r.failed = jit.Outcome{Status: s, Message: r.message}
	r.meter.stop(s)
}

// outcome translates how goja came back.
func (r *Runtime) outcome(err error) jit.Outcome {
	if r.meter.dead {
		if r.failed.Status == r.meter.status {
			return r.failed
		}
		return jit.Outcome{Status: r.meter.status}
	}
	if err == nil {
		return jit.Outcome{}
	}
	if err == errBroken {
		return jit.Outcome{Status: jit.Exception, Message: []byte(err.Error())}
	}
	var overflow *goja.StackOverflowError
	if errors.As(err, &overflow) {
		return jit.Outcome{Status: jit.Limit, Message: []byte("calls are nested too deeply")}
	}
	var ex *goja.Exception
	if !errors.As(err, &ex) {
		return jit.Outcome{Status: jit.Killed}
	}
	o := jit.Outcome{Status: jit.Exception, Message: r.describe(ex)}
	for _, f := range ex.Stack() {
		if p := f.Position(); p.Line > 0 {
			o.Line, o.Column = p.Line, p.Column
			break
		}
	}
	return o
}

// largestMessage bounds what an exception says.
const largestMessage = 512

// describe turns what was thrown into text. Getters of the library may run on
// the way, under what is left of its budget; a toString of its own does not.
func (r *Runtime) describe(ex *goja.Exception) []byte {
	text := "an object was thrown"
	switch v := ex.Value().(type) {
	case nil:
		text = "unknown exception"
	case *goja.Object:
		if v.ClassName() == "Error" {
			text = "an error was thrown that cannot be read"
			r.protected(func() { text = errorText(v) })
		}
	default:
		text = v.String()
	}
	text = strings.ToValidUTF8(text[:min(len(text), largestMessage)], "")
	r.message = append(r.message[:0], text...)
	return r.message
}

// protected runs f, which may run code of the library, after the call itself
// has ended.
func (r *Runtime) protected(f func()) {
	defer func() {
		if recover() != nil {
			r.dirty = true
		}
	}()
	if ex := r.js.Try(f); ex != nil {
		r.dirty = true
	}
}

func errorText(o *goja.Object) string {
	return strings.TrimSuffix(textOf(o, "name")+": "+textOf(o, "message"), ": ")
}

// textOf reads a property that holds a string.
func textOf(o *goja.Object, name string) string {
	s, ok := o.Get(name).(goja.String)
	if !ok {
		return ""
	}
	return s.String()
}

// finish settles the receipt and the log, and lets go of the invocation.
func (r *Runtime) finish(inv *jit.Invocation, o *jit.Outcome) {
	inv.Cost.Fuel = uint64(r.meter.used())
	if o.Status == jit.OK {
		inv.Cost.BytesReturned = uint64(len(inv.Result))
	} else {
		inv.Result = inv.Result[:0]
		if r.program.mutates[r.current] {
			r.dirty = true
		}
	}
	if inv.Log != nil && o.Status != jit.Preempted {
		r.log.deliver(inv.Log)
		if o.Status == jit.Exception {
			inv.Log(jit.LevelError, o.Message)
		}
	}
	for i := range r.args {
		r.args[i] = nil
	}
	if inv.Limits.Scratch-r.meter.scratch > keptScratch {
		_, _ = r.leave(undefined)
	}
	r.inv, r.overlay, r.meter.yield = nil, nil, nil
	r.epoch++
}

// keptScratch is how much a call may allocate without goja's stack, which may
// hold on to it, being dropped at its end.
const keptScratch = 16 << 10

// decodeArguments fills r.args from wire encoding.
func (r *Runtime) decodeArguments(b []byte) bool {
	r.args = r.args[:0]
	for len(b) > 0 {
		a, rest, st := wire.FirstArg(b)
		if st != wire.StatusOK {
			return false
		}
		b = rest
		v, ok := r.decode(a)
		if !ok {
			return false
		}
		r.args = append(r.args, v)
	}
	return true
}

func (r *Runtime) decode(a wire.Arg) (goja.Value, bool) {
	switch a.Tag() {
	case wire.TagNull:
		return goja.Null(), true
	case wire.TagFalse:
		return falseValue, true
	case wire.TagTrue:
		return trueValue, true
	case wire.TagInt:
		return intValue(a.Int()), true
	case wire.TagDouble:
		return floatValue(a.Double()), true
	case wire.TagString:
		r.meter.grow(int64(len(a.Bytes())))
		return r.js.ToValue(wellFormed(a.Bytes())), true
	case wire.TagBytes:
		return r.view(kindU8, a.Bytes()), true
	case wire.TagJSON:
		return r.parseJSON(wellFormed(a.Bytes())), true
	}
	return nil, false
}

// encodeResult appends the result in wire encoding.
func (r *Runtime) encodeResult(dst []byte, v goja.Value) []byte {
	switch {
	case v == nil || goja.IsUndefined(v) || goja.IsNull(v):
		dst = wire.AppendNull(dst)
	case v == trueValue || v == falseValue:
		dst = wire.AppendBool(dst, v == trueValue)
	case typeOf(v) == intType:
		if n := v.ToInteger(); wire.SafeInt(n) {
			dst = wire.AppendInt(dst, n)
		} else { // goja counts on in int64; to JavaScript it is a double like all others
			dst = wire.AppendDouble(dst, float64(n))
		}
	case typeOf(v) == floatType:
		dst = wire.AppendDouble(dst, v.ToFloat())
	case goja.IsBigInt(v):
		panic(r.js.NewTypeError("a BigInt cannot be a result: return Number(x) or x.toString()"))
	case goja.IsString(v):
		r.meter.work(int64(v.(goja.String).Length()))
		dst = wire.AppendString(dst, v.String())
	default:
		dst = r.encodeObject(dst, v)
	}
	if len(dst) > r.inv.Limits.ResultSize {
		r.fail(jit.TooLarge, "the result is larger than its limit")
	}
	return dst
}

func (r *Runtime) encodeObject(dst []byte, v goja.Value) []byte {
	o, ok := v.(*goja.Object)
	if !ok {
		panic(r.js.NewTypeError("a symbol cannot be a result"))
	}
	if b, ok := r.bufferBytes(o); ok {
		r.meter.work(int64(len(b)))
		if len(b) > r.inv.Limits.ResultSize {
			r.fail(jit.TooLarge, "the result is larger than its limit")
		}
		return wire.AppendBytes(dst, b)
	}
	w := jsonWriter{r: r, limit: r.inv.Limits.ResultSize}
	if !w.top(o) {
		return wire.AppendNull(dst) // a function, or toJSON gave undefined
	}
	return wire.AppendJSON(dst, w.out)
}
