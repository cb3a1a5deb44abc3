package compile

// emitter turns the statements of one function into bytes.
type emitter struct {
	out    []byte
	labels []*label
}

func (e *emitter) op(o opcode)       { e.out = append(e.out, byte(o)) }
func (e *emitter) unsigned(n uint64) { e.out = appendUnsigned(e.out, n) }

func (e *emitter) list(body []*statement) {
	for _, s := range body {
		if len(e.out) > maxCodeSize {
			panic(refused{&Refusal{Construct: "a function of this size", Instead: "split it into smaller ones"}})
		}
		e.statement(s)
	}
}

// maxCodeSize bounds one function's code in bytes.
const maxCodeSize = 1 << 20

const emptyBlock = 0x40

func (e *emitter) statement(s *statement) {
	switch s.kind {
	case stmtSet:
		e.tree(s.value)
		e.op(opLocalSet)
		e.unsigned(uint64(s.target))
	case stmtSetGlobal:
		e.tree(s.value)
		e.op(opGlobalSet)
		e.unsigned(uint64(s.target))
	case stmtStore:
		e.tree(s.values[0])
		e.tree(s.value)
		e.op(s.op)
		e.out = append(e.out, 0)
		e.unsigned(uint64(s.offset))
	case stmtIf:
		if len(s.other) == 0 && (s.cold || leaves(s.body)) {
			e.aside(s.value, s.body)
			return
		}
		e.condition(s.value)
		e.op(opIf)
		e.out = append(e.out, emptyBlock)
		e.nested(nil, s.body)
		if len(s.other) > 0 {
			e.op(opElse)
			e.nested(nil, s.other)
		}
		e.op(opEnd)
	case stmtBlock, stmtLoop:
		if s.kind == stmtBlock {
			e.op(opBlock)
		} else {
			e.op(opLoop)
		}
		e.out = append(e.out, emptyBlock)
		e.nested(s.label, s.body)
		e.op(opEnd)
	case stmtBr:
		e.op(opBr)
		e.unsigned(e.depth(s.label))
	case stmtBrIf:
		// Not br_if: wazero fuses a comparison with the branch of an if only.
		e.aside(s.value, []*statement{{kind: stmtBr, label: s.label}})
	case stmtCall:
		for _, v := range s.values {
			e.tree(v)
		}
		e.op(opCall)
		e.unsigned(uint64(s.callee.index))
		for i := len(s.sets) - 1; i >= 0; i-- {
			e.op(opLocalSet)
			e.unsigned(uint64(s.sets[i]))
		}
	case stmtReturn:
		for _, v := range s.values {
			e.tree(v)
		}
		e.op(opReturn)
	case stmtUnreachable:
		e.op(opUnreachable)
	case stmtCopy, stmtFill:
		for _, v := range s.values {
			e.tree(v)
		}
		if s.kind == stmtCopy {
			e.out = append(e.out, 0xfc, 10, 0, 0)
		} else {
			e.out = append(e.out, 0xfc, 11, 0)
		}
	}
}

// aside emits if (cond) { body } for a body that is rarely run or leaves, as
// if (!cond) {} else { body }. wazero places then in front of else and lets the
// code behind both start with the registers of the one placed first: so body
// lies out of line, and what its calls spill is spilled and reloaded there.
func (e *emitter) aside(cond *tree, body []*statement) {
	fine := not(cond)
	if cond.op == opI32Eqz {
		fine = cond.args[0] // any value but 0 will do
	}
	if fine.op == opI32Eqz && cond.op >= opF64Eq && cond.op <= opF64Ge {
		fine = nil // < and kin have no opposite, for NaN
	}
	if fine == nil {
		e.condition(cond)
	} else {
		e.condition(fine)
	}
	e.op(opIf)
	e.out = append(e.out, emptyBlock)
	if fine != nil {
		e.op(opElse)
	}
	e.nested(nil, body)
	e.op(opEnd)
}

// leaves says that control does not get to the end of code.
func leaves(code []*statement) bool {
	if len(code) == 0 {
		return false
	}
	switch code[len(code)-1].kind {
	case stmtBr, stmtReturn, stmtUnreachable:
		return true
	}
	return false
}

func (e *emitter) nested(l *label, body []*statement) {
	e.labels = append(e.labels, l)
	e.list(body)
	e.labels = e.labels[:len(e.labels)-1]
}

func (e *emitter) depth(l *label) uint64 {
	for i := len(e.labels) - 1; i >= 0; i-- {
		if e.labels[i] == l {
			return uint64(len(e.labels) - 1 - i)
		}
	}
	panic("compile: branch to a label that is not around it")
}

// condition emits a truth value, without a final x != 0.
func (e *emitter) condition(t *tree) {
	if t.op == opI32Ne && t.args[1].isConst() && t.args[1].imm == 0 {
		t = t.args[0]
	}
	e.tree(t)
}

func (e *emitter) tree(t *tree) {
	if t.op == opTagMask {
		// Not i16x8.splat: wazero builds it in a register that it does not clear,
		// which chains each lookup to the one before.
		e.tree(t.args[0])
		e.out = append(e.out, 0xfd, 0, 0) // v128.load
		e.unsigned(uint64(t.imm))
		e.out = append(e.out, 0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // v128.const 0
		e.tree(t.args[1])
		e.out = append(e.out, 0xfd, 0x1e, 0) // i64x2.replace_lane 0
		e.tree(t.args[1])
		e.out = append(e.out, 0xfd, 0x1e, 1)                // i64x2.replace_lane 1
		e.out = append(e.out, 0xfd, 0x2d, 0xfd, 0x84, 0x01) // eq, bitmask
		return
	}
	for _, a := range t.args {
		e.tree(a)
	}
	switch t.op {
	case opI32Const:
		e.op(t.op)
		e.out = appendSigned(e.out, int64(int32(t.imm)))
	case opI64Const:
		e.op(t.op)
		e.out = appendSigned(e.out, t.imm)
	case opF64Const:
		e.op(t.op)
		e.out = appendDouble(e.out, t.float())
	case opLocalGet, opGlobalGet:
		e.op(t.op)
		e.unsigned(uint64(t.local))
	case opI64TruncSatS:
		e.out = append(e.out, 0xfc, 6)
	case opI32Load, opI64Load, opF32Load, opF64Load, opI32Load8S, opI32Load8U, opI32Load16S, opI32Load16U,
		opI64Load8S, opI64Load8U, opI64Load16S, opI64Load16U, opI64Load32S, opI64Load32U:
		e.op(t.op)
		e.out = append(e.out, 0)
		e.unsigned(uint64(t.imm))
	default:
		e.op(t.op)
	}
}

// body encodes a function: locals beyond the parameters, then code.
func body(params int, locals []valueType, code []*statement) []byte {
	var out []byte
	var groups [][2]int
	for _, t := range locals[params:] {
		if n := len(groups); n > 0 && groups[n-1][1] == int(t) {
			groups[n-1][0]++
			continue
		}
		groups = append(groups, [2]int{1, int(t)})
	}
	out = appendUnsigned(out, uint64(len(groups)))
	for _, g := range groups {
		out = append(appendUnsigned(out, uint64(g[0])), byte(g[1]))
	}
	e := &emitter{out: out}
	e.list(code)
	return append(e.out, byte(opUnreachable), byte(opEnd))
}
