package compile

import "shredder/store/layout"

// Globals of a module, in index order.
const (
	globalFuel    = iota // i64: units left in this slice, when a call has ended early
	globalExit           // i32: 1 + number of the exit taken
	globalLookups        // i64
	globalRead           // i64: bytes of values handed to the function
	globalIndex          // i32: ref of bucket 0
	globalMask           // i64
	globalSplit          // i64
	globalSeed           // i64
	globalNow            // i64: unix ms
	globalDirty          // i32: the overlay holds writes, lookups go through the host
	globalData           // i32: address of the constants
	globalScratch        // i32: first free byte of scratch
	globalLimit          // i32: end of scratch
	globalRandom         // i64: state of Math.random
	globalError          // i32: address of the exception that is under way
)

var globalDefs = []globalDef{{"fuel", i64}, {"exit", i32}, {"lookups", i64}, {"read", i64}, {"index", i32}, {"mask", i64},
	{"split", i64}, {"seed", i64}, {"now", i64}, {"dirty", i32}, {"data", i32}, {"scratch", i32}, {"limit", i32}, {"random", i64}, {"error", i32}}

func globalGet(g int) *tree { return &tree{op: opGlobalGet, t: globalDefs[g].t, local: g} }

func setGlobal(g int, v *tree) *statement {
	return &statement{kind: stmtSetGlobal, target: g, value: v}
}

func localGet(i int, t valueType) *tree { return &tree{op: opLocalGet, t: t, local: i} }

func setLocal(i int, v *tree) *statement { return &statement{kind: stmtSet, target: i, value: v} }

// EntryName is the exported function: CallParams in front of the arguments,
// CallResults in front of the result.
const EntryName = "call"

// CallParams of the entry: fuel, now, random seed (i64); depth, dirty, data,
// scratch, limit (i32). CallResults: fuel, lookups, bytes read (i64).
const (
	CallParams  = 8
	CallResults = 3
)

// assemble puts the functions of the last pass together.
func (c *compiler) assemble(entry *function) *Module {
	b := newBuilder()
	b.globals = globalDefs
	start := c.entryFunction(entry)
	all := append([]*function{start}, c.order...)
	for _, name := range helperNames {
		if h := c.helpers[name]; h != nil {
			all = append(all, h)
		}
	}
	for i, f := range c.importSeq {
		f.index = i
		b.imports = append(b.imports, importName{f.name, f.sig})
	}
	for i, f := range all {
		f.callable.index = len(b.imports) + i
	}
	for _, f := range all {
		b.functions = append(b.functions, b.typeOf(f.sig))
		b.bodies = append(b.bodies, body(len(f.sig.params), f.locals, f.code))
	}
	b.exports = []exportDef{{EntryName, 0, start.callable.index}, {"memory", 2, 0}}
	return &Module{Wasm: b.module(), Params: append([]Type{}, entry.params...), Result: entry.result, Shapes: append([]Shape{}, c.shapes...),
		Exits: append([]Exit{}, c.exits...), Data: c.data, Writes: c.writes,
		Scratch: c.scratch || len(c.data) > 0 || c.helpers[helperAlloc] != nil, Passes: c.pass}
}

// entryFunction loads the table's header into globals and calls the function.
func (c *compiler) entryFunction(entry *function) *function {
	f := &function{name: EntryName}
	f.sig.params = []valueType{i64, i64, i64, i32, i32, i32, i32, i32}
	f.sig.params = append(f.sig.params, entry.sig.params[2:]...)
	f.sig.results = append([]valueType{i64, i64, i64}, entry.sig.results[1:]...)
	f.locals = append([]valueType{}, f.sig.params...)
	zero := constI32(0)
	header := func(op opcode, off uint32) *tree { return load(op, zero, off) }
	f.code = []*statement{
		setGlobal(globalNow, localGet(1, i64)),
		setGlobal(globalRandom, localGet(2, i64)),
		setGlobal(globalDirty, localGet(4, i32)),
		setGlobal(globalData, localGet(5, i32)),
		setGlobal(globalScratch, localGet(6, i32)),
		setGlobal(globalLimit, localGet(7, i32)),
		setGlobal(globalExit, zero),
		setGlobal(globalError, zero),
		setGlobal(globalLookups, constI64(0)),
		setGlobal(globalRead, constI64(0)),
		setGlobal(globalIndex, header(opI32Load, layout.OffIndex)),
		setGlobal(globalMask, header(opI64Load32U, layout.OffMask)),
		setGlobal(globalSplit, header(opI64Load32U, layout.OffSplit)),
		setGlobal(globalSeed, header(opI64Load, layout.OffSeed)),
	}
	call := &statement{kind: stmtCall, callee: &entry.callable, values: []*tree{localGet(3, i32), localGet(0, i64)}, sets: []int{0}}
	for i := CallParams; i < len(f.sig.params); i++ {
		call.values = append(call.values, localGet(i, f.sig.params[i]))
	}
	results := []*tree{localGet(0, i64), globalGet(globalLookups), globalGet(globalRead)}
	for _, t := range entry.sig.results[1:] {
		f.locals = append(f.locals, t)
		call.sets = append(call.sets, len(f.locals)-1)
		results = append(results, localGet(len(f.locals)-1, t))
	}
	f.code = append(f.code, call)
	if entry.propagates {
		end := append([]*statement{setGlobal(globalFuel, localGet(0, i64))}, c.uncaught()...)
		f.code = append(f.code, &statement{kind: stmtIf, value: globalGet(globalError), body: end})
	}
	f.code = append(f.code, &statement{kind: stmtReturn, values: results})
	return f
}
