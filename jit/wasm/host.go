package wasm

import (
	"context"
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"shredder/jit"
	"shredder/jit/compile"
	"shredder/jit/jsmath"
	"shredder/store"
)

type wazeroModule = api.Module

// callContext carries the instance to host functions without allocation.
type callContext struct {
	context.Context
	i *Instance
}

// hostFunction is a function that modules import; its stack holds parameters
// and then results.
type hostFunction struct {
	params, results string // i: i32, l: i64, d: f64
	call            func(i *Instance, stack []uint64)
}

var hostFunctions = map[string]hostFunction{
	"spent":        {"l", "l", func(i *Instance, s []uint64) { s[0] = uint64(i.meter.spent(int64(s[0]))) }},
	"breathe":      {"l", "l", func(i *Instance, s []uint64) { s[0] = uint64(i.meter.breathe(int64(s[0]))) }},
	"grow":         {"i", "i", hostGrow},
	"lookupInt":    {"l", "l", func(i *Instance, s []uint64) { s[0] = i.lookup(store.IntKey(s[0])) }},
	"lookupBytes":  {"ii", "l", hostLookupBytes},
	"lookupNumber": {"d", "l", hostLookupNumber},
	"set":          {"liiiill", "l", hostSet},
	"delete":       {"liil", "l", hostDelete},
	"incr":         {"liil", "l", hostIncr},
	"version":      {"lii", "l", hostVersion},
	"jsonOpen":     {"lii", "l", hostJSONOpen},
	"jsonClose":    {"l", "l", hostJSONClose},
	"jsonKey":      {"lii", "l", hostJSONKey},
	"jsonInt":      {"ll", "l", hostJSONInt},
	"jsonNumber":   {"ld", "l", hostJSONNumber},
	"jsonText":     {"lii", "l", hostJSONText},
	"giveText":     {"ii", "", func(i *Instance, s []uint64) { i.given = given{givenText, s[0], s[1]} }},
	"giveBytes":    {"ii", "", func(i *Instance, s []uint64) { i.given = given{givenBytes, s[0], s[1]} }},
	"giveValue":    {"ii", "", func(i *Instance, s []uint64) { i.given = given{givenValue, s[0], s[1]} }},
	"textJoin":     {"iii", "l", hostTextJoin},
	"jsonValue":    {"lil", "l", hostJSONValue},
	"tenant":       {"", "l", hostTenant},
	"numberOfText": {"ii", "d", hostNumberOfText},
	"logNumber":    {"di", "", hostLogNumber},
	"logText":      {"iii", "", hostLogText},
	"logLine":      {"li", "l", hostLogLine},
	"sort":         {"iii", "", hostSort},
	"sortBegin":    {"iii", "i", hostSortBegin},
	"sortStep":     {"ii", "l", hostSortStep},
	"sortTexts":    {"ii", "", hostSortTexts},
	"raise":        {"ii", "", hostRaise},
	"raiseError":   {"i", "", hostRaiseError},
	"toInt32":      {"d", "l", func(_ *Instance, s []uint64) { s[0] = uint64(int64(toInt32(api.DecodeF64(s[0])))) }},
	"textOfNumber": {"di", "i", hostTextOfNumber},
	"mod":          {"dd", "d", binaryMath(math.Mod)},
	"pow":          {"dd", "d", binaryMath(jsmath.Pow)},
	"atan2":        {"dd", "d", binaryMath(jsmath.Atan2)},
	"round":        {"d", "d", unaryMath(round)},
	"acos":         {"d", "d", unaryMath(jsmath.Acos)},
	"acosh":        {"d", "d", unaryMath(jsmath.Acosh)},
	"asin":         {"d", "d", unaryMath(jsmath.Asin)},
	"asinh":        {"d", "d", unaryMath(jsmath.Asinh)},
	"atan":         {"d", "d", unaryMath(jsmath.Atan)},
	"atanh":        {"d", "d", unaryMath(math.Atanh)},
	"cbrt":         {"d", "d", unaryMath(jsmath.Cbrt)},
	"cos":          {"d", "d", unaryMath(jsmath.Cos)},
	"cosh":         {"d", "d", unaryMath(jsmath.Cosh)},
	"exp":          {"d", "d", unaryMath(jsmath.Exp)},
	"expm1":        {"d", "d", unaryMath(math.Expm1)},
	"log":          {"d", "d", unaryMath(jsmath.Log)},
	"log1p":        {"d", "d", unaryMath(math.Log1p)},
	"log10":        {"d", "d", unaryMath(jsmath.Log10)},
	"log2":         {"d", "d", unaryMath(jsmath.Log2)},
	"sin":          {"d", "d", unaryMath(jsmath.Sin)},
	"sinh":         {"d", "d", unaryMath(jsmath.Sinh)},
	"tan":          {"d", "d", unaryMath(jsmath.Tan)},
	"tanh":         {"d", "d", unaryMath(jsmath.Tanh)},
}

func unaryMath(f func(float64) float64) func(*Instance, []uint64) {
	return func(_ *Instance, s []uint64) { s[0] = api.EncodeF64(f(api.DecodeF64(s[0]))) }
}

func binaryMath(f func(x, y float64) float64) func(*Instance, []uint64) {
	return func(_ *Instance, s []uint64) { s[0] = api.EncodeF64(f(api.DecodeF64(s[0]), api.DecodeF64(s[1]))) }
}

func typesOf(letters string) (types []api.ValueType) {
	for _, c := range letters {
		types = append(types, map[rune]api.ValueType{'i': api.ValueTypeI32, 'l': api.ValueTypeI64, 'd': api.ValueTypeF64}[c])
	}
	return types
}

func defineHost(ctx context.Context, rt wazero.Runtime) error {
	b := rt.NewHostModuleBuilder(compile.HostModule)
	for _, functions := range []map[string]hostFunction{hostFunctions, stringFunctions, batchFunctions, valueFunctions} {
		for name, f := range functions {
			call := f.call
			b.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(ctx context.Context, stack []uint64) {
				call(ctx.(*callContext).i, stack)
			}), typesOf(f.params), typesOf(f.results)).Export(name)
		}
	}
	_, err := b.Instantiate(ctx)
	return err
}

// round is Math.round: halves go up.
func round(f float64) float64 {
	t := math.Trunc(f)
	switch {
	case f >= 0 && f-t >= 0.5:
		return t + 1
	case f < 0 && t-f > 0.5:
		return t - 1
	}
	return t
}

// toInt32 is ToInt32 of any double.
func toInt32(f float64) int32 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return int32(uint32(int64(math.Mod(math.Trunc(f), 1<<32))))
}

// fail is the result of a store function that did not succeed.
func fail(code int64) uint64 { return uint64(compile.FailBase + code) }

// lookup finds a value for emitted code: address << 32 | size, 0 if it is
// missing, all ones if the call must end.
func (i *Instance) lookup(k store.Key) uint64 {
	e, r := i.overlay.Get(k)
	switch r {
	case store.OK:
		return uint64(i.refOf(e.Value))<<32 | uint64(len(e.Value))
	case store.Missing:
		return 0
	}
	i.refuse(r)
	return math.MaxUint64
}

// refuse ends the invocation for a result that the function cannot handle.
func (i *Instance) refuse(r store.Result) {
	switch r {
	case store.Full:
		i.stop(jit.Full, "the tenant's quota or the server's memory is used up")
	case store.Limit:
		i.stop(jit.Limit, "the call writes more than its limit")
	default:
		i.stop(jit.Corrupt, "the tenant's data is damaged")
	}
}

func (i *Instance) stop(s jit.Status, reason string) {
	i.meter.end(s)
	i.reason = reason
}

// bytes are n bytes at an address that emitted code gave; the host trusts
// neither.
func (i *Instance) bytes(address, n uint64) []byte {
	address, n = uint64(uint32(address)), uint64(uint32(n))
	if address+n > uint64(len(i.mem)) {
		return nil
	}
	return i.mem[address : address+n : address+n]
}

func hostLookupBytes(i *Instance, s []uint64) {
	k := store.BytesKey(i.utf8Of(i.textAt(s[0], s[1])))
	if !k.Valid() {
		s[0] = ^uint64(1)
		return
	}
	s[0] = i.lookup(k)
}

// hostLookupNumber looks a number up by its text; integers come another way.
func hostLookupNumber(i *Instance, s []uint64) {
	s[0] = i.lookup(store.BytesKey(appendNumber(i.text[:0], api.DecodeF64(s[0]))))
}

// hostRaise keeps the message of the exception that is about to be thrown.
func hostRaise(i *Instance, s []uint64) {
	b := i.utf8Of(i.textAt(s[0], s[1]))
	i.raised = appendValid(i.raised[:0], b[:min(len(b), largestMessage)])
}

// hostRaiseError keeps what an error object says that nothing has caught.
func hostRaiseError(i *Instance, s []uint64) {
	e := i.bytes(s[0], 24)
	if e == nil {
		return
	}
	at := func(n int) text {
		return i.textAt(uint64(binary.LittleEndian.Uint32(e[n:])), uint64(binary.LittleEndian.Uint32(e[n+4:])))
	}
	i.raised = append(i.raised[:0], i.utf8Of(at(16))...)
	if message := at(8); message.len() > 0 {
		i.raised = append(i.raised, ": "...)
		b := i.utf8Of(message)
		i.raised = appendValid(i.raised, b[:min(len(b), largestMessage-len(i.raised))])
	}
}

// largestMessage bounds what an exception says, as in tier 0.
const largestMessage = 512

// appendValid appends UTF-8 whose last character may have been cut off.
func appendValid(dst, b []byte) []byte {
	for len(b) > 0 {
		if r, size := utf8.DecodeLastRune(b); r != utf8.RuneError || size != 1 {
			break
		}
		b = b[:len(b)-1]
	}
	return append(dst, b...)
}

// key reads a key as compile passes it: an integer with address 0, text or bytes.
func (i *Instance) key(s []uint64) (store.Key, bool) {
	if uint32(s[1]) == 0 {
		return store.IntKey(s[0]), true
	}
	k := store.BytesKey(i.utf8Of(i.textAt(s[1], s[2])))
	return k, k.Valid()
}

// settled translates how a write ended into what emitted code understands.
func (i *Instance) settled(r store.Result, ok uint64) uint64 {
	switch r {
	case store.OK:
		return ok
	case store.Conflict:
		return fail(compile.FailConflict)
	case store.TooLarge:
		return fail(compile.FailLarge)
	case store.NotInteger:
		return fail(compile.FailText)
	case store.Overflow:
		return fail(compile.FailOverflow)
	}
	i.refuse(r)
	return fail(compile.FailStopped)
}

func hostSet(i *Instance, s []uint64) {
	k, ok := i.key(s)
	if !ok {
		s[0] = fail(compile.FailKey)
		return
	}
	var o store.SetOptions
	if ttl := int64(s[5]); ttl != compile.NoOption {
		o.ExpireMillis = i.now + ttl
	}
	if v := int64(s[6]); v != compile.NoOption {
		o.IfVersion, o.HasIfVersion = uint64(v), true
	}
	value := i.textAt(s[3], s[4])
	if value.wide {
		i.value = value.appendUTF8(i.value[:0])
		value.b = i.value
	}
	version, r := i.overlay.Set(k, value.b, o)
	s[0] = i.settled(r, version)
}

func hostDelete(i *Instance, s []uint64) {
	k, ok := i.key(s)
	if !ok {
		s[0] = fail(compile.FailKey)
		return
	}
	version := int64(s[3])
	_, r := i.overlay.Delete(k, uint64(version), version != compile.NoOption)
	if r == store.Missing || r == store.Conflict {
		s[0] = 0
		return
	}
	s[0] = i.settled(r, 1)
}

func hostIncr(i *Instance, s []uint64) {
	k, ok := i.key(s)
	if !ok {
		s[0] = fail(compile.FailKey)
		return
	}
	n, _, r := i.overlay.Incr(k, int64(s[3]))
	if r == store.OK && (n > maxSafe || n < -maxSafe) {
		s[0] = fail(compile.FailUnsafe)
		return
	}
	s[0] = i.settled(r, uint64(n))
}

func hostVersion(i *Instance, s []uint64) {
	k, ok := i.key(s)
	if !ok {
		s[0] = fail(compile.FailKey)
		return
	}
	e, r := i.overlay.Get(k)
	if r == store.Missing {
		s[0] = 0
		return
	}
	s[0] = i.settled(r, e.Version)
}

const maxSafe = 1<<53 - 1

func hostTextOfNumber(i *Instance, s []uint64) {
	text := i.text[:0]
	if s[0]&^3 == compile.SentinelBits {
		text = append(text, codeNames[s[0]&3]...)
	} else {
		text = appendNumber(text, api.DecodeF64(s[0]))
	}
	s[0] = uint64(copy(i.bytes(s[1], uint64(len(text))), text))
}

var codeNames = [4]string{compile.CodeFalse: "false", compile.CodeTrue: "true", compile.CodeUndefined: "undefined", compile.CodeNull: "null"}

// appendNumber is Number::toString (ECMA-262): the shortest digits that read
// back, plain from 1e−7 to 1e21.
func appendNumber(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		return append(dst, '0')
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Go writes at least two digits of exponent, JavaScript as many as needed.
	for j := start; j+3 < len(dst); j++ {
		if dst[j] == 'e' && dst[j+2] == '0' {
			return append(dst[:j+2], dst[j+3:]...)
		}
	}
	return dst
}
