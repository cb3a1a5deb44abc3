package compile

import "math"

// tree is a value without side effects: constants, locals, loads of memory that
// does not change during the call, arithmetic that cannot trap. Trees may be
// shared and evaluated more than once.
type tree struct {
	op    opcode
	t     valueType
	args  []*tree
	local int   // opLocalGet, opGlobalGet: index
	imm   int64 // constants; offset of loads; bits of an f64
}

func (t *tree) isConst() bool { return t.op == opI32Const || t.op == opI64Const || t.op == opF64Const }

func constI32(n int32) *tree { return &tree{op: opI32Const, t: i32, imm: int64(n)} }
func constI64(n int64) *tree { return &tree{op: opI64Const, t: i64, imm: n} }
func constF64(f float64) *tree {
	return &tree{op: opF64Const, t: f64, imm: int64(math.Float64bits(f))}
}

func (t *tree) float() float64 { return math.Float64frombits(uint64(t.imm)) }

// resultType of the operators that unary, binary and compare build.
func resultType(op opcode) valueType {
	switch {
	case op >= opI32Eqz && op <= opF64Ge:
		return i32
	case op >= opI32Clz && op <= opI32ShrU:
		return i32
	case op >= opI64Clz && op <= opI64Rotl:
		return i64
	case op >= opF64Abs && op <= opF64Copysign:
		return f64
	}
	switch op {
	case opI32ReintF32, opI32WrapI64, opI32Load, opI32Load8S, opI32Load8U, opI32Load16S, opI32Load16U:
		return i32
	case opI64ExtI32S, opI64ExtI32U, opI64Ext32S, opI64ReintF64, opI64TruncSatS,
		opI64Load, opI64Load8S, opI64Load8U, opI64Load16S, opI64Load16U, opI64Load32S, opI64Load32U:
		return i64
	}
	return f64
}

func unary(op opcode, a *tree) *tree {
	if a.isConst() {
		if c := foldUnary(op, a); c != nil {
			return c
		}
	}
	// A widening straight behind a widening load, and a narrowing of a widening.
	if op == opI32WrapI64 && (a.op == opI64ExtI32U || a.op == opI64ExtI32S) {
		return a.args[0]
	}
	if op == opI64Ext32S && a.op == opI64ExtI32S {
		return a
	}
	return &tree{op: op, t: resultType(op), args: []*tree{a}}
}

func foldUnary(op opcode, a *tree) *tree {
	switch op {
	case opI32WrapI64:
		return constI32(int32(a.imm))
	case opI64ExtI32S:
		return constI64(a.imm)
	case opI64ExtI32U:
		return constI64(int64(uint32(a.imm)))
	case opI64Ext32S:
		return constI64(int64(int32(a.imm)))
	case opF64ConvI64S:
		return constF64(float64(a.imm))
	case opF64ConvI32S:
		return constF64(float64(int32(a.imm)))
	case opF64Neg:
		return constF64(math.Float64frombits(uint64(a.imm) ^ 1<<63))
	case opI64Eqz:
		return constI32(int32(b2i(a.imm == 0)))
	case opI32Eqz:
		return constI32(int32(b2i(int32(a.imm) == 0)))
	}
	return nil
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func binary2(op opcode, a, b *tree) *tree {
	if b.isConst() && b.t == i64 && a.isConst() {
		if c := foldI64(op, a.imm, b.imm); c != nil {
			return c
		}
	}
	if b.isConst() && b.imm == 0 {
		switch op { // x + 0, x | 0, x << 0
		case opI64Add, opI64Sub, opI64Or, opI64Xor, opI64Shl, opI64ShrS, opI64ShrU,
			opI32Add, opI32Sub, opI32Or, opI32Xor, opI32Shl, opI32ShrS, opI32ShrU:
			return a
		}
	}
	return &tree{op: op, t: resultType(op), args: []*tree{a, b}}
}

func foldI64(op opcode, a, b int64) *tree {
	switch op {
	case opI64Add:
		return constI64(a + b)
	case opI64Sub:
		return constI64(a - b)
	case opI64Mul:
		return constI64(a * b)
	case opI64And:
		return constI64(a & b)
	case opI64Or:
		return constI64(a | b)
	case opI64Xor:
		return constI64(a ^ b)
	case opI64Shl:
		return constI64(a << (b & 63))
	case opI64ShrS:
		return constI64(a >> (b & 63))
	case opI64ShrU:
		return constI64(int64(uint64(a) >> (b & 63)))
	case opI64Eq:
		return constI32(int32(b2i(a == b)))
	case opI64Ne:
		return constI32(int32(b2i(a != b)))
	case opI64LtS:
		return constI32(int32(b2i(a < b)))
	case opI64LeS:
		return constI32(int32(b2i(a <= b)))
	case opI64GtS:
		return constI32(int32(b2i(a > b)))
	case opI64GeS:
		return constI32(int32(b2i(a >= b)))
	}
	return nil
}

// load reads memory at the i32 address a plus a constant offset.
func load(op opcode, a *tree, offset uint32) *tree {
	return &tree{op: op, t: resultType(op), args: []*tree{a}, imm: int64(offset)}
}

// choose is cond ? a : b with both evaluated. Doubles are chosen as integers: wazero
// 1.12 on amd64 does not tell its register allocator that the conditional move of a
// float reads its destination (xmmCMov), and the result is a where a was spilled.
func choose(cond, a, b *tree) *tree {
	if cond.isConst() {
		if cond.imm != 0 {
			return a
		}
		return b
	}
	if a.t == f64 {
		bits := choose(cond, unary(opI64ReintF64, a), unary(opI64ReintF64, b))
		return unary(opF64ReintI64, bits)
	}
	return &tree{op: opSelect, t: a.t, args: []*tree{a, b, cond}}
}

func not(a *tree) *tree {
	switch a.op {
	case opI32Eqz:
		if isCondition(a.args[0]) {
			return a.args[0]
		}
	}
	if o, ok := opposites[a.op]; ok {
		return &tree{op: o, t: i32, args: a.args}
	}
	return unary(opI32Eqz, a)
}

// opposites of comparisons. Those of doubles have none but for (in)equality:
// neither x < y nor x >= y holds for NaN.
var opposites = map[opcode]opcode{
	opI32Eq: opI32Ne, opI32Ne: opI32Eq, opI64Eq: opI64Ne, opI64Ne: opI64Eq, opF64Eq: opF64Ne, opF64Ne: opF64Eq,
	opI32LtS: opI32GeS, opI32GeS: opI32LtS, opI32GtS: opI32LeS, opI32LeS: opI32GtS,
	opI32LtU: opI32GeU, opI32GeU: opI32LtU, opI32GtU: opI32LeU, opI32LeU: opI32GtU,
	opI64LtS: opI64GeS, opI64GeS: opI64LtS, opI64GtS: opI64LeS, opI64LeS: opI64GtS,
	opI64LtU: opI64GeU, opI64GeU: opI64LtU, opI64GtU: opI64LeU, opI64LeU: opI64GtU,
}

// isCondition says that a is 0 or 1.
func isCondition(a *tree) bool {
	return a.op >= opI32Eqz && a.op <= opF64Ge || a.op == opI32Const && uint64(a.imm) <= 1
}

// statement is code with an effect.
type statement struct {
	kind   statementKind
	value  *tree   // set, if, store, brIf; nil otherwise
	values []*tree // call arguments, return values
	target int     // set: local; setGlobal: global; call: function
	op     opcode  // store
	offset uint32  // store
	sets   []int   // call: locals that take the results
	label  *label
	body   []*statement
	other  []*statement
	cold   bool      // if: body is rarely run
	callee *callable // call
}

type statementKind uint8

const (
	stmtSet statementKind = iota
	stmtSetGlobal
	stmtStore // values[0] address, value
	stmtIf
	stmtBlock
	stmtLoop
	stmtBr
	stmtBrIf
	stmtCall
	stmtReturn
	stmtUnreachable
	stmtCopy // values: to, from, size
	stmtFill // values: to, byte, size
)

// label is where br goes: the end of a block or the head of a loop.
type label struct{ used bool }

// callable is what a call statement names: a function of the library, a helper
// or an import. The index is given when the module is put together.
type callable struct {
	name  string
	index int
	sig   signature
}
