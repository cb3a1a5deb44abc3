package compile

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// lower is the lowering of one WebAssembly function in one pass. While code is
// inlined, inst, scope and returns are the inlined body's.
type lower struct {
	*compiler
	f       *function
	inst    *instance
	scope   *scope
	flow    *flow
	out     *[]*statement
	stable  map[int]bool // locals that are set once, before any use
	jumps   []*jump
	ret     *returns
	chain   *chain    // the optional chain around this point
	regions []*region // tries around this point
	loops   int       // loops around this point
	keyMark *tree     // scratch before the key that is being made, if it is free after the lookup
	fuel    int       // local: units left in this slice
	depth   int       // calls inlined around this point
}

// jump is a statement that break or continue can name.
type jump struct {
	names           []string
	isLoop          bool
	isSwitch        bool
	end, next       *label
	endFlow, onward *flow
	ret             *returns // of the body that it belongs to
}

// returns is where an inlined body's return goes; nil out for a function of its own.
type returns struct {
	inlined bool
	end     *label
	flow    *flow
	at      file.Idx
}

// lowerFunction lowers a function of the library.
func (c *compiler) lowerFunction(f *function) {
	l := &lower{compiler: c, f: f, inst: f.inst, flow: newFlow(), stable: map[int]bool{}, scope: newScope(nil), ret: &returns{}}
	f.sig = signature{params: []valueType{i32, i64}} // depth and fuel, see docs/compiler.md
	f.locals = []valueType{i32, i64}
	f.code, f.size = nil, 0
	l.stable[0] = true
	l.fuel = 1
	l.out = &f.code
	var args []value
	for i := range f.params {
		r := f.params[i].rep()
		v := value{t: f.params[i], rep: r}
		for j, t := range r.valueTypes() {
			f.sig.params = append(f.sig.params, t)
			f.locals = append(f.locals, t)
			n := localGet(len(f.locals)-1, t)
			l.stable[n.local] = true
			if j == 0 {
				v.n = n
			} else {
				v.m = n
			}
		}
		args = append(args, v)
	}
	l.exitIf(binary2(opI32LeS, localGet(0, i32), constI32(0)), ExitDepth, f.literal.Function, "", false)
	l.body(f.literal, f.literal.ParameterList, f.literal.Body, args)
	if l.flow != nil {
		l.returnValue(undefinedValue(), f.literal.Function)
	}
	f.sig.results = []valueType{i64}
	if !f.result.isNever() {
		f.sig.results = append(f.sig.results, f.result.rep().valueTypes()...)
	}
}

// body lowers parameters and statements of a function, or of one inlined.
func (l *lower) body(key ast.Node, params *ast.ParameterList, block *ast.BlockStatement, args []value) {
	for i, p := range params.List {
		arg := undefinedValue()
		if i < len(args) {
			arg = args[i]
		}
		l.parameter(p, arg)
	}
	if params.Rest != nil && l.flow != nil {
		l.restOf(params, args[min(len(args), len(params.List)):])
	}
	if l.ret.inlined {
		l.charge(constI64(l.costs[key]))
	} else {
		l.burn(l.costs[key])
	}
	l.hoist(block.List)
	l.statements(block.List)
}

func (l *lower) parameter(p *ast.Binding, arg value) {
	id, ok := p.Target.(*ast.Identifier)
	if !ok {
		if p.Initializer != nil && l.flow != nil {
			arg = l.orDefault(arg, p.Initializer)
		}
		l.bind(p.Target, arg, bindLet)
		return
	}
	v := l.declareVariable(id, id.Name.String(), false)
	if p.Initializer == nil || !arg.t.has(kUndefined) {
		l.assign(v, arg, id.Idx)
		return
	}
	// The default stands in where the argument is undefined.
	l.assign(v, arg, id.Idx)
	given := l.read(v)
	l.branch(given.isUndefined(), func() {
		l.assign(v, l.expr(p.Initializer), id.Idx)
	}, func() {
		l.flow.types[v] = given.t.without(kUndefined)
	})
}

// emit appends a statement.
func (l *lower) emit(s *statement) {
	if l.flow == nil {
		return // not reached
	}
	if l.f.size++; l.f.size > maxFunctionSize {
		l.refuse(l.f.literal.Function, "a function of this size", "split it into smaller ones")
	}
	*l.out = append(*l.out, s)
}

// into collects what f emits.
func (l *lower) into(f func()) (code []*statement) {
	saved := l.out
	l.out = &code
	f()
	l.out = saved
	return code
}

func (l *lower) newLocal(t valueType) int {
	l.f.locals = append(l.f.locals, t)
	return len(l.f.locals) - 1
}

// temp keeps a tree's value in a local that is set once.
func (l *lower) temp(t *tree) *tree {
	if t.isConst() || t.op == opLocalGet && l.stable[t.local] {
		return t
	}
	n := l.newLocal(t.t)
	l.emit(setLocal(n, t))
	l.stable[n] = true
	return localGet(n, t.t)
}

// simple keeps a value so that it is cheap to use more than once and does not
// change.
func (l *lower) simple(v value) value {
	v.n = l.temp(v.n)
	if v.m != nil {
		v.m = l.temp(v.m)
	}
	return v
}

// convert is v.as(t), with v kept in locals where that uses it more than once:
// trees that share parts would grow without bound.
func (l *lower) convert(v value, t Type) value {
	if t.has(kValue) && v.t.has(kBool|kInt|kNumber|kString) {
		return l.box(v)
	}
	if v.rep != t.rep() || t.rep() == repF64 && t.has(kNil|kBool) {
		v = l.simple(v)
	}
	return v.as(t)
}

func (l *lower) isStable(t *tree) bool {
	switch t.op {
	case opLocalGet:
		return l.stable[t.local]
	case opGlobalGet:
		return false
	}
	for _, a := range t.args {
		if !l.isStable(a) {
			return false
		}
	}
	return true
}

// mark is a place in the code, for hold.
func (l *lower) mark() int { return len(*l.out) }

// hold keeps a value computed at mark as it was there, if code emitted since
// may have changed what it reads.
func (l *lower) hold(v value, mark int) value {
	if len(*l.out) == mark {
		return v
	}
	hold := func(t *tree) *tree {
		if t == nil || l.isStable(t) {
			return t
		}
		n := l.newLocal(t.t)
		rest := append([]*statement{setLocal(n, t)}, (*l.out)[mark:]...)
		*l.out = append((*l.out)[:mark:mark], rest...)
		l.stable[n] = true
		return localGet(n, t.t)
	}
	v.m = hold(v.m)
	v.n = hold(v.n)
	return v
}

// branch lowers two ways and joins what is known behind them.
func (l *lower) branch(cond *tree, yes, no func()) {
	start := l.flow
	if start == nil {
		return
	}
	if cond.isConst() {
		if cond.imm != 0 {
			yes()
		} else if no != nil {
			no()
		}
		return
	}
	s := &statement{kind: stmtIf, value: cond}
	l.emit(s)
	l.flow = start.clone()
	s.body = l.into(yes)
	after := l.flow
	l.flow = start.clone()
	if no != nil {
		s.other = l.into(no)
	}
	l.flow = merge(after, l.flow)
}

// exitIf leaves the call when cond holds.
func (l *lower) exitIf(cond *tree, kind ExitKind, at file.Idx, what string, canWiden bool) {
	if cond.isConst() && cond.imm == 0 || l.flow == nil {
		return
	}
	if fail := l.compiler.request.Fail; fail != 0 && kind == ExitGuard && guardID(at, what) == fail && !cond.isConst() {
		// True whenever it runs, which the compiler does not see: the rest stays as it is.
		cond = binary2(opI32Or, cond, unary(opI32Eqz, globalGet(globalExit)))
	}
	n := l.exit(kind, at, what, canWiden)
	leave := append([]*statement(nil), setGlobal(globalFuel, localGet(l.fuel, i64)), setGlobal(globalExit, constI32(int32(n+1))), &statement{kind: stmtUnreachable})
	if cond.isConst() {
		for _, s := range leave {
			l.emit(s)
		}
		l.flow = nil
		return
	}
	l.emit(&statement{kind: stmtIf, value: cond, body: leave})
}

// guard leaves the call when an assumption fails.
func (l *lower) guard(fails *tree, at file.Idx, what string) {
	l.exitIf(fails, ExitGuard, at, what, true)
}

// isWide says that this guard has failed before: take the general form.
func (l *lower) isWide(at file.Idx, what string) bool { return l.wide[guardID(at, what)] }

// burn takes a constant amount of fuel.
func (l *lower) burn(cost int64) { l.burnTree(constI64(cost)) }

// burnTree takes fuel and ends the call when it is spent.
func (l *lower) burnTree(cost *tree) {
	l.charge(cost)
	l.checkFuel()
}

// charge takes fuel without a look at what is left: for operations that do
// little, between two checks. Loops, functions that are called and whatever has
// an effect outside check; the host does when a call ends, however it does.
//
// Fuel is in a local, which functions hand to one another: as a global it is a
// chain of stores and loads that costs more than the lookup.
func (l *lower) charge(cost *tree) {
	l.emit(setLocal(l.fuel, binary2(opI64Sub, localGet(l.fuel, i64), cost)))
}

func (l *lower) checkFuel() {
	left := localGet(l.fuel, i64)
	l.emit(&statement{kind: stmtIf, cold: true, value: binary2(opI64LtS, left, constI64(0)),
		body: []*statement{{kind: stmtCall, callee: l.helper(helperSpent), values: []*tree{left}, sets: []int{l.fuel}}}})
}

// tally adds to one of the call's counts. They are globals, which are chains of
// loads and stores; as locals they would take two registers in every loop.
func (l *lower) tally(count int, n *tree) {
	l.emit(setGlobal(count, binary2(opI64Add, globalGet(count), n)))
}

const (
	countLookups = globalLookups
	countRead    = globalRead
)

// declareVariable makes a variable of the current scope.
func (l *lower) declareVariable(key any, name string, constant bool) *variable {
	v := l.inst.variable(key, name)
	l.scope.names[name] = &binding{variable: v, declared: true}
	v.constant = constant
	l.allocate(v)
	return v
}

// allocate gives a variable its locals in this pass.
func (l *lower) allocate(v *variable) {
	if v.pass == l.pass {
		return
	}
	v.pass = l.pass
	types := v.storage.rep().valueTypes()
	v.local = l.newLocal(types[0])
	if len(types) > 1 {
		v.local2 = l.newLocal(types[1])
	}
	if v.constant {
		l.stable[v.local], l.stable[v.local2] = true, l.stable[v.local2] || len(types) > 1
	}
}

// assign stores a value in a variable.
func (l *lower) assign(v *variable, x value, at file.Idx) {
	if l.flow == nil || x.isNever() {
		l.flow = nil
		return
	}
	if !x.t.within(v.storage) {
		j, ok := join(v.storage, x.t)
		if !ok {
			l.refuse(at, "variable "+v.name+", which is "+v.storage.describe()+" and then "+x.t.describe(), "use one variable for each type")
		}
		if j.has(kInt) {
			j.lo, j.hi = anyInterval[0], anyInterval[1]
		}
		if j.rep() != v.storage.rep() || v.storage.isNever() {
			l.changed = true
		}
		old := v.storage
		v.storage = j
		if old.rep() != j.rep() || old.isNever() {
			l.flow.types[v] = x.t
			if j.has(kValue) {
				l.flow.types[v] = x.t.boxed()
			}
			l.flow.forget(v)
			return // no local of the right type in this pass
		}
		l.changed = true
	}
	y := l.convert(x, v.storage)
	if v.storage.has(kValue) {
		x.t = x.t.boxed()
	}
	if y.m != nil && !l.isStable(y.n) {
		y = l.simple(y)
	}
	l.emit(setLocal(v.local, y.n))
	if y.m != nil {
		l.emit(setLocal(v.local2, y.m))
	}
	l.flow.types[v] = x.t
	l.flow.forget(v)
}

// read is the value of a variable here.
func (l *lower) read(v *variable) value {
	t, ok := l.flow.types[v]
	if !ok {
		t = v.storage
	}
	out := value{t: t, rep: v.storage.rep()}
	types := out.rep.valueTypes()
	if l.f.locals[v.local] != types[0] {
		return zeroOf(out.rep, t) // its representation changes in the next pass
	}
	out.n = localGet(v.local, types[0])
	if len(types) > 1 {
		if v.local2 == 0 || l.f.locals[v.local2] != types[1] {
			return zeroOf(out.rep, t)
		}
		out.m = localGet(v.local2, types[1])
	}
	return out
}
