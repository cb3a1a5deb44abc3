package wasm

import (
	"shredder/jit"
	"shredder/jit/compile"
	"shredder/pktproc/wire"
)

// argument is one decoded argument.
type argument struct {
	kind compile.Kind
	n    int64 // bool, integer
	f    float64
	b    []byte // text, bytes; borrowed from the invocation
}

// Invoke runs one call. jit.Deopt means that nothing has happened and the call
// is for another tier, or for a form that Widen makes.
func (i *Instance) Invoke(inv *jit.Invocation) jit.Outcome {
	e := i.entries[string(inv.Function)]
	if e == nil {
		return jit.Outcome{Status: jit.NoFunction}
	}
	inv.Cost = jit.Cost{Tier: jit.TierCompiled}
	kinds, ok := i.decode(inv.Args)
	if !ok {
		return jit.Outcome{Status: jit.BadArgument}
	}
	var f *Form
	for _, c := range e.forms {
		if c.kinds == kinds {
			f = c
			break
		}
	}
	if f == nil {
		return i.miss(kinds, nil)
	}
	return i.run(inv, f)
}

func (i *Instance) miss(kinds uint64, guard *compile.Exit) jit.Outcome {
	i.missed = jit.Miss{Kinds: kinds}
	if guard != nil {
		i.failed = jit.Guard{ID: guard.ID, CanWiden: guard.CanWiden, Line: guard.Line, Column: guard.Column, What: guard.Message}
		i.missed.Guard = &i.failed
	}
	return jit.Outcome{Status: jit.Deopt}
}

// decode reads the arguments and returns their packed kinds; ok is false if
// they do not follow the format.
func (i *Instance) decode(b []byte) (kinds uint64, ok bool) {
	i.args = i.args[:0]
	kinds = 1
	for len(b) > 0 {
		a, rest, st := wire.FirstArg(b)
		if st != wire.StatusOK {
			return 0, false
		}
		b = rest
		x := argument{}
		switch a.Tag() {
		case wire.TagNull:
			x.kind = compile.KindNull
		case wire.TagFalse, wire.TagTrue:
			x.kind = compile.KindBool
			if a.Tag() == wire.TagTrue {
				x.n = 1
			}
		case wire.TagInt:
			x.kind, x.n = compile.KindInt, a.Int()
		case wire.TagDouble:
			x.kind, x.f = compile.KindDouble, a.Double()
		case wire.TagString:
			x.kind, x.b = compile.KindString, a.Bytes()
			if !isASCII(x.b) {
				x.kind = compile.KindText
			}
		case wire.TagBytes:
			x.kind, x.b = compile.KindBytes, a.Bytes()
		default:
			x.kind, x.b = compile.KindJSON, a.Bytes()
		}
		if kinds != 0 {
			kinds = kinds<<4 | uint64(x.kind)
		}
		if i.args = append(i.args, x); len(i.args) > maxArguments {
			kinds = 0
		}
	}
	return kinds, true
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// run calls a form with the decoded arguments.
func (i *Instance) run(inv *jit.Invocation, f *Form) jit.Outcome {
	l := inv.Limits
	i.overlay, i.now, i.reason = inv.Overlay, inv.NowMillis, ""
	i.tenant, i.requestID, i.resultSize = inv.Tenant, inv.ID, l.ResultSize
	i.lookups, i.read = 0, 0
	i.console.reset(l.LogSize)
	i.sorting, i.shapes, i.given = i.sorting[:0], f.module.Shapes, given{}
	i.json.open, i.json.first, i.json.hasKey = i.json.open[:0], i.json.first[:0], false
	left := i.meter.begin(l.Fuel, l.Slice*jit.CompiledSpeed, inv.Yield)
	size := 0
	for n := range i.args {
		a := &i.args[n]
		if a.b != nil {
			if a.kind == compile.KindJSON {
				size += 12*len(a.b) + 64
				left = i.meter.work(left, 4*int64(len(a.b)))
				continue
			}
			size += 2*len(a.b) + 8
			left = i.meter.work(left, int64(len(a.b)))
		}
	}
	free, ok := i.beginScratch(f, l.Scratch, uint32(size+len(f.module.Data)+64), f.module.Scratch || size > 0)
	if !ok {
		return i.finish(inv, f, left, i.noRoom(f, jit.Full))
	}
	data := free
	copy(i.mem[data:], f.module.Data)
	free += (uint32(len(f.module.Data)) + 7) &^ 7
	dirty := uint64(0)
	if !inv.Overlay.Empty() {
		dirty = 1
	}
	depth := uint64(uint32(l.Depth + ownFrames))
	s := append(i.stack[:0], uint64(left), uint64(inv.NowMillis), inv.Seed, depth, dirty, uint64(data), 0, 0)
	s, free = i.push(s, f, free)
	if s == nil {
		i.endScratch()
		return i.finish(inv, f, left, i.miss(0, nil))
	}
	s[6], s[7] = uint64(free), uint64(i.scratch.end)
	for len(s) < compile.CallResults+2 {
		s = append(s, 0)
	}
	i.stack = s
	var o jit.Outcome
	if left < 0 {
		o = jit.Outcome{Status: i.meter.status}
	} else if err := f.call.CallWithStack(&i.ctx, s); err != nil {
		left = int64(f.fuel.Get())
		left, o = i.ended(f, left)
		inv.Cost.Lookups, inv.Cost.BytesRead = f.counts[0].Get(), f.counts[1].Get()
	} else {
		left = i.meter.spent(int64(s[0])) // emitted code does not look after every charge
		inv.Cost.Lookups, inv.Cost.BytesRead = s[1], s[2]
		if left < 0 {
			o = jit.Outcome{Status: i.meter.status}
		} else {
			left, o = i.encode(inv, f, left, s[compile.CallResults:])
		}
	}
	inv.Cost.Lookups += i.lookups
	inv.Cost.BytesRead += i.read
	i.endScratch()
	return i.finish(inv, f, left, o)
}

// ownFrames: tier 0 lets Limits.Depth calls stand under the innermost one.
const ownFrames = 1

func (i *Instance) finish(inv *jit.Invocation, f *Form, left int64, o jit.Outcome) jit.Outcome {
	inv.Cost.Fuel = uint64(i.meter.used(left))
	if o.Status == jit.OK {
		inv.Cost.BytesReturned = uint64(len(inv.Result))
	} else {
		inv.Result = inv.Result[:0]
	}
	i.tell(inv, &o)
	i.overlay, i.meter.yield = nil, nil
	return o
}

// noRoom ends a call that has no scratch memory.
func (i *Instance) noRoom(f *Form, otherwise jit.Status) jit.Outcome {
	if !i.config.FallBack {
		return jit.Outcome{Status: otherwise}
	}
	return i.miss(f.kinds, &compile.Exit{ID: -1, Message: "it needs more scratch memory than compiled code has"})
}

// tooDeep: the value may hold itself, which tier 0 finds out.
var tooDeep = compile.Exit{Kind: compile.ExitGuard, Message: "a value that is nested too deeply for JSON"}

// ended translates an exit of emitted code, after which left fuel remains.
func (i *Instance) ended(f *Form, left int64) (int64, jit.Outcome) {
	n := int32(f.exit.Get())
	if n == 0 {
		// A trap of its own: a load beyond the arena, by a ref that makes no sense.
		return left, jit.Outcome{Status: jit.Corrupt, Message: []byte("the tenant's data is damaged")}
	}
	kind := compile.ExitStopped
	var x *compile.Exit
	if n < 0 {
		kind = compile.FixedExit(n)
	} else {
		x = &f.module.Exits[n-1]
		kind = x.Kind
	}
	switch {
	case kind == compile.ExitGuard:
		return left, i.miss(f.kinds, x)
	case kind == compile.ExitScratch && i.config.FallBack:
		return left, i.noRoom(f, jit.Limit)
	case i.meter.ended && i.meter.status == jit.Deopt:
		return left, i.miss(f.kinds, &tooDeep)
	}
	if n < 0 { // a helper's, which knows no fuel
		return left, i.end(kind, nil)
	}
	if left = i.meter.spent(left); left < 0 {
		kind = compile.ExitStopped // of the two ends the meter's came first
	}
	return left, i.end(kind, x)
}

func (i *Instance) end(kind compile.ExitKind, x *compile.Exit) jit.Outcome {
	switch kind {
	case compile.ExitThrow:
		if x.Message != "" {
			i.raised = append(i.raised[:0], x.Message...)
		}
		return jit.Outcome{Status: jit.Exception, Message: i.raised, Line: x.Line, Column: x.Column}
	case compile.ExitDepth:
		return jit.Outcome{Status: jit.Limit, Message: []byte("calls are nested too deeply")}
	case compile.ExitScratch:
		return jit.Outcome{Status: jit.Limit}
	case compile.ExitCorrupt:
		return jit.Outcome{Status: jit.Corrupt, Message: []byte("the tenant's data is damaged")}
	}
	o := jit.Outcome{Status: i.meter.status}
	if i.reason != "" {
		o.Message = []byte(i.reason)
	}
	return o
}
