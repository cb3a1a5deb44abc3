package engine

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"shredder/store"
)

// HostCall is countFriends compiled to WebAssembly whose lookup is a Go function:
// the boundary that functions of other systems cross for each get. Everything else
// is as in compiled code: the memory is the arena, the list is read where it lies,
// fuel is counted in a global and the leaves are counted by their parent, inline.
type HostCall struct {
	shard   *store.Shard
	runtime wazero.Runtime
	call    api.Function
	stack   []uint64
}

// Opcodes and types of WebAssembly that the module uses.
const (
	i32, i64, empty = 0x7f, 0x7e, 0x40

	block, loop, ifElse, end, br, brIf, ret, call            = 0x02, 0x03, 0x04, 0x0b, 0x0c, 0x0d, 0x0f, 0x10
	localGet, localSet, localTee, globalGet, globalSet       = 0x20, 0x21, 0x22, 0x23, 0x24
	i32Load, i32Const, i64Const, i32Eqz, i32Eq, i32GeU       = 0x28, 0x41, 0x42, 0x45, 0x46, 0x4f
	i64LtS, i32Add, i32Sub, i32ShrU, i64Add, i64Sub, i64ShrU = 0x53, 0x6a, 0x6b, 0x76, 0x7c, 0x7d, 0x88
	i32WrapI64, i64ExtendI32U, unreachable                   = 0xa7, 0xad, 0x00
)

// Functions and locals of the module.
const (
	lookupFunction, countFunction = 0, 1

	id, depth, packed, address, limit, total = 0, 1, 2, 3, 4, 5
)

// countBody is:
//
//	fuel--; if (fuel < 0) unreachable
//	packed = lookup(id)                       // address << 32 | size
//	total = (packed as size) >> 2
//	if (depth === 1) return total
//	address = packed >> 32; limit = address + size
//	while (address < limit) {
//	  fuel--; if (fuel < 0) unreachable
//	  total += depth === 2 ? (lookup(load(address)) as size) >> 2 : count(load(address), depth - 1)
//	  address += 4
//	}
func countBody() []byte {
	burn := []byte{globalGet, 0, i64Const, 1, i64Sub, globalSet, 0, globalGet, 0, i64Const, 0, i64LtS, ifElse, empty, unreachable, end}
	element := []byte{localGet, address, i32Load, 2, 0, i64ExtendI32U}
	count := []byte{i32WrapI64, i32Const, 2, i32ShrU, i64ExtendI32U}
	parts := [][]byte{
		burn,
		{localGet, id, call, lookupFunction, localTee, packed}, count, {localSet, total},
		{localGet, depth, i32Const, 1, i32Eq, ifElse, empty, localGet, total, ret, end},
		{localGet, packed, i64Const, 32, i64ShrU, i32WrapI64, localTee, address, localGet, packed, i32WrapI64, i32Add, localSet, limit},
		{block, empty, loop, empty, localGet, address, localGet, limit, i32GeU, brIf, 1},
		burn,
		{localGet, depth, i32Const, 2, i32Eq, ifElse, i64},
		element, {call, lookupFunction}, count,
		{0x05}, // else
		element, {localGet, depth, i32Const, 1, i32Sub, call, countFunction, end},
		{localGet, total, i64Add, localSet, total},
		{localGet, address, i32Const, 4, i32Add, localSet, address, br, 0, end, end},
		{localGet, total, end},
	}
	body := []byte{3, 1, i64, 2, i32, 1, i64} // locals behind the parameters
	for _, p := range parts {
		body = append(body, p...)
	}
	return body
}

// hostModule encodes the module.
func hostModule() []byte {
	section := func(kind byte, content ...byte) []byte {
		return append(binary.AppendUvarint([]byte{kind}, uint64(len(content))), content...)
	}
	name := func(s string) string { return string(rune(len(s))) + s }
	body := countBody()
	m := []byte("\x00asm\x01\x00\x00\x00")
	m = append(m, section(1, 2, 0x60, 1, i64, 1, i64, 0x60, 2, i64, i32, 1, i64)...)
	m = append(m, section(2, []byte("\x01"+name("host")+name("lookup")+"\x00\x00")...)...)
	m = append(m, section(3, 1, 1)...)                        // count has type 1
	m = append(m, section(5, 1, 0, 1)...)                     // a memory of at least a page
	m = append(m, section(6, 1, i64, 1, i64Const, 0, end)...) // the fuel
	m = append(m, section(7, []byte("\x02"+name("count")+"\x00\x01"+name("fuel")+"\x03\x00")...)...)
	return append(m, section(10, append(binary.AppendUvarint([]byte{1}, uint64(len(body))), body...)...)...)
}

// arenaMemory gives the module the arena as its memory, as compiled functions have it.
type arenaMemory []byte

func (m arenaMemory) Reallocate(size uint64) []byte {
	if size > uint64(len(m)) {
		return nil
	}
	return m
}

func (arenaMemory) Free() {}

// hostContext carries the HostCall to its lookups.
type hostContext struct {
	context.Context
	h *HostCall
}

// NewHostCall makes the module on a shard.
func NewHostCall(shard *store.Shard) (*HostCall, error) {
	ctx := context.Background()
	h := &HostCall{shard: shard, runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler()), stack: make([]uint64, 2)}
	lookup := api.GoFunc(func(ctx context.Context, stack []uint64) {
		stack[0] = ctx.(*hostContext).h.lookup(stack[0])
	})
	types := []api.ValueType{api.ValueTypeI64}
	if _, err := h.runtime.NewHostModuleBuilder("host").NewFunctionBuilder().WithGoFunction(lookup, types, types).Export("lookup").Instantiate(ctx); err != nil {
		return nil, err
	}
	memory := experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(uint64, uint64) experimental.LinearMemory {
		return arenaMemory(shard.Mem())
	}))
	m, err := h.runtime.Instantiate(memory, hostModule())
	if err != nil {
		return nil, err
	}
	h.call = m.ExportedFunction("count")
	m.ExportedGlobal("fuel").(api.MutableGlobal).Set(1 << 62)
	return h, nil
}

// lookup returns address << 32 | size, 0 for a missing key.
func (h *HostCall) lookup(key uint64) uint64 {
	e, r := h.shard.Get(store.IntKey(key), nowMillis)
	if r != store.OK || len(e.Value) == 0 {
		return 0
	}
	return uint64(refOf(h.shard.Mem(), e.Value))<<32 | uint64(len(e.Value))
}

// CountFriends runs countFriends(id, depth), depth from 1.
func (h *HostCall) CountFriends(id uint64, depth int) (float64, error) {
	h.stack[0], h.stack[1] = id, uint64(depth)
	if err := h.call.CallWithStack(&hostContext{context.Background(), h}, h.stack); err != nil {
		return 0, fmt.Errorf("countFriends with host calls: %w", err)
	}
	return float64(h.stack[0]), nil
}

// Close frees the module; the shard stays.
func (h *HostCall) Close() error { return h.runtime.Close(context.Background()) }
